// SPDX-License-Identifier: Apache-2.0
/*
 * Whose turn it is among threads that share memory.
 *
 * Theory of operation
 * -------------------
 * Two threads that race in user space may be ordered differently in each variant.
 * So of the tasks of a domain (monitord/sched.c) one at a time runs code of the
 * program, and followers repeat the leader's order.  Among tasks that handle
 * their calls themselves the turn is handed on here:
 *
 *	Who enters the kernel and may sleep there says so in turn->word, and
 *	whoever comes back from the kernel may take the turn from it.  Nobody has
 *	to be asked: a thread that finds its word unchanged when it comes back
 *	goes on, and nothing has happened.
 *
 *	Who finds that it has lost the turn waits until the holder is in the
 *	kernel in its turn, and takes it.  The record of the call it is in then
 *	says after whom: the slot of that holder, and where its ring was.
 *
 *	A follower with such a record waits until that thread of its own variant
 *	rests at the call it stood at then (cursor->at).  All code that ran before
 *	in the leader has run in the follower by then, because the other thread
 *	had to wait in the same way; these edges are the whole order.
 *
 *	A follower that makes a private call (private.c), which the leader may not
 *	make at all, does not rest there.  If somebody waits for it to rest where
 *	the ring ends, the leader sleeps in another call, and this one is its own.
 *
 * monitord takes part when somebody who stands there wants the turn: it sets
 * turn->monitor, so that nobody takes it any more, and takes it like everybody
 * else; turn->tell has the holder say when it goes to sleep.
 *
 * Waiting.  A holder that goes to sleep wakes one who waits; one that may sleep
 * but mostly does not (a transfer) wakes nobody, those who wait look at it after
 * a while.  Taking the turn from it at once would be fairer, and two switches of
 * the processor for each call.  Who has waited for long in vain is next: others
 * leave it the turn; and who makes many calls without sleeping goes to sleep in
 * between (turn_yield).
 *
 * A lock is free between its release and the wake that follows, and who is woken
 * finds it taken again if the turn changes at other calls only: natively threads
 * run beside each other, and he gets it some time.  So who has waited at the same
 * futex for VAIN times, doing nothing in between, says so (turn->starved), and the
 * next wake there gives the turn away (turn_wake).  So does every WAKES_KEPT-th wake of
 * a thread: what somebody is woken for may be over, or asked of him once more, before
 * he has the turn, and what else he does in between may be anything (a collector that
 * stops a thread and lets it go on until it is where it may stay).
 *
 * Our futex calls may end early: every sleep is in a loop, and bounded.
 */
#include "hold.h"
#include "turn.h"

#define NR_FUTEX	202
#define FUTEX_WAIT_	0
#define FUTEX_WAKE_	1
#define CLOCK_MONOTONIC_ 1

/* Looks at the word before the first sleep, and before each further one. */
#define LOOKS(ctx)	((ctx)->spin_max / 5 + 1)
#define MORE_LOOKS(ctx)	((ctx)->spin_max / 40 + 1)
#define LOOK_NS		300000	/* sleep, then look at a transfer again, each */
#define LOOK_MAX_NS	10000000 /* time twice as long, to this */
#define REST_NS		1000000	/* for a sibling, each time twice as long, */
#define REST_MAX_NS	8000000	/* to this: it wakes us, mostly */
#define PATIENCE	4u	/* sleeps until one is next */
#define CALLS		64u	/* with the turn, while others want it, */
#define CALLS_MONITOR	16u	/* or monitord does for somebody */
#define CALLS_OFTEN	16u	/* times as many of instructions, for they cost little, */
#define CALLS_HELD	4u	/* or of calls, if it holds outputs: all wait
				 * for its followers */
#define SLICE_NS	10000000 /* or so long, which is much computation for few
				 * calls */
#define ALONE		1024u	/* private calls without another one between them, */
#define ALONE_MONITOR	256u
#define ALONE_LEAST	16u	/* or so many */
#define ALONE_NS	40000000 /* within not less than this */

#define VAIN		8u
#define WAKES_KEPT	32u
#define GIVE_NS		50000	/* who was woken takes it within some of these */
#define GIVE_NAPS	10u

static struct ipmon_turn *ctx_turn(const struct ipmon_ctx *ctx)
{
	/* monitord may give another one while we are in the kernel */
	return (void *)(uintptr_t)*(volatile const uint64_t *)&ctx->turn;
}

