// SPDX-License-Identifier: Apache-2.0
/*
 * A follower: asks for the same as the leader did, and gets what it got.
 *
 * Theory of operation
 * -------------------
 * The next record must be of the same call with the same inputs (compare.c).
 * Behind them come the outputs, which are copied into the own buffers, never more
 * than these hold; then the result.  Nothing in the ring is believed: see ring.h
 * and stream.h.
 *
 * A difference is reported to monitord (IPMON_NR_DIVERGED), which may say that
 * it has been resolved: then the record is looked at again.  Before a record is
 * consumed nothing of the program has been touched, so that is possible.
 *
 * Private calls.  Some code makes more or fewer calls of a kind that concern
 * the variant only (monitord/solo.c says why).  In-process these are the clocks,
 * drawing a few random bytes, waking a thread of the own process:
 *
 *  - the follower makes one, the leader's next record is something else (or it
 *    is at a rendezvous): a clock tells the time the follower was last told by
 *    it, or, if it never was, what its own kernel says; random bytes come from
 *    its own kernel; nobody sleeps in a follower.  The record stays.
 *  - the follower wants something else, the leader's next record is a private
 *    call: the record is skipped, its time remembered.
 *  - both read a clock, but not the same: the leader's record is skipped, the
 *    next may be of ours.  The time is kept (struct ipmon_skipped): when we come to read
 *    that clock, it is what the leader was told there;
 *  - both read the same clock, but one from deeper down the stack than the other
 *    (measured from the last call that was not private): the deeper one is the
 *    additional one.  Once a variant has read a clock alone it does not matter
 *    any more which of them it was (CLOCK_FREEZE_NS).
 *
 * At most ipmon_solo_max() of them without a common call in between.  So time never goes
 * backwards for a follower, and at the common calls it is the leader's.
 */
#include "follower.h"
#include "memcalls.h"
#include "turn.h"

#define NS_PER_US	1000

/* ---- plumbing ---- */

static int next_record(void *p, struct ipmon_record *rec)
{
	/* in the middle of a call: the leader cannot be at a rendezvous */
	if (follower_next(p, rec, 0) != NEXT_RECORD)
		return -1;
	turn_follow(p, rec);
	return 0;
}

static void record_consumed(void *p, unsigned int flags)
{
	follower_consumed(p, flags);
}

static void reader_init(struct ipmon_reader *r, struct ipmon_ctx *ctx)
{
	r->ring = ctx_ring(ctx);
	r->cur = &ctx_cursors(ctx)[ctx->variant];
	r->c = &ctx->c;
	r->wait = next_record;
	r->consumed = record_consumed;
	r->ctx = ctx;
	r->status = READER_OK;
}

/* ---- taking over ---- */

/* One output span: at most `cap` bytes at addr. */
static int take_span(struct follower *fo, unsigned int arg, uint64_t addr,
		     uint64_t cap, uint64_t label)
{
	uint64_t done = 0;
	unsigned int flags;

	do {
		const unsigned char *at;
		uint32_t n;
		size_t not;

		if (reader_chunk(&fo->r, cap - done, 0, &at, &n, &flags))
			return -1;
		not = ipmon_copy((void *)(uintptr_t)(addr + done), at, n);
		/* a time-out that the kernel tried to write in vain, too */
		if (not && fo->r.rec.ret != -EFAULT_ &&
		    ipmon_equal((void *)(uintptr_t)(addr + done), at, n).n !=
		    n) {
			fo->diff.addr = addr;
			fo->diff.offset = done + n - not;
			fo->diff.len[0] = fo->diff.len[1] = cap;
			return differ(fo, IPMON_DIV_RESULT, (int)arg, 0,
				      (uint64_t)-EFAULT_, label,
				      "the leader's output buffer is writable, "
				      "this variant's is not");
		}
		done += n;
	} while (flags == CHUNK_MORE);
	return 0;
}

