// SPDX-License-Identifier: Apache-2.0
/*
 * A follower: calls that it makes, or does not make, without the leader.
 *
 * Theory of operation
 * -------------------
 * Some code makes more or fewer calls of a kind that concern the variant only
 * (monitord/solo.c says why).  In-process these are the clocks, drawing a few random
 * bytes, waking a thread of the own process:
 *
 *  - the follower makes one, the leader's next record is something else (or it
 *    is at a rendezvous): a clock tells the time the follower was last told by
 *    it, or, if it never was, what its own kernel says; random bytes come from
 *    its own kernel; nobody sleeps in a follower.  The record stays.
 *  - the follower wants something else, the leader's next record is a private
 *    call: the record is skipped, its time remembered.
 *  - both read a clock, but not the same: the leader's record is skipped, the
 *    next may be of ours.  The time is kept (struct ipmon_skipped): when we come
 *    to read that clock, it is what the leader was told there;
 *  - both read the same clock, but one from deeper down the stack than the other
 *    (measured from the last call that was not private): the deeper one is the
 *    additional one.  Once a variant has read a clock alone it does not matter
 *    any more which of them it was (CLOCK_FREEZE_NS).
 *
 * At most ipmon_solo_max() of them without a common call in between.  So time never
 * goes backwards for a follower, and at the common calls it is the leader's.
 */
#include "core/clock.h"

#include "memcalls.h"
#include "private.h"
#include "turn.h"

#define NS_PER_US	1000

/*
 * Which clock this call reads, by its first argument: clock_gettime is the one whose
 * time is its second one; gettimeofday and time are views of CLOCK_REALTIME.
 */
static int clock_of(const struct ipmon_plan *plan, uint64_t first)
{
	uint32_t id = (uint32_t)first;

	if (plan->mem == 0)
		return 0;
	return id < IPMON_CLOCKS ? (int)id : -1;
}

static struct ipmon_time as_time(const struct ipmon_plan *plan,
				 const uint64_t time[2])
{
	return (struct ipmon_time){
		(int64_t)time[0], (int64_t)time[1] * (plan->mem ? 1 : NS_PER_US)
	};
}

/* Microseconds do not take back what has been told in nanoseconds. */
static void note_time(struct ipmon_time *at, const struct ipmon_plan *plan,
		      struct ipmon_time t)
{
	if (plan->mem || at->sec != t.sec || at->nsec < t.nsec ||
	    at->nsec - t.nsec >= NS_PER_US)
		*at = t;
}

/* The clock's number; -1: it is not one we keep. */
static int clock_seen(struct ipmon_ctx *ctx, const struct ipmon_plan *plan,
		      uint64_t first, const uint64_t time[2])
{
	int id = clock_of(plan, first);

	if (id < 0 || plan->len_fixed != sizeof(struct ipmon_time))
		return -1;
	note_time(&ctx->clock[id], plan, as_time(plan, time));
	ctx->clocks |= 1u << id;
	return id;
}

void clock_told(struct ipmon_ctx *ctx, const struct ipmon_plan *plan,
		uint64_t first, const uint64_t time[2])
{
	int id = clock_seen(ctx, plan, first, time);

	if (id >= 0)
		note_time(&ctx->gave[id], plan, as_time(plan, time));
}

/* The time to tell the program where the leader's call is not the same one: not
 * before what it was told. */
static struct ipmon_time not_before(struct ipmon_ctx *ctx, int id,
				    struct ipmon_time t)
{
	struct ipmon_time *told = &ctx->gave[id];

	if (t.sec < told->sec || (t.sec == told->sec && t.nsec < told->nsec))
		t = *told;
	*told = t;
	return t;
}

/* What the present record says of a clock: 0, or -1. */
static int reading(const struct ipmon_ctx *ctx, const struct ipmon_reader *r,
		   struct clock_reading *c)
{
	return clock_unpack(ipmon_plan(r->rec.nr), &r->rec,
			    ring_at(r->ring, ctx->c.tail), c);
}

/* Clocks we have gone over: none if no private call has been made alone since the
 * last common one. */
static struct ipmon_skipped *skipped(struct ipmon_ctx *ctx)
{
	struct ipmon_skipped *k = (void *)((char *)ctx + IPMON_SKIPPED_AT);

	if (!ctx->solos)
		k->n = 0;
	return k;
}

