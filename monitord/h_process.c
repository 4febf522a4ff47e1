// SPDX-License-Identifier: Apache-2.0
/*
 * Creating and ending processes and threads.
 *
 * Theory of operation
 * -------------------
 * Creation.  The leader goes first; its fork event names the child.  Then
 * each follower does the same, synchronously, so that the children are paired
 * by construction.  Kernel-written tids in memory (CLONE_PARENT_SETTID,
 * CLONE_CHILD_SETTID) are overwritten in followers with what the leader's
 * kernel wrote: the program sees the leader's ids only.  CLONE_UNTRACED is
 * removed (a child must not escape), CLONE_PIDFD and set_tid in followers (they
 * hold no descriptors, and the leader has the ids).
 *
 * A vfork parent sleeps in the kernel until its child execs or exits; its set
 * stays in SET_CALL (vforking) until the parents of all variants are back.
 *
 * Ending.  exit and exit_group are compared like any call and then executed by
 * all.  The set keeps its domain's turn until every variant's task is gone:
 * the kernel clears and wakes the child-tid word on the way (pthread_join
 * reads it), and peers must see that at the same point in every variant.  For the
 * same reason whoever kills a process it shares memory with waits for its death:
 * the kernel marks the robust locks it held.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/sched.h>

#include "divergence.h"
#include "event.h"
#include "fast.h"
#include "h_misc.h"
#include "h_process.h"
#include "handlers.h"
#include "shadow.h"
#include "tracee.h"

/* What a creating call asks for, in one variant. */
struct spawn {
	uint64_t flags;		/* CLONE_*; exit signal removed */
	int exit_signal;
	uint64_t ptid, ctid, pidfd;	/* addresses, 0 = none */
	bool set_tid;		/* clone3: the ids it must get */
	bool clone3;
	uint64_t size;		/* clone3: of the argument structure */
	struct clone_args ca;	/* ... as it was read */
};

static int spawn_parse(struct task *t, const struct ipmon_row *row,
		       struct spawn *sp)
{
	const uint64_t *a = t->call.args;

	memset(sp, 0, sizeof(*sp));
	if (row->walker == W_CLONE3) {
		struct clone_args *ca = &sp->ca;

		/* in the kernel's order: copy_clone_args_from_user() */
		if (a[1] > 4096)
			return -E2BIG;
		if (a[1] < CLONE_ARGS_SIZE_VER0)
			return -EINVAL;
		sp->clone3 = true;
		sp->size = a[1] < sizeof(*ca) ? a[1] : sizeof(*ca);
		if (mem_read(t, ca, a[0], sp->size))
			return -EFAULT;
		sp->flags = ca->flags;
		sp->exit_signal = (int)ca->exit_signal;
		sp->ptid = ca->parent_tid;
		sp->ctid = ca->child_tid;
		sp->pidfd = ca->pidfd;
		sp->set_tid = ca->set_tid_size;
	} else if (row->walker == W_CLONE) {
		sp->flags = a[0] & ~(uint64_t)CSIGNAL;
		sp->exit_signal = (int)(a[0] & CSIGNAL);
		sp->ptid = a[2];
		sp->ctid = a[3];
		sp->pidfd = a[2];
	} else if (!strcmp(row->name, "vfork")) {
		sp->flags = CLONE_VFORK | CLONE_VM;
		sp->exit_signal = SIGCHLD;
	} else {
		sp->exit_signal = SIGCHLD;
	}
	return 0;
}

/*
 * Flags to take away in this variant.  Rewrites the pending call when any is
 * set; task_finish() undoes it.
 */
static int spawn_mask(struct taskset *s, unsigned int v, const struct spawn *sp,
		      uint64_t mask)
{
	struct task *t = &s->t[v];
	bool ids = sp->set_tid && v != LEADER;

	if (!(sp->flags & mask) && !ids)
		return 0;
	if (!task_regs(t))
		return -ESRCH;
	if (!t->saved_valid) {
		t->saved = t->regs;
		t->saved_valid = true;
	}
	if (sp->clone3) {
		struct clone_args ca = sp->ca;
		uint64_t at = scratch_slot(s, v);

		ca.flags &= ~mask;
		/* the leader has them */
		if (ids)
			ca.set_tid = ca.set_tid_size = 0;
		if (mem_write(t, at, &ca, sp->size))
			return -EFAULT;
		t->regs.rdi = at;
		t->regs.rsi = sp->size;
	} else {
		t->regs.rdi &= ~mask;
	}
	task_regs_changed(t);
	return 0;
}

