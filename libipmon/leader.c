// SPDX-License-Identifier: Apache-2.0
/*
 * The leader: makes the call, and tells the followers what it asked for and
 * what came of it.
 *
 * Theory of operation
 * -------------------
 *	relaxed	 [inputs that are in memory] call  inputs result outputs, publish
 *	verified inputs, publish, wait for the followers, call  result outputs
 *
 * Inputs in memory are put into the ring (not yet published) before the call,
 * because the call may change them; registers cannot change and come after it.
 * Publishing a piece before the call is harmless: followers compare it early.  It is
 * necessary where others may run meanwhile who share the memory (turn.c): theirs come
 * behind what has been published, and may change it.
 *
 * The call is left to monitord (REC_FORWARD, the followers do the same) when the
 * gate says IPMON_KICKED, when the walker does not know the command, when there
 * are more outputs than we keep track of, when the gate does not open a file.
 *
 * Outputs are read from our own memory after the call, by the rules of items.h:
 * the leader's memory is what counts, followers get what is in it.
 */
#include <ipmon/gate_rules.h>

#include "broker.h"
#include "hold.h"
#include "leader.h"
#include "more.h"
#include "pi.h"
#include "turn.h"

#define NR_CLOSE	3
#define NR_DUP2		33
#define NR_SETSOCKOPT	54
#define NR_DUP3		292

#define FUTEX_ITEMS	128u	/* bytes: what a walk of futex makes at most */
#define OUTS_MAX	1024u
/* Spans of at most this many bytes are written in one go. */
#define SMALL		4096u

/* ---- plumbing ---- */

/* The ring is full: let the slowest follower get well ahead before we go on, or
 * we would wake each other at every record. */
void leader_room(void *p, uint64_t pos)
{
	struct ipmon_ctx *ctx = p;
	uint64_t more = pos + ctx_capacity(ctx) / 4;

	leader_wait(ctx, (int64_t)(more - ctx->p.head) > 0 ? ctx->p.head :
		    more);
}

static void writer_init(struct ipmon_writer *w, struct ipmon_ctx *ctx,
			uint64_t nr, unsigned int flags)
{
	w->ring = ctx_ring(ctx);
	w->cur = ctx_cursors(ctx);
	w->mask = &ctx->followers;
	w->p = &ctx->p;
	w->capacity = ctx_capacity(ctx);
	w->wait = leader_room;
	w->ctx = ctx;
	w->rec = NULL;
	w->pos = w->cap = w->in_len = 0;
	w->nr = (uint16_t)nr;
	w->flags = (uint16_t)flags;
	w->outputs = 0;
}

static struct ipmon_outcome announce(struct ipmon_ctx *ctx, uint64_t nr,
				     unsigned int flags)
{
	struct ipmon_writer w;

	ctx->n_forwarded++;
	COUNT(ctx, nr, forwarded);
	ctx->turn_since = 0;
	hold_drain(ctx);
	if (ctx->followers) {
		writer_init(&w, ctx, nr, 0);
		writer_finish(&w, REC_FORWARD | flags, 0);
	}
	return left();
}

static struct ipmon_outcome forward(struct ipmon_ctx *ctx,
				    const struct ipmon_plan *plan,
				    const struct ipmon_frame *f)
{
	return announce(ctx, (uint32_t)f->nr,
			ipmon_private(plan, f->args[1], f->args[2]) ?
			REC_PRIVATE : 0);
}

/*
 * Something is held: what others did with the turn would come before it.  The call
 * comes back at once, but for a FIFO that is opened, and monitord looks after that
 * (fast_flush_tick()).
 */
static inline int keep_turn(const struct ipmon_ctx *ctx)
{
	return ctx->turn && hold_any(ctx);
}

/*
 * The program's call.  IPMON_KICKED: it is to be left to monitord.
 *
 * Whether a wait for events is going to be one is tried first: a busy server
 * finds some, and need not wake its followers.
 */
