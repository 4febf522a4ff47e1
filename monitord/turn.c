// SPDX-License-Identifier: Apache-2.0
/*
 * The turn among sets that handle calls in-process.
 *
 * Theory of operation
 * -------------------
 * Of a domain's sets one at a time runs code of the program (sched.c).  Sets that
 * handle calls themselves hand the turn on without us (libipmon/turn.c); those of
 * a process and of processes forked from it are a team: they share one struct
 * ipmon_turn in the arena of their rings.  d->team is the team that has the turn,
 * NULL if it is monitord's (d->owner).  Processes that share memory and have
 * executed programs since are teams of their own; between teams the turn goes
 * through monitord.
 *
 * monitord takes the turn back like one of them, from a holder that is in the
 * kernel (turn_seize).  A holder that runs is asked to say when it goes there
 * (turn->tell), and turn->monitor keeps others from taking it meanwhile.  One
 * that comes to a rendezvous has brought the turn along (turn_hold).
 *
 * A set that monitord lets go on runs in all variants at once, so what the team
 * has done before must have happened in all followers as well: they are waited
 * for (synced) until the last holder's task rests at the call its leader was in.
 * As everybody waits for those before him, everybody has come that far then.
 * turn->sync asks followers to tell us.
 *
 * A process that is killed leaves followers behind that had still to wait for
 * others, and those who come after it wait for them.  Its slots are kept, and the
 * waiting done here in their place (walk_on), until nothing is left to wait for.
 * If it had the turn, all others are waited for (t->all).
 *
 * What is read here was written by the leader, which may have been taken over:
 * slots are looked up among the domain's sets, positions only compared.  Such a
 * leader can run its threads as it likes; its followers go by its records.
 */
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ipmon/abi.h>
#include "../libipmon/core/ring.h"
#include "fast.h"
#include "tracee.h"
#include "turn.h"

struct turn {
	unsigned int refs;		/* processes */
	struct fast *fast;		/* whose arena, */
	unsigned int idx;		/* and where in it */
	bool seized;			/* taken, but followers are not there yet: */
	int slot;			/* the last holder's, -1: nobody's */
	uint64_t pos;			/* where its ring was */
	bool all;			/* ... or who it was is not known: it died */
	uint64_t t_seized;		/* ns, since when */
	uint64_t leaving[IPMON_SLOTS / 64]; /* slots of the killed: walk_on() */
	TAILQ_ENTRY(turn) link;
};

static struct ipmon_turn *word(const struct turn *t)
{
	return fast_turn(t->fast, t->idx);
}

static void put(struct turn *t, uint64_t w)
{
	__atomic_store_n(&word(t)->word, w, __ATOMIC_SEQ_CST);
}

/* The next slot from this one on whose bit is set; -1: none. */
static int next_slot(const uint64_t *map, int from)
{
	for (; from < (int)IPMON_SLOTS; from = (from / 64 + 1) * 64) {
		uint64_t m = __atomic_load_n(&map[from / 64], __ATOMIC_SEQ_CST);

		m &= ~0ull << from % 64;
		if (m)
			return from / 64 * 64 + __builtin_ctzll(m);
	}
	return -1;
}

/* The next slot from this one on that waits; -1: none. */
static int waits(const struct turn *t, int from)
{
	return next_slot(word(t)->want, from);
}

static void waits_not(struct turn *t, int slot)
{
	__atomic_and_fetch(&word(t)->want[slot / 64], ~(1ull << slot % 64),
			   __ATOMIC_SEQ_CST);
}