/* A private call has been made by us or the leader alone. */
static void count_solo(struct ipmon_ctx *ctx)
{
	skipped(ctx);		/* of an earlier time */
	ctx->solos++;
	ctx->n_private++;
}

int clock_told_before(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		      const struct ipmon_plan *plan, int64_t *ret)
{
	struct ipmon_skipped *k = skipped(ctx);
	int id = clock_of(plan, f->args[0]);

	for (uint64_t i = 0; i < k->n && i < IPMON_SKIPPED_MAX; i++) {
		struct ipmon_skipped_clock *c = &k->at[i];
		uint64_t out = f->args[plan->mem];
		struct ipmon_time t;
		int64_t d;

		if (c->nr != (uint32_t)f->nr || c->id != (uint64_t)id)
			continue;
		d = clock_deeper(clock_depth(ctx), c->depth);
		if (d < 0) {		/* its additional one */
			c->nr = 0;
			continue;
		}
		if (plan->len_fixed == sizeof(t)) {
			t = not_before(ctx, id, as_time(plan, c->time));
			if (plan->mem == 0)
				t.nsec /= NS_PER_US;
		} else {
			t.sec = (int64_t)c->time[0];
		}
		if (out && mem_put(out, &t, plan->len_fixed))
			return 0;
		*ret = plan->nargs == 1 ? (int64_t)c->time[0] : 0;
		if (!d) {		/* otherwise our additional one */
			c->nr = 0;
			ctx->solos--;
		}
		return 1;
	}
	return 0;
}

/* Who makes private calls alone is soon to read a clock alone. */
static void clocks_apart(const struct ipmon_ctx *ctx)
{
	struct ipmon_cursor *cur = ctx_cursors(ctx);

	if (!__atomic_load_n(&cur[0].apart, __ATOMIC_RELAXED))
		__atomic_store_n(&cur[0].apart, 1, __ATOMIC_RELAXED);
}

struct ipmon_outcome private_alone(struct follower *fo)
{
	const struct ipmon_plan *plan = fo->plan;
	const uint64_t *args = fo->f->args;
	int id = clock_of(plan, args[0]);
	struct ipmon_time t;
	uint64_t out = args[plan->mem];

	/* monitord makes it, and counts it, as the filter would stop us */
	if ((plan->flags & PLAN_MEMORY) && memory_is_monitords(fo->f))
		return left();
	count_solo(fo->ctx);
	clocks_apart(fo->ctx);
	if (plan->flags & PLAN_FUTEX)
		return handled(0);
	if (plan->flags & PLAN_MEMORY)
		return handled(MEMORY_ALONE);
	if (!(plan->flags & PLAN_CLOCK) || id < 0 ||
	    !(fo->ctx->clocks >> id & 1) ||
	    ipmon_lane(plan, args) == LANE_WALK)
		return handled(ipmon_gate_raw(&fo->f->call));
	t = not_before(fo->ctx, id, fo->ctx->clock[id]);
	if (plan->mem == 0)
		t.nsec /= NS_PER_US;
	if (out && mem_put(out, &t, plan->len_fixed))
		return handled(-EFAULT_);
	return handled(plan->nargs == 1 ? t.sec : 0);
}

int private_record(const struct ipmon_ctx *ctx, const struct ipmon_reader *r)
{
	return ipmon_record_private(&r->rec, ring_at(r->ring, ctx->c.tail));
}

int private_skip(struct ipmon_ctx *ctx, struct ipmon_reader *r)
{
	struct clock_reading c;

	clocks_apart(ctx);
	turn_follow(ctx, &r->rec);
	if (!reading(ctx, r, &c) && c.told)
		clock_seen(ctx, ipmon_plan(r->rec.nr), c.word, c.time);
	count_solo(ctx);
	return reader_skip(r);
}

void follower_left(struct ipmon_ctx *ctx, uint64_t nr)
{
	struct ipmon_reader r;

	/* a private one itself: what is in the ring may be of calls we will make
	 * yet (monitord/fast_solo.c) */
	if (ipmon_row(nr)->flags & RF_PRIVATE &&
	    !((ctx->flags & IPMON_CTX_DIVERSE) &&
	      (ipmon_plan(nr)->flags & PLAN_DRAW)))
		return;
	follower_reader(&r, ctx);
	while (ctx->solos < ipmon_solo_max(ctx) &&
	       ring_next(r.ring, r.cur, r.c, &r.rec) == RING_RECORD) {
		if ((r.rec.flags & (REC_YIELD | REC_WORD)) == REC_YIELD) {
			turn_follow(ctx, &r.rec);
			ring_consume(r.cur, r.c, r.rec.size);
		} else if (!private_record(ctx, &r)) {
			break;
		} else if (private_skip(ctx, &r)) {
			return;
		}
	}
	ctx->solos = 0;
}

