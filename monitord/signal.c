// SPDX-License-Identifier: Apache-2.0
/*
 * Signals.
 *
 * Theory of operation
 * -------------------
 * Only what reaches the leader counts.  A follower's own signals (from the
 * tty, from its copy of a child, from outside) are swallowed; what happens to
 * the leader is repeated in the followers at the same point of the program.
 *
 * The leader's kernel decides everything it can decide: which thread takes a
 * signal, whether the mask lets it through, what sigtimedwait or a signalfd
 * consumes.  Followers have the same masks and handlers (they execute
 * rt_sigprocmask, rt_sigaction, sigaltstack themselves) but no pending
 * signals of their own.
 *
 * A caught signal is delivered at one of three points:
 *
 *  exit	the leader's call has just ended and a signal is pending, so
 *		the kernel would run the handler before the next instruction
 *		of the program (kill to self, unblocking, SIGPIPE, and every
 *		interrupted call).  If the call ended with an ERESTART code,
 *		followers are brought to the same place with the same code and
 *		call number: each kernel then applies SA_RESTART itself.
 *  entry	the leader took it in user code: it is put aside, and delivered
 *		to all when the set meets at its next call, as if it had come
 *		just before that call (the instruction pointer is moved back
 *		to the syscall instruction, which runs after the handler).
 *  stop	the set computes without calls: after a grace time all variants
 *		are interrupted and the signal is delivered there.
 *
 * Delivering to one task: tgkill() from monitord, which makes the kernel stop
 * it for delivery; the siginfo is then replaced by the leader's (with the
 * variant's own si_value) and the task resumed with the signal.
 *
 * Temporary masks (sigsuspend, ppoll, pselect, epoll_pwait): the follower
 * executes rt_sigsuspend with the same mask instead of its call, the signal
 * already pending; so its kernel builds the frame with the right mask to
 * restore.
 *
 * Ignored signals still stop a traced task, and may interrupt calls that
 * would not have noticed natively.  Such a call is simply done again
 * (redo); calls that the kernel does not restart by itself are rewound by
 * hand (rewound), with the remaining time where the time-out is an argument.
 *
 * Synchronous faults must occur in all variants; each gets its own.  rdtsc
 * faults too (PR_TSC_SIGSEGV) and is emulated with one value for all.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <linux/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "divergence.h"
#include "event.h"
#include "fast.h"
#include "front.h"
#include "h_misc.h"
#include "signals.h"
#include "tracee.h"

/* kernel-internal codes, visible at syscall-exit stops (linux/errno.h) */
#define ERESTARTSYS		512
#define ERESTARTNOINTR		513
#define ERESTARTNOHAND		514
#define ERESTART_RESTARTBLOCK	516

#define GRACE_NS	2000000u	/* computing without calls, then stop */
#define BIT(sig)	(1ull << ((sig) - 1))

/* ---- what the kernel thinks ---- */

struct sigstate {
	uint64_t pending;	/* private and shared */
	uint64_t blocked, ignored, caught;
};

static int sigstate_read(const struct task *t, struct sigstate *st)
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
	}
	fclose(f);
	st->pending = own | shared;
	return 0;
}

/* Anything queued at all? Cheap: two calls instead of reading /proc. */
static bool anything_pending(const struct task *t)
{
	siginfo_t info;
	struct __ptrace_peeksiginfo_args arg = { .off = 0, .nr = 1 };

	if (ptrace(PTRACE_PEEKSIGINFO, t->tid, &arg, &info) > 0)
		return true;
	arg.flags = PTRACE_PEEKSIGINFO_SHARED;
	return ptrace(PTRACE_PEEKSIGINFO, t->tid, &arg, &info) > 0;
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

enum effect { EFF_IGNORED, EFF_CAUGHT, EFF_STOPS, EFF_FATAL };

static enum effect effect_of(int sig, const struct sigstate *st)
{
	if (sig != SIGKILL && sig != SIGSTOP) {
		if (st->caught & BIT(sig))
			return EFF_CAUGHT;
		if (st->ignored & BIT(sig))
			return EFF_IGNORED;
	}
	if (default_ignored(sig))
		return EFF_IGNORED;
	return default_stops(sig) ? EFF_STOPS : EFF_FATAL;
}

/* Raised by the instruction itself (not by kill): must agree in all. */
static bool synchronous(const siginfo_t *si)
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

/* ---- queue ---- */

static void queue(struct taskset *s, const siginfo_t *si)
{
	struct pending_signal *ps = calloc(1, sizeof(*ps));

	if (!ps)
		die("out of memory");
	ps->info = *si;
	if (STAILQ_EMPTY(&s->sigq))
		s->t_sigq = mon.now;
	STAILQ_INSERT_TAIL(&s->sigq, ps, link);
	mon.count.deferred++;
	ticker_want(true);
}

static void queue_front(struct taskset *s, const siginfo_t *si)
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
	if (!sigstate_read(t, &st) &&
	    effect_of(si.si_signo, &st) == EFF_IGNORED)
		return;
	queue(t->set, &si);
}

