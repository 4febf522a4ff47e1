/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows whose meaning depends on a flag or command: unused arguments hold
 * garbage, wrong ones are refused.
 */
#include <sys/epoll.h>
#include "victim.h"
int main(void)
{
	int fd;
	long junk = 0x123456789abcdefl;

	fd = OK(syscall(SYS_open, "f", O_RDWR | O_CREAT, 0600, junk, junk, junk));
	OK(syscall(SYS_open, "f", O_RDWR, junk, junk));
	OK(syscall(SYS_fcntl, fd, F_GETFD, junk));
	OK(syscall(SYS_fcntl, fd, F_GETOWN, junk));
	OK(syscall(SYS_fcntl, fd, F_GETSIG, junk));
	OK(syscall(SYS_prctl, PR_GET_KEEPCAPS, 0, 0, 0, 0));
	FAILS(syscall(SYS_fcntl, fd, 4242, junk), EINVAL);
	FAILS(syscall(SYS_ioctl, fd, 0x12345678, junk), ENOTTY);
	FAILS(syscall(SYS_prctl, 77777, junk), EINVAL);
	FAILS(syscall(SYS_openat, AT_FDCWD, "f", O_RDWR | O_CREAT | O_DIRECTORY, 0600), EINVAL);
	FAILS(syscall(SYS_lseek, fd, 0, junk), EINVAL);
	FAILS(syscall(SYS_socket, 9999, 1, 0), EAFNOSUPPORT);
	FAILS(syscall(SYS_shutdown, fd, 2), ENOTSOCK);
	FAILS(syscall(SYS_fsync, -5), EBADF);
	/* 32-bit arguments with junk in the upper halves */
	CHECK(syscall(SYS_read, fd | 0x7700000000l, &junk, 0) == 0);
	CHECK(syscall(SYS_lseek, fd | 0x1100000000l, 0, SEEK_SET | 0x100000000l) == 0);
	OK(syscall(SYS_close, fd | 0x100000000l));
	FAILS(syscall(SYS_close, fd), EBADF);
	/* the size of a mask that is not there: an address, as Go leaves it */
	fd = OK(epoll_create1(0));
	for (int i = 0; i < 4; i++) {
		struct epoll_event ev;

		CHECK(!syscall(SYS_epoll_pwait, fd, &ev, 1, 0, NULL, &junk));
		CHECK(!syscall(SYS_ppoll, NULL, 0, &(struct timespec){ 0 }, NULL,
			       &junk));
	}
	puts("garbage ok");
	return 0;
}
