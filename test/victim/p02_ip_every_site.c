/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls issued from the program's own text, from a copy of it in
 * anonymous memory, and from libc.
 */
#include "victim.h"
static const unsigned char code[] = {
	0x89, 0xf8,			/* mov %edi,%eax */
	0x0f, 0x05,			/* syscall */
	0xc3,				/* ret */
};

int main(void)
{
	long inl;
	unsigned char *p = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	long (*jit)(int);

	memcpy(p, code, sizeof(code));
	OK(mprotect(p, 4096, PROT_READ | PROT_EXEC));
	jit = (long (*)(int))(uintptr_t)p;
	__asm__ volatile("syscall" : "=a"(inl) : "a"((long)SYS_getpid)
			 : "rcx", "r11", "memory");
	CHECK(inl == getpid());
	CHECK(jit(SYS_getpid) == getpid());
	CHECK(syscall(SYS_getpid) == getpid());
	/* straddling a page boundary */
	p = OK(mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	memcpy(p + 4096 - 3, code, sizeof(code));
	OK(mprotect(p, 8192, PROT_READ | PROT_EXEC));
	jit = (long (*)(int))(uintptr_t)(p + 4096 - 3);
	CHECK(jit(SYS_getpid) == getpid());
	puts("all sites ok");
	return 0;
}
