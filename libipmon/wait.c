// SPDX-License-Identifier: Apache-2.0
/*
 * Waiting and waking.
 *
 * Theory of operation
 * -------------------
 * A follower streams: it goes on from record to record, and when there is none
 * it looks a while longer (spins) and then sleeps on ring->wake.  Waking it costs
 * the leader a kernel entry and often a wake-up across cores, many times the
 * price of a call, so it is put off until it matters:
 *
 *	the leader is about to wait for an event (PLAN_BLOCK): it has time
 *	the follower is half of what is allowed behind (lag_check)
 *	the leader waits for the follower (verified call, no room)
 *	every LAZY-th call that may block but mostly does not (PLAN_TRANSFER)
 *	the leader stands at a rendezvous: monitord wakes
 *
 * monitord may wake a follower for any other reason (time): it looks at the
 * ring again.
 *
 * The leader sleeps on the cursor's `space`, having written which position it
 * needs: the follower that gets there wakes it.
 *
 * Spinning is for a leader that waits (verified) for a follower that is awake,
 * and for the follower of one that has just waited for it: both are there again
 * within a microsecond, if they have a processor each.  A follower that nobody
 * waits for sleeps, to be woken when there is much to do; a leader that has had to
 * wake one sleeps meanwhile, and finds more to do at once when it comes back.  A
 * processor kept busy by waiting is missing elsewhere.
 *
 * How long to spin is learnt: twice as long as the last spin took that was not in
 * vain; a vain one halves it.  But two who always sleep before the other one has
 * been woken would never meet: so now and then, ever more rarely, a spin is as
 * long as ctx->spin_max, which is more than a wake takes (monitord/placement.c).  Who
 * was last seen on this very processor is not spun for: as long as it is kept busy,
 * nobody comes.
 *
 * A follower that catches up may have much to do.  The peers of the leader, who have
 * nothing to do but what it answers, come to its processor then, or wait for the
 * follower's time to end: so it offers its processor every few records.
 *
 * A leader that holds outputs (hold.c) runs on and wakes its followers a few times
 * between two sleeps of its own: woken for each they would find one, and sleep again.
 * Or, where that turns out to be faster, nobody sleeps that soon (pace.c).
 * (Followers that nap and look by themselves, 50 us at a time, were tried: they
 * take from the peers' processors what the leader saves.)
 *
 * Our own futex calls may end early for any reason (a stop by monitord, a
 * restarted call): every sleep is in a loop around its condition.
 */
#include "more.h"
#include "pace.h"
#include "turn.h"

#define NR_SCHED_YIELD	24
#define NR_FUTEX	202
#define FUTEX_WAIT_	0
#define FUTEX_WAKE_	1

#define LAZY		1024u
#define SPIN_LEAST	16u
#define EVERY_LEAST	8u
#define EVERY_MOST	1024u
#define AWAITED		4u
#define OFFER		128u	/* records between two offers of the processor */
#define MOVE_SPINS	8u	/* times spin_max */

/* A follower may be dropped while we wait for it: look at ctx->followers again
 * after this long. */
#define LOOK_NS		100000000

static void futex_wait(uint32_t *word, uint32_t seen, const int64_t timeout[2])
{
	const struct ipmon_call call = {
		NR_FUTEX, { (uint64_t)(uintptr_t)word, FUTEX_WAIT_, seen,
			    (uint64_t)(uintptr_t)timeout }
	};

	ipmon_gate_raw(&call);
}

static void futex_wake(uint32_t *word)
{
	const struct ipmon_call call = {
		NR_FUTEX, { (uint64_t)(uintptr_t)word, FUTEX_WAKE_, 0x7fffffff }
	};

	ipmon_gate_raw(&call);
}

/* How long the next spin is: long, if it is time to try that. */
static uint32_t spin_len(struct ipmon_ctx *ctx)
{
	if (ctx->spin_vain >= ctx->spin_every) {
		ctx->spin_vain = 0;
		ctx->spin_every = ctx->spin_every < EVERY_MOST / 2 ?
			(uint16_t)(ctx->spin_every * 2 + EVERY_LEAST) :
			EVERY_MOST;
		return ctx->spin_max;
	}
	return ctx->spin < SPIN_LEAST ? SPIN_LEAST :
		ctx->spin > ctx->spin_max ? ctx->spin_max : ctx->spin;
}

