// SPDX-License-Identifier: Apache-2.0
/*
 * The broker: entry.S comes here with every call of a live task.
 *
 * decide() is asked first; it must come to the same answer in every variant.
 * A call that is left to monitord goes back to the intact syscall and traps
 * there, in all variants.
 */
#include "channels.h"
#include "filedata.h"
#include "memcalls.h"
#include "hold.h"
#include "more.h"
#include "turn.h"

uint64_t epoll_ctl_word(const uint64_t args[6], struct packed_event *ev)
{
	if ((int32_t)args[1] == EPOLL_CTL_DEL_)
		return 0;
	if (!args[3] || mem_get(ev, args[3], sizeof(*ev)))
		return 1ull << 32;
	return ev->events;
}

#define EPOLL_CTL_ADD_	1
#define EPOLL_CTL_MOD_	3

int epoll_slot(const struct ipmon_ctx *ctx, const uint64_t args[6])
{
	int epfd = (int)args[0], fd = (int)args[2];

	switch ((int32_t)args[1]) {
	case EPOLL_CTL_ADD_:
		return epoll_place(ctx_epoll(ctx), epfd, fd);
	case EPOLL_CTL_MOD_:
		return epoll_find(ctx_epoll(ctx), epfd, fd);
	default:	/* DEL needs none, others are EINVAL */
		return 0;
	}
}

int epoll_lookup(const struct ipmon_ctx *ctx, uint64_t tag, uint64_t *data)
{
	struct ipmon_call ask = { IPMON_NR_EPOLL_DATA, { tag, 0 } };
	uint64_t own;

	if (!epoll_data(ctx_epoll(ctx), tag, data))
		return 0;
	ask.args[1] = (uint64_t)(uintptr_t)&own;
	if (ipmon_gate_raw(&ask))
		return -1;
	*data = own;
	return 0;
}

void epoll_commit(struct ipmon_ctx *ctx, const uint64_t args[6], int slot,
		  uint64_t data)
{
	struct ipmon_epoll *t = ctx_epoll(ctx);
	int epfd = (int)args[0], fd = (int)args[2];

	switch ((int32_t)args[1]) {
	case EPOLL_CTL_ADD_:
		epoll_add(t, slot, epfd, fd, data);
		break;
	case EPOLL_CTL_MOD_:
		epoll_mod(t, slot, data);
		break;
	case EPOLL_CTL_DEL_:
		epoll_del(t, epfd, fd);
		break;
	default:
		break;
	}
}

/* A path into /proc may become a view, or name one: monitord opens it, and what the
 * gate does not open (ipmon_open_row()).  One that cannot be read is the kernel's
 * affair. */
static int path_left(const struct ipmon_ctx *ctx, const struct ipmon_plan *plan,
		     const uint64_t args[6])
{
	unsigned char p[6];
	const char *path = (const void *)(uintptr_t)
		args[__builtin_ctz(plan->paths)];
	size_t not;

	if (!path)
		return 0;
	not = ipmon_copy(p, path, sizeof(p));
	if (plan->flags & PLAN_NAMES && (not == sizeof(p) || p[0] != '/'))
		return 0;
	return ipmon_path_left(ctx, p, (unsigned int)(sizeof(p) - not));
}

/* ---- state the kernel keeps for each variant: RF_EACH ---- */

#define NR_RT_SIGPENDING 127
#define SIG_BLOCK_	0
#define SIG_UNBLOCK_	1

/*
 * The leader is about to change its mask.  A signal that has been waiting for
 * that is delivered before the call returns, by monitord.  (One that comes
 * meanwhile may just as well have come a little later.)
 */
static int unblocks(const struct ipmon_frame *f)
{
	uint64_t set, pending = 0;
	const struct ipmon_call ask = {
		NR_RT_SIGPENDING, { (uint64_t)(uintptr_t)&pending,
				    sizeof(pending) }
	};

	if (!f->args[1] || (int32_t)f->args[0] == SIG_BLOCK_ ||
	    mem_get(&set, f->args[1], sizeof(set)) || ipmon_gate_raw(&ask))
		return 0;
	return (pending & ((int32_t)f->args[0] == SIG_UNBLOCK_ ? set :
			   ~set)) != 0;
}

