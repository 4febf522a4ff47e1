/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a call is handled in-process, and whether at all.
 *
 * Theory of operation
 * -------------------
 * Every variant decides by itself, before anything is exchanged, so the
 * decision may depend only on the table row, the argument registers as far as
 * they are compared, and what monitord wrote equally into all contexts.
 * Pure code.
 *
 * A plan is what follows from the row alone, one cache line per number,
 * computed at build time (mkplan.c) from the table by ipmon_plan_make().
 */
#ifndef IPMON_CORE_DECIDE_H
#define IPMON_CORE_DECIDE_H

#include <ipmon/abi.h>
#include <ipmon/table.h>

enum ipmon_decision {
	DECIDE_LEFT = 0,	/* monitord handles it */
	DECIDE_PID,		/* answered from the context, no record */
	DECIDE_TID,
	DECIDE_RELAXED,		/* the leader executes, then tells */
	DECIDE_VERIFIED,	/* the leader tells, waits, then executes */
	/* the same, but a leader that finds an address in the data forwards */
	DECIDE_CHANNEL_RELAXED,
	DECIDE_CHANNEL_VERIFIED,
};

/* How the inputs are serialised. */
enum ipmon_lane {
	LANE_WALK = 0,	/* as items, by the row's walk */
	/* registers, paths, and ... */
	LANE_SCALAR,	/* nothing else */
	LANE_IN,	/* one input span */
	LANE_OUT,	/* one output span */
	LANE_INOUT,	/* one span that is read and written */
};

static inline int lane_has_in(unsigned int lane)
{
	return lane == LANE_IN || lane == LANE_INOUT;
}

static inline int lane_has_out(unsigned int lane)
{
	return lane == LANE_OUT || lane == LANE_INOUT;
}

enum {
	PLAN_WAIT	= 1u << 0,	/* verified waits (class of the row) */
	PLAN_BLOCK	= 1u << 1,	/* waits for an event: wake followers */
	PLAN_TRANSFER	= 1u << 2,	/* may block, mostly does not */
	PLAN_FILEDATA	= 1u << 3,
	PLAN_RULES	= 1u << 4,	/* see gate_rules.h */
	PLAN_OPEN	= 1u << 5,
	PLAN_EPOLL_CTL	= 1u << 6,
	PLAN_EPOLL_WAIT	= 1u << 7,
	PLAN_CLOCK	= 1u << 8,	/* private to the variant, and a word more */
	PLAN_NAMES	= 1u << 9,	/* says something of what has a name */
	PLAN_DRAW	= 1u << 10,	/* random bytes: few are private */
	PLAN_FUTEX	= 1u << 11,	/* FUTEX_WAKE of own threads is private */
	PLAN_MODE	= 1u << 12,	/* argument behind the flags counts only
					 * if they create a file */
	PLAN_TRY	= 1u << 13,	/* waits for as many milliseconds as
					 * argument flag_arg says, 0: not at all */
	PLAN_ALONE	= 1u << 14,	/* memory, and may be private */
	PLAN_MEMORY	= 1u << 15,	/* every variant's own: memcalls.c */
};
#define PLAN_MAYBE_PRIVATE	(PLAN_CLOCK | PLAN_DRAW | PLAN_FUTEX | \
				 PLAN_ALONE)

enum { LEN_FIXED, LEN_INT, LEN_UINT, LEN_SIZE };

struct ipmon_plan {
	uint64_t mask[6];	/* bits of each register that are compared */
	uint8_t action : 4;	/* enum ipmon_decision, RELAXED for calls that
				 * can be handled */
	uint8_t level : 4;	/* enum ipmon_level */
	uint8_t lane : 4;	/* enum ipmon_lane, if the arguments allow */
	uint8_t each : 1;	/* followers make it as well (RF_EACH) */
	uint8_t quick : 1;	/* may go by quick() in broker.c */
	uint8_t nargs;
	uint8_t null_cmp;	/* arguments compared for null-ness */
	uint8_t null_need;	/* the lane is open only if these are null */
	uint8_t fds;		/* arguments that are descriptors */
	uint8_t paths;		/* arguments that are paths */
	uint8_t mem;		/* LANE_IN and on: index of the span */
	uint8_t len_arg;	/* index of its length */
	uint8_t len_kind;	/* LEN_* */
	uint16_t len_fixed;
	uint8_t rule;		/* LANE_OUT, LANE_INOUT: enum ipmon_rule */
	uint8_t flag_arg;	/* PLAN_OPEN, PLAN_MODE: index of the flags;
				 * PLAN_TRY: of the time */
	uint16_t flags;		/* PLAN_* */
};
_Static_assert(sizeof(struct ipmon_plan) == 64, "one cache line");

