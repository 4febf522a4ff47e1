/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw system calls for code without a libc: the kernel's result, no errno.
 */
#ifndef IPMON_ARCH_SYSCALL_H
#define IPMON_ARCH_SYSCALL_H

#include <stdint.h>

static inline long raw_syscall2(long nr, uint64_t a, uint64_t b)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return ret;
}

#endif
