/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls on the caller's own memory (memcalls.c).
 */
#ifndef IPMON_MEMCALLS_H
#define IPMON_MEMCALLS_H

#include "broker.h"

struct ipmon_outcome leader_memory(struct ipmon_ctx *ctx, struct ipmon_frame *f,
				   const struct ipmon_plan *plan);
/* The follower's own call; `leader` is what its record says, or MEMORY_ALONE:
 * there is none. */
int64_t follower_memory(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
			int64_t leader);
#define MEMORY_ALONE	INT64_MIN
/* Is the memory of this call where only monitord may touch it? */
int memory_is_monitords(const struct ipmon_frame *f);

#endif
