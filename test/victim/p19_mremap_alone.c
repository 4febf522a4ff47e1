/* SPDX-License-Identifier: Apache-2.0 */
/* An allocator that grows its memory when an address says so, as a collector that
 * takes numbers on the stack for pointers does: some variants move mappings that
 * others do not, or from other sizes. */
#include "victim.h"
#include <sys/mman.h>

#define KIB (1ul << 10)

static void grow(unsigned int times)
{
	size_t size = 64 * KIB;
	char *m = OK(mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	m[size - 1] = 1;
	for (unsigned int i = 0; i < times; i++) {
		m = OK(mremap(m, size, 2 * size, MREMAP_MAYMOVE));
		CHECK(m[size - 1] == 1);
		size *= 2;
		m[size - 1] = 1;
	}
	OK(munmap(m, size));
}

int main(void)
{
	uint32_t high = (uint32_t)((uintptr_t)&high >> 32) +
		(uint32_t)((uintptr_t)main >> 32);

	for (unsigned int i = 0; i < 16; i++) {
		grow((high >> i & 1) + 1);
		printf("%u\n", i);
		fflush(stdout);
	}
	return 0;
}
