// SPDX-License-Identifier: Apache-2.0
/*
 * Signals: delivering to one task, and to all variants of a set.
 *
 * Theory of operation
 * -------------------
 * tgkill() makes the kernel stop a prepared task for delivery (summon); the
 * siginfo is replaced there, and the signal goes in when the set is resumed.
 * What differs between the points of delivery (signal.c) is only how the
 * registers are prepared, so that each kernel builds the frame and decides
 * about restarting the call as it would have natively.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "divergence.h"
#include "event.h"
#include "fast.h"
#include "front.h"
#include "h_misc.h"
#include "signals.h"
#include "signal_int.h"
#include "tracee.h"

/* Other signals met while one is on its way: as many as may be pending. */
#define SUMMON_TRIES 1000000
#define SUMMON_NS 2000000u	/* what has been sent has come, mostly */

/* ---- delivering to one task ---- */

static void show_info(struct taskset *s, struct task *t, const siginfo_t *si)
{
	siginfo_t own = *si;

	front_origin(&own);
	siginfo_translate(s, &own, t->variant);
	ptrace(PTRACE_SETSIGINFO, t->tid, 0, &own);
}

/* Ours, sent to this very task.  From within a pid namespace of its own the
 * monitor has no id. */
static bool sent_by_us(const siginfo_t *si)
{
	return si->si_code == SI_TKILL &&
	       (si->si_pid == getpid() || si->si_pid == 0);
}

/*
 * A signal that comes in another one's place: for real-time signals where the user has
 * as many pending as he may, which a flood of them sees to; others are only marked
 * then, which needs no room, and come before all real-time signals.  And for those of
 * job control: sent anew, SIGCONT continues who has been stopped since it came, and takes
 * back a stop that is pending, as stops do with it.
 * Not one that is pending, and would be taken for ours, or is blocked, also under the
 * mask its call has.
 */