/* Events, with the data this variant attached to them. */
static int take_events(struct follower *fo)
{
	uint64_t addr = fo->f->args[1], cap, done = 0;
	int32_t max = (int32_t)fo->f->args[2];
	struct packed_event ev;
	unsigned int flags, have = 0;
	uint64_t data;

	cap = max > 0 ? (uint64_t)max * sizeof(ev) : 0;
	do {
		const unsigned char *at;
		uint32_t n, i;

		if (reader_chunk(&fo->r, cap - done - have, 0, &at, &n, &flags))
			return -1;
		/* chunks end anywhere */
		for (i = 0; i < n; i++) {
			((unsigned char *)&ev)[have++] = at[i];
			if (have < sizeof(ev))
				continue;
			have = 0;
			if (epoll_lookup(fo->ctx, ev.data, &data))
				data = 0;
			ev.data = data;
			if (mem_put(addr + done, &ev, sizeof(ev)))
				return differ(fo, IPMON_DIV_RESULT, 1, 0,
					      (uint64_t)-EFAULT_, 0,
					      "the leader's output buffer is "
					      "writable, this variant's is not");
			done += sizeof(ev);
		}
	} while (flags == CHUNK_MORE);
	return 0;
}

static int take_outputs(struct follower *fo, unsigned int lane)
{
	const uint64_t *args = fo->f->args;
	const struct ipmon_plan *plan = fo->plan;
	unsigned int i;

	if (plan->flags & PLAN_EPOLL_WAIT)
		return take_events(fo);
	if (lane_has_out(lane) && args[plan->mem])
		return take_span(fo, plan->mem, args[plan->mem],
				 ipmon_plan_len(plan, args), 0);
	for (i = 0; lane == LANE_WALK && i < fo->n_out; i++)
		if (take_span(fo, fo->out[i].arg, fo->out[i].addr,
			      fo->out[i].len, fo->out[i].label))
			return -1;
	return 0;
}

/* ---- private calls ---- */

/*
 * Which clock this call reads: clock_gettime is the one whose time is its second
 * argument; gettimeofday and time are views of CLOCK_REALTIME.
 */
static int clock_of(const struct ipmon_plan *plan, uint64_t first)
{
	uint32_t id = (uint32_t)first;

	if (plan->mem == 0)
		return 0;
	return id < IPMON_CLOCKS ? (int)id : -1;
}