/* Spin until the position at *word has reached `from`; 0: in vain. */
static int spin(struct ipmon_ctx *ctx, const uint64_t *word, uint64_t from)
{
	uint32_t n, i, enough;

	if (!ctx->spin_max)
		return 0;
	n = spin_len(ctx);
	for (i = 0; i < n; i++) {
		if ((int64_t)(__atomic_load_n(word, __ATOMIC_ACQUIRE) - from) >=
		    0) {
			enough = 2 * i + SPIN_LEAST;
			ctx->spin = enough > ctx->spin ? enough :
				ctx->spin - (ctx->spin - enough) / 8;
			ctx->spin_every = EVERY_LEAST;
			ctx->stacked_enough -= ctx->stacked_enough / 16;
			return 1;
		}
		__builtin_ia32_pause();
	}
	ctx->spin /= 2;
	ctx->spin_vain++;
	return 0;
}

/* Spin for a follower that is changing its processor (placement.c). */
static int arrives(const struct ipmon_ctx *ctx, const struct ipmon_cursor *c,
		   uint64_t pos)
{
	for (uint32_t n = MOVE_SPINS * ctx->spin_max;
	     n && __atomic_load_n(&c->moving, __ATOMIC_RELAXED); n--) {
		if ((int64_t)(__atomic_load_n(&c->tail, __ATOMIC_ACQUIRE) -
			      pos) >= 0)
			return 1;
		__builtin_ia32_pause();
	}
	return 0;
}

/* Who was last seen on this processor hardly runs while we do. */
static int stacked(uint32_t cpu_1)
{
	return cpu_1 == this_cpu() + 1;
}

static void tell_cpu(struct ipmon_cursor *c)
{
	uint32_t cpu_1 = this_cpu() + 1;

	if (__atomic_load_n(&c->cpu, __ATOMIC_RELAXED) != cpu_1)
		__atomic_store_n(&c->cpu, cpu_1, __ATOMIC_RELAXED);
}

/* ---- leader ---- */

int wake_followers(struct ipmon_ctx *ctx)
{
	struct ipmon_ring *r = ctx_ring(ctx);
	struct ipmon_cursor *cur = ctx_cursors(ctx);
	uint64_t mask = ctx->followers;
	int sleeping = 0;

	ctx->lazy = 0;
	/* what was published comes before the look at `sleeping` */
	ring_fence();
	for (unsigned int v = 0; mask; v++, mask >>= 1)
		if ((mask & 1) &&
		    __atomic_load_n(&cur[v].sleeping, __ATOMIC_RELAXED))
			sleeping = 1;
	if (!sleeping)
		return 0;
	/* monitord counts it up as well */
	__atomic_add_fetch(&r->wake, 1, __ATOMIC_SEQ_CST);
	futex_wake(&r->wake);
	ctx->n_wakes++;
	return 1;
}

/*
 * A bound in calls: looked at every half of it (the whole, if it is 1), when
 * followers must have come to where the ring was the last time.
 */
static void calls_check(struct ipmon_ctx *ctx)
{
	uint32_t half = ctx->max_lag_records / 2;

	if (++ctx->lag_calls < half)
		return;
	ctx->lag_calls = 0;
	leader_wait(ctx, half ? ctx->lag_mark : ctx->p.head);
	ctx->lag_mark = ctx->p.head;
	wake_followers(ctx);
}

void lag_check(struct ipmon_ctx *ctx)
{
	if (ctx->max_lag_records) {
		/* come again at the next call */
		ctx->p.wake_at = ctx->p.head;
		calls_check(ctx);
		if ((int64_t)(ctx->p.head - ctx->lag_wake_at) < 0)
			return;
		ctx->lag_wake_at = ctx->p.head + ctx_capacity(ctx) / 2;
		wake_followers(ctx);
		return;
	}
	ctx->p.wake_at = ctx->p.head + ctx_capacity(ctx) / 2;
	wake_followers(ctx);
}

/* Do sleepers have anything to read? A sleeper's tail does not move. */
static int worth_waking(const struct ipmon_ctx *ctx)
{
	const struct ipmon_cursor *cur = ctx_cursors(ctx);
	uint64_t mask = ctx->followers;

	for (unsigned int v = 0; mask; v++, mask >>= 1)
		if ((mask & 1) &&
		    __atomic_load_n(&cur[v].sleeping, __ATOMIC_RELAXED) &&
		    __atomic_load_n(&cur[v].tail, __ATOMIC_RELAXED) !=
		    ctx->p.head)
			return 1;
	return 0;
}

