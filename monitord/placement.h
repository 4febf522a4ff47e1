/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cores monitord and the variants use; see placement.c.
 */
#ifndef MONITORD_PLACEMENT_H
#define MONITORD_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;
struct taskset;

/* In the tracer, before the variants are forked (they inherit it). */
void placement_start(void);
/* In a new variant: where its CPU= wants it. */
void placement_variant(unsigned int v);
/* How many cores the variants may use. */
unsigned int placement_cpus(void);
/* Looks at a word (struct ipmon_ctx, spin_max) that are worth it before somebody who
 * waits for another variant sleeps. */
unsigned int placement_spin(void);
/* From the event loop's ticker. */
void placement_tick(void);

/* sched_setaffinity, sched_setattr, sched_getaffinity (handlers.h). */
void affinity_set_start(struct taskset *s);
void sched_setattr_start(struct taskset *s);
void affinity_get_done(struct taskset *s, int64_t ret);
/* The kernel has told a task its own mask, `ret` bytes at `addr`: show what the
 * program is to see. */
void affinity_shown(struct task *t, uint64_t addr, int64_t ret);

/* A line "Cpus_allowed:\t..." of the leader's /proc/PID/status: is it changed to what
 * the program is to see?  Then this is its Cpus_allowed_list. */
bool placement_status(char *line);
void placement_list(char *list, size_t room);

#endif