/* ---- delivering to one task ---- */

static void show_info(struct taskset *s, struct task *t, const siginfo_t *si)
{
	siginfo_t own = *si;

	front_origin(&own);
	siginfo_translate(s, &own, t->variant);
	ptrace(PTRACE_SETSIGINFO, t->tid, 0, &own);
}

/*
 * Make a stopped task (registers prepared) stop for delivery of `si`.  Other
 * signals met on the way are put aside or swallowed.  0: AT_SIGNAL with the
 * right siginfo, resume_sig set.
 */
static int summon(struct task *t, const siginfo_t *si)
{
	struct taskset *s = t->set;

	if (syscall(SYS_tgkill, s->proc->pid[t->variant], t->tid,
		    si->si_signo) < 0)
		return -errno;
	if (task_resume(t, PTRACE_CONT, 0) < 0)
		return -ESRCH;
	for (int tries = 0; tries < 100; tries++) {
		siginfo_t got;
		int r = task_wait(t);

		if (r < 0)
			return r;
		if (t->at == AT_SIGNAL &&
		    !ptrace(PTRACE_GETSIGINFO, t->tid, 0, &got)) {
			if (got.si_signo == si->si_signo) {
				show_info(s, t, si);
				t->resume_sig = si->si_signo;
				return 0;
			}
			signal_put_aside(t);
		} else if (t->at != AT_STOP && t->at != AT_GROUP) {
			return -EAGAIN;		/* it runs on without */
		}
		if (task_resume(t, PTRACE_CONT, 0) < 0)
			return -ESRCH;
	}
	return -EAGAIN;
}

static void lost(struct taskset *s, unsigned int v, int sig)
{
	struct divergence d = {
		.kind = DIV_STALL, .set = s, .variant = v, .arg = -1,
	};

	snprintf(d.note, sizeof(d.note), "variant %u does not accept signal "
		 "%d (%s), which the others take here", v, sig,
		 sigabbrev_np(sig) ? sigabbrev_np(sig) : "?");
	diverge(&d);
}

static void note_signal(struct taskset *s, int sig)
{
	struct recent *r = &s->recent[s->recent_pos++ % RECENT_MAX];

	memset(r, 0, sizeof(*r));
	r->seq = mon.seq;
	r->signal = sig;
	mon.count.signals++;
	if (mon.trace)
		trace_signal(s, sig);
}

static void resume_delivery(struct taskset *s)
{
	s->state = SET_RUN;
	s->arrived = 0;
	s->t_arrived = 0;
	s->park = false;
	s->t_run = mon.now;
	for_each_variant(v) {
		struct task *t = &s->t[v];
		int sig = t->resume_sig;

		t->resume_sig = 0;
		if (t->at == AT_SIGNAL || t->at == AT_STOP)
			task_resume(t, PTRACE_CONT, sig);
	}
}

/*
 * Take the first queued signal that is not blocked now (a handler that runs
 * blocks its own) and find out what it does now: the disposition may have
 * changed since it was put aside.
 */
