// SPDX-License-Identifier: Apache-2.0
/*
 * Events the leader gets from an epoll instance.
 *
 * What the kernel returns carries tags (core/epoll.h).  Events whose tag we do
 * not know are dropped, and so are those of connections that the program has
 * closed (hold_end.c): it must not see them.  What is left goes to the followers
 * as it is, and gets the program's own data here.
 */
#include "hold.h"

int64_t known_events(const struct ipmon_ctx *ctx, uint64_t addr, int64_t n)
{
	int64_t i, kept = 0;

	for (i = 0; i < n; i++) {
		struct packed_event ev;
		enum hold_event how;
		uint32_t events;
		uint64_t data;

		if (mem_get(&ev, addr + (uint64_t)i * sizeof(ev), sizeof(ev)))
			break;
		if (epoll_lookup(ctx, ev.data, &data))
			continue;
		how = EVENT_KEPT;
		if (hold_ends(ctx)) {
			events = ev.events;
			how = hold_event(ctx, ev.data, &events);
			ev.events = events;
		}
		if (how == EVENT_GONE)
			continue;
		if (kept != i || how == EVENT_CHANGED)
			mem_put(addr + (uint64_t)kept * sizeof(ev), &ev,
				sizeof(ev));
		kept++;
	}
	return kept;
}

void own_events(const struct ipmon_ctx *ctx, uint64_t addr, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		uint64_t at = addr + (uint64_t)i * sizeof(struct packed_event) +
			offsetof(struct packed_event, data);
		uint64_t data;

		if (mem_get(&data, at, sizeof(data)) ||
		    epoll_lookup(ctx, data, &data))
			continue;
		mem_put(at, &data, sizeof(data));
	}
}
