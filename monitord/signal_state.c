// SPDX-License-Identifier: Apache-2.0
/*
 * Signals: what the kernel thinks of them, and what is put aside.
 *
 * Theory of operation
 * -------------------
 * Masks, dispositions and pending sets are the leader's, read from its
 * /proc/TID/status whenever a decision depends on them: nothing is modelled.
 * A signal that was taken from the leader waits in the queue of its set until
 * all variants are at one point (signal.c says which); by then mask and
 * disposition may have changed, so they are looked at again.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <linux/ptrace.h>

#include "event.h"
#include "signals.h"
#include "signal_int.h"
#include "tracee.h"

int sigstate_read(const struct task *t, struct sigstate *st)
{
	char path[64], line[256];
	uint64_t own = 0, shared = 0;
	FILE *f;

	memset(st, 0, sizeof(*st));
	snprintf(path, sizeof(path), "/proc/%d/status", t->tid);
	f = fopen(path, "re");
	if (!f)
		return -ESRCH;
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "SigPnd: %lx", (unsigned long *)&own);
		sscanf(line, "ShdPnd: %lx", (unsigned long *)&shared);
		sscanf(line, "SigBlk: %lx", (unsigned long *)&st->blocked);
		sscanf(line, "SigIgn: %lx", (unsigned long *)&st->ignored);
		sscanf(line, "SigCgt: %lx", (unsigned long *)&st->caught);
		/* its ids in every namespace, from ours inwards */
		if (!strncmp(line, "NSpid:", 6)) {
			const char *last = strrchr(line, '\t');

			st->init = last && last != line + 6 && !strcmp(last, "\t1\n");
		}
	}
	fclose(f);
	st->pending = own | shared;
	return 0;
}

/* Anything queued at all? Cheap: two calls instead of reading /proc. */
bool sigstate_pending(const struct task *t)
{
	siginfo_t info;
	struct __ptrace_peeksiginfo_args arg = { .off = 0, .nr = 1 };

	if (ptrace(PTRACE_PEEKSIGINFO, t->tid, &arg, &info) > 0)
		return true;
	arg.flags = PTRACE_PEEKSIGINFO_SHARED;
	return ptrace(PTRACE_PEEKSIGINFO, t->tid, &arg, &info) > 0;
}

bool signal_may_step(const struct task *t)
{
	struct sigstate st;

	return !sigstate_read(t, &st) && !(st.ignored & BIT(SIGTRAP)) &&
		!(st.blocked & st.caught & BIT(SIGTRAP));
}

static bool default_ignored(int sig)
{
	return sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH ||
		sig == SIGCONT;
}

static bool default_stops(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN ||
		sig == SIGTTOU;
}

enum effect signal_effect(int sig, const struct sigstate *st)
{
	if (sig != SIGKILL && sig != SIGSTOP) {
		if (st->caught & BIT(sig))
			return EFF_CAUGHT;
		if (st->ignored & BIT(sig))
			return EFF_IGNORED;
	}
	if (default_ignored(sig) ||
	    (st->init && sig != SIGKILL && sig != SIGSTOP))
		return EFF_IGNORED;
	return default_stops(sig) ? EFF_STOPS : EFF_FATAL;
}

/* Who is outside of the namespace has no pid in there. */
bool signal_void(const siginfo_t *si, const struct sigstate *st)
{
	return st->init && si->si_signo == SIGSTOP && si->si_pid;
}

bool signal_synchronous(const siginfo_t *si)
{
	if (si->si_code <= 0)
		return false;
	switch (si->si_signo) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
		return true;
	case SIGSYS:
		return si->si_code == 1;	/* SYS_SECCOMP */
	default:
		return false;
	}
}

#define FLAG_TRAP 0x100u	/* of the processor: step */

/*
 * A trap of ours that comes too late, as it was behind a stop of the whole process: a
 * breakpoint (meet.c), which programs cannot have, or a step, for which they set the
 * flag themselves.
 */
bool signal_late_trap(struct task *t, const siginfo_t *si)
{
	const struct user_regs_struct *r;

	if (si->si_signo != SIGTRAP)
		return false;
	if (si->si_code == TRAP_HWBKPT) {
		ptrace(PTRACE_POKEUSER, t->tid,
		       offsetof(struct user, u_debugreg[7]), 0);
		return true;
	}
	r = si->si_code == TRAP_TRACE ? task_regs(t) : NULL;
	return r && !(r->eflags & FLAG_TRAP);
}

/* ---- queue ---- */

/*
 * The kernel keeps one pending signal of each standard number.  Here they wait
 * longer, so a few are kept; but a timer faster than delivery must not fill
 * the queue, nor go on being heard long after it has stopped.
 */
#define QUEUE_SAME_MAX 16

