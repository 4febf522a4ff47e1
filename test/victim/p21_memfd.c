/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memfd: write, map shared, seal, pass to a child, reopen through /proc,
 * execute.
 */
#include "victim.h"
int main(void)
{
	int fd = OK(memfd_create("name", MFD_ALLOW_SEALING | MFD_CLOEXEC)), fd2, ex;
	char path[64], b[16], link[64];
	char *m;
	ssize_t n;

	OK(ftruncate(fd, 4096));
	m = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	strcpy(m, "in memory");
	CHECK(pread(fd, b, 10, 0) == 10 && strcmp(b, "in memory") == 0);
	CHECK(pwrite(fd, "on", 2, 0) == 2 && strcmp(m, "on memory") == 0);
	REAP(CHILD(strcpy(m + 50, "child")));
	CHECK(strcmp(m + 50, "child") == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = OK(readlink(path, link, sizeof(link)));
	printf("%.*s\n", (int)n, link);
	fd2 = OK(open(path, O_RDONLY));
	CHECK(read(fd2, b, 9) == 9 && memcmp(b, "on memory", 9) == 0);
	FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	OK(munmap(m, 4096));
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK));
	CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_WRITE | F_SEAL_SHRINK));
	FAILS(write(fd, "x", 1), EPERM);
	FAILS(ftruncate(fd, 1), EPERM);
	OK(ftruncate(fd, 8192));
	FAILS(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
	m = OK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
	CHECK(m[0] == 'o');
	ex = OK(memfd_create("script", 0));
	CHECK(write(ex, "#!/bin/sh\necho ran from memory\n", 31) == 31);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ex);
	REAP(CHILD(execl(path, "x", NULL); _exit(9)));
	FAILS(memfd_create("x", 0x80000000u), EINVAL);
	return 0;
}
