// SPDX-License-Identifier: Apache-2.0
/*
 * Acting on one stop, one death, one tick.
 *
 * Theory of operation
 * -------------------
 * dispatch() looks at where the task is stopped (t->at) and in which state
 * its set is, and calls the module that owns that combination.  task_dead()
 * decides whether a death was expected: exit, exec and fatal signals announce
 * theirs (proc->exiting, ->execing); a leader that dies without announcement
 * was killed from outside and takes its followers along, as its death is the
 * program's death; a follower that does so is a divergence.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "divergence.h"
#include "event.h"
#include "fast.h"
#include "fast_report.h"
#include "fast_solo.h"
#include "front.h"
#include "h_misc.h"
#include "h_process.h"
#include "handlers.h"
#include "launch.h"
#include "placement.h"
#include "see.h"
#include "signals.h"
#include "tracee.h"
#include "transfer.h"
#include "turn.h"

/* ---- calls ---- */

void call_ended(struct taskset *s)
{
	struct task *t = &s->t[LEADER];
	struct user_regs_struct *r = task_regs(t);
	int64_t ret;
	const struct handler *h;

	s->state = SET_CALL;
	if (t->at == AT_ENTRY) {
		set_leader_again(s);
		return;
	}
	if (!r)
		return;
	ret = (int64_t)r->rax;
	if (s->rewritten) {
		s->rewritten = false;
		if (task_unrewrite(t, ret) < 0)
			return;
	}
	if (ret > 0 && transfer_ended(s, ret))
		return;
	if (ret < 0 && ret >= -516 && signal_interrupted(s, &ret))
		return;
	if (s->partial)
		ret = (int64_t)s->partial + (ret > 0 ? ret : 0);
	h = &handlers[s->row->handler];
	(h->done ? h->done : generic_done)(s, ret);
}

static void syscall_exit(struct task *t)
{
	struct taskset *s = t->set;

	if (s->state == SET_CALL && s->vforking) {
		vfork_progress(s);
	} else if (s->state == SET_CALL && t->variant == LEADER) {
		if (sched_take(s))
			call_ended(s);
	} else {
		task_resume(t, PTRACE_CONT, 0);
	}
}

static void ptrace_event_stop(struct task *t)
{
	switch (t->status >> 16) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		fork_event(t);
		return;
	case PTRACE_EVENT_EXEC:
		exec_event(t);
		return;
	default:
		/* VFORK_DONE and whatever else: on to the exit stop */
		task_resume(t, PTRACE_SYSCALL, 0);
	}
}

void dispatch(struct task *t)
{
	struct taskset *s = t->set;

	switch (t->at) {
	case AT_ENTRY:
		set_arrive(t);
		return;
	case AT_EXIT:
		syscall_exit(t);
		return;
	case AT_EVENT:
		ptrace_event_stop(t);
		return;
	case AT_SIGNAL:
		signal_stop(t);
		return;
	case AT_STOP:
		signal_interrupt_stop(t);
		return;
	case AT_GROUP:
		if (t->variant != LEADER) {
			/* a stop is a matter of the leader alone */
			event_continue(t);
			return;
		}
		if (s->proc == mon.root && t->tid == s->proc->pid[LEADER])
			front_stopped(WSTOPSIG(t->status));
		ptrace(PTRACE_LISTEN, t->tid, 0, 0);
		return;
	default:
		return;
	}
}

/* ---- deaths ---- */

static void compare_status(struct proc *p)
{
	int lead = p->exit_status[LEADER];

	if (p->killed || mon.ending)
		return;
	/* SIGKILL from outside came when its end was already agreed on */
	if (WIFSIGNALED(lead) && WTERMSIG(lead) == SIGKILL)
		return;
	for_each_follower(v) {
		struct divergence d = {
			.kind = DIV_EXIT, .set = LIST_FIRST(&p->sets),
			.variant = v, .arg = -1,
			.status = { p->exit_status[LEADER], p->exit_status[v] },
		};

		if (!(p->dead & (1u << v)) ||
		    p->exit_status[v] == p->exit_status[LEADER])
			continue;
		/* both died of a signal, in whatever order: no difference */
		if (WIFSIGNALED(p->exit_status[v]) &&
		    WIFSIGNALED(p->exit_status[LEADER]) &&
		    WTERMSIG(p->exit_status[v]) ==
		    WTERMSIG(p->exit_status[LEADER]))
			continue;
		if (d.set && !diverge(&d))
			return;
	}
}

static bool set_all_dead(const struct taskset *s)
{
	for_each_variant(v)
		if (s->t[v].tid || s->t[v].death_pending)
			return false;
	return true;
}

/*
 * Whose child an orphan has become in the leader: a subreaper's (prctl(2)) or
 * a namespace's init's, if those are ours.  It is the same in every variant.
 */
static struct proc *adopter(const struct proc *c)
{
	char path[64], line[128];
	struct proc *p;
	int ppid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", c->pid[LEADER]);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "PPid: %d", &ppid) == 1)
			break;
	fclose(f);
	LIST_FOREACH(p, &mon.procs, all)
		if (ppid > 0 && !p->zombie && p->pid[LEADER] == ppid)
			return p;
	return NULL;
}

