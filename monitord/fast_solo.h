/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variants that part for a while when calls are handled in-process: theory of
 * operation in fast_solo.c.
 */
#ifndef MONITORD_FAST_SOLO_H
#define MONITORD_FAST_SOLO_H

#include "monitor.h"

/* All are at the same call, not a private one: followers skip the records of
 * private calls that are left.  False: one of them has to wait for siblings before
 * it may; set_check_complete() will be called again. */
bool fast_catch_up(struct taskset *s);
/* The ticker: sees to that. */
void fast_catching_up(void);
/* Has follower v records unread that are not of private calls?  And where the
 * first of them is (or, if there is none, the ring's head). */
bool fast_unread(const struct taskset *s, unsigned int v);
uint64_t fast_unread_at(const struct taskset *s, unsigned int v);
/*
 * Has this follower arrived with records unread, so that the leader cannot come
 * to its call?  True: it went on alone, or a divergence has been raised.
 */
bool fast_follower_early(struct taskset *s, unsigned int v);
/* The same for all of them. */
bool fast_early(struct taskset *s);
/* The ticker: a follower stands at a private call which its leader, asleep in another
 * or at a rendezvous, cannot come to any more.  True: it went on alone. */
bool fast_early_asleep(struct taskset *s);
/* A follower found that the leader stands at a rendezvous.  True: the leader
 * made a private call there and goes on; the follower shall look again.  `asked`:
 * before it makes a private call of its own. */
bool fast_leader_alone(struct taskset *s, bool asked);

/*
 * What has been told since the last common call (CLOCK_FREEZE_NS), in a program
 * that needs it: from the leader's context, when a set comes from there; to all
 * contexts when it goes on there.
 */
void fast_clocks_take(struct taskset *s);
void fast_clocks_give(struct taskset *s);

/*
 * Clocks the leader has read without this follower, which will ask for them
 * (solo.c).  Is there one that it asks for now, and what was the leader told, in
 * that call's own units?  use: the follower is told so.
 */
bool fast_clock_gone(struct task *t, uint64_t value[2], bool use);
/* How many calls that are not private has variant v made in-process? 0: none of
 * its calls are. */
uint32_t fast_commons(struct taskset *s, unsigned int v);
/* Follower v is about to go on, and may ask in-process: what is kept for it. */
void fast_clocks_hand_over(struct taskset *s, unsigned int v);
/* All are at a common call: nothing of this is to be told any more. */
void fast_clocks_forget(struct taskset *s);

#endif