static int64_t make_call(struct ipmon_ctx *ctx, const struct ipmon_plan *plan,
			 const struct ipmon_call *call)
{
	unsigned int block = plan->flags & (PLAN_BLOCK | PLAN_TRANSFER);
	int64_t ret;
	int stay;

	if (plan->flags & PLAN_FUTEX && !futex_waits(call->args))
		return ctx->gives ? turn_wake(ctx, call) :
			ipmon_gate_call(call);
	/* in a private call followers do not rest: nor can we be waited for */
	if (!block || ipmon_private(plan, call->args[1], call->args[2]))
		return ipmon_gate_call(call);
	if (plan->flags & PLAN_TRY) {
		struct ipmon_call try = *call;

		try.args[plan->flag_arg] = 0;
		before_block(ctx, PLAN_TRANSFER);
		ret = ipmon_gate_call(&try);
		if (ret)
			return ret;
		/* what is waited for may be what is held */
		if (hold_any(ctx))
			hold_drain(ctx);
		else if (!(uint32_t)call->args[plan->flag_arg])
			return 0;
		if (ctx->hold)
			hold_turn_over(ctx);
	} else if (hold_any(ctx) && hold_try(ctx, call, &ret)) {
		return ret;
	}
	before_block(ctx, block);
	if (ctx->foretold && more_call(ctx, call, &ret))
		return ret;
	stay = keep_turn(ctx);
	if (!stay)
		turn_leave(ctx, block);
	ret = whole_call(ctx, call);
	if (!stay)
		turn_back(ctx);
	after_block(ctx, block);
	if (hold_ends(ctx))
		ret = hold_fd_result(ctx, call, ret);
	return ret;
}

#define NR_OPENAT2	437

/* What opening by the name alone would have failed with as well. */
static int definite(int64_t ret)
{
	return ret == -ENOENT_ || ret == -ENOTDIR_ || ret == -EACCES_ ||
		ret == -ENAMETOOLONG_ || ret == -EFAULT_;
}

/*
 * Open a file, for reading: ipmon_open_row() says how.  1: it is monitord's, for
 * it is on another file system (hence every file of /proc), or the kernel is an
 * old one; the attempt has had no effect.
 */
static int open_call(struct ipmon_ctx *ctx, const struct ipmon_plan *plan,
		     const struct ipmon_call *call, int64_t *ret)
{
	unsigned int i = (unsigned int)__builtin_ctz(plan->paths);
	int how = ipmon_how_index((uint32_t)call->args[plan->flag_arg]);
	int stay = keep_turn(ctx);
	struct ipmon_call try = { NR_OPENAT2, {
		IPMON_HOW_NOWHERE, call->args[i],
		ctx->gate + IPMON_HOW_OFFSET + (uint32_t)how * IPMON_HOW_STRIDE,
		IPMON_HOW_SIZE,
	} };

	if (!stay)
		turn_leave(ctx, PLAN_TRANSFER);
	*ret = ipmon_gate_call(&try);
	if (hold_ends(ctx))
		*ret = hold_fd_result(ctx, &try, *ret);
	if (!stay)
		turn_back(ctx);
	return *ret < 0 && *ret != IPMON_KICKED && !definite(*ret);
}

/* ---- lanes ---- */

/* Bytes of the output span of a lane. */
static uint64_t lane_out(const struct ipmon_plan *plan,
			 const uint64_t args[6], int64_t ret)
{
	const struct ipmon_item item = {
		.type = IT_OUT, .rule = plan->rule,
		.len = (uint32_t)ipmon_plan_len(plan, args),
	};
	uint64_t none = 0, n;

	if (ret != -EFAULT_)
		return ipmon_actual(&item, ret, 0, &none);
	/* what the kernel filled before it met a bad page in the buffer */
	n = mem_readable(args[plan->mem], item.len);
	return n == item.len ? 0 : n;
}

/*
 * A signal has come during the call: monitord delivers it before the call returns
 * (broker.c).  Not if the followers need not have made this call at all.
 */
