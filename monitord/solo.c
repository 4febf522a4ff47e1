// SPDX-License-Identifier: Apache-2.0
/*
 * Calls a variant makes alone.
 *
 * Theory of operation
 * -------------------
 * Correct programs exist whose variants do not make exactly the same calls
 * under different layouts.  jemalloc, for one, seeds the generator that decides
 * when to look at the clock and to return memory with the address of its
 * thread state.  What such code does concerns the variant only: it reads the
 * time, or maps, unmaps and advises about memory of its own.
 *
 * When variants differ at a rendezvous, those that stand at such a private
 * call (RF_PRIVATE, and harmless arguments: nothing executable, no file, no
 * fixed address, not the monitor's pages) execute it by themselves and go on
 * to their next call, while the others wait.  Anything visible outside the
 * variant still has to be asked for by all of them, in the same order.
 *
 * Waking a thread of the own process counts as private too: its helper thread
 * is woken when enough memory is free.  In the leader it wakes the thread of
 * all variants; a follower's alone wakes nobody, followers do not sleep there.
 *
 * So does drawing a few random bytes once more, as gnulib's tempname does (in
 * mktemp(1)) after a draw from clock and address that would favour a digit.
 *
 * The clock is read by everything, so the additional read of one variant often
 * meets a read by the program itself in the others.  So reads from different
 * stack depths (the stack pointers do not differ as at the last common call,
 * on the same stack) are not taken for the same one: the deeper one is answered
 * alone first.  And until the next common call that is not private, who reads
 * a clock alone is told what was told before.  So whichever read was the additional one, all variants end up
 * with the same time in the others, and what they compute from it agrees.
 *
 * When variants read different clocks, the leader goes first, and goes on to its
 * next call.  What it was told is kept for the followers (clock_gone): in time
 * they ask for it, too.  Otherwise a program's reads of one clock, whose order
 * and number are the same everywhere, would be mistaken for each other.  The same
 * goes for what a leader that handles calls in-process asks here alone; followers
 * take what is kept for them along when they go on (fast_solo.c).
 *
 * Once a variant has read a clock alone, moreover, the time stands still between
 * two common calls (CLOCK_FREEZE_NS): then it does not matter which of the reads
 * was the additional one.
 *
 * Variants that do not load the same code may do more alone: own.c.
 *
 * Bounded: a set that makes SOLO_MAX such calls without a common one in
 * between has parted ways, which is reported as the divergence it is.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <linux/futex.h>
#include <time.h>

#include "../libipmon/core/decide.h"
#include "fast.h"
#include "fast_solo.h"
#include "calls.h"
#include "h_memory.h"
#include "own.h"
#include "shadow.h"
#include "solo.h"
#include "tracee.h"

#define SOLO_MAX 1024
#define DRAW_MAX 8		/* bytes */
#define SAME_STACK (1 << 20)
#define SAME_DEPTH 64

#ifndef MADV_COLD
#define MADV_COLD 20
#endif

static bool harmless_advice(int advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_FREE:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_COLD:
		return true;
	default:
		return false;
	}
}

static bool private_call(const struct task *t)
{
	const struct ipmon_row *row = ipmon_row(t->call.nr);
	const uint64_t *a = t->call.args;
	const struct mm *mm = t->set->proc->mm;

	if (t->call.no_tracer ||
	    (mon.opt.any_calls && calls_denied(t->call.nr)))
		return false;
	if (own_call(t))
		return true;
	if (row->handler == H_FUTEX)
		return (int)a[1] == (FUTEX_WAKE | FUTEX_PRIVATE_FLAG);
	if (t->call.nr == SYS_getrandom)
		return a[1] <= DRAW_MAX && a[2] & GRND_NONBLOCK;
	if (!(row->flags & RF_PRIVATE))
		return false;
	switch (row->handler) {
	case H_MMAP:
		return a[3] & MAP_ANONYMOUS &&
		       !(a[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE)) &&
		       (a[3] & MAP_TYPE) == MAP_PRIVATE &&
		       !(a[2] & PROT_EXEC);
	case H_MPROTECT:
		return !(a[2] & PROT_EXEC) &&
		       !mem_protected(mm, t->variant, a[0], a[1]);
	case H_MUNMAP:
		return !mem_protected(mm, t->variant, a[0], a[1]) &&
		       !shadow_touches(mm, t->variant, a[0], a[1]);
	case H_MREMAP:
		/* of nothing it makes a second one of what is shared */
		return a[1] && a[2] && !(a[3] & ~(uint64_t)MREMAP_MAYMOVE) &&
		       !mem_protected(mm, t->variant, a[0], a[1]) &&
		       !shadow_touches(mm, t->variant, a[0], a[1]);
	case H_MADVISE:
		return harmless_advice((int)a[2]) &&
		       !mem_protected(mm, t->variant, a[0], a[1]);
	case H_BRK:
	case H_GENERIC:
		return true;
	default:
		return false;
	}
}