void ipmon_plan_make(uint64_t nr, struct ipmon_plan *plan);

extern const struct ipmon_plan ipmon_plans[IPMON_NR_MAX]
	__attribute__((visibility("hidden")));
/* The plan of `nr`; one that says DECIDE_LEFT when out of range. */
const struct ipmon_plan *ipmon_plan(uint64_t nr);

/* A descriptor of whose calls not all are IP-MON's.  Negative numbers are AT_FDCWD
 * or an error: the kernel knows. */
static inline int ipmon_slow_fd(const struct ipmon_ctx *ctx, uint64_t reg)
{
	const uint8_t *map = (const uint8_t *)(uintptr_t)ctx->slow_fds;
	uint32_t fd = (uint32_t)reg;

	if (fd >> 31)
		return 0;
	return fd >= IPMON_SLOW_FDS || (map[fd / 8] >> fd % 8 & 1);
}

/*
 * The leader, and nobody has asked for anything special: no level, no wishes for
 * single calls, nobody to share the turn with, no outputs that are or may be held, and
 * this is a call (plan->quick) that then is always DECIDE_RELAXED (or DECIDE_VERIFIED, with
 * nobody to wait for).  The same answer as ipmon_decide()'s, in a few loads: what stands between the program and the system
 * call, and behind it, is most of what a short call costs.
 */
static inline int ipmon_decide_quick(const struct ipmon_ctx *ctx,
				     const struct ipmon_plan *plan,
				     const uint64_t args[6])
{
	if (!plan->quick || (ctx->variant | ctx->level) ||
	    (ctx->turn | ctx->calls | ctx->hold))
		return 0;
	if ((plan->flags & PLAN_WAIT) && ctx->followers &&
	    (ctx->policy == IPMON_VERIFIED || ctx->flags & IPMON_CTX_WAIT))
		return 0;
	return !plan->fds || !ipmon_slow_fd(ctx, args[0]);
}

/* It reads a clock, and nobody has asked for anything special: DECIDE_RELAXED. */
static inline int ipmon_decide_clock(const struct ipmon_ctx *ctx,
				     const struct ipmon_plan *plan)
{
	return plan->flags == PLAN_CLOCK && !ctx->level && !ctx->calls;
}

/* nr is the number as the kernel takes it (32 bits). */
enum ipmon_decision ipmon_decide(const struct ipmon_ctx *ctx,
				 const struct ipmon_plan *plan, uint64_t nr,
				 const uint64_t args[6]);

/*
 * Only if ctx->level is set: a call has been handled in-process, which may have
 * made or freed a descriptor.  Every variant notes the same at the same point.
 */
void ipmon_kinds_note(const struct ipmon_ctx *ctx,
		      const struct ipmon_row *row, const uint64_t args[6],
		      int64_t ret);

/* A call that was decided DECIDE_CHANNEL_* has been handled: the same for the
 * bitmaps of slow descriptors and of channels. */
void ipmon_channels_note(const struct ipmon_ctx *ctx,
			 const struct ipmon_row *row, const uint64_t args[6],
			 int64_t ret);

/* The lane this call takes: the plan's, or LANE_WALK. */
static inline unsigned int ipmon_lane(const struct ipmon_plan *plan,
				      const uint64_t args[6])
{
	unsigned int need = plan->null_need;

	for (unsigned int i = 0; need; i++, need >>= 1)
		if ((need & 1) && args[i])
			return LANE_WALK;
	/* no offset: there is no span */
	return plan->lane == LANE_INOUT && !args[plan->mem] ? LANE_SCALAR :
		plan->lane;
}

/*
 * May opening this path lead to a view of /proc, or, where variants do not all
 * load the same code, be of interest to some of them only?  `p` is the beginning of the
 * string, n bytes.  A mere shortcut: what it misses (links, relative names) is
 * found out by asking the kernel afterwards.
 */