/* The follower's own.  The answer is the leader's, but for an action: that is an
 * address in each. */
static int64_t make_own(const struct ipmon_frame *f, unsigned int handler,
			int64_t leader)
{
	struct ipmon_call call = f->call;
	int64_t ret;

	if (handler == H_SIGPROCMASK)
		call.args[2] = 0;
	ret = ipmon_gate_raw(&call);
	return handler == H_SIGACTION ? ret : leader;
}

static struct ipmon_outcome each_call(struct ipmon_ctx *ctx,
				      struct ipmon_frame *f,
				      const struct ipmon_plan *plan)
{
	unsigned int handler = ipmon_row((uint32_t)f->nr)->handler;
	struct ipmon_outcome o;

	if (!ctx->variant) {
		if (handler == H_SIGPROCMASK && unblocks(f))
			return leader_forward(ctx, (uint32_t)f->nr);
		return leader_call(ctx, f, plan, 0);
	}
	o = follower_call(ctx, f, plan);
	if (o.handled && o.ret >= 0)
		o.ret = make_own(f, handler, o.ret);
	return o;
}

/*
 * Nobody need be told, except that a thread which does nothing else must let
 * others have the turn some time, which takes a record.
 */
#define ALONE_CALLS 1024u

static struct ipmon_outcome identity(struct ipmon_ctx *ctx,
				     struct ipmon_frame *f,
				     const struct ipmon_plan *plan, int64_t id)
{
	if (!ctx->turn || ++ctx->alone_calls % ALONE_CALLS)
		return handled(id);
	if (ctx->variant)
		return follower_call(ctx, f, plan);
	turn_yield(ctx, (uint32_t)f->nr, TURN_COMMON);
	/* followers measure the depth of clock readings from here */
	common_call(ctx, plan);
	leader_tell(ctx, f, plan, id);
	return handled(id);
}

/*
 * The call is over, and a signal has come: in place of returning to the program
 * every variant goes to its instruction with a number that says so.  There monitord
 * gives it the result and delivers what has come, as the kernel does at the end of
 * a call.
 */
struct ipmon_outcome signal_after(struct ipmon_ctx *ctx, struct ipmon_frame *f,
				  int64_t ret)
{
	if (!ctx->variant)
		hold_drain(ctx);
	ctx->after_ret = ret;
	f->nr = IPMON_NR_AFTER;
	return left();
}

static __attribute__((noinline)) struct ipmon_outcome any_call(struct ipmon_ctx *ctx,
							       struct ipmon_frame *f)
{
	uint64_t nr = (uint32_t)f->nr;
	const struct ipmon_plan *plan = ipmon_plan(nr);
	enum ipmon_decision d = ipmon_decide(ctx, plan, nr, f->args);
	struct ipmon_outcome o;
	int channel = 0;