static bool is_clock(const struct call *c)
{
	return c->nr == SYS_clock_gettime || c->nr == SYS_gettimeofday ||
		c->nr == SYS_time;
}

/* Where the last answer to a clock call is kept, in seconds and nanoseconds; -1:
 * nowhere. */
static int clock_slot(const struct call *c)
{
	if (c->nr == SYS_clock_gettime)
		return c->args[0] < CLOCK_SLOTS ? (int)c->args[0] : -1;
	return c->nr == SYS_gettimeofday ? CLOCK_REALTIME :
		CLOCK_REALTIME_COARSE;
}

static unsigned int clock_unit(const struct call *c)
{
	return c->nr == SYS_gettimeofday ? 1000 : 1;
}

/* The address the answer goes to, and its size. */
static uint64_t clock_out(const struct call *c, size_t *size)
{
	*size = c->nr == SYS_time ? 8 : 16;
	return c->nr == SYS_clock_gettime ? c->args[1] : c->args[0];
}

static void note_clock(struct task *t, int64_t ret)
{
	struct clock_cache *cc = &t->set->clocks;
	int slot = clock_slot(&t->call);
	uint64_t value[2] = { (uint64_t)ret, 0 }, at;
	size_t size;

	if (slot < 0 || ret < 0)
		return;
	at = clock_out(&t->call, &size);
	if (t->call.nr != SYS_time &&
	    (!at || mem_read(t, value, at, size) < 0))
		return;
	cc->value[slot][0] = value[0];
	cc->value[slot][1] = value[1] * clock_unit(&t->call);
	cc->when[slot] = mon.now;
	cc->known |= 1u << slot;
	if (t->set->live)
		fast_clocks_give(t->set);
}

void solo_note_clock(struct taskset *s, int64_t ret)
{
	if (mon.live != 1u << LEADER &&
	    is_clock(&s->t[LEADER].call))
		note_clock(&s->t[LEADER], ret);
}

/* A time, as the call tells it. */
static int put_value(struct task *t, const uint64_t *value, uint64_t at,
		     size_t size)
{
	const uint64_t told[2] = {
		value[0], value[1] / clock_unit(&t->call)
	};

	return mem_write(t, at, told, size);
}

/* What is known of the clock the call reads. */
static int put_time(struct task *t, int slot, uint64_t at, size_t size)
{
	return put_value(t, t->set->clocks.value[slot], at, size);
}

/* The leader alone has been told the time; followers of `waiting` will ask. */
static void clock_went(struct task *t, unsigned int waiting)
{
	struct clock_cache *cc = &t->set->clocks;
	int slot = clock_slot(&t->call);
	struct clock_gone *g;

	if (slot < 0 || !(cc->known >> slot & 1) || !waiting)
		return;
	/* the oldest is forgotten */
	if (cc->n_gone == CLOCKS_GONE)
		memmove(cc->gone, cc->gone + 1,
			--cc->n_gone * sizeof(cc->gone[0]));
	g = &cc->gone[cc->n_gone++];
	g->nr = t->call.nr;
	g->depth = t->set->sp[LEADER] - t->call.sp;
	g->commons = cc->commons;
	g->slot = slot;
	g->waiting = waiting;
	memcpy(g->value, cc->value[slot], sizeof(g->value));
}

