// SPDX-License-Identifier: Apache-2.0
/*
 * A program that makes calls itself, as Go's do: it is patched like a library,
 * whether it has a fixed place or not.  test/e2e/special.py counts the rendezvous.
 */
#include "victim.h"

static __attribute__((noinline)) long own_call(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("mov %1, %%rax; syscall" : "=&a"(r)
			 : "r"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}

int main(void)
{
	int fd = OK(open("/dev/zero", O_RDONLY));
	char buf[64];

	for (int i = 0; i < 1000; i++)
		CHECK(own_call(SYS_read, fd, (long)buf, sizeof(buf)) == 64);
	for (int i = 0; i < 1000; i++)
		CHECK(own_call(SYS_lseek, -1, i, SEEK_SET) == -EBADF);
	puts("own calls");
	return 0;
}
