/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded text: a string under construction in a buffer of fixed size.
 *
 * Everything monitord prints about a variant comes from hostile memory.
 * These helpers never write past the buffer, always leave it terminated,
 * silently drop what does not fit, and turn every byte that is not
 * printable ASCII into an escape, so that no variant can send control
 * sequences to the terminal of whoever reads a trace or a report.
 */
#ifndef MONITORD_TEXT_H
#define MONITORD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *buf;
	size_t cap;		/* > 0; the terminator is counted */
	size_t len;		/* < cap */
	bool cut;		/* something did not fit */
};

void text_init(struct text *t, char *buf, size_t cap);
void text_putc(struct text *t, char c);
void text_puts(struct text *t, const char *s);
void text_printf(struct text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* n bytes with C escapes, without quotes: \n, \", \33 as strace does. */
void text_escape(struct text *t, const void *bytes, size_t n);
/* The same in double quotes; `more` appends the ellipsis of a cut string. */
void text_quote(struct text *t, const void *bytes, size_t n, bool more);

/* A trusted copy of an untrusted string: escaped and cut to fit dst. */
void text_sanitize(char *dst, size_t cap, const char *src);

#endif
