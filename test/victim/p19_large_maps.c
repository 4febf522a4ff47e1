/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings that leave hardly any room beside them: half of all memory, half of a GiB. */
#include "victim.h"

static void half_of_all(void)
{
	for (int i = 0; i < 80; i++)
		getppid();
	for (int bits = 40; bits < 48; bits++) {
		size_t size = (size_t)1 << bits;
		char *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
			       MAP_NORESERVE, -1, 0);

		printf("%d: %s\n", bits, p == MAP_FAILED ? strerror(errno) : "mapped");
		fflush(stdout);
		if (p == MAP_FAILED)
			continue;
		OK(mprotect(p + size / 2, 4096, PROT_READ | PROT_WRITE));
		p[size / 2] = 1;
		OK(munmap(p, size));
	}
}

/* Down to where the leader's may be handled in-process and a follower's not. */
static void by_tib(void)
{
	for (size_t tib = 10; tib < 36; tib++) {
		char *p = OK(mmap(NULL, tib << 40, PROT_NONE, MAP_PRIVATE |
				  MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));

		OK(madvise(p, 4096, MADV_DONTNEED));
		OK(munmap(p, tib << 40));
	}
}

/* it need not fit, but if it does, then in all variants */
static void half_a_gib(void)
{
	size_t size = 500 << 20;
	char *p[2];
	int n = 0;

	for (int i = 0; i < 2; i++) {
		p[i] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			    MAP_ANONYMOUS | MAP_32BIT | MAP_NORESERVE, -1, 0);
		if (p[i] == MAP_FAILED)
			continue;
		CHECK((uintptr_t)p[i] + size <= 1ul << 31);
		p[i][size - 1] = 1;
		n++;
	}
	CHECK(n > 0);
	for (int i = 0; i < 2; i++)
		if (p[i] != MAP_FAILED)
			OK(munmap(p[i], size));
}

int main(void)
{
	half_of_all();
	by_tib();
	for (int i = 0; i < 20; i++)
		half_a_gib();
	puts("large maps ok");
	return 0;
}
