/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls a variant makes alone: theory of operation in solo.c.
 */
#ifndef MONITORD_SOLO_H
#define MONITORD_SOLO_H

#include "monitor.h"

/*
 * The set is at a rendezvous and its variants do not ask for the same thing.
 * True when at least one of them asks for something private: it has been done
 * for those, and they are on their way to their next call.
 */
bool solo(struct taskset *s);

/*
 * All ask for the same private call.  True when they ask for the time from
 * different places and one of them has been answered, as above.
 */
bool solo_apart(struct taskset *s);

/*
 * True when followers ask for a time that the leader has been told already, alone:
 * they are on their way to their next call, as above.
 */
bool solo_behind(struct taskset *s);

/* All have been told the time: remember which. */
void solo_note_clock(struct taskset *s, int64_t ret);

/* All make a call that is not private. */
void solo_reset(struct taskset *s);

/* All read a clock that was read since the last common call: they are told the
 * same again.  True: done. */
bool solo_frozen(struct taskset *s);

/* The leader's call is one that variants make at different places of the program,
 * even if all of them make it. */
bool solo_places(const struct taskset *s);

/* Is it about to read a clock? */
bool solo_clock(const struct task *t);

/* The same for one variant, at an entry while others are elsewhere. */
bool solo_one(struct taskset *s, unsigned int v);

#endif
