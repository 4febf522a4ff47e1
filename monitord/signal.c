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
 * hand (rewound), with the remaining time where the time-out is an argument, or
 * ended when it is over (t_deadline).
 *
 * Synchronous faults must occur in all variants; each gets its own.  rdtsc
 * faults too (PR_TSC_SIGSEGV), as do random numbers that were replaced; they are
 * emulated with one value for all (tsc.c).
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "align.h"
#include "divergence.h"
#include "event.h"
#include "fast.h"
#include "fast_flush.h"
#include "fast_report.h"
#include "front.h"
#include "h_misc.h"
#include "signals.h"
#include "solo.h"
#include "spin.h"
#include "signal_int.h"
#include "tracee.h"
#include "tsc.h"
#include "turn.h"

#define MEET_AGAIN_MAX	3u
#define GRACE_NS	2000000u	/* computing without calls, then stop */

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

/*
 * A socket's time-outs (SO_RCVTIMEO, SO_SNDTIMEO) are arguments of no call: one that
 * is repeated begins with the whole of it, and is interrupted by the ticker when what
 * was left is over.
 */
static void note_deadline(struct taskset *s)
{
	const struct call *c = &s->t[LEADER].call;
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);
	uint64_t limit;
	int option, fd;

	s->t_deadline = 0;
	switch (c->nr) {
	case SYS_read:
	case SYS_readv:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_accept:
	case SYS_accept4:
		option = SO_RCVTIMEO;
		break;
	case SYS_write:
	case SYS_writev:
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_sendfile:
	case SYS_connect:
		option = SO_SNDTIMEO;
		break;
	default:
		return;
	}
	fd = leader_getfd(s, (int)c->args[0]);
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, option, &tv, &len))
		tv = (struct timeval){ 0 };
	close(fd);
	limit = (uint64_t)tv.tv_sec * 1000000000u + (uint64_t)tv.tv_usec * 1000u;
	if (limit && (uint64_t)tv.tv_sec < 1u << 30)
		s->t_deadline = s->t_call + limit;
}

/* Called by the ticker. */
void signal_deadline_tick(struct taskset *s)
{
	struct task *t = &s->t[LEADER];

	if (s->state != SET_CALL || mon.now < s->t_deadline ||
	    t->at != AT_RUN || t->interrupted || !t->tid)
		return;
	t->interrupted = true;
	ptrace(PTRACE_INTERRUPT, t->tid, 0, 0);
}

void signal_go_on(struct taskset *s)
{
	struct task *t = &s->t[LEADER];
	struct user_regs_struct *r = s->rewritten ? NULL : task_regs(t);

	if (!r)
		return;
	if (s->kick_ret == -ERESTART_RESTARTBLOCK) {
		/* the kernel knows when the time is over */
		r->orig_rax = SYS_restart_syscall;
		task_regs_changed(t);
	} else if (s->kick_ret == -EINTR) {
		if (!t->saved_valid) {
			t->saved = *r;
			t->saved_valid = true;
		}
		s->rewound = true;
		s->t_call = s->t_kicked;
		call_shorten_timeout(s, r);
		note_deadline(s);
		task_regs_changed(t);
	}
}

/* The kernel does not restart the leader's call by itself: let it come to the
 * instruction again. */
