// SPDX-License-Identifier: Apache-2.0
/*
 * Scheduling domains: deterministic order of everything that shares memory.
 *
 * Theory of operation
 * -------------------
 * Two threads that race in user space may be ordered differently in each
 * variant; the next contended lock then makes one variant call futex and the
 * other not, which would be a false alarm.  Under lockstep the cure is to
 * let only one task set of a sharing group run user code at a time and to
 * switch only at rendezvous points, which are the same in all variants (the
 * same idea as record-and-replay debuggers that run one thread at a time).
 *
 * A domain is such a group: the threads of a process, a vfork child and its
 * parent, and all processes that have writable shared mappings (those join
 * one domain per tree, sched_share).
 *
 * Sets that handle their calls themselves hand the turn on among each other
 * without us (turn.c): then nobody here is the owner, and d->team has the turn.
 *
 * The owner gives its turn away
 *   - when its call may block and somebody waits (sched_leave), or somebody
 *     becomes ready while it is blocked (the turn is stolen),
 *   - when its slice is over, at the end of a call (but not before it dies, nor at
 *     one that its variants may make at different places: keeps()),
 *   - to whom it has woken, every WAKES_KEPT-th time: what that one is woken for may
 *     be over, or asked of it once more, before it gets the turn otherwise
 *     (libipmon/turn.c says more),
 *   - when it dies or is stopped (job control),
 *   - when it computes for long without a call while others wait: then all
 *     its variants are interrupted and parked.  That point may differ between
 *     variants by what was computed since the last call; a program that spins
 *     on a flag another thread sets is indifferent to it, and without it such
 *     a program would never end.  One that does not go round such a loop
 *     (align.c), and whose variants cannot be brought to one instant otherwise
 *     (meet.c), is left alone for longer: sooner or later most make a call, and
 *     are at the same place then, whereas a lock that one variant has taken
 *     already and another has not makes them differ.  A set of which one
 *     variant has come to its next call already is not spinning: the others will
 *     come there, too, and are let go, so that what was done on the way (a lock
 *     released, say) is done in all variants when somebody else looks.  What
 *     counts is the processor time it has used: on a busy machine it may just
 *     not have been its turn there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <linux/futex.h>

#include "divergence.h"
#include "event.h"
#include "fast.h"
#include "own.h"
#include "signals.h"
#include "solo.h"
#include "tracee.h"
#include "turn.h"

#define SLICE_NS	10000000u	/* turn over at the next call's end */
#define LOOK_NS		15000000u	/* no call: watch what it computes */
#define PARK_NS		40000000u	/* computing while others wait; ... */
#define PARK_TRIES	4u		/* ... twice as long so often, if it does
					 * not go round a loop */
#define LOOK_SPIN_NS	900000u		/* the same for a set that has been */
#define PARK_SPIN_NS	2000000u	/* seen going round a loop (align.c) */
#define PARK_MAX_NS	(PARK_NS << PARK_TRIES)
#define MEET_SHARE	8u	/* ... or so many times what it takes to bring it to
				 * the same instant (meet.c) */
#define PARK_IDLE_NS	1000000000u	/* neither: a page fault that others
					 * answer */
#define PARK_LATE_NS 2000000000u /* the same, and not all of them compute */
#define STEAL_NS	10000000u	/* "cannot block" call that does */
#define STEAL_ALL_NS	1000000000u	/* the same, of one others must not see */
#define VAIN		8u		/* waits for a lock without success */
#define WAKES_KEPT	32u		/* of those that woke somebody; whoever it is */
#define GIVE_NS		20000000u	/* comes within this, mostly at once */
#define KEEPS		256u		/* private calls with the turn (keeps()), */
#define KEEP_LEAST	16u		/* or at least so many */
#define KEEP_NS		40000000u	/* within not less than this */

struct domain *domain_new(void)
{
	struct domain *d = calloc(1, sizeof(*d));

	if (!d)
		die("out of memory");
	d->refs = 1;
	TAILQ_INIT(&d->ready);
	TAILQ_INIT(&d->turns);
	return d;
}

struct domain *domain_get(struct domain *d)
{
	d->refs++;
	return d;
}

void domain_put(struct domain *d)
{
	if (!--d->refs)
		free(d);
}

/*
 * A thread that has the turn may be stopped with its process anywhere, before a lock
 * that its followers have long taken.  Others that share its memory may need the turn
 * meanwhile (leave_stopped); its siblings, stopped as well, have it after that thread
 * only.
 */
static unsigned int n_held;

static void held_end(struct taskset *s)
{
	if (s->proc->held != s)
		return;
	s->proc->held = NULL;
	n_held--;
}

