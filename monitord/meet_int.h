/* SPDX-License-Identifier: Apache-2.0 */
/* Between meet.c, meet_view.c, meet_move.c and meet_wide.c. */
#ifndef MONITORD_MEET_INT_H
#define MONITORD_MEET_INT_H

#include "monitor.h"

#define MEET_REGS	15u
#define MEET_STACK	64u
#define MEET_CELLS	24u	/* words of memory that the loop writes */
#define MEET_WORDS	(MEET_REGS + MEET_STACK + MEET_CELLS)
/* Halves of words: two numbers may share one. */
#define MEET_CHANNELS	(2u * MEET_WORDS)
#define MEET_MASK	1024u	/* bytes: of 8192 processors */

/* What may hold variables: a file's data or the heap; other memory. */
enum meet_kind { MEET_NONE, MEET_DATA, MEET_MEMORY };

/* A mapping, and where its counterpart in the leader is. */
struct meet_range {
	uint64_t start, end;
	int64_t delta;			/* address here - address there */
	bool exec;
	enum meet_kind kind;
	uint64_t inode;
};

/* The state of a variant, and its addresses in the leader's terms. */
struct meet_view {
	uint64_t ip, sp, flags;
	unsigned int v;			/* whose */
	uint64_t raw[MEET_WORDS];	/* ... as they are there, */
	uint64_t w[MEET_WORDS];		/* ... in common terms */
};

/* How one half of a word changes, or the whole if the other half does not count. */
struct meet_channel {
	unsigned int up, down, same;	/* from visit to visit */
	int64_t stride;			/* ... by so much each time; 0: varies */
	unsigned int far_up, far_down;	/* over longer times */
	double rate;			/* ... per ns of processor time */
};

struct meeting {
	struct taskset *s;
	uint64_t start, cpu;		/* ns: clock and our processor time, */
	uint64_t had[MAX_VARIANTS];	/* ... and theirs */
	bool patient;			/* a signal for a handler waits */
	uint64_t place;			/* of the visits, in the leader's terms */
	struct meet_view view[MAX_VARIANTS];	/* at the last one */
	struct meet_channel ch[MEET_CHANNELS];

	unsigned int cells;
	uint64_t cell[MAX_VARIANTS][MEET_CELLS];

	/* meet_view.c */
	uint64_t secret[MAX_VARIANTS][2]; /* canary, pointer guard */
	uint64_t stack[2];		/* the leader's first one */
	struct meet_range *r[MAX_VARIANTS];
	unsigned int n[MAX_VARIANTS];

	/* meet_move.c */
	bool on[MAX_VARIANTS];		/* the breakpoint */
	bool here, moved[MAX_VARIANTS];	/* to one processor, from these: */
	_Alignas(8) unsigned char own[MEET_MASK], mask[MAX_VARIANTS][MEET_MASK];
};

/* ---- meet_view.c ---- */

/* What corresponds to what. 0 or -errno; meet_view_end() in any case. */
int meet_view_start(struct meeting *m);
void meet_view_end(struct meeting *m);
/* Where v has what the leader has at `addr`, 0: it is not to be found there. */
uint64_t meet_there(const struct meeting *m, unsigned int v, uint64_t addr);
/* Leader and v are at the place: so are their stack pointers. */
void meet_same_frame(struct meeting *m, unsigned int v);
/* From `sp` to the end of the leader's stack. 0, or -1: it is on none. */
int meet_stack_left(const struct meeting *m, uint64_t sp, size_t *len);
/* Is this code of the leader's? */
bool meet_is_code(const struct meeting *m, uint64_t addr);
/* The state of a variant that is stopped. False: it is gone. */
bool meet_look(struct meeting *m, unsigned int v, struct meet_view *to);
bool meet_alike(const struct meeting *m, const struct meet_view *a,
		const struct meet_view *b);
/* How far it is from a to b in each channel. */
void meet_distance(const struct meeting *m, const struct meet_view *a,
		   const struct meet_view *b, int64_t d[MEET_CHANNELS]);

/* ---- meet_move.c: each 0, -ENOENT, -ETIME or -EAGAIN as meet_set() ---- */

/* Everybody to one processor; and back, without breakpoints. */
void meet_move_start(struct meeting *m);
void meet_move_end(struct meeting *m);
/* m->place: an instruction the leader comes to again and again; m->cell: what it
 * writes meanwhile. `far`: however long that takes, for a wide loop. */
int meet_find_place(struct meeting *m, bool far);
/* Variant v on to the next visit, */
int meet_visit(struct meeting *m, unsigned int v, struct meet_view *to);
/* ... about so far, */
int meet_ahead(struct meeting *m, unsigned int v, uint64_t ns);
/* ... after about so long; *used: ns of processor time it has had before. */
int meet_run(struct meeting *m, unsigned int v, uint64_t ns, uint64_t *used,
	     struct meet_view *to);
/* It has taken too long. */
bool meet_late(const struct meeting *m);
/* Breakpoints of the leader's at up to four addresses, instead of others; n = 0:
 * none. 0 or -ENOENT. */
int meet_points(struct meeting *m, const uint64_t *at, unsigned int n);
/* On to a breakpoint, for about `ns` of its time at most. -ETIME: it has not come to one. */
int meet_on(struct meeting *m, unsigned int v, uint64_t ns);

/* ---- meet_wide.c: the same ---- */

/* m->place: where functions the leader calls return to again and again. */
int meet_find_frame(struct meeting *m);
/* More of m->cell: words that change from one visit to the next, or over a longer time. */
int meet_find_cells(struct meeting *m, uint64_t far_ns);

#endif