int clock_skip(struct ipmon_ctx *ctx, struct ipmon_reader *r)
{
	struct ipmon_skipped *k = skipped(ctx);
	struct ipmon_skipped_clock *at;
	struct clock_reading c;
	uint64_t i, n;
	int id;

	if (reading(ctx, r, &c))
		return 0;
	if (k->n >= IPMON_SKIPPED_MAX) {
		for (i = n = 0; i < IPMON_SKIPPED_MAX; i++)
			if (k->at[i].nr)
				k->at[n++] = k->at[i];
		k->n = n;
		if (n == IPMON_SKIPPED_MAX)
			return 0;
	}
	id = clock_of(ipmon_plan(r->rec.nr), c.word);
	at = &k->at[k->n];
	at->nr = r->rec.nr;
	at->id = (uint64_t)id;
	at->depth = c.depth;
	at->time[0] = c.time[0];
	at->time[1] = c.time[1];
	if (private_skip(ctx, r))
		return 0;
	k->n += id >= 0 && c.told;
	return 1;
}

int64_t clock_deeper_than(const struct ipmon_ctx *ctx,
			  const struct ipmon_reader *r, uint64_t first)
{
	const struct ipmon_plan *plan = ipmon_plan(r->rec.nr);
	struct clock_reading c;

	if (reading(ctx, r, &c) ||
	    clock_of(plan, c.word) != clock_of(plan, first))
		return 0;
	return clock_deeper(clock_depth(ctx), c.depth);
}

/* 0: nothing has been consumed. */
static int take(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		const struct ipmon_plan *plan, const struct ipmon_record *rec,
		const struct clock_reading *c)
{
	void *mem = (void *)(uintptr_t)f->args[plan->mem];

	if (mem) {
		if (!c->told || ipmon_copy(mem, c->time, plan->len_fixed))
			return 0;
		clock_told(ctx, plan, c->word, c->time);
	}
	ring_consume(&ctx_cursors(ctx)[ctx->variant], &ctx->c, rec->size);
	follower_consumed(ctx, rec->flags);
	return 1;
}

int clock_quick(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		const struct ipmon_plan *plan, int64_t *ret)
{
	const struct ipmon_ring *r = ctx_ring(ctx);
	struct clock_reading c;
	struct ipmon_record rec;

	if (ring_next(r, &ctx_cursors(ctx)[ctx->variant], &ctx->c, &rec) !=
	    RING_RECORD || rec.nr != (uint32_t)f->nr || rec.flags & REC_TURN ||
	    clock_unpack(plan, &rec, ring_at(r, ctx->c.tail), &c) ||
	    c.word != (f->args[0] & plan->mask[0]) ||
	    c.nulls != lane_nulls(plan, f->args) ||
	    clock_deeper(clock_depth(ctx), c.depth))
		return 0;
	*ret = c.ret;
	return take(ctx, f, plan, &rec, &c);
}

int clock_take(struct follower *fo, int64_t *ret)
{
	const struct ipmon_plan *plan = fo->plan;
	const struct ipmon_frame *f = fo->f;
	struct clock_reading c;
	uint64_t nulls;

	if (reading(fo->ctx, &fo->r, &c))
		return differ(fo, IPMON_DIV_CALL, -1, 0, 0, 0,
			      "the leader wrote no valid record");
	if (c.word != (f->args[0] & plan->mask[0]))
		return differ(fo, IPMON_DIV_ARGUMENT, 0, c.word,
			      f->args[0] & plan->mask[0], 0, NULL);
	nulls = lane_nulls(plan, f->args);
	if (c.nulls != nulls)
		return nulls_differ(fo, c.nulls, nulls);
	*ret = c.ret;
	if (take(fo->ctx, f, plan, &fo->r.rec, &c))
		return 0;
	return differ(fo, IPMON_DIV_RESULT, plan->mem, 0, (uint64_t)-EFAULT_, 0,
		      "the leader's output buffer is writable, this variant's "
		      "is not");
}
