/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program break grows, shrinks and keeps its contents; new memory is
 * zero.
 */
#include "victim.h"
int main(void)
{
	char *b = sbrk(0), *p;

	CHECK(b != (void *)-1);
	p = sbrk(1 << 20);
	CHECK(p == b);
	for (int i = 0; i < 1 << 20; i += 512)
		CHECK(p[i] == 0);
	memset(p, 7, 1 << 20);
	CHECK(sbrk(-(1 << 19)) == b + (1 << 20));
	CHECK(sbrk(0) == b + (1 << 19));
	CHECK(p[(1 << 19) - 1] == 7);
	CHECK(sbrk(1 << 19) == b + (1 << 19));
	CHECK(p[(1 << 19) + 5] == 0);
	CHECK(brk(b + 100) == 0 && sbrk(0) == b + 100);
	CHECK(brk(b) == 0);
	CHECK((char *)syscall(SYS_brk, 0) == b);
	CHECK((char *)syscall(SYS_brk, 1) == b);
	struct rlimit rl = { 1 << 20, 1 << 20 };
	OK(setrlimit(RLIMIT_DATA, &rl));
	FAILS(sbrk(1 << 28), ENOMEM);
	CHECK(sbrk(0) == b);
	puts("brk ok");
	return 0;
}
