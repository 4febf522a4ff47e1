// SPDX-License-Identifier: Apache-2.0
/*
 * Futexes with priority inheritance (futex(2)), among threads of one process.
 *
 * Theory of operation
 * -------------------
 * Of such a word the kernel knows whose it is: it holds the owner's number, and the
 * kernel writes it.  A thread that waits in the kernel is made the owner when another
 * one unlocks, or finds the word free on its way to sleep; and that is not when it has
 * the turn.  What others of the leader's threads would find in the word then, those
 * of followers would not.
 *
 * So nobody waits in the kernel here.  Who wants the lock tries it there
 * (FUTEX_TRYLOCK_PI) with the turn: it gets it, or the kernel says what is wrong, or
 * sets the bit that somebody waits.  Followers are told of that bit at once
 * (REC_WORD), since the owner looks at it before it unlocks.  Then the thread enters
 * itself into a list (turn->pi, and what it waits for in its ring's ipmon_pi), gives
 * the turn away and sleeps.  Who unlocks, with the turn as well, asks the kernel
 * first, which gives the lock to those that wait there (monitord's).  If there are
 * none, the word is 0, and the best of the list gets what the kernel would write:
 * its number, and the bit.  The highest priority is first, then who came first.
 *
 * All that is written to the word is written in somebody's turn, and followers find
 * it in his record.  The list is changed with the turn only.
 *
 * Not everybody unlocks here: a thread whose calls are monitord's, or one that dies.
 * Who sleeps looks at the word now and then.  A lock whose owner has died without a
 * robust list goes to one who waited for it, as the kernel would have it; others
 * get ESRCH.  That two threads wait for each other (EDEADLK) is seen in the list.
 *
 * Between processes an address does not say which lock it is.  Where memory is shared
 * (IPMON_CTX_SHARES) and the call does not say that the lock is the process's own
 * (FUTEX_PRIVATE_FLAG; glibc never does for robust ones), those that cannot have it at
 * once leave the call to monitord.  So do those that a signal has come for: its
 * handler runs before the call is made again.
 */
#include "hold.h"
#include "pi.h"
#include "turn.h"

#define NR_FUTEX		202
#define NR_SCHED_GETPARAM	143
#define NR_CLOCK_GETTIME	228

#define FUTEX_LOCK_PI_		6u
#define FUTEX_UNLOCK_PI_	7u
#define FUTEX_TRYLOCK_PI_	8u
#define FUTEX_LOCK_PI2_		13u
#define FUTEX_PRIVATE_		128u
#define FUTEX_CLOCK_REALTIME_	256u
#define FUTEX_WAITERS_		0x80000000u
#define FUTEX_OWNER_DIED_	0x40000000u
#define FUTEX_TID_MASK_		0x3fffffffu

#define ESRCH_		3
#define EDEADLK_	35
#define ETIMEDOUT_	110

#define NAP_NS		1000000	/* each twice as long, to this: a signal */
#define NAP_MAX_NS	20000000 /* has to wait for its end */
#define NAPS		64u	/* then the kernel is asked again */
#define WORDS		(IPMON_SLOTS / 64)

static struct ipmon_turn *ctx_turn(const struct ipmon_ctx *ctx)
{
	return (void *)(uintptr_t)*(volatile const uint64_t *)&ctx->turn;
}

static struct ipmon_pi *entry(const struct ipmon_ctx *ctx, unsigned int slot)
{
	return &ctx_ring(ctx)[(int)slot - (int)ctx->slot].pi;
}

/* ---- the list, with the turn ---- */

static void enter(struct ipmon_ctx *ctx, struct ipmon_turn *t, uint64_t addr)
{
	struct ipmon_pi *e = entry(ctx, ctx->slot);
	int32_t prio = 0;
	const struct ipmon_call ask = {
		NR_SCHED_GETPARAM, { 0, (uint64_t)(uintptr_t)&prio }
	};

	ipmon_gate_raw(&ask);
	e->addr = addr;
	e->pid = ctx->vpid;
	e->tid = (uint32_t)ctx->vtid;
	e->prio = prio;
	e->seq = t->pi_seq++;
	e->given = 0;
	__atomic_or_fetch(&t->pi[ctx->slot / 64], 1ull << ctx->slot % 64,
			  __ATOMIC_SEQ_CST);
}

static void leave(struct ipmon_turn *t, unsigned int slot)
{
	__atomic_and_fetch(&t->pi[slot / 64], ~(1ull << slot % 64),
			   __ATOMIC_SEQ_CST);
}

/* The next slot of this process in the list, from this one on; -1: none. */
static int next_entry(const struct ipmon_ctx *ctx, const struct ipmon_turn *t,
		      unsigned int slot)
{
	for (; slot < IPMON_SLOTS; slot++) {
		uint64_t m = __atomic_load_n(&t->pi[slot / 64],
					     __ATOMIC_RELAXED) >> slot % 64;

		if (!m) {
			slot |= 63;
			continue;
		}
		slot += (unsigned int)__builtin_ctzll(m);
		if (entry(ctx, slot)->pid == ctx->vpid)
			return (int)slot;
	}
	return -1;
}

