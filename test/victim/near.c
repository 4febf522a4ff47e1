/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory near the program's code, as JavaScript engines ask for it: behind the heap
 * if that is near, else half a GiB behind the program. It is near in all variants or
 * in none: what such a program does next depends on that. Linked to fixed addresses,
 * to be near to begin with.
 */
#include "victim.h"

#define SIZE (1u << 20)
#define NEAR (1ull << 31)

int main(void)
{
	uintptr_t code = (uintptr_t)main, heap = (uintptr_t)sbrk(0);
	uintptr_t hint, got;

	hint = heap > code && heap - code < NEAR - 2 * SIZE ?
		(heap + SIZE) & ~4095ull : (code + NEAR / 4) & ~4095ull;
	got = (uintptr_t)mmap(hint ? (void *)hint : NULL, SIZE, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(got != (uintptr_t)MAP_FAILED);
	puts(got - code < NEAR ? "near" : "far");
	return 0;
}
