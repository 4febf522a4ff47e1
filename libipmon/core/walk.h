/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the walkers of one family need from each other.
 *
 * Rules for a walker:
 *  - read memory only through w->read, at most once per byte, into a buffer
 *    of its own (stack use below 1 KiB per function);
 *  - a count or length read from the variant is hostile: bound it as the
 *    kernel does, and when it is out of bounds emit it as a scalar and stop,
 *    because the kernel will refuse the call;
 *  - whatever decides how many items follow must itself have been emitted,
 *    or be an argument the row compares;
 *  - never emit pointers, padding or bytes the kernel does not look at.
 *
 * Every function here returns 0, a negative errno of emit, or -ENOSYS.
 */
#ifndef IPMON_CORE_WALK_H
#define IPMON_CORE_WALK_H

#include <ipmon/items.h>

#include "pure.h"

#define WALK_ENOSYS 38

#define WALK_IOV_MAX 1024	/* UIO_MAXIOV */
#define WALK_MMSG_MAX 1024	/* sendmmsg(2) clamps vlen to UIO_MAXIOV */

/* Which way the data of an iovec or msghdr flows. */
enum walk_dir { WALK_SEND, WALK_RECV };

/* walk.c */
int walk_read(struct ipmon_walk *w, void *dst, uint64_t src, size_t n);
/* 0 on success, 1 if an item for a null or unreadable pointer was emitted in
 * its place (the caller stops there, returning 0), negative from emit. */
int walk_fetch(struct ipmon_walk *w, unsigned int arg, void *dst, uint64_t src,
	       size_t n);
int walk_null(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
	      const char *label);
int walk_item(struct ipmon_walk *w, const struct ipmon_item *item);
int walk_str(struct ipmon_walk *w, unsigned int arg, uint64_t addr, size_t max,
	     const char *label);
int walk_strv(struct ipmon_walk *w, unsigned int arg, uint64_t addr);
int walk_iov(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
	     uint64_t count, enum walk_dir dir, unsigned int rule,
	     uint64_t aux, uint64_t min_ret);
/* Of a structure of `size` bytes we know `known`; an error from here: it has
 * members we do not know, and they are in use. */
int walk_tail(struct ipmon_walk *w, uint64_t addr, uint64_t known,
	      uint64_t size);
int walk_inout(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
	       uint64_t len, unsigned int rule, const char *label);
int walk_out_from(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		  uint64_t len, unsigned int rule, uint64_t aux,
		  uint64_t min_ret, const char *label);
/* Index of the n-th argument (from 0) that belongs to the walker. */
unsigned int walk_arg(const struct ipmon_walk *w, unsigned int n);
uint64_t walk_int(uint64_t reg);

/* walk_net.c */
int walk_sockaddr(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		  uint64_t len);
int walk_sockaddr_out(struct ipmon_walk *w, unsigned int arg);
int walk_lenptr(struct ipmon_walk *w, unsigned int arg);
int walk_msg(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
	     enum walk_dir dir);
int walk_mmsg(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
	      uint64_t vlen, enum walk_dir dir);
int walk_sockopt_get(struct ipmon_walk *w);
int walk_sockopt_set(struct ipmon_walk *w);
int walk_sock_fprog(struct ipmon_walk *w, unsigned int arg, uint64_t addr);

/* walk_poll.c */
int walk_fdset(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
	       uint64_t nfds);
int walk_pollfd(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		uint64_t nfds);
int walk_epoll_ctl(struct ipmon_walk *w);
int walk_epoll_wait(struct ipmon_walk *w);
int walk_select6(struct ipmon_walk *w);
int walk_io_submit(struct ipmon_walk *w);
int walk_io_getevents(struct ipmon_walk *w);

/* walk_signal.c */
int walk_sigset(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		uint64_t size);
int walk_sigset_out(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		    uint64_t size);
int walk_sigaction(struct ipmon_walk *w);
int walk_sigaltstack(struct ipmon_walk *w);
int walk_siginfo_in(struct ipmon_walk *w);
int walk_sigevent(struct ipmon_walk *w);

/* walk_ipc.c */
int walk_semctl(struct ipmon_walk *w);
int walk_shmctl(struct ipmon_walk *w);
int walk_msgctl(struct ipmon_walk *w);
int walk_msgsnd(struct ipmon_walk *w);
int walk_msgrcv(struct ipmon_walk *w);
int walk_mq_open(struct ipmon_walk *w);
int walk_futex(struct ipmon_walk *w);
int walk_futex_waitv(struct ipmon_walk *w);

/* walk_proc.c */
int walk_clone(struct ipmon_walk *w);
int walk_clone3(struct ipmon_walk *w);
int walk_prctl(struct ipmon_walk *w);
int walk_arch_prctl(struct ipmon_walk *w);
int walk_waitid(struct ipmon_walk *w);
int walk_capget(struct ipmon_walk *w);
int walk_capset(struct ipmon_walk *w);
int walk_seccomp(struct ipmon_walk *w);
int walk_sched_attr_set(struct ipmon_walk *w);
int walk_sched_attr_get(struct ipmon_walk *w);
int walk_process_vm(struct ipmon_walk *w);
int walk_process_madvise(struct ipmon_walk *w);
int walk_kcmp(struct ipmon_walk *w);

/* walk_fs.c */
int walk_fcntl(struct ipmon_walk *w);
int walk_openat2(struct ipmon_walk *w);
int walk_handle_get(struct ipmon_walk *w);
int walk_handle_open(struct ipmon_walk *w);
int walk_mount(struct ipmon_walk *w);
int walk_fsconfig(struct ipmon_walk *w);
int walk_statmount(struct ipmon_walk *w);
int walk_quotactl(struct ipmon_walk *w);
int walk_utimens(struct ipmon_walk *w);
int walk_xattrat(struct ipmon_walk *w);
int walk_landlock_attr(struct ipmon_walk *w);
int walk_landlock_rule(struct ipmon_walk *w);
int walk_vmsplice(struct ipmon_walk *w);

/* walk_misc.c */
int walk_mmap(struct ipmon_walk *w);
int walk_mincore(struct ipmon_walk *w);
int walk_mempolicy_set(struct ipmon_walk *w);
int walk_mempolicy_get(struct ipmon_walk *w);
int walk_migrate_pages(struct ipmon_walk *w);
int walk_move_pages(struct ipmon_walk *w);
int walk_timex(struct ipmon_walk *w);
int walk_lsm(struct ipmon_walk *w);
int walk_sysfs(struct ipmon_walk *w);
int walk_syslog(struct ipmon_walk *w);
int walk_keyctl(struct ipmon_walk *w);

/* walk_ioctl.c */
int walk_ioctl(struct ipmon_walk *w);

#endif
