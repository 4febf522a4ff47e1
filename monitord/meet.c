// SPDX-License-Identifier: Apache-2.0
/*
 * Bringing variants that compute to the same instant.
 *
 * Theory of operation
 * -------------------
 * A set that computes without calls is interrupted, and each variant stops at
 * another instant of the same computation: between calls nothing from outside
 * reaches it, so all of them pass through the same states, some earlier.  What
 * others do next depends on the instant: a lock is held in one variant and free
 * in another.  Record-and-replay debuggers know the instant from a counter of
 * branches, which virtual machines seldom have.  Here those that are behind run
 * on until their state is that of the one in front.
 *
 * States are looked at in one place only, an instruction the computation comes to
 * again and again: the outermost function seen to be returned to (meet_wide.c), or, if
 * the loop calls nothing, one that the leader, stepped for a while, has come to more
 * than once, and of those one it came to least often, which is in the outermost loop
 * in sight.
 *
 * Among the words of a state (meet_view.c) are the variables of the loop, and some
 * of them change in one direction only.  Which, and how fast, is learnt by
 * watching: from one visit of the place to the next, and over fractions of a
 * millisecond, in which a variable of an inner loop goes up and down and one of an
 * outer loop does not.  These words tell who is behind and by how much: from afar
 * it runs for a part of the time that takes, from near it goes from visit to
 * visit.  Who has run too far is the one in front.  In a tight loop the shortest run
 * is thousands of visits: it is tried until one ends a little before the place; with
 * more variants all of them have to, so that "near" is farther then.  Where these words
 * agree and others do not, somebody is a part of the outer loop ahead: one goes from
 * visit to visit, and if it was the wrong one it passes the other.  That one is less than
 * a turn behind then, and goes from visit to visit as well: a run would end in the middle
 * of some turn, before the instant or after it, and that cannot be told.
 *
 * All of it is bounded, in time and in rounds.  Where nothing changes the loop
 * waits, and align.c is right; where nothing that can be seen goes in one direction
 * there is no answer, and the set is left alone for longer (sched.c).  A signal is
 * worth more time and tries (signal.c).
 *
 * A variant that comes to a call or a fault on the way leaves: a call is a better
 * place to meet at.  Signals that come meanwhile wait (signal_meanwhile).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "meet.h"
#include "meet_int.h"
#include "signals.h"

#define FRAME_TRIES	4u
#define FINE_VISITS	6u	/* to see what changes from one to the next */
#define FAR_TIMES	10u	/* ... and from one moment to the next, */
#define FAR_NS		300000u	/* so far apart */
#define FAR_KNOWN	4u	/* ... at that many it has changed, and not now and then */
#define FAR_SURE	6u	/* moments, for one that also goes the other way */
#define UNSURE		1e6	/* slower than any other */
#define NEAR		300u	/* visits with one follower, which take as long as */
#define NEAR_MORE	2000u	/* some short runs, or with more */
#define WALK_NS		3000000u
#define RUN_MIN_NS	15000u	/* shorter ones may not move it at all */
#define RUN_MAX_NS	40000000u
#define RUN_PART	0.75	/* of the way */
#define WALK_MAX	4096u	/* visits in a row */
#define ROUNDS_MAX	4096u

/* ---- what changes ---- */

static void learn_near(struct meeting *m, const struct meet_view *a,
		       const struct meet_view *b)
{
	int64_t d[MEET_CHANNELS];

	meet_distance(m, a, b, d);
	for (unsigned int c = 0; c < MEET_CHANNELS; c++) {
		struct meet_channel *ch = &m->ch[c];
		bool first = !(ch->up + ch->down + ch->same);

		ch->up += d[c] > 0;
		ch->down += d[c] < 0;
		ch->same += !d[c];
		if (first)
			ch->stride = d[c];
		else if (ch->stride != d[c])
			ch->stride = 0;
	}
}

static void learn_far(struct meeting *m, const struct meet_view *a,
		      const struct meet_view *b, uint64_t ns)
{
	int64_t d[MEET_CHANNELS];

	meet_distance(m, a, b, d);
	for (unsigned int c = 0; c < MEET_CHANNELS; c++) {
		struct meet_channel *ch = &m->ch[c];

		ch->far_up += d[c] > 0;
		ch->far_down += d[c] < 0;
		/* short ones are mostly what is around them */
		if (d[c] && ns && (ns > FAR_NS / 4 || ch->rate == 0))
			ch->rate = (double)d[c] / (double)ns;
	}
}

