/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes with priority inheritance: see pi.c.
 */
#ifndef IPMON_PI_H
#define IPMON_PI_H

#include "broker.h"

/*
 * Leader: the program's call (futex_pi()), made or waited for.  Nothing of its record
 * may be in the ring yet.  IPMON_KICKED: it is to be left to monitord.
 */
int64_t pi_call(struct ipmon_ctx *ctx, const struct ipmon_call *call);

#endif