int ipmon_path_left(const struct ipmon_ctx *ctx, const unsigned char *p,
		    unsigned int n);

/*
 * May this variant make this call, or not make it, without the others
 * (monitord/solo.c)?  Its second and third argument, as compared.
 */
static inline int ipmon_private(const struct ipmon_plan *plan, uint64_t a1,
				uint64_t a2)
{
	if (!(plan->flags & PLAN_MAYBE_PRIVATE))
		return 0;
	if (plan->flags & PLAN_DRAW)
		return a1 <= 8 && (a2 & 1);	/* GRND_NONBLOCK */
	if (plan->flags & PLAN_FUTEX)
		return (uint32_t)a1 == 129;	/* FUTEX_WAKE_PRIVATE */
	return 1;
}

/* The same for a record in the ring; `at` is where it begins. */
int ipmon_record_private(const struct ipmon_record *rec,
			 const unsigned char *at);

/*
 * Clocks of a program whose variants do not read them equally often: from then
 * on the leader tells one time between two common calls, so that it does not
 * matter which of the reads in between was the additional one.  No longer than
 * this, however (ns): who waits for a time to come must see it come.
 */
#define CLOCK_FREEZE_NS	10000000
#define CLOCK_FROZEN	(1u << 31)	/* in the leader's ctx->clocks: so it is */

/*
 * How much deeper in the stack one variant asked for the time than another, both
 * measured from the last common call; 0: not at all, or that cannot be said.
 */
#define CLOCK_NO_DEPTH	(1ull << 40)
#define CLOCK_SAME_STACK (1 << 20)
#define CLOCK_SAME_DEPTH 64
static inline int64_t clock_deeper(uint64_t own, uint64_t other)
{
	int64_t a = (int64_t)own, b = (int64_t)other;

	return a > CLOCK_SAME_STACK || a < -CLOCK_SAME_STACK ||
		b > CLOCK_SAME_STACK || b < -CLOCK_SAME_STACK ||
		(a - b < CLOCK_SAME_DEPTH && b - a < CLOCK_SAME_DEPTH) ? 0 :
		a - b;
}

/*
 * The result of the leader's futex call for a variant with these arguments: who
 * waits without a time-out is not told that it is over but that he has been
 * woken, which may happen at any time.
 */
static inline int futex_waits(const uint64_t args[6])
{
	unsigned int cmd = (uint32_t)args[1] & ~(128u | 256u);

	return cmd == 0 || cmd == 9;	/* FUTEX_WAIT, FUTEX_WAIT_BITSET */
}

/* Locks of priority inheritance, and what goes with them (pi.c): LOCK_PI, UNLOCK_PI,
 * TRYLOCK_PI, LOCK_PI2, with the flags that they may have. */
static inline int futex_pi(const uint64_t args[6])
{
	uint32_t op = (uint32_t)args[1] & ~128u;

	return (op >= 6 && op <= 8) || (op & ~256u) == 13;
}

/*
 * Private calls without a common one in between after which variants have parted
 * ways; code of a variant's own may make any number.
 */
static inline uint32_t ipmon_solo_max(const struct ipmon_ctx *ctx)
{
	return ctx->flags & IPMON_CTX_DIVERSE ? 1u << 20 : 1024u;
}

static inline int64_t ipmon_futex_result(const uint64_t args[6], int64_t ret)
{
	return ret == -110 /* ETIMEDOUT */ && !args[3] && futex_waits(args) ?
		0 : ret;
}

/* Bytes of the span. */
static inline uint64_t ipmon_plan_len(const struct ipmon_plan *plan,
				      const uint64_t args[6])
{
	uint64_t v;

	switch (plan->len_kind) {
	case LEN_FIXED:
		return plan->len_fixed;
	case LEN_INT:
		v = args[plan->len_arg];
		return (int32_t)v < 0 ? 0 : (uint32_t)v;
	case LEN_UINT:
		return (uint32_t)args[plan->len_arg];
	default:
		v = args[plan->len_arg];
		return v < 0x7ffff000u ? v : 0x7ffff000u;
	}
}

/* The words of a lane that every plan has; clocks and epoll_ctl have one more. */
static inline unsigned int lane_words(const struct ipmon_plan *plan)
{
	return plan->nargs ? plan->nargs + 1u : 0;
}

#endif
