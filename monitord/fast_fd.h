/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What monitord and IP-MON both know about descriptors: which are left to
 * monitord, and what programs attached to epoll registrations.  Theory of
 * operation in fast_fd.c.  All of it does nothing for a process without
 * IP-MON.
 */
#ifndef MONITORD_FAST_FD_H
#define MONITORD_FAST_FD_H

#include "monitor.h"

/* The process has just got its tables: mark what it has inherited. */
void fast_fd_setup(struct taskset *s);
/* The tables were the parent's until now: a fork. */
void fast_fd_forked(struct taskset *s);
/* Calls on this descriptor of the process are left to monitord, or not. */
void fast_fd_set(struct taskset *s, int fd, bool slow);
/* The same for an end of an internal channel: data that cannot be an address
 * may be written in-process. */
void fast_fd_channel(struct taskset *s, int fd);
/* --level: which descriptors are no sockets, after any call. */
void fast_fd_kinds(struct taskset *s, int64_t ret);
/* A call that monitord handled has returned: descriptors it made or closed. */
void fast_fd_done(struct taskset *s, int64_t ret);

/*
 * epoll_ctl(epfd, op, fd): the slot and the tag to register, in place of a
 * cookie.  -1: this process has no table, or no room in it.
 */
int fast_epoll_slot(struct taskset *s, int op, int epfd, int fd,
		    uint64_t *tag);
/* It has succeeded, for the slot or (-1) without one. */
void fast_epoll_done(struct taskset *s, int op, int slot, int epfd, int fd,
		     const uint64_t data[MAX_VARIANTS]);
/* Is it one of our tags at all? */
bool fast_epoll_is_tag(uint64_t tag);
/* What variant v attached to the registration that `tag` stands for. */
bool fast_epoll_data(struct taskset *s, unsigned int v, uint64_t tag,
		     uint64_t *data);
/* The reserved call IPMON_NR_EPOLL_DATA of one task. */
void fast_epoll_ask(struct task *t);

#endif