static bool barred(const struct taskset *s)
{
	return s->proc->held && s->proc->held != s;
}

bool sched_holds(const struct domain *d)
{
	const struct proc *p;

	if (n_held)
		LIST_FOREACH(p, &mon.procs, all)
			if (p->domain == d && p->held)
				return true;
	return false;
}

static struct taskset *first_ready(const struct domain *d)
{
	struct taskset *s;

	TAILQ_FOREACH(s, &d->ready, ready)
		if (!barred(s))
			break;
	return s;
}

static void grant(struct domain *d, struct taskset *s)
{
	d->owner = s;
	d->t_owned = mon.now;
	d->sliced = NULL;
	if (s->state == SET_DONE)
		call_ended(s);
	else
		set_release(s);
}

static void enqueue(struct domain *d, struct taskset *s)
{
	if (s->queued)
		return;
	TAILQ_INSERT_TAIL(&d->ready, s, ready);
	s->queued = true;
	if (d->owner && d->owner != s)
		fast_revoke(d->owner);
}

static void dequeue(struct domain *d, struct taskset *s)
{
	if (!s->queued)
		return;
	TAILQ_REMOVE(&d->ready, s, ready);
	s->queued = false;
}

/* Has the owner done with it, and waits for whom it has woken? */
static bool gives(const struct domain *d)
{
	return d->owner && d->owner->queued;
}

/*
 * Nobody has the turn: those who are ready and those who wait for it in-process
 * get it alternately; when nobody is ready, it is the latter's.
 */
static void next(struct domain *d)
{
	struct taskset *s = first_ready(d);

	/* one that gives the turn away does not get it itself */
	if (gives(d) && s == d->owner && TAILQ_NEXT(s, ready)) {
		TAILQ_REMOVE(&d->ready, s, ready);
		TAILQ_INSERT_TAIL(&d->ready, s, ready);
		s = first_ready(d);
	}
	d->owner = NULL;
	d->sliced = NULL;
	if (s && d->team_next && turn_wanted(d, NULL)) {
		d->team_next = false;
		if (turn_grant(d))
			return;
	}
	d->team_next = true;
	if (!s) {
		if (!sched_holds(d))
			turn_free(d);
		else
			turn_grant(d);
		return;
	}
	dequeue(d, s);
	held_end(s);
	d->owner = s;
	/* A signal that came while it waited comes at the end of its call; later
	 * every variant would be somewhere else. */
	if (s->undelivered) {
		s->undelivered = false;
		signal_deliver_at_exit(s);
	}
	/* it may have died of it */
	if (!mon.ending && d->owner == s)
		grant(d, s);
}

/*
 * The owner sits in a call that is known to block, or has been in for long.  What
 * others must not see in the leader before the followers have it, too, is waited
 * for longer: what all variants do (membarrier's registration, which takes its
 * time), and locks the kernel takes or gives away (futex).
 */
static bool stealable(const struct taskset *o)
{
	return o->state == SET_CALL &&
	       (o->blocking || mon.now - o->t_call >
		(o->row->exec == EXEC_ALL || o->row->walker == W_FUTEX ?
		 STEAL_ALL_NS : STEAL_NS));
}

/* Can the turn be given to somebody else?  A team is asked for it. */
static bool available(struct domain *d)
{
	if (d->team)
		return turn_seize(d);
	return !d->owner || gives(d) || stealable(d->owner);
}

/*
 * A set that has the turn in-process has come to us.  Its slice lasts from the
 * first such call at which others wanted the turn, as long as nobody else had it
 * in between: it may make all its calls here, each of them a new one.
 */
static void hold(struct taskset *s)
{
	struct domain *d = s->proc->domain;
	uint32_t n = d->team ? turn_count(d) : 0;

	if (!turn_hold(s))
		return;
	if (!TAILQ_EMPTY(&d->ready))
		d->t_owned = 0;
	else if (d->sliced != s || d->sliced_turn != n || !turn_wanted(d, NULL))
		d->t_owned = mon.now;
	d->sliced = s;
	d->sliced_turn = n;
}

static bool wanted(const struct domain *d)
{
	return !TAILQ_EMPTY(&d->ready) || turn_wanted(d, NULL) ||
		turn_seized(d);
}

/* Does nobody but the members of this team want the turn? */
static bool idle(const struct domain *d, const struct turn *t)
{
	return TAILQ_EMPTY(&d->ready) && !turn_wanted(d, t) &&
		!turn_seized(d) && !sched_holds(d);
}

