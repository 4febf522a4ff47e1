/* SPDX-License-Identifier: Apache-2.0 */
/* AT_RANDOM: 16 bytes, each variant's own until libc has used them. */
#ifndef MONITORD_AT_RANDOM_H
#define MONITORD_AT_RANDOM_H

#include "monitor.h"

/* A new image, whose bytes are at these addresses (0: leave them). */
void at_random_begin(struct mm *mm, const uint64_t at[MAX_VARIANTS]);

/* A rendezvous, while mm->at_random[LEADER] is set. */
void at_random_call(struct taskset *s);

/* libc is using them: the next call has to come to a rendezvous. */
static inline bool at_random_next(const struct mm *mm)
{
	return mm->at_random[LEADER] && mm->has_tls;
}

/* libc has used them: the same for all from now on. */
void at_random_publish(struct taskset *s);

#endif