/*
 * Nobody waits for the children of a parent that ignores SIGCHLD: the kernel
 * has done away with them.  One that a wait call under way has taken is gone as
 * well, but that call will ask for it.
 */
static void bury_unwaited(struct proc *parent)
{
	struct taskset *s;
	struct proc *c, *n;

	LIST_FOREACH(s, &parent->sets, in_proc)
		if ((s->state == SET_CALL || s->state == SET_DONE) &&
		    s->row && s->row->handler == H_WAIT)
			return;
	for (c = LIST_FIRST(&mon.procs); c; c = n) {
		n = LIST_NEXT(c, all);
		if (c->zombie && c->parent == parent &&
		    kill(c->pid[LEADER], 0) < 0 && errno == ESRCH)
			proc_free(c);
	}
}

/* Give back what a process without tasks no longer needs; it stays in the
 * model as a zombie while somebody may still wait for it. */
static void proc_finished(struct proc *p)
{
	int status = p->exit_status[LEADER];
	struct proc *c, *n;

	if (mon.trace && !mon.ending)
		trace_exit(p, status);
	p->zombie = true;
	if (p == mon.root) {
		mon.root_done = true;
		mon.root_status = WIFSIGNALED(status) ?
			128 + WTERMSIG(status) : WEXITSTATUS(status);
		if (!mon.ending) {
			if (WIFSIGNALED(status))
				front_died(WTERMSIG(status));
			front_exited(mon.root_status);
			if (mon.n_tasks)
				front_detach();
		}
		mon.root = NULL;
	}
	for (c = LIST_FIRST(&mon.procs); c; c = n) {
		n = LIST_NEXT(c, all);
		if (c->parent != p)
			continue;
		c->parent = mon.ending ? NULL : adopter(c);
		if (c->zombie && !c->parent)
			proc_free(c);
	}
	if (p->mm)
		mm_put(p->mm);
	p->mm = NULL;
	if (p->files)
		files_put(p->files);
	p->files = NULL;
	/* nothing to schedule; and sched_tick(), from within which it may be
	 * freed, does not look at it */
	if (p->domain) {
		turn_put(p);
		domain_put(p->domain);
	}
	p->domain = NULL;
	if (!p->parent)
		proc_free(p);
	else
		bury_unwaited(p->parent);
}

static void set_ended(struct taskset *s)
{
	struct proc *p = s->proc;
	bool last = LIST_FIRST(&p->sets) == s && !LIST_NEXT(s, in_proc);
	struct domain *d;

	if (last && !p->execing)
		compare_status(p);
	s->state = SET_DEAD;
	if (p->early_set == s)
		p->t_early = 0;
	if (s->pinned) {
		/* a synchronous operation still looks at it */
		sched_leave(s);
		return;
	}
	d = sched_detach(s);
	set_free(s);
	if (last && !p->execing)
		proc_finished(p);
	/* the next one may be the parent, and wait for it */
	sched_next(d);
}

void kill_follower_procs(struct proc *p)
{
	robust_exit_all(p);
	for_each_follower(v)
		if (!(p->dead & (1u << v)) && p->pid[v])
			kill(p->pid[v], SIGKILL);
}

/*
 * SECCOMP_RET_KILL of a filter the program installed itself is carried out by
 * the kernel without asking us, in each variant on its own.
 */