bool sched_take(struct taskset *s)
{
	struct domain *d = s->proc->domain;
	bool can;

	hold(s);
	if (d->owner == s)
		return true;
	can = available(d);
	if (can && TAILQ_EMPTY(&d->ready) && !barred(s)) {
		d->owner = s;
		d->t_owned = mon.now;
		d->sliced = NULL;
		return true;
	}
	s->state = SET_DONE;
	enqueue(d, s);
	if (can)
		next(d);
	return false;
}

/* FUTEX_WAIT, FUTEX_WAIT_BITSET, with whatever flags */
static bool waits_at(const struct call *c)
{
	unsigned int op = (unsigned int)c->args[1] & FUTEX_CMD_MASK;

	return op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET;
}

/*
 * A lock is free between its release and the wake that follows.  Who has waited for
 * it in vain VAIN times gets the turn then: at other calls whoever takes it again
 * and again may always have it.  (In-process: turn_wake() of libipmon.)
 */
static bool frees(const struct taskset *s, const struct domain *d)
{
	const struct call *c = &s->t[LEADER].call;
	const struct taskset *o;

	if (c->nr != SYS_futex || waits_at(c))
		return false;
	TAILQ_FOREACH(o, &d->ready, ready)
		if (o->vain >= VAIN && o->vain_addr == c->args[0])
			return true;
	return false;
}

/* Is anybody at a futex here, or on his way back from it? */
static bool any_waiter(const struct domain *d)
{
	const struct taskset *o;

	LIST_FOREACH(o, &mon.sets, all)
		if (o->proc->domain == d && o->state == SET_CALL && o->blocking &&
		    o->t[LEADER].call.nr == SYS_futex &&
		    waits_at(&o->t[LEADER].call))
			return true;
	return false;
}

/* At the end of a call: was it one of the wakes at which the turn is given away? */
static bool wakes(struct taskset *s)
{
	const struct call *c = &s->t[LEADER].call;

	if (s->state == SET_PARKED || c->nr != SYS_futex || waits_at(c) ||
	    s->ret <= 0 || ++s->wakes_kept < WAKES_KEPT)
		return false;
	s->wakes_kept = 0;
	return true;
}

/* At the end of a call: the same wait as before? */
static void note_wait(struct taskset *s)
{
	const struct call *c = &s->t[LEADER].call;

	if (c->nr != SYS_futex || !waits_at(c))
		return;
	s->vain = c->args[0] == s->vain_addr &&
		s->recent_pos == s->vain_at + 1 ? s->vain + 1 : 0;
	s->vain_addr = c->args[0];
	s->vain_at = s->recent_pos;
}

/*
 * Variants whose allocators differ grow their heaps at different places of the
 * program, often by the same call: it is made by all and is no place that all have
 * come to.  One of them may hold a lock there that another has released, and whoever
 * got the turn would find it so.  So the turn goes at another call, unless none comes.
 */
static bool keeps(struct taskset *s)
{
	if (s->state == SET_PARKED || !solo_places(s)) {
		s->kept = 0;
		return false;
	}
	if (!s->kept)
		s->kept_since = mon.now;
	/* a collector reads the clock before and after a phase of any length */
	if (++s->kept < KEEP_LEAST ||
	    (s->kept < KEEPS && mon.now - s->kept_since < KEEP_NS))
		return true;
	s->kept = 0;
	return false;
}

void sched_ready(struct taskset *s)
{
	struct domain *d = s->proc->domain;
	bool others, keep, wake;

	hold(s);
	note_wait(s);
	wake = wakes(s);
	keep = keeps(s);
	others = wanted(d);
	if (s->state != SET_PARKED)
		s->state = SET_READY;
	if (d->owner == s) {
		/* one that dies of a signal does so now: its followers' locks
		 * are marked already (signal_fatal), its leader's are when it
		 * goes, and nobody may look in between */
		if (keep || own_section(s) || s->proc->killed) {
			set_release(s);
		} else if (wake && !others && any_waiter(d)) {
			enqueue(d, s);
			d->t_gives = mon.now;
			ticker_want(true);
		} else if (!others || (mon.now - d->t_owned < SLICE_NS &&
				       !wake && !frees(s, d))) {
			set_release(s);
		} else {
			enqueue(d, s);
			next(d);
		}
	} else if (available(d)) {
		if (TAILQ_EMPTY(&d->ready) && !barred(s)) {
			grant(d, s);
		} else {
			enqueue(d, s);
			next(d);
		}
	} else {
		enqueue(d, s);
	}
}

void sched_parked(struct taskset *s)
{
	struct domain *d = s->proc->domain;

	hold(s);
	enqueue(d, s);
	if (d->owner == s || (!d->owner && !d->team)) {
		/* whoever waits is before it */
		d->team_next = true;
		next(d);
	}
}

