// SPDX-License-Identifier: Apache-2.0
/*
 * Loops that wait and count (lap.c), on loops that are really stepped: in children, which
 * stand for variants.  They have the test's memory, each its own copy of it.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event.h"
#include "lap.h"
#include "owned.h"
#include "signals.h"
#include "tracee.h"

#define VARIANTS 2u

/* ---- what lap.c asks of the rest of monitord ---- */

struct monitor mon;
static uint64_t owned[2];
static unsigned int steps;
static bool no_steps;

struct user_regs_struct *task_regs(struct task *t)
{
	return t->at == AT_STOP ? &t->regs : NULL;
}

void task_regs_changed(struct task *t)
{
	cr_assert(!ptrace(PTRACE_SETREGS, t->tid, NULL, &t->regs));
}

ssize_t mem_read_some(struct task *t, void *dst, uint64_t src, size_t n)
{
	struct iovec mine = { dst, n }, theirs = { (void *)(uintptr_t)src, n };

	return process_vm_readv(t->tid, &mine, 1, &theirs, 1, 0);
}

int mem_read(struct task *t, void *dst, uint64_t src, size_t n)
{
	return mem_read_some(t, dst, src, n) == (ssize_t)n ? 0 : -EFAULT;
}

int mem_write(struct task *t, uint64_t dst, const void *src, size_t n)
{
	struct iovec mine = { (void *)(uintptr_t)src, n };
	struct iovec theirs = { (void *)(uintptr_t)dst, n };

	return process_vm_writev(t->tid, &mine, 1, &theirs, 1, 0) == (ssize_t)n ?
		0 : -EFAULT;
}

bool event_step(struct task *t, int sig)
{
	int status;

	steps++;
	cr_assert(!ptrace(PTRACE_SINGLESTEP, t->tid, NULL, (long)sig));
	cr_assert_eq(waitpid(t->tid, &status, 0), t->tid);
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) {
		t->at = AT_SIGNAL;
		return false;
	}
	cr_assert(!ptrace(PTRACE_GETREGS, t->tid, NULL, &t->regs));
	return true;
}

bool signal_may_step(const struct task *t)
{
	return !no_steps;
}

bool owned_next(const struct mm *m, unsigned int v, uint64_t from, uint64_t end,
		uint64_t *start, uint64_t *stop)
{
	*start = owned[0];
	*stop = owned[1];
	return from < owned[1] && end > owned[0];
}

/* ---- loops ---- */

#define LOOP(name, insns)						\
	"\t.p2align 4\n" #name ":\n\t" insns "\n\tud2\n"
__asm__(".text\n"
	LOOP(l_wait, "1: pause; mov (%rdi), %eax; test %eax, %eax; je 1b")
	LOOP(l_count, "1: inc %rcx; mov (%rdi), %eax; test %eax, %eax; je 1b")
	LOOP(l_memory, "1: incl 8(%rdi); cmpl $0, (%rdi); je 1b")
	LOOP(l_from, "1: add $3, %rcx; lea (%rcx,%rcx), %edx; mov %edx, 8(%rdi); "
	     "push %rdx; pop %r9; cmpl $0, (%rdi); je 1b")
	LOOP(l_call, "1: call 2f; cmpl $0, (%rdi); je 1b; ud2; 2: inc %rbx; ret")
	LOOP(l_bound, "1: dec %rcx; je 2f; cmpl $0, (%rdi); je 1b; 2:")
	LOOP(l_array, "1: mov (%rdi,%rcx), %eax; inc %rcx; test %eax, %eax; je 1b")
	LOOP(l_other, "1: xor $1, %ecx; test %ecx, %ecx; je 1b; cmpl $0, (%rdi); je 1b")
	LOOP(l_stack, "1: push %rax; cmpl $0, (%rdi); je 1b")
	LOOP(l_vector, "1: movd (%rdi), %xmm0; movd %xmm0, %eax; test %eax, %eax; je 1b")
	LOOP(l_string, "1: mov %rdi, %rsi; lodsl; test %eax, %eax; je 1b")
	LOOP(l_flags, "1: pushf; pop %rax; cmpl $0, (%rdi); je 1b")
	LOOP(l_long, "1: .rept 60; nop; .endr; jmp 1b")
	LOOP(l_kernel, "1: nop; mov $39, %eax; syscall; jmp 1b")
	LOOP(l_far, "1: inc %r12; cmpl $0, (%rdi); je 1b"));