static void remember(struct ipmon_ctx *ctx, const struct ipmon_plan *plan,
		     uint64_t first, const void *time)
{
	const uint64_t *t = time;
	int id = clock_of(plan, first);

	if (id < 0 || plan->len_fixed != sizeof(struct ipmon_time))
		return;
	ctx->clock[id].sec = (int64_t)t[0];
	ctx->clock[id].nsec = (int64_t)t[1] * (plan->mem ? 1 : NS_PER_US);
	ctx->clocks |= 1u << id;
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

/* The time the leader was told where we read this clock, if it was gone over. */
static int told_before(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		       const struct ipmon_plan *plan, int64_t *ret)
{
	struct ipmon_skipped *k = skipped(ctx);
	int id = clock_of(plan, f->args[0]);

	for (uint64_t i = 0; i < k->n && i < IPMON_SKIPPED_MAX; i++) {
		struct ipmon_skipped_clock *c = &k->at[i];
		uint64_t out = f->args[plan->mem];
		int64_t d;

		if (c->nr != (uint32_t)f->nr || c->id != (uint64_t)id)
			continue;
		d = clock_deeper(clock_depth(ctx), c->depth);
		if (d < 0) {		/* its additional one */
			c->nr = 0;
			continue;
		}
		if (out && mem_put(out, c->time, plan->len_fixed))
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

/* A private call this variant alone makes. */
static struct ipmon_outcome alone(struct follower *fo)
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
	t = fo->ctx->clock[id];
	if (plan->mem == 0)
		t.nsec /= NS_PER_US;
	if (out && mem_put(out, &t, plan->len_fixed))
		return handled(-EFAULT_);
	return handled(plan->nargs == 1 ? t.sec : 0);
}

static const uint64_t *first_words(const struct ipmon_ctx *ctx,
				   const struct ipmon_reader *r)
{
	return (const void *)(ring_at(r->ring, ctx->c.tail) + RING_HEADER);
}

/* Is the present record of a private call? */
static int record_private(const struct ipmon_ctx *ctx,
			  const struct ipmon_reader *r)
{
	return ipmon_record_private(&r->rec, ring_at(r->ring, ctx->c.tail));
}

/* The present record is of a private call only the leader made. 0, or -1. */
static int skip_private(struct ipmon_ctx *ctx, struct ipmon_reader *r)
{
	const struct ipmon_plan *plan = ipmon_plan(r->rec.nr);
	const uint64_t *w = first_words(ctx, r);
	uint32_t in = lane_words(plan) + 1;

	clocks_apart(ctx);
	turn_follow(ctx, &r->rec);
	if (plan->flags & PLAN_CLOCK && (r->rec.flags & ~REC_TURN) == REC_LANE &&
	    r->rec.in_len == 8 * in &&
	    r->rec.out_len == 8 + sizeof(struct ipmon_time))
		remember(ctx, plan, w[0], w + in + 1);
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
	reader_init(&r, ctx);
	while (ctx->solos < ipmon_solo_max(ctx) &&
	       ring_next(r.ring, r.cur, r.c, &r.rec) == RING_RECORD) {
		if (r.rec.flags & REC_YIELD) {
			turn_follow(ctx, &r.rec);
			ring_consume(r.cur, r.c, r.rec.size);
		} else if (!record_private(ctx, &r)) {
			break;
		} else if (skip_private(ctx, &r)) {
			return;
		}
	}
	ctx->solos = 0;
}

/*
 * We read a clock; is the present record of another one?  Then go over it and
 * keep what it says: 1.
 */
static int skip_clock(struct ipmon_ctx *ctx, struct ipmon_reader *r)
{
	const struct ipmon_plan *plan = ipmon_plan(r->rec.nr);
	const uint64_t *w = first_words(ctx, r);
	uint32_t in = lane_words(plan) + 1;
	struct ipmon_skipped *k = skipped(ctx);
	struct ipmon_skipped_clock *c;
	uint64_t i, n;
	int id;

	if (!(plan->flags & PLAN_CLOCK) ||
	    (r->rec.flags & ~REC_TURN) != REC_LANE ||
	    r->rec.in_len != 8 * in || plan->len_fixed > sizeof(c->time) ||
	    (r->rec.out_len && r->rec.out_len != 8u + plan->len_fixed))
		return 0;
	if (k->n >= IPMON_SKIPPED_MAX) {
		for (i = n = 0; i < IPMON_SKIPPED_MAX; i++)
			if (k->at[i].nr)
				k->at[n++] = k->at[i];
		k->n = n;
		if (n == IPMON_SKIPPED_MAX)
			return 0;
	}
	id = clock_of(plan, w[0]);
	c = &k->at[k->n];
	c->nr = r->rec.nr;
	c->id = (uint64_t)id;
	c->depth = w[in - 1];
	c->time[0] = plan->nargs == 1 ? (uint64_t)r->rec.ret :
		r->rec.out_len ? w[in + 1] : 0;
	c->time[1] = r->rec.out_len > 8 + 8 ? w[in + 2] : 0;
	if (skip_private(ctx, r))
		return 0;
	k->n += id >= 0 && (r->rec.out_len || plan->nargs == 1);
	return 1;
}

/* How much deeper in the stack we read this clock than the leader did, if that
 * can be said. */
static int64_t deeper(const struct ipmon_ctx *ctx,
		      const struct ipmon_reader *r,
		      const struct ipmon_plan *plan, int id)
{
	unsigned int i = lane_words(plan);

	if ((r->rec.flags & ~REC_TURN) != REC_LANE ||
	    r->rec.in_len != 8 * (i + 1) ||
	    clock_of(plan, first_words(ctx, r)[0]) != id)
		return 0;
	return clock_deeper(clock_depth(ctx), first_words(ctx, r)[i]);
}

/* ---- the call ---- */

/* Everything behind the comparison. */
static int take_over(struct follower *fo, unsigned int lane, int64_t *ret)
{
	uint64_t first = fo->plan->nargs ? fo->f->args[0] : 0;

	if (reader_outputs(&fo->r) || take_outputs(fo, lane))
		return -1;
	if ((fo->plan->flags & PLAN_CLOCK) && lane == LANE_OUT &&
	    fo->r.rec.out_len == 8 + sizeof(struct ipmon_time))
		remember(fo->ctx, fo->plan, first,
			 ring_at(fo->r.ring, fo->ctx->c.tail) + fo->r.pos -
			 sizeof(struct ipmon_time));
	return reader_finish(&fo->r, ret);
}

/* The leader is at a rendezvous.  Does it go on from there alone? */
static int ask(struct follower *fo)
{
	fo->diff = (struct ipmon_difference){ 0 };
	differ(fo, IPMON_DIV_ASK, -1, 0, 0, 0, NULL);
	return report_difference(fo, 0) == 0;
}

/* A call left to monitord says of its arguments only whether it is private. */
static int same_kind(const struct ipmon_record *rec, int private)
{
	return !(rec->flags & REC_FORWARD) ||
		!(rec->flags & REC_PRIVATE) == !private;
}

/*
 * Wait for the record of this call.  1: it is there; 0: *o is the answer.
 */
static int find_record(struct follower *fo, struct ipmon_outcome *o)
{
	struct ipmon_ctx *ctx = fo->ctx;
	const uint64_t *a = fo->f->args;
	int private = ipmon_private(fo->plan, a[1], a[2]);
	int64_t depth;
	enum next_status st;

	for (;;) {
		int may = ctx->solos < ipmon_solo_max(ctx);

		st = follower_next(ctx, &fo->r.rec, private && may ?
				   (uint32_t)fo->nr + 1 : 0);
		if (st == NEXT_RECORD && fo->r.rec.nr == fo->nr &&
		    same_kind(&fo->r.rec, private)) {
			depth = 0;
			if (may && (fo->plan->flags & PLAN_CLOCK))
				depth = deeper(ctx, &fo->r, fo->plan,
					       clock_of(fo->plan, a[0]));
			if (!depth)
				return 1;
			if (depth < 0 && !skip_private(ctx, &fo->r))
				continue;
		}
		/* a leader that arranges its memory or wakes a thread reads the
		 * clock next, most likely: then we all get the same time */
		if (private && may && st == NEXT_TRAPPED && ask(fo))
			continue;
		if (private && may && st == NEXT_RECORD &&
		    (fo->plan->flags & PLAN_CLOCK) &&
		    record_private(ctx, &fo->r) &&
		    (ipmon_plan(fo->r.rec.nr)->flags & PLAN_CLOCK ?
		     fo->r.rec.nr != fo->nr && skip_clock(ctx, &fo->r) :
		     !skip_private(ctx, &fo->r)))
			continue;
		if (private && may) {
			*o = alone(fo);
			return 0;
		}
		if (st == NEXT_RECORD && may && record_private(ctx, &fo->r)) {
			if (!skip_private(ctx, &fo->r))
				continue;
			st = NEXT_BAD;
		}
		fo->diff = (struct ipmon_difference){ 0 };
		differ(fo, IPMON_DIV_CALL, -1, 0, 0, 0,
		       st == NEXT_BAD ? "the leader wrote no valid record" :
		       st == NEXT_TRAPPED ?
		       "the leader is at a call that is not made in-process" :
		       NULL);
		if (report_difference(fo, st == NEXT_RECORD)) {
			*o = left();
			return 0;
		}
	}
}

static struct ipmon_outcome compared_call(struct ipmon_ctx *ctx,
					  struct ipmon_frame *f,
					  const struct ipmon_plan *plan)
{
	unsigned int lane = ipmon_lane(plan, f->args);
	struct packed_event ev = { 0, 0 };
	struct ipmon_outcome o;
	struct follower fo;
	uint64_t word = 0, start;
	int64_t ret = 0;
	int slot = 0;

	fo.ctx = ctx;
	fo.f = f;
	fo.plan = plan;
	fo.nr = (uint32_t)f->nr;
	if (plan->flags & PLAN_EPOLL_CTL) {
		word = epoll_ctl_word(f->args, &ev);
		slot = epoll_slot(ctx, f->args);
		if (slot < 0) {
			common_call(ctx, plan);
			follower_left(ctx, fo.nr);
			return left();
		}
	}
	for (;;) {
		reader_init(&fo.r, ctx);
		fo.diff = (struct ipmon_difference){ 0 };
		fo.answered = 0;
		fo.n_out = 0;
		if (!find_record(&fo, &o))
			return o;
		turn_follow(ctx, &fo.r.rec);
		if (fo.r.rec.flags & REC_FORWARD)
			goto forward;
		reader_begin(&fo.r);
		start = ctx->c.tail;
		if (!compare_inputs(&fo, lane, word) &&
		    !take_over(&fo, lane, &ret))
			break;
		if (fo.r.status == READER_FORWARD)
			goto forward;
		/* two private calls of a kind that are not the same */
		if (ctx->c.tail == start && ctx->solos < ipmon_solo_max(ctx)) {
			/* of another clock: ours may be the next */
			if (plan->flags & PLAN_CLOCK &&
			    record_private(ctx, &fo.r) &&
			    skip_clock(ctx, &fo.r))
				continue;
			if (ipmon_private(plan, f->args[1], f->args[2]))
				return alone(&fo);
			if (record_private(ctx, &fo.r) &&
			    !skip_private(ctx, &fo.r))
				continue;
		}
		if (!fo.diff.kind)
			differ(&fo, IPMON_DIV_CALL, -1, 0, 0, 0,
			       "the leader wrote no valid record");
		if (!fo.answered)
			fo.answer = report_difference(&fo, 1);
		/* a call that is partly consumed cannot be looked at again */
		if (fo.answer || ctx->c.tail != start)
			return left();
	}
	ctx->after = (fo.r.rec.flags & REC_AFTER) != 0;
	common_call(ctx, plan);
	if (plan->flags & PLAN_FUTEX)
		ret = ipmon_futex_result(f->args, ret);
	if ((plan->flags & PLAN_EPOLL_CTL) && !ret)
		epoll_commit(ctx, f->args, slot, ev.data);
	return handled(ret);
forward:
	common_call(ctx, plan);
	ctx->n_forwarded++;
	ring_consume(fo.r.cur, &ctx->c, fo.r.rec.size);
	follower_consumed(ctx, fo.r.rec.flags);
	return left();
}

/*
 * The most frequent shapes, one record without streaming: registers, and a span
 * out or in.  Anything unexpected: 0, nothing has been consumed, compared_call()
 * looks at it again.
 */
static int quick_call(struct ipmon_ctx *ctx, struct ipmon_frame *f,
		      const struct ipmon_plan *plan, unsigned int lane,
		      int64_t *ret)
{
	struct ipmon_cursor *cur = &ctx_cursors(ctx)[ctx->variant];
	unsigned int words = lane_words(plan), i;
	const struct ipmon_ring *r = ctx_ring(ctx);
	struct ipmon_record rec;
	const uint64_t *at;
	uint64_t head, n;
	uint32_t in = 8 * words;

	if (ring_next(r, cur, &ctx->c, &rec) != RING_RECORD ||
	    rec.nr != (uint32_t)f->nr || rec.flags != REC_LANE)
		return 0;
	at = (const void *)(ring_at(r, ctx->c.tail) + RING_HEADER);
	if (rec.in_len < in)
		return 0;
	for (i = 0; i < plan->nargs; i++)
		if (__atomic_load_n(&at[i], __ATOMIC_RELAXED) !=
		    (f->args[i] & plan->mask[i]))
			return 0;
	if (words && __atomic_load_n(&at[i], __ATOMIC_RELAXED) !=
	    lane_nulls(plan, f->args))
		return 0;
	at += words;
	if (lane != LANE_SCALAR && f->args[plan->mem]) {
		void *mem = (void *)(uintptr_t)f->args[plan->mem];

		n = ipmon_plan_len(plan, f->args);
		if ((lane == LANE_IN ? rec.in_len - in : rec.out_len) < 8)
			return 0;
		head = __atomic_load_n(at++, __ATOMIC_RELAXED);
		if (lane == LANE_IN) {
			if (head != n || rec.in_len - in != 8 + ((n + 7) & ~7ull) ||
			    rec.out_len || ipmon_equal(mem, at, n).n != n)
				return 0;
		} else {
			if (head > n || rec.in_len != in ||
			    rec.out_len != 8 + ((head + 7) & ~7ull) ||
			    (head && ipmon_copy(mem, at, head)))
				return 0;
		}
	} else if (rec.in_len != in || rec.out_len) {
		return 0;
	}
	*ret = rec.ret;
	ring_consume(cur, &ctx->c, rec.size);
	follower_consumed(ctx, rec.flags);
	return 1;
}

/* The same for a clock that both read at the same depth of the stack. */
static int quick_clock(struct ipmon_ctx *ctx, struct ipmon_frame *f,
		       const struct ipmon_plan *plan, int64_t *ret)
{
	struct ipmon_cursor *cur = &ctx_cursors(ctx)[ctx->variant];
	unsigned int words = lane_words(plan), i;
	const struct ipmon_ring *r = ctx_ring(ctx);
	void *mem = (void *)(uintptr_t)f->args[plan->mem];
	uint64_t t[2], len = plan->len_fixed;
	struct ipmon_record rec;
	const uint64_t *at;
	int64_t deep;

	if (ring_next(r, cur, &ctx->c, &rec) != RING_RECORD ||
	    rec.nr != (uint32_t)f->nr || rec.flags != REC_LANE ||
	    rec.in_len != 8 * (words + 1) || len > sizeof(t) ||
	    rec.out_len != (mem ? 8 + len : 0))
		return 0;
	at = (const void *)(ring_at(r, ctx->c.tail) + RING_HEADER);
	for (i = 0; i < plan->nargs; i++)
		if (__atomic_load_n(&at[i], __ATOMIC_RELAXED) !=
		    (f->args[i] & plan->mask[i]))
			return 0;
	if (__atomic_load_n(&at[i++], __ATOMIC_RELAXED) !=
	    lane_nulls(plan, f->args))
		return 0;
	deep = (int64_t)(clock_depth(ctx) -
			 __atomic_load_n(&at[i++], __ATOMIC_RELAXED));
	if (deep >= CLOCK_SAME_DEPTH || -deep >= CLOCK_SAME_DEPTH)
		return 0;
	if (mem) {
		if (__atomic_load_n(&at[i++], __ATOMIC_RELAXED) != len)
			return 0;
		t[0] = __atomic_load_n(&at[i], __ATOMIC_RELAXED);
		t[1] = len > 8 ? __atomic_load_n(&at[i + 1], __ATOMIC_RELAXED) :
			0;
		if (ipmon_copy(mem, t, len))
			return 0;
		remember(ctx, plan, f->args[0], t);
	}
	*ret = rec.ret;
	ring_consume(cur, &ctx->c, rec.size);
	follower_consumed(ctx, rec.flags);
	return 1;
}

struct ipmon_outcome follower_call(struct ipmon_ctx *ctx,
				   struct ipmon_frame *f,
				   const struct ipmon_plan *plan)
{
	unsigned int lane = ipmon_lane(plan, f->args);
	int64_t ret;

	if (plan->flags & PLAN_CLOCK && lane == LANE_OUT && ctx->solos &&
	    told_before(ctx, f, plan, &ret))
		return handled(ret);
	if (plan->flags & PLAN_CLOCK && lane == LANE_OUT &&
	    quick_clock(ctx, f, plan, &ret))
		return handled(ret);
	if (lane != LANE_WALK && lane != LANE_INOUT && !plan->paths &&
	    !(plan->flags & (PLAN_EPOLL_CTL | PLAN_EPOLL_WAIT | PLAN_CLOCK)) &&
	    quick_call(ctx, f, plan, lane, &ret)) {
		common_call(ctx, plan);
		if (plan->flags & PLAN_FUTEX)
			ret = ipmon_futex_result(f->args, ret);
		return handled(ret);
	}
	return compared_call(ctx, f, plan);
}
