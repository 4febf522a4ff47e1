/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Followers that stay awake: see pace.c.
 */
#ifndef IPMON_PACE_H
#define IPMON_PACE_H

#include "broker.h"

/* Leader, verified: an output is held. */
void pace_output(struct ipmon_ctx *ctx);
/* So many outputs took so long, with followers `awake` or not: are they to be? */
int pace_measured(struct ipmon_pace *p, uint64_t took, int awake);
/* Is this ring's leader better off with followers that stay awake? */
int pace_awake(const struct ipmon_ctx *ctx);
/* Wait, awake, until the position at *word has reached `from`; 0: it has not, for some
 * 300 us, or there is a rendezvous. */
int pace_wait(struct ipmon_ctx *ctx, const uint64_t *word, uint64_t from);

#endif
