/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was probably meant by a misspelt word.
 */
#ifndef MONITORD_NEAREST_H
#define MONITORD_NEAREST_H

#include <stddef.h>

/*
 * Letters that have to be inserted, removed, replaced or swapped with their
 * neighbour to make `a` out of `b`, upper and lower case being the same.  Words
 * longer than NEAREST_MAX are as far as can be from everything.
 */
#define NEAREST_MAX 63u
unsigned int edit_distance(const char *a, const char *b);

/* The best of several candidates: start with all zero. */
struct nearest {
	const char *word;		/* NULL: none is near */
	unsigned int distance;
};
void nearest_try(struct nearest *n, const char *given, const char *candidate);

#endif
