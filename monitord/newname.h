/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that a call creates exclusively: random parts drawn from addresses.
 */
#ifndef MONITORD_NEWNAME_H
#define MONITORD_NEWNAME_H

#include <stdbool.h>
#include <stddef.h>

struct taskset;

/* Shortest random part that is recognised: the XXXXXX of mkstemp(3). */
#define NEWNAME_RUN 6u

/*
 * Do two paths of n bytes differ in nothing but one run of at least
 * NEWNAME_RUN letters and digits in the last component?  False when equal.
 */
bool newname_differs(const char *a, const char *b, size_t n);

/* Comparison (handlers.h) for open with O_CREAT | O_EXCL and for mkdir. */
bool newname_compare(struct taskset *s);

#endif
