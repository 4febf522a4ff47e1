// SPDX-License-Identifier: Apache-2.0
/*
 * Private calls when the others are handled in-process.
 *
 * Theory of operation
 * -------------------
 * solo.c lets a variant make a private call alone when all have arrived at a
 * rendezvous and differ.  Here the leader may be anywhere:
 *
 *  - Records of private calls (clocks, ...) lie in the ring that only the
 *    leader made, or that the follower will make yet.  At a rendezvous in a
 *    call common to both it becomes clear: the follower skips what is left.
 *    (At its next in-process call it does so itself.)
 *    A record may say that others had the turn meanwhile: then it is gone over
 *    when this variant's have come as far (turn.c), and the rendezvous waits.
 *  - A follower arrives with a private call and records unread: the leader has
 *    not made it before those, so the follower makes it alone.
 *  - A follower arrives with another call and records unread that are not of
 *    private ones: the variants differ.
 *  - A follower stands at a private call when the leader falls asleep in another, or
 *    arrives with one of everybody's, and nothing is unread: the follower makes it
 *    alone.  Siblings may have to wait for it to come to where its leader is.
 *  - The leader arrives with a private call, a follower waits for a record of
 *    another: the leader makes its call alone.
 */
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ipmon/abi.h>
#include "../libipmon/core/decide.h"
#include "../libipmon/core/ring.h"
#include "fast.h"
#include "fast_report.h"
#include "fast_solo.h"
#include "own.h"
#include "solo.h"
#include "tracee.h"
#include "turn.h"

/*
 * Go over the private records at a follower's tail.  True: there are others
 * behind them.  What a follower that was taken over wrote into its cursor leads
 * nowhere: every position is taken modulo the ring.  wait: not over one before
 * which siblings have something to do; says whether there is one.
 */
static bool over_private(const struct taskset *s, unsigned int v,
			 struct ipmon_consumer *c, bool *wait)
{
	const struct ipmon_ring *r = fast_ring(s);
	struct ipmon_cursor mine = { 0 };
	struct ipmon_record rec;
	/* once: a leader that goes on adding shall not keep us here */
	const uint64_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);

	c->head = head;
	c->tail = __atomic_load_n(&fast_cursor(s, v)->tail, __ATOMIC_ACQUIRE);
	if (head - c->tail > IPMON_RING_BYTES)
		return true;
	while (c->tail != head) {
		enum ring_state st = ring_next(r, &mine, c, &rec);

		/* behind a skip up to `head` it has looked at another one */
		if (st == RING_EMPTY || (int64_t)(head - c->tail) <= 0)
			break;
		if (st == RING_BAD)
			return true;
		if (rec.size > head - c->tail ||
		    ((rec.flags & (REC_YIELD | REC_WORD)) != REC_YIELD &&
		     (rec.flags & REC_MORE ||
		      !ipmon_record_private(&rec, ring_at(r, c->tail)))))
			return true;
		if (wait && rec.flags & REC_TURN) {
			/* siblings may wait for it to be here */
			turn_rested(fast_cursor(s, v), c->tail);
			*wait = !turn_passed(s, v, rec.turn);
			if (*wait)
				break;
		}
		ring_consume(&mine, c, rec.size);
		/* the call its leader has given the turn away at is passed */
		if (wait && rec.flags & REC_YIELD)
			turn_rested(fast_cursor(s, v), c->tail);
	}
	c->head = c->tail;
	return false;
}

bool fast_unread(const struct taskset *s, unsigned int v)
{
	struct ipmon_consumer c;

	return over_private(s, v, &c, NULL);
}

uint64_t fast_unread_at(const struct taskset *s, unsigned int v)
{
	struct ipmon_consumer c;

	over_private(s, v, &c, NULL);
	return c.tail;
}

static bool mapped(const struct taskset *s)
{
	return s->slot >= 0 && s->live;
}

