/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MONITORD_FAST_FLUSH_H
#define MONITORD_FAST_FLUSH_H

#include <signal.h>
#include <stdbool.h>

struct task;
struct taskset;

/* The leader has been stopped at the entry of a call; in user code (si: by a fault or
 * a trap).  True: it is sending what it held, and will come here again. */
bool fast_flush_entry(struct task *t);
bool fast_flush_stop(struct task *t, const siginfo_t *si);
/* Does the leader hold anything, or is it sending it? */
bool fast_flush_due(const struct task *t);
/* At an entry: is it the end of that? */
bool fast_flushed(struct task *t);
/* A set's turn at each tick. */
void fast_flush_tick(struct taskset *s);

#endif
