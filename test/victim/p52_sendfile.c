/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendfile, splice, tee, copy_file_range: counts, offsets in and out of
 * files, pipes and sockets.
 */
#include "victim.h"
int main(void)
{
	int f = OK(open("in", O_RDWR | O_CREAT | O_TRUNC, 0600)), o, s[2], p[2], q[2];
	char b[100];
	off_t off = 5;
	loff_t li = 2, lo = 4;

	CHECK(write(f, "0123456789", 10) == 10);
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK(sendfile(s[0], f, &off, 100) == 5 && off == 10);
	CHECK(read(s[1], b, 100) == 5 && memcmp(b, "56789", 5) == 0);
	CHECK(lseek(f, 0, SEEK_CUR) == 10);
	OK(lseek(f, 7, SEEK_SET));
	CHECK(sendfile(s[0], f, NULL, 2) == 2 && lseek(f, 0, SEEK_CUR) == 9);
	CHECK(read(s[1], b, 100) == 2);
	o = OK(open("out", O_RDWR | O_CREAT | O_TRUNC, 0600));
	off = 0;
	CHECK(sendfile(o, f, &off, 4) == 4);
	CHECK(copy_file_range(f, &li, o, &lo, 6, 0) == 6 && li == 8 && lo == 10);
	CHECK(pread(o, b, 100, 0) == 10 && memcmp(b, "0123234567", 10) == 0);
	OK(pipe(p));
	OK(pipe(q));
	li = 1;
	CHECK(splice(f, &li, p[1], NULL, 5, 0) == 5 && li == 6);
	CHECK(tee(p[0], q[1], 100, 0) == 5);
	CHECK(read(q[0], b, 100) == 5 && memcmp(b, "12345", 5) == 0);
	lo = 20;
	CHECK(splice(p[0], NULL, o, &lo, 100, SPLICE_F_MOVE) == 5 && lo == 25);
	FAILS(splice(p[0], NULL, o, NULL, 10, SPLICE_F_NONBLOCK), EAGAIN);
	FAILS(splice(f, NULL, o, NULL, 10, 0), EINVAL);
	FAILS(sendfile(9999, f, NULL, 1), EBADF);
	FAILS(tee(f, p[1], 1, 0), EINVAL);
	puts("sendfile ok");
	return 0;
}