static bool pop(struct taskset *s, siginfo_t *si, enum effect *eff)
{
	struct pending_signal *ps, *n;
	struct sigstate st;

	if (STAILQ_EMPTY(&s->sigq) || sigstate_read(&s->t[LEADER], &st))
		return false;
	for (ps = STAILQ_FIRST(&s->sigq); ps; ps = n) {
		n = STAILQ_NEXT(ps, link);
		if (st.blocked & BIT(ps->info.si_signo))
			continue;
		*si = ps->info;
		*eff = effect_of(si->si_signo, &st);
		STAILQ_REMOVE(&s->sigq, ps, pending_signal, link);
		free(ps);
		s->t_sigq = mon.now;
		if (*eff != EFF_IGNORED)
			return true;
	}
	return false;
}

/* Fatal to the whole process: the leader dies of it, the rest follow. */
static void fatal(struct taskset *s)
{
	s->proc->exiting = s->proc->killed = true;
	s->state = SET_EXITING;
	robust_exit_all(s->proc);
	for_each_follower(v)
		kill(s->proc->pid[v], SIGKILL);
}

bool signal_deliver_at_entry(struct taskset *s)
{
	siginfo_t si;
	enum effect e;

	while (pop(s, &si, &e)) {
		for_each_variant(v) {
			struct task *t = &s->t[v];
			struct user_regs_struct *r;
			int err;

			/* a stop or death is the leader's affair */
			if (v != LEADER && e != EFF_CAUGHT)
				continue;
			t->saved_valid = false;
			t->regs_valid = false;
			r = task_regs(t);
			if (!r)
				continue;
			r->rax = r->orig_rax;
			r->orig_rax = (uint64_t)-1;
			r->rip -= 2;
			task_regs_changed(t);
			err = summon(t, &si);
			if (err == -EAGAIN) {
				lost(s, v, si.si_signo);
				return true;
			}
		}
		note_signal(s, si.si_signo);
		if (e == EFF_CAUGHT) {
			resume_delivery(s);
			return true;
		}
		if (e == EFF_FATAL)
			fatal(s);
		/* followers wait at their entry; the leader comes back to it
		 * after a stop */
		s->arrived &= ~(1u << LEADER);
		s->t[LEADER].resume_sig = 0;
		task_resume(&s->t[LEADER], PTRACE_CONT, si.si_signo);
		return true;
	}
	return false;
}

bool signal_waiting(const struct taskset *s)
{
	return !STAILQ_EMPTY(&s->sigq) || anything_pending(&s->t[LEADER]);
}

/* ---- at the end of a call ---- */

/*
 * Let the leader run into the delivery of its pending caught signal.  Passes
 * ignored ones on the way.  1: AT_SIGNAL with *si; 0: it came to another
 * stop (nothing to deliver after all).
 */
static int leader_to_delivery(struct taskset *s, siginfo_t *si,
			      enum effect *eff)
{
	struct task *t = &s->t[LEADER];
	int sig = 0;

	for (;;) {
		struct sigstate st;

		if (task_resume(t, PTRACE_CONT, sig) < 0 || task_wait(t) < 0)
			return -1;
		if (t->at == AT_STOP || t->at == AT_GROUP) {
			sig = 0;
			continue;
		}
		if (t->at != AT_SIGNAL)
			return 0;
		if (ptrace(PTRACE_GETSIGINFO, t->tid, 0, si) ||
		    sigstate_read(t, &st))
			return -1;
		*eff = effect_of(si->si_signo, &st);
		if (*eff != EFF_IGNORED)
			return 1;
		sig = si->si_signo;
	}
}

/* Address of the temporary mask of a RF_TMPMASK call, in this variant. */
static uint64_t call_tmpmask(struct task *t, const struct ipmon_row *row)
{
	for (unsigned int i = 0; i < row->nargs; i++)
		if (row->arg[i].kind == K_SIGSET)
			return t->call.args[i];
	if (row->nargs == 6 && t->call.args[5]) {
		/* pselect6, io_pgetevents: { const sigset_t *, size_t } */
		uint64_t pair[2];

		if (!mem_read(t, pair, t->call.args[5], sizeof(pair)))
			return pair[0];
	}
	return 0;
}

