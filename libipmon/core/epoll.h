/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of what programs attach to their epoll registrations.
 *
 * Theory of operation
 * -------------------
 * Every variant of a process has one (struct ipmon_epoll) and makes the same
 * changes to it in the same order, so a registration has the same slot in all
 * of them, and the kernel, which knows the leader's registrations only, can be
 * given the slot's index in place of the data.
 *
 * A descriptor may be closed and its number registered anew while the old
 * registration lives on under a duplicate (epoll(7)).  So a new registration
 * gets a slot of its own and the old one is retired: its data stays until the
 * slot is needed, the longest retired first.
 *
 * epoll instances are shared by processes after a fork, their tables are not: a
 * tag says which process made the registration.  A child inherits the slots of
 * its parent's as they were; what either adds later the other does not know
 * (IPMON_NR_EPOLL_DATA).
 *
 * A slot is looked for in a window behind the place the descriptor's number
 * points to.  Pure code.
 */
#ifndef IPMON_CORE_EPOLL_H
#define IPMON_CORE_EPOLL_H

#include <ipmon/abi.h>

#define EPOLL_WINDOW	32u
#define EPOLL_EP	0x1ffffu	/* bits of slot.ep that name the instance */
#define EPOLL_RETIRED	0x1ffffu

/* First slot of the window of (epfd, fd). */
unsigned int epoll_home(int epfd, int fd);
/* What the kernel is given for this slot. */
uint64_t epoll_tag(const struct ipmon_epoll *t, int slot);

/* The slot of a live registration, or -1. */
int epoll_find(const struct ipmon_epoll *t, int epfd, int fd);

/* The slot a new registration would get, or -1: no room.  Nothing is changed:
 * the kernel may refuse the registration. */
int epoll_place(const struct ipmon_epoll *t, int epfd, int fd);

/* The registration has been made: `slot` came from epoll_place(). */
void epoll_add(struct ipmon_epoll *t, int slot, int epfd, int fd,
	       uint64_t data);
/* It has been changed: `slot` came from epoll_find(). */
void epoll_mod(struct ipmon_epoll *t, int slot, uint64_t data);
/* It has been removed. */
void epoll_del(struct ipmon_epoll *t, int epfd, int fd);

/* What the program attached to the registration the kernel names by `tag`: 0,
 * or -1 if it is no tag, or not one of this table. */
int epoll_data(const struct ipmon_epoll *t, uint64_t tag, uint64_t *data);

#endif
