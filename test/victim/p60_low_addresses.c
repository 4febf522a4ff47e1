// SPDX-License-Identifier: Apache-2.0
/*
 * Memory below 2 GiB (MAP_32BIT), where the heaps of some runtimes lie: what depends
 * on the lower bits of its addresses, and on their order, is alike in all variants,
 * as elsewhere.
 */
#include "victim.h"

#define BLOCKS 40

int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600), order = 0;
	uintptr_t a[BLOCKS];

	CHECK(fd >= 0);
	for (int i = 0; i < BLOCKS; i++) {
		size_t len = (size_t)(1 + i % 7) * 12288;
		int prot = PROT_READ | PROT_WRITE | (i % 4 ? 0 : PROT_EXEC);
		char *p = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS |
			       MAP_32BIT, -1, 0);

		CHECK(p != MAP_FAILED);
		a[i] = (uintptr_t)p;
		CHECK(a[i] + len <= 1ul << 31);
		memset(p, i, len);
		/* a bucket of a table, say */
		CHECK(lseek(fd, (off_t)(a[i] & 0x7ffffff), SEEK_SET) >= 0);
		if (i % 5 == 4)
			CHECK(!munmap(p, len));
		for (int k = 0; k < i; k++)
			order = (int)((unsigned int)order * 3 + (a[k] < a[i]));
	}
	CHECK(lseek(fd, order & 0xffffff, SEEK_SET) >= 0);
	close(fd);
	puts("done");
	return 0;
}