void fork_start(struct taskset *s)
{
	struct spawn sp;
	int err = spawn_parse(&s->t[LEADER], s->row, &sp);

	if (err < 0) {
		set_finish(s, err);
		return;
	}
	if (spawn_mask(s, LEADER, &sp, CLONE_UNTRACED | CLONE_PTRACE) < 0)
		return;
	set_leader_go(s);
}

/*
 * A child without an event is one that nobody traces: the flags of clone3 have been
 * changed in memory after we had looked at them.  It has our filter, and so cannot
 * make others.
 */
static void untraced(struct taskset *s, pid_t child)
{
	char path[64], line[128];
	int tracer = -1;
	FILE *f;

	/* inside a pid namespace it has another name; it can do no more there than
	 * a leader that jumps to its gate, and nothing when that is gone */
	snprintf(path, sizeof(path), "/proc/%d/status", child);
	f = mon.pid_namespaces ? NULL : fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "TracerPid: %d", &tracer) == 1)
			break;
	if (f)
		fclose(f);
	if (!tracer)
		kill(child, SIGKILL);
	say("process %d has created one that is not traced, by changing the arguments of clone3 while it was made; all variants are ended",
	    s->proc->vpid);
	kill_all(EXIT_DIVERGENCE);
}

void fork_done(struct taskset *s, int64_t ret)
{
	/* no event came: it failed, and fails for everybody */
	if (ret > 0)
		untraced(s, (pid_t)ret);
	else
		set_finish(s, ret);
}

static pid_t event_pid(struct task *t)
{
	unsigned long msg = 0;

	if (ptrace(PTRACE_GETEVENTMSG, t->tid, 0, &msg) < 0)
		return -1;
	return (pid_t)msg;
}

/* Let follower v create its child. Its tid, or -errno. */
static pid_t follower_spawn(struct taskset *s, unsigned int v)
{
	struct task *t = &s->t[v];
	struct spawn sp;
	pid_t child;
	int r, died;

	if (spawn_parse(t, s->row, &sp) < 0)
		return -EFAULT;
	r = spawn_mask(s, v, &sp, CLONE_UNTRACED | CLONE_PTRACE | CLONE_PIDFD |
		       CLONE_INTO_CGROUP | namespaces_alone(sp.flags));
	if (r < 0)
		return r;
	if (task_resume(t, PTRACE_SYSCALL, 0) < 0)
		return -ESRCH;
	for (;;) {
		struct user_regs_struct *regs;

		r = task_wait(t);
		if (r < 0)
			return r;
		if (t->at == AT_EVENT)
			break;
		if (t->at == AT_EXIT) {
			regs = task_regs(t);
			if (!regs)
				return -ESRCH;
			/* a signal of its own came first: swallow it (below)
			 * and the kernel restarts the call */
			if ((int64_t)regs->rax != -513)
				return (pid_t)regs->rax;
			if (task_resume(t, PTRACE_CONT, 0) < 0)
				return -ESRCH;
			continue;
		}
		/* AT_SIGNAL: swallowed; AT_ENTRY: the restarted call */
		if (task_resume(t, t->at == AT_ENTRY ? PTRACE_SYSCALL :
				PTRACE_CONT, 0) < 0)
			return -ESRCH;
	}
	child = event_pid(t);
	r = event_child_stop(child, &died);
	return r < 0 ? r : r ? -ESRCH : child;
}

static void child_task(struct taskset *c, unsigned int v, pid_t tid)
{
	task_bind(&c->t[v], tid);
	c->t[v].at = AT_STOP;
}

/* The model of what has been created; tasks are bound by the caller. */
static struct taskset *spawn_model(struct taskset *s, const struct spawn *sp)
{
	struct proc *p = s->proc, *np;
	struct taskset *c;

	if (sp->flags & CLONE_THREAD) {
		c = set_new(p);
		c->state = SET_READY;
		c->tsd = s->tsd;
		return c;
	}
	np = proc_new(p);
	if (sp->flags & CLONE_PARENT)
		np->parent = p->parent;
	np->exit_signal = sp->exit_signal;
	if (sp->flags & CLONE_VM) {
		np->mm = mm_get(p->mm);
		np->domain = domain_get(p->domain);
	} else {
		np->mm = mm_fork(p->mm);
		np->domain = p->domain->shared ? domain_get(p->domain) :
			domain_new();
	}
	np->borrows = (sp->flags & (CLONE_VM | CLONE_FILES)) == CLONE_VM;
	np->files = sp->flags & CLONE_FILES ? files_get(p->files) :
		files_fork(p->files);
	c = set_new(np);
	c->state = SET_READY;
	c->tsd = s->tsd;
	c->join_ns = sp->flags & NAMESPACES_JOINED;
	if (sp->flags & CLONE_NEWPID)
		mon.pid_namespaces = true;
	mon.count.forks++;
	return c;
}