static unsigned int signal_follows(struct ipmon_ctx *ctx,
				   const struct ipmon_plan *plan,
				   const struct ipmon_frame *f)
{
	if (!ctx->pending || ipmon_private(plan, f->args[1], f->args[2]))
		return 0;
	ctx->after = 1;
	return REC_AFTER;
}

void leader_yields(struct ipmon_ctx *ctx, uint64_t nr, unsigned int flags,
		   uint32_t word)
{
	small_header(ctx, small_record(ctx, RING_HEADER), RING_HEADER, nr,
		     REC_YIELD | flags, word, 0, 0);
}

/* 8 + n bytes of span at `at`; returns the length of the chunk. */
static uint32_t small_span(unsigned char *at, uint64_t addr, uint32_t n)
{
	size_t not = ipmon_copy(at + 8, (const void *)(uintptr_t)addr, n);

	n -= (uint32_t)not;
	*(uint64_t *)(void *)at = n | (not ? (uint64_t)CHUNK_FAULT << 32 : 0);
	return 8 + ring_align(n);
}

/* A call that may sleep, with nobody who would want the turn meanwhile. */
static inline int64_t quick_make(struct ipmon_ctx *ctx, const struct ipmon_plan *plan,
				 const struct ipmon_call *call)
{
	unsigned int block = plan->flags & (PLAN_BLOCK | PLAN_TRANSFER);
	int64_t ret;

	if (!block)
		return ipmon_gate_call(call);
	before_block(ctx, block);
	ret = ipmon_gate_call(call);
	/* all that was asked for: nor was it cut short */
	if (ret > 0 && (plan->lane == LANE_SCALAR ||
			(uint64_t)ret != ipmon_plan_len(plan, call->args)))
		ret = whole_rest(ctx, call, ret);
	if (block & PLAN_BLOCK)
		after_block(ctx, block);
	return ret;
}

enum way { WAY_COMMON, WAY_QUICK };

/* LANE_SCALAR, LANE_OUT; or nobody need be told. */
static inline __attribute__((always_inline)) struct ipmon_outcome
lane_after(struct ipmon_ctx *ctx, struct ipmon_frame *f, const struct ipmon_plan *plan,
	   unsigned int lane, uint64_t nr, enum way way)
{
	int64_t ret = way == WAY_QUICK ? quick_make(ctx, plan, &f->call) :
		make_call(ctx, plan, &f->call);
	uint32_t in = words_len(plan), out = 0;
	unsigned char *at;
	uint64_t n = 0;
	int has_span = lane == LANE_OUT && f->args[plan->mem];
	unsigned int after;

	if (ret == IPMON_KICKED)
		return forward(ctx, plan, f);
	after = signal_follows(ctx, plan, f);
	if (!ctx->followers)
		return handled(ret);
	if (has_span)
		n = lane_out(plan, f->args, ret);
	if (n > SMALL) {
		struct ipmon_writer w;

		writer_init(&w, ctx, nr, REC_LANE);
		put_words(ctx, writer_room(&w, in), plan, f->args);
		writer_outputs(&w);
		writer_span(&w, f->args[plan->mem], n);
		writer_finish(&w, after, ret);
		published(ctx);
		return handled(ret);
	}
	at = small_record(ctx, RING_HEADER + in +
			  (has_span ? 8 + ring_align((uint32_t)n) : 0));
	if (in)
		put_words(ctx, at + RING_HEADER, plan, f->args);
	if (has_span)
		out = small_span(at + RING_HEADER + in, f->args[plan->mem],
				 (uint32_t)n);
	small_header(ctx, at, RING_HEADER + in + out, nr, REC_LANE | after,
		     ret, in, out);
	return handled(ret);
}

struct ipmon_outcome leader_forward(struct ipmon_ctx *ctx, uint64_t nr)
{
	const struct ipmon_plan *plan = ipmon_plan(nr);

	common_call(ctx, plan);
	return announce(ctx, nr, plan->flags & PLAN_MAYBE_PRIVATE ?
			REC_PRIVATE : 0);
}