static bool queued_enough(const struct taskset *s, int sig)
{
	const struct pending_signal *ps;
	unsigned int n = 0;

	if (sig >= SIGRT_FIRST)
		return false;
	STAILQ_FOREACH(ps, &s->sigq, link)
		n += ps->info.si_signo == sig;
	return n >= QUEUE_SAME_MAX;
}

void signal_queue(struct taskset *s, const siginfo_t *si)
{
	struct pending_signal *ps;

	if (queued_enough(s, si->si_signo))
		return;
	ps = calloc(1, sizeof(*ps));
	if (!ps)
		die("out of memory");
	ps->info = *si;
	if (STAILQ_EMPTY(&s->sigq)) {
		s->t_sigq = mon.now;
		s->meet_again = 0;
	}
	STAILQ_INSERT_TAIL(&s->sigq, ps, link);
	mon.count.deferred++;
	ticker_want(true);
}

/* The process is continued: stops that have not been delivered are void. */
void signal_drop_stops(struct proc *p, const struct sigstate *st)
{
	struct pending_signal *ps, *next;
	struct taskset *s;

	LIST_FOREACH(s, &mon.sets, all) {
		if (s->proc != p)
			continue;
		for (ps = STAILQ_FIRST(&s->sigq); ps; ps = next) {
			next = STAILQ_NEXT(ps, link);
			if (signal_effect(ps->info.si_signo, st) != EFF_STOPS)
				continue;
			STAILQ_REMOVE(&s->sigq, ps, pending_signal, link);
			free(ps);
		}
	}
}

void signal_queue_front(struct taskset *s, const siginfo_t *si)
{
	struct pending_signal *ps = calloc(1, sizeof(*ps));

	if (!ps)
		die("out of memory");
	ps->info = *si;
	STAILQ_INSERT_HEAD(&s->sigq, ps, link);
}

void signal_put_aside(struct task *t)
{
	struct sigstate st;
	siginfo_t si;

	if (t->variant != LEADER || ptrace(PTRACE_GETSIGINFO, t->tid, 0, &si))
		return;
	if (!sigstate_read(t, &st)) {
		if (si.si_signo == SIGCONT)
			signal_drop_stops(t->set->proc, &st);
		if (signal_effect(si.si_signo, &st) == EFF_IGNORED)
			return;
	}
	signal_queue(t->set, &si);
}

/*
 * Take the first queued signal that is not blocked now (a handler that runs
 * blocks its own) and find out what it does now: the disposition may have
 * changed since it was put aside.
 */
bool signal_pop_under(struct taskset *s, const uint64_t *mask, siginfo_t *si,
		      enum effect *eff)
{
	struct pending_signal *ps, *n;
	struct sigstate st;

	if (STAILQ_EMPTY(&s->sigq) || sigstate_read(&s->t[LEADER], &st))
		return false;
	if (mask)
		st.blocked = *mask;
	for (ps = STAILQ_FIRST(&s->sigq); ps; ps = n) {
		n = STAILQ_NEXT(ps, link);
		if (st.blocked & BIT(ps->info.si_signo))
			continue;
		*si = ps->info;
		*eff = signal_effect(si->si_signo, &st);
		STAILQ_REMOVE(&s->sigq, ps, pending_signal, link);
		free(ps);
		s->t_sigq = mon.now;
		/* SIGCONT came later; sent anew, the stop would take it back */
		if (default_stops(si->si_signo) && st.pending & BIT(SIGCONT))
			continue;
		if (*eff != EFF_IGNORED)
			return true;
	}
	return false;
}

/* Not blocked, and, if so asked, with a handler. */
static bool open_one(const struct taskset *s, bool caught)
{
	const struct pending_signal *ps;
	struct sigstate st;

	if (STAILQ_EMPTY(&s->sigq) || sigstate_read(&s->t[LEADER], &st))
		return false;
	STAILQ_FOREACH(ps, &s->sigq, link) {
		int sig = ps->info.si_signo;

		if (!(st.blocked & BIT(sig)) &&
		    (!caught || signal_effect(sig, &st) == EFF_CAUGHT))
			return true;
	}
	return false;
}

bool signal_open(const struct taskset *s)
{
	return open_one(s, false);
}

bool signal_open_caught(const struct taskset *s)
{
	return open_one(s, true);
}

bool signal_pop(struct taskset *s, siginfo_t *si, enum effect *eff)
{
	return signal_pop_under(s, NULL, si, eff);
}

bool signal_pending_for(const struct task *t, int sig)
{
	struct sigstate st;

	return !sigstate_read(t, &st) && st.pending & BIT(sig);
}

bool signal_waiting(const struct taskset *s)
{
	return !STAILQ_EMPTY(&s->sigq) || sigstate_pending(&s->t[LEADER]);
}
