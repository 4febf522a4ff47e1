/* SPDX-License-Identifier: Apache-2.0 */
/*
 * getrandom and the files: all variants see the same bytes, and the program
 * may act on them.
 */
#include "victim.h"
int main(void)
{
	unsigned char a[256], b[256], big[100000];
	int fd;

	for (int i = 0; i < 30; i++) {
		CHECK(syscall(SYS_getrandom, a, sizeof(a), i & 1 ? 1 : 0) == sizeof(a));
		if (a[0] & 1)
			getppid();
		if (a[1] & 1)
			OK(open("/dev/null", O_RDONLY));
	}
	CHECK(syscall(SYS_getrandom, big, sizeof(big), 0) == sizeof(big));
	fd = OK(open("/dev/urandom", O_RDONLY));
	CHECK(read(fd, b, sizeof(b)) == sizeof(b) && memcmp(a, b, sizeof(b)) != 0);
	for (int i = 0; i < 256; i += 16)
		if (b[i] & 1)
			getppid();
	OK(getentropy(a, 256));
	FAILS(getentropy(a, 257), EIO);
	FAILS(syscall(SYS_getrandom, a, 1, 0x100), EINVAL);
	int f2 = OK(open("random-bytes", O_WRONLY | O_CREAT | O_TRUNC, 0600));
	CHECK(write(f2, a, 256) == 256);
	OK(unlink("random-bytes"));
	puts("random ok");
	return 0;
}
