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
 * addresses: those differ by whole pages, or, on the first thread's stack, by
 * as much as the stack pointers do.  Numbers that differ by a multiple of the
 * page size pass for addresses, once in 4096; it does not matter, since all of
 * this only makes a good guess better.  When there is no such place, because
 * the loop counts, or is not a loop, the variants stay where they are, and the
 * set is tried with fewer steps next time.
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
#include "owned.h"
#include "signals.h"
#include "tracee.h"

#define STEPS_MAX 4096
#define STEPS_MIN 64
#define WORDS 16		/* of the stack */
/* carry, zero, sign, direction, overflow: those of an address are the same in
 * all variants, unlike parity and half-carry, which come from its low bits */
#define FLAGS 0xcc1

/* What is compared. */
struct place {
	uint64_t ip, sp, flags, reg[15], word[WORDS];
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

static bool alike(uint64_t a, uint64_t b, uint64_t stack)
{
	return a == b || !((a - b) & 4095) || b - a == stack;
}

/* The registers alone: cheap, and false for most steps. */
static bool regs_alike(const struct place *a, const struct place *b)
{
	uint64_t stack = b->sp - a->sp;

	if (((a->ip ^ b->ip) & 4095) || a->flags != b->flags || (stack & 15))
		return false;
	for (unsigned int i = 0; i < 15; i++)
		if (!alike(a->reg[i], b->reg[i], stack))
			return false;
	return true;
}

static void fetch_memory(struct task *t, struct place *p)
{
	mem_read_some(t, p->code, p->ip, sizeof(p->code));
	mem_read_some(t, p->word, p->sp, sizeof(p->word));
}

static bool memory_alike(const struct place *a, const struct place *b)
{
	if (memcmp(a->code, b->code, sizeof(a->code)) != 0)
		return false;
	for (unsigned int i = 0; i < WORDS; i++)
		if (!alike(a->word[i], b->word[i], b->sp - a->sp))
			return false;
	return true;
}

/* Would the next instruction leave the program's own code? */
static bool leaves(struct task *t, uint64_t ip)
{
	unsigned char c[2] = { 0 };
	uint64_t from, to;

	if (mem_read_some(t, c, ip, sizeof(c)) != sizeof(c))
		return true;
	if ((c[0] == 0x0f && (c[1] == 0x05 || c[1] == 0x34)) || c[0] == 0xcd)
		return true;
	return owned_next(t->set->proc->mm, t->variant, ip, ip + 1, &from, &to);
}

/* -ENOENT: not found; -EAGAIN: it has left, or is not stopped any more. */
static int find(struct task *t, const struct place *want, unsigned int *steps)
{
	bool may = false;
	struct place p;

	for (;;) {
		if (!place_of(t, &p))
			return -EAGAIN;
		if (regs_alike(want, &p)) {
			fetch_memory(t, &p);
			if (memory_alike(want, &p))
				return 0;
		}
		may = may || signal_may_step(t);
		if (!may || !*steps)
			return -ENOENT;
		--*steps;
		if (leaves(t, p.ip) || !event_step(t, 0))
			return -EAGAIN;
	}
}

bool align_set(struct taskset *s)
{
	unsigned int steps = s->align_steps ? s->align_steps : STEPS_MAX;
	bool found = true;
	struct place want;

	if (!place_of(&s->t[LEADER], &want))
		return false;
	fetch_memory(&s->t[LEADER], &want);
	for_each_follower(v) {
		unsigned int n = steps;
		int r = find(&s->t[v], &want, &n);

		if (r == -EAGAIN)
			return false;
		if (r < 0)
			found = false;
	}
	s->spins = found;
	if (found)
		s->align_steps = STEPS_MAX;
	else
		s->align_steps = steps / 2 > STEPS_MIN ? steps / 2 : STEPS_MIN;
	return true;
}