void before_block(struct ipmon_ctx *ctx, unsigned int plan_flags)
{
	if (plan_flags & PLAN_BLOCK) {
		__atomic_store_n(&ctx_ring(ctx)->state, RING_BLOCKED,
				 __ATOMIC_RELAXED);
		/* as in wake_followers() */
		ring_fence();
		if (worth_waking(ctx))
			wake_followers(ctx);
	} else if (worth_waking(ctx) && ++ctx->lazy >= LAZY) {
		wake_followers(ctx);
	}
}

void after_block(struct ipmon_ctx *ctx, unsigned int plan_flags)
{
	if (plan_flags & PLAN_BLOCK)
		__atomic_store_n(&ctx_ring(ctx)->state, RING_RUNNING,
				 __ATOMIC_RELAXED);
}

static int passed(const struct ipmon_cursor *cur, uint64_t pos)
{
	/* acquire: see ring.h */
	return (int64_t)(__atomic_load_n(&cur->tail, __ATOMIC_ACQUIRE) - pos) >=
		0;
}

void leader_wait(struct ipmon_ctx *ctx, uint64_t pos)
{
	static const int64_t look[2] = { 0, LOOK_NS };
	struct ipmon_cursor *cur = ctx_cursors(ctx);
	struct ipmon_ring *r = ctx_ring(ctx);
	int woken = 0, slept = 0;

	if (ctx->more)
		more_over(ctx);
	for (unsigned int v = 1; v < IPMON_MAX_VARIANTS; v++) {
		struct ipmon_cursor *c = &cur[v];

		/* the mask shrinks when monitord drops a follower */
		while ((*(volatile uint64_t *)&ctx->followers >> v & 1) &&
		       !passed(c, pos)) {
			uint32_t seen;

			if (!woken) {
				slept = wake_followers(ctx);
				woken = 1;
			}
			if (!slept && (pace_awake(ctx) ?
				       pace_wait(ctx, &c->tail, pos) :
				       (!stacked(c->cpu) &&
					spin(ctx, &c->tail, pos)) ||
				       arrives(ctx, c, pos)))
				continue;
			ctx->n_waits++;
			__atomic_store_n(&r->state, RING_WAITING,
					 __ATOMIC_RELAXED);
			seen = __atomic_load_n(&c->space, __ATOMIC_RELAXED);
			__atomic_store_n(&c->want, pos, __ATOMIC_RELAXED);
			/* release: the follower that sees it sees want */
			__atomic_store_n(&c->leader_waits, 1, __ATOMIC_RELEASE);
			/* the flag comes before the second look at tail */
			ring_fence();
			__atomic_store_n(&r->waited, (uint32_t)ctx->n_waits <<
					 12 | this_cpu(), __ATOMIC_RELAXED);
			if (!passed(c, pos))
				futex_wait(&c->space, seen, look);
			__atomic_store_n(&c->leader_waits, 0, __ATOMIC_RELAXED);
			__atomic_store_n(&r->state, RING_RUNNING,
					 __ATOMIC_RELAXED);
			/* it may have gone to sleep in between */
			woken = 0;
		}
	}
}

/* ---- follower ---- */

static void wake_leader(struct ipmon_ctx *ctx, struct ipmon_cursor *c)
{
	/* acquire: want was written before leader_waits */
	if (!__atomic_load_n(&c->leader_waits, __ATOMIC_ACQUIRE) ||
	    (int64_t)(ctx->c.tail -
		      __atomic_load_n(&c->want, __ATOMIC_RELAXED)) < 0)
		return;
	__atomic_store_n(&c->leader_waits, 0, __ATOMIC_RELAXED);
	__atomic_add_fetch(&c->space, 1, __ATOMIC_SEQ_CST);
	futex_wake(&c->space);
	ctx->n_wakes++;
}

void follower_consumed(struct ipmon_ctx *ctx, unsigned int rec_flags)
{
	static const struct ipmon_call offer = { NR_SCHED_YIELD, { 0 } };
	struct ipmon_cursor *c = &ctx_cursors(ctx)[ctx->variant];

	/*
	 * A leader may wait for just this record (verified): tail comes before
	 * the look at its flag.  Otherwise it waits for room, more records
	 * will be consumed, and follower_next() looks before it waits.
	 */
	if (rec_flags & REC_INPUTS) {
		ctx->awaited = AWAITED;
		tell_cpu(c);
		__atomic_store_n(&c->moving, 0, __ATOMIC_RELAXED);
		ring_fence();
	} else if (ctx->awaited) {
		ctx->awaited--;
	} else {
		ctx->lazy++;
	}
	if (__atomic_load_n(&c->leader_waits, __ATOMIC_RELAXED))
		wake_leader(ctx, c);
	if (ctx->lazy >= OFFER) {
		ctx->lazy = 0;
		ipmon_gate_raw(&offer);
	}
}

