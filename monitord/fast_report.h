/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Differences found in-process, for the report: fast_report.c.  Who finds them,
 * and when one is acted upon: fast_watch.c.
 */
#ifndef MONITORD_FAST_REPORT_H
#define MONITORD_FAST_REPORT_H

#include "divergence.h"
#include "ringcall.h"

/*
 * Where the program is in a task that is stopped inside IP-MON: its registers
 * as they were at its call, but for those the compiler of IP-MON has saved
 * somewhere (backtrace.c finds them).
 */
struct fast_where {
	bool has_call;
	struct call call;	/* ip is behind the syscall */
	uint64_t frame;		/* address of the struct ipmon_frame */
	uint64_t entry;		/* ipmon_entry: where IP-MON's frames end */
	uint64_t gate;
};
/* False: it is not in there, its registers are the program's. */
bool fast_where(struct task *t, struct fast_where *w);

enum fast_when { FAST_BEFORE, FAST_HERE, FAST_AHEAD };
#define FAST_BEFORE_MAX	8
#define FAST_LINES	20

struct fast_line {
	enum fast_when when;
	bool visible;		/* others can see what it did */
	char text[240];
};

/* What is known beyond registers and memory, for the report. */
struct fast_view {
	struct {
		bool inside;
		bool has_call;
		struct call call;
		uint64_t ip, sp;	/* the program's, if inside */
		char state[192];	/* "" = by the kind of its stop */
	} v[MAX_VARIANTS];
	bool has_here;			/* the leader's record of the call */
	struct ring_call here;
	/* Calls the leader has completed from there on, and those of them that
	 * others can see. */
	uint64_t ahead, visible;
	struct fast_line line[FAST_LINES];
	unsigned int n_lines;
};
/* All tasks of d->set that could be stopped are stopped. */
void fast_view_fill(struct fast_view *w, const struct divergence *d);

/* A follower's own report (IPMON_NR_DIVERGED, it is AT_ENTRY) as a divergence.
 * d->label and d->bytes point to static memory. */
void fast_difference(struct task *t, struct divergence *d);

struct ipmon_difference;
/* The leader's bytes of that report from x->at on, and how many; NULL: none.
 * They are in the ring, where a leader may write. */
const unsigned char *fast_leader_bytes(struct task *t,
				       const struct ipmon_difference *x,
				       uint64_t *n);

/* ---- fast_watch.c ---- */

/* Does follower v stand where the leader has been before: has it records
 * unread that it cannot pass over, or is the leader in a call that came later? */
bool fast_passed(const struct taskset *s, unsigned int v);
/* Follower v differs, and waits.  True: a divergence has been raised, or will
 * be when the others have been given the time to come there. */
bool fast_parted(struct taskset *s, unsigned int v);
/* Ticker. */
void fast_watch(struct taskset *s);
/* A synchronous fault in a live set: t->fault has been set. */
void fast_fault(struct task *t);
/* A task AT_ENTRY at the gate with a call IP-MON does not make there.  True: a
 * divergence has been raised. */
bool fast_gate_misused(struct task *t);

#endif
