// SPDX-License-Identifier: Apache-2.0
/*
 * Stopping variants that compute at the same place.
 *
 * Theory of operation
 * -------------------
 * A set that computes is interrupted to let another one run or to be given a
 * signal.  Each of its variants stops wherever it happens to be.  If that is
 * in a loop that waits for somebody else (it takes a lock, looks, lets go, and
 * begins again), one variant may hold the lock and another not: what others do
 * next would differ.  Such a loop comes round to every of its instructions
 * again and again, so a follower is stepped on, one instruction at a time,
 * until it stands where the leader stands.
 *
 * "Where" means the same registers and the same top of the stack, except for
 * addresses and what the loop counts (lap.c).  Addresses differ by whole pages, or,
 * on the first thread's stack, by as much as that stack does, wherever they are
 * found: what starts threads leaves such in registers that are kept.  Words of the
 * stack that are the same when the loop has come round are no part of it (canaries,
 * what earlier calls left behind): they need not be alike, as no number of steps
 * would make them so.  Numbers that differ by a multiple of the page size pass for
 * addresses, once in 4096; it does not matter, since this only makes a good guess
 * better.  When there is no such place, because it is not a loop, or one that works
 * its way through something, those that are behind are let go on until all are at the
 * same instant (meet.c); if that cannot be found either they stay where they are, and
 * the set is tried with fewer steps next time.
 *
 * A step never enters the kernel: a variant that stands before a system call,
 * or in the monitor's own code, is not going round a loop.  One that meets a
 * signal or a fault while it is stepped has a stop of its own to be dealt with;
 * the others are let go again.  One that would notice being stepped is not.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "align.h"
#include "event.h"
#include "lap.h"
#include "meet.h"
#include "signals.h"
#include "spin.h"
#include "tracee.h"

#define STEPS_MAX 4096
#define STEPS_MIN 64
#define WORDS 16		/* of the stack */
#define LEFT_MAX 4u
#define VAIN_MAX 6u		/* 31 times not tried */
/* carry, zero, sign, direction, overflow: those of an address are the same in
 * all variants, unlike parity and half-carry, which come from its low bits */
#define FLAGS 0xcc1
#define UNLIKE_FLAGS 0x14ull	/* those two: a call leaves all flags in r11 */
#define R11 10

/* What is compared. */
struct place {
	uint64_t ip, sp, flags, reg[LAP_REGS], word[WORDS];
	unsigned char code[16];
};

static bool place_of(struct task *t, struct place *p)
{
	const struct user_regs_struct *r = task_regs(t);

	if (!r)
		return false;
	memset(p, 0, sizeof(*p));
	*p = (struct place) {
		.ip = r->rip, .sp = r->rsp, .flags = r->eflags & FLAGS,
		.reg = { r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp,
			 r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14,
			 r->r15 },
	};
	return true;
}

/* How far the first thread's stack of t's variant is from the leader's. */
static uint64_t stack_distance(const struct task *t)
{
	const struct mm *mm = t->set->proc->mm;

	return mm->auxv[t->variant] - mm->auxv[LEADER];
}

static bool alike(uint64_t a, uint64_t b, uint64_t stack)
{
	return a == b || !((a - b) & 4095) || b - a == stack;
}

/* The registers alone: cheap, and false for most steps. */
static bool regs_alike(const struct place *a, const struct place *b,
		       uint64_t stack, const struct lap_moving *m)
{
	if (((a->ip ^ b->ip) & 4095) || !alike(a->sp, b->sp, stack) ||
	    (!m->flags && a->flags != b->flags))
		return false;
	for (unsigned int i = 0; i < LAP_REGS; i++)
		if (!(m->regs & 1u << i) &&
		    !alike(a->reg[i], b->reg[i], stack) &&
		    (i != R11 || (a->reg[i] ^ b->reg[i]) & ~UNLIKE_FLAGS))
			return false;
	return true;
}

static void fetch_memory(struct task *t, struct place *p)
{
	mem_read_some(t, p->code, p->ip, sizeof(p->code));
	mem_read_some(t, p->word, p->sp, sizeof(p->word));
}

/* A bit for each word that differs from what the leader has; ~0: other code. */
static unsigned int differing(const struct place *a, const struct place *b,
			      uint64_t stack)
{
	unsigned int words = 0;

	if (memcmp(a->code, b->code, sizeof(a->code)) != 0)
		return ~0u;
	for (unsigned int i = 0; i < WORDS; i++)
		if (!alike(a->word[i], b->word[i], stack))
			words |= 1u << i;
	return words;
}