/* +1: it grows, -1: it falls, 0: neither, or it is not known */
static int trend(const struct meet_channel *ch)
{
	/* what is seen over longer times counts, if it is seen often enough */
	unsigned int n = ch->far_up + ch->far_down;
	bool far = n && (n >= FAR_SURE || !(ch->up && ch->down));
	bool up = far ? ch->far_up : ch->up;
	bool down = far ? ch->far_down : ch->down;

	return up == down ? 0 : up ? 1 : -1;
}

static double speed(const struct meet_channel *ch)
{
	return ch->rate < 0 ? -ch->rate : ch->rate;
}

/*
 * The channel that tells how far a is behind b (*dist > 0: so far; < 0: a is in
 * front), or -1.  One that changes slowly is before one that changes fast: it
 * belongs to an outer loop, if it has been seen to change more than now and then.
 */
static int measure(const struct meeting *m, const struct meet_view *a,
		   const struct meet_view *b, int64_t *dist)
{
	int64_t d[MEET_CHANNELS];
	double slowest = 0;
	int best = -1;

	meet_distance(m, a, b, d);
	for (unsigned int c = 0; c < MEET_CHANNELS; c++) {
		const struct meet_channel *ch = &m->ch[c];
		unsigned int n = ch->far_up + ch->far_down;
		int way = d[c] ? trend(ch) : 0;
		double v = n >= FAR_KNOWN ? speed(ch) : UNSURE + speed(ch);

		if (!way || (best >= 0 && v >= slowest))
			continue;
		best = (int)c;
		slowest = v;
		*dist = d[c] * way;
	}
	return best;
}

static int run(struct meeting *m, unsigned int v, uint64_t ns)
{
	struct meet_view before = m->view[v];
	uint64_t used = 0;
	int r = meet_run(m, v, ns, &used, &m->view[v]);

	if (!r)
		learn_far(m, &before, &m->view[v], used);
	return r;
}

static int learn(struct meeting *m)
{
	struct meet_view *now = &m->view[LEADER];
	int r;

	memset(m->ch, 0, sizeof(m->ch));
	r = meet_visit(m, LEADER, now);

	for (unsigned int i = 0; i < FINE_VISITS && !r; i++) {
		struct meet_view before = *now;

		r = meet_visit(m, LEADER, now);
		if (!r)
			learn_near(m, &before, now);
	}
	for (unsigned int i = 0; i < FAR_TIMES && !r; i++)
		r = run(m, LEADER, FAR_NS);
	if (r)
		return r;
	for (unsigned int c = 0; c < MEET_CHANNELS; c++)
		if (trend(&m->ch[c]))
			return 0;
	return -ENOENT;
}

/* Where it stands it may not have been called from the loop, but be in it; if the last
 * one did not call at all it is seldom tried twice. */
static int find_frame(struct meeting *m)
{
	int r = meet_find_frame(m);

	for (unsigned int i = 1; i < FRAME_TRIES && r == -ENOENT &&
	     !m->s->meet_flat; i++) {
		r = meet_ahead(m, LEADER, FAR_NS / 4 * i);
		if (!r)
			r = meet_find_frame(m);
	}
	m->s->meet_flat = r == -ENOENT;
	return r;
}

/*
 * A loop that calls functions, then one that does not: a short look shows the
 * innermost, which may always be the same.
 */
static int watch(struct meeting *m)
{
	int r = find_frame(m);

	for (unsigned int far = 0; far < 2; far++) {
		if (!r)
			r = meet_find_cells(m, FAR_NS);
		if (!r)
			r = learn(m);
		if (r != -ENOENT)
			return r;
		r = meet_find_place(m, far);
	}
	return r ? r : learn(m);
}

/* ---- together ---- */

/* Something that goes in one direction says that they are at the same turn of the
 * outer loop. */
static bool same_turn(const struct meeting *m, const struct meet_view *a,
		      const struct meet_view *b)
{
	int64_t d[MEET_CHANNELS];

	meet_distance(m, a, b, d);
	for (unsigned int c = 0; c < MEET_CHANNELS; c++) {
		const struct meet_channel *ch = &m->ch[c];

		if (ch->far_up + ch->far_down >= FAR_SURE && trend(ch) && !d[c])
			return true;
	}
	return false;
}