	if (d == DECIDE_RELAXED || d == DECIDE_VERIFIED) {
		if ((plan->flags & (PLAN_OPEN | PLAN_NAMES)) &&
		    path_left(ctx, plan, f->args))
			d = DECIDE_LEFT;
	}
	switch (d) {
	case DECIDE_PID:
	case DECIDE_TID:
		count_call(ctx, nr);
		return identity(ctx, f, plan, d == DECIDE_PID ? ctx->vpid :
				ctx->vtid);
	case DECIDE_CHANNEL_RELAXED:
	case DECIDE_CHANNEL_VERIFIED:
		if (!ctx->variant && channel_has_address(ctx, nr, f->args))
			return leader_forward(ctx, nr);
		d -= DECIDE_CHANNEL_RELAXED - DECIDE_RELAXED;
		channel = 1;
		__attribute__((fallthrough));
	case DECIDE_RELAXED:
	case DECIDE_VERIFIED:
		if (plan->flags & PLAN_FILEDATA && filedata_left(ctx, nr, f->args))
			return leader_forward(ctx, nr);
		count_call(ctx, nr);
		more_next(ctx, nr, f->args);
		/* epoll_ctl may end without a record */
		if (!ctx->variant && !(plan->flags & PLAN_EPOLL_CTL))
			turn_yield(ctx, nr, ipmon_private(plan, f->args[1],
							  f->args[2]) ?
				   TURN_PRIVATE : TURN_COMMON);
		if (plan->each)
			o = each_call(ctx, f, plan);
		else if (ctx->variant)
			o = follower_call(ctx, f, plan);
		else if (plan->flags & PLAN_MEMORY)
			o = leader_memory(ctx, f, plan);
		else
			o = leader_call(ctx, f, plan, d == DECIDE_VERIFIED);
		if ((plan->flags & PLAN_MEMORY) && ctx->variant && o.handled)
			o.ret = follower_memory(ctx, f, o.ret);
		if (ctx->level && o.handled)
			ipmon_kinds_note(ctx, ipmon_row(nr), f->args, o.ret);
		if (channel && o.handled) {
			ipmon_channels_note(ctx, ipmon_row(nr), f->args, o.ret);
			if (ctx->variant)
				channel_translate(ctx, nr, f->args, o.ret);
		}
		if (ctx->suits_at && o.handled)
			more_note(ctx, nr, f->args, o.ret);
		return o.handled && ctx->after ?
			signal_after(ctx, f, o.ret) : o;
	default:
		/* a common one, at monitord */
		ctx->turn_since = ctx->alone_since = 0;
		ctx->alone_n = 0;
		if (ctx->variant)
			follower_left(ctx, nr);
		else
			hold_drain(ctx);
		return left();
	}
}

/* What ipmon_decide_quick() cannot know: nothing but making the call and telling it is
 * to be done about it. */
static inline int quick(const struct ipmon_ctx *ctx, const struct ipmon_plan *plan,
			uint64_t nr, const uint64_t args[6])
{
	return !ctx->more && !((plan->flags & PLAN_FILEDATA) && filedata_any(ctx)) &&
		(!hold_kind(nr) || more_unfit(ctx, args[0]));
}

/*
 * A clock: any_call() without what cannot be the case.  Programs with many threads, and
 * servers that hold outputs, read clocks between any two other calls.
 */
static __attribute__((noinline)) struct ipmon_outcome clock_call(struct ipmon_ctx *ctx,
								 struct ipmon_frame *f,
								 const struct ipmon_plan *plan)
{
	uint64_t nr = (uint32_t)f->nr;
	struct ipmon_outcome o;

	count_call(ctx, nr);
	more_next(ctx, nr, f->args);
	if (ctx->variant) {
		o = follower_call(ctx, f, plan);
	} else {
		turn_yield(ctx, nr, TURN_PRIVATE);
		o = leader_call(ctx, f, plan, 0);
	}
	return o.handled && ctx->after ? signal_after(ctx, f, o.ret) : o;
}

/* Nothing but tests and a jump on the quick way. */
struct ipmon_outcome ipmon_broker(struct ipmon_ctx *ctx,
				  struct ipmon_frame *f)
{
	uint64_t nr = (uint32_t)f->nr;

	if (nr < IPMON_NR_MAX &&
	    ipmon_decide_quick(ctx, &ipmon_plans[nr], f->args) &&
	    quick(ctx, &ipmon_plans[nr], nr, f->args)) {
		count_call(ctx, nr);
		return leader_quick(ctx, f, &ipmon_plans[nr]);
	}
	if (nr < IPMON_NR_MAX && ipmon_decide_clock(ctx, &ipmon_plans[nr]))
		return clock_call(ctx, f, &ipmon_plans[nr]);
	return any_call(ctx, f);
}