/* What the leader was told where this follower asks.  use: it is told now. */
static bool clock_gone(struct task *t, uint64_t value[2], bool use)
{
	struct clock_cache *cc = &t->set->clocks;
	uint64_t depth = t->set->sp[t->variant] - t->call.sp;
	uint32_t commons;

	if (fast_clock_gone(t, value, use)) {
		value[1] *= clock_unit(&t->call);
		return true;
	}
	commons = cc->n_gone ? fast_commons(t->set, t->variant) : 0;
	for (unsigned int i = 0; i < cc->n_gone; i++) {
		struct clock_gone *g = &cc->gone[i];
		int64_t d = clock_deeper(depth, g->depth);

		if (!(g->waiting >> t->variant & 1) || g->nr != t->call.nr ||
		    g->slot != clock_slot(&t->call) || g->commons != commons)
			continue;
		/* d < 0: it was the leader's additional one; > 0: this is ours */
		if (d < 0 || (use && !d))
			g->waiting &= ~(1u << t->variant);
		if (d < 0)
			continue;
		memcpy(value, g->value, sizeof(g->value));
		return true;
	}
	return false;
}

/* Answer a clock call of one variant, from memory if there is one. */
static int64_t clock_alone(struct task *t)
{
	struct clock_cache *cc = &t->set->clocks;
	int slot = clock_slot(&t->call);
	int64_t ret = task_exec(t, t->call.nr, t->call.args);
	uint64_t at, told[2];
	size_t size;

	at = clock_out(&t->call, &size);
	if (t->at != AT_EXIT || ret < 0 || slot < 0)
		return ret;
	if (t->variant != LEADER && clock_gone(t, told, true)) {
		if (at)
			put_value(t, told, at, size);
		return t->call.nr == SYS_time ? (int64_t)told[0] : ret;
	}
	if (!(cc->known & (1u << slot))) {
		note_clock(t, ret);
		return ret;
	}
	if (at)
		put_time(t, slot, at, size);
	return t->call.nr == SYS_time ? (int64_t)cc->value[slot][0] : ret;
}

/* Carry out the call of the variants in `mask` and let them go on. */
static void alone(struct taskset *s, unsigned int mask)
{
	s->solos++;
	/* who makes one alone is soon to read a clock alone */
	fast_clocks_apart(s);
	fast_clocks_take(s);
	if (mask & 1u << LEADER) {
		s->clocks.commons = fast_commons(s, LEADER);
		fast_leader_runs(s);
	}
	for_each_variant(v) {
		struct task *t = &s->t[v];
		const struct ipmon_row *row = ipmon_row(t->call.nr);
		int64_t ret;

		if (!(mask & (1u << v)))
			continue;
		if (is_clock(&t->call))
			ret = clock_alone(t);
		else if (own_call(t))
			ret = own_make(t);
		else if (row->handler == H_FUTEX && v != LEADER)
			ret = 0;	/* nobody sleeps in a follower */
		else
			ret = task_exec(t, t->call.nr, t->call.args);
		if (t->at != AT_EXIT && t->at != AT_ENTRY)
			continue;
		if (row->handler == H_BRK)
			s->proc->mm->brk[v] = 0;
		mon.count.solo++;
		s->arrived &= ~(1u << v);
		fast_clocks_hand_over(s, v);
		task_finish(t, ret);
		task_resume(t, PTRACE_CONT, 0);
	}
	s->t_arrived = s->arrived ? mon.now : 0;
	s->t_run = mon.now;
}

bool solo_places(const struct taskset *s)
{
	const struct task *t = &s->t[LEADER];
	const struct ipmon_row *row = ipmon_row(t->call.nr);

	/* waking others is what hands locks on */
	return row->flags & RF_PRIVATE && row->handler != H_FUTEX &&
		private_call(t);
}

bool solo_clock(const struct task *t)
{
	return is_clock(&t->call);
}

/* Calls that are handled in-process do not come here: whoever makes them counts. */
static bool too_many(struct taskset *s)
{
	uint32_t commons;

	if (s->solos < own_solo_max(SOLO_MAX))
		return false;
	commons = fast_commons(s, LEADER);
	if (commons == s->solo_commons)
		return true;
	s->solo_commons = commons;
	s->solos = 0;
	return false;
}