void turn_nap(uint32_t *word, uint32_t seen, int64_t ns)
{
	const int64_t timeout[2] = { 0, ns };
	const struct ipmon_call call = {
		NR_FUTEX, { (uint64_t)(uintptr_t)word, FUTEX_WAIT_, seen,
			    (uint64_t)(uintptr_t)timeout }
	};

	ipmon_gate_raw(&call);
}

static void wake_on(const uint32_t *word, unsigned int n)
{
	const struct ipmon_call call = {
		NR_FUTEX, { (uint64_t)(uintptr_t)word, FUTEX_WAKE_, n }
	};

	ipmon_gate_raw(&call);
}

static void tell(void)
{
	const struct ipmon_call call = { IPMON_NR_TURN, { 0 } };

	ipmon_gate_raw(&call);
}

/* ---- leader ---- */

/* The leader's cursor of a slot: its thread sleeps there. */
static struct ipmon_cursor *waiter(const struct ipmon_ctx *ctx,
				   unsigned int slot)
{
	return (void *)((char *)ctx_cursors(ctx) +
			((int64_t)slot - ctx->slot) * 4096);
}

#define WORDS (IPMON_SLOTS / 64)

static uint64_t wants(const struct ipmon_turn *t, unsigned int word)
{
	return __atomic_load_n(&t->want[word % WORDS], __ATOMIC_RELAXED);
}

static int wanted(const struct ipmon_turn *t)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < WORDS; i++)
		any |= wants(t, i);
	return any != 0;
}

/* The next slot that waits, looking from the one after our own; -1: none. */
static int next_waiter(const struct ipmon_ctx *ctx, const struct ipmon_turn *t)
{
	unsigned int word = ctx->slot / 64, bit = ctx->slot % 64, i;
	uint64_t after = wants(t, word) & ~(~0ull >> (63 - bit));

	for (i = 0; !after && i < WORDS; i++)
		after = wants(t, ++word);
	return after ? (int)(word % WORDS * 64) + __builtin_ctzll(after) : -1;
}

/* Who is next, if it waits; -1: nobody. */
static int next_one(const struct ipmon_turn *t)
{
	uint32_t next = __atomic_load_n(&t->next, __ATOMIC_RELAXED) - 1;

	return next < IPMON_SLOTS && wants(t, next / 64) >> next % 64 & 1 ?
		(int)next : -1;
}

static void name_next(struct ipmon_turn *t, int slot)
{
	if (slot >= 0 && next_one(t) < 0)
		__atomic_store_n(&t->next, (uint32_t)slot + 1,
				 __ATOMIC_RELAXED);
}

/* One of those that wait: who has waited for too long, else they take turns. */
static void wake_waiter(struct ipmon_ctx *ctx, struct ipmon_turn *t)
{
	int slot = next_waiter(ctx, t), next = next_one(t);
	struct ipmon_cursor *c;

	if (slot < 0)
		return;
	if (next >= 0)
		slot = next;
	c = waiter(ctx, (unsigned int)slot);
	__atomic_add_fetch(&c->at_wake, 1, __ATOMIC_SEQ_CST);
	wake_on(&c->at_wake, 1);
	ctx->n_wakes++;
}

void turn_leave_slow(struct ipmon_ctx *ctx, unsigned int plan_flags)
{
	struct ipmon_turn *t = ctx_turn(ctx);
	int slot = (int)ctx->slot;

	/* whoever takes it from us now comes after the same one as we did */
	__atomic_store_n(&t->carry, ctx->p.turn, __ATOMIC_RELAXED);
	if (!(plan_flags & PLAN_BLOCK)) {
		/* release: the ring's head has been published */
		__atomic_store_n(&t->word, TURN_WORD(TURN_CALL, slot),
				 __ATOMIC_RELEASE);
		return;
	}
	/* the word comes before the looks at who wants it */
	__atomic_exchange_n(&t->word, TURN_WORD(TURN_SLEEP, slot),
			    __ATOMIC_SEQ_CST);
	ctx->turn_calls = 0;
	ctx->turn_since = 0;
	if (__atomic_load_n(&t->tell, __ATOMIC_SEQ_CST))
		tell();
	if (!__atomic_load_n(&t->monitor, __ATOMIC_SEQ_CST))
		wake_waiter(ctx, t);
}