static int trapped(const struct ipmon_ring *r)
{
	/* acquire: whatever was published before monitord wrote it is seen */
	return __atomic_load_n(&r->state, __ATOMIC_ACQUIRE) == RING_TRAPPED;
}

/* No call.  A word is for the call that it belongs to: not there yet. */
static int passed_by(const struct ipmon_ctx *ctx, const struct ipmon_record *rec)
{
	return rec->flags & REC_YIELD &&
		(!(rec->flags & REC_WORD) || ctx->word_at);
}

/* Before its call is over for the leader: what the owner of a lock looks at.  A word
 * that is not there is so at the end of the call as well. */
static void told_word(const struct ipmon_ctx *ctx, const struct ipmon_record *rec)
{
	uint32_t word = (uint32_t)rec->ret;

	if (rec->flags & REC_WORD &&
	    mem_put(ctx->word_at, &word, sizeof(word)))
		return;
}

/* + 1: where the leader last slept, waiting for followers; 0: it never did. */
static uint32_t leader_cpu(const struct ipmon_ring *r)
{
	uint32_t waited = __atomic_load_n(&r->waited, __ATOMIC_RELAXED);

	return waited ? (waited & 0xfff) + 1 : 0;
}

enum next_status follower_next(struct ipmon_ctx *ctx, struct ipmon_record *rec,
			       uint32_t private)
{
	struct ipmon_ring *r = ctx_ring(ctx);
	struct ipmon_cursor *c = &ctx_cursors(ctx)[ctx->variant];
	uint32_t seen;
	int at_rendezvous;

	for (;;) {
		/* in this order: a record published before the rendezvous
		 * must not be overlooked */
		at_rendezvous = ctx->c.tail == ctx->c.head && trapped(r);
		switch (ring_next(r, c, &ctx->c, rec)) {
		case RING_RECORD:
			if (passed_by(ctx, rec)) {
				turn_follow(ctx, rec);
				told_word(ctx, rec);
				ring_consume(c, &ctx->c, rec->size);
				ctx->yielded = rec->nr + 1u;
				continue;
			}
			ctx->yielded = 0;
			return NEXT_RECORD;
		case RING_BAD:
			return NEXT_BAD;
		default:
			break;
		}
		if (at_rendezvous)
			return NEXT_TRAPPED;
		if (!private || ctx->yielded == private)
			turn_rest(ctx);
		else if (turn_awaited(ctx)) {
			/* they may wait for what has been published since: that is
			 * to be seen now */
			if (__atomic_load_n(&r->head, __ATOMIC_ACQUIRE) !=
			    ctx->c.tail)
				continue;
			return NEXT_ALONE;
		}
		/* skips may have made room */
		if (__atomic_load_n(&c->leader_waits, __ATOMIC_RELAXED))
			wake_leader(ctx, c);
		if (pace_awake(ctx)) {
			if (pace_wait(ctx, &r->head, ctx->c.tail + 1))
				continue;
		} else if (ctx->awaited && !stacked(leader_cpu(r)) &&
			   __atomic_load_n(&r->state, __ATOMIC_RELAXED) !=
			   RING_BLOCKED && spin(ctx, &r->head, ctx->c.tail + 1)) {
			continue;
		}
		if (leave_leader(ctx)) {
			/* now both can be awake */
			ctx->spin = ctx->spin_max;
			tell_cpu(c);
			continue;
		}
		ctx->n_waits++;
		seen = __atomic_load_n(&r->wake, __ATOMIC_RELAXED);
		__atomic_store_n(&c->moving, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&c->sleeping, 1, __ATOMIC_RELAXED);
		/* the flag, and the tail, come before the looks at head, state
		 * and leader_waits */
		ring_fence();
		if (__atomic_load_n(&c->leader_waits, __ATOMIC_RELAXED))
			wake_leader(ctx, c);
		if (__atomic_load_n(&r->head, __ATOMIC_ACQUIRE) ==
		    ctx->c.tail && !trapped(r) &&
		    !(private && ctx->yielded != private &&
		      turn_awaited(ctx)))
			futex_wait(&r->wake, seen, NULL);
		tell_cpu(c);
		__atomic_store_n(&c->sleeping, 0, __ATOMIC_RELAXED);
	}
}
