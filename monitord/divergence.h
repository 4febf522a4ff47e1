/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Divergence: deciding, reporting, and what happens next.
 *
 * A divergence is a value (struct divergence) that describes what differed,
 * filled by whoever noticed it and handed to diverge(), which writes the
 * report while every task of the set is still stopped (or not: a stalled one
 * is interrupted first), then applies the policy: kill everything, exit 99;
 * or drop the deviating follower and continue.
 */
#ifndef MONITORD_DIVERGENCE_H
#define MONITORD_DIVERGENCE_H

#include "monitor.h"

enum div_kind {
	DIV_CALL = 1,	/* "call": variants issue different syscalls */
	DIV_ARGUMENT,	/* "argument": a scalar argument differs */
	DIV_PAYLOAD,	/* "payload": bytes in an input buffer differ */
	DIV_CRASH,	/* "crash": a fault in some variants only, or
			 * different faults */
	DIV_EXIT,	/* "exit": exits differently (a death without its
			 * peers, another status) */
	DIV_STALL,	/* "stall": one does not arrive */
	DIV_KILLED,	/* "killed": a follower was killed from outside */
	DIV_RESULT,	/* "result": a call all execute gave different results */
	DIV_KIND_MAX
};

struct fast_view;

struct divergence {
	enum div_kind kind;
	struct taskset *set;
	unsigned int variant;		/* first variant that differs from the
					 * leader (1..n-1), or LEADER: it is
					 * the leader that does not comply */
	int arg;			/* argument index, -1 = none */
	const char *label;		/* item label, "iov[].iov_base", or NULL */
	uint64_t value[2];		/* DIV_ARGUMENT: leader's, variant's */
	/* DIV_PAYLOAD: where it differs. Lengths may differ. */
	uint64_t addr[2];		/* span start in leader and variant */
	uint64_t len[2];
	uint64_t offset;		/* first differing byte within the span */
	int sig[2];			/* DIV_CRASH: signal or 0, per side */
	uint64_t fault_addr[2];
	int status[2];			/* DIV_EXIT: wait status per side */
	int64_t ret[2];			/* DIV_RESULT */
	char note[256];			/* plain words from the detector */
	/*
	 * Found in-process (fast_report.c), where the leader may have gone on
	 * since: who deviates has been decided by positions in the ring.
	 */
	bool in_ring;
	uint64_t ring_pos;		/* of the leader's record, or ring head */
	unsigned int deviating;
	bool leader_alone;
	/* DIV_PAYLOAD: the leader's bytes, from offset bytes_at of the span on */
	const unsigned char *bytes;
	uint64_t bytes_at;
	uint32_t n_bytes;
	const struct fast_view *view;	/* filled in by diverge() */
};

const char *div_kind_name(enum div_kind k);	/* report_guess.c */

/* Report and act.  With DIV_KILL all variants are dead before it returns and
 * mon.ending is set.  With DIV_CONTINUE the follower(s) are dropped and the
 * caller goes on with those left: returns true in that case.  Deaths of the
 * dropped tasks, of d->set too, are acted on by event_flush_deaths(). */
bool diverge(const struct divergence *d);

/* Fatal end: kill every task of every variant. */
void kill_all(int status);
/* Remove follower v from everything; its processes are killed. */
void drop_variant(unsigned int v);

/* trace.c: one rendezvous as one line in strace's notation */
/* At a complete rendezvous: keeps the text of calls that do not return into
 * this image (exit, exec). */
void trace_begin(struct taskset *s);
void trace_call(struct taskset *s, int64_t ret);
void trace_signal(struct taskset *s, int sig);
void trace_exit(struct proc *p, int status);

/* backtrace.c (libdw): frames of a stopped task. */
struct frame {
	uint64_t pc;
	char symbol[128];		/* "" when unknown */
	uint64_t sym_off;
	char object[256];		/* path of the mapping */
	uint64_t obj_off;		/* pc - load base: stable under ASLR */
	char source[256];		/* "file:line" or "" */
};
/* Fills at most max frames, returns the number (0: none could be had). */
int backtrace_task(struct task *t, struct frame *f, int max);

#endif