extern const char l_wait[], l_count[], l_memory[], l_from[], l_call[], l_bound[],
	l_array[], l_other[], l_stack[], l_vector[], l_string[], l_flags[],
	l_long[], l_kernel[], l_far[];

/* What they look at: the flag, in [2] a counter, and an array. */
static uint32_t cell[4096];

struct pair {
	struct proc proc;
	struct taskset set;
};

static void stop(void)
{
	if (!ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		raise(SIGSTOP);
	_exit(1);
}

/* Two that are in this loop, counting from other numbers. */
static void start(struct pair *p, const char *loop, uint32_t mark)
{
	memset(p, 0, sizeof(*p));
	mon.n = VARIANTS;
	mon.live = 3;
	steps = 0;
	p->set.proc = &p->proc;
	for (unsigned int v = 0; v < VARIANTS; v++) {
		struct task *t = &p->set.t[v];
		int status;

		cell[2] = 100 + 50 * v;
		t->tid = fork();
		cr_assert(t->tid >= 0);
		if (!t->tid)
			stop();
		cr_assert_eq(waitpid(t->tid, &status, 0), t->tid);
		cr_assert(WIFSTOPPED(status));
		ptrace(PTRACE_SETOPTIONS, t->tid, NULL, (long)PTRACE_O_EXITKILL);
		cr_assert(!ptrace(PTRACE_GETREGS, t->tid, NULL, &t->regs));
		t->set = &p->set;
		t->variant = v;
		t->at = AT_STOP;
		t->regs.rip = (uintptr_t)loop;
		t->regs.rdi = (uintptr_t)cell;
		t->regs.rcx = 1000 + 500 * v;
		t->regs.rbx = 7 + v;
		t->regs.r12 = (1ull << 40) + v;
		t->regs.rax = t->regs.rdx = t->regs.r9 = mark;
		t->regs.eflags &= ~0xcd5ull;
		task_regs_changed(t);
		/* some way in, as whoever is interrupted is */
		for (unsigned int i = 0; i < 50 * (v + 1) && t->regs.rip !=
		     (uintptr_t)l_kernel && event_step(t, 0); i++)
			;
		while (t->at == AT_STOP && t->regs.rip != (uintptr_t)loop)
			if (!event_step(t, 0))
				break;
	}
}

static void end(struct pair *p)
{
	for (unsigned int v = 0; v < VARIANTS; v++) {
		kill(p->set.t[v].tid, SIGKILL);
		waitpid(p->set.t[v].tid, NULL, 0);
	}
}

static uint32_t counter(struct pair *p, unsigned int v)
{
	uint32_t x = 0;

	cr_assert(!mem_read(&p->set.t[v], &x, (uintptr_t)&cell[2], 4));
	return x;
}

static unsigned int bit(struct pair *p, const unsigned long long *reg)
{
	unsigned long long *all[LAP_REGS];

	lap_regs(&p->set.t[LEADER].regs, all);
	for (unsigned int i = 0; i < LAP_REGS; i++)
		if (all[i] == reg)
			return 1u << i;
	cr_assert_fail();
	return 0;
}

Test(lap, waits_without_counting)
{
	struct lap_moving m;
	struct pair p;

	start(&p, l_wait, 0);
	cr_expect_eq(lap_of_leader(&p.set, &m), 0);
	cr_expect(!m.regs && !m.flags && !m.cells);
	/* nothing to be done: not even a step */
	steps = 0;
	cr_expect_eq(lap_follow(&p.set.t[1], &m), 0);
	cr_expect_eq(steps, 0);
	end(&p);
}

Test(lap, counts_in_a_register)
{
	struct user_regs_struct *l, *f;
	struct lap_moving m;
	struct pair p;

	start(&p, l_count, 0);
	l = &p.set.t[LEADER].regs;
	f = &p.set.t[1].regs;
	cr_assert_eq(lap_of_leader(&p.set, &m), 0);
	cr_expect_eq(m.regs, bit(&p, &l->rcx));
	cr_expect_eq(m.cells, 0);
	cr_assert_neq(l->rcx, f->rcx);
	cr_assert_eq(lap_follow(&p.set.t[1], &m), 0);
	cr_expect_eq(l->rcx, f->rcx);
	cr_expect_eq(l->rip, f->rip);
	/* it really has it */
	cr_assert(event_step(&p.set.t[1], 0));
	cr_expect_eq(f->rcx, l->rcx + 1);
	end(&p);
}

Test(lap, counts_in_memory)
{
	struct lap_moving m;
	struct pair p;

	start(&p, l_memory, 0);
	cr_assert_eq(lap_of_leader(&p.set, &m), 0);
	cr_expect_eq(m.regs, 0);
	cr_assert_eq(m.cells, 1);
	cr_expect_eq(m.cell[0].addr, (uintptr_t)&cell[2]);
	cr_expect_eq(m.cell[0].size, 4);
	cr_expect_eq(m.cell[0].value, counter(&p, LEADER));
	cr_assert_neq(counter(&p, LEADER), counter(&p, 1));
	cr_assert_eq(lap_follow(&p.set.t[1], &m), 0);
	cr_expect_eq(counter(&p, LEADER), counter(&p, 1));
	end(&p);
}

/* What is made from a count moves with it, wherever it goes. */
Test(lap, what_comes_from_a_count)
{
	struct user_regs_struct *l, *f;
	struct lap_moving m;
	struct pair p;

	start(&p, l_from, 0);
	l = &p.set.t[LEADER].regs;
	f = &p.set.t[1].regs;
	cr_assert_eq(lap_of_leader(&p.set, &m), 0);
	cr_expect_eq(m.regs, bit(&p, &l->rcx) | bit(&p, &l->rdx) | bit(&p, &l->r9));
	cr_expect_eq(m.cells, 2);
	cr_assert_eq(lap_follow(&p.set.t[1], &m), 0);
	cr_expect(l->rcx == f->rcx && l->rdx == f->rdx && l->r9 == f->r9);
	cr_expect_eq(counter(&p, LEADER), counter(&p, 1));
	end(&p);
}

Test(lap, counts_in_a_function)
{
	struct lap_moving m;
	struct pair p;

	start(&p, l_call, 0);
	cr_assert_eq(lap_of_leader(&p.set, &m), 0);
	cr_expect_eq(m.regs, bit(&p, &p.set.t[LEADER].regs.rbx));
	cr_assert_eq(lap_follow(&p.set.t[1], &m), 0);
	cr_expect_eq(p.set.t[LEADER].regs.rbx, p.set.t[1].regs.rbx);
	end(&p);
}

/* They end by themselves, go another way each time, work through something, or do what
 * operands do not tell. */
Test(lap, do_not_only_wait)
{
	static const char *const loop[] = {
		l_bound, l_array, l_other, l_stack, l_vector, l_string, l_flags,
		l_long,
	};

	for (size_t i = 0; i < sizeof(loop) / sizeof(loop[0]); i++) {
		struct lap_moving m;
		struct pair p;

		memset(&m, 0xff, sizeof(m));
		start(&p, loop[i], 0);
		cr_assert_eq(p.set.t[LEADER].at, AT_STOP, "%zu", i);
		cr_expect_eq(lap_of_leader(&p.set, &m), -ENOENT, "%zu", i);
		cr_expect(!m.regs && !m.flags && !m.cells, "%zu", i);
		end(&p);
	}
}

Test(lap, is_not_tried_there_again)
{
	struct lap_moving m;
	struct pair p;

	start(&p, l_long, 0);
	cr_expect_eq(lap_of_leader(&p.set, &m), -ENOENT);
	p.set.t[LEADER].regs.rip = (uintptr_t)l_long;
	task_regs_changed(&p.set.t[LEADER]);
	steps = 0;
	cr_expect_eq(lap_of_leader(&p.set, &m), -ENOENT);
	cr_expect_eq(steps, 0);
	end(&p);
}

Test(lap, before_a_call)
{
	struct lap_moving m;
	struct pair p;

	start(&p, l_kernel, 0);
	cr_expect_eq(lap_of_leader(&p.set, &m), -EAGAIN);
	cr_expect_eq(p.set.t[LEADER].regs.rip, (uintptr_t)l_kernel + 6);
	cr_expect(lap_leaves(&p.set.t[LEADER], (uintptr_t)l_kernel + 6));
	cr_expect(!lap_leaves(&p.set.t[LEADER], (uintptr_t)l_kernel));
	end(&p);
	/* nor into what is the monitor's */
	owned[0] = (uintptr_t)l_count + 5;
	owned[1] = owned[0] + 1;
	start(&p, l_count, 0);
	cr_expect_eq(lap_of_leader(&p.set, &m), -EAGAIN);
	end(&p);
}

Test(lap, may_not_be_stepped)
{
	struct lap_moving m;
	struct pair p;

	start(&p, l_count, 0);
	no_steps = true;
	steps = 0;
	cr_expect_eq(lap_of_leader(&p.set, &m), -ENOENT);
	cr_expect_eq(steps, 0);
	end(&p);
}

/* What counts beyond 32 bits may be an address, which is not the follower's. */
Test(lap, no_addresses_for_followers)
{
	struct lap_moving m;
	struct pair p;
	uint64_t own;

	start(&p, l_far, 0);
	own = p.set.t[1].regs.r12;
	cr_assert_eq(lap_of_leader(&p.set, &m), 0);
	cr_assert_neq(p.set.t[LEADER].regs.r12, own + 1);
	cr_expect_eq(lap_follow(&p.set.t[1], &m), -ENOENT);
	/* it has gone round once, by itself */
	cr_expect_eq(p.set.t[1].regs.r12, own + 1);
	end(&p);
}

/* Nothing is written to who is in another loop. */
Test(lap, follower_elsewhere)
{
	static const char *const loop[] = { l_wait, l_count, l_bound, l_kernel };

	for (size_t i = 0; i < sizeof(loop) / sizeof(loop[0]); i++) {
		struct lap_moving m;
		uint32_t before;
		struct pair p;

		start(&p, l_memory, 0);
		p.set.t[1].regs.rip = (uintptr_t)loop[i];
		task_regs_changed(&p.set.t[1]);
		before = counter(&p, 1);
		cr_assert_eq(lap_of_leader(&p.set, &m), 0);
		cr_expect_eq(lap_follow(&p.set.t[1], &m), -ENOENT, "%zu", i);
		cr_expect_eq(counter(&p, 1), before, "%zu", i);
		end(&p);
	}
}

Test(lap, what_is_written)
{
	uint64_t addr[4] = { 0 };
	struct pair p;

	start(&p, l_memory, 0);
	cr_expect_eq(lap_writes(&p.set.t[LEADER], addr, 4), 1);
	cr_expect_eq(addr[0], (uintptr_t)&cell[2]);
	cr_expect_eq(lap_writes(&p.set.t[LEADER], addr, 0), 0);
	end(&p);
	start(&p, l_call, 0);
	cr_expect_eq(lap_writes(&p.set.t[LEADER], addr, 4), 1);
	cr_expect_eq(addr[0], p.set.t[LEADER].regs.rsp - 8);
	end(&p);
	start(&p, l_flags, 0);
	cr_expect(lap_sees_steps(&p.set.t[LEADER], (uintptr_t)l_flags));
	cr_expect(!lap_sees_steps(&p.set.t[LEADER], (uintptr_t)l_memory));
	end(&p);
}
