// SPDX-License-Identifier: Apache-2.0
/*
 * The event loop.
 *
 * Theory of operation
 * -------------------
 * waitpid() yields one stop at a time; dispatch() acts on it.  Acting may
 * involve waiting for one particular task (synchronous injected calls); stops
 * of other tasks simply stay queued in the kernel meanwhile.
 *
 * A child's first stop can be seen before its parent's fork event (the kernel
 * promises no order), so stops of unknown tids are stashed until the parent's
 * event claims them.  Deaths of unknown tids are those of dropped variants
 * and are only collected.
 *
 * A parent that is killed has no event any more.  What it has just created nobody
 * has an idea of: it is killed as well, as if the signal had come a moment
 * earlier (event_orphans).
 *
 * Time: an interval timer interrupts waitpid.  Nothing depends on its
 * precision; a tick that arrives between two waits is simply the next one.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "divergence.h"
#include "event.h"
#include "fast.h"
#include "signals.h"
#include "stats.h"
#include "tracee.h"

#define CHILD_NS 10000000000ull	/* for a new child to stop, or be claimed */
#define TICK_MAX_NS	20000000u	/* of a tick, as far as it counts */

static struct stashed {
	pid_t tid;
	bool dead;
	int status;			/* ... how */
	uint64_t since;			/* ns */
} *stash;
static unsigned int n_stash, max_stash;

/* As many as a process has threads: all of them may go in one operation. */
static struct death {
	struct task *t;
	int status;
} *deaths;
static unsigned int n_deaths, max_deaths;

static bool fine_tick;

void event_defer_death(struct task *t)
{
	if (n_deaths == max_deaths) {
		unsigned int n = max_deaths ? 2 * max_deaths : 64;
		struct death *p = reallocarray(deaths, n, sizeof(*p));

		if (!p)
			die("out of memory");
		deaths = p;
		max_deaths = n;
	}
	deaths[n_deaths].t = t;
	deaths[n_deaths].status = t->status;
	n_deaths++;
	t->death_pending = true;
	task_unbind(t);
}

/* One leader at a time, while a follower of its is dropped. */
static struct task *stopped[4];
static unsigned int n_stopped;

void event_defer_stop(struct task *t)
{
	if (n_stopped < sizeof(stopped) / sizeof(stopped[0]))
		stopped[n_stopped++] = t;
	else
		dispatch(t);
}

/* Does the task block SIGTRAP?  And let it do so again. */
#define TRAP_BIT	(1ull << (SIGTRAP - 1))

static bool traps_blocked(const struct task *t, uint64_t *mask)
{
	return !ptrace(PTRACE_GETSIGMASK, t->tid, sizeof(*mask), mask) &&
		*mask & TRAP_BIT;
}

static void block_traps(const struct task *t)
{
	uint64_t mask;

	if (traps_blocked(t, &mask))
		return;
	mask |= TRAP_BIT;
	ptrace(PTRACE_SETSIGMASK, t->tid, sizeof(mask), &mask);
}

/* A stop that a step or a breakpoint made, and not somebody's signal: with this code,
 * 0 for any. */
static bool trap_of(const siginfo_t *si, int code)
{
	return si->si_signo == SIGTRAP && si->si_code > 0 &&
	       (code ? si->si_code == code : si->si_code != SI_KERNEL);
}

static bool trapped(const struct task *t, int code)
{
	siginfo_t si;

	return t->at == AT_SIGNAL && WSTOPSIG(t->status) == SIGTRAP &&
	       !ptrace(PTRACE_GETSIGINFO, t->tid, 0, &si) &&
	       trap_of(&si, code);
}

bool event_step(struct task *t, int sig)
{
	uint64_t mask;
	bool blocked = traps_blocked(t, &mask);

	if (task_resume(t, PTRACE_SINGLESTEP, sig) < 0 || task_wait(t) < 0)
		return false;
	/* the trap of a step gets through (force_sig) */
	if (blocked)
		block_traps(t);
	if (trapped(t, 0)) {
		t->at = AT_STOP;
		return true;
	}
	event_defer_stop(t);
	return false;
}