/* Who is to have this lock; -1: nobody waits for it. */
static int best_entry(const struct ipmon_ctx *ctx, const struct ipmon_turn *t,
		      uint64_t addr)
{
	int slot = -1, best = -1;

	while ((slot = next_entry(ctx, t, (unsigned int)(slot + 1))) >= 0) {
		const struct ipmon_pi *e = entry(ctx, (unsigned int)slot), *b;

		if (e->addr != addr)
			continue;
		b = entry(ctx, (unsigned int)(best < 0 ? slot : best));
		if (e->prio > b->prio ||
		    (e->prio == b->prio && (int32_t)(e->seq - b->seq) <= 0))
			best = slot;
	}
	return best;
}

/* Does the owner of a lock that says `word` wait for us, by way of others too? */
static int deadlock(const struct ipmon_ctx *ctx, const struct ipmon_turn *t,
		    uint32_t word)
{
	unsigned int steps;

	for (steps = 0; steps < IPMON_SLOTS; steps++) {
		int slot = -1;

		if ((word & FUTEX_TID_MASK_) == (uint32_t)ctx->vtid)
			return 1;
		do {
			slot = next_entry(ctx, t, (unsigned int)(slot + 1));
		} while (slot >= 0 && entry(ctx, (unsigned int)slot)->tid !=
			 (word & FUTEX_TID_MASK_));
		if (slot < 0 || mem_get(&word, entry(ctx, (unsigned int)
						     slot)->addr, 4))
			return 0;
	}
	return 0;
}

/* ---- locking ---- */

/* The kernel's answer: 0, -EAGAIN if somebody else has it, others. */
static int64_t try_lock(const struct ipmon_ctx *ctx, uint64_t addr, uint64_t op)
{
	const struct ipmon_call try = {
		NR_FUTEX, { addr, FUTEX_TRYLOCK_PI_ | (op & FUTEX_PRIVATE_) }
	};
	const struct ipmon_turn *t = ctx_turn(ctx);
	int64_t ret = ipmon_gate_call(&try);
	uint32_t word;

	/* it sees nobody wait */
	if (!ret && t && best_entry(ctx, t, addr) >= 0 &&
	    !mem_get(&word, addr, sizeof(word))) {
		word |= FUTEX_WAITERS_;
		if (mem_put(addr, &word, sizeof(word)))
			return -EFAULT_;
	}
	return ret;
}

static int64_t clock_ns(const struct ipmon_ctx *ctx, int32_t id)
{
	typedef int (*clock_fn)(int32_t id, struct ipmon_time *t);
	clock_fn fn = (clock_fn)(uintptr_t)ctx->time;
	struct ipmon_time t = { 0, 0 };
	const struct ipmon_call ask = {
		NR_CLOCK_GETTIME, { (uint64_t)id, (uint64_t)(uintptr_t)&t }
	};

	if (!fn || fn(id, &t))
		ipmon_gate_raw(&ask);
	return t.sec * 1000000000 + t.nsec;
}

/* Until when; 0: for ever.  -1: no valid time. */
static int deadline(const uint64_t args[6], int64_t *ns)
{
	struct ipmon_time t;

	*ns = 0;
	if (!args[3])
		return 0;
	if (mem_get(&t, args[3], sizeof(t)) || t.sec < 0 || t.nsec < 0 ||
	    t.nsec >= 1000000000)
		return -1;
	*ns = t.sec < INT64_MAX / 1000000000 - 1 ?
		t.sec * 1000000000 + t.nsec : 0;
	/* long ago, but not never */
	if (!*ns && t.sec < 2)
		*ns = 1;
	return 0;
}

/* Sleep without the turn, until there is something to do.  1: the time is over. */
static int nap(struct ipmon_ctx *ctx, uint64_t addr, int32_t clock, int64_t end,
	       uint32_t first)
{
	struct ipmon_cursor *own = ctx_cursors(ctx);
	const struct ipmon_pi *e = entry(ctx, ctx->slot);
	int64_t ns = NAP_NS, left;
	unsigned int naps;
	uint32_t word;

	for (naps = 0; naps < NAPS; naps++) {
		/* acquire: who has woken us has written before */
		if (__atomic_load_n(&own->at_wake, __ATOMIC_ACQUIRE) != first ||
		    __atomic_load_n(&e->given, __ATOMIC_ACQUIRE) ||
		    *(volatile const uint32_t *)&ctx->pending ||
		    mem_get(&word, addr, sizeof(word)) ||
		    !(word & FUTEX_TID_MASK_))
			return 0;
		left = end ? end - clock_ns(ctx, clock) : ns;
		if (left <= 0)
			return 1;
		ctx->n_waits++;
		turn_nap(&own->at_wake, first, left < ns ? left : ns);
		if (ns < NAP_MAX_NS)
			ns *= 2;
	}
	return 0;
}

