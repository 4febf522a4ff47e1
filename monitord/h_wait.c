// SPDX-License-Identifier: Apache-2.0
/*
 * wait4 and waitid.
 *
 * Theory of operation
 * -------------------
 * The leader waits for real; its answer (pid, status, siginfo, rusage) is
 * everybody's.  When that reaped a child, each follower reaps its own copy of
 * that child with an injected wait4 on the copy's real pid, so that no zombie
 * stays behind and the follower's child lists stay like the leader's.
 *
 * A traced child is shown to its real parent only after the tracer has
 * collected it, so monitord first collects what is left of the follower's
 * copy (proc_collect).  The same goes for the leader's children where it does
 * not wait (WNOHANG): its pidfd of such a child has been readable since the
 * child died.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "divergence.h"
#include "event.h"
#include "h_process.h"
#include "handlers.h"
#include "tracee.h"

/* Show the leader those of its children that have died. */
static void show_dead(struct proc *parent)
{
	struct proc *p;
	struct taskset *s;

	LIST_FOREACH(p, &mon.procs, all) {
		if (p->parent != parent || p->zombie)
			continue;
		LIST_FOREACH(s, &p->sets, in_proc) {
			struct task *t = &s->t[LEADER];
			siginfo_t si = { 0 };
			int status;

			/* a tracer is shown stops as well: they are left to
			 * the event loop */
			if (!t->tid || waitid(P_PID, (id_t)t->tid, &si,
					      WEXITED | WNOHANG | WNOWAIT |
					      __WALL) < 0 || !si.si_pid ||
			    (si.si_code != CLD_EXITED &&
			     si.si_code != CLD_KILLED &&
			     si.si_code != CLD_DUMPED) ||
			    waitpid(t->tid, &status, __WALL | WNOHANG) !=
			    t->tid)
				continue;
			task_classify(t, status);
			event_defer_death(t);
		}
	}
}

void wait_start(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;

	if (a[s->row->nargs == 5 ? 3 : 2] & WNOHANG)	/* waitid, wait4 */
		show_dead(s->proc);
	set_leader_go(s);
}

static bool collected(const struct proc *p, unsigned int v)
{
	struct taskset *s;

	if (p->dead & (1u << v))
		return true;
	LIST_FOREACH(s, &p->sets, in_proc)
		if (s->t[v].tid)
			return false;
	return true;
}

int proc_collect(struct proc *p, unsigned int v)
{
	uint64_t start = now_ns();

	while (!collected(p, v)) {
		const struct timespec pause = { 0, 50000 };

		event_reap_siblings(p, v, NULL);
		if (collected(p, v))
			break;
		if (now_ns() - start > (uint64_t)mon.opt.timeout * 1000000000u)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* The child a wait call with this result has reaped, or NULL. */
static struct proc *reaped(struct taskset *s, int64_t ret)
{
	struct task *t = &s->t[LEADER];
	const uint64_t *a = t->call.args;
	bool id = s->row->nargs == 5;		/* waitid */
	int options = (int)(id ? a[3] : a[2]);
	pid_t vpid = (pid_t)ret;
	struct proc *p;

	if (options & WNOWAIT || ret < 0)
		return NULL;
	if (id) {
		siginfo_t si;

		/* waitid without infop tells nobody whom it reaped */
		if (!a[2]) {
			LIST_FOREACH(p, &mon.procs, all)
				if (p->parent == s->proc && p->zombie &&
				    kill(p->pid[LEADER], 0) < 0)
					return p;
			return NULL;
		}
		if (mem_read(t, &si, a[2], sizeof(si)) || !si.si_pid)
			return NULL;
		if (si.si_code != CLD_EXITED && si.si_code != CLD_KILLED &&
		    si.si_code != CLD_DUMPED)
			return NULL;
		vpid = si.si_pid;
	}
	if (vpid <= 0)
		return NULL;
	p = proc_by_vpid(vpid);
	return p && p->dead & (1u << LEADER) ? p : NULL;
}

void wait_done(struct taskset *s, int64_t ret)
{
	struct proc *p = reaped(s, ret);

	if (p) {
		pid_t vpid = p->vpid;

		s->pinned = true;
		for_each_follower(v) {
			uint64_t a[6] = { (uint64_t)p->pid[v], 0, __WALL,
				0, 0, 0 };

			if (!p->pid[v] || proc_collect(p, v) < 0)
				continue;
			task_exec(&s->t[v], SYS_wait4, a);
		}
		s->pinned = false;
		event_flush_deaths();
		/* without a parent in the model it has been freed already */
		p = proc_by_vpid(vpid);
		if (p && p->zombie)
			proc_free(p);
	}
	if (mon.ending || set_replicate(s, ret) < 0)
		return;
	set_finish(s, ret);
}