/* True: it got on.  *wait: there is more, but not yet. */
static bool catch_up(struct taskset *s, unsigned int v, bool *wait)
{
	struct ipmon_cursor *cur = fast_cursor(s, v);
	struct ipmon_consumer c;

	*wait = false;
	over_private(s, v, &c, wait);
	if (c.tail == __atomic_load_n(&cur->tail, __ATOMIC_ACQUIRE) ||
	    mem_write(&s->t[v], fast_ctx(s, v) +
		      offsetof(struct ipmon_ctx, c), &c, sizeof(c)))
		return false;
	__atomic_store_n(&cur->tail, c.tail, __ATOMIC_RELEASE);
	/* behind those records, but not at the call whose record comes here */
	if (!*wait)
		turn_rested(cur, c.tail - 8);
	return true;
}

bool fast_catch_up(struct taskset *s)
{
	bool later = false, wait;

	s->t_catching_up = 0;
	if (!mapped(s))
		return true;
	for_each_follower(v) {
		catch_up(s, v, &wait);
		later |= wait;
	}
	if (later)
		s->t_catching_up = mon.now;
	return !later;
}

void fast_catching_up(void)
{
	struct taskset *s;

again:
	LIST_FOREACH(s, &mon.sets, all) {
		if (!s->t_catching_up || s->t_catching_up == mon.now)
			continue;
		/* whoever goes on may be the end of any set */
		s->t_catching_up = 0;
		set_check_complete(s);
		goto again;
	}
}

/* Then what is in the ring may be of calls that it will make yet. */
static bool may_be_private(const struct task *t)
{
	const struct ipmon_row *row = ipmon_row(t->call.nr);

	return row->flags & RF_PRIVATE ||
		(row->handler == H_FUTEX && (uint32_t)t->call.args[1] ==
		 (FUTEX_WAKE | FUTEX_PRIVATE_FLAG));
}

/*
 * The leader's allocator may fill the ring with calls that a follower has not,
 * which stands at a call that does not look at the ring.  Or siblings wait for it
 * to pass a call at which its leader gave the turn away.
 */
