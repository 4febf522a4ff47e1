/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll data: see epoll.h.
 */
#include "epoll.h"

static unsigned int home(int epfd, int fd)
{
	/* eight places per descriptor, so that neighbours do not meet */
	return ((uint32_t)fd * 8 + (uint32_t)epfd * 4099 * 8) &
		(IPMON_EPOLL_SLOTS - 1);
}

static unsigned int nth(unsigned int from, unsigned int i)
{
	return (from + i) & (IPMON_EPOLL_SLOTS - 1);
}

int epoll_find(const struct ipmon_epoll *t, int epfd, int fd)
{
	unsigned int from = home(epfd, fd), i;

	for (i = 0; i < EPOLL_WINDOW; i++) {
		const struct ipmon_epoll_slot *s = &t->slot[nth(from, i)];

		if (!s->ep)
			return -1;
		if (s->ep == (uint32_t)epfd + 1 && s->fd == (uint32_t)fd)
			return (int)nth(from, i);
	}
	return -1;
}

int epoll_place(const struct ipmon_epoll *t, int epfd, int fd)
{
	unsigned int from = home(epfd, fd), i;
	int oldest = -1;

	if (epfd < 0 || fd < 0)
		return -1;
	for (i = 0; i < EPOLL_WINDOW; i++) {
		const struct ipmon_epoll_slot *s = &t->slot[nth(from, i)];

		if (!s->ep)
			return (int)nth(from, i);
		if (s->ep == EPOLL_RETIRED &&
		    (oldest < 0 ||
		     (int32_t)(s->fd - t->slot[oldest].fd) < 0))
			oldest = (int)nth(from, i);
	}
	return oldest;
}

static void retire(struct ipmon_epoll *t, int slot)
{
	t->slot[slot].ep = EPOLL_RETIRED;
	t->slot[slot].fd = t->age++;
}

void epoll_add(struct ipmon_epoll *t, int slot, int epfd, int fd,
	       uint64_t data)
{
	struct ipmon_epoll_slot *s = &t->slot[slot];
	int old = epoll_find(t, epfd, fd);

	if (old >= 0)
		retire(t, old);
	s->ep = (uint32_t)epfd + 1;
	s->fd = (uint32_t)fd;
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
	const struct ipmon_epoll_slot *s;

	if ((tag & ~0xffffffffull) != IPMON_EPOLL_TAG ||
	    (uint32_t)tag >= IPMON_EPOLL_SLOTS)
		return -1;
	s = &t->slot[(uint32_t)tag];
	if (!s->ep)
		return -1;
	*data = s->data;
	return 0;
}