void leader_tell(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		 const struct ipmon_plan *plan, int64_t ret)
{
	uint32_t in = words_len(plan);
	unsigned char *at;

	if (!ctx->followers)
		return;
	at = small_record(ctx, RING_HEADER + in);
	put_words(ctx, at + RING_HEADER, plan, f->args);
	small_header(ctx, at, RING_HEADER + in, (uint32_t)f->nr, REC_LANE, ret,
		     in, 0);
}

/* LANE_IN, a small span: into the ring first, then the call. */
static inline __attribute__((always_inline)) struct ipmon_outcome
lane_before(struct ipmon_ctx *ctx, struct ipmon_frame *f, const struct ipmon_plan *plan,
	    uint64_t nr, uint32_t n, enum way way)
{
	uint32_t in = words_len(plan);
	unsigned char *at = small_record(ctx, RING_HEADER + in + 8 +
					 ring_align(n));
	int64_t ret;

	put_words(ctx, at + RING_HEADER, plan, f->args);
	in += small_span(at + RING_HEADER + in, f->args[plan->mem], n);
	ret = way == WAY_QUICK ? quick_make(ctx, plan, &f->call) :
		make_call(ctx, plan, &f->call);
	if (ret == IPMON_KICKED)
		return forward(ctx, plan, f);
	small_header(ctx, at, RING_HEADER + in, nr, REC_LANE |
		     signal_follows(ctx, plan, f), ret, in, 0);
	return handled(ret);
}

/* ---- everything else ---- */

struct out {
	uint64_t addr, aux, value;
	uint32_t len;
	uint8_t rule, group;
};

struct walk_out {
	struct ipmon_writer *w;
	unsigned int n;
	struct out out[OUTS_MAX];
};

static int emit(void *ctx, const struct ipmon_item *it)
{
	struct walk_out *wo = ctx;
	struct out *o;

	writer_word(wo->w, stream_item(it->type, it->arg, it->rule, it->len));
	switch (it->type) {
	case IT_SCALAR:
		writer_word(wo->w, it->value);
		break;
	case IT_IN:
	case IT_STR:
		writer_span(wo->w, it->addr, it->len);
		break;
	case IT_OUT:
		if (wo->n == OUTS_MAX)
			return -1;
		o = &wo->out[wo->n++];
		o->addr = it->addr;
		o->aux = it->aux;
		o->value = it->value;
		o->len = it->len;
		o->rule = it->rule;
		o->group = it->group;
		break;
	default:
		break;
	}
	return 0;
}

static void put_outputs(struct walk_out *wo, int64_t ret)
{
	unsigned int group = 0, i;
	uint64_t vec_left = 0;

	for (i = 0; i < wo->n; i++) {
		const struct out *o = &wo->out[i];
		const struct ipmon_item item = {
			.type = IT_OUT, .rule = o->rule, .group = o->group,
			.len = o->len, .value = o->value,
		};
		unsigned int size = ipmon_rule_word(o->rule);
		int vec = o->rule == R_VEC || o->rule == R_VEC_U32;
		uint64_t word = 0, n;
		struct ipmon_item it = item;

		it.aux = o->rule == R_RETMUL ? o->aux : 0;
		if (size && o->aux && mem_get(&word, o->aux, size))
			word = 0;
		if (vec && o->group != group) {
			group = o->group;
			vec_left = ipmon_vec_total(&it, ret, word);
		} else if (!vec) {
			group = 0;
		}
		n = ipmon_actual(&it, ret, word, &vec_left);
		if (ret == -EFAULT_)
			n = mem_faulted(o->addr, o->len);
		writer_span(wo->w, o->addr, n);
	}
}

