/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a variant's address space is the monitor's, not the program's: the
 * gate, the scratch area, the regions of the in-process half, stub areas.
 */
#ifndef MONITORD_OWNED_H
#define MONITORD_OWNED_H

#include "monitor.h"

/*
 * The lowest range of the monitor's that overlaps [from, end) in variant v:
 * false when there is none. *start may lie below from.
 */
bool owned_next(const struct mm *m, unsigned int v, uint64_t from,
		uint64_t end, uint64_t *start, uint64_t *stop);

/* For owned_next: the ranges of fast.c and patch.c, by index; false at the
 * end of the list. */
bool fast_range(const struct mm *m, unsigned int v, unsigned int i,
		uint64_t *start, uint64_t *stop);
bool patch_range(const struct mm *m, unsigned int v, unsigned int i,
		 uint64_t *start, uint64_t *stop);

#endif
