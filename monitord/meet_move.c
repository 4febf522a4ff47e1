// SPDX-License-Identifier: Apache-2.0
/*
 * Letting one variant of a set that computes run on, a little.
 *
 * Theory of operation
 * -------------------
 * All are AT_STOP, and one at a time goes on: to the next visit of a place, where a
 * breakpoint register of the processor stops it (nothing in the program is changed,
 * and other threads have their own), or for some time first.  It must stay in the
 * program's code: one that comes to a call, into the monitor's code or to any
 * other stop has left (-EAGAIN), and that stop is for the event loop.
 *
 * A stop on another processor takes ten times as long as one where we are, so
 * everybody is brought to one processor while this lasts.  Nobody sees it: the
 * threads of the process wait for the turn.
 */
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "fast.h"
#include "lap.h"
#include "meet_int.h"
#include "signals.h"
#include "tracee.h"

#define TRACE_MAX	2048u	/* steps to find a place, */
#define TRACE_SOME	128u	/* ... fewer if among so many */
#define TRACE_OFTEN	4u	/* ... are so many of one instruction */
#define WRITTEN_MAX	256u	/* words of memory it writes meanwhile */
#define STACK_BELOW	1024u	/* bytes: of calls from where it is */
#define VISIT_NS	20000000u /* of its time, for the next visit to come */
#define MEET_CPU_NS	50000000u /* for all of it, of our time, */
#define MEET_RUN_NS	250000000u /* ... of that of each variant, */
#define MEET_NS		500000000u /* ... by the clock */
#define MEET_LONG_CPU_NS 200000000u /* ... and if there is a signal, */
#define MEET_LONG_NS	900000000u /* (EARLY_NS is a second) */

/* ---- time ---- */

