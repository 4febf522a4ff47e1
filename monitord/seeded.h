/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generators of random numbers that are seeded with addresses: theory of
 * operation in seeded.c.
 */
#ifndef MONITORD_SEEDED_H
#define MONITORD_SEEDED_H

#include "monitor.h"

#define SEEDED_MAX	24u		/* bytes of one place */

struct object;

/* Text that is to be another one: n bytes at vaddr. */
struct seeded {
	uint64_t vaddr;
	uint8_t n;
	uint8_t old[SEEDED_MAX], new[SEEDED_MAX];
};

/* Those of an object (objects.h), its data to be read safely; NULL: there are
 * none.  *n is their number; the caller frees them. */
struct seeded *seeded_find(struct object *o, unsigned int *n);

/* Replace it, where all variants have it at bias[v] + vaddr; at[v] is there.
 * False: not all have. */
bool seeded_replace(struct taskset *s, const struct seeded *w,
		    const uint64_t bias[MAX_VARIANTS],
		    uint64_t at[MAX_VARIANTS]);
void seeded_restore(struct taskset *s, const struct seeded *w,
		    const uint64_t at[MAX_VARIANTS]);

#endif