static uint64_t ring_head_of(const struct ipmon_ctx *ctx, int slot)
{
	const struct ipmon_ring *r = ctx_ring(ctx);

	return __atomic_load_n(&r[slot - (int)ctx->slot].head,
			       __ATOMIC_ACQUIRE);
}

/* Take it, if its holder lets it go.  After some sleeps also from one in a
 * transfer, and after many in front of whoever is next, who may be stopped. */
static int take(struct ipmon_ctx *ctx, struct ipmon_turn *t,
		unsigned int sleeps)
{
	uint64_t word = __atomic_load_n(&t->word, __ATOMIC_ACQUIRE);
	uint64_t mine = TURN_WORD(TURN_RUN, (int)ctx->slot);
	int slot = TURN_SLOT(word), next = next_one(t);

	/* monitord has given it */
	if (word == mine)
		return 1;
	if (__atomic_load_n(&t->monitor, __ATOMIC_SEQ_CST) ||
	    (next >= 0 && next != (int)ctx->slot && sleeps <= PATIENCE))
		return 0;
	switch (TURN_STATE(word)) {
	case TURN_FREE:
	case TURN_SLEEP:
		break;
	case TURN_CALL:
		if (sleeps)
			break;
		return 0;
	default:
		return 0;
	}
	if (!__atomic_compare_exchange_n(&t->word, &word, mine, 0,
					 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return 0;
	__atomic_add_fetch(&t->taken, 1, __ATOMIC_RELAXED);
	/* its head does not move while it is in the kernel */
	if (slot >= 0 && slot < (int)IPMON_SLOTS) {
		ctx->p.turn = __atomic_load_n(&t->carry, __ATOMIC_RELAXED);
		if (!ctx->p.turn)
			ctx->p.turn = RECORD_TURN(slot,
						  ring_head_of(ctx, slot));
	}
	return 1;
}

static void wait_turn(struct ipmon_ctx *ctx)
{
	struct ipmon_cursor *own = ctx_cursors(ctx);
	uint64_t bit = 1ull << ctx->slot % 64;
	unsigned int word = ctx->slot / 64;
	int64_t look = LOOK_NS;
	struct ipmon_turn *t = NULL, *now;
	unsigned int sleeps, i;
	uint32_t seen;

	for (sleeps = 0; ; sleeps++) {
		now = ctx_turn(ctx);
		/* each time: monitord may have taken us off */
		__atomic_or_fetch(&now->want[word], bit, __ATOMIC_SEQ_CST);
		if (now != t) {
			t = now;
			if (__atomic_load_n(&t->tell, __ATOMIC_SEQ_CST))
				tell();
		}
		seen = __atomic_load_n(&own->at_wake, __ATOMIC_ACQUIRE);
		for (i = sleeps ? MORE_LOOKS(ctx) : LOOKS(ctx); i; i--) {
			if (take(ctx, t, sleeps))
				goto taken;
			if (i > 1)
				__builtin_ia32_pause();
		}
		if (sleeps == PATIENCE)
			name_next(t, (int)ctx->slot);
		ctx->n_waits++;
		turn_nap(&own->at_wake, seen, look);
		if (look < LOOK_MAX_NS)
			look *= 2;
	}
taken:
	__atomic_and_fetch(&t->want[word], ~bit, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&t->next, __ATOMIC_RELAXED) == ctx->slot + 1)
		__atomic_store_n(&t->next, 0, __ATOMIC_RELAXED);
	ctx->turn_calls = 0;
	ctx->turn_since = 0;
}

void turn_back_slow(struct ipmon_ctx *ctx)
{
	struct ipmon_turn *t = ctx_turn(ctx);
	uint64_t word = __atomic_load_n(&t->word, __ATOMIC_RELAXED);

	if (TURN_SLOT(word) == (int)ctx->slot &&
	    next_one(t) < 0 &&
	    __atomic_compare_exchange_n(&t->word, &word,
					TURN_WORD(TURN_RUN, (int)ctx->slot), 0,
					__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return;
	/* it is left to who is next, who may be in a long sleep */
	if (TURN_SLOT(word) == (int)ctx->slot && next_one(t) >= 0)
		wake_waiter(ctx, t);
	wait_turn(ctx);
}

uint64_t leader_ns(const struct ipmon_ctx *ctx)
{
	typedef int (*clock_fn)(int32_t id, struct ipmon_time *t);
	clock_fn fn = (clock_fn)(uintptr_t)ctx->time;
	struct ipmon_time t;

	if (!fn || fn(CLOCK_MONOTONIC_, &t))
		return 0;
	return (uint64_t)t.sec * 1000000000u + (uint64_t)t.nsec;
}

/* Is a time over that begins now, if it has not begun? */
static int is_over(const struct ipmon_ctx *ctx, uint64_t *since, uint64_t ns)
{
	uint64_t now = leader_ns(ctx);

	if (!now)
		return 0;
	if (!*since)
		*since = now;
	return now - *since > ns;
}

/*
 * A follower that does not make this private call rests at its next common one,
 * where it may have locked, or let go, something that the leader has not: what
 * others do there is not what they did here.  So common calls are where the turn
 * changes, and this one only if there seem to be no such, as in a loop that looks at
 * the clock.  Where variants have been seen to make different private calls, that
 * they are many must say so: a collector reads the clock before and after a phase of
 * any length, and time goes by for who has no processor.
 */
static int nothing_common(struct ipmon_ctx *ctx, int asked)
{
	uint32_t apart = __atomic_load_n(&ctx_cursors(ctx)[0].apart,
					 __ATOMIC_RELAXED);

	if (ctx->alone_commons != ctx->commons) {
		ctx->alone_commons = ctx->commons;
		ctx->alone_since = 0;
		ctx->alone_n = 0;
	}
	if (++ctx->alone_n > (asked ? ALONE_MONITOR : ALONE))
		return 1;
	return is_over(ctx, &ctx->alone_since, ALONE_NS) && !apart &&
		ctx->alone_n > ALONE_LEAST;
}

static int enough_common(struct ipmon_ctx *ctx, int asked, enum turn_at at)
{
	uint32_t more = at == TURN_OFTEN ? CALLS_OFTEN :
		hold_any(ctx) ? CALLS_HELD : 1;

	return ++ctx->turn_calls >= (asked ? CALLS_MONITOR : CALLS) * more ||
		is_over(ctx, &ctx->turn_since, SLICE_NS);
}

void turn_yield_slow(struct ipmon_ctx *ctx, uint64_t nr, enum turn_at at)
{
	struct ipmon_turn *t = ctx_turn(ctx);
	int asked = __atomic_load_n(&t->tell, __ATOMIC_RELAXED) != 0;

	if (!asked && !wanted(t)) {
		ctx->turn_since = ctx->alone_since = 0;
		ctx->alone_n = 0;
		return;
	}
	if (at == TURN_PRIVATE ? !nothing_common(ctx, asked) :
	    at != TURN_WAITS && !enough_common(ctx, asked, at))
		return;
	ctx->alone_since = 0;
	ctx->alone_n = 0;
	hold_drain(ctx);
	if (ctx->followers)
		leader_yields(ctx, nr, 0, 0);
	/* Who holds outputs keeps the turn in transfers: a waiter that is only
	 * woken would find it taken back.  Who waits has nothing else to do with it. */
	if (ctx->hold || at == TURN_WAITS)
		name_next(t, next_waiter(ctx, t));
	turn_leave_slow(ctx, PLAN_BLOCK);
	turn_back_slow(ctx);
}

void turn_futex_slow(struct ipmon_ctx *ctx, uint64_t nr, uint64_t addr,
		     enum turn_futex how)
{
	struct ipmon_turn *t = ctx_turn(ctx);

	ctx->gives = 0;
	if (how == FUTEX_WAITS) {
		ctx->vain = addr == ctx->vain_addr &&
			ctx->n_calls == ctx->vain_at + 1 ? ctx->vain + 1 : 0;
		ctx->vain_addr = addr;
		ctx->vain_at = ctx->n_calls;
		if (ctx->vain >= VAIN)
			__atomic_store_n(&t->starved, addr, __ATOMIC_RELAXED);
		return;
	}
	if (__atomic_load_n(&t->starved, __ATOMIC_RELAXED) == addr)
		__atomic_store_n(&t->starved, 0, __ATOMIC_RELAXED);
	/* a private one may be made by some variants alone: nothing_common() */
	else if ((how == FUTEX_WAKES_PRIVATE &&
		  __atomic_load_n(&ctx_cursors(ctx)[0].apart,
				  __ATOMIC_RELAXED)) ||
		 ++ctx->wakes_kept < WAKES_KEPT)
		return;
	ctx->wakes_kept = 0;
	hold_drain(ctx);
	/* a wake may be private: followers are to rest at this one */
	if (ctx->followers)
		leader_yields(ctx, nr, 0, 0);
	ctx->gives = 1;
}

int64_t turn_wake(struct ipmon_ctx *ctx, const struct ipmon_call *call)
{
	struct ipmon_cursor *own = ctx_cursors(ctx);
	struct ipmon_turn *t = ctx_turn(ctx);
	const uint64_t mine = TURN_WORD(TURN_SLEEP, (int)ctx->slot);
	unsigned int naps;
	int64_t ret;

	turn_leave_slow(ctx, PLAN_BLOCK);
	ret = ipmon_gate_call(call);
	for (naps = 0; ret > 0 && naps < GIVE_NAPS &&
	     __atomic_load_n(&t->word, __ATOMIC_RELAXED) == mine; naps++)
		turn_nap(&own->at_wake,
			 __atomic_load_n(&own->at_wake, __ATOMIC_RELAXED),
			 GIVE_NS);
	turn_back_slow(ctx);
	return ret;
}

/* ---- follower ---- */

void turn_rest_slow(struct ipmon_ctx *ctx)
{
	struct ipmon_cursor *c = &ctx_cursors(ctx)[ctx->variant];

	/* release: what the program did comes before */
	__atomic_store_n(&c->at, ctx->c.tail, __ATOMIC_RELEASE);
	/* ... the looks at who wants to know */
	ring_fence();
	if (__atomic_load_n(&c->at_wanted, __ATOMIC_RELAXED)) {
		__atomic_store_n(&c->at_wanted, 0, __ATOMIC_RELAXED);
		__atomic_add_fetch(&c->at_wake, 1, __ATOMIC_SEQ_CST);
		wake_on(&c->at_wake, 0x7fffffff);
	}
	if (__atomic_load_n(&ctx_turn(ctx)->sync, __ATOMIC_RELAXED))
		tell();
}

int turn_awaited_slow(struct ipmon_ctx *ctx)
{
	const struct ipmon_cursor *c = &ctx_cursors(ctx)[ctx->variant];

	/* acquire: at_pos was written before */
	return __atomic_load_n(&c->at_wanted, __ATOMIC_ACQUIRE) &&
		(int64_t)(__atomic_load_n(&c->at_pos, __ATOMIC_RELAXED) -
			  ctx->c.tail) >= 0;
}

static int rests(const struct ipmon_cursor *c, uint64_t pos)
{
	/* acquire: what it did has been done */
	return (int64_t)(__atomic_load_n(&c->at, __ATOMIC_ACQUIRE) - pos) >= 0;
}

void turn_follow_slow(struct ipmon_ctx *ctx, const struct ipmon_record *rec)
{
	int slot = RECORD_TURN_SLOT(rec->turn), d;
	uint64_t pos = RECORD_TURN_POS(rec->turn);
	struct ipmon_cursor *own, *c;
	int64_t nap = REST_NS;
	struct ipmon_ring *r;
	unsigned int i;
	uint32_t seen;

	turn_rest_slow(ctx);
	if (slot < 0 || slot >= (int)IPMON_SLOTS)
		return;
	d = slot - (int)ctx->slot;
	own = &ctx_cursors(ctx)[ctx->variant];
	c = (void *)((char *)own + (int64_t)d * 4096);
	r = ctx_ring(ctx) + d;
	for (i = LOOKS(ctx); i; i--) {
		if (rests(c, pos))
			return;
		__builtin_ia32_pause();
	}
	__atomic_store_n(&own->waits_turn, 1, __ATOMIC_RELAXED);
	while (!rests(c, pos)) {
		seen = __atomic_load_n(&c->at_wake, __ATOMIC_RELAXED);
		__atomic_store_n(&c->at_pos, pos, __ATOMIC_RELAXED);
		__atomic_store_n(&c->at_wanted, 1, __ATOMIC_RELEASE);
		/* as in turn_rest_slow() */
		ring_fence();
		if (rests(c, pos))
			break;
		/* its leader had no reason to wake it yet */
		if (__atomic_load_n(&c->sleeping, __ATOMIC_RELAXED))
			wake_on(&r->wake, 0x7fffffff);
		ctx->n_waits++;
		turn_nap(&c->at_wake, seen, nap);
		if (nap < REST_MAX_NS)
			nap *= 2;
	}
	__atomic_store_n(&own->waits_turn, 0, __ATOMIC_RELAXED);
}