static int carrier(const struct sigstate *st, const uint64_t *mask, int otherwise)
{
	static const int sigs[] = { SIGURG, SIGWINCH, SIGCHLD };
	uint64_t not = st->pending | st->blocked | (mask ? *mask : 0);

	for (unsigned int i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		if (!(not & BIT(sigs[i])))
			return sigs[i];
	return otherwise;
}

/* Send what is to become `sig`, under the task's present mask or this one: the
 * signal sent, or -errno. */
static int summon_send(const struct task *t, int sig, const uint64_t *mask)
{
	pid_t pid = t->set->proc->pid[t->variant];
	struct sigstate st;

	/* one that stops it must be taken back by a SIGCONT */
	if ((sig == SIGCONT || sig == SIGTSTP || sig == SIGTTIN ||
	     sig == SIGTTOU) && !sigstate_read(t, &st) && st.caught & BIT(sig))
		sig = carrier(&st, mask, sig);
	if (!syscall(SYS_tgkill, pid, t->tid, sig))
		return sig;
	if (errno != EAGAIN)
		return -errno;
	/* SIGSTOP cannot be blocked */
	sig = sigstate_read(t, &st) ? SIGSTOP : carrier(&st, mask, SIGSTOP);
	return syscall(SYS_tgkill, pid, t->tid, sig) ? -errno : sig;
}

/*
 * Wait for its next stop; in good time, for it may have nothing to stop for any more:
 * a SIGCONT that comes now takes a stop back (prepare_signal() in kernel/signal.c).
 * Interrupted, it says so.
 */
static int summon_wait(struct task *t)
{
	int r = task_wait_for(t, SUMMON_NS);

	if (r != -ETIMEDOUT)
		return r;
	if (!t->interrupted) {
		t->interrupted = true;
		ptrace(PTRACE_INTERRUPT, t->tid, 0, 0);
	}
	return task_wait(t);
}

/* Is what was sent still to come? */
static bool summoned(const struct task *t, int sent)
{
	struct sigstate st;

	return !sigstate_read(t, &st) && st.pending & ~st.blocked & BIT(sent);
}

/* `sent` is on its way, and becomes *si. */
static int summon_sent(struct task *t, const siginfo_t *si, int sent)
{
	struct taskset *s = t->set;

	if (task_resume(t, PTRACE_CONT, 0) < 0)
		return -ESRCH;
	for (int tries = 0; tries < SUMMON_TRIES; tries++) {
		siginfo_t got;
		int r = summon_wait(t);

		/* it is neither here nor there */
		if (r == -ETIMEDOUT)
			return -EAGAIN;
		if (r < 0)
			return r;
		if (t->at == AT_SIGNAL &&
		    !ptrace(PTRACE_GETSIGINFO, t->tid, 0, &got)) {
			/* real-time signals queue: another one of the same
			 * number is not this one */
			if (got.si_signo == sent &&
			    (sent < SIGRT_FIRST || sent_by_us(&got))) {
				show_info(s, t, si);
				t->resume_sig = si->si_signo;
				return 0;
			}
			signal_put_aside(t);
		} else if (t->at == AT_STOP || t->at == AT_GROUP) {
			t->interrupted = false;
			if (!summoned(t, sent))
				return -EAGAIN;
		} else {
			return -EAGAIN;		/* it runs on without */
		}
		if (task_resume(t, PTRACE_CONT, 0) < 0)
			return -ESRCH;
	}
	return -EAGAIN;
}

/*
 * Make a stopped task (registers prepared) stop for delivery of `si`.  Other
 * signals met on the way are put aside or swallowed.  0: AT_SIGNAL with the
 * right siginfo, resume_sig set.
 */
int signal_summon(struct task *t, const siginfo_t *si)
{
	int sent = summon_send(t, si->si_signo, NULL);

	return sent < 0 ? sent : summon_sent(t, si, sent);
}

bool signal_lost(struct taskset *s, unsigned int v, int sig)
{
	struct divergence d = {
		.kind = DIV_STALL, .set = s, .variant = v, .arg = -1,
	};

	snprintf(d.note, sizeof(d.note), "variant %u does not accept signal "
		 "%d (%s), which the others take here", v, sig,
		 sigabbrev_np(sig) ? sigabbrev_np(sig) : "?");
	return diverge(&d);
}

void signal_note(struct taskset *s, int sig)
{
	struct recent *r = &s->recent[s->recent_pos++ % RECENT_MAX];

	s->proc->mm->signalled = true;
	memset(r, 0, sizeof(*r));
	r->seq = mon.seq;
	r->signal = sig;
	mon.count.signals++;
	if (mon.trace)
		trace_signal(s, sig);
}

void signal_resume_delivery(struct taskset *s)
{
	fast_release(s);
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

/* Fatal to the whole process: the leader dies of it, the rest follow. */
void signal_fatal(struct taskset *s)
{
	s->proc->exiting = s->proc->killed = true;
	s->state = SET_EXITING;
	robust_exit_all(s->proc);
	for_each_follower(v)
		if (s->proc->pid[v] > 0)
			kill(s->proc->pid[v], SIGKILL);
}

/*
 * A stop for the leader alone has not come (-EAGAIN): a SIGCONT that was sent in this
 * moment has taken it back.  The leader is at its next stop; at_once: and is to be
 * resumed with the others now.
 */
bool signal_taken_back(struct taskset *s, enum effect eff, bool at_once)
{
	if (eff != EFF_STOPS)
		return false;
	s->early = true;
	if (at_once) {
		s->arrived = 0;
		s->t_arrived = 0;
		set_release(s);
	}
	return true;
}

bool signal_meanwhile(struct task *t)
{
	struct sigstate st;
	siginfo_t si;

	if (ptrace(PTRACE_GETSIGINFO, t->tid, 0, &si) ||
	    signal_synchronous(&si))
		return false;
	if (t->variant != LEADER || sigstate_read(t, &st) ||
	    signal_void(&si, &st))
		return true;
	if (si.si_signo == SIGCONT)
		signal_drop_stops(t->set->proc, &st);
	if (signal_effect(si.si_signo, &st) != EFF_IGNORED) {
		signal_queue(t->set, &si);
		fast_want(t->set);
	}
	return true;
}

bool signal_deliver_at_entry(struct taskset *s)
{
	siginfo_t si;
	enum effect e;

	while (signal_pop(s, &si, &e)) {
		bool void_stop = false;

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
			/* behind a handler nothing is left to be restarted */
			r->rax = e == EFF_CAUGHT &&
				r->orig_rax == SYS_restart_syscall ?
				t->call.nr : r->orig_rax;
			r->orig_rax = (uint64_t)-1;
			r->rip -= 2;
			task_regs_changed(t);
			err = signal_summon(t, &si);
			if (err == -EAGAIN && e == EFF_STOPS) {
				void_stop = true;
				break;
			}
			if (err == -EAGAIN && !signal_lost(s, v, si.si_signo))
				return true;
		}
		/* SIGCONT has taken it back; the leader is here again, or
		 * comes */
		if (void_stop && s->t[LEADER].at == AT_ENTRY)
			continue;
		if (void_stop) {
			s->arrived &= ~(1u << LEADER);
			dispatch(&s->t[LEADER]);
			return true;
		}
		signal_note(s, si.si_signo);
		if (e == EFF_CAUGHT) {
			signal_resume_delivery(s);
			return true;
		}
		if (e == EFF_FATAL)
			signal_fatal(s);
		/* followers wait at their entry; the leader comes back to it
		 * after a stop */
		s->arrived &= ~(1u << LEADER);
		s->t[LEADER].resume_sig = 0;
		task_resume(&s->t[LEADER], PTRACE_CONT, si.si_signo);
		return true;
	}
	return false;
}

bool signal_deliver_before(struct taskset *s, int64_t ret)
{
	if (signal_open_caught(s) && set_replicate(s, ret) < 0)
		return true;
	if (!signal_deliver_at_entry(s))
		return false;
	s->kick_ret = 0;
	return true;
}

/* ---- at the end of a call ---- */

/*
 * Let the leader run into the delivery of its pending caught signal.  Passes
 * ignored ones on the way.  1: AT_SIGNAL with *si; 0: it came to another
 * stop (nothing to deliver after all).
 */
int signal_leader_to_delivery(struct taskset *s, siginfo_t *si,
			      enum effect *eff)
{
	struct task *t = &s->t[LEADER];
	int sig = 0;

	for (;;) {
		struct sigstate st;

		if (task_resume(t, PTRACE_CONT, sig) < 0 || summon_wait(t) < 0)
			return -1;
		if (t->at == AT_STOP || t->at == AT_GROUP) {
			bool late = t->interrupted;

			t->interrupted = false;
			sig = 0;
			/* somebody else has taken it, and it computes */
			if (late && (sigstate_read(t, &st) ||
				     !(st.pending & ~st.blocked)))
				return 0;
			continue;
		}
		if (t->at != AT_SIGNAL)
			return 0;
		if (ptrace(PTRACE_GETSIGINFO, t->tid, 0, si) ||
		    sigstate_read(t, &st))
			return -1;
		*eff = signal_effect(si->si_signo, &st);
		if (*eff != EFF_IGNORED)
			return 1;
		sig = si->si_signo;
	}
}

/* ---- more than one ---- */

static bool deliverable(struct task *t)
{
	struct sigstate st;

	return sigstate_pending(t) && !sigstate_read(t, &st) &&
		st.pending & ~st.blocked & st.caught;
}

/* Have the kernel build the frame; stop before the handler's first instruction. */
static bool into_handler(struct task *t)
{
	int sig = t->resume_sig;

	t->resume_sig = 0;
	return t->at == AT_SIGNAL && event_step(t, sig);
}

/* The next one, put aside: all variants to its delivery.  False: nothing more. */
static bool deliver_next_aside(struct taskset *s)
{
	enum effect eff;
	siginfo_t si;

	if (!signal_pop(s, &si, &eff))
		return false;
	if (eff != EFF_CAUGHT) {
		/* before the handler's first call */
		signal_queue_front(s, &si);
		return false;
	}
	for_each_variant(v) {
		if (signal_summon(&s->t[v], &si) == -EAGAIN &&
		    !signal_lost(s, v, si.si_signo))
			return false;
	}
	signal_note(s, si.si_signo);
	return true;
}

/*
 * The same of a leader that stands between two instructions, and is to stay there if
 * another thread takes the signal: otherwise it would go on, make calls in-process, and
 * meet the next signal behind these.  So it goes to the gate, to a call that is never
 * made.  Nothing is restarted when a program's own -512 is in its registers.
 * 1: AT_SIGNAL; 0: nothing to deliver; -1: neither, or it has gone on (s->early).
 */
static int leader_takes(struct taskset *s, siginfo_t *si, enum effect *eff)
{
	struct task *t = &s->t[LEADER];
	uint64_t gate = s->proc->mm->gate[LEADER];
	struct user_regs_struct was, *r = task_regs(t);
	int found;

	if (!r || !gate)
		return -1;
	was = *r;
	was.orig_rax = (uint64_t)-1;
	r->rip = gate;
	r->rax = IPMON_NR_TURN;
	r->orig_rax = (uint64_t)-1;
	task_regs_changed(t);
	found = signal_leader_to_delivery(s, si, eff);
	if (found < 0 || !task_regs(t))
		return -1;
	if (t->regs.rip != gate && t->regs.rip != gate + 2) {
		s->early = true;
		return -1;
	}
	t->regs = was;
	task_regs_changed(t);
	return found;
}

/* The same of one that the leader's kernel has. */
static bool deliver_next(struct taskset *s)
{
	struct task *lead = &s->t[LEADER];
	enum effect eff;
	siginfo_t si;

	if (leader_takes(s, &si, &eff) <= 0)
		return false;
	show_info(s, lead, &si);
	lead->resume_sig = si.si_signo;
	if (eff != EFF_CAUGHT) {
		if (eff == EFF_FATAL)
			signal_fatal(s);
		return false;
	}
	for_each_follower(v) {
		if (signal_summon(&s->t[v], &si) == -EAGAIN &&
		    !signal_lost(s, v, si.si_signo))
			return false;
	}
	signal_note(s, si.si_signo);
	return true;
}

/*
 * All variants stand before the delivery of a caught signal.  When several are let
 * through at once, the kernel builds their frames one upon the other before any
 * handler runs, so the last one runs first; and so they do here.
 */
static void deliver_rest(struct taskset *s)
{
	struct task *lead = &s->t[LEADER];

	while (!mon.ending && (signal_open_caught(s) || deliverable(lead))) {
		for_each_variant(v)
			if (!into_handler(&s->t[v]))
				return;
		/* the handler's mask counts now */
		if (signal_open_caught(s) ? !deliver_next_aside(s) :
		    !deliverable(lead) || !deliver_next(s))
			return;
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

/* The mask that the set's call has of its own. */
static bool own_mask(struct taskset *s, uint64_t *mask)
{
	struct task *t = &s->t[LEADER];
	uint64_t at = s->row->flags & RF_TMPMASK ? call_tmpmask(t, s->row) : 0;

	return at && !mem_read(t, mask, at, sizeof(*mask));
}

bool signal_comes_behind(struct taskset *s, int sig)
{
	struct task *t = &s->t[LEADER];
	struct user_regs_struct *r = task_regs(t);
	uint64_t mask;

	/* kept out; or the kernel has taken it in front of its call */
	return own_mask(s, &mask) &&
		(mask & BIT(sig) ||
		 (r && !s->rewound && r->rip == t->call.ip - 2));
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

			uint64_t bits = 0;
			int sent;

			mem_read(t, &bits, mask, sizeof(bits));
			sent = summon_send(t, si->si_signo, &bits);
			if (sent < 0)
				return sent;
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
			return summon_sent(t, si, sent);
		}
	}
	if (task_skip_to_exit(t, ret) < 0)
		return -ESRCH;
	return signal_summon(t, si);
}

/* The leader is AT_SIGNAL with a caught signal that ended its call with
 * `ret`; followers are still at their entry stops. */
void signal_deliver_interrupted(struct taskset *s, const siginfo_t *si,
				int64_t ret)
{
	struct task *lead = &s->t[LEADER];

	show_info(s, lead, si);
	lead->resume_sig = si->si_signo;
	if (set_replicate(s, ret) < 0)
		return;
	for_each_follower(v) {
		if (follower_interrupted(s, v, si, ret) == -EAGAIN &&
		    !signal_lost(s, v, si->si_signo))
			return;
	}
	set_note_call(s, ret);
	signal_note(s, si->si_signo);
	deliver_rest(s);
	s->redo = s->rewound = false;
	s->arrived = 0;
	s->t_arrived = 0;
	/* a finished call like any other: wait for the turn */
	sched_ready(s);
}

void signal_deliver_at_exit(struct taskset *s)
{
	struct task *lead = &s->t[LEADER];
	struct sigstate st;
	siginfo_t si;
	enum effect eff;

	if (!STAILQ_EMPTY(&s->sigq) && signal_pop(s, &si, &eff)) {
		/* put aside while its own handler ran, and unblocked now */
		for_each_variant(v) {
			if (v != LEADER && eff != EFF_CAUGHT)
				continue;
			if (signal_summon(&s->t[v], &si) == -EAGAIN &&
			    (signal_taken_back(s, eff, false) ||
			     !signal_lost(s, v, si.si_signo)))
				return;
		}
		signal_note(s, si.si_signo);
		if (eff == EFF_FATAL)
			signal_fatal(s);
		else if (eff == EFF_CAUGHT)
			deliver_rest(s);
		return;
	}
	if (!sigstate_pending(lead) || sigstate_read(lead, &st))
		return;
	if (!(st.pending & ~st.blocked & st.caught))
		return;
	if (leader_takes(s, &si, &eff) <= 0)
		return;
	if (eff != EFF_CAUGHT) {
		lead->resume_sig = si.si_signo;
		if (eff == EFF_FATAL)
			signal_fatal(s);
		return;
	}
	show_info(s, lead, &si);
	lead->resume_sig = si.si_signo;
	for_each_follower(v) {
		if (signal_summon(&s->t[v], &si) == -EAGAIN &&
		    !signal_lost(s, v, si.si_signo))
			return;
	}
	signal_note(s, si.si_signo);
	deliver_rest(s);
}

bool signal_deliver_kicked(struct taskset *s)
{
	int64_t ret = s->kick_ret;
	uint64_t mask;
	siginfo_t si;
	enum effect eff;

	/* the call had a mask of its own when the signal came */
	if (!signal_pop_under(s, own_mask(s, &mask) ? &mask : NULL, &si, &eff))
		return false;
	if (eff != EFF_CAUGHT) {
		/* back to the queue's front: delivered before the call */
		signal_queue_front(s, &si);
		return false;
	}
	/* what an interrupted call leaves: the time that remained */
	if (set_replicate(s, ret) < 0)
		return true;
	for_each_variant(v) {
		if (follower_interrupted(s, v, &si, ret) == -EAGAIN &&
		    !signal_lost(s, v, si.si_signo))
			return true;
	}
	set_note_call(s, ret);
	signal_note(s, si.si_signo);
	deliver_rest(s);
	s->arrived = 0;
	s->t_arrived = 0;
	sched_ready(s);
	return true;
}
