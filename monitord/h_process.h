/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes and threads: creation, exec, exit, waiting.
 */
#ifndef MONITORD_H_PROCESS_H
#define MONITORD_H_PROCESS_H

#include "monitor.h"

/* fork vfork clone clone3 */
void fork_start(struct taskset *s);
void fork_done(struct taskset *s, int64_t ret);	/* failed in the leader */
void fork_event(struct task *t);		/* PTRACE_EVENT_FORK & co. */
/* The leader's process dies, its followers follow (dispatch.c). */
void kill_follower_procs(struct proc *p);
/* The set has sent a signal: whoever that has killed among the processes it
 * shares memory with is dead when this returns. */
void killed_settle(struct taskset *s);
void vfork_progress(struct taskset *s);	/* a parent came back, or died */

/* execve execveat */
bool exec_compare(struct taskset *s);
void exec_start(struct taskset *s);
void exec_done(struct taskset *s, int64_t ret);	/* failed in the leader */
void exec_event(struct task *t);		/* PTRACE_EVENT_EXEC, leader */
/*
 * Follower v could not execute what its leader has (AT_EXIT): it is at the entry of
 * a call that will, if anything can be done (0). (exec_again.c)
 */
int exec_again(struct taskset *s, unsigned int v);

/* exit exit_group */
void exit_start(struct taskset *s);

/* futex (h_futex.c) */
void futex_start(struct taskset *s);
bool futex_locks_pi(const struct taskset *s);
void futex_done(struct taskset *s, int64_t ret);

/* wait4 waitid */
void wait_start(struct taskset *s);
void wait_done(struct taskset *s, int64_t ret);
/* Bring process p of variant v to its end as far as monitord must help:
 * collect the deaths of its threads. 0 or -ETIMEDOUT. */
int proc_collect(struct proc *p, unsigned int v);

#endif