/*
 * It has been interrupted; has it come to a trap as well?  The kernel tells of the
 * interruption first.
 */
#define PENDING_MAX 64u
static bool trap_pending(const struct task *t, int code)
{
	struct __ptrace_peeksiginfo_args arg = { .off = 0, .nr = 1 };
	siginfo_t si;

	for (; arg.off < PENDING_MAX &&
	     ptrace(PTRACE_PEEKSIGINFO, t->tid, &arg, &si) == 1; arg.off++)
		if (trap_of(&si, code))
			return true;
	return false;
}

/* Wait for it, and interrupt it once it is `due` (ns; 0: at once). `request` is how
 * it goes on. */
static enum event_run wait_until(struct task *t, int request, bool blocked,
				 uint64_t due)
{
	uint64_t end = (due ? due : now_ns()) +
		(uint64_t)mon.opt.timeout * 1000000000u;
	int code = request == PTRACE_SINGLESTEP ? TRAP_TRACE : TRAP_HWBKPT;
	bool asked = false, late = false;

	for (;;) {
		int status;
		pid_t pid;

		if (!asked && (!due || (late && now_ns() >= due))) {
			asked = t->interrupted = true;
			ptrace(PTRACE_INTERRUPT, t->tid, 0, 0);
		}
		pid = waitpid(t->tid, &status, __WALL);
		late = true;	/* a tick at least, or a signal */
		if (pid != t->tid) {
			/* in a fault that somebody else must answer: its stop
			 * is for the loop */
			if (errno != EINTR || now_ns() >= end)
				return RUN_GONE;
			continue;
		}
		task_classify(t, status);
		if (t->at == AT_DEAD) {
			event_defer_death(t);
			return RUN_GONE;
		}
		if (trapped(t, code)) {
			/* it gets through (force_sig) */
			if (blocked)
				block_traps(t);
			t->at = AT_STOP;
			return RUN_TRAP;
		}
		if (t->at == AT_STOP) {
			t->interrupted = false;
			if (asked && !trap_pending(t, code))
				return RUN_TIME;
		} else if (t->at != AT_SIGNAL || trapped(t, 0) ||
			   !signal_meanwhile(t)) {
			return RUN_GONE;
		}
		/* inside IP-MON nothing is learnt from it */
		if (t->at == AT_SIGNAL && fast_stop(t, t->set->pending ?
						    FAST_WANTED : FAST_UNSEEN)) {
			t->at = AT_STOP;
			return RUN_TIME;
		}
		if (task_resume(t, request, 0) < 0)
			return RUN_GONE;
	}
}

enum event_run event_run(struct task *t, int request, uint64_t ns)
{
	uint64_t mask;
	bool blocked = traps_blocked(t, &mask);

	if (task_resume(t, request, 0) < 0)
		return RUN_GONE;
	return wait_until(t, request, blocked, now_ns() + ns);
}

enum event_run event_run_for(struct task *t, uint64_t ns)
{
	uint64_t mask, due, now;
	bool blocked = traps_blocked(t, &mask);

	if (task_resume(t, PTRACE_CONT, 0) < 0)
		return RUN_GONE;
	/* the ticker ends a sleep early; the vDSO is not for us (tsc.c) */
	for (due = now_ns() + ns; (now = now_ns()) < due;) {
		struct timespec left = {
			.tv_sec = (time_t)((due - now) / 1000000000u),
			.tv_nsec = (long)((due - now) % 1000000000u),
		};

		nanosleep(&left, NULL);
	}
	return wait_until(t, PTRACE_CONT, blocked, 0);
}