/* Follower v, AT_ENTRY, takes `si` as the end of its interrupted call. */
static int follower_interrupted(struct taskset *s, unsigned int v,
				const siginfo_t *si, int64_t ret)
{
	struct task *t = &s->t[v];

	if (s->row->flags & RF_TMPMASK) {
		uint64_t mask = call_tmpmask(t, s->row);

		if (mask) {
			const uint64_t a[6] = { mask, 8, 0, 0, 0, 0 };
			uint64_t nr = t->call.nr;

			if (syscall(SYS_tgkill, s->proc->pid[v], t->tid,
				    si->si_signo) < 0)
				return -errno;
			if (!task_regs(t))
				return -ESRCH;
			if (!t->saved_valid) {
				t->saved = t->regs;
				t->saved_valid = true;
			}
			task_exec(t, SYS_rt_sigsuspend, a);
			if (t->at != AT_EXIT || !task_regs(t))
				return -ESRCH;
			t->regs = t->saved;
			t->saved_valid = false;
			t->regs.orig_rax = nr;
			t->regs.rax = (uint64_t)ret;
			t->regs_valid = true;
			task_regs_changed(t);
			return summon(t, si);
		}
	}
	if (task_skip_to_exit(t, ret) < 0)
		return -ESRCH;
	return summon(t, si);
}

/* The leader is AT_SIGNAL with a caught signal that ended its call with
 * `ret`; followers are still at their entry stops. */
static void deliver_interrupted(struct taskset *s, const siginfo_t *si,
				int64_t ret)
{
	struct task *lead = &s->t[LEADER];

	show_info(s, lead, si);
	lead->resume_sig = si->si_signo;
	if (set_replicate(s, ret) < 0)
		return;
	for_each_follower(v) {
		if (follower_interrupted(s, v, si, ret) == -EAGAIN) {
			lost(s, v, si->si_signo);
			return;
		}
	}
	set_note_call(s, ret);
	note_signal(s, si->si_signo);
	s->redo = s->rewound = false;
	s->arrived = 0;
	s->t_arrived = 0;
	/* a finished call like any other: wait for the turn */
	sched_ready(s);
}

/*
 * A call that is repeated by hand gets what is left of its time-out, where
 * that is an argument: milliseconds (epoll_wait) or a timespec in memory.
 */
static void call_shorten_timeout(struct taskset *s, struct user_regs_struct *r)
{
	struct task *t = &s->t[LEADER];
	uint64_t spent = mon.now - s->t_call;
	const struct ipmon_row *row = s->row;
	unsigned long long *arg[6] = { &r->rdi, &r->rsi, &r->rdx, &r->r10,
		&r->r8, &r->r9 };

	if (row->handler == H_EPOLL_WAIT && row->arg[3].kind == K_INT) {
		int ms = (int)t->call.args[3];

		if (ms > 0) {
			int gone = (int)(spent / 1000000u);

			r->r10 = (uint64_t)(uint32_t)(gone < ms ? ms - gone : 0);
		}
		return;
	}
	if (!(row->flags & RF_EINTR))
		return;
	for (unsigned int i = 0; i < row->nargs; i++) {
		int64_t ts[2];
		int64_t left;
		uint64_t slot = scratch_slot(s, LEADER) + SCRATCH_SLOT -
			sizeof(ts);

		if (row->arg[i].kind != K_IN || row->arg[i].b != sizeof(ts) ||
		    !t->call.args[i] ||
		    mem_read(t, ts, t->call.args[i], sizeof(ts)) ||
		    ts[0] < 0 || ts[0] > 1000000000)
			continue;
		left = ts[0] * 1000000000 + ts[1] - (int64_t)spent;
		if (left < 0)
			left = 0;
		ts[0] = left / 1000000000;
		ts[1] = left % 1000000000;
		if (!mem_write(t, slot, ts, sizeof(ts)))
			*arg[i] = slot;
		return;
	}
}

/* Do the leader's call again; followers stay where they are. */
static void redo(struct taskset *s, int64_t ret, int sig)
{
	struct task *t = &s->t[LEADER];

	s->redo = true;
	s->arrived &= ~(1u << LEADER);
	if (ret == -EINTR) {
		struct user_regs_struct *r = task_regs(t);

		if (!r)
			return;
		s->rewound = true;
		if (!t->saved_valid) {
			t->saved = *r;
			t->saved_valid = true;
		}
		r->rax = t->call.nr;
		r->orig_rax = (uint64_t)-1;
		r->rip -= 2;
		call_shorten_timeout(s, r);
		task_regs_changed(t);
	}
	task_resume(t, PTRACE_CONT, sig);
}