bool solo_one(struct taskset *s, unsigned int v)
{
	if (!private_call(&s->t[v]) || too_many(s))
		return false;
	alone(s, 1u << v);
	if (v == LEADER && is_clock(&s->t[v].call))
		clock_went(&s->t[v], mon.live & ~(1u << LEADER));
	return true;
}

bool solo(struct taskset *s)
{
	unsigned int mask = 0, looks = 0, clocks = 0, waiting;

	if (too_many(s))
		return false;
	for_each_variant(v) {
		if (!private_call(&s->t[v]))
			continue;
		if (is_clock(&s->t[v].call))
			clocks |= 1u << v;
		else if (own_look(&s->t[v]))
			looks |= 1u << v;
		else
			mask |= 1u << v;
	}
	/*
	 * Who reads the clock waits for who arranges its memory: most likely
	 * it reads the clock next, and then they all get the same time.  The
	 * same goes for what may turn out to be everybody's question.
	 */
	if (!mask)
		mask = looks & ~(1u << LEADER) ? looks & ~(1u << LEADER) :
			looks ? looks : clocks;
	if (!mask)
		return false;
	/* Different clocks: the next of the leader's may be the others'. */
	if (mask == clocks && mask == mon.live)
		for_each_follower(v)
			if (s->t[v].call.nr != s->t[LEADER].call.nr ||
			    clock_slot(&s->t[v].call) !=
			    clock_slot(&s->t[LEADER].call))
				mask &= ~(1u << v);
	waiting = mask & clocks & 1u << LEADER ? clocks & ~mask : 0;
	alone(s, mask);
	clock_went(&s->t[LEADER], waiting);
	return true;
}

bool solo_behind(struct taskset *s)
{
	unsigned int mask = 0;
	uint64_t told[2];

	if (too_many(s))
		return false;
	for_each_follower(v)
		if (is_clock(&s->t[v].call) &&
		    clock_gone(&s->t[v], told, false))
			mask |= 1u << v;
	if (!mask)
		return false;
	alone(s, mask);
	return true;
}

bool solo_frozen(struct taskset *s)
{
	const struct clock_cache *cc = &s->clocks;
	const struct call *c = &s->t[LEADER].call;
	int slot = is_clock(c) ? clock_slot(c) : -1;
	int64_t ret;

	if (slot < 0 || !s->proc->mm->clocks_apart ||
	    !(cc->known >> slot & 1) ||
	    mon.now - cc->when[slot] > CLOCK_FREEZE_NS ||
	    (c->nr == SYS_gettimeofday && c->args[1]))
		return false;
	ret = c->nr == SYS_time ? (int64_t)cc->value[slot][0] : 0;
	for_each_variant(v) {
		size_t size;
		uint64_t at = clock_out(&s->t[v].call, &size);

		if (at && put_time(&s->t[v], slot, at, size) < 0)
			return false;
	}
	set_finish(s, ret);
	return true;
}

/*
 * How much higher up the stack than the leader a variant is.  Frames that align
 * themselves make a small difference, stacks that start differently none.
 */
static int64_t higher(const struct taskset *s, unsigned int v)
{
	int64_t lead = (int64_t)(s->t[LEADER].call.sp - s->sp[LEADER]);
	int64_t own = (int64_t)(s->t[v].call.sp - s->sp[v]);

	if (llabs(lead) > SAME_STACK || llabs(own) > SAME_STACK ||
	    llabs(own - lead) < SAME_DEPTH)
		return 0;
	return own - lead;
}

bool solo_apart(struct taskset *s)
{
	int64_t deepest = 0;
	unsigned int mask = 1u << LEADER;
	bool apart = false;

	if (!is_clock(&s->t[LEADER].call) || s->solos >= SOLO_MAX)
		return false;
	for_each_follower(v) {
		int64_t up = higher(s, v);

		apart |= up != 0;
		if (up < deepest) {
			deepest = up;
			mask = 0;
		}
		if (up == deepest)
			mask |= 1u << v;
	}
	if (!apart)
		return false;
	alone(s, mask);
	return true;
}

void solo_reset(struct taskset *s)
{
	s->solos = 0;
	s->clocks.known = 0;
	s->clocks.n_gone = 0;
	fast_clocks_forget(s);
	for_each_variant(v)
		s->sp[v] = s->t[v].call.sp;
}
