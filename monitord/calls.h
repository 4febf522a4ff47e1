/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the user wants of single calls: theory of operation in calls.c.
 */
#ifndef MONITORD_CALLS_H
#define MONITORD_CALLS_H

#include "monitor.h"

/* Is this call refused by configuration? */
bool calls_denied(uint64_t nr);
/* All variants are at the same call.  True: it was such a one, and has been
 * refused. */
bool calls_denied_start(struct taskset *s);

/* For IP-MON: a byte per call, enum ipmon_wish.  False: all are zero. */
bool calls_table(uint8_t table[IPMON_NR_MAX]);

#endif
