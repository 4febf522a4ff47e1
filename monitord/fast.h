/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitord's side of the in-process half: contexts, rings, who may use them.
 * Theory of operation in fast.c and doc/in-process.md.
 */
#ifndef MONITORD_FAST_H
#define MONITORD_FAST_H

#include "monitor.h"

struct fast;

/* Registration of libipmon (all variants AT_ENTRY of the reserved call): map
 * the arenas, give the set its context.  0, or -errno: the process goes on
 * under CP-MON alone. */
int fast_setup(struct taskset *s);
/* A new set of a process that has it (tasks at their first stop), or of a
 * forked one. */
void fast_attach(struct taskset *s);
void fast_detach(struct taskset *s);
struct fast *fast_get(struct fast *f);
void fast_put(struct fast *f);

/* The set is about to be released: decide whether it handles calls itself. */
void fast_release(struct taskset *s);
/* It must come to monitord at its next call (the turn is needed, a signal
 * waits): ask, and wake a leader that sleeps in the gate. */
void fast_revoke(struct taskset *s);

/* Nobody opens files at the gate any more: the root directory of some process is in a
 * proc, and so is what is found there by any name. */
void fast_no_opens(void);

/* The same for a leader that is stopped already. */
void fast_want(struct taskset *s);

/* A task of the set is AT_ENTRY: state for the others, wake-ups. */
void fast_arrived(struct task *t);
/* Have all followers consumed what the leader published? -1: yes; else the
 * first variant that has not. */
int fast_behind(const struct taskset *s);

/* Ticker: nobody sleeps for long on what the leader has published. */
void fast_tick(struct taskset *s);

/* IP-MON's own calls, which are answered at once: it was one (fast_watch.c). */
bool fast_asked(struct task *t);
/* These followers have been dropped (mon.live says so already). */
void fast_dropped(struct taskset *s, unsigned int mask);
/* Wake followers that sleep: there may be something for them. */
void fast_wake(struct taskset *s);

/* Its followers map a file that the program can write (h_mmap.c). */
void fast_live_file(struct taskset *s);
/* A new one, which may have somebody's descriptors. */
void fast_files_shared(struct taskset *s);
void fast_shares(struct taskset *s);

/*
 * A signal-delivery or interrupt stop of a task that may be inside IP-MON.
 * Registers are adjusted so that IP-MON comes to monitord with the call, where
 * that is possible.  True: nothing may be delivered at this stop.
 */
enum fast_stop {
	FAST_PASS,	/* whatever happens to a call, it happens natively */
	FAST_UNSEEN,	/* the program may not notice the stop */
	FAST_WANTED,	/* the set shall come to monitord */
};
bool fast_stop(struct task *t, enum fast_stop why);
/* fast_after.c: handler H_AFTER, IPMON_NR_AFTER. */
void after_start(struct taskset *s);
/* IPMON_NR_CUT: the leader's call in-process has come back with a part. */
void fast_cut(struct task *t);
/* A synchronous fault in IP-MON's copy routine: resumed at the fix-up. */
bool fast_fixup(struct task *t);

/* The ring and cursors of a set that has a slot (monitord's mapping), and the
 * address of its context in variant v. */
struct ipmon_ring *fast_ring(const struct taskset *s);
/* The same by slot; and the set that has it, NULL: none. */
struct ipmon_ring *fast_slot_ring(const struct fast *f, unsigned int slot);
struct taskset *fast_slot_set(const struct fast *f, int slot);
/* Nobody's set has it any more: it is free for another one. */
void fast_slot_leave(struct fast *f, unsigned int slot);
struct ipmon_cursor *fast_slot_cursor(const struct fast *f, unsigned int slot);
struct ipmon_cursor *fast_cursor(const struct taskset *s, unsigned int v);
uint64_t fast_ctx(const struct taskset *s, unsigned int v);
/* A variant reads a clock without the others (CLOCK_FREEZE_NS). */
void fast_clocks_apart(struct taskset *s);
/* The leader goes on from a rendezvous without a release (solo.c). */
void fast_leader_runs(struct taskset *s);
/* Write a field of the set's context in variant v. */
#define CTX_SET(s, v, field, value) do { \
	typeof(((struct ipmon_ctx *)0)->field) val_ = (value); \
	mem_write(&(s)->t[v], fast_ctx(s, v) + \
		  offsetof(struct ipmon_ctx, field), &val_, sizeof(val_)); \
} while (0)

/* Addresses in variant v (0: none) and the number for fast_fd.c. */
uint64_t fast_slow_map(const struct taskset *s, unsigned int v);
uint64_t fast_plain_map(const struct taskset *s, unsigned int v);
uint64_t fast_channel_map(const struct taskset *s, unsigned int v);
uint64_t fast_special(const struct taskset *s);	/* in the leader */
uint64_t fast_epoll_table(const struct taskset *s, unsigned int v);
uint32_t fast_epoll_owner(const struct mm *mm);
/* What the monitor maps into a variant, roughly: limits are that much higher
 * than the program thinks. */
uint64_t fast_hidden_bytes(void);
/* Where the leader reads the time (tsc.c); 0: by system calls. */
void fast_clock(struct taskset *s, uint64_t clock);
/* The program wants the GS base for itself (the set is at a rendezvous): this
 * address space goes on without IP-MON, its text as it was. */
void fast_forbid(struct taskset *s);
/* Is this GS base of variant v ours? */
bool fast_is_ctx(const struct mm *m, unsigned int v, uint64_t base);

/* Turns in the arena of rings (turn.c): one by number, a free one (-1: none), its
 * end; the sets of a process are told theirs. */
struct ipmon_turn *fast_turn(const struct fast *f, unsigned int idx);
/* Addresses under way between the processes that share the arena. */
struct ipmon_words *fast_words(const struct fast *f);
/* Files that followers have copies of. */
struct ipmon_hot *fast_hot(const struct fast *f);
int fast_turn_alloc(struct fast *f);
void fast_turn_release(struct fast *f, unsigned int idx);
void fast_set_turn(struct taskset *s, unsigned int idx);
/* Does this follower sleep on an empty ring? */
bool fast_idle(const struct taskset *s, unsigned int v);
/* Does this follower say that it waits for a sibling of its variant? */
bool fast_says_waits(const struct taskset *s, unsigned int v);
/* ... and can it be so?  To be asked by one only, who wants to know whether it is late. */
bool fast_waits_turn(struct taskset *s, unsigned int v);

/* Add the set's counters to mon.count. */
void fast_account(struct taskset *s);

#endif
