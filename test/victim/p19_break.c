/* SPDX-License-Identifier: Apache-2.0 */
/* The program break: growing, shrinking, failing at the limit, and in a child. */
#include "victim.h"

int main(void)
{
	struct rlimit l = { 8 << 20, 8 << 20 };
	char *start = OK(sbrk(0)), *p;

	CHECK(sbrk(100000) == start);
	memset(start, 1, 100000);
	CHECK(sbrk(-50000) == start + 100000);
	CHECK(sbrk(0) == (void *)(start + 50000));
	CHECK(sbrk(1 << 20) == (void *)(start + 50000));
	/* fresh pages are zero, old ones are not */
	CHECK(start[49999] == 1 && start[(1 << 20)] == 0);
	REAP(CHILD({
		CHECK(sbrk(4096) == (void *)(start + 50000 + (1 << 20)));
		start[0] = 2;
		CHECK(brk(start) == 0);
	}));
	CHECK(start[0] == 1);
	OK(setrlimit(RLIMIT_DATA, &l));
	FAILS(sbrk(16 << 20), ENOMEM);
	CHECK((char *)syscall(SYS_brk, 4096) == start + 50000 + (1 << 20));
	FAILS(brk((void *)0x7ffffffff000ul), ENOMEM);
	p = OK(sbrk(4096));
	CHECK(p == start + 50000 + (1 << 20));
	OK(brk(start));
	puts("break ok");
	return 0;
}
