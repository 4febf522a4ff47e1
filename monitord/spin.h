/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that wait by going round a loop: theory of operation in spin.c.
 */
#ifndef MONITORD_SPIN_H
#define MONITORD_SPIN_H

#include "monitor.h"

/* May anything be replaced in its text, and be of use? */
bool spin_may_replace(const struct taskset *s);

/* All variants stand in the program's code, AT_STOP: if that is a loop within another one
 * that always begins with the same state, they are brought there.  0, -ENOENT, or
 * -EAGAIN as meet_set(). */
int spin_meet(struct taskset *s);

/* All variants stand in the program's code, AT_STOP, about to be parked: if it is a loop
 * that waits, the turn is handed on there from now on without that. */
void spin_found(struct taskset *s);

#endif