bool signal_interrupted(struct taskset *s, int64_t ret)
{
	struct task *t = &s->t[LEADER];
	bool restart = ret == -ERESTARTSYS || ret == -ERESTARTNOINTR ||
		ret == -ERESTARTNOHAND || ret == -ERESTART_RESTARTBLOCK;
	struct sigstate st;
	siginfo_t si;
	enum effect eff = EFF_IGNORED;
	uint64_t open;
	int sig, found;

	if (!restart && ret != -EINTR)
		return false;
	if (ret == -EINTR && !(s->row->flags & (RF_EINTR | RF_BLOCK)))
		return false;
	if (sigstate_read(t, &st))
		return true;
	open = st.pending & ~st.blocked;
	for (sig = 1; sig < 65; sig++)
		if (open & BIT(sig) && effect_of(sig, &st) != EFF_IGNORED)
			break;
	s->ret = ret;
	if (sig == 65) {
		/* nothing anybody may notice */
		redo(s, ret, 0);
		return true;
	}
	if (ret == -EINTR && !(st.caught & open)) {
		/* a stop or a fatal signal: a result like any other, the
		 * signal follows when the leader is resumed */
		return false;
	}
	found = leader_to_delivery(s, &si, &eff);
	if (found < 0)
		return true;
	if (!found) {
		/* somebody else took it; the leader repeats its call */
		if (t->at == AT_ENTRY) {
			s->redo = true;
			s->arrived |= 1u << LEADER;
			set_leader_again(s);
		} else {
			event_continue(t);
		}
		return true;
	}
	if (eff == EFF_CAUGHT) {
		deliver_interrupted(s, &si, ret);
		return true;
	}
	note_signal(s, si.si_signo);
	if (eff == EFF_FATAL)
		fatal(s);
	else
		s->redo = true;
	s->arrived &= ~(1u << LEADER);
	task_resume(t, PTRACE_CONT, si.si_signo);
	return true;
}

void signal_deliver_at_exit(struct taskset *s)
{
	struct task *lead = &s->t[LEADER];
	struct sigstate st;
	siginfo_t si;
	enum effect eff;
	int r;

	if (!STAILQ_EMPTY(&s->sigq) && pop(s, &si, &eff)) {
		/* put aside while its own handler ran, and unblocked now */
		for_each_variant(v) {
			if (v != LEADER && eff != EFF_CAUGHT)
				continue;
			if (summon(&s->t[v], &si) == -EAGAIN) {
				lost(s, v, si.si_signo);
				return;
			}
		}
		note_signal(s, si.si_signo);
		if (eff == EFF_FATAL)
			fatal(s);
		return;
	}
	if (!anything_pending(lead) || sigstate_read(lead, &st))
		return;
	if (!(st.pending & ~st.blocked & st.caught))
		return;
	/*
	 * The result is in the registers already: nothing must be restarted
	 * when a program's own -512 comes along.
	 */
	r = leader_to_delivery(s, &si, &eff);
	if (r <= 0 || eff != EFF_CAUGHT) {
		if (r > 0) {
			lead->resume_sig = si.si_signo;
			if (eff == EFF_FATAL)
				fatal(s);
		} else if (!r) {
			/* the leader has gone on: so may the rest, and its
			 * new stop is acted upon once they do */
			s->early = true;
		}
		return;
	}
	show_info(s, lead, &si);
	lead->resume_sig = si.si_signo;
	for_each_follower(v) {
		if (summon(&s->t[v], &si) == -EAGAIN) {
			lost(s, v, si.si_signo);
			return;
		}
	}
	note_signal(s, si.si_signo);
}

