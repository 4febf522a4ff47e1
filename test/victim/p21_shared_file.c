/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A writable shared file mapping agrees with read and write on the file,
 * between processes, and reaches the file.
 */
#include "victim.h"
int main(void)
{
	int fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	char *m, *m2, b[16];

	OK(ftruncate(fd, 12288));
	m = OK(mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	strcpy(m, "by mapping");
	CHECK(pread(fd, b, 11, 0) == 11 && strcmp(b, "by mapping") == 0);
	CHECK(pwrite(fd, "by write", 9, 5000) == 9);
	CHECK(strcmp(m + 5000, "by write") == 0);
	m2 = OK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096));
	CHECK(strcmp(m2 + 904, "by write") == 0);
	m[4096] = 'Q';
	CHECK(m2[0] == 'Q');
	REAP(CHILD({
		strcpy(m + 8192, "from the child");
		OK(msync(m, 12288, MS_SYNC));
	}));
	CHECK(strcmp(m + 8192, "from the child") == 0);
	close(fd);
	m[1] = '!';
	OK(munmap(m2, 4096));
	m = OK(mremap(m, 12288, 4096, MREMAP_MAYMOVE));
	m[2] = '?';
	fd = OK(open("f", O_RDONLY));
	CHECK(read(fd, b, 4) == 4 && memcmp(b, "b!?m", 4) == 0);
	FAILS(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	FAILS(msync(m, 4096, MS_SYNC | MS_ASYNC), EINVAL);
	puts("shared file ok");
	return 0;
}
