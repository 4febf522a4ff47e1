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
 * Calls that a variant makes without the others: private.c.
 */
#include "core/clock.h"

#include "memcalls.h"
#include "private.h"
#include "turn.h"

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

void follower_reader(struct ipmon_reader *r, struct ipmon_ctx *ctx)
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

/* ---- the call ---- */

/* Everything behind the comparison. */
static int take_over(struct follower *fo, unsigned int lane, int64_t *ret)
{
	uint64_t first = fo->plan->nargs ? fo->f->args[0] : 0;

	if (reader_outputs(&fo->r) || take_outputs(fo, lane))
		return -1;
	if ((fo->plan->flags & PLAN_CLOCK) && lane == LANE_OUT &&
	    fo->r.rec.out_len == 8 + sizeof(struct ipmon_time))
		clock_told(fo->ctx, fo->plan, first, (const void *)
			   (ring_at(fo->r.ring, fo->ctx->c.tail) + fo->r.pos -
			    sizeof(struct ipmon_time)));
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
		    !(fo->r.rec.flags & REC_WORD) && same_kind(&fo->r.rec, private)) {
			depth = 0;
			if (may && (fo->plan->flags & PLAN_CLOCK))
				depth = clock_deeper_than(ctx, &fo->r, a[0]);
			if (!depth)
				return 1;
			if (depth < 0 && !private_skip(ctx, &fo->r))
				continue;
		}
		/* a leader that arranges its memory or wakes a thread reads the
		 * clock next, most likely: then we all get the same time */
		if (private && may && st == NEXT_TRAPPED && ask(fo))
			continue;
		if (private && may && st == NEXT_RECORD &&
		    (fo->plan->flags & PLAN_CLOCK) &&
		    private_record(ctx, &fo->r) &&
		    (ipmon_plan(fo->r.rec.nr)->flags & PLAN_CLOCK ?
		     fo->r.rec.nr != fo->nr && clock_skip(ctx, &fo->r) :
		     !private_skip(ctx, &fo->r)))
			continue;
		if (private && may) {
			*o = private_alone(fo);
			return 0;
		}
		if (st == NEXT_RECORD && may && private_record(ctx, &fo->r)) {
			if (!private_skip(ctx, &fo->r))
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
	ctx->word_at = plan->flags & PLAN_FUTEX && futex_pi(f->args) ?
		f->args[0] : 0;
	for (;;) {
		follower_reader(&fo.r, ctx);
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
		if (clock_is_short(&fo.r.rec) ? !clock_take(&fo, &ret) :
		    !compare_inputs(&fo, lane, word) &&
		    !take_over(&fo, lane, &ret))
			break;
		if (fo.r.status == READER_FORWARD)
			goto forward;
		/* two private calls of a kind that are not the same */
		if (ctx->c.tail == start && ctx->solos < ipmon_solo_max(ctx)) {
			/* of another clock: ours may be the next */
			if (plan->flags & PLAN_CLOCK &&
			    private_record(ctx, &fo.r) &&
			    clock_skip(ctx, &fo.r))
				continue;
			if (ipmon_private(plan, f->args[1], f->args[2]))
				return private_alone(&fo);
			if (private_record(ctx, &fo.r) &&
			    !private_skip(ctx, &fo.r))
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

struct ipmon_outcome follower_call(struct ipmon_ctx *ctx,
				   struct ipmon_frame *f,
				   const struct ipmon_plan *plan)
{
	unsigned int lane = ipmon_lane(plan, f->args);
	int64_t ret;

	if (plan->flags & PLAN_CLOCK && lane == LANE_OUT && ctx->solos &&
	    clock_told_before(ctx, f, plan, &ret))
		return handled(ret);
	if (plan->flags & PLAN_CLOCK && lane == LANE_OUT &&
	    clock_quick(ctx, f, plan, &ret))
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

struct ipmon_outcome follower_instruction(struct ipmon_ctx *ctx,
					  struct ipmon_frame *f)
{
	const struct ipmon_plan *plan = ipmon_plan(f->nr);
	struct ipmon_outcome o;
	struct follower fo;

	fo.ctx = ctx;
	fo.f = f;
	fo.plan = plan;
	fo.nr = f->nr;
	fo.answered = 0;
	fo.n_out = 0;
	ctx->word_at = 0;
	follower_reader(&fo.r, ctx);
	if (!find_record(&fo, &o))
		return o;
	turn_follow(ctx, &fo.r.rec);
	common_call(ctx, plan);
	ring_consume(fo.r.cur, &ctx->c, fo.r.rec.size);
	follower_consumed(ctx, fo.r.rec.flags);
	if (!(fo.r.rec.flags & REC_FORWARD))
		return handled(fo.r.rec.ret);
	ctx->n_forwarded++;
	return left();
}
