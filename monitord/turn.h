/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The turn among sets that handle calls in-process: see turn.c.
 */
#ifndef MONITORD_TURN_H
#define MONITORD_TURN_H

#include "monitor.h"

/* The set is at a rendezvous and about to be released into a domain with others:
 * give its process a turn to share, if it has none.  Tasks of the set are
 * stopped. */
void turn_assign(struct taskset *s);
/* The process ends, or its address space does. */
void turn_put(struct proc *p);

/* Does the set hand the turn on in-process, to other processes as well? */
bool turn_between(const struct taskset *s);

/* Its number in the arena of the process. */
unsigned int turn_index(const struct proc *p);

/* The set is released and handles calls itself from now on. */
void turn_give(struct taskset *s);
/* Nobody of monitord's wants the turn: whoever comes first takes it. */
void turn_free(struct domain *d);
/* It goes to one that waits for it.  False: nobody does. */
bool turn_grant(struct domain *d);
/* Take the turn from those who hand it on among themselves (d->team).  False: not
 * yet; the holder has been asked, or followers are not there yet, and it is to be
 * tried again when somebody comes. */
bool turn_seize(struct domain *d);
/* It has been taken from them, but followers are not there yet. */
bool turn_seized(const struct domain *d);
/* ... one of those that are not, and since when (ns) it has been taken; NULL: none. */
struct task *turn_late(const struct domain *d, uint64_t *since);
/* Nobody of monitord's wants it any more: who was asked to leave it need not. */
void turn_keep_not(struct domain *d);
/* Has this set the turn in-process?  Then it is monitord's from now on. */
bool turn_hold(struct taskset *s);
/* Who has it in-process, or NULL. */
struct taskset *turn_holder(const struct domain *d);
/* A number that changes when d->team's is taken. */
uint32_t turn_count(const struct domain *d);
/* Does anybody wait for it in-process, in another team than `but`? */
bool turn_wanted(const struct domain *d, const struct turn *but);
/* Does this set wait for it in-process, as its leader says? */
bool turn_awaits(const struct taskset *s);
/* All of the domain's turns are now `to`'s. */
void turn_move(struct domain *from, struct domain *to);
/* The set has ended.  Its slot is to be free for another one: at once, or when
 * nobody waits for it any more, and fast_slot_leave() is called then. */
bool turn_forget(struct taskset *s);
/* The ticker. */
void turn_tick(struct domain *d);

/* Has follower v of the set's process come to where this edge (struct
 * ipmon_record) leads to? */
bool turn_passed(const struct taskset *s, unsigned int v, uint64_t edge);
/* The follower of this cursor is stopped, or gone, behind this position. */
void turn_rested(struct ipmon_cursor *c, uint64_t pos);

/* The reserved call IPMON_NR_TURN of one task. */
void turn_told(struct task *t);

#endif
