/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outputs that leave together with the next one: see more.c.
 */
#ifndef IPMON_MORE_H
#define IPMON_MORE_H

#include "hold.h"

#define MORE_UNFIT	(1u << 31)	/* ctx->suits[]: asked, it does not */

/* Leader: this descriptor is known to take no part (and is not asked about again, so
 * that more_output() would do nothing). */
static inline int more_unfit(const struct ipmon_ctx *ctx, uint64_t reg)
{
	uint32_t fd = (uint32_t)reg + 1;

	return ctx->suits[(fd - 1) % IPMON_OUT_FDS] == (fd | MORE_UNFIT);
}

/* Leader: an output comes.  1: the next one is expected to follow at once. */
int more_output(struct ipmon_ctx *ctx, const struct ipmon_frame *f);
/* ... it is made so.  1: *ret is its result; 0: it is to be made as it is. */
int more_call(struct ipmon_ctx *ctx, const struct ipmon_call *call,
	      int64_t *ret);
/* ... it has been made, in whatever way, and something waits (ctx->more). */
void more_made(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
	       const struct ipmon_outcome *o);

/* Leader: this call has been made, what has been found out about descriptors
 * (ctx->suits_at) may not be true any more. */
void more_note(struct ipmon_ctx *ctx, uint64_t nr, const uint64_t args[6],
	       int64_t ret);

/* Leader: nothing follows for now, what waits for it is to leave. */
void more_over(struct ipmon_ctx *ctx);

/* Does the program itself say that more follows this output? */
int more_asked(uint64_t nr, const uint64_t args[6]);

/* Leader: this call comes. */
static inline void more_next(struct ipmon_ctx *ctx, uint64_t nr,
			     const uint64_t args[6])
{
	if (ctx->more && !(hold_kind(nr) &&
			   (uint32_t)args[0] + 1 == ctx->more &&
			   !more_asked(nr, args)))
		more_over(ctx);
}

#endif
