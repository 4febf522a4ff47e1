/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors above 1024, and above 65536 where the limit can be raised so far:
 * every call that makes one, and calls on them.
 */
#include "victim.h"

static void use(int fd, const char *name)
{
	char b[8] = "";
	struct stat st, st2;
	int ep = OK(epoll_create1(0)), fds[2];
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	struct epoll_event ev = { EPOLLIN, { .ptr = b } }, got;

	CHECK(pwrite(fd, name, 4, 0) == 4 && pread(fd, b, 4, 0) == 4);
	CHECK(!memcmp(b, name, 4));
	CHECK(lseek(fd, 2, SEEK_SET) == 2 && read(fd, b, 8) >= 2);
	OK(fstat(fd, &st));
	OK(pipe(fds));
	/* pipe ends at high numbers, too */
	CHECK(dup2(fds[0], fd + 1) == fd + 1 && dup2(fds[1], fd + 2) == fd + 2);
	OK(close(fds[0]));
	OK(close(fds[1]));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd + 1, &ev));
	p[0].fd = fd + 1;
	p[1].fd = fd;
	CHECK(poll(p, 1, 0) == 0);
	CHECK(write(fd + 2, "x", 1) == 1);
	CHECK(poll(p, 2, 0) == 2 && p[0].revents == POLLIN);
	CHECK(epoll_wait(ep, &got, 1, 0) == 1 && got.data.ptr == b);
	CHECK(read(fd + 1, b, 1) == 1 && b[0] == 'x');
	CHECK(fcntl(fd, F_DUPFD_CLOEXEC, fd + 3) == fd + 3);
	CHECK(fcntl(fd + 3, F_GETFD) == FD_CLOEXEC);
	CHECK(dup3(fd, fd + 4, 0) == fd + 4);
	OK(fstat(fd + 4, &st2));
	CHECK(st.st_ino == st2.st_ino);
	OK(close(ep));
	for (int i = 1; i < 5; i++) {
		OK(close(fd + i));
		FAILS(read(fd + i, b, 1), EBADF);
	}
	printf("%s\n", name);
}

int main(void)
{
	int f = OK(open("f", O_RDWR | O_CREAT, 0600)), fd, last = -1;
	struct rlimit l;

	OK(getrlimit(RLIMIT_NOFILE, &l));
	if (l.rlim_max < 70000) {
		struct rlimit m = { 70000, 70000 };

		if (!setrlimit(RLIMIT_NOFILE, &m))
			l = m;
	}
	l.rlim_cur = l.rlim_max;
	OK(setrlimit(RLIMIT_NOFILE, &l));
	CHECK(dup2(f, 500) == 500);
	use(500, "below 1024");
	CHECK(dup2(f, 1030) == 1030);
	use(1030, "above 1024");
	CHECK(fcntl(f, F_DUPFD, 4097) == 4097);
	use(4097, "above 4096");
	/* by open itself, as the lowest one that is free */
	for (int i = 0; i < 1100; i++)
		last = OK(open("f", O_RDONLY));
	CHECK(last > 1024);
	CHECK(pread(last, (char[4]){ 0 }, 4, 0) == 4);
	for (int i = last; i > last - 1100; i--)
		if (i != 1030)
			close(i);
	if (l.rlim_cur >= 70000) {
		FAILS(dup2(f, (int)l.rlim_cur), EBADF);
		CHECK(dup2(f, 65534) == 65534);
		use(65534, "around 65536");
		CHECK((fd = fcntl(f, F_DUPFD, 65990)) == 65990);
		use(fd, "above 65536");
		OK(close(fd));
		FAILS(close(fd), EBADF);
	}
	OK(close(1030));
	return 0;
}
