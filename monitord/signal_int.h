/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by signal.c, signal_state.c and signal_deliver.c only.
 */
#ifndef MONITORD_SIGNAL_INT_H
#define MONITORD_SIGNAL_INT_H

#include "monitor.h"

#define SIGRT_FIRST	32	/* the kernel's SIGRTMIN */
#define BIT(sig)	(1ull << ((sig) - 1))

/* ---- signal_state.c: what the kernel thinks ---- */

struct sigstate {
	uint64_t pending;	/* private and shared */
	uint64_t blocked, ignored, caught;
	bool init;		/* first of its pid namespace: unhandled
				 * signals do nothing to it */
};

/* 0, or -ESRCH. */
int sigstate_read(const struct task *t, struct sigstate *st);
bool sigstate_pending(const struct task *t);

enum effect { EFF_IGNORED, EFF_CAUGHT, EFF_STOPS, EFF_FATAL };

enum effect signal_effect(int sig, const struct sigstate *st);
/* The init of a pid namespace is not stopped from inside, which the kernel forgets
 * for one that is traced: this SIGSTOP is none. */
bool signal_void(const siginfo_t *si, const struct sigstate *st);

/* The set's queue of signals put aside. */
void signal_queue(struct taskset *s, const siginfo_t *si);
void signal_queue_front(struct taskset *s, const siginfo_t *si);
void signal_drop_stops(struct proc *p, const struct sigstate *st);
bool signal_pop(struct taskset *s, siginfo_t *si, enum effect *eff);
/* As signal_pop(), under another mask than the leader's present one (NULL: that). */
bool signal_pop_under(struct taskset *s, const uint64_t *mask, siginfo_t *si,
		      enum effect *eff);

/* ---- signal_deliver.c ---- */

int signal_summon(struct task *t, const siginfo_t *si);
bool signal_taken_back(struct taskset *s, enum effect eff, bool at_once);
/* A variant did not take a signal that others take: a divergence. True when
 * the others go on. */
bool signal_lost(struct taskset *s, unsigned int v, int sig);
/* Into the set's history, the counters and the trace. */
void signal_note(struct taskset *s, int sig);
void signal_resume_delivery(struct taskset *s);
int signal_leader_to_delivery(struct taskset *s, siginfo_t *si,
			      enum effect *eff);
void signal_deliver_interrupted(struct taskset *s, const siginfo_t *si,
				int64_t ret);
/* The set's call was interrupted, and has a mask of its own: is that over already, so that
 * this signal has not ended the call, but comes before it is repeated? */
bool signal_comes_behind(struct taskset *s, int sig);

#endif
