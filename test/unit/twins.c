// SPDX-License-Identifier: Apache-2.0
/*
 * Variants without monitord: see twins.h.
 */
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <asm/prctl.h>
#include <ucontext.h>
#include <unistd.h>

#include <ipmon/gate_rules.h>

#include "arch/entry.h"
#include "twins.h"

struct twins tw;
int64_t (*twins_on_report)(const struct ipmon_difference *d);

/* ---- the gate, the stub, the syscall ---- */

/*
 * The gate counts and hands the reserved call to C.  It may use the stack and
 * the registers a syscall destroys.  What files are opened with lies behind it,
 * as in the real one (ipmon/gate_rules.h).
 */
extern const char twins_gate[], twins_site[], twins_syscall[];
int64_t twins_reserved(uint64_t kind, uint64_t arg, uint64_t off,
		       struct ipmon_difference *d);
extern uint64_t *twins_kernel;
extern uint64_t *twins_forwarded;
uint64_t *twins_kernel, *twins_forwarded;

_Static_assert(IPMON_NR_DIVERGED == 0x495044000000d3, "as below");
__asm__(
	".text\n"
	".balign 4096\n"
	".globl twins_gate\n"
	"twins_gate:\n"
	"	mov twins_kernel(%rip), %rcx\n"
	"	incq (%rcx)\n"
	"	mov %rax, 8(%rcx)\n"
	"	movabs $0x495044000000d3, %r11\n"	/* IPMON_NR_DIVERGED */
	"	cmp %r11, %rax\n"
	"	je 1f\n"
	"	syscall\n"
	"	ret\n"
	"1:	mov %r9, %rcx\n"
	"	jmp twins_reserved\n"
	".org twins_gate + 4096, 0xcc\n"

	/* In place of the intact syscall: an undefined instruction, two bytes
	 * as well, whose handler notes that it was reached.  Behind it the way
	 * back to twins_enter. */
	".globl twins_syscall, twins_site\n"
	"twins_syscall:\n"
	"	ud2\n"
	"twins_site:\n"
	"	jmp *twins_back(%rip)\n");

extern uint64_t twins_back;
uint64_t twins_back;

/* Registers around the call, as the program has them. */
struct regs {
	uint64_t rax, rdi, rsi, rdx, r10, r8, r9;	/* in and out */
	uint64_t rbx, rbp, r12, r13, r14, r15;
	uint64_t rcx, r11, flags, rsp;
	uint64_t flags_in, rsp_in;
};

void twins_enter(struct regs *r);
__asm__(
	".globl twins_enter\n"
	"twins_enter:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	push %rdi\n"
	"	lea 1f(%rip), %rax\n"
	"	mov %rax, twins_back(%rip)\n"
	"	mov %rsp, 144(%rdi)\n"		/* rsp_in */
	"	mov %rsp, %gs:24\n"
	"	mov 0(%rdi), %rax; mov 16(%rdi), %rsi; mov 24(%rdi), %rdx\n"
	"	mov 32(%rdi), %r10; mov 40(%rdi), %r8; mov 48(%rdi), %r9\n"
	"	mov 56(%rdi), %rbx; mov 64(%rdi), %rbp; mov 72(%rdi), %r12\n"
	"	mov 80(%rdi), %r13; mov 88(%rdi), %r14; mov 96(%rdi), %r15\n"
	"	pushq 136(%rdi)\n"		/* flags_in */
	"	mov 8(%rdi), %rdi\n"
	"	popfq\n"
	"	mov %gs:16, %rsp\n"
	"	lea twins_site(%rip), %rcx\n"
	"	jmp *%gs:32\n"
	"1:	pushfq; cld\n"
	"	push %rdi\n"
	"	mov 16(%rsp), %rdi\n"		/* regs */
	"	mov %rax, 0(%rdi); mov %rsi, 16(%rdi); mov %rdx, 24(%rdi)\n"
	"	mov %r10, 32(%rdi); mov %r8, 40(%rdi); mov %r9, 48(%rdi)\n"
	"	mov %rbx, 56(%rdi); mov %rbp, 64(%rdi); mov %r12, 72(%rdi)\n"
	"	mov %r13, 80(%rdi); mov %r14, 88(%rdi); mov %r15, 96(%rdi)\n"
	"	mov %rcx, 104(%rdi); mov %r11, 112(%rdi)\n"
	"	lea 16(%rsp), %rax; mov %rax, 128(%rdi)\n"
	"	pop %rax; mov %rax, 8(%rdi)\n"
	"	pop %rax; mov %rax, 120(%rdi)\n"
	"	pop %rdi\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n");

