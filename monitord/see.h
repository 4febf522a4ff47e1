/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeing inside a running monitor: what the tracer shows, who serves it.
 *
 *	tracer	--- struct see_share --->  server  --- sockets --->  ps, top,
 *	(snapshot.c)  shared memory	  (control.c)		     scrapers
 *
 * Theory of operation in control.c and snapshot.c.
 */
#ifndef MONITORD_SEE_H
#define MONITORD_SEE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ipmon/table.h>
#include "monitor.h"

/* What is beyond is left out, and `truncated` set. */
#define SEE_PROCS	512u
#define SEE_SETS	1024u

struct see_call {
	struct ipmon_count in;		/* by the leader, in-process */
	uint64_t trapped, refused;
	uint64_t ns, max_ns;		/* from arrival to the end, if trapped */
	uint64_t sampled_ns;		/* threads were seen in it so long, of
					 * snapshot.watched_ns */
};

/* One thread of the program, all variants. */
struct see_set {
	uint32_t proc;			/* see_proc.id */
	int32_t vtid;			/* as the program sees it */
	pid_t tid[MAX_VARIANTS];	/* 0: dead */
	uint8_t state;			/* enum set_state */
	uint8_t live;			/* handles calls itself */
	uint8_t asleep;			/* in such a call */
	uint8_t has_call;
	uint32_t nr;			/* the call it is in */
	uint64_t ns;			/* ... since then; 0: not known */
	struct ipmon_count in;		/* sums */
	uint64_t wakes, waits;
	uint64_t bytes;			/* published in its ring */
	uint64_t lag_bytes[MAX_VARIANTS];
	uint32_t lag_records;		/* of the slowest follower */
};

struct see_proc {
	uint32_t id, parent;		/* ids from 1; 0: none (any more) */
	int32_t vpid;
	pid_t pid[MAX_VARIANTS];
	uint32_t threads;
	uint8_t zombie, in_process;
};

struct snapshot {
	uint64_t now;			/* CLOCK_MONOTONIC; 0: never taken */
	uint32_t live;			/* bit per variant not dropped */
	uint32_t n_procs, n_sets;	/* in the arrays */
	uint32_t procs, threads;	/* that there are */
	uint32_t truncated;
	uint64_t rendezvous, signals, divergences, forks, execs, parked, solo;
	uint64_t wakes, waits;
	uint64_t bytes;			/* copied for followers */
	uint64_t watched_ns;		/* time in which samples were taken */
	struct see_call call[IPMON_NR_MAX];
	struct see_proc proc[SEE_PROCS];
	struct see_set set[SEE_SETS];
};

/*
 * want and watch are the server's, all else the tracer's.  The snapshot is the
 * tracer's to write while done != want, the server's to read while they are
 * equal.
 */
struct see_share {
	_Atomic uint32_t want, done;
	_Atomic uint64_t watch;		/* until then (ns), take samples */
	struct snapshot s;
};

extern struct see_share *see_share;

/* ---- snapshot.c, in the tracer ---- */

void see_work(void);
/* At each tick. */
static inline void see_tick(void)
{
	if (see_share && (atomic_load(&see_share->want) !=
			  atomic_load(&see_share->done) ||
			  atomic_load(&see_share->watch) > mon.now))
		see_work();
}
/* The set loses its ring and context: keep what its leader has counted. */
void see_gone(struct taskset *s);

/* Where control sockets are, of root and of services that have a directory of
 * their own in there; see_path.c. */
#define SEE_RUN_DIR "/run/ipmon"

/* ---- see_start.c ---- */

/* Before anything is forked: what the options name must be usable.  0, or
 * EXIT_MONITOR after having said why it is not. */
int see_prepare(void);
/* In the tracer: the sockets are not its own. */
void see_tracer(void);
/* In the front process: how long poll() may sleep before the server is to be
 * started, -1: for ever; start it if it is time, or `now`. */
int see_patience(void);
void see_start(pid_t tracer, bool now);
/* In the front process: the tracer is dead, so the server ends. */
void see_end(void);

/* ---- in the server ---- */

/* What it knows and the tracer does not. */
struct see_facts {
	pid_t tracer, front;
	uid_t uid;
	uint64_t started;		/* CLOCK_MONOTONIC, ns */
	int64_t started_wall;		/* s */
	const char *control, *metrics;	/* where it listens, or NULL */
};
extern struct see_facts see_facts;
/* control.c: until the process behind tracer_fd, a pidfd, has ended. Something
 * happens to front_fd when the front process has.  -1: no such socket. */
void see_serve(int tracer_fd, int front_fd, int control_fd, int metrics_fd);
uint64_t see_clock(void);		/* CLOCK_MONOTONIC, ns */
/* see_text.c: malloc'ed text and its length; NULL: out of memory. */
char *see_json(const struct snapshot *s, const struct see_facts *f,
	       size_t *len);
char *see_metrics(const struct snapshot *s, const struct see_facts *f,
		  size_t *len);

#endif
