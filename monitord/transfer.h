/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transfers that end half-way because of a stop the program may not notice:
 * theory of operation in transfer.c.
 */
#ifndef MONITORD_TRANSFER_H
#define MONITORD_TRANSFER_H

#include "monitor.h"

/* Could this call of the leader's, which has transferred so many bytes, have gone
 * on, had it not been stopped? */
bool transfer_is_short(struct taskset *s, uint64_t nr, const uint64_t a[6],
		       uint64_t done);

/* The leader, AT_ENTRY, makes the rest of its call: s->partial bytes have been
 * transferred. */
void transfer_go_on(struct taskset *s);

/* The leader's call has ended with this result, > 0.  True: only for a stop that
 * does not count, and it goes on. */
bool transfer_ended(struct taskset *s, int64_t ret);

#endif