/* Without looking at anything: call, result. */
int64_t twins_fast(const struct ipmon_call *c);
__asm__(
	".globl twins_fast\n"
	"twins_fast:\n"
	"	lea 1f(%rip), %rax\n"
	"	mov %rax, twins_back(%rip)\n"
	"	mov 0(%rdi), %rax; mov 16(%rdi), %rsi; mov 24(%rdi), %rdx\n"
	"	mov 32(%rdi), %r10; mov 40(%rdi), %r8; mov 48(%rdi), %r9\n"
	"	mov 8(%rdi), %rdi\n"
	"	mov %rsp, %gs:24\n"
	"	mov %gs:16, %rsp\n"
	"	lea twins_site(%rip), %rcx\n"
	"	jmp *%gs:32\n"
	"1:	ret\n");

static void copy_text(char *dst, size_t n, uint64_t src)
{
	dst[0] = 0;
	if (src)
		snprintf(dst, n, "%s", (const char *)(uintptr_t)src);
}

int64_t twins_reserved(uint64_t kind, uint64_t arg, uint64_t off,
		       struct ipmon_difference *d)
{
	/* the broker's registers are the compiler's: we are a C function */
	tw.sh->v[tw.me].diverged++;
	tw.sh->v[tw.me].diff = *d;
	copy_text(tw.sh->v[tw.me].note, 128, d->note);
	copy_text(tw.sh->v[tw.me].label, 64, d->label);
	if (twins_on_report)
		return twins_on_report(d);
	return -1;
}

/* A call was left to monitord: what the kernel would do to the registers. */
static void on_ill(int sig, siginfo_t *si, void *uc)
{
	ucontext_t *u = uc;
	greg_t *r = u->uc_mcontext.gregs;

	if (r[REG_RIP] != (greg_t)twins_syscall) {
		signal(sig, SIG_DFL);
		return;
	}
	tw.sh->v[tw.me].forwarded++;
	r[REG_RAX] = TWINS_LEFT;
	r[REG_RIP] += 2;
	r[REG_RCX] = r[REG_RIP];
	r[REG_R11] = r[REG_EFL];
}

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	ucontext_t *u = uc;
	uint64_t ip = (uint64_t)u->uc_mcontext.gregs[REG_RIP];

	if (ip >= (uint64_t)ipmon_copy_start && ip < (uint64_t)ipmon_copy_end) {
		u->uc_mcontext.gregs[REG_RIP] = (greg_t)ipmon_copy_fault;
		return;
	}
	signal(sig, SIG_DFL);
}

/* ---- calls ---- */

static void wrong(const char *what)
{
	fprintf(stderr, "variant %u: %s\n", tw.me, what);
	abort();
}

uint64_t twins_flags;
int64_t twins_last;

int64_t twins_call6(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
		    uint64_t e, uint64_t f)
{
	static uint64_t seed = 88172645463325252ull;
	struct regs r, before;

	memset(&r, 0, sizeof(r));
	r.rax = nr;
	r.rdi = a;
	r.rsi = b;
	r.rdx = c;
	r.r10 = d;
	r.r8 = e;
	r.r9 = f;
	for (uint64_t *p = &r.rbx; p <= &r.r15; p++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		*p = seed;
	}
	/* any of CF PF AF ZF SF OF, interrupts on */
	r.flags_in = 0x202 | (seed & 0x8d5) | twins_flags;
	before = r;
	twins_enter(&r);
	if (memcmp(&r.rdi, &before.rdi, 6 * 8))
		wrong("argument registers have changed");
	if (memcmp(&r.rbx, &before.rbx, 6 * 8))
		wrong("callee-saved registers have changed");
	if (r.rcx != (uint64_t)twins_site)
		wrong("rcx is not the return address");
	if ((r.flags & ~0x10000ull) != before.flags_in ||
	    (r.r11 & ~0x10000ull) != before.flags_in)
		wrong("flags have changed");
	if (tw.ctx->inside)
		wrong("still inside");
	twins_last = (int64_t)r.rax;
	return twins_last;
}

int64_t twins_call_quick(const struct ipmon_call *c)
{
	return twins_fast(c);
}

