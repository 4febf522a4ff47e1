/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cores monitord and the variants use; see placement.c.
 */
#ifndef MONITORD_PLACEMENT_H
#define MONITORD_PLACEMENT_H

#include <stdint.h>

struct taskset;

/* In the tracer, before the variants are forked (they inherit it). */
void placement_start(void);
/* From the event loop's ticker. */
void placement_tick(void);

/* sched_setaffinity, sched_getaffinity (handlers.h). */
void affinity_set_start(struct taskset *s);
void affinity_get_done(struct taskset *s, int64_t ret);

#endif
