/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker: what happens to a call that reached IP-MON.
 *
 *	broker.c	decides, answers what needs nobody else
 *	leader.c	makes the call at the gate and tells the followers
 *	leader_clock.c	clocks, which take no call
 *	insn.c		instructions whose result must be the same everywhere
 *	follower.c	takes the next record, takes over the leader's outputs
 *	private.c	calls a follower makes, or does not, without the leader
 *	compare.c	compares
 *	cut.c		transfers that come back half-way
 *	hold.c		under verified: outputs that are sent later
 *	wait.c		who waits for whom, and wakes him
 *	placement.c	on which processor a follower waits
 *	turn.c		whose turn it is among threads
 *	pi.c		futexes whose owner the kernel knows
 *	memory.c	the program's memory: walks, spans
 *
 * Rules: those of init.c; the program's memory is touched through
 * arch/copy.S only; nothing is held across a call that may sleep.
 */
#ifndef IPMON_BROKER_H
#define IPMON_BROKER_H

#include <ipmon/abi.h>
#include <ipmon/items.h>

#include "arch/entry.h"
#include "core/decide.h"
#include "core/epoll.h"
#include "core/stream.h"

#define ENOENT_ 2
#define EINTR_ 4
#define EAGAIN_ 11
#define EACCES_ 13
#define EFAULT_ 14
#define ENOTDIR_ 20
#define ENAMETOOLONG_ 36

static inline struct ipmon_outcome handled(int64_t ret)
{
	return (struct ipmon_outcome){ ret, 1 };
}

static inline struct ipmon_outcome left(void)
{
	return (struct ipmon_outcome){ 0, 0 };
}

static inline struct ipmon_ring *ctx_ring(const struct ipmon_ctx *ctx)
{
	return (void *)(uintptr_t)ctx->ring;
}

/* What the leader counts by call; a follower's ring is read-only. */
#define COUNT(ctx, nr, what) \
	(ctx_ring(ctx)->count[(nr) % IPMON_COUNTS].what++)

static inline void count_call(struct ipmon_ctx *ctx, uint64_t nr)
{
	ctx->n_calls++;
	if (!ctx->variant)
		COUNT(ctx, nr, calls);
}

static inline struct ipmon_cursor *ctx_cursors(const struct ipmon_ctx *ctx)
{
	return (void *)(uintptr_t)ctx->cursors;
}

static inline struct ipmon_epoll *ctx_epoll(const struct ipmon_ctx *ctx)
{
	return (void *)(uintptr_t)ctx->epoll;
}

/* How far the leader may be in front. */
static inline uint64_t ctx_capacity(const struct ipmon_ctx *ctx)
{
	uint64_t n = ctx->max_lag_bytes & ~7ull;

	if (!n || n > IPMON_RING_BYTES)
		return IPMON_RING_BYTES;
	return n < 8192 ? 8192 : n;
}

static inline uint64_t lane_nulls(const struct ipmon_plan *plan,
				  const uint64_t args[6])
{
	unsigned int cmp = plan->null_cmp, i;
	uint64_t bits = 0;

	for (i = 0; cmp; i++, cmp >>= 1)
		if ((cmp & 1) && args[i])
			bits |= 1ull << i;
	return bits;
}

/* struct epoll_event, packed as on x86-64 */
struct packed_event {
	uint32_t events;
	uint64_t data;
} __attribute__((packed));

/* Word i of a lane. */
static inline uint64_t lane_word(const struct ipmon_plan *plan,
				 const uint64_t args[6], unsigned int i)
{
	/* O_CREAT, __O_TMPFILE */
	if ((plan->flags & PLAN_MODE) && i == plan->flag_arg + 1u &&
	    !(args[plan->flag_arg] & 020000100u))
		return 0;
	return args[i] & plan->mask[i];
}

/* Length of a path as the kernel takes it (a longer one is as long as this);
 * ~0: not readable. */
#define PATH_BYTES 4096
static inline uint64_t path_len(uint64_t addr)
{
	return (uint64_t)ipmon_strnlen((const char *)(uintptr_t)addr,
				       PATH_BYTES);
}

/* One more word for clocks: how much deeper the stack is than at the last call
 * that was not private. */
static inline uint64_t clock_depth(const struct ipmon_ctx *ctx)
{
	return ctx->base_sp - ctx->saved_sp;
}

/* Does the leader tell one time since the last common call (CLOCK_FREEZE_NS)?
 * Then nobody need know from where it was asked (CLOCK_NO_DEPTH). */
static inline int clock_frozen(const struct ipmon_ctx *ctx)
{
	return (ctx->clocks & CLOCK_FROZEN) != 0;
}

/* The call is common to all, and not private. */
static inline void common_call(struct ipmon_ctx *ctx,
			       const struct ipmon_plan *plan)
{
	if (!(plan->flags & PLAN_MAYBE_PRIVATE)) {
		ctx->base_sp = ctx->saved_sp;
		ctx->solos = 0;
		ctx->commons++;
		/* the leader's are for CLOCK_FREEZE_NS */
		if (!ctx->variant)
			ctx->clocks = __atomic_load_n(
				&ctx_cursors(ctx)[0].apart,
				__ATOMIC_RELAXED) ? CLOCK_FROZEN : 0;
	}
}

