/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dup, dup2, dup3, F_DUPFD: numbers, flags, shared offsets, onto open and
 * closed ones.
 */
#include "victim.h"
int main(void)
{
	int fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600)), d, e;
	char b[8];

	d = OK(dup(fd));
	CHECK(d == fd + 1);
	CHECK(dup2(fd, 50) == 50 && dup2(fd, fd) == fd);
	CHECK(dup3(fd, 60, O_CLOEXEC) == 60);
	FAILS(dup3(fd, fd, 0), EINVAL);
	FAILS(dup3(fd, 61, O_APPEND), EINVAL);
	FAILS(dup2(999, 5), EBADF);
	FAILS(dup2(fd, -1), EBADF);
	FAILS(dup2(fd, 1 << 30), EBADF);
	CHECK(fcntl(60, F_GETFD) == FD_CLOEXEC && fcntl(50, F_GETFD) == 0);
	CHECK(fcntl(fd, F_DUPFD, 100) == 100);
	CHECK(fcntl(fd, F_DUPFD, 100) == 101);
	CHECK(fcntl(fd, F_DUPFD_CLOEXEC, 100) == 102 && fcntl(102, F_GETFD) == 1);
	FAILS(fcntl(fd, F_DUPFD, -1), EINVAL);
	CHECK(write(d, "abc", 3) == 3 && write(50, "def", 3) == 3 && write(101, "ghi", 3) == 3);
	CHECK(lseek(fd, 0, SEEK_CUR) == 9);
	CHECK(lseek(102, 1, SEEK_SET) == 1 && read(fd, b, 2) == 2 && memcmp(b, "bc", 2) == 0);
	/* the status flags are the description's */
	OK(fcntl(d, F_SETFL, O_APPEND | O_NONBLOCK));
	CHECK((fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK)) == (O_APPEND | O_NONBLOCK));
	/* standard output saved, redirected, restored */
	e = OK(dup(1));
	d = OK(open("redirected", O_WRONLY | O_CREAT | O_TRUNC, 0644));
	fflush(stdout);
	OK(dup2(d, 1));
	puts("into the file");
	fflush(stdout);
	OK(dup2(e, 1));
	puts("back on stdout");
	close(1);
	CHECK(open("redirected", O_WRONLY | O_APPEND) == 1);
	puts("by reopening");
	fflush(stdout);
	OK(dup2(e, 1));
	CHECK(write(e, "by the duplicate\n", 17) == 17);
	return 0;
}