void sched_leave(struct taskset *s)
{
	struct domain *d = s->proc->domain;

	hold(s);
	dequeue(d, s);
	if (d->owner == s)
		next(d);
}

void sched_sleep(struct taskset *s)
{
	struct domain *d = s->proc->domain;

	if (!TAILQ_EMPTY(&d->ready) || !TAILQ_EMPTY(&d->turns))
		sched_leave(s);
}

void sched_look(struct domain *d)
{
	if (d->team && idle(d, d->team)) {
		turn_keep_not(d);
		return;
	}
	if (wanted(d) && available(d))
		next(d);
}

struct domain *sched_detach(struct taskset *s)
{
	struct domain *d = s->proc->domain;

	/* one that had the turn in-process is no owner: turn_forget() */
	dequeue(d, s);
	held_end(s);
	if (d->owner == s)
		d->owner = NULL;
	else if (!d->team || s->proc->turn != d->team)
		return NULL;
	return domain_get(d);
}

void sched_next(struct domain *d)
{
	if (!d)
		return;
	if (d->team ? turn_seized(d) && available(d) : !d->owner)
		next(d);
	domain_put(d);
}

void sched_share(struct proc *p)
{
	static struct domain *shared;
	struct domain *old = p->domain;
	struct proc *q;
	struct taskset *s;
	unsigned int moved = 0;

	if (!shared) {
		shared = domain_new();
		shared->shared = true;
	}
	if (old == shared)
		return;
	/* every process of the old domain shares with p already */
	LIST_FOREACH(q, &mon.procs, all) {
		if (q->domain != old)
			continue;
		LIST_FOREACH(s, &q->sets, in_proc) {
			bool was = s->queued;

			dequeue(old, s);
			if (was)
				enqueue(shared, s);
			fast_shares(s);
			/* alone until now: there is no turn it could lose */
			if (s->live && s->state == SET_RUN && !s->arrived)
				fast_revoke(s);
		}
		q->domain = domain_get(shared);
		moved++;
	}
	/* whoever has the turn keeps it: it may be in the middle of a call that
	 * changes memory, in one variant after the other */
	if (!shared->owner && !shared->team && old->owner) {
		shared->owner = old->owner;
		shared->t_owned = old->t_owned;
	}
	old->owner = NULL;
	turn_move(old, shared);
	while (moved--)
		domain_put(old);
	if (!shared->owner && !shared->team)
		next(shared);
}

/* Does anybody who runs want the turn while this process is stopped? */
static bool wanted_beside(const struct domain *d, const struct proc *p)
{
	const struct taskset *s;

	LIST_FOREACH(s, &mon.sets, all)
		if (s->proc->domain == d && s->proc != p &&
		    (s->queued || turn_awaits(s)))
			return true;
	return false;
}

/*
 * The owner's leader is in a group stop and its followers wait for it at their
 * next call: until it is continued (signal_interrupt_stop) the set needs no
 * turn.
 */
static bool leave_stopped(struct taskset *o)
{
	for_each_follower(v)
		if (o->t[v].at == AT_RUN && !fast_idle(o, v))
			return false;
	o->state = SET_PARKED;
	o->in_order = false;
	if (!o->proc->held) {
		o->proc->held = o;
		n_held++;
	}
	sched_leave(o);
	return true;
}

/* Has every variant computed for long since it was first looked at? */
static bool computed_long(struct taskset *o)
{
	struct domain *d = o->proc->domain;
	bool first = o->watched != o->t_run;
	uint64_t enough;

	if (first && o->park_tries) {
		/* it did make a call: patience pays */
		o->park_tries = 0;
		if (d->park_early)
			d->park_early--;
	}
	enough = o->spins ? PARK_SPIN_NS : (uint64_t)PARK_NS << o->park_tries;
	if (!o->spins && enough < MEET_SHARE * o->meet_ns)
		enough = MEET_SHARE * o->meet_ns < PARK_MAX_NS ?
			MEET_SHARE * o->meet_ns : PARK_MAX_NS;
	o->watched = o->t_run;
	for_each_variant(v) {
		struct task *t = &o->t[v];
		uint64_t ns = t->tid ? task_runtime(t) : 0;

		if (first)
			o->watched_cpu[v] = ns;
		else if (t->at == AT_RUN && ns &&
			 ns - o->watched_cpu[v] < enough)
			return false;
	}
	return !first;
}

