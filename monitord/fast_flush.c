// SPDX-License-Identifier: Apache-2.0
/*
 * Having the leader send what it holds.
 *
 * Theory of operation
 * -------------------
 * Under `verified` IP-MON holds outputs until the followers have asked for them
 * (libipmon/hold.c), and sends them by itself before anything that others could
 * tell the order of.  What it cannot see is our business:
 *
 *	a call from a site that is not patched	before the rendezvous
 *	a crash					before the fault counts
 *	computing for long			when the same was held for two
 *						more ticks
 *	a signal that kills or stops it		before the signal is delivered,
 *						which waits like a caught one
 *
 * The leader is stopped between two instructions of the program then.  Its
 * registers are put aside, it is sent to ipmon_flush on IP-MON's stack, and when
 * that makes the call IPMON_NR_FLUSHED it gets them back: a call comes to its
 * entry again, a faulting instruction faults again.  A breakpoint instruction, which
 * programs have of their own (SBCL's and other runtimes' traps), is behind it when
 * it stops, so it is taken back to it.
 */
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>

#include <ipmon/abi.h>
#include "fast.h"
#include "fast_flush.h"
#include "tracee.h"
#include "vsyscall.h"

#define EFLAGS_PLAIN	0x202u		/* interrupts on, nothing else */

static bool holds(const struct task *t)
{
	const struct taskset *s = t->set;

	return t->variant == LEADER && s->slot >= 0 && s->live &&
		!s->flushing &&
		__atomic_load_n(&fast_ring(s)->held, __ATOMIC_ACQUIRE);
}

static bool flush(struct task *t, struct user_regs_struct *r)
{
	struct taskset *s = t->set;
	struct ipmon_ctx c;

	if (mem_read(t, &c, fast_ctx(s, LEADER),
		     offsetof(struct ipmon_ctx, live)) < 0)
		return false;
	s->flushing = true;
	s->held_ticks = 0;
	r->rip = s->proc->mm->ranges[LEADER].flush;
	r->rsp = c.stack;
	r->eflags = EFLAGS_PLAIN;
	r->orig_rax = (uint64_t)-1;
	task_regs_changed(t);
	fast_leader_runs(s);
	task_resume(t, PTRACE_CONT, 0);
	return true;
}

bool fast_flush_due(const struct task *t)
{
	return holds(t) || (t->variant == LEADER && t->set->flushing);
}

bool fast_flush_entry(struct task *t)
{
	struct user_regs_struct *r;

	if (!holds(t))
		return false;
	r = task_regs(t);
	/* IP-MON's own call: it is at work, and uses the stack */
	if (!r || (r->rip & ~4095ull) == VSYSCALL_PAGE ||
	    r->rip == t->set->proc->mm->gate[LEADER] + 2)
		return false;
	t->set->flush_regs = *r;
	t->set->flush_regs.rip -= 2;
	t->set->flush_regs.rax = r->orig_rax;
	t->set->flush_regs.orig_rax = (uint64_t)-1;
	return flush(t, r);
}

/*
 * How far the instruction that stopped is behind t, which executes it again, or -1 if
 * that would not stop it again: a single step (the flag is the program's own), which
 * is a signal the program has asked for and hardly dies of.
 */
static int trap_length(struct task *t, uint64_t rip, const siginfo_t *si)
{
	uint8_t last, first;

	if (!si || si->si_signo != SIGTRAP)
		return 0;
	if (mem_read(t, &last, rip - 1, 1) < 0)
		return -1;
	if (si->si_code == TRAP_BRKPT)
		return last == 0xf1 ? 1 : -1;	/* int1 */
	if (si->si_code != SI_KERNEL)
		return -1;
	if (last == 0xcc)
		return 1;
	return !mem_read(t, &first, rip - 2, 1) && first == 0xcd ? 2 : -1;
}

bool fast_flush_stop(struct task *t, const siginfo_t *si)
{
	struct user_regs_struct *r;
	int back;

	if (!holds(t))
		return false;
	r = task_regs(t);
	/* in a call: it is IP-MON's, or will be done again */
	if (!r || (int64_t)r->orig_rax >= 0 || fast_stop(t, FAST_PASS))
		return false;
	back = trap_length(t, r->rip, si);
	if (back < 0)
		return false;
	t->set->flush_regs = *r;
	t->set->flush_regs.rip -= (uint64_t)back;
	return flush(t, r);
}

bool fast_flushed(struct task *t)
{
	struct taskset *s = t->set;
	struct user_regs_struct *r = task_regs(t);

	if (!s->flushing || t->variant != LEADER || !r)
		return false;
	s->flushing = false;
	if (r->orig_rax != IPMON_NR_FLUSHED)
		return false;
	*r = s->flush_regs;
	task_regs_changed(t);
	task_resume(t, PTRACE_CONT, 0);
	return true;
}

void fast_flush_tick(struct taskset *s)
{
	uint32_t held = holds(&s->t[LEADER]) ?
		__atomic_load_n(&fast_ring(s)->held, __ATOMIC_RELAXED) : 0;

	/* a busy leader always holds something, but it sends it as well */
	if (!held || held != s->held_seen) {
		s->held_seen = held;
		s->held_ticks = 0;
		return;
	}
	if (++s->held_ticks < 2)
		return;
	s->held_ticks = 0;
	fast_revoke(s);
}