static bool by_own_filter(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

/*
 * The kernel kills who has used up his processor time (RLIMIT_CPU).  All variants
 * compute the same, and which of them is there first means nothing.
 */
static bool out_of_time(const struct proc *p, int status)
{
	struct timespec used;
	struct rlimit most;
	clockid_t clock;

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
		!prlimit(p->pid[LEADER], RLIMIT_CPU, NULL, &most) &&
		most.rlim_max != RLIM_INFINITY &&
		!clock_getcpuclockid(p->pid[LEADER], &clock) &&
		!clock_gettime(clock, &used) &&
		/* a tenth of it, and a second, more or less */
		(rlim_t)used.tv_sec + 1 >= most.rlim_max - most.rlim_max / 10;
}

static bool follower_killed(struct proc *p)
{
	struct divergence d = {
		.kind = DIV_KILLED, .set = p->early_set,
		.variant = p->early_variant, .arg = -1,
		.status = { 0, p->early_status },
	};
	bool go_on;

	p->t_early = 0;
	p->exiting = true;
	go_on = diverge(&d);
	p->exiting = false;
	return go_on;
}

/*
 * A death nobody announced.  The leader's is the program's: a signal that
 * could not be seen coming.  A follower's is a divergence, unless the
 * leader's task dies in the same way a moment later.
 */
static bool unexpected_death(struct task *t, int status)
{
	struct taskset *s = t->set;
	struct proc *p = s->proc;

	if (t->variant == LEADER) {
		if (p->t_early && p->early_status == status)
			p->t_early = 0;
		if (by_own_filter(status))
			return true;
		p->exiting = p->killed = true;
		p->t_early = 0;
		kill_follower_procs(p);
		return true;
	}
	if (s->t[LEADER].at == AT_DEAD && by_own_filter(status))
		return true;
	if (p->t_early)
		return true;
	if (out_of_time(p, status)) {
		p->exiting = p->killed = true;
		kill(p->pid[LEADER], SIGKILL);
		kill_follower_procs(p);
		return true;
	}
	p->t_early = mon.now;
	p->early_set = s;
	p->early_variant = t->variant;
	p->early_status = status;
	/* a leader at its next call has not died like that */
	if (s->t[LEADER].at == AT_ENTRY || !by_own_filter(status))
		return follower_killed(p);
	return true;
}

void task_dead(struct task *t, int status)
{
	struct taskset *s = t->set;
	struct proc *p = s->proc;
	unsigned int v = t->variant;
	pid_t was = t->tid ? t->tid : t->was_tid;

	t->at = AT_DEAD;
	t->death_pending = t->fault = false;
	if (was == p->pid[v] && status != STATUS_REPLACED) {
		p->dead |= 1u << v;
		p->exit_status[v] = status;
		/* siblings die of an exec, the process does not */
		if (v == LEADER)
			p->execing = false;
	}
	if (!mon.ending && variant_live(v) && !p->exiting && !p->execing &&
	    s->state != SET_EXITING && !unexpected_death(t, status))
		return;
	if (set_all_dead(s))
		set_ended(s);
	else if (!mon.ending && !p->exiting && !p->execing && s->vforking)
		vfork_progress(s);
	else if (!mon.ending && !p->exiting && !p->execing)
		set_check_complete(s);
}

/* ---- time ---- */

uint64_t task_cpu(const struct task *t, char *state)
{
	char path[64], buf[1024], *p;
	unsigned long ut = 0, st = 0;
	FILE *f;

	*state = '?';
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", t->tid, t->tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fgets(buf, sizeof(buf), f)) {
		p = strrchr(buf, ')');
		if (p)
			sscanf(p + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u "
			       "%*u %*u %lu %lu", state, &ut, &st);
	}
	fclose(f);
	return (ut + st) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

/*
 * Somebody waits for a late variant.  Late by the clock while not using the
 * processor is a stall; computing is only slow, until it has used up the
 * time-out in processor time alone.
 */
static void check_stall(struct taskset *s)
{
	uint64_t limit = (uint64_t)mon.opt.timeout * 1000000000u;

	if (s->state != SET_RUN || !s->t_arrived ||
	    mon.now - s->t_arrived < limit)
		return;
	for_each_variant(v) {
		struct task *t = &s->t[v];
		uint64_t cpu;
		char state;

		if (t->at != AT_RUN || !t->tid || fast_waits_turn(s, v))
			continue;
		cpu = task_cpu(t, &state);
		if (!s->late_cpu[v]) {
			s->late_cpu[v] = cpu + 1;
			s->t_late = mon.now;
			continue;
		}
		if (cpu + 1 - s->late_cpu[v] >= limit / 2 ||
		    (state != 'R' && mon.now - s->t_late > limit)) {
			struct divergence d = {
				.kind = DIV_STALL, .set = s,
				.variant = v, .arg = -1,
			};

			snprintf(d.note, sizeof(d.note),
				 "variant %u has not reached the call the "
				 "others wait at for %llu s (state %c)", v,
				 (unsigned long long)((mon.now - s->t_arrived) /
						      1000000000u), state);
			diverge(&d);
			return;
		}
	}
}

#define EARLY_NS 1000000000u	/* for the leader to die likewise */

static void check_early_deaths(void)
{
	struct proc *p, *n;

	for (p = LIST_FIRST(&mon.procs); p && !mon.ending; p = n) {
		n = LIST_NEXT(p, all);
		if (p->t_early && mon.now - p->t_early > EARLY_NS)
			follower_killed(p);
	}
}

void monitor_tick(void)
{
	struct taskset *s, *n;
	bool fine = false;

	if (mon.ending)
		return;
	for (s = LIST_FIRST(&mon.sets); s; s = n) {
		n = LIST_NEXT(s, all);
		if (s->live) {
			fast_tick(s);
			fast_watch(s);
		}
		if (mon.ending)
			return;
		if (!STAILQ_EMPTY(&s->sigq)) {
			fine = true;
			signal_tick(s);
		}
		if (s->t_deadline)
			signal_deadline_tick(s);
		if (s->t_arrived)
			check_stall(s);
		else
			memset(s->late_cpu, 0, sizeof(s->late_cpu));
		if (mon.ending)
			return;
	}
	check_early_deaths();
	event_orphans();
	if (mon.ending)
		return;
	fine |= sched_tick();
	fast_catching_up();
	if (mon.ending)
		return;
	placement_tick();
	see_tick();
	front_tick();
	ticker_want(fine);
}

uint64_t task_runtime(const struct task *t)
{
	unsigned long long ns = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", t->tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return ns;
}