bool signal_deliver_kicked(struct taskset *s)
{
	int64_t ret = s->kick_ret;
	siginfo_t si;
	enum effect eff;

	s->kick_ret = 0;
	s->row = ipmon_row(s->t[LEADER].call.nr);
	if (!pop(s, &si, &eff))
		return false;
	if (eff != EFF_CAUGHT) {
		/* back to the queue's front: delivered before the call */
		queue_front(s, &si);
		return false;
	}
	for_each_variant(v) {
		if (follower_interrupted(s, v, &si, ret) == -EAGAIN) {
			lost(s, v, si.si_signo);
			return true;
		}
	}
	set_note_call(s, ret);
	note_signal(s, si.si_signo);
	s->arrived = 0;
	s->t_arrived = 0;
	sched_ready(s);
	return true;
}

/* ---- in the event loop ---- */

/* rdtsc and rdtscp, trapped by PR_TSC_SIGSEGV: length, or 0. */
static int is_rdtsc(struct task *t)
{
	struct user_regs_struct *r = task_regs(t);
	uint8_t code[3];

	if (!r || mem_read(t, code, r->rip, 2))
		return 0;
	if (code[0] == 0x0f && code[1] == 0x31)
		return 2;
	if (code[0] == 0x0f && code[1] == 0x01 &&
	    !mem_read(t, code, r->rip, 3) && code[2] == 0xf9)
		return 3;
	return 0;
}

static void emulate_rdtsc(struct taskset *s)
{
	uint64_t tsc;

	tsc_trap(false);
	tsc = __builtin_ia32_rdtsc();
	tsc_trap(true);

	for_each_variant(v) {
		struct task *t = &s->t[v];
		int len = is_rdtsc(t);
		struct user_regs_struct *r = task_regs(t);

		if (!r)
			continue;
		r->rax = tsc & 0xffffffffu;
		r->rdx = tsc >> 32;
		if (len == 3)
			r->rcx = 0;
		r->rip += (uint64_t)len;
		task_regs_changed(t);
		t->fault = false;
		task_resume(t, PTRACE_CONT, 0);
	}
	s->t_arrived = 0;
}

void signal_fault_check(struct taskset *s)
{
	struct divergence d = { .kind = DIV_CRASH, .set = s, .arg = -1 };
	siginfo_t si[MAX_VARIANTS];
	unsigned int faults = 0;
	bool tsc = true;

	for_each_variant(v)
		if (s->t[v].fault)
			faults |= 1u << v;
	if (!faults || ((faults | s->arrived) & mon.live) != mon.live)
		return;
	memset(si, 0, sizeof(si));
	for_each_variant(v) {
		if (faults & (1u << v)) {
			ptrace(PTRACE_GETSIGINFO, s->t[v].tid, 0, &si[v]);
			if (si[v].si_signo != SIGSEGV || !is_rdtsc(&s->t[v]))
				tsc = false;
		}
	}
	for_each_follower(v) {
		if (si[v].si_signo == si[LEADER].si_signo &&
		    si[v].si_code == si[LEADER].si_code)
			continue;
		d.variant = v;
		d.sig[0] = si[LEADER].si_signo;
		d.sig[1] = si[v].si_signo;
		d.fault_addr[0] = (uintptr_t)si[LEADER].si_addr;
		d.fault_addr[1] = (uintptr_t)si[v].si_addr;
		if (!diverge(&d))
			return;
	}
	/* the faulting ones were dropped: their deaths lead to
	 * set_check_complete() */
	if (mon.ending || !(faults & mon.live))
		return;
	if (tsc && !s->proc->vtsc_sigsegv) {
		emulate_rdtsc(s);
		return;
	}
	{
		struct sigstate st;

		if (!sigstate_read(&s->t[LEADER], &st) &&
		    (effect_of(si[LEADER].si_signo, &st) != EFF_CAUGHT ||
		     st.blocked & BIT(si[LEADER].si_signo)))
			s->proc->exiting = s->proc->killed = true;
	}
	note_signal(s, si[LEADER].si_signo);
	s->arrived = 0;
	s->t_arrived = 0;
	for_each_variant(v) {
		struct task *t = &s->t[v];

		t->fault = false;
		task_resume(t, PTRACE_CONT, si[v].si_signo);
	}
}