static void flush_stops(void)
{
	struct taskset *s;

	while (n_stopped) {
		struct task *t = stopped[--n_stopped];

		/* its set may be gone; or it has been resumed meanwhile */
		LIST_FOREACH(s, &mon.sets, all)
			if (t >= s->t && t < s->t + MAX_VARIANTS && t->tid &&
			    t->at != AT_RUN && t->at != AT_DEAD && !mon.ending) {
				dispatch(t);
				break;
			}
	}
}

void event_flush_deaths(void)
{
	flush_stops();
	while (n_deaths) {
		struct task *t = deaths[0].t;
		int status = deaths[0].status;

		n_deaths--;
		memmove(deaths, deaths + 1, n_deaths * sizeof(deaths[0]));
		task_dead(t, status);
	}
}

static struct stashed *stash_find(pid_t tid)
{
	for (unsigned int i = 0; i < n_stash; i++)
		if (stash[i].tid == tid)
			return &stash[i];
	return NULL;
}

static void stash_remove(struct stashed *e)
{
	*e = stash[--n_stash];
}

static void stash_add(pid_t tid)
{
	struct stashed *e = stash_find(tid);

	if (!e && n_stash == max_stash) {
		unsigned int n = max_stash ? 2 * max_stash : 64;
		struct stashed *p = reallocarray(stash, n, sizeof(*p));

		if (!p)
			die("out of memory");
		stash = p;
		max_stash = n;
	}
	if (!e)
		e = &stash[n_stash++];
	*e = (struct stashed){ .tid = tid, .since = mon.now };
}

static void stash_died(pid_t tid, int status)
{
	struct stashed *e = stash_find(tid);

	if (!e)
		return;
	/* its parent's event may still come, and ask for it */
	e->dead = true;
	e->status = status;
}

int event_child_stop(pid_t tid, int *died)
{
	struct stashed *e = stash_find(tid);
	bool dead = e && e->dead;
	uint64_t start = now_ns();
	int status;

	if (e) {
		*died = e->status;
		stash_remove(e);
		if (!dead)
			return 0;
	}
	for (;;) {
		/* one that has died may have left its number to another one */
		pid_t r = waitpid(tid, &status, __WALL);

		if (r == tid && WIFSTOPPED(status))
			return 0;
		if (r == tid) {
			*died = status;
			return 1;
		}
		if (r < 0 && errno != EINTR)
			return dead ? 1 : -ESRCH;
		if (now_ns() - start > CHILD_NS)
			return -ETIMEDOUT;
	}
}

/* Is a leader in the kernel creating something that could be the child of `ppid`, if
 * not 0? */
static bool being_created(pid_t ppid)
{
	const struct taskset *s;

	LIST_FOREACH(s, &mon.sets, all) {
		const struct proc *p = s->proc;

		if (s->state != SET_CALL || !s->row ||
		    s->row->handler != H_FORK || s->vforking ||
		    !s->t[LEADER].tid)
			continue;
		/* or its sister (CLONE_PARENT) */
		if (!ppid || p->pid[LEADER] == ppid ||
		    (p->parent ? p->parent->pid[LEADER] : getpid()) == ppid)
			return true;
	}
	return false;
}

void event_orphans(void)
{
	for (unsigned int i = n_stash; i-- > 0; ) {
		pid_t tid = stash[i].tid, tgid = 0, ppid = 0;
		char path[64], line[128];
		FILE *f;

		if (stash[i].dead) {
			if (!being_created(0) ||
			    mon.now - stash[i].since > CHILD_NS)
				stash_remove(&stash[i]);
			continue;
		}
		snprintf(path, sizeof(path), "/proc/%d/status", tid);
		f = fopen(path, "re");
		if (!f)
			continue;
		while (fgets(line, sizeof(line), f))
			if (sscanf(line, "Tgid: %d", &tgid) != 1 &&
			    sscanf(line, "PPid: %d", &ppid) == 1)
				break;
		fclose(f);
		/* threads die with their process */
		if (tgid == tid && !being_created(ppid))
			kill(tid, SIGKILL);
	}
}