static void wake_slot(const struct turn *t, int slot)
{
	uint32_t *f = &fast_slot_cursor(t->fast, (unsigned int)slot)->at_wake;

	__atomic_add_fetch(f, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, f, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void wake(struct turn *t)
{
	for (int slot = -1; (slot = waits(t, slot + 1)) >= 0;)
		wake_slot(t, slot);
}

/* Who waits for a lock looks whose it is: somebody has died. */
static void wake_locks(struct turn *t, int but)
{
	uint64_t *pi = word(t)->pi;

	__atomic_and_fetch(&pi[but / 64], ~(1ull << but % 64),
			   __ATOMIC_SEQ_CST);
	for (int slot = -1; (slot = next_slot(pi, slot + 1)) >= 0;)
		wake_slot(t, slot);
}

static void set_flag(uint32_t *flag, uint32_t v)
{
	__atomic_store_n(flag, v, __ATOMIC_SEQ_CST);
}

/* Nobody of the team takes it by himself. */
static void close_turn(struct domain *d, struct turn *t)
{
	set_flag(&word(t)->monitor, 1);
	put(t, TURN_WORD(TURN_RUN, -1));
	t->seized = t->all = false;
	set_flag(&word(t)->sync, 0);
	/* while another team has it, we hear of nothing else */
	set_flag(&word(t)->tell, TAILQ_NEXT(TAILQ_FIRST(&d->turns), link) !=
		 NULL);
}

static void open_turn(struct domain *d, struct turn *t, uint64_t w)
{
	struct turn *o;
	bool closed;

	TAILQ_FOREACH(o, &d->turns, link)
		if (o != t)
			close_turn(d, o);
	t->seized = t->all = false;
	set_flag(&word(t)->sync, 0);
	put(t, w);
	/* others wait here: to be told when it is to be had again */
	closed = !TAILQ_EMPTY(&d->ready) || sched_holds(d);
	set_flag(&word(t)->tell, closed);
	set_flag(&word(t)->monitor, closed);
	d->team = t;
	d->owner = NULL;
}

/* ---- who has one ---- */

static bool crowded(const struct taskset *s)
{
	const struct proc *p = s->proc, *q;

	if (LIST_FIRST(&p->sets) != s || LIST_NEXT(s, in_proc))
		return true;
	/* processes that have ended are in no domain */
	if (p->domain->refs == 1)
		return false;
	LIST_FOREACH(q, &mon.procs, all)
		if (q != p && q->domain == p->domain && !LIST_EMPTY(&q->sets))
			return true;
	return false;
}

void turn_assign(struct taskset *s)
{
	struct proc *p = s->proc;
	struct domain *d = p->domain;
	struct turn *t;
	struct taskset *o;
	int idx;

	if (p->turn || !p->mm->fast || !crowded(s))
		return;
	TAILQ_FOREACH(t, &d->turns, link)
		if (t->fast == p->mm->fast)
			break;
	if (!t) {
		idx = fast_turn_alloc(p->mm->fast);
		t = idx < 0 ? NULL : calloc(1, sizeof(*t));
		if (!t)
			return;
		t->fast = fast_get(p->mm->fast);
		t->idx = (unsigned int)idx;
		TAILQ_INSERT_TAIL(&d->turns, t, link);
		close_turn(d, t);
	}
	t->refs++;
	p->turn = t;
	LIST_FOREACH(o, &p->sets, in_proc)
		fast_set_turn(o, t->idx);
}

bool turn_between(const struct taskset *s)
{
	const struct turn *t = s->proc->turn;

	return s->live && t && t->refs > 1;
}

unsigned int turn_index(const struct proc *p)
{
	return p->turn->idx;
}

void turn_put(struct proc *p)
{
	struct turn *t = p->turn;
	struct domain *d = p->domain;

	p->turn = NULL;
	if (!t || --t->refs)
		return;
	TAILQ_REMOVE(&d->turns, t, link);
	if (d->team == t)
		d->team = NULL;
	/* nobody is left who would come after them */
	for (int slot = -1; (slot = next_slot(t->leaving, slot + 1)) >= 0;)
		fast_slot_leave(t->fast, (unsigned int)slot);
	fast_turn_release(t->fast, t->idx);
	fast_put(t->fast);
	free(t);
}

static struct taskset *by_slot(const struct domain *d, const struct turn *t,
			       int slot)
{
	struct taskset *s = fast_slot_set(t->fast, slot);

	return s && s->proc->domain == d && s->proc->turn == t ? s : NULL;
}

/* A team that comes into a domain whose turn somebody has: who has the team's
 * comes to monitord at its next call, nobody else takes it. */
static void close_team(struct domain *d, struct turn *t)
{
	struct ipmon_turn *w = word(t);
	uint64_t is = __atomic_load_n(&w->word, __ATOMIC_SEQ_CST);
	struct taskset *s;

	set_flag(&w->monitor, 1);
	set_flag(&w->tell, 1);
	s = TURN_STATE(is) == TURN_RUN ? by_slot(d, t, TURN_SLOT(is)) : NULL;
	if (s)
		fast_revoke(s);
}

void turn_move(struct domain *from, struct domain *to)
{
	TAILQ_CONCAT(&to->turns, &from->turns, link);
	if (!from->team)
		return;
	/* who has it comes to monitord at its next call */
	if (!to->team && !to->owner)
		to->team = from->team;
	else
		close_team(to, from->team);
	from->team = NULL;
}

/* ---- handing it on ---- */

void turn_give(struct taskset *s)
{
	struct turn *t = s->proc->turn;

	if (t)
		open_turn(s->proc->domain, t, TURN_WORD(TURN_RUN, s->slot));
}

/* The team to have it: one that wants it, other than the last if possible. */
static struct turn *wanting(const struct domain *d)
{
	struct turn *t, *found = NULL;

	TAILQ_FOREACH(t, &d->turns, link)
		if (waits(t, 0) >= 0 &&
		    (!found || found == d->last_team))
			found = t;
	return found;
}

void turn_free(struct domain *d)
{
	struct turn *t = wanting(d);

	if (!t)
		t = TAILQ_FIRST(&d->turns);
	if (!t)
		return;
	d->last_team = t;
	open_turn(d, t, TURN_WORD(TURN_FREE, -1));
	wake(t);
}

bool turn_grant(struct domain *d)
{
	struct turn *t = wanting(d);

	for (int slot = -1; t && (slot = waits(t, slot + 1)) >= 0;) {
		struct taskset *s = by_slot(d, t, slot);

		if (!s || !s->live)
			waits_not(t, slot);
		/* it may be stopped */
		if (!s || !s->live || s->state != SET_RUN ||
		    s->t[LEADER].at != AT_RUN || s->proc->held)
			continue;
		d->last_team = t;
		open_turn(d, t, TURN_WORD(TURN_RUN, slot));
		wake(t);
		return true;
	}
	return false;
}

struct taskset *turn_holder(const struct domain *d)
{
	uint64_t w;

	if (!d->team)
		return NULL;
	w = __atomic_load_n(&word(d->team)->word, __ATOMIC_SEQ_CST);
	return TURN_STATE(w) == TURN_RUN ?
		by_slot(d, d->team, TURN_SLOT(w)) : NULL;
}

bool turn_hold(struct taskset *s)
{
	struct domain *d = s->proc->domain;

	if (!d->team || d->team != s->proc->turn || turn_holder(d) != s)
		return false;
	put(d->team, TURN_WORD(TURN_RUN, -1));
	d->team = NULL;
	d->owner = s;
	return true;
}

uint32_t turn_count(const struct domain *d)
{
	return __atomic_load_n(&word(d->team)->taken, __ATOMIC_RELAXED);
}

bool turn_awaits(const struct taskset *s)
{
	const struct turn *t = s->proc->turn;

	return s->live && t && s->slot >= 0 && waits(t, s->slot) == s->slot;
}

/* ---- where followers are ---- */

static struct ipmon_cursor *cursor(const struct turn *t, int slot,
				   unsigned int v)
{
	return fast_slot_cursor(t->fast, (unsigned int)slot) + v;
}

/* Has this follower come to rest there?  If not it is asked to say so. */
static bool rests(const struct turn *t, int slot, unsigned int v, uint64_t pos)
{
	struct ipmon_cursor *c = cursor(t, slot, v);

	if ((int64_t)(__atomic_load_n(&c->at, __ATOMIC_SEQ_CST) - pos) >= 0)
		return true;
	__atomic_store_n(&c->at_pos, pos, __ATOMIC_SEQ_CST);
	set_flag(&c->at_wanted, 1);
	return false;
}

/* The same of where an edge leads to (struct ipmon_record). */
static bool passed(const struct turn *t, unsigned int v, uint64_t edge)
{
	int slot = RECORD_TURN_SLOT(edge);

	return slot < 0 || slot >= (int)IPMON_SLOTS ||
		rests(t, slot, v, RECORD_TURN_POS(edge));
}

void turn_rested(struct ipmon_cursor *c, uint64_t pos)
{
	if ((int64_t)(pos - __atomic_load_n(&c->at, __ATOMIC_SEQ_CST)) > 0)
		__atomic_store_n(&c->at, pos, __ATOMIC_SEQ_CST);
	if (!__atomic_exchange_n(&c->at_wanted, 0, __ATOMIC_SEQ_CST))
		return;
	__atomic_add_fetch(&c->at_wake, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &c->at_wake, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

bool turn_passed(const struct taskset *s, unsigned int v, uint64_t edge)
{
	return !s->proc->turn || passed(s->proc->turn, v, edge);
}

/* ---- taking it ---- */

/* One whose leader sleeps in-process, and its followers will. */
static bool sleeps(const struct taskset *s, const struct turn *t)
{
	return s->proc->turn == t && s->slot >= 0 && s->live &&
		s->state == SET_RUN && !s->proc->exiting &&
		s->t[LEADER].at != AT_ENTRY && s->t[LEADER].at != AT_DEAD;
}

static bool followers_rest(const struct turn *t, const struct taskset *s,
			   int slot, uint64_t pos)
{
	bool all = true;

	for_each_follower(v)
		if (!s || s->t[v].at != AT_DEAD)
			all &= rests(t, slot, v, pos);
	return all;
}

/* Do all followers of the last holder rest where its leader was? */
static bool synced(const struct domain *d, const struct turn *t)
{
	const struct taskset *s;
	bool all = true;

	if (!t->all)
		return t->slot < 0 ||
			followers_rest(t, by_slot(d, t, t->slot), t->slot,
				       t->pos);
	/* nobody has the turn, so these positions do not change */
	LIST_FOREACH(s, &mon.sets, all)
		if (sleeps(s, t))
			all &= followers_rest(t, s, s->slot, __atomic_load_n(
				&fast_ring(s)->head, __ATOMIC_ACQUIRE));
	return all;
}

/* A follower of this set that does not rest there, nor waits for its siblings. */
static struct task *late_of(const struct turn *t, struct taskset *s, uint64_t pos)
{
	for_each_follower(v)
		if (s->t[v].at != AT_DEAD && s->t[v].tid &&
		    !rests(t, s->slot, v, pos) && !fast_says_waits(s, v))
			return &s->t[v];
	return NULL;
}

struct task *turn_late(const struct domain *d, uint64_t *since)
{
	const struct turn *t = d->team;
	struct task *late = NULL;
	struct taskset *s;

	if (!turn_seized(d))
		return NULL;
	*since = t->t_seized;
	if (!t->all) {
		s = t->slot < 0 ? NULL : by_slot(d, t, t->slot);
		return s ? late_of(t, s, t->pos) : NULL;
	}
	LIST_FOREACH(s, &mon.sets, all)
		if (!late && sleeps(s, t))
			late = late_of(t, s, __atomic_load_n(&fast_ring(s)->head,
							     __ATOMIC_ACQUIRE));
	return late;
}

static void wake_late(const struct domain *d, const struct turn *t)
{
	struct taskset *s = t->all ? NULL : by_slot(d, t, t->slot);

	if (s)
		fast_wake(s);
	if (t->all)
		LIST_FOREACH(s, &mon.sets, all)
			if (sleeps(s, t))
				fast_wake(s);
}

static bool sync_followers(struct domain *d, struct turn *t)
{
	if (!synced(d, t)) {
		/* who comes there from now on says so to us as well */
		set_flag(&word(t)->sync, 1);
		if (!synced(d, t)) {
			wake_late(d, t);
			return false;
		}
	}
	close_turn(d, t);
	d->team = NULL;
	d->owner = NULL;
	return true;
}

bool turn_seize(struct domain *d)
{
	struct turn *t = d->team;
	struct ipmon_turn *w = word(t);
	unsigned int tries = 64;
	uint64_t is, carry;

	if (t->seized)
		return sync_followers(d, t);
	set_flag(&w->monitor, 1);
	set_flag(&w->tell, 1);
	is = __atomic_load_n(&w->word, __ATOMIC_SEQ_CST);
	do {
		if (TURN_STATE(is) == TURN_RUN) {
			if (by_slot(d, t, TURN_SLOT(is)))
				return false;
		}
		/* somebody plays with it: the ticker comes again */
		if (!tries--)
			return false;
	} while (!__atomic_compare_exchange_n(&w->word, &is,
					      TURN_WORD(TURN_RUN, -1), false,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	t->seized = true;
	t->t_seized = mon.now;
	t->slot = TURN_STATE(is) == TURN_FREE ? -1 : TURN_SLOT(is);
	carry = t->slot < 0 ? 0 : __atomic_load_n(&w->carry, __ATOMIC_SEQ_CST);
	if (carry) {
		t->slot = RECORD_TURN_SLOT(carry);
		t->pos = RECORD_TURN_POS(carry);
	}
	/* what it says may be anything */
	if (t->slot >= (int)IPMON_SLOTS)
		t->slot = -1;
	if (!carry && t->slot >= 0)
		t->pos = __atomic_load_n(&fast_slot_ring(t->fast,
				(unsigned int)t->slot)->head, __ATOMIC_ACQUIRE);
	return sync_followers(d, t);
}

void turn_keep_not(struct domain *d)
{
	struct ipmon_turn *w = word(d->team);

	if (!__atomic_load_n(&w->monitor, __ATOMIC_RELAXED))
		return;
	set_flag(&w->tell, 0);
	set_flag(&w->monitor, 0);
	wake(d->team);
}

bool turn_seized(const struct domain *d)
{
	return d->team && d->team->seized;
}

bool turn_wanted(const struct domain *d, const struct turn *but)
{
	const struct turn *t;

	TAILQ_FOREACH(t, &d->turns, link)
		if (t != but && waits(t, 0) >= 0)
			return true;
	return false;
}

/* ---- the killed ---- */

/*
 * A dead follower comes as far in its ring as those allow whom it would have had
 * to wait for.  True: to the end.
 */
static bool walk_on(const struct turn *t, int slot, unsigned int v)
{
	const struct ipmon_ring *r = fast_slot_ring(t->fast, (unsigned int)slot);
	const uint64_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
	struct ipmon_cursor *cur = cursor(t, slot, v);
	struct ipmon_consumer c = {
		.tail = __atomic_load_n(&cur->tail, __ATOMIC_ACQUIRE),
		.head = head,
	};
	struct ipmon_record rec;

	while (head - c.tail <= IPMON_RING_BYTES && head != c.tail &&
	       ring_next(r, cur, &c, &rec) == RING_RECORD) {
		if (rec.flags & REC_TURN) {
			turn_rested(cur, c.tail);
			if (!passed(t, v, rec.turn))
				return false;
		}
		ring_consume(cur, &c, rec.size);
	}
	return true;
}

static bool walk_all(const struct turn *t, int slot)
{
	bool end = true;

	for_each_follower(v)
		end &= walk_on(t, slot, v);
	return end;
}

void turn_tick(struct domain *d)
{
	struct turn *t;

	TAILQ_FOREACH(t, &d->turns, link)
		for (int slot = -1;
		     (slot = next_slot(t->leaving, slot + 1)) >= 0;) {
			if (!walk_all(t, slot))
				continue;
			t->leaving[slot / 64] &= ~(1ull << slot % 64);
			fast_slot_leave(t->fast, (unsigned int)slot);
		}
}

/* The team's turn is lost with who had it. */
static void lost(struct domain *d, struct turn *t)
{
	if (d->team != t || t->seized)
		return;
	set_flag(&word(t)->monitor, 1);
	set_flag(&word(t)->tell, 1);
	t->seized = t->all = true;
	t->t_seized = mon.now;
}

bool turn_forget(struct taskset *s)
{
	struct turn *t = s->proc->turn;
	struct ipmon_turn *w;
	uint64_t is;

	if (!t)
		return true;
	w = word(t);
	waits_not(t, s->slot);
	wake_locks(t, s->slot);
	if (__atomic_load_n(&w->next, __ATOMIC_SEQ_CST) ==
	    (uint32_t)s->slot + 1)
		set_flag(&w->next, 0);
	is = __atomic_load_n(&w->word, __ATOMIC_SEQ_CST);
	while (TURN_SLOT(is) == s->slot)
		if (__atomic_compare_exchange_n(&w->word, &is,
						TURN_WORD(TURN_RUN, -1), false,
						__ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST)) {
			lost(s->proc->domain, t);
			break;
		}
	if (mon.ending || walk_all(t, s->slot))
		return true;
	t->leaving[s->slot / 64] |= 1ull << s->slot % 64;
	return false;
}

void turn_told(struct task *t)
{
	struct domain *d = t->set->proc->domain;

	task_finish(t, 0);
	task_resume(t, PTRACE_CONT, 0);
	sched_look(d);
}