/* One more word: the events of epoll_ctl.  Bit 32: not readable. */
#define EPOLL_CTL_DEL_	2
uint64_t epoll_ctl_word(const uint64_t args[6], struct packed_event *ev);
/* The slot this epoll_ctl is about; -1: none, monitord shall do it.  Equal in
 * all variants. */
int epoll_slot(const struct ipmon_ctx *ctx, const uint64_t args[6]);
/* What this variant attached to a registration; asks monitord if it must. 0, or
 * -1: nobody's. */
int epoll_lookup(const struct ipmon_ctx *ctx, uint64_t tag, uint64_t *data);
/* The kernel has accepted it. */
void epoll_commit(struct ipmon_ctx *ctx, const uint64_t args[6], int slot,
		  uint64_t data);

/* ---- events.c: n events at addr, with tags ---- */

/* Leave those the program may see.  Their number. */
int64_t known_events(const struct ipmon_ctx *ctx, uint64_t addr, int64_t n);
/* Give them the program's own data. */
void own_events(const struct ipmon_ctx *ctx, uint64_t addr, int64_t n);

/* ---- memory.c ---- */

int mem_get(void *dst, uint64_t src, size_t n);		/* 0 or -1 */
int mem_put(uint64_t dst, const void *src, size_t n);
/* How many bytes of [addr, addr + len) can be read, by pages. */
uint64_t mem_readable(uint64_t addr, uint64_t len);
/* What of an output of a call that ended with EFAULT may be the kernel's. */
uint64_t mem_faulted(uint64_t addr, uint64_t len);
/* A walk with our memory; emit and ctx are the caller's. */
void walk_init(struct ipmon_walk *w, uint64_t nr, const uint64_t args[6]);

/* ---- leader.c, follower.c ---- */

struct ipmon_outcome leader_call(struct ipmon_ctx *ctx, struct ipmon_frame *f,
				 const struct ipmon_plan *plan, int verified);
/* The same in the shortest way, where ipmon_decide_quick() and broker.c's quick() say
 * so; all that belongs to the call has been done when it returns. */
struct ipmon_outcome leader_quick(struct ipmon_ctx *ctx, struct ipmon_frame *f,
				  const struct ipmon_plan *plan);
struct ipmon_outcome follower_call(struct ipmon_ctx *ctx,
				   struct ipmon_frame *f,
				   const struct ipmon_plan *plan);
/* At an instruction that is no syscall: its value, or it is left to monitord. */
struct ipmon_outcome follower_instruction(struct ipmon_ctx *ctx,
					  struct ipmon_frame *f);
/* Leader: a record that says REC_YIELD, at a call of this number, and REC_WORD with
 * that word, or not (flags). */
void leader_yields(struct ipmon_ctx *ctx, uint64_t nr, unsigned int flags,
		   uint32_t word);
/* The call has been made, and a signal has come (ctx->after).  broker.c */
struct ipmon_outcome signal_after(struct ipmon_ctx *ctx, struct ipmon_frame *f,
				  int64_t ret);
/* The call is left to monitord, by the followers as well. */
struct ipmon_outcome leader_forward(struct ipmon_ctx *ctx, uint64_t nr);
/* A call of registers only has been made, with this result for the followers. */
void leader_tell(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		 const struct ipmon_plan *plan, int64_t ret);
/* The call is left to monitord: records of private calls that only the leader
 * made are out of the way before. */
void follower_left(struct ipmon_ctx *ctx, uint64_t nr);

/* ---- cut.c ---- */

/* Leader: the program's call, one that may sleep. */
int64_t whole_call(const struct ipmon_ctx *ctx, const struct ipmon_call *call);
/* ... after it has returned this: what it is to return. */
int64_t whole_rest(const struct ipmon_ctx *ctx, const struct ipmon_call *call,
		   int64_t ret);

/* ---- placement.c ---- */

/* The number of the processor we run on (may change at once). */
uint32_t this_cpu(void);
/* A follower that the leader waits for is about to sleep.  1: it has moved to
 * another processor than the leader's, look again. */
int leave_leader(struct ipmon_ctx *ctx);

/* ---- wait.c ---- */

/* Leader: wait until the tails of all live followers have reached pos. */
void leader_wait(struct ipmon_ctx *ctx, uint64_t pos);
/* Leader: wake all followers that sleep.  1: there was one. */
int wake_followers(struct ipmon_ctx *ctx);
/* Leader: about to make a call of this kind (PLAN_*); it has returned. */
void before_block(struct ipmon_ctx *ctx, unsigned int plan_flags);
void after_block(struct ipmon_ctx *ctx, unsigned int plan_flags);
/* Leader: the lag mark has been passed. */
void lag_check(struct ipmon_ctx *ctx);

enum next_status { NEXT_RECORD, NEXT_BAD, NEXT_TRAPPED, NEXT_ALONE };
/*
 * Follower: the next record, waiting for it.  private: 0, or the number + 1 of a
 * call that this variant alone may be making; then it is not where others wait for
 * it to be, and NEXT_ALONE says that the leader sleeps in another one.
 */
enum next_status follower_next(struct ipmon_ctx *ctx, struct ipmon_record *rec,
			       uint32_t private);
/* Follower: a record has been consumed. */
void follower_consumed(struct ipmon_ctx *ctx, unsigned int rec_flags);

#endif
