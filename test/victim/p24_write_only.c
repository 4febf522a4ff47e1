/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that may be written only: calls put their results there, and take their
 * data from there, as the processor can read it.
 */
#include "victim.h"
#include <sys/stat.h>

int main(void)
{
	int file = OK(open("file", O_RDWR | O_CREAT, 0600)), p[2];
	char *priv, *shared, buf[8];

	CHECK(OK(write(file, "content", 7)) == 7);
	OK(ftruncate(file, 4096));
	priv = mmap(NULL, 8192, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	shared = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, file, 0);
	CHECK(priv != MAP_FAILED && shared != MAP_FAILED);
	OK(pipe(p));
	for (int i = 0; i < 3; i++) {
		CHECK(OK(pread(file, priv + 4093, 7, 0)) == 7);
		CHECK(OK(pread(file, shared + 100, 7, 0)) == 7);
		OK(fstat(file, (void *)(priv + 100)));
		OK(syscall(SYS_uname, priv + 1000));
		CHECK(OK(write(p[1], priv + 4093, 7)) == 7);
		CHECK(OK(read(p[0], buf, 7)) == 7 && !memcmp(buf, "content", 7));
		CHECK(OK(write(p[1], shared + 100, 7)) == 7);
		CHECK(OK(read(p[0], buf, 7)) == 7 && !memcmp(buf, "content", 7));
	}
	/* every variant has what was put there */
	OK(mprotect(priv, 8192, PROT_READ));
	OK(mprotect(shared, 4096, PROT_READ));
	printf("%.7s %.7s %ld %s\n", priv + 4093, shared + 100,
	       (long)((struct stat *)(void *)(priv + 100))->st_size,
	       priv + 1000);
	/* no memory at all is no memory */
	OK(mprotect(priv, 4096, PROT_NONE));
	FAILS(write(p[1], priv, 1), EFAULT);
	FAILS(pread(file, priv, 1, 0), EFAULT);
	return 0;
}
