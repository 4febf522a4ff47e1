/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls on channels of the program's own, in-process: channels.c.
 */
#ifndef IPMON_CHANNELS_H
#define IPMON_CHANNELS_H

#include "broker.h"

/* Leader: may there be an address in what this call writes?  Then monitord has to
 * see it. */
int channel_has_address(const struct ipmon_ctx *ctx, uint64_t nr,
			const uint64_t args[6]);
/* Follower: this call has read `ret` bytes, as the leader got them. */
void channel_translate(const struct ipmon_ctx *ctx, uint64_t nr,
		       const uint64_t args[6], int64_t ret);

#endif
