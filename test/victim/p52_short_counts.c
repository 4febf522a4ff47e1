/* SPDX-License-Identifier: Apache-2.0 */
/* Short reads and writes: pipes, sockets, ends of file, huge counts. */
#include "victim.h"
int main(void)
{
	int p[2], f = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	static char big[200000];
	char b[100] = "";
	struct iovec v[3] = { { b, 3 }, { b + 10, 0 }, { b + 20, 50 } };

	OK(pipe2(p, O_NONBLOCK));
	printf("write %zd\n", write(p[1], big, sizeof(big)));
	printf("read %zd\n", read(p[0], big, sizeof(big)));
	CHECK(write(p[1], "abcdefgh", 8) == 8);
	CHECK(readv(p[0], v, 3) == 8 && memcmp(b, "abc", 3) == 0 && memcmp(b + 20, "defgh", 5) == 0);
	CHECK(writev(f, v, 3) == 53);
	CHECK(pread(f, big, 0x7fffffff, 0) == 53);
	CHECK(pread(f, b, 100, 50) == 3);
	CHECK(pread(f, b, 100, 5000) == 0);
	CHECK(preadv(f, v, 3, 51) == 2);
	CHECK(preadv2(f, v, 3, 0, 0) == 53);
	CHECK(pwritev(f, v, 3, 1000) == 53);
	CHECK(pwritev2(f, v, 1, -1, RWF_APPEND) == 3);
	CHECK(lseek(f, 0, SEEK_END) == 1056);
	FAILS(readv(f, v, -1), EINVAL);
	FAILS(readv(f, v, 1025), EINVAL);
	CHECK(readv(f, v, 0) == 0);
	CHECK(read(f, b, 0) == 0 && write(f, b, 0) == 0);
	FAILS(write(f, (char *)0x1000, SSIZE_MAX), EFAULT);
	FAILS(preadv2(f, v, 1, 0, 0x40000000), EOPNOTSUPP);
	puts("counts ok");
	return 0;
}