/* Show the follower the leader's ids where the kernel wrote its own. */
static void spawn_ids(struct taskset *s, struct taskset *c, unsigned int v,
		      const struct spawn *lead)
{
	struct spawn sp;

	if (spawn_parse(&s->t[v], s->row, &sp) < 0)
		return;
	if (lead->flags & CLONE_PARENT_SETTID && sp.ptid)
		mem_copy(&s->t[v], sp.ptid, &s->t[LEADER], lead->ptid,
			 sizeof(pid_t));
	if (lead->flags & CLONE_CHILD_SETTID && sp.ctid)
		mem_copy(&c->t[v], sp.ctid, &c->t[LEADER], lead->ctid,
			 sizeof(pid_t));
	if (lead->flags & CLONE_PIDFD && sp.pidfd)
		mem_copy(&s->t[v], sp.pidfd, &s->t[LEADER], lead->pidfd,
			 sizeof(int));
}

static void fork_failed(struct taskset *s, unsigned int v, int err)
{
	struct divergence d = {
		.kind = DIV_RESULT, .set = s, .variant = v, .arg = -1,
		.ret = { 0, err },
	};

	snprintf(d.note, sizeof(d.note), "this variant could not create the "
		 "process the leader created: %s", strerror(-err));
	diverge(&d);
}

void fork_event(struct task *t)
{
	struct taskset *s = t->set, *c;
	struct spawn sp;
	pid_t child;
	int died = 0, dead;

	if (t->variant != LEADER || s->state != SET_CALL) {
		task_resume(t, PTRACE_SYSCALL, 0);
		return;
	}
	child = event_pid(t);
	dead = child > 0 ? event_child_stop(child, &died) : -ESRCH;
	if (dead < 0 || spawn_parse(t, s->row, &sp) < 0) {
		if (task_dying(t))
			return;		/* both were killed */
		say("a new process could not be followed; all variants are ended; %s",
		    remedy(0));
		kill_all(EXIT_MONITOR);
		return;
	}
	s->pinned = true;
	c = spawn_model(s, &sp);
	c->vtid = child;
	child_task(c, LEADER, child);
	if (!(sp.flags & CLONE_THREAD)) {
		c->proc->vpid = child;
		c->proc->pid[LEADER] = child;
	}
	for_each_follower(v) {
		pid_t r = follower_spawn(s, v);

		if (r <= 0) {
			fork_failed(s, v, (int)r);
			if (mon.ending)
				return;
			continue;
		}
		child_task(c, v, r);
		if (!(sp.flags & CLONE_THREAD))
			c->proc->pid[v] = r;
		spawn_ids(s, c, v, &sp);
	}
	s->pinned = false;
	s->child = c;
	fast_attach(c);
	fast_files_shared(c);
	if (dead) {
		/* by somebody who knew its number: as if a moment later */
		c->t[LEADER].at = AT_DEAD;
		c->t[LEADER].status = died;
		event_defer_death(&c->t[LEADER]);
	}
	/* everyone on to the end of the creating call */
	if (sp.flags & CLONE_VFORK) {
		s->vforking = true;
		for_each_variant(v)
			task_resume(&s->t[v], PTRACE_SYSCALL, 0);
		if (c->proc->domain == s->proc->domain)
			sched_leave(s);
		sched_ready(c);
		return;
	}
	for_each_variant(v) {
		struct task *pt = &s->t[v];

		do {
			if (task_resume(pt, PTRACE_SYSCALL, 0) < 0 ||
			    task_wait(pt) < 0)
				break;
		} while (pt->at != AT_EXIT);
	}
	{
		struct user_regs_struct *r = task_regs(&s->t[LEADER]);
		int64_t ret = r ? (int64_t)r->rax : child;

		c->vtid = (pid_t)ret;
		if (!(sp.flags & CLONE_THREAD))
			c->proc->vpid = (pid_t)ret;
		set_finish(s, ret);
	}
	sched_ready(c);
}

void vfork_progress(struct taskset *s)
{
	struct user_regs_struct *r;

	for_each_variant(v)
		if (s->t[v].at != AT_EXIT)
			return;
	s->vforking = false;
	r = task_regs(&s->t[LEADER]);
	if (r)
		set_finish(s, (int64_t)r->rax);
}

/* ---- ending ---- */

/* Wait until a main thread that ends before its siblings has become a zombie:
 * its death is not reported before theirs. Bounded; a miss costs order only. */
