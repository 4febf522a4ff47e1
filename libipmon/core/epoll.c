/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll data: see epoll.h.
 */
#include "epoll.h"

#define EPFD_MAX	(EPOLL_RETIRED - 2)

unsigned int epoll_home(int epfd, int fd)
{
	/* eight places per descriptor, so that neighbours do not meet */
	return ((uint32_t)fd * 8 + (uint32_t)epfd * 4099 * 8) &
		(IPMON_EPOLL_SLOTS - 1);
}

static unsigned int nth(unsigned int from, unsigned int i)
{
	return (from + i) & (IPMON_EPOLL_SLOTS - 1);
}

uint64_t epoll_tag(const struct ipmon_epoll *t, int slot)
{
	return IPMON_EPOLL_TAG |
		(uint64_t)(t->owner & (IPMON_EPOLL_OWNERS - 1)) << 16 |
		(uint16_t)slot;
}

static uint32_t ep_word(const struct ipmon_epoll *t, uint32_t ep)
{
	return (t->owner & (IPMON_EPOLL_OWNERS - 1)) << 17 | ep;
}

int epoll_find(const struct ipmon_epoll *t, int epfd, int fd)
{
	unsigned int from = epoll_home(epfd, fd), i;

	for (i = 0; i < EPOLL_WINDOW; i++) {
		const struct ipmon_epoll_slot *s = &t->slot[nth(from, i)];

		if (!s->ep)
			return -1;
		if ((s->ep & EPOLL_EP) == (uint32_t)epfd + 1 &&
		    s->fd == (uint32_t)fd)
			return (int)nth(from, i);
	}
	return -1;
}

int epoll_place(const struct ipmon_epoll *t, int epfd, int fd)
{
	unsigned int from = epoll_home(epfd, fd), i;
	int oldest = -1;

	if (epfd < 0 || fd < 0 || (uint32_t)epfd > EPFD_MAX)
		return -1;
	for (i = 0; i < EPOLL_WINDOW; i++) {
		const struct ipmon_epoll_slot *s = &t->slot[nth(from, i)];

		if (!s->ep)
			return (int)nth(from, i);
		if ((s->ep & EPOLL_EP) == EPOLL_RETIRED &&
		    (oldest < 0 ||
		     (int32_t)(s->fd - t->slot[oldest].fd) < 0))
			oldest = (int)nth(from, i);
	}
	return oldest;
}

static void retire(struct ipmon_epoll *t, int slot)
{
	t->slot[slot].ep |= EPOLL_RETIRED;
	t->slot[slot].fd = t->age++;
}

void epoll_add(struct ipmon_epoll *t, int slot, int epfd, int fd,
	       uint64_t data)
{
	struct ipmon_epoll_slot *s = &t->slot[slot];
	int old = epoll_find(t, epfd, fd);

	if (old >= 0)
		retire(t, old);
	t->made++;
	s->ep = ep_word(t, (uint32_t)epfd + 1);
	s->fd = (uint32_t)fd;
	s->data = data;
}

void epoll_mod(struct ipmon_epoll *t, int slot, uint64_t data)
{
	struct ipmon_epoll_slot *s = &t->slot[slot];

	/* it may have been the parent's */
	s->ep = ep_word(t, s->ep & EPOLL_EP);
	s->data = data;
}

void epoll_del(struct ipmon_epoll *t, int epfd, int fd)
{
	int slot = epoll_find(t, epfd, fd);

	if (slot >= 0)
		retire(t, slot);
}

int epoll_data(const struct ipmon_epoll *t, uint64_t tag, uint64_t *data)
{
	const struct ipmon_epoll_slot *s = &t->slot[(uint16_t)tag];

	if ((tag & ~0x7fffffffull) != IPMON_EPOLL_TAG || !s->ep ||
	    s->ep >> 17 != (tag >> 16 & (IPMON_EPOLL_OWNERS - 1)))
		return -1;
	*data = s->data;
	return 0;
}