/* With the turn: followers find in the word what we do. */
static void announce_word(struct ipmon_ctx *ctx, uint32_t word)
{
	if (ctx->followers)
		leader_yields(ctx, NR_FUTEX, REC_WORD, word);
}

static int64_t wait_for(struct ipmon_ctx *ctx, const uint64_t args[6],
			int64_t end, uint32_t word)
{
	const uint64_t addr = args[0];
	const int32_t clock = ((uint32_t)args[1] & ~FUTEX_PRIVATE_) ==
		FUTEX_LOCK_PI2_;	/* CLOCK_REALTIME, CLOCK_MONOTONIC */
	struct ipmon_cursor *own = ctx_cursors(ctx);
	struct ipmon_pi *e = entry(ctx, ctx->slot);
	struct ipmon_turn *t = ctx_turn(ctx);
	uint32_t first;
	int64_t ret;
	int over;

	enter(ctx, t, addr);
	for (;;) {
		announce_word(ctx, word);
		before_block(ctx, PLAN_BLOCK);
		first = __atomic_load_n(&own->at_wake, __ATOMIC_RELAXED);
		turn_leave(ctx, PLAN_BLOCK);
		over = nap(ctx, addr, clock, end, first);
		turn_back(ctx);
		after_block(ctx, PLAN_BLOCK);
		if (e->given) {
			/* monitord may have given the turn, too */
			__atomic_and_fetch(&t->want[ctx->slot / 64],
					   ~(1ull << ctx->slot % 64),
					   __ATOMIC_SEQ_CST);
			return 0;
		}
		ret = try_lock(ctx, addr, args[1]);
		if (ret == IPMON_KICKED)
			break;
		if (mem_get(&word, addr, sizeof(word)))
			word = 0;
		/* the owner has died meanwhile */
		if (ret == -ESRCH_ && word & FUTEX_TID_MASK_) {
			word = (uint32_t)ctx->vtid | FUTEX_WAITERS_ |
				FUTEX_OWNER_DIED_;
			ret = mem_put(addr, &word, sizeof(word)) ? -EFAULT_ : 0;
		}
		if (ret == -EAGAIN_ && over)
			ret = -ETIMEDOUT_;
		if (ret != -EAGAIN_)
			break;
	}
	leave(t, ctx->slot);
	return ret;
}

static int64_t lock(struct ipmon_ctx *ctx, const uint64_t args[6])
{
	uint32_t word;
	int64_t end, ret;

	if (deadline(args, &end))
		return IPMON_KICKED;
	ret = try_lock(ctx, args[0], args[1]);
	if (ret != -EAGAIN_)
		return ret;
	if (mem_get(&word, args[0], sizeof(word)))
		return IPMON_KICKED;
	if (!ctx_turn(ctx) ||
	    (!(args[1] & FUTEX_PRIVATE_) && ctx->flags & IPMON_CTX_SHARES)) {
		announce_word(ctx, word);
		return IPMON_KICKED;
	}
	if (deadlock(ctx, ctx_turn(ctx), word))
		return -EDEADLK_;
	hold_drain(ctx);
	return wait_for(ctx, args, end, word);
}

static int64_t unlock(struct ipmon_ctx *ctx, const struct ipmon_call *call)
{
	const uint64_t addr = call->args[0];
	int64_t ret = ipmon_gate_call(call);
	struct ipmon_turn *t = ctx_turn(ctx);
	struct ipmon_pi *e;
	uint32_t word;
	int slot;

	if (ret || !t)
		return ret;
	slot = best_entry(ctx, t, addr);
	/* it may have given it to somebody who waits there */
	if (slot < 0 || mem_get(&word, addr, sizeof(word)) || word)
		return 0;
	e = entry(ctx, (unsigned int)slot);
	word = e->tid | FUTEX_WAITERS_;
	if (mem_put(addr, &word, sizeof(word)))
		return 0;
	leave(t, (unsigned int)slot);
	/* release: the word has been written */
	__atomic_store_n(&e->given, 1, __ATOMIC_RELEASE);
	/* it wants the turn now, and is woken when that is to be had */
	__atomic_or_fetch(&t->want[slot / 64], 1ull << slot % 64,
			  __ATOMIC_SEQ_CST);
	return 0;
}

int64_t pi_call(struct ipmon_ctx *ctx, const struct ipmon_call *call)
{
	switch ((uint32_t)call->args[1] & ~(FUTEX_PRIVATE_ |
					    FUTEX_CLOCK_REALTIME_)) {
	case FUTEX_UNLOCK_PI_:
		return unlock(ctx, call);
	case FUTEX_TRYLOCK_PI_:
		return try_lock(ctx, call->args[0], call->args[1]);
	default:
		return lock(ctx, call->args);
	}
}