static void make_room(struct taskset *s, unsigned int v)
{
	uint32_t *space = &fast_cursor(s, v)->space;
	bool wait;

	if (!(mon.opt.diverse || s->proc->turn) ||
	    may_be_private(&s->t[v]) || !catch_up(s, v, &wait))
		return;
	__atomic_add_fetch(space, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, space, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

bool fast_follower_early(struct taskset *s, unsigned int v)
{
	if (!mapped(s) || s->t[v].at != AT_ENTRY ||
	    !(s->arrived & 1u << v))
		return false;
	make_room(s, v);
	/* a leader inside a call of IP-MON's has no record of it yet; and who
	 * reads a clock here waits for one that has made private calls only: it
	 * will read that clock here as well, most likely */
	if ((solo_clock(&s->t[v]) ||
	     __atomic_load_n(&fast_cursor(s, v)->tail, __ATOMIC_ACQUIRE) ==
	     __atomic_load_n(&fast_ring(s)->head, __ATOMIC_ACQUIRE)) &&
	    !fast_passed(s, v))
		return false;
	if (solo_one(s, v))
		return true;
	return fast_passed(s, v) && fast_parted(s, v);
}

/* The leader stands at a call of everybody's, and it is not this one's. */
static bool leader_elsewhere(const struct taskset *s, unsigned int v)
{
	const struct task *lead = &s->t[LEADER];

	return s->arrived & 1u << LEADER && lead->at == AT_ENTRY &&
		lead->call.nr != s->t[v].call.nr &&
		!(ipmon_row(lead->call.nr)->flags & RF_PRIVATE) &&
		!solo_clock(&s->t[v]);
}

bool fast_early_asleep(struct taskset *s)
{
	enum task_at leader = s->t[LEADER].at;

	/* nobody is to go on in a set that exits or is parked, or whose leader is
	 * not there or is to enter its call again */
	if (s->state != SET_RUN || s->redo || leader == AT_DEAD ||
	    leader == AT_GROUP)
		return false;
	for_each_follower(v) {
		bool passed = __atomic_load_n(&fast_ring(s)->state,
					      __ATOMIC_ACQUIRE) == RING_BLOCKED;

		if (!(s->arrived & 1u << v) || s->t[v].at != AT_ENTRY ||
		    !(passed || leader_elsewhere(s, v)))
			continue;
		/* in this order: it has been asleep with nothing unread */
		if (__atomic_load_n(&fast_ring(s)->head, __ATOMIC_ACQUIRE) ==
		    __atomic_load_n(&fast_cursor(s, v)->tail, __ATOMIC_ACQUIRE) &&
		    solo_one(s, v))
			return true;
	}
	return false;
}

bool fast_early(struct taskset *s)
{
	for_each_follower(v)
		if (fast_follower_early(s, v))
			return true;
	return false;
}

bool fast_leader_alone(struct taskset *s, bool asked)
{
	/* on its way already: somebody else has asked before */
	if (!(s->arrived & 1u << LEADER))
		return true;
	/* who asks may be about to look around for the same */
	if (asked && own_look(&s->t[LEADER]))
		return false;
	return s->t[LEADER].at == AT_ENTRY && solo_one(s, LEADER);
}

/* ---- clocks ---- */

#define CTX_CLOCKS(s, v) (fast_ctx(s, v) + offsetof(struct ipmon_ctx, clocks))
#define CTX_CLOCK(s, v) (fast_ctx(s, v) + offsetof(struct ipmon_ctx, clock))

void fast_clocks_take(struct taskset *s)
{
	struct clock_cache *cc = &s->clocks;
	struct ipmon_time clock[IPMON_CLOCKS];
	struct task *t = &s->t[LEADER];
	uint32_t bits;

	if (!mapped(s))
		return;
	/* there may have been common calls since */
	cc->known = 0;
	if (fast_cursor(s, LEADER)->apart)
		s->proc->mm->clocks_apart = true;
	if (!s->proc->mm->clocks_apart ||
	    mem_read(t, &bits, CTX_CLOCKS(s, LEADER), sizeof(bits)) ||
	    !(bits & CLOCK_FROZEN) ||
	    mem_read(t, clock, CTX_CLOCK(s, LEADER), sizeof(clock)))
		return;
	for (unsigned int i = 0; i < IPMON_CLOCKS; i++) {
		if (!(bits >> i & 1))
			continue;
		cc->value[i][0] = (uint64_t)clock[i].sec;
		cc->value[i][1] = (uint64_t)clock[i].nsec;
		cc->when[i] = mon.now;
		cc->known |= 1u << i;
	}
}

/* Variants of this set have read clocks alone, some of them perhaps in-process. */
static bool apart(const struct taskset *s)
{
	return s->slot >= 0 && __atomic_load_n(&fast_cursor(s, LEADER)->apart,
					       __ATOMIC_RELAXED);
}

/* The list in the context of a follower that is stopped.  It is hostile memory:
 * what is read decides about that follower alone. */
static bool skipped_get(struct task *t, struct ipmon_skipped *k,
			struct ipmon_ctx *c)
{
	struct taskset *s = t->set;

	if (mem_read(t, c, fast_ctx(s, t->variant), sizeof(*c)))
		return false;
	/* all of it is written back, to a variant */
	memset(k, 0, sizeof(*k));
	if (c->solos &&
	    mem_read(t, k, fast_ctx(s, t->variant) + IPMON_SKIPPED_AT,
		     sizeof(*k)))
		return false;
	if (k->n > IPMON_SKIPPED_MAX)
		k->n = IPMON_SKIPPED_MAX;
	return true;
}

static void skipped_put(struct task *t, const struct ipmon_skipped *k,
			uint32_t solos)
{
	struct taskset *s = t->set;

	mem_write(t, fast_ctx(s, t->variant) + IPMON_SKIPPED_AT, k, sizeof(*k));
	CTX_SET(s, t->variant, solos, solos);
}

uint32_t fast_commons(struct taskset *s, unsigned int v)
{
	uint32_t n = 0;

	if (s->slot >= 0)
		mem_read(&s->t[v], &n, fast_ctx(s, v) +
			 offsetof(struct ipmon_ctx, commons), sizeof(n));
	return n;
}

/* As a call's first argument says; -1: not kept in-process. */
static int clock_id(uint64_t nr, uint64_t first)
{
	if (nr != SYS_clock_gettime)
		return 0;
	return (uint32_t)first < IPMON_CLOCKS ? (int)first : -1;
}

/* As clock_told_before() in libipmon/private.c. */
bool fast_clock_gone(struct task *t, uint64_t value[2], bool use)
{
	int id = clock_id(t->call.nr, t->call.args[0]);
	struct ipmon_skipped k;
	struct ipmon_ctx ctx;
	int64_t d;

	if (!apart(t->set) || t->at == AT_RUN || id < 0 ||
	    !skipped_get(t, &k, &ctx))
		return false;
	for (uint64_t i = 0; i < k.n; i++) {
		struct ipmon_skipped_clock *c = &k.at[i];

		if (c->nr != t->call.nr || c->id != (uint64_t)id)
			continue;
		d = clock_deeper(ctx.base_sp - t->call.sp, c->depth);
		if (d < 0)
			continue;
		memcpy(value, c->time, sizeof(c->time));
		if (use && !d) {
			c->nr = 0;
			skipped_put(t, &k, ctx.solos - 1);
		}
		return true;
	}
	return false;
}

void fast_clocks_hand_over(struct taskset *s, unsigned int v)
{
	struct clock_cache *cc = &s->clocks;
	struct task *t = &s->t[v];
	struct ipmon_skipped k;
	struct ipmon_ctx ctx;
	unsigned int n = 0;
	uint64_t had;

	for (unsigned int i = 0; i < cc->n_gone; i++)
		n += cc->gone[i].waiting >> v & 1;
	if (!n || v == LEADER || !mapped(s) || t->at == AT_RUN ||
	    !skipped_get(t, &k, &ctx))
		return;
	had = k.n;
	for (unsigned int i = 0; i < cc->n_gone; i++) {
		struct clock_gone *g = &cc->gone[i];
		int id = clock_id(g->nr, (uint64_t)g->slot);

		int32_t late = (int32_t)(ctx.commons - g->commons);

		if (!(g->waiting >> v & 1) || late < 0)
			continue;
		if (late > 0) {		/* the leader's alone */
			g->waiting &= ~(1u << v);
			continue;
		}
		if (id < 0 || k.n == IPMON_SKIPPED_MAX)
			continue;
		g->waiting &= ~(1u << v);
		k.at[k.n++] = (struct ipmon_skipped_clock){
			.nr = g->nr, .id = (uint64_t)id, .depth = CLOCK_NO_DEPTH,
			.time = { g->value[0], g->nr == SYS_gettimeofday ?
				  g->value[1] / 1000 : g->value[1] },
		};
		ctx.solos++;
	}
	if (k.n != had)
		skipped_put(t, &k, ctx.solos);
}

void fast_clocks_forget(struct taskset *s)
{
	if (apart(s))
		for_each_follower(v)
			CTX_SET(s, v, solos, 0);
}

void fast_clocks_give(struct taskset *s)
{
	const struct clock_cache *cc = &s->clocks;
	uint32_t told = cc->known & ((1u << IPMON_CLOCKS) - 1);

	if (s->slot < 0 || !s->proc->mm->clocks_apart)
		return;
	for_each_variant(v) {
		struct ipmon_time clock[IPMON_CLOCKS];
		struct task *t = &s->t[v];
		uint32_t bits;

		/* its own affair while it runs */
		if (t->at == AT_RUN ||
		    mem_read(t, &bits, CTX_CLOCKS(s, v), sizeof(bits)) ||
		    mem_read(t, clock, CTX_CLOCK(s, v), sizeof(clock)))
			continue;
		for (unsigned int i = 0; i < IPMON_CLOCKS; i++) {
			if (!(told >> i & 1))
				continue;
			clock[i].sec = (int64_t)cc->value[i][0];
			clock[i].nsec = (int64_t)cc->value[i][1];
		}
		bits = v == LEADER ? told | CLOCK_FROZEN : bits | told;
		mem_write(t, CTX_CLOCK(s, v), clock, sizeof(clock));
		mem_write(t, CTX_CLOCKS(s, v), &bits, sizeof(bits));
	}
}
