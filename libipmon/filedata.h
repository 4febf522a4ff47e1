/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that change what a file contains: filedata.c.
 */
#ifndef IPMON_FILEDATA_H
#define IPMON_FILEDATA_H

#include "broker.h"

int filedata_changes(const struct ipmon_hot *hot, uint64_t nr, const uint64_t args[6]);

/* Leader: does any file count at present? */
static inline int filedata_any(const struct ipmon_ctx *ctx)
{
	const struct ipmon_hot *hot = (const void *)(uintptr_t)ctx->hot;

	return hot && __atomic_load_n(&hot->used, __ATOMIC_ACQUIRE);
}

/* Leader: is this call (PLAN_FILEDATA) to be left to monitord, because it may write
 * to a file that followers have a copy of? */
static inline int filedata_left(const struct ipmon_ctx *ctx, uint64_t nr,
				const uint64_t args[6])
{
	const struct ipmon_hot *hot = (const void *)(uintptr_t)ctx->hot;

	return filedata_any(ctx) &&
		filedata_changes(hot, nr, args);
}

#endif
