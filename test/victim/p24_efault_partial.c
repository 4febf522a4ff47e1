/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffers that end at an unmapped page: short counts and errors exactly as
 * the kernel gives them.
 */
#include "victim.h"
int main(void)
{
	char *p = OK(mmap(NULL, 12288, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), *end = p + 8192;
	int fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600)), q[2], s[2], dir;
	struct iovec v[3] = { { p, 10 }, { end - 5, 100 }, { p, 10 } };
	char b[300];

	OK(munmap(end, 4096));
	memset(p, 'm', 8192);
	printf("write %zd\n", write(fd, end - 100, 200));
	printf("write2 %zd\n", write(fd, end - 4196, 8000));
	OK(lseek(fd, 0, SEEK_SET));
	printf("writev %zd\n", writev(fd, v, 3));
	OK(ftruncate(fd, 9000));
	printf("pread %zd\n", pread(fd, end - 100, 200, 0));
	printf("preadv %zd\n", preadv(fd, v, 3, 0));
	OK(pipe(q));
	printf("pipe write %zd %d\n", write(q[1], end - 100, 200), errno);
	OK(fcntl(q[0], F_SETFL, O_NONBLOCK));
	printf("pipe holds %zd\n", read(q[0], b, 300));
	CHECK(write(q[1], b, 200) == 200);
	printf("pipe read %zd\n", read(q[0], end - 100, 200));
	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	printf("send %zd %d\n", send(s[0], end - 100, 200, 0), errno);
	CHECK(send(s[0], b, 200, 0) == 200);
	printf("recv %zd %d\n", recv(s[1], end - 100, 200, 0), errno);
	/* a path that is not terminated before the end */
	memset(end - 10, 'a', 10);
	printf("open %d %d\n", open(end - 10, O_RDONLY), errno);
	strcpy(end - 2, ".");
	CHECK(open(end - 2, O_RDONLY) >= 0);
	/* a struct over the edge */
	FAILS(syscall(SYS_stat, ".", end - 20), EFAULT);
	FAILS(syscall(SYS_pipe, end - 4), EFAULT);
	OK(syscall(SYS_pipe, end - 8));
	for (int i = 0; i < 20; i++) {
		snprintf(b, 300, "file-%d", i);
		put_file(b, "");
	}
	dir = OK(open(".", O_RDONLY | O_DIRECTORY));
	CHECK(syscall(SYS_getdents64, dir, end - 100, 4096) > 0);
	FAILS(syscall(SYS_getdents64, OK(open(".", O_RDONLY)), end - 4, 4096), EFAULT);
	CHECK(getcwd(end - 5, 5) == NULL && errno == ERANGE);
	return 0;
}
