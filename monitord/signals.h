/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: which count, when they are delivered, and restarting calls.
 * Theory of operation in signal.c.
 */
#ifndef MONITORD_SIGNALS_H
#define MONITORD_SIGNALS_H

#include "monitor.h"

/* kernel-internal codes, visible at syscall-exit stops (linux/errno.h) */
#define ERESTARTSYS		512
#define ERESTARTNOINTR		513
#define ERESTARTNOHAND		514
#define ERESTART_RESTARTBLOCK	516

/* A signal-delivery stop seen during a synchronous operation: the leader's
 * is kept for the next rendezvous, a follower's is dropped. */
void signal_put_aside(struct task *t);
/* A task that is let run for a moment has come to a signal: it waits until the set
 * comes to monitord. False: it is a fault, or gone. */
bool signal_meanwhile(struct task *t);

/* A signal-delivery stop in the event loop. */
void signal_stop(struct task *t);

/* A PTRACE_EVENT_STOP (not a group stop) in the event loop. */
void signal_interrupt_stop(struct task *t);

/* The rendezvous is complete and signals are queued: deliver the first to
 * every variant "just before the call". True when it did (the set runs). */
bool signal_deliver_at_entry(struct taskset *s);
/* The same of one that was interrupted with `ret` and is repeated: behind the handler all
 * begin it anew, with the time that was left in the leader. */
bool signal_deliver_before(struct taskset *s, int64_t ret);

/* The same for a call that was interrupted in the gate (s->kick_ret): it ends
 * with the signal, in all variants. */
bool signal_deliver_kicked(struct taskset *s);

/* The leader is about to go on with a call it was kicked out of: with what is
 * left of its time. */
void signal_go_on(struct taskset *s);

/* The leader's call ended with an ERESTART code or EINTR. True when dealt
 * with here (the set has been released or the call is being repeated); false:
 * treat ret as an ordinary result. */
bool signal_interrupted(struct taskset *s, int64_t *ret);
/* The ticker, for sets with t_deadline: a call that has been repeated is over. */
void signal_deadline_tick(struct taskset *s);

/* The leader, AT_EXIT, comes to its call again; a caught signal meanwhile ends it
 * with s->ret. */
void signal_repeat(struct taskset *s);

/* After a call, before release: deliver what is pending for the leader so
 * that handlers run before the program continues. */
void signal_deliver_at_exit(struct taskset *s);

/* Raised by the instruction itself (not by kill): it comes again when the instruction
 * does, and in all variants. */
bool signal_synchronous(const siginfo_t *si);
/* A step or breakpoint of ours, when nobody waits for it any more? */
bool signal_late_trap(struct task *t, const siginfo_t *si);

/* Is this one? */
bool signal_pending_for(const struct task *t, int sig);

/* A signal that is not blocked waits to be delivered; and has a handler. */
bool signal_open(const struct taskset *s);
bool signal_open_caught(const struct taskset *s);
/* May the task be single-stepped?  The kernel forces the trap of a step upon who
 * ignores SIGTRAP, or blocks it: it resets the action, which nobody could restore
 * from outside, and the mask, which event_step() does. */
bool signal_may_step(const struct task *t);

/* Is anything queued for the leader, blocked or not? */
bool signal_waiting(const struct taskset *s);

/* The leader's process dies of a signal it has got or is about to get: the
 * followers' go with it. */
void signal_fatal(struct taskset *s);

/* Variants whose task sits on a synchronous fault: all of them, or a
 * divergence. */
void signal_fault_check(struct taskset *s);

/* Whoever of the set still ran has stopped otherwise: go on with those that
 * were interrupted. */
void signal_interrupt_check(struct taskset *s);

/* Ticker: deferred signals of sets that compute without calls. */
void signal_tick(struct taskset *s);

/* h_signal.c: handlers of the kill family and of rt_sigreturn */
void sigsend_start(struct taskset *s);
void sigsend_done(struct taskset *s, int64_t ret);
void sigreturn_start(struct taskset *s);

/* Interrupt the tasks of a set that run user code (parking, signals). */
void set_interrupt(struct taskset *s);

#endif