static void rewind_call(struct taskset *s)
{
	struct task *t = &s->t[LEADER];
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

/*
 * It is to end (EINTR, or what has been transferred) after all.  Is it the kernel that
 * has taken it back to its instruction, what to do about it is the kernel's affair once
 * more, which now does it for a handler: the leader would make the call again behind
 * that, or ask for the rest of it (restart_syscall), which followers do not.
 */
static void unrewind_call(struct taskset *s)
{
	struct task *t = &s->t[LEADER];
	struct user_regs_struct *r = task_regs(t);

	if (!r)
		return;
	if (!s->rewound) {
		if (r->rip != t->call.ip - 2)
			return;
		r->rip = t->call.ip;
		r->orig_rax = t->call.nr;
	} else if (t->saved_valid) {
		s->rewound = false;
		t->regs = t->saved;
		t->saved_valid = false;
	} else {
		return;
	}
	t->regs.rax = (uint64_t)s->ret;
	task_regs_changed(t);
}

/* Do the leader's call again; followers stay where they are. */
static void redo(struct taskset *s, int64_t ret, int sig)
{
	s->redo = true;
	s->arrived &= ~(1u << LEADER);
	if (ret == -EINTR)
		rewind_call(s);
	task_resume(&s->t[LEADER], PTRACE_CONT, sig);
}

void signal_repeat(struct taskset *s)
{
	redo(s, -EINTR, 0);
}

bool signal_interrupted(struct taskset *s, int64_t *result)
{
	struct task *t = &s->t[LEADER];
	int64_t ret = *result;
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
		if (open & BIT(sig) && signal_effect(sig, &st) != EFF_IGNORED)
			break;
	s->ret = s->partial ? (int64_t)s->partial : ret;
	if (sig == 65) {
		/* nothing anybody may notice */
		if (ret == -EINTR && !s->t_deadline)
			note_deadline(s);
		if (ret == -EINTR && s->t_deadline &&
		    mon.now >= s->t_deadline) {
			*result = t->call.nr == SYS_connect ? -EINPROGRESS :
				-EAGAIN;
			return false;
		}
		redo(s, ret, 0);
		return true;
	}
	/* a part has been transferred: that is the result, the signal follows */
	if (s->partial)
		return false;
	if (ret == -EINTR && !(st.caught & open)) {
		/* a stop or a fatal signal: a result like any other, the
		 * signal follows when the leader is resumed */
		return false;
	}
	/* it must not get past the call if another thread takes the signal */
	if (ret == -EINTR)
		rewind_call(s);
	found = signal_leader_to_delivery(s, &si, &eff);
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
	if (eff == EFF_CAUGHT && signal_comes_behind(s, si.si_signo)) {
		signal_queue(s, &si);
		si.si_signo = 0;
	} else if (eff == EFF_CAUGHT) {
		unrewind_call(s);
		signal_deliver_interrupted(s, &si, ret);
		return true;
	}
	if (si.si_signo && signal_void(&si, &st))
		si.si_signo = 0;
	else if (si.si_signo)
		signal_note(s, si.si_signo);
	if (eff == EFF_FATAL)
		signal_fatal(s);
	else
		s->redo = true;
	s->arrived &= ~(1u << LEADER);
	task_resume(t, PTRACE_CONT, si.si_signo);
	return true;
}

/* ---- in the event loop ---- */

/*
 * Signals are delivered, and sets parked, at the instruction itself, before it, unless it
 * has just come from there again: not in its stub, and not behind it, where a jump to a
 * stub may be put while a handler runs that is to return there.
 */
static bool go_back(struct taskset *s)
{
	bool back = (signal_open(s) || s->park) && !s->went_back;

	for_each_variant(v)
		back = back && tsc_may_go_back(&s->t[v]);
	for_each_variant(v)
		if (back)
			tsc_back(&s->t[v]);
	s->went_back = back;
	return back;
}

static void emulate(struct taskset *s)
{
	struct tsc_value value;
	bool back = go_back(s);

	if (!back) {
		tsc_often(s);
		tsc_draw(&value);
	}
	/* a rendezvous like others: the next one may be IP-MON's */
	if (!back && !s->live)
		fast_release(s);
	else
		fast_leader_runs(s);
	/* all are at the same instant: the place for a signal.  They do not get any
	 * further (ptrace_request() in kernel/ptrace.c, PTRACE_INTERRUPT). */
	s->instant = back;
	for_each_variant(v) {
		struct task *t = &s->t[v];

		if (!task_regs(t))
			continue;
		if (!back)
			tsc_give(t, &value);
		t->fault = false;
		if (s->instant && !t->interrupted) {
			t->interrupted = true;
			ptrace(PTRACE_INTERRUPT, t->tid, 0, 0);
		}
		task_resume(t, PTRACE_CONT, 0);
	}
	s->t_arrived = 0;
}

static bool emulated(struct task *t)
{
	enum tsc_fault f = tsc_fault(t);

	return f == TSC_RANDOM || f == TSC_VISIT ||
		(f == TSC_COUNTER && !t->set->proc->vtsc_sigsegv);
}

/* Who has not come to the fault may arrange its memory before, which concerns nobody
 * else (solo.c). */
static bool others_alone(struct taskset *s, unsigned int faults)
{
	bool any = false;

	for_each_variant(v)
		if (!(faults >> v & 1) && s->t[v].at == AT_ENTRY)
			any |= solo_one(s, v);
	return any;
}

void signal_fault_check(struct taskset *s)
{
	struct divergence d = { .kind = DIV_CRASH, .set = s, .arg = -1 };
	siginfo_t si[MAX_VARIANTS];
	unsigned int faults = 0;
	struct sigstate st;
	bool ours = true, fatal;

	for_each_variant(v)
		if (s->t[v].fault)
			faults |= 1u << v;
	if (!faults || ((faults | s->arrived) & mon.live) != mon.live ||
	    others_alone(s, faults))
		return;
	memset(si, 0, sizeof(si));
	for_each_variant(v) {
		if (faults & (1u << v)) {
			/* killed in the meantime: its death is what counts */
			if (ptrace(PTRACE_GETSIGINFO, s->t[v].tid, 0, &si[v]))
				return;
			if ((si[v].si_signo != SIGSEGV &&
			     si[v].si_signo != SIGILL) ||
			    !emulated(&s->t[v]))
				ours = false;
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
	if (ours) {
		emulate(s);
		return;
	}
	fatal = !sigstate_read(&s->t[LEADER], &st) &&
		(signal_effect(si[LEADER].si_signo, &st) != EFF_CAUGHT ||
		 st.blocked & BIT(si[LEADER].si_signo));
	if (fatal) {
		s->proc->exiting = s->proc->killed = true;
		robust_exit_all(s->proc);
	}
	signal_note(s, si[LEADER].si_signo);
	s->arrived = 0;
	s->t_arrived = 0;
	fast_leader_runs(s);
	for_each_variant(v) {
		struct task *t = &s->t[v];

		t->fault = false;
		/* one core file is enough */
		if (fatal && v != LEADER)
			kill(s->proc->pid[v], SIGKILL);
		else
			task_resume(t, PTRACE_CONT, si[v].si_signo);
	}
}

/*
 * A leader that handles its calls itself is at the end of one with a mask of its own
 * (ppoll), interrupted by this signal.  The call is made again with it at monitord; what
 * else the mask lets through stays with the kernel, for the handler may block it.
 */
static void mask_over(struct task *t, const struct sigstate *st)
{
	uint64_t mask;

	if (!ptrace(PTRACE_GETSIGMASK, t->tid, sizeof(mask), &mask) &&
	    mask != st->blocked)
		ptrace(PTRACE_SETSIGMASK, t->tid, sizeof(mask), &mask);
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
	if (s->state == SET_EXITING) {
		task_resume(t, PTRACE_CONT, t->variant == LEADER ?
			    si.si_signo : 0);
		return;
	}
	if (signal_late_trap(t, &si)) {
		event_continue(t);
		return;
	}
	if (signal_synchronous(&si)) {
		if (fast_fixup(t) ||
		    (si.si_signo == SIGSEGV && tsc_follower(t)) ||
		    fast_flush_stop(t, &si))
			return;
		t->fault = true;
		if (!s->t_arrived)
			s->t_arrived = mon.now;
		fast_fault(t);
		if (mon.ending)
			return;
		signal_fault_check(s);
		/* those that were interrupted meanwhile will come there, too
		 * (unless its variant has been dropped for it) */
		if (t->fault && mon.live & 1u << t->variant)
			signal_interrupt_check(s);
		return;
	}
	if (t->variant != LEADER) {
		fast_stop(t, FAST_PASS);
		event_continue(t);
		return;
	}
	if (sigstate_read(t, &st)) {
		event_continue(t);
		return;
	}
	if (signal_void(&si, &st)) {
		fast_stop(t, FAST_UNSEEN);
		task_resume(t, t->want_exit ? PTRACE_SYSCALL : PTRACE_CONT, 0);
		return;
	}
	if (si.si_signo == SIGCONT)
		signal_drop_stops(s->proc, &st);
	eff = signal_effect(si.si_signo, &st);
	/* what it holds must go out before it dies or stops */
	if ((eff == EFF_FATAL || eff == EFF_STOPS) && fast_flush_due(t))
		eff = EFF_CAUGHT;
	/* its memory is others' as well: it dies when it is its turn, at a call */
	if (eff == EFF_FATAL && s->state == SET_RUN &&
	    (turn_between(s) || (!s->live && s->proc->domain->shared)))
		eff = EFF_CAUGHT;
	switch (eff) {
	case EFF_CAUGHT:
		if (s->state == SET_CALL && s->redo &&
		    !signal_comes_behind(s, si.si_signo)) {
			/* on its way to repeat an interrupted call */
			unrewind_call(s);
			signal_deliver_interrupted(s, &si, s->ret);
			return;
		}
		mask_over(t, &st);
		signal_queue(s, &si);
		fast_want(s);
		fast_stop(t, FAST_WANTED);
		event_continue(t);
		return;
	case EFF_FATAL:
		signal_note(s, si.si_signo);
		signal_fatal(s);
		break;
	case EFF_STOPS:
		signal_note(s, si.si_signo);
		break;
	default:
		/* would not have been noticed natively */
		fast_stop(t, FAST_UNSEEN);
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

/*
 * Variants that could not be brought to the same instant may be so the next time, in
 * another part of what they compute; a signal can wait for that, but not for ever, nor
 * where it has been in vain before.
 */
static bool signal_later(struct taskset *s)
{
	if (s->met || s->spins || s->instant || !s->meet_error ||
	    s->meet_again == MEET_AGAIN_MAX ||
	    (!s->meet_again && s->meet_vain > MEET_AGAIN_MAX) ||
	    !signal_open_caught(s))
		return false;
	s->meet_again++;
	s->meet_skip = 0;
	s->t_sigq = s->t_interrupt = now_ns();
	return true;
}

/* Those that were interrupted go on. */
static void interrupt_over(struct taskset *s)
{
	s->instant = false;
	for_each_variant(v)
		if (s->t[v].at == AT_STOP)
			task_resume(&s->t[v], PTRACE_CONT, 0);
}

/*
 * Interrupted tasks wait for those of their set that still run.  The last one
 * may come by its own interruption, by a call it had begun in that moment, or
 * not at all, because it died.  One whose interruption found it inside IP-MON, and
 * which runs again, does not come: it may be waiting there for one that is stopped
 * here, and nobody would ask again once it has given the turn away.
 */
void signal_interrupt_check(struct taskset *s)
{
	bool all_stopped = true, any = false, fault = false, behind;
	bool comes = false, runs = false;
	siginfo_t si;
	enum effect eff;

	if (s->state != SET_RUN)
		return;
	for_each_variant(v) {
		struct task *x = &s->t[v];

		if (x->at == AT_RUN && x->tid) {
			runs = true;
			comes |= x->interrupted;
		}
		if (x->at == AT_STOP)
			any = true;
		else
			all_stopped = false;
		fault |= x->fault;
	}
	if (!any || comes)
		return;
	/* its leader is stopped with its process: sched_tick() */
	if (s->t[LEADER].at == AT_GROUP)
		s->park = false;
	if (runs || s->t[LEADER].at == AT_GROUP) {
		interrupt_over(s);
		return;
	}
	behind = s->live && fast_behind(s) >= 0;
	if (all_stopped && !behind && !s->instant) {
		bool still = align_set(s);

		/* it may have taken seconds; whoever goes on now has not run for
		 * as long */
		mon.now = now_ns();
		if (!still) {
			interrupt_over(s);
			return;
		}
	}
	if (all_stopped && !behind && signal_later(s)) {
		interrupt_over(s);
		return;
	}
	if (all_stopped && !behind && signal_pop(s, &si, &eff)) {
		s->instant = false;
		for_each_variant(v) {
			struct task *x = &s->t[v];

			if (v != LEADER && eff != EFF_CAUGHT)
				continue;
			if (signal_summon(x, &si) == -EAGAIN &&
			    (signal_taken_back(s, eff, true) ||
			     !signal_lost(s, v, si.si_signo)))
				return;
		}
		signal_note(s, si.si_signo);
		if (eff == EFF_FATAL)
			signal_fatal(s);
		/* they are not at a call: fast_release() */
		s->state = SET_PARKED;
		signal_resume_delivery(s);
		return;
	}
	if (s->park && !behind && !fault && sched_may_park(s, all_stopped) &&
	    !(all_stopped && !s->instant && sched_patient(s))) {
		s->in_order = all_stopped && s->instant;
		if (all_stopped && !s->instant)
			spin_found(s);
		s->state = SET_PARKED;
		s->instant = false;
		mon.count.parked++;
		sched_parked(s);
		return;
	}
	/* some have reached their next call, or fault: the others will */
	interrupt_over(s);
}

void signal_interrupt_stop(struct task *t)
{
	struct taskset *s = t->set;
	bool inside, wanted = s->park || !STAILQ_EMPTY(&s->sigq);

	/* the end of a group stop does end calls */
	inside = fast_stop(t, s->pending ? FAST_WANTED :
			   t->interrupted ? FAST_UNSEEN : FAST_PASS);
	/* it did not compute while it was stopped */
	if (!t->interrupted && t->variant == LEADER)
		s->t_run = mon.now;
	t->interrupted = false;
	if (!inside && s->state == SET_RUN && fast_flush_stop(t, NULL))
		return;
	if (s->state != SET_RUN || !wanted) {
		s->instant = false;
		if (s->proc == mon.root && t->variant == LEADER)
			front_continued();
		if (s->state == SET_PARKED && t->variant == LEADER) {
			/* continued after a stop during which it gave its turn
			 * away (sched.c) */
			sched_parked(s);
			return;
		}
		event_continue(t);
		return;
	}
	/* nothing is delivered or parked while anybody is inside IP-MON (on the
	 * way out of it again if calls are monitord's) or behind the leader:
	 * later */
	if (inside || (s->live && fast_behind(s) >= 0)) {
		interrupt_over(s);
		return;
	}
	signal_interrupt_check(s);
}

void signal_tick(struct taskset *s)
{
	if (s->state != SET_RUN || s->arrived ||
	    mon.now - s->t_sigq < GRACE_NS)
		return;
	/* it is to get on as well (meet.c) */
	if (s->met && s->t_met + s->meet_ns > mon.now)
		return;
	/* a stop for nothing costs, and steps (align.c); who waits for the turn
	 * in-process comes to its next call when it has got it */
	if (signal_open(s) && !turn_awaits(s))
		set_interrupt(s);
}
