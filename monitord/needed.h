/* SPDX-License-Identifier: Apache-2.0 */
/* What libraries a library needs. */
#ifndef MONITORD_NEEDED_H
#define MONITORD_NEEDED_H

#include <stddef.h>

/*
 * Append to `list` (a string of at most n bytes with its end) the names of the
 * libraries that those of `paths` (separated by colons) need, as ld.so takes them in
 * LD_PRELOAD: separated by colons, each once; without libc and ld.so itself, which
 * everybody has. What cannot be read needs nothing; what does not fit is left out.
 */
void needed_by(const char *paths, char *list, size_t n);

#endif
