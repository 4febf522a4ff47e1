// SPDX-License-Identifier: Apache-2.0
/*
 * Sending signals: kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo,
 * pidfd_send_signal.
 *
 * The leader sends, once; the program's ids are the leader's, so nothing is
 * mapped.  A signal that comes back to the tree arrives at the leader of the
 * target set and is repeated for the others there (signal.c).  What a queued
 * signal carries is usually a pointer: every variant's own is remembered for
 * that moment.
 *
 * Sigreturn restores each variant's own frame; there is no result to wait for,
 * unless signals wait for the mask it restores: those must be delivered
 * before the program goes on, so then everybody is stopped at its end.
 */
#include <string.h>
#include <sys/ptrace.h>

#include "h_misc.h"
#include "h_process.h"
#include "signals.h"
#include "tracee.h"

void sigsend_start(struct taskset *s)
{
	siginfo_t info[MAX_VARIANTS];
	unsigned int arg;

	for (arg = 0; arg < s->row->nargs; arg++)
		if (s->row->arg[arg].kind == K_WALK ||
		    s->row->arg[arg].kind == K_WALKV)
			break;
	if (s->row->walker == W_SIGINFO_IN && arg < s->row->nargs &&
	    s->t[LEADER].call.args[arg]) {
		memset(info, 0, sizeof(info));
		for_each_variant(v)
			if (mem_read(&s->t[v], &info[v],
				     s->t[v].call.args[arg], sizeof(info[v])))
				memset(&info[v], 0, sizeof(info[v]));
		siginfo_remember(info);
	}
	set_leader_go(s);
}

void sigsend_done(struct taskset *s, int64_t ret)
{
	if (ret >= 0) {
		mon.t_sent = mon.now;
		killed_settle(s);
	}
	set_finish(s, ret);
}

void sigreturn_start(struct taskset *s)
{
	if (!signal_waiting(s)) {
		set_finish_raw(s, 0);
		return;
	}
	for_each_variant(v) {
		struct task *t = &s->t[v];

		/* a dead follower is dealt with when this is over: nobody
		 * may be left behind at the end of a call that is done */
		if ((task_resume(t, PTRACE_SYSCALL, 0) < 0 ||
		     task_wait(t) < 0) && v == LEADER)
			return;
	}
	signal_deliver_at_exit(s);
	if (!mon.ending)
		set_finish_raw(s, 0);
}
