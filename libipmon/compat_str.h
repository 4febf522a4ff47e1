/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few string functions libipmon-compat needs.  libc's are chosen for the processor
 * when they are first bound (IFUNC); where libc is executed as a program, ld.so refuses
 * a preloaded library that asks for one of them.
 */
#ifndef COMPAT_STR_H
#define COMPAT_STR_H

#include <stddef.h>

static inline size_t string_length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* The first n bytes, or up to the end of both. */
static inline int string_begins(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (a[i] != b[i])
			return 0;
		if (!a[i])
			break;
	}
	return 1;
}

#endif
