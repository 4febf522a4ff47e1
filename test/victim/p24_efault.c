/* SPDX-License-Identifier: Apache-2.0 */
/* Bad addresses answer EFAULT and harm nothing, for many calls. */
#include "victim.h"
static char *bad = (char *)0x7ffffffff000ul;

int main(void)
{
	int p[2], s[2], fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	struct iovec v = { bad, 10 };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };
	struct sigevent *sev = (struct sigevent *)bad;
	timer_t t;

	OK(pipe(p));
	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	FAILS(write(fd, bad, 10), EFAULT);
	FAILS(write(p[1], bad, 10), EFAULT);
	CHECK(write(fd, "0123456789", 10) == 10);
	FAILS(pread(fd, bad, 10, 0), EFAULT);
	FAILS(pwrite(fd, bad, 10, 0), EFAULT);
	FAILS(readv(fd, (struct iovec *)bad, 2), EFAULT);
	FAILS(writev(fd, (struct iovec *)bad, 2), EFAULT);
	FAILS(writev(fd, &v, 1), EFAULT);
	FAILS(preadv(fd, &v, 1, 0), EFAULT);
	FAILS(open(bad, O_RDONLY), EFAULT);
	FAILS(stat(bad, (struct stat *)&v), EFAULT);
	FAILS(syscall(SYS_stat, ".", bad), EFAULT);
	FAILS(syscall(SYS_fstat, fd, bad), EFAULT);
	FAILS(syscall(SYS_newfstatat, AT_FDCWD, ".", bad, 0), EFAULT);
	FAILS(syscall(SYS_statx, AT_FDCWD, ".", 0, STATX_ALL, bad), EFAULT);
	FAILS(readlink("/proc/self/exe", bad, 100), EFAULT);
	FAILS(syscall(SYS_getcwd, bad, 1000), EFAULT);
	FAILS(chdir(bad), EFAULT);
	FAILS(mkdir(bad, 0755), EFAULT);
	FAILS(unlink(bad), EFAULT);
	FAILS(rename("f", bad), EFAULT);
	FAILS(symlink("f", bad), EFAULT);
	FAILS(chmod(bad, 0755), EFAULT);
	FAILS(syscall(SYS_getdents64, OK(open(".", O_RDONLY)), bad, 1000), EFAULT);
	FAILS(pipe((int *)bad), EFAULT);
	FAILS(poll((struct pollfd *)bad, 1, 0), EFAULT);
	FAILS(select(3, (fd_set *)bad, NULL, NULL, NULL), EFAULT);
	FAILS(syscall(SYS_gettimeofday, bad, NULL), EFAULT);
	FAILS(syscall(SYS_clock_gettime, 0, bad), EFAULT);
	FAILS(syscall(SYS_nanosleep, bad, NULL), EFAULT);
	FAILS(syscall(SYS_uname, bad), EFAULT);
	FAILS(syscall(SYS_sysinfo, bad), EFAULT);
	FAILS(syscall(SYS_getrlimit, RLIMIT_CPU, bad), EFAULT);
	FAILS(syscall(SYS_getrusage, 0, bad), EFAULT);
	FAILS(syscall(SYS_times, bad), EFAULT);
	FAILS(syscall(SYS_rt_sigaction, SIGUSR1, bad, NULL, 8), EFAULT);
	FAILS(syscall(SYS_rt_sigprocmask, SIG_SETMASK, bad, NULL, 8), EFAULT);
	FAILS(syscall(SYS_sigaltstack, bad, NULL), EFAULT);
	FAILS(bind(s[0], (struct sockaddr *)bad, 16), EFAULT);
	FAILS(connect(s[0], (struct sockaddr *)bad, 16), EFAULT);
	FAILS(getsockname(s[0], (struct sockaddr *)bad, (void *)(bad + 4)), EFAULT);
	FAILS(send(s[0], bad, 10, 0), EFAULT);
	FAILS(sendmsg(s[0], (struct msghdr *)bad, 0), EFAULT);
	FAILS(sendmsg(s[0], &h, 0), EFAULT);
	CHECK(send(s[0], "x", 1, 0) == 1);
	FAILS(recv(s[1], bad, 10, 0), EFAULT);
	FAILS(getsockopt(s[0], SOL_SOCKET, SO_TYPE, bad, (void *)(bad + 4)), EFAULT);
	FAILS(setsockopt(s[0], SOL_SOCKET, SO_RCVBUF, bad, 4), EFAULT);
	FAILS(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, bad), EFAULT);
	FAILS(syscall(SYS_epoll_ctl, OK(epoll_create(1)), EPOLL_CTL_ADD, p[0], bad), EFAULT);
	FAILS(syscall(SYS_futex, bad, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	FAILS(syscall(SYS_getrandom, bad, 10, 0), EFAULT);
	FAILS(syscall(SYS_timer_create, CLOCK_REALTIME, sev, &t), EFAULT);
	FAILS(syscall(SYS_timerfd_settime, OK(timerfd_create(0, 0)), 0, bad, NULL), EFAULT);
	FAILS(syscall(SYS_setitimer, ITIMER_REAL, bad, NULL), EFAULT);
	FAILS(syscall(SYS_ioctl, p[0], FIONREAD, bad), EFAULT);
	FAILS(syscall(SYS_fcntl, fd, F_GETLK, bad), EFAULT);
	FAILS(sendfile(p[1], fd, (off_t *)bad, 5), EFAULT);
	FAILS(syscall(SYS_execve, bad, NULL, NULL), EFAULT);
	FAILS(getxattr(bad, "user.x", NULL, 0), EFAULT);
	FAILS(syscall(SYS_sched_setaffinity, 0, 8, bad), EFAULT);
	FAILS(syscall(SYS_capget, bad, bad), EFAULT);
	FAILS(statfs(bad, (struct statfs *)&v), EFAULT);
	puts("efault ok");
	return 0;
}