/* From visit to visit, until it is there or has passed it, by *turn then. */
static int walk(struct meeting *m, unsigned int v, const struct meet_view *to,
		int64_t *turn)
{
	struct meet_view *at = &m->view[v], last;

	for (unsigned int i = 0; i < WALK_MAX; i++) {
		int64_t dist = 0;
		int r;

		last = *at;
		r = i % 64 == 63 && meet_late(m) ? -ETIME :
			meet_visit(m, v, at);
		if (r)
			return r;
		learn_near(m, &last, at);
		if (meet_alike(m, at, to))
			return 0;
		if (measure(m, at, to, &dist) >= 0 && dist < 0) {
			*turn = -dist;
			return 0;
		}
	}
	return 0;
}

/* *blind: for how long it runs if nothing that differs has been seen to change, ns;
 * *turn: how far it is from one turn of the outer loop to the next, 0: not known */
static int approach(struct meeting *m, unsigned int v,
		    const struct meet_view *to, uint64_t *blind, int64_t *turn)
{
	int64_t dist = 0, near = __builtin_popcount(mon.live) > 2 ? NEAR_MORE : NEAR;
	int c = measure(m, &m->view[v], to, &dist);
	const struct meet_channel *ch = &m->ch[c < 0 ? 0 : c];
	int64_t passed;
	double need;

	if (c < 0 && same_turn(m, &m->view[v], to))
		return walk(m, v, to, turn);
	if (c < 0) {
		*blind *= 2;
		return run(m, v, *blind / 2 < RUN_MAX_NS ? *blind / 2 :
			   RUN_MAX_NS);
	}
	need = speed(ch) > 0 ? (double)dist / speed(ch) * RUN_PART : 0;
	if (dist <= *turn ? need < WALK_NS :
	    ch->stride ? dist / llabs(ch->stride) <= near && need < WALK_NS :
	    need < RUN_MIN_NS)
		return walk(m, v, to, &passed);
	return run(m, v, need > RUN_MAX_NS ? RUN_MAX_NS :
		   need < RUN_MIN_NS ? RUN_MIN_NS : (uint64_t)need);
}

/* Who is not where the one in front is (*front, which may be another one than
 * thought), or MAX_VARIANTS. */
static unsigned int behind(const struct meeting *m, unsigned int *front)
{
	unsigned int last = MAX_VARIANTS;

	for_each_variant(v) {
		int64_t dist = 0;

		if (v == *front || meet_alike(m, &m->view[v], &m->view[*front]))
			continue;
		last = v;
		if (measure(m, &m->view[v], &m->view[*front], &dist) < 0 ||
		    dist >= 0)
			continue;
		last = *front;
		*front = v;
		break;
	}
	return last;
}

static int gather(struct meeting *m)
{
	unsigned int front = LEADER;
	uint64_t blind = FAR_NS;
	int64_t turn = 0;
	int r = 0;

	for_each_follower(v) {
		r = meet_visit(m, v, &m->view[v]);
		if (r)
			return r;
		meet_same_frame(m, v);
		/* that was where the first stack's words are, too */
		for (unsigned int i = 0; i < m->cells; i++)
			m->cell[v][i] = meet_there(m, v, m->cell[LEADER][i]);
		if (!meet_look(m, v, &m->view[v]))
			return -EAGAIN;
	}
	for (unsigned int i = 0; i < ROUNDS_MAX && !meet_late(m); i++) {
		unsigned int v = behind(m, &front);

		if (v == MAX_VARIANTS)
			return 0;
		r = approach(m, v, &m->view[front], &blind, &turn);
		if (r)
			return r;
	}
	return -ETIME;
}

int meet_set(struct taskset *s)
{
	struct meeting m = { .s = s };
	int r = 0;

	for_each_variant(v)
		if (!signal_may_step(&s->t[v]))
			return -ENOENT;
	/* the measure of all waits */
	ticker_want(true);
	meet_move_start(&m);
	r = meet_view_start(&m);
	if (!r)
		r = watch(&m);
	if (!r)
		r = gather(&m);
	meet_move_end(&m);
	meet_view_end(&m);
	s->t_met = now_ns();
	s->meet_ns = s->t_met - m.start;
	return r == -ENOMEM ? -ENOENT : r;
}
