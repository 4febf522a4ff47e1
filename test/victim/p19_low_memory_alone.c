/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory at low addresses of the program's choice, as JavaScript engines ask for
 * it, mapped, advised about and unmapped at times that depend on addresses: each
 * bit of one decides whether there is such a page, so variants with other layouts
 * have others.  Nobody outside can tell.
 */
#include "victim.h"

#define SIZE 0x7f000
#define KEEP 0x40000

static char *page(unsigned int i)
{
	char *p = mmap((void *)(0x10000000000ull * (i % 32 + 1) + 0x40000000),
		       SIZE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	OK(madvise(p, SIZE, MADV_DONTFORK));
	OK(munmap(p + KEEP, SIZE - KEEP));
	OK(mprotect(p, KEEP, PROT_READ | PROT_WRITE));
	p[5] = 1;
	return p;
}

int main(void)
{
	char *mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t bits = (uintptr_t)mem ^ (uintptr_t)&bits;
	struct timespec ts;
	char *p;

	CHECK(mem != MAP_FAILED);
	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < 48; i++) {
			if (!(bits >> i & 1))
				continue;
			p = page(i);
			if (i & 1)
				OK(clock_gettime(CLOCK_MONOTONIC, &ts));
			OK(madvise(p, KEEP, MADV_DONTNEED));
			CHECK(p[5] == 0);
			OK(munmap(p, KEEP));
		}
		OK(kill(getpid(), 0));
	}
	puts("low memory ok");
	return 0;
}
