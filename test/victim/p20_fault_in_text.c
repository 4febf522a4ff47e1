/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with its own SIGSEGV handler writes to text that has been called
 * often, reads it, and jumps to memory that is not executable.
 */
#include "victim.h"
static sigjmp_buf env;
static void *volatile where;

static void on(int sig, siginfo_t *si, void *uc)
{
	where = si->si_addr;
	siglongjmp(env, 1);
}

int main(void)
{
	unsigned char *fn = dlsym(RTLD_DEFAULT, "getppid");
	volatile unsigned int sum;
	static char data[64];
	volatile int faults = 0;

	handle_info(SIGSEGV, on, 0);
	for (int i = 0; i < 20; i++)
		CHECK(getppid() > 0);
	for (int i = 0; i < 20; i++)
		sum = fn[i];
	for (volatile int i = 0; i < 10; i++) {
		if (!sigsetjmp(env, 1)) {
			*(volatile unsigned char *)(fn + i) = 0x90;
			CHECK(!"written");
		}
		CHECK(where == fn + i);
		faults++;
		CHECK(getppid() > 0);
	}
	if (!sigsetjmp(env, 1)) {
		((void (*)(void))(uintptr_t)data)();
		CHECK(!"executed");
	}
	CHECK(where == data);
	/* arguments that fault are EFAULT, not the handler's business */
	for (int i = 0; i < 10; i++) {
		FAILS(pipe((int *)fn), EFAULT);
		FAILS(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, fn), EFAULT);
		FAILS(syscall(SYS_gettimeofday, fn, NULL), EFAULT);
	}
	printf("%d faults\n", faults);
	return 0;
}