/* Inputs of any call. 0, or -1: monitord shall do it. */
static int put_inputs(const struct ipmon_ctx *ctx, struct ipmon_writer *w,
		      struct walk_out *wo,
		      const struct ipmon_frame *f,
		      const struct ipmon_plan *plan, unsigned int lane,
		      uint64_t word)
{
	uint32_t in = words_len(plan);
	unsigned int paths, i;
	struct ipmon_walk walk;
	uint64_t n;

	if (lane == LANE_WALK) {
		walk_init(&walk, w->nr, f->args);
		walk.emit = emit;
		walk.ctx = wo;
		if (ipmon_walk(&walk))
			return -1;
		writer_word(w, STREAM_END);
		return 0;
	}
	if (in)
		put_words(ctx, writer_room(w, in), plan, f->args);
	if (plan->flags & PLAN_EPOLL_CTL)
		writer_word(w, word);
	for (i = 0, paths = plan->paths; paths; i++, paths >>= 1) {
		if (!(paths & 1) || !f->args[i])
			continue;
		n = path_len(f->args[i]);
		writer_word(w, n);
		if (n != ~0ull)
			writer_span(w, f->args[i], n);
	}
	if (lane_has_in(lane) && f->args[plan->mem])
		writer_span(w, f->args[plan->mem],
			    ipmon_plan_len(plan, f->args));
	return 0;
}

/* Siblings may have the turn during this call, and change what it asked with. */
static int inputs_go_first(const struct ipmon_ctx *ctx,
			   const struct ipmon_plan *plan, unsigned int lane)
{
	return ctx->turn && (lane == LANE_WALK || lane_has_in(lane) || plan->paths) &&
		plan->flags & (PLAN_BLOCK | PLAN_TRANSFER | PLAN_OPEN) &&
		!(plan->flags & PLAN_FUTEX);
}

static struct ipmon_outcome general_call(struct ipmon_ctx *ctx,
					 struct ipmon_frame *f,
					 const struct ipmon_plan *plan,
					 unsigned int lane, int verified)
{
	uint64_t nr = (uint32_t)f->nr, word = 0;
	struct ipmon_call call = f->call;
	struct packed_event ev = { 0, 0 }, tagged;
	int slot = 0, tell = ctx->followers != 0, tries = 0;
	unsigned int after;
	struct ipmon_writer w;
	struct walk_out wo;
	int64_t ret, pi = 0;
	int is_pi = plan->flags & PLAN_FUTEX && futex_pi(f->args);

	/* no memory says what it asks for: the record can come after it */
	if (is_pi) {
		pi = verified ? IPMON_KICKED : pi_call(ctx, &call);
		if (pi == IPMON_KICKED)
			return forward(ctx, plan, f);
	}
	if (plan->flags & PLAN_EPOLL_CTL) {
		word = epoll_ctl_word(f->args, &ev);
		slot = epoll_slot(ctx, f->args);
		if (slot < 0)
			return left();
		if (hold_ends(ctx))
			hold_register(ctx, slot);
		if ((int32_t)f->args[1] != EPOLL_CTL_DEL_ && !(word >> 32)) {
			tagged.events = ev.events;
			tagged.data = epoll_tag(ctx_epoll(ctx), slot);
			call.args[3] = (uint64_t)(uintptr_t)&tagged;
		}
	}
	if (tell) {
		writer_init(&w, ctx, nr, lane == LANE_WALK ? 0 : REC_LANE);
		wo.w = &w;
		wo.n = 0;
		/* whether it is private is seen in the first record */
		if (plan->flags & PLAN_FUTEX)
			writer_begin(&w, FUTEX_ITEMS);
		if (put_inputs(ctx, &w, &wo, f, plan, lane, word))
			return forward(ctx, plan, f);
		if (verified || inputs_go_first(ctx, plan, lane))
			writer_flush(&w, REC_INPUTS | REC_MORE, 0);
		if (verified) {
			leader_wait(ctx, ctx->p.head);
			ctx->n_verified++;
			COUNT(ctx, nr, verified);
		}
	}
	/* what is held comes before; the followers have agreed to that as well */
	if (verified)
		hold_drain(ctx);
	do {
		if (is_pi)
			ret = pi;
		else if (!(plan->flags & PLAN_OPEN))
			ret = make_call(ctx, plan, &call);
		else if (open_call(ctx, plan, &call, &ret))
			return forward(ctx, plan, f);
		if (ret == IPMON_KICKED)
			return forward(ctx, plan, f);
		if (!(plan->flags & PLAN_EPOLL_WAIT) || ret <= 0)
			break;
		ret = known_events(ctx, f->args[1], ret);
		/* nothing but unknown ones: as if nothing had happened, but not
		 * for ever */
		if (!ret) {
			hold_drain(ctx);
			if (++tries == 8)
				ret = -EINTR_;
		}
	} while (!ret);
	after = signal_follows(ctx, plan, f);
	if (tell) {
		writer_outputs(&w);
		if (plan->flags & PLAN_EPOLL_WAIT)
			writer_span(&w, f->args[1], ret > 0 ? (uint64_t)ret *
				    sizeof(struct packed_event) : 0);
		else if (lane == LANE_WALK)
			put_outputs(&wo, ret);
		else if (lane_has_out(lane) && f->args[plan->mem])
			writer_span(&w, f->args[plan->mem],
				    lane_out(plan, f->args, ret));
		writer_finish(&w, after, ret);
		published(ctx);
	}
	if ((plan->flags & PLAN_EPOLL_WAIT) && ret > 0)
		own_events(ctx, f->args[1], ret);
	if ((plan->flags & PLAN_EPOLL_CTL) && !ret) {
		epoll_commit(ctx, f->args, slot, ev.data);
		if (hold_ends(ctx))
			hold_registered(ctx, slot);
	}
	return handled(ret);
}