void signal_stop(struct task *t)
{
	struct taskset *s = t->set;
	struct sigstate st;
	siginfo_t si;
	enum effect eff;

	if (ptrace(PTRACE_GETSIGINFO, t->tid, 0, &si)) {
		event_continue(t);
		return;
	}
	if (synchronous(&si)) {
		if (fast_fixup(t))
			return;
		t->fault = true;
		if (!s->t_arrived)
			s->t_arrived = mon.now;
		signal_fault_check(s);
		return;
	}
	if (t->variant != LEADER) {
		fast_stop(t, false);
		event_continue(t);
		return;
	}
	if (sigstate_read(t, &st)) {
		event_continue(t);
		return;
	}
	eff = effect_of(si.si_signo, &st);
	switch (eff) {
	case EFF_CAUGHT:
		if (s->state == SET_CALL && s->redo) {
			/* on its way to repeat an interrupted call */
			if (s->rewound) {
				struct user_regs_struct *r = task_regs(t);

				if (!r)
					return;
				r->rip += 2;
				r->rax = (uint64_t)-EINTR;
				task_regs_changed(t);
			}
			deliver_interrupted(s, &si, s->ret);
			return;
		}
		queue(s, &si);
		fast_want(s);
		fast_stop(t, true);
		event_continue(t);
		return;
	case EFF_FATAL:
		note_signal(s, si.si_signo);
		fatal(s);
		break;
	case EFF_STOPS:
		note_signal(s, si.si_signo);
		break;
	default:
		/* would not have been noticed natively; the gate's caller
		 * cannot repair a call that ends with EINTR */
		if (s->live) {
			fast_want(s);
			fast_stop(t, true);
		}
		break;
	}
	task_resume(t, t->want_exit ? PTRACE_SYSCALL : PTRACE_CONT,
		    si.si_signo);
}

/* ---- interrupting sets that compute ---- */

void set_interrupt(struct taskset *s)
{
	if (mon.now - s->t_interrupt < 5000000u)
		return;
	s->t_interrupt = mon.now;
	for_each_variant(v) {
		struct task *t = &s->t[v];

		if (t->at == AT_RUN && t->tid && !t->interrupted) {
			t->interrupted = true;
			ptrace(PTRACE_INTERRUPT, t->tid, 0, 0);
		}
	}
}

void signal_interrupt_stop(struct task *t)
{
	struct taskset *s = t->set;
	bool inside, all_stopped = true, wanted = s->park || !STAILQ_EMPTY(&s->sigq);
	siginfo_t si;
	enum effect eff;

	t->interrupted = false;
	inside = fast_stop(t, s->pending);
	if (s->state != SET_RUN || !wanted) {
		if (s->proc == mon.root && t->variant == LEADER)
			front_continued();
		event_continue(t);
		return;
	}
	/* nothing is delivered or parked while anybody is inside IP-MON or
	 * behind the leader: later */
	if (s->live && (inside || fast_behind(s) >= 0)) {
		for_each_variant(v)
			if (s->t[v].at == AT_STOP)
				task_resume(&s->t[v], PTRACE_CONT, 0);
		return;
	}
	for_each_variant(v) {
		struct task *x = &s->t[v];

		if (x->at == AT_RUN && x->tid)
			return;		/* its stop is still to come */
		if (x->at != AT_STOP)
			all_stopped = false;
	}
	if (all_stopped && pop(s, &si, &eff)) {
		for_each_variant(v) {
			struct task *x = &s->t[v];

			if (v != LEADER && eff != EFF_CAUGHT)
				continue;
			if (summon(x, &si) == -EAGAIN) {
				lost(s, v, si.si_signo);
				return;
			}
		}
		note_signal(s, si.si_signo);
		if (eff == EFF_FATAL)
			fatal(s);
		resume_delivery(s);
		return;
	}
	if (s->park) {
		s->state = SET_PARKED;
		mon.count.parked++;
		sched_parked(s);
		return;
	}
	/* some have reached their next call: the others will */
	for_each_variant(v)
		if (s->t[v].at == AT_STOP)
			task_resume(&s->t[v], PTRACE_CONT, 0);
}

void signal_tick(struct taskset *s)
{
	if (s->state != SET_RUN || s->arrived ||
	    mon.now - s->t_sigq < GRACE_NS)
		return;
	set_interrupt(s);
}