/* A bit for each word that the leader's loop counts in. */
static unsigned int moving_words(const struct place *p,
				 const struct lap_moving *m)
{
	unsigned int words = 0;

	for (unsigned int c = 0; c < m->cells; c++)
		for (unsigned int i = 0; i < WORDS; i++)
			if (m->cell[c].addr < p->sp + 8 * i + 8 &&
			    p->sp + 8 * i < m->cell[c].addr + m->cell[c].size)
				words |= 1u << i;
	return words;
}

/* A bit for each word that is the same in both. */
static unsigned int unchanged(const struct place *a, const struct place *b)
{
	unsigned int words = 0;

	for (unsigned int i = 0; i < WORDS; i++)
		if (a->word[i] == b->word[i])
			words |= 1u << i;
	return words;
}

/* -ENOENT: not found; -EAGAIN: it has left, or is not stopped any more. */
static int find(struct task *t, const struct place *want,
		const struct lap_moving *m, unsigned int *steps)
{
	uint64_t stack = stack_distance(t);
	unsigned int differ, dead = moving_words(want, m);
	bool may = false, round = false;
	struct place p, before;

	for (;;) {
		if (!place_of(t, &p))
			return -EAGAIN;
		if (regs_alike(want, &p, stack, m)) {
			fetch_memory(t, &p);
			differ = differing(want, &p, stack);
			if (round && differ != ~0u)
				dead |= differ & unchanged(&before, &p);
			if (!(differ & ~dead))
				return 0;
			before = p;
			round = true;
		}
		may = may || signal_may_step(t);
		if (!may || !*steps)
			return -ENOENT;
		--*steps;
		if (lap_sees_steps(t, p.ip))
			return -ENOENT;
		if (lap_leaves(t, p.ip) || !event_step(t, 0))
			return -EAGAIN;
	}
}

/* Followers to where the leader is, in a loop that waits.  Results as above. */
static int align_to_leader(struct taskset *s, const struct lap_moving *m)
{
	unsigned int steps = s->align_steps ? s->align_steps : STEPS_MAX;
	struct place want;
	int all = 0;

	if (!place_of(&s->t[LEADER], &want))
		return -EAGAIN;
	fetch_memory(&s->t[LEADER], &want);
	for_each_follower(v) {
		unsigned int n = steps;
		int r = find(&s->t[v], &want, m, &n);

		if (!r)
			r = lap_follow(&s->t[v], m);
		if (r == -EAGAIN)
			return r;
		if (r < 0)
			all = -ENOENT;
	}
	if (!all)
		s->align_steps = STEPS_MAX;
	else
		s->align_steps = steps / 2 > STEPS_MIN ? steps / 2 : STEPS_MIN;
	return all;
}

/* Where it was in vain it is not tried every time: it takes long. */
static int try_to_meet(struct taskset *s)
{
	int r;

	/* what ends or stops all of it does so anywhere */
	if (signal_open(s) && !signal_open_caught(s))
		return -ENOENT;
	/* it comes to faults, calls and the like again and again */
	if (s->meet_left >= LEFT_MAX) {
		s->meet_left = 0;
		return -ENOENT;
	}
	if (s->meet_skip) {
		s->meet_skip--;
		return s->meet_error;
	}
	r = meet_set(s);
	s->met = !r;
	if (r == -EAGAIN) {
		s->meet_left++;
		return r;
	}
	s->meet_left = 0;
	s->meet_error = r;
	s->meet_vain = r ? s->meet_vain + 1 : 0;
	if (s->meet_vain > VAIN_MAX)
		s->meet_vain = VAIN_MAX;
	s->meet_skip = s->meet_vain ? (1u << (s->meet_vain - 1)) - 1 : 0;
	return r;
}

bool align_set(struct taskset *s)
{
	struct lap_moving m = { 0 };
	bool waited = s->spins, others = mon.live & ~(1u << LEADER);
	int r = others || spin_may_replace(s) ? lap_of_leader(s, &m) : 0;
	bool proven = !r, tried;

	s->spins = s->met = s->waits = false;
	/* one alone is where it is */
	if (!others && r == -ENOENT)
		r = 0;
	tried = r == -ENOENT && !waited;
	/* A loop that is not seen to wait may count in memory, and look as if it
	 * did; one that did the last time is likely to wait still. */
	s->spin_at = 0;
	if (r == -ENOENT && s->park) {
		r = spin_meet(s);
		s->spins = !r;
		if (r != -ENOENT)
			return r != -EAGAIN;
	}
	if (tried)
		r = try_to_meet(s);
	if (!s->met && r != -EAGAIN && r != -ETIME) {
		r = align_to_leader(s, &m);
		s->spins = !r;
		s->waits = s->spins && proven && spin_may_replace(s);
	}
	if (r == -ENOENT && !tried)
		r = try_to_meet(s);
	return r != -EAGAIN;
}
