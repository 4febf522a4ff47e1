/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the leader that are written in one go: leader.c, leader_clock.c.
 */
#ifndef IPMON_LEADER_H
#define IPMON_LEADER_H

#include "broker.h"

/* The ring is full: wait until followers have got to pos, and beyond. */
void leader_room(void *ctx, uint64_t pos);

static inline void published(struct ipmon_ctx *ctx)
{
	if ((int64_t)(ctx->p.head - ctx->p.wake_at) >= 0)
		lag_check(ctx);
}

/* The words of a lane (core/stream.h), and their length in bytes. */
static inline uint32_t words_len(const struct ipmon_plan *plan)
{
	return 8 * (lane_words(plan) + !!(plan->flags & PLAN_CLOCK));
}

static inline void put_words(const struct ipmon_ctx *ctx, void *to,
			     const struct ipmon_plan *plan,
			     const uint64_t args[6])
{
	uint64_t *at = to;
	unsigned int i;

	for (i = 0; i < plan->nargs; i++)
		at[i] = lane_word(plan, args, i);
	at[i] = lane_nulls(plan, args);
	if (plan->flags & PLAN_CLOCK)
		at[i + 1] = clock_frozen(ctx) ? CLOCK_NO_DEPTH :
			clock_depth(ctx);
}

/*
 * A relaxed call in one record of known size: header, words, and at most one
 * small span.
 */
static inline unsigned char *small_record(struct ipmon_ctx *ctx, uint32_t need)
{
	unsigned char *at;
	uint64_t avail;

	while (!(at = ring_reserve(ctx_ring(ctx), ctx_cursors(ctx),
				   ctx->followers, &ctx->p, ctx_capacity(ctx),
				   need, &avail)))
		leader_room(ctx, avail);
	return at;
}

static inline void small_header(struct ipmon_ctx *ctx, unsigned char *at,
				uint32_t size, uint64_t nr, unsigned int flags,
				int64_t ret, uint32_t in_len, uint32_t out_len)
{
	struct ipmon_record *rec = (void *)at;

	rec->size = size;
	rec->nr = (uint16_t)nr;
	rec->flags = (uint16_t)(ctx->p.turn ? flags | REC_TURN : flags);
	rec->ret = ret;
	rec->in_len = in_len;
	rec->out_len = out_len;
	rec->turn = ctx->p.turn;
	ctx->p.turn = 0;
	ring_publish(ctx_ring(ctx), &ctx->p, size);
	published(ctx);
}

/*
 * A clock, read where that takes no system call.  1: *ret is the answer, and
 * followers have been told; 0: not this time.
 */
int leader_clock(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		 const struct ipmon_plan *plan, uint64_t nr, int64_t *ret);

#endif