static void wait_zombie(pid_t tid)
{
	for (int i = 0; i < 200; i++) {
		const struct timespec ms = { 0, 500000 };
		char path[64], buf[512], *p;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", tid, tid);
		f = fopen(path, "re");
		if (!f)
			return;
		p = fgets(buf, sizeof(buf), f) ? strrchr(buf, ')') : NULL;
		fclose(f);
		if (!p || p[2] == 'Z' || p[2] == 'X')
			return;
		nanosleep(&ms, NULL);
	}
}

/* Does the thread leave robust futexes behind? Asked of a follower, which is
 * still there when the leader is not. (struct robust_list_head, futex.h) */
static bool holds_robust(struct taskset *s)
{
	for_each_follower(v) {
		uint64_t h[3];

		if (!s->robust_head[v] ||
		    mem_read(&s->t[v], h, s->robust_head[v], sizeof(h)))
			continue;
		if (h[0] != s->robust_head[v] || h[2])
			return true;
	}
	return false;
}

static bool one_holds_robust(struct proc *p)
{
	struct taskset *o;

	LIST_FOREACH(o, &p->sets, in_proc)
		if (holds_robust(o))
			return true;
	return false;
}

static void wait_zombies(struct proc *p)
{
	struct taskset *o;

	LIST_FOREACH(o, &p->sets, in_proc)
		if (o->t[LEADER].tid)
			wait_zombie(o->t[LEADER].tid);
}

/* Has this process been sent SIGKILL by the call `s` has made? */
static bool killed_by(const struct taskset *s, const struct proc *p)
{
	const struct taskset *first = LIST_FIRST(&p->sets);
	const uint64_t *a = s->t[LEADER].call.args;
	const struct ipmon_row *row = s->row;

	for (unsigned int i = 0; i < row->nargs; i++)
		if (row->arg[i].kind == K_SIG && (int)a[i] != SIGKILL)
			return false;
	/* kill, rt_sigqueueinfo: a process; tkill, tgkill: a thread of it */
	if (row->arg[0].kind == K_PID && (pid_t)a[0] > 0) {
		const struct taskset *o = set_by_vtid((pid_t)a[0]);

		return (pid_t)a[0] == p->vpid || (o && o->proc == p);
	}
	/* a group, a pidfd: if it can be seen */
	return task_dying(&first->t[LEADER]);
}

void killed_settle(struct taskset *s)
{
	struct proc *p;

	LIST_FOREACH(p, &mon.procs, all) {
		if (p == s->proc || p->domain != s->proc->domain ||
		    p->exiting || p->execing || LIST_EMPTY(&p->sets) ||
		    !killed_by(s, p))
			continue;
		wait_zombies(p);
		/* the init of a namespace cannot be killed from inside */
		if (!task_dying(&LIST_FIRST(&p->sets)->t[LEADER]))
			continue;
		p->exiting = p->killed = true;
		p->t_early = 0;
		kill_follower_procs(p);
	}
}

void exit_start(struct taskset *s)
{
	struct proc *p = s->proc;
	bool alone = LIST_FIRST(&p->sets) == s && !LIST_NEXT(s, in_proc);
	bool group = alone || s->row->result != RES_NORETURN ||
		!strcmp(s->row->name, "exit_group");
	bool main_thread = s->t[LEADER].tid == p->pid[LEADER];

	if (mon.trace)
		trace_call(s, 0);
	fast_account(s);
	if (group && !p->exiting) {
		struct taskset *o;

		/* the other threads end without a call of theirs */
		LIST_FOREACH(o, &p->sets, in_proc)
			if (o != s && o->state != SET_EXITING)
				fast_account(o);
	}
	mon.count.rendezvous++;
	s->state = SET_EXITING;
	s->arrived = 0;
	s->t_arrived = 0;
	if (group)
		p->exiting = true;
	task_resume(&s->t[LEADER], PTRACE_CONT, 0);
	/* what the kernel does to the leader's words must be over */
	if (group && !alone) {
		if (one_holds_robust(p)) {
			wait_zombies(p);
			robust_exit_all(p);
		}
	} else if (holds_robust(s)) {
		if (main_thread && !alone)
			wait_zombie(s->t[LEADER].tid);
		else
			task_wait(&s->t[LEADER]);
		robust_exit(s);
	}
	for_each_follower(v)
		task_resume(&s->t[v], PTRACE_CONT, 0);
	if (!group && main_thread) {
		for_each_variant(v)
			wait_zombie(s->t[v].tid);
		sched_leave(s);
	}
}