/* An output that need not wait here: hold.c. 1: *ret is the answer. */
static int held_call(struct ipmon_ctx *ctx, struct ipmon_frame *f,
		     const struct ipmon_plan *plan, unsigned int lane,
		     int64_t *ret)
{
	struct hold_output o;
	struct ipmon_writer w;
	struct walk_out wo;

	if (!hold_begin(ctx, f, &o))
		return 0;
	writer_init(&w, ctx, o.frame.nr, lane == LANE_WALK ? 0 : REC_LANE);
	wo.w = &w;
	wo.n = 0;
	/* cannot fail: all that is walked has been copied */
	put_inputs(ctx, &w, &wo, &o.frame, plan, lane, 0);
	hold_taken(&o);
	writer_outputs(&w);
	if (lane == LANE_WALK)
		put_outputs(&wo, o.ret);
	else if (lane_has_out(lane) && o.frame.args[plan->mem])
		writer_span(&w, o.frame.args[plan->mem],
			    lane_out(plan, o.frame.args, o.ret));
	writer_finish(&w, 0, o.ret);
	published(ctx);
	hold_commit(ctx);
	COUNT(ctx, (uint32_t)f->nr, held);
	*ret = o.ret;
	return 1;
}

/* Not held: by the shortest way. */
static struct ipmon_outcome made_call(struct ipmon_ctx *ctx,
				      struct ipmon_frame *f,
				      const struct ipmon_plan *plan,
				      unsigned int lane, int verified)
{
	uint64_t nr = (uint32_t)f->nr, n;

	if (!verified && !plan->paths &&
	    !(plan->flags & (PLAN_EPOLL_CTL | PLAN_EPOLL_WAIT))) {
		if (lane == LANE_SCALAR || lane == LANE_OUT)
			return lane_after(ctx, f, plan, lane, nr, WAY_COMMON);
		if (lane == LANE_IN && ctx->followers && f->args[plan->mem] &&
		    !inputs_go_first(ctx, plan, lane)) {
			n = ipmon_plan_len(plan, f->args);
			if (n <= SMALL)
				return lane_before(ctx, f, plan, nr,
						   (uint32_t)n, WAY_COMMON);
		}
	}
	return general_call(ctx, f, plan, lane, verified);
}