void event_reap_siblings(struct proc *p, unsigned int v, struct task *except)
{
	struct taskset *s;

	LIST_FOREACH(s, &p->sets, in_proc) {
		struct task *t = &s->t[v];
		int status;

		/* the exec event comes under the process's own id */
		if (t == except || !t->tid ||
		    (except && t->tid == p->pid[v]))
			continue;
		if (waitpid(t->tid, &status, __WALL | WNOHANG) != t->tid)
			continue;
		task_classify(t, status);
		if (t->at == AT_DEAD)
			event_defer_death(t);
		else if (t->at != AT_ENTRY)	/* nothing unseen is executed */
			event_continue(t);
	}
}

void event_continue(struct task *t)
{
	task_resume(t, t->want_exit ? PTRACE_SYSCALL : PTRACE_CONT, 0);
}

/* The slow tick in microseconds: also the measure of --max-lag. */
static unsigned int coarse_us(void)
{
	unsigned int ms = mon.opt.lag_ms;

	return ms && ms < 40 && mon.opt.policy != POLICY_STRICT ?
		(ms < 2 ? 1000 : ms * 500) : 20000;
}

void ticker_want(bool fine)
{
	struct itimerval it = { { 0, 0 }, { 0, 0 } };

	if (fine == fine_tick)
		return;
	fine_tick = fine;
	it.it_interval.tv_usec = it.it_value.tv_usec = fine ? 1000 :
		(suseconds_t)coarse_us();
	setitimer(ITIMER_REAL, &it, NULL);
}

static void on_tick(int sig)
{
}

static void ticker_start(void)
{
	struct sigaction sa = { .sa_handler = on_tick };
	sigset_t set;

	/* no SA_RESTART: the point is to interrupt waitpid */
	sigaction(SIGALRM, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	fine_tick = true;
	ticker_want(false);
}

static void event(pid_t pid, int status)
{
	struct task *t = task_find(pid);

	if (WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_EXEC) {
		unsigned long old = 0;
		struct task *o;

		/*
		 * The thread that called execve now bears the process's id;
		 * the former main thread vanishes without a death event
		 * (ptrace(2), "execve(2) under ptrace").
		 */
		ptrace(PTRACE_GETEVENTMSG, pid, 0, &old);
		o = task_find((pid_t)old);
		if (o && o != t) {
			if (t) {
				t->at = AT_DEAD;
				t->status = STATUS_REPLACED;
				event_defer_death(t);
			}
			task_unbind(o);
			task_bind(o, pid);
			t = o;
		}
	}
	if (!t) {
		if (!WIFSTOPPED(status))
			stash_died(pid, status);
		else if (!mon.ending)
			stash_add(pid);
		return;
	}
	task_classify(t, status);
	if (t->at == AT_DEAD) {
		task_unbind(t);
		task_dead(t, status);
	} else if (!mon.ending) {
		dispatch(t);
	}
	event_flush_deaths();
}

int monitor_loop(void)
{
	uint64_t last_tick = 0, took = 0;

	ticker_start();
	tsc_trap(true);
	while (mon.n_tasks) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		mon.now = now_ns();
		if (pid > 0)
			event(pid, status);
		else if (errno == ECHILD)
			break;
		/* Events get as much time as ticks, which make some: those of
		 * new tracees come before those of old ones. */
		if (mon.now - last_tick >= (fine_tick ? 900000u :
					    coarse_us() * 500ull) &&
		    mon.now - last_tick >= 2 * took) {
			last_tick = mon.now;
			monitor_tick();
			event_flush_deaths();
			took = now_ns() - last_tick;
			if (took > TICK_MAX_NS)
				took = TICK_MAX_NS;
		}
	}
	tsc_trap(false);
	if (mon.opt.stats_file)
		stats_write(mon.opt.stats_file);
	if (mon.trace)
		fclose(mon.trace);
	return mon.ending ? mon.ending_status : mon.root_status;
}
