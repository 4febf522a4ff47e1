/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: one waitpid status at a time becomes one action.
 */
#ifndef MONITORD_EVENT_H
#define MONITORD_EVENT_H

#include "monitor.h"

/* Turn a wait status into t->at (used by synchronous waits as well). */
void task_classify(struct task *t, int status);

/* A synchronous wait found the task dead: act on it from the loop. */
void event_defer_death(struct task *t);
/* Status of a main thread whose place the thread that executes a program has
 * taken: the process lives on.  No wait status looks like this. */
#define STATUS_REPLACED (-1)

/*
 * First stop of a child that has just been created, synchronously. The stop
 * may have been collected already. 0; 1: it was killed before, *died says how; or
 * -ESRCH, -ETIMEDOUT.
 */
int event_child_stop(pid_t tid, int *died);
/* Children whose creator was killed before its event: from the ticker. */
void event_orphans(void);

/* Collect whatever is known about the other tasks of `p` in variant v that
 * have died, without blocking (exec must not wait for unreaped siblings). */
void event_reap_siblings(struct proc *p, unsigned int v, struct task *except);

/* Resume a stopped task that nothing is to be done with. */
void event_continue(struct task *t);

/* A task of a set that goes on has been stopped out of turn: act on that stop,
 * whatever it is, from the loop. */
void event_defer_stop(struct task *t);
/* One instruction, or, with sig, into its handler: at AT_STOP then.  False when
 * something else happened to the task. */
bool event_step(struct task *t, int sig);

/* How a task that was let go on has come to stand again, AT_STOP but for the
 * last. */
enum event_run {
	RUN_TRAP,	/* a step, a breakpoint of the processor's */
	RUN_TIME,	/* it was interrupted */
	RUN_GONE,	/* anything else, for event_defer_stop() (it is dead if it
			 * has no tid any more) */
};
/* Until it traps, `ns` at most. Ticks of the fine ticker are the measure. */
enum event_run event_run(struct task *t, int request, uint64_t ns);
/* For about `ns`. */
enum event_run event_run_for(struct task *t, uint64_t ns);

/* The deaths (and stops) that synchronous waits have put aside. */
void event_flush_deaths(void);

/* dispatch.c */
void dispatch(struct task *t);
void task_dead(struct task *t, int status);
void monitor_tick(void);
/* CPU time of a task in ns (utime + stime) and its state letter. */
uint64_t task_cpu(const struct task *t, char *state);
/* The same as the scheduler counts it; 0 when the kernel does not tell. */
uint64_t task_runtime(const struct task *t);
/* Ask for the fine-grained ticker (deferred signals, parking). */
void ticker_want(bool fine);

#endif