/* A common call: not a clock's. */
static struct ipmon_outcome common(struct ipmon_ctx *ctx, struct ipmon_frame *f,
				   const struct ipmon_plan *plan,
				   unsigned int lane, int verified)
{
	uint64_t nr = (uint32_t)f->nr;
	struct ipmon_outcome o;
	enum hold_end end;
	int64_t ret;

	if (hold_any(ctx))
		hold_before(ctx, plan, nr, f->args);
	if (plan->flags & PLAN_FUTEX && !futex_pi(f->args))
		turn_futex(ctx, nr, f->args[0],
			   futex_waits(f->args) ? FUTEX_WAITS :
			   ipmon_private(plan, f->args[1], f->args[2]) ?
			   FUTEX_WAKES_PRIVATE : FUTEX_WAKES);
	/* nobody to wait for, nor to ask whether there is */
	if (!ctx->followers)
		verified = 0;
	/* it closes what others can see the end of */
	else if ((nr == NR_DUP2 || nr == NR_DUP3) && ctx->hold &&
	    hold_close_waits(f->args[1]))
		verified = 1;
	if (verified && ctx->hold) {
		if ((hold_kind(nr) || nr == NR_SETSOCKOPT) &&
		    held_call(ctx, f, plan, lane, &ret))
			return handled(ret);
		end = hold_end(ctx, nr, f->args);
		if (end == END_HELD) {
			leader_tell(ctx, f, plan, 0);
			hold_commit(ctx);
			return handled(0);
		}
		/* the end of a file that is only this process's affair */
		verified = end == END_WAITS;
	}
	if (verified || !hold_kind(nr))
		return made_call(ctx, f, plan, lane, verified);
	ctx->foretold = (uint32_t)more_output(ctx, f);
	/* this one takes along what waits, if it must sleep for that */
	if (ctx->more && !ctx->foretold)
		__atomic_store_n(&ctx_ring(ctx)->held, 0, __ATOMIC_RELEASE);
	o = made_call(ctx, f, plan, lane, 0);
	ctx->foretold = 0;
	if (ctx->more)
		more_made(ctx, f, &o);
	return o;
}

struct ipmon_outcome leader_call(struct ipmon_ctx *ctx, struct ipmon_frame *f,
				 const struct ipmon_plan *plan, int verified)
{
	unsigned int lane = ipmon_lane(plan, f->args);
	uint64_t nr = (uint32_t)f->nr;
	struct ipmon_outcome o;
	int64_t ret;

	if (plan->flags & PLAN_CLOCK && lane == LANE_OUT &&
	    leader_clock(ctx, f, plan, nr, &ret))
		return handled(ret);
	common_call(ctx, plan);
	if (!ctx->hold || !hold_forget(ctx, nr, f->args))
		return common(ctx, f, plan, lane, verified);
	o = common(ctx, f, plan, lane, verified);
	hold_forget(ctx, nr, f->args);
	return o;
}

/* LANE_IN. */
static __attribute__((noinline)) struct ipmon_outcome
quick_before(struct ipmon_ctx *ctx, struct ipmon_frame *f, const struct ipmon_plan *plan)
{
	uint64_t n = f->args[plan->mem] ? ipmon_plan_len(plan, f->args) : ~0ull;

	return n <= SMALL ? lane_before(ctx, f, plan, (uint32_t)f->nr, (uint32_t)n,
					WAY_QUICK) :
		general_call(ctx, f, plan, LANE_IN, 0);
}

/* As common(), for who neither holds outputs nor shares the turn. */
struct ipmon_outcome leader_quick(struct ipmon_ctx *ctx, struct ipmon_frame *f,
				  const struct ipmon_plan *plan)
{
	uint64_t nr = (uint32_t)f->nr;
	struct ipmon_outcome o;

	common_call(ctx, plan);
	o = plan->lane == LANE_IN && ctx->followers ? quick_before(ctx, f, plan) :
		lane_after(ctx, f, plan, plan->lane, nr, WAY_QUICK);
	return o.handled && ctx->after ? signal_after(ctx, f, o.ret) : o;
}
