/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A follower: private calls, and clocks (private.c).
 */
#ifndef IPMON_PRIVATE_H
#define IPMON_PRIVATE_H

#include "follower.h"

/* A private call this variant alone makes. */
struct ipmon_outcome private_alone(struct follower *fo);
/* Is the present record of a private call? */
int private_record(const struct ipmon_ctx *ctx, const struct ipmon_reader *r);
/* The present record is of a private call only the leader made. 0, or -1. */
int private_skip(struct ipmon_ctx *ctx, struct ipmon_reader *r);

/* What the program was told by a clock, as the call fills it in; kept for when we
 * read that clock alone. */
void clock_told(struct ipmon_ctx *ctx, const struct ipmon_plan *plan,
		uint64_t first, const uint64_t time[2]);
/* The time the leader was told where we read this clock, if it was gone over: 1. */
int clock_told_before(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		      const struct ipmon_plan *plan, int64_t *ret);
/*
 * We read a clock; is the present record of another one?  Then go over it and
 * keep what it says: 1.
 */
int clock_skip(struct ipmon_ctx *ctx, struct ipmon_reader *r);
/* How much deeper in the stack we read this clock than the leader did, if that
 * can be said. */
int64_t clock_deeper_than(const struct ipmon_ctx *ctx,
			  const struct ipmon_reader *r, uint64_t first);
/* The next record is of the same clock, read at the same depth: 1, it has been
 * taken over.  0: nothing has been consumed, nor waited for. */
int clock_quick(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		const struct ipmon_plan *plan, int64_t *ret);
/* The present record, in its short form (core/clock.h), is what this call gets: 0.
 * -1: see fo->diff; nothing has been consumed. */
int clock_take(struct follower *fo, int64_t *ret);

#endif
