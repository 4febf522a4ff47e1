/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where mappings go: hints are honoured or not alike, code that aligns what
 * it maps sees the same offsets everywhere, and mappings that extend each
 * other keep doing so.
 */
#include "victim.h"

#define P 4096ul
#define HUGE (2ul << 20)

static char *anon(void *hint, size_t n, int flags)
{
	return OK(mmap(hint, n, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0));
}

int main(void)
{
	char *a, *b, *c, *fixed;
	unsigned int n = 0;

	/* trim to alignment, as allocators do: the number of munmaps depends
	 * on the address */
	for (int i = 0; i < 50; i++) {
		char *at = anon(NULL, 2 * HUGE + i * P, 0), *up;

		up = (char *)(((uintptr_t)at + HUGE - 1) & ~(HUGE - 1));
		if (up > at)
			OK(munmap(at, up - at));
		OK(munmap(up + HUGE, at + 2 * HUGE + i * P - up - HUGE));
		memset(up, 1, P);
		n += up[0];
	}
	CHECK(n == 50);
	/* extend upwards and downwards by hint */
	a = anon(NULL, 64 * P, 0);
	OK(munmap(a + 16 * P, 48 * P));
	b = anon(a + 16 * P, 16 * P, 0);
	CHECK(b == a + 16 * P);
	c = anon(a + 15 * P, 16 * P, 0);	/* taken: elsewhere */
	CHECK(c != a + 15 * P);
	CHECK(mremap(b, 16 * P, 32 * P, 0) == b);
	FAILS(mremap(a, 16 * P, 17 * P, 0), ENOMEM);
	/* unaligned hints are rounded down */
	OK(munmap(b, 32 * P));
	b = anon(a + 16 * P + 100, P, 0);
	CHECK(b == a + 16 * P);
	/* an address of the program's choice, the same in all variants */
	fixed = (char *)0x200000000000ul;
	CHECK(anon(fixed, 4 * P, 0) == fixed);
	CHECK(anon(fixed + 4 * P, P, MAP_FIXED_NOREPLACE) == fixed + 4 * P);
	FAILS(mmap(fixed + 3 * P, 4 * P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		   MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	fixed[0] = 7;
	CHECK(anon(fixed, P, MAP_FIXED) == fixed && fixed[0] == 0);
	printf("%p\n", (void *)fixed);
	FAILS(mmap((void *)(1ul << 47), P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		   MAP_FIXED, -1, 0), ENOMEM);
	for (int i = 0; i < 8; i++) {
		b = anon(NULL, P, MAP_32BIT);
		CHECK((uintptr_t)b < 1ul << 32);
		b[0] = 1;
	}
	/* a stack of our own */
	b = anon(NULL, 64 * P, MAP_GROWSDOWN | MAP_STACK | MAP_NORESERVE);
	b[64 * P - 1] = 1;
	/* big reservations, a piece made usable */
	a = OK(mmap(NULL, 1ul << 36, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_NORESERVE, -1, 0));
	OK(mprotect(a + (1ul << 35), P, PROT_READ | PROT_WRITE));
	a[1ul << 35] = 1;
	OK(madvise(a, 1ul << 36, MADV_DONTDUMP));
	OK(munmap(a, 1ul << 36));
	puts("placement ok");
	return 0;
}