static void wake(void)
{
	__atomic_add_fetch(&tw.ring->wake, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &tw.ring->wake, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void twins_trapped(bool on)
{
	__atomic_store_n(&tw.ring->state, on ? RING_TRAPPED : RING_RUNNING,
			 __ATOMIC_SEQ_CST);
	if (on)
		wake();
}

/* ---- running ---- */

void twins_meet(void)
{
	uint64_t n = __atomic_add_fetch(&tw.sh->barrier, 1, __ATOMIC_SEQ_CST);
	uint64_t want = (n + tw.n - 1) / tw.n * tw.n;

	/* the leader leaves IP-MON: monitord wakes then */
	if (!tw.me)
		wake();
	while (__atomic_load_n(&tw.sh->barrier, __ATOMIC_ACQUIRE) < want)
		usleep(100);
}

static void *shared(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

static void *private(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

static void fill_gate(void)
{
	char *page = (char *)(uintptr_t)twins_gate;

	if (mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC))
		abort();
	for (unsigned int i = 0; i < IPMON_HOWS; i++) {
		const struct ipmon_how how = ipmon_how(i);

		memcpy(page + IPMON_HOW_OFFSET + i * IPMON_HOW_STRIDE, &how,
		       sizeof(how));
	}
}

static int variant(const struct twins_options *o, int (*fn)(void))
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct ipmon_ctx *c = tw.of[tw.me];
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	tw.ctx = c;
	c->self = (uint64_t)c;
	c->gate = (uint64_t)twins_gate;
	fill_gate();
	c->stack = (uint64_t)c + IPMON_CTX_SIZE - 64;
	c->entry = (uint64_t)ipmon_entry;
	c->live = 1;
	c->variant = tw.me;
	c->n_variants = o->n;
	c->policy = o->policy;
	c->time = o->vdso ? (uint64_t)(uintptr_t)clock_gettime : 0;
	c->ring = (uint64_t)tw.ring;
	c->cursors = (uint64_t)tw.cursors;
	c->followers = ((1u << o->n) - 1) & ~1u;
	c->slow_fds = (uint64_t)private(IPMON_SLOW_FDS / 8);
	c->epoll = (uint64_t)private(sizeof(struct ipmon_epoll));
	c->vpid = 4711;
	c->vtid = 4712;
	c->spin_max = o->spin_max;
	c->max_lag_bytes = o->max_lag;
	twins_kernel = &tw.sh->v[tw.me].kernel;
	twins_forwarded = &tw.sh->v[tw.me].forwarded;
	syscall(SYS_arch_prctl, ARCH_SET_GS, c);
	sa.sa_sigaction = on_fault;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	r = fn();
	if (!tw.me)
		wake();
	return r;
}

int twins_run(const struct twins_options *o, int (*fn)(void))
{
	pid_t pid[IPMON_MAX_VARIANTS];
	struct sigaction sa = { .sa_flags = SA_SIGINFO };
	int bad = 0;

	if (!tw.sh) {
		tw.sh = shared(sizeof(*tw.sh));
		tw.ring = shared(sizeof(*tw.ring));
		tw.cursors = shared(4096);
		for (unsigned int v = 0; v < IPMON_MAX_VARIANTS; v++)
			tw.of[v] = shared(IPMON_CTX_SIZE);
	}
	for (unsigned int v = 0; v < o->n; v++)
		memset(tw.of[v], 0, sizeof(*tw.of[v]));
	memset(tw.sh, 0, sizeof(*tw.sh));
	memset(tw.ring, 0, 4096);
	memset(tw.cursors, 0, 4096);
	sa.sa_sigaction = on_ill;
	sigaction(SIGILL, &sa, NULL);
	tw.n = o->n;
	fflush(NULL);
	for (unsigned int v = 0; v < o->n; v++) {
		pid[v] = fork();
		if (!pid[v]) {
			int r;

			tw.me = v;
			alarm(60);
			r = variant(o, fn);
			tw.sh->v[v].result = r;
			fflush(NULL);
			_exit(r ? 1 : 0);
		}
	}
	for (unsigned int left = o->n; left; left--) {
		int status;
		pid_t p = waitpid(-1, &status, 0);

		for (unsigned int v = 0; v < o->n; v++) {
			if (pid[v] != p || !status)
				continue;
			if (WIFSIGNALED(status))
				tw.sh->v[v].result = 1000 + WTERMSIG(status);
			fprintf(stderr, "variant %u: %d\n", v,
				tw.sh->v[v].result);
			if (!bad)
				bad = tw.sh->v[v].result;
			/* the others would wait for ever */
			for (unsigned int k = 0; k < o->n; k++)
				if (pid[k] != p && left > 1)
					kill(pid[k], SIGKILL);
		}
	}
	return bad;
}
