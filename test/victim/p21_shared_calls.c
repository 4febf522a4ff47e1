/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever changes a file by a call is seen through a shared mapping of it at
 * once: writes of all kinds, growing, shrinking, holes, copies.
 */
#include "victim.h"

static sigjmp_buf back;

static void on_bus(int sig)
{
	siglongjmp(back, sig);
}

static bool faults(volatile char *p)
{
	if (sigsetjmp(back, 1))
		return true;
	(void)*p;
	return false;
}

int main(void)
{
	size_t P = 4096, len = 16 * P;
	int fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600)), other, p[2];
	struct iovec v[2] = { { (char *)"ab", 2 }, { (char *)"cde", 3 } };
	char *m = OK(mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	loff_t off, off2;

	signal(SIGBUS, on_bus);
	CHECK(faults(m));
	OK(ftruncate(fd, 4 * P));
	CHECK(!faults(m) && !faults(m + 4 * P - 1) && faults(m + 4 * P));
	CHECK(write(fd, "write", 5) == 5 && !memcmp(m, "write", 5));
	CHECK(writev(fd, v, 2) == 5 && !memcmp(m, "writeabcde", 10));
	CHECK(pwrite(fd, "pwrite", 6, P) == 6 && !memcmp(m + P, "pwrite", 6));
	CHECK(pwritev(fd, v, 2, P + 6) == 5 && !memcmp(m + P + 6, "abcde", 5));
	CHECK(pwritev2(fd, v, 2, -1, 0) == 5 && !memcmp(m + 10, "abcde", 5));
	/* growing by a write */
	CHECK(pwrite(fd, "grown", 5, 5 * P) == 5);
	CHECK(!faults(m + 4 * P) && !memcmp(m + 5 * P, "grown", 5) &&
	      faults(m + 6 * P));
	OK(fallocate(fd, 0, 6 * P, 2 * P));
	CHECK(!faults(m + 7 * P) && m[7 * P] == 0);
	m[7 * P] = 'x';
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 7 * P, P) == 0)
		CHECK(m[7 * P] == 0);
	/* shrinking loses what was there */
	m[3 * P] = 'y';
	OK(ftruncate(fd, 3 * P));
	CHECK(faults(m + 3 * P) && !faults(m + 2 * P));
	OK(truncate("f", 8 * P));
	CHECK(m[3 * P] == 0);

	/* appending */
	other = OK(open("f", O_WRONLY | O_APPEND));
	CHECK(write(other, "append", 6) == 6 && !memcmp(m + 8 * P, "append", 6));
	CHECK(pwritev2(fd, v, 1, 0, RWF_APPEND) == 2 &&
	      !memcmp(m + 8 * P + 6, "ab", 2));
	close(other);

	/* copies by the kernel */
	other = OK(open("g", O_RDWR | O_CREAT | O_TRUNC, 0600));
	CHECK(write(other, "from another file", 17) == 17);
	off = 5;
	OK(lseek(fd, 2 * P, SEEK_SET));
	CHECK(sendfile(fd, other, &off, 7) == 7 && !memcmp(m + 2 * P, "another", 7));
	off = 0;
	off2 = 2 * P + 100;
	CHECK(copy_file_range(other, &off, fd, &off2, 4, 0) == 4 &&
	      !memcmp(m + 2 * P + 100, "from", 4));
	OK(pipe(p));
	CHECK(write(p[1], "splice", 6) == 6);
	off2 = 2 * P + 200;
	CHECK(splice(p[0], NULL, fd, &off2, 6, 0) == 6 &&
	      !memcmp(m + 2 * P + 200, "splice", 6));
	CHECK(write(p[1], "again", 5) == 5);
	OK(lseek(fd, 2 * P + 300, SEEK_SET));
	CHECK(splice(p[0], NULL, fd, NULL, 5, 0) == 5 &&
	      !memcmp(m + 2 * P + 300, "again", 5));
	/* the other way: what was stored is in the file */
	strcpy(m + P, "stored");
	off = P;
	OK(lseek(other, 0, SEEK_SET));
	CHECK(copy_file_range(fd, &off, other, NULL, 6, 0) == 6);
	{
		char b[16];

		CHECK(pread(other, b, 16, 0) == 16 && !memcmp(b, "storednother ", 13));
	}
	/* a child's write, then everything goes at once */
	REAP(CHILD(CHECK(pwrite(fd, "child", 5, 3 * P) == 5)));
	CHECK(!memcmp(m + 3 * P, "child", 5));
	close(OK(open("f", O_WRONLY | O_TRUNC)));
	CHECK(faults(m));
	puts("shared and calls ok");
	return 0;
}
