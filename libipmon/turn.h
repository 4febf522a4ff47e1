/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is among threads that share memory: see turn.c.
 */
#ifndef IPMON_TURN_H
#define IPMON_TURN_H

#include "broker.h"

/* Leader: the time, if that takes no system call, in ns; else 0. */
uint64_t leader_ns(const struct ipmon_ctx *ctx);

/* Sleep until *word is no longer `seen` and somebody wakes us, or for so long. */
void turn_nap(uint32_t *word, uint32_t seen, int64_t ns);

/* Leader: about to enter the kernel, where it may sleep (PLAN_BLOCK: surely);
 * others may have the turn meanwhile.  Nothing may be held (hold.h). */
void turn_leave_slow(struct ipmon_ctx *ctx, unsigned int plan_flags);
/* Leader: back from there.  Returns when it is its turn again; the record of the
 * call says after whom. */
void turn_back_slow(struct ipmon_ctx *ctx);

static inline void turn_leave(struct ipmon_ctx *ctx, unsigned int plan_flags)
{
	if (ctx->turn)
		turn_leave_slow(ctx, plan_flags);
}

static inline void turn_back(struct ipmon_ctx *ctx)
{
	if (ctx->turn)
		turn_back_slow(ctx);
}

/* Leader: at a call whose record is still to come; who makes many without ever
 * sleeping lets others have the turn.  Not readily at one that is private: a
 * follower that does not make it is somewhere else then.  Nor at one that programs
 * make in loops (an instruction in the place of a call), but all variants do.  At one of
 * a loop that waits for another thread at once. */
enum turn_at {
	TURN_COMMON,
	TURN_PRIVATE,
	TURN_OFTEN,
	TURN_WAITS,
};

void turn_yield_slow(struct ipmon_ctx *ctx, uint64_t nr, enum turn_at at);
static inline void turn_yield(struct ipmon_ctx *ctx, uint64_t nr,
			      enum turn_at at)
{
	if (ctx->turn)
		turn_yield_slow(ctx, nr, at);
}

/* Leader: at a call on a futex.  If somebody waits for it in vain, and this one may
 * wake him: ctx->gives, and it is to be made by turn_wake(). */
enum turn_futex {
	FUTEX_WAITS,
	FUTEX_WAKES,
	FUTEX_WAKES_PRIVATE,	/* not a call that all variants must make */
};
void turn_futex_slow(struct ipmon_ctx *ctx, uint64_t nr, uint64_t addr,
		     enum turn_futex how);
static inline void turn_futex(struct ipmon_ctx *ctx, uint64_t nr, uint64_t addr,
			      enum turn_futex how)
{
	if (ctx->turn)
		turn_futex_slow(ctx, nr, addr, how);
}
int64_t turn_wake(struct ipmon_ctx *ctx, const struct ipmon_call *call);

/* Follower: it stands at a call, all records before that one consumed. */
void turn_rest_slow(struct ipmon_ctx *ctx);
static inline void turn_rest(struct ipmon_ctx *ctx)
{
	if (ctx->turn)
		turn_rest_slow(ctx);
}

/* Follower, not at rest: does a sibling, or monitord, wait for it to be? */
int turn_awaited_slow(struct ipmon_ctx *ctx);
static inline int turn_awaited(struct ipmon_ctx *ctx)
{
	return ctx->turn && turn_awaited_slow(ctx);
}

/* Follower: this record has been found.  Returns when the call may be finished. */
void turn_follow_slow(struct ipmon_ctx *ctx, const struct ipmon_record *rec);
static inline void turn_follow(struct ipmon_ctx *ctx,
			       const struct ipmon_record *rec)
{
	if (rec->flags & REC_TURN && ctx->turn)
		turn_follow_slow(ctx, rec);
}

#endif
