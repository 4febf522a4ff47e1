/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Absurd sizes and counts are answered as by the kernel and cost the monitor
 * nothing.
 */
#include "victim.h"
int main(void)
{
	int p[2], s[2], f = OK(open("f", O_RDWR | O_CREAT, 0600));
	static char b[1 << 20] = "x";
	struct iovec v = { b, (size_t)-1 };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = (size_t)-1 };
	struct epoll_event ev;

	OK(pipe(p));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	FAILS(syscall(SYS_readv, f, &v, 0x7fffffffffffffff), EINVAL);
	FAILS(syscall(SYS_writev, f, &v, 1), EINVAL);
	FAILS(syscall(SYS_sendmsg, s[0], &h, 0), EMSGSIZE);
	h.msg_iovlen = 1;
	h.msg_controllen = (size_t)-1;
	h.msg_control = b;
	v.iov_len = 1;
	FAILS(syscall(SYS_sendmsg, s[0], &h, 0), ENOBUFS);
	FAILS(syscall(SYS_poll, b, 0xffffffff, 0), EINVAL);
	FAILS(syscall(SYS_epoll_wait, OK(epoll_create1(0)), &ev, 0x7fffffff, 0), EINVAL);
	FAILS(syscall(SYS_sendto, s[0], b, 1, 0, b, 4096), EINVAL);
	FAILS(syscall(SYS_bind, s[0], b, -1), EINVAL);
	FAILS(syscall(SYS_setsockopt, s[0], SOL_SOCKET, SO_RCVBUF, b, -1), EINVAL);
	FAILS(syscall(SYS_getgroups, -1, b), EINVAL);
	FAILS(syscall(SYS_setgroups, 70000, b), EINVAL);
	FAILS(syscall(SYS_semop, 0, b, 100000), E2BIG);
	FAILS(syscall(SYS_mmap, 0, -1l, 3, 0x22, -1, 0), ENOMEM);
	FAILS(syscall(SYS_getxattr, ".", "user.x", b, 1ul << 40) == -1 ? -1 : 0, errno);
	FAILS(syscall(SYS_setxattr, ".", "user.x", b, 1ul << 40, 0), E2BIG);
	FAILS(syscall(SYS_rt_sigprocmask, 0, b, 0, 9), EINVAL);
	FAILS(syscall(SYS_rt_sigaction, SIGUSR1, b, 0, 7), EINVAL);
	FAILS(syscall(SYS_getcwd, b, 0), ERANGE);
	FAILS(syscall(SYS_readlink, "/proc/self/exe", b, 0), EINVAL);
	FAILS(syscall(SYS_readlink, "/proc/self/exe", b, -5), EINVAL);
	CHECK(syscall(SYS_write, p[1], b, 0) == 0);
	FAILS(syscall(SYS_sched_getaffinity, 0, 3, b), EINVAL);
	FAILS(syscall(SYS_futex, b, FUTEX_WAIT, *(int *)b, &(struct timespec){ 0, 2000000000 }, 0, 0), EINVAL);
	FAILS(syscall(SYS_nanosleep, &(struct timespec){ -1, 0 }, NULL), EINVAL);
	FAILS(syscall(SYS_prctl, PR_SET_NAME, 0, 0, 0, 0), EFAULT);
	puts("huge ok");
	return 0;
}