static uint64_t own_time(void)
{
	struct timespec ts;

	/* not the vDSO's: tsc.c */
	if (syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The processors may be busy with others: that is no reason to give up a signal. */
static bool late_by_clock(const struct meeting *m)
{
	return now_ns() - m->start > (m->patient ? MEET_LONG_NS : MEET_NS);
}

bool meet_late(const struct meeting *m)
{
	if (late_by_clock(m) || own_time() - m->cpu >
	    (m->patient ? MEET_LONG_CPU_NS : MEET_CPU_NS))
		return true;
	if (now_ns() - m->start <= MEET_NS)
		return false;
	for_each_variant(v)
		if (task_runtime(&m->s->t[v]) - m->had[v] > MEET_RUN_NS)
			return true;
	return false;
}

/* ---- processors ---- */

static long mask_get(pid_t tid, unsigned char *mask)
{
	return sched_getaffinity(tid, MEET_MASK, (cpu_set_t *)(void *)mask);
}

static bool mask_set(pid_t tid, const unsigned char *mask)
{
	return !sched_setaffinity(tid, MEET_MASK,
				  (const cpu_set_t *)(const void *)mask);
}

void meet_move_start(struct meeting *m)
{
	_Alignas(8) unsigned char one[MEET_MASK] = { 0 };
	int cpu = sched_getcpu();

	m->start = now_ns();
	m->cpu = own_time();
	m->patient = signal_open_caught(m->s);
	for_each_variant(v)
		m->had[v] = task_runtime(&m->s->t[v]);
	/* short sleeps are to be short */
	prctl(PR_SET_TIMERSLACK, 1);
	if (cpu < 0 || cpu >= (int)MEET_MASK * 8 || mask_get(0, m->own) < 0)
		return;
	one[cpu / 8] = (unsigned char)(1u << cpu % 8);
	for_each_variant(v) {
		pid_t tid = m->s->t[v].tid;

		m->moved[v] = mask_get(tid, m->mask[v]) >= 0 &&
			m->mask[v][cpu / 8] & one[cpu / 8] &&
			mask_set(tid, one);
	}
	m->here = mask_set(0, one);
}

static int debug_register(const struct task *t, unsigned int n, uint64_t value)
{
	return ptrace(PTRACE_POKEUSER, t->tid,
		      offsetof(struct user, u_debugreg) +
		      n * sizeof(((struct user *)0)->u_debugreg[0]), value) ?
		-errno : 0;
}

/* In register 0, for execution: enabled locally (DR7). */
static int breakpoint(struct meeting *m, unsigned int v, bool on)
{
	struct task *t = &m->s->t[v];
	int r = 0;

	if (m->on[v] == on)
		return 0;
	if (on) {
		uint64_t at = meet_there(m, v, m->place);

		r = at ? debug_register(t, 0, at) : -ENOENT;
	}
	if (!r)
		r = debug_register(t, 7, on);
	if (!r)
		m->on[v] = on;
	return r ? -ENOENT : 0;
}

int meet_points(struct meeting *m, const uint64_t *at, unsigned int n)
{
	struct task *t = &m->s->t[LEADER];
	unsigned int enable = 0;
	int r = debug_register(t, 7, 0);

	m->on[LEADER] = n > 0;
	for (unsigned int i = 0; i < n && !r; i++) {
		r = debug_register(t, i, at[i]);
		enable |= 1u << 2 * i;
	}
	if (!r && n)
		r = debug_register(t, 7, enable);
	return r ? -ENOENT : 0;
}

void meet_move_end(struct meeting *m)
{
	for_each_variant(v) {
		if (!m->s->t[v].tid)
			continue;
		breakpoint(m, v, false);
		if (m->moved[v])
			mask_set(m->s->t[v].tid, m->mask[v]);
	}
	if (m->here)
		mask_set(0, m->own);
	prctl(PR_SET_TIMERSLACK, 0);
}

/* ---- on ---- */

/* It has come to a stop of another kind. */
static int gone(struct meeting *m, unsigned int v)
{
	struct task *t = &m->s->t[v];

	if (t->tid) {
		breakpoint(m, v, false);
		event_defer_stop(t);
	}
	return -EAGAIN;
}

/* It stands: in the program's code, and without a call since? */
static bool left(struct meeting *m, unsigned int v)
{
	return fast_stop(&m->s->t[v], FAST_UNSEEN) ||
	       (m->s->live && fast_behind(m->s) >= 0);
}

/*
 * The breakpoint is before the instruction; that it lets it pass when it goes on is
 * the kernel's doing (RF in hw_breakpoint_handler(), arch/x86/kernel/
 * hw_breakpoint.c).
 */
int meet_on(struct meeting *m, unsigned int v, uint64_t ns)
{
	struct task *t = &m->s->t[v];
	uint64_t had = 0;

	for (unsigned int i = 0; ; i++) {
		enum event_run r = event_run(t, PTRACE_CONT, ns);

		if (r == RUN_GONE)
			return gone(m, v);
		if (left(m, v))
			return -EAGAIN;
		if (r == RUN_TRAP)
			return 0;
		/* mostly it is there at once: only now it matters */
		if (!i)
			had = task_runtime(t);
		else if (!had || task_runtime(t) - had >= ns)
			return -ETIME;	/* or it is not known */
		if (meet_late(m))
			return -ETIME;
	}
}

int meet_visit(struct meeting *m, unsigned int v, struct meet_view *to)
{
	int r;

	if (late_by_clock(m))
		return -ETIME;
	if (breakpoint(m, v, true))
		return -ENOENT;
	r = meet_on(m, v, VISIT_NS);
	if (r)
		return r == -ETIME && !meet_late(m) ? -ENOENT : r;
	if (!meet_look(m, v, to))
		return -EAGAIN;
	return to->ip == m->place ? 0 : -ENOENT;
}

int meet_ahead(struct meeting *m, unsigned int v, uint64_t ns)
{
	struct task *t = &m->s->t[v];
	uint64_t had = task_runtime(t), ran = 0;

	if (breakpoint(m, v, false))
		return -ENOENT;
	/* the processor may have been given to somebody else meanwhile */
	do {
		if (event_run_for(t, ns - ran) == RUN_GONE)
			return gone(m, v);
		if (left(m, v))
			return -EAGAIN;
		ran = task_runtime(t) - had;
	} while (had && ran < ns / 2 && !meet_late(m));
	return 0;
}

int meet_run(struct meeting *m, unsigned int v, uint64_t ns, uint64_t *used,
	     struct meet_view *to)
{
	uint64_t before = task_runtime(&m->s->t[v]);
	int r = meet_ahead(m, v, ns);

	if (r)
		return r;
	*used = task_runtime(&m->s->t[v]) - before;
	return meet_visit(m, v, to);
}

/* ---- the place ---- */

/* A step of the leader's: where it was, and a digest of its registers. */
struct step {
	uint64_t ip, regs;
};

static uint64_t digest(const struct user_regs_struct *r)
{
	const uint64_t w[] = {
		r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp, r->rsp,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
	};
	uint64_t h = 0;

	for (unsigned int i = 0; i < sizeof(w) / sizeof(w[0]); i++)
		h = (h ^ w[i]) * 0x9e3779b97f4a7c15ull;
	return h;
}

static int by_ip(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	if (x->ip != y->ip)
		return x->ip < y->ip ? -1 : 1;
	return x->regs < y->regs ? -1 : x->regs > y->regs;
}

/*
 * Of n steps, the instruction that is there most seldom, but twice at least; before
 * all, one at which registers were not always the same: a variable of the loop that
 * lives in memory is in one of them at times.  *most: how often another one is. 0:
 * there is none.
 */
static uint64_t outermost(struct step *st, unsigned int n, unsigned int *most)
{
	unsigned int least = n + 1;
	bool varies = false;
	uint64_t found = 0;

	qsort(st, n, sizeof(*st), by_ip);
	*most = 0;
	for (unsigned int i = 0, k; i < n; i = k) {
		bool v = false;

		for (k = i + 1; k < n && st[k].ip == st[i].ip; k++)
			v |= st[k].regs != st[i].regs;
		if (k - i > *most)
			*most = k - i;
		if (k - i < 2 || v < varies || (v == varies && k - i >= least))
			continue;
		varies = v;
		least = k - i;
		found = st[i].ip;
	}
	return found;
}

/* Words of memory, and how often they have been written. */
struct written {
	unsigned int n;
	struct {
		uint64_t addr;
		unsigned int times;
	} word[WRITTEN_MAX];
};

static void note_writes(struct task *t, const struct user_regs_struct *r,
			struct written *w)
{
	uint64_t addr[4];
	unsigned int n = lap_writes(t, addr, 4);

	for (unsigned int i = 0; i < n; i++) {
		uint64_t a = addr[i] & ~7ull;
		unsigned int k = 0;

		/* the top of the stack is looked at in any case */
		if (a >= r->rsp - STACK_BELOW &&
		    a < r->rsp + MEET_STACK * sizeof(uint64_t))
			continue;
		while (k < w->n && w->word[k].addr != a)
			k++;
		if (k == WRITTEN_MAX)
			continue;
		w->n += k == w->n;
		w->word[k].addr = a;
		w->word[k].times++;
	}
}

/* Those written again and again are the loop's variables. */
static void choose_cells(struct meeting *m, const struct written *w)
{
	for (unsigned int i = 0; i < w->n && m->cells < MEET_CELLS; i++) {
		bool there = w->word[i].times >= 2;

		for_each_variant(v) {
			m->cell[v][m->cells] =
				meet_there(m, v, w->word[i].addr);
			there = there && m->cell[v][m->cells];
		}
		m->cells += there;
	}
}

int meet_find_place(struct meeting *m, bool far)
{
	struct task *t = &m->s->t[LEADER];
	struct step *st = calloc(TRACE_MAX, sizeof(*st));
	struct written w = { 0 };
	unsigned int most = 0;
	int r = st ? breakpoint(m, LEADER, false) : -ENOMEM;

	m->place = m->cells = 0;
	for (unsigned int n = 0; !r && n < TRACE_MAX &&
	     (far || most < TRACE_OFTEN); ) {
		const struct user_regs_struct *regs = task_regs(t);

		if (!regs || lap_leaves(t, regs->rip)) {
			r = -EAGAIN;
			break;
		}
		if (lap_sees_steps(t, regs->rip)) {
			r = -ENOENT;
			break;
		}
		st[n++] = (struct step) { regs->rip, digest(regs) };
		note_writes(t, regs, &w);
		if (event_run(t, PTRACE_SINGLESTEP, VISIT_NS) != RUN_TRAP)
			r = t->at == AT_STOP ? -ENOENT : gone(m, LEADER);
		else if (meet_late(m))
			r = -ENOENT;
		/* their order does not matter any more */
		if (n % TRACE_SOME == 0)
			m->place = outermost(st, n, &most);
	}
	free(st);
	if (r || !m->place)
		return r ? r : -ENOENT;
	choose_cells(m, &w);
	return 0;
}