/* Has it been for long, and one of its variants does not even want to run? */
static bool idle_long(const struct taskset *o)
{
	char state;

	if (mon.now - o->t_run <= PARK_IDLE_NS)
		return false;
	for_each_variant(v) {
		const struct task *t = &o->t[v];

		if (t->at != AT_RUN || !t->tid)
			continue;
		task_cpu(t, &state);
		/* one that has stopped is about to be seen */
		if (state != 'R' && state != 't')
			return true;
	}
	return false;
}

/* Some of its variants have come to the next call, and the others should have as
 * well. */
static bool late(const struct taskset *s)
{
	if (mon.now - s->t_run <= PARK_LATE_NS)
		return false;
	for_each_variant(v) {
		const struct task *t = &s->t[v];
		uint64_t ns = !(s->arrived & 1u << v) && t->tid &&
			s->watched == s->t_run ? task_runtime(t) : 0;

		if (ns && ns - s->watched_cpu[v] < PARK_LATE_NS / 2)
			return s->idle || idle_long(s);
	}
	return true;
}

bool sched_may_park(const struct taskset *s, bool computing)
{
	return computing || late(s);
}

/* Where threads compute for ever, the others need not wait as long each time. */
bool sched_patient(struct taskset *s)
{
	struct domain *d = s->proc->domain;

	if (s->spins || s->met)
		return false;
	if (s->park_tries + d->park_early < PARK_TRIES) {
		s->park_tries++;
		s->park = false;
		return true;
	}
	s->park_tries = 0;
	if (d->park_early < PARK_TRIES)
		d->park_early++;
	return false;
}

/* One that has the turn in-process: since when, to the ticker? */
static void note_holder(struct domain *d, struct taskset *o)
{
	uint32_t n = turn_count(d);

	if (d->holder == o && d->holder_turn == n)
		return;
	d->holder = o;
	d->holder_turn = n;
	o->t_run = mon.now;
}

/*
 * The turn has been taken from a team, and a follower does not come to where its leader
 * gave it away: that it computes is no reason to worry, that it does not is a stall.
 * True: it has been said so.
 */
static bool check_late(struct domain *d)
{
	uint64_t limit = (uint64_t)mon.opt.timeout * 1000000000u, since, cpu;
	struct task *t = turn_late(d, &since);
	struct divergence div = { .kind = DIV_STALL, .arg = -1 };
	char state;

	if (!t || mon.now - since < limit) {
		d->late = NULL;
		return false;
	}
	cpu = task_cpu(t, &state);
	if (t != d->late || cpu != d->late_cpu || state == 'R') {
		d->late = t;
		d->late_cpu = cpu;
		d->t_late = mon.now;
		return false;
	}
	if (mon.now - d->t_late < limit)
		return false;
	d->late = NULL;
	div.set = t->set;
	div.variant = t->variant;
	snprintf(div.note, sizeof(div.note),
		 "variant %u has not come to where its leader let other threads run for %llu s (state %c)",
		 t->variant, (unsigned long long)((mon.now - since) /
						  1000000000u), state);
	diverge(&div);
	return true;
}

bool sched_tick(void)
{
	struct proc *p;
	bool waits = false;

again:
	LIST_FOREACH(p, &mon.procs, all) {
		struct domain *d = p->domain;
		struct taskset *o;

		if (!d || d->t_tick == mon.now)
			continue;
		d->t_tick = mon.now;
		turn_tick(d);
		if (d->team && idle(d, d->team))
			turn_keep_not(d);
		if (!wanted(d))
			continue;
		if (gives(d) && !TAILQ_NEXT(d->owner, ready) &&
		    mon.now - d->t_gives < GIVE_NS) {
			waits = true;
			continue;
		}
		if ((!d->team || !idle(d, d->team)) && available(d)) {
			/* whoever goes on may be the end of any process */
			next(d);
			goto again;
		}
		if (check_late(d)) {
			if (mon.ending)
				return false;
			goto again;
		}
		waits |= d->team && !TAILQ_EMPTY(&d->ready);
		o = d->team ? turn_holder(d) : d->owner;
		if (!o)
			continue;
		if (d->team)
			note_holder(d, o);
		if (o->state == SET_RUN && o->t[LEADER].at == AT_GROUP) {
			/* its own threads do not need it either */
			if (!wanted_beside(d, o->proc))
				continue;
			if (leave_stopped(o))
				goto again;
		}
		waits |= o->spins;
		if (o->state == SET_RUN &&
		    mon.now - o->t_run > (o->spins ? LOOK_SPIN_NS : LOOK_NS) &&
		    sched_may_park(o, !o->arrived) &&
		    (computed_long(o) || idle_long(o))) {
			o->park = true;
			o->idle = o->idle || idle_long(o);
			set_interrupt(o);
		}
	}
	return waits;
}
