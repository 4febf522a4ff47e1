/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads with the smallest stack there is make calls, are signalled, write
 * below their stack pointer; handlers on the smallest alternate stack.
 */
#include "victim.h"
static volatile int handled;

static void on(int sig)
{
	FAILS(close(-1), EBADF);
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}

static void *work(void *arg)
{
	sigset_t old, set;
	struct stat st;
	char c;
	int p[2];

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	OK(pipe(p));
	for (int i = 0; i < 50; i++) {
		CHECK(write(p[1], "x", 1) == 1);
		CHECK(read(p[0], &c, 1) == 1);
		OK(fstat(p[0], &st));
		CHECK(getppid() > 0);
		ZERO(pthread_sigmask(SIG_BLOCK, &set, &old));
		ZERO(pthread_kill(pthread_self(), SIGUSR1));
		ZERO(pthread_sigmask(SIG_SETMASK, &old, NULL));
	}
	close(p[0]);
	close(p[1]);
	return NULL;
}

/* A leaf's red zone survives a call made right below it. */
static long red_zone(void)
{
	long sum;

	__asm__ volatile(
		"	movq $0x1234, -8(%%rsp)\n"
		"	movq $0x5678, -64(%%rsp)\n"
		"	movq $0x9abc, -128(%%rsp)\n"
		"	mov $110, %%eax\n"
		"	syscall\n"
		"	movq -8(%%rsp), %%rax\n"
		"	addq -64(%%rsp), %%rax\n"
		"	addq -128(%%rsp), %%rax\n"
		: "=a"(sum) : : "rcx", "r11", "memory");
	return sum;
}

int main(void)
{
	size_t small = (size_t)sysconf(_SC_MINSIGSTKSZ) + 8192;
	stack_t ss = { .ss_sp = malloc(small), .ss_size = small };
	pthread_attr_t a;

	handle(SIGUSR1, on, 0);
	ZERO(pthread_attr_init(&a));
	ZERO(pthread_attr_setstacksize(&a, (size_t)
				       sysconf(_SC_THREAD_STACK_MIN)));
	for (int round = 0; round < 3; round++) {
		pthread_t t[4];

		for (int i = 0; i < 4; i++)
			ZERO(pthread_create(&t[i], &a, work, NULL));
		for (int i = 0; i < 4; i++)
			ZERO(pthread_join(t[i], NULL));
	}
	OK(sigaltstack(&ss, NULL));
	handle(SIGUSR1, on, SA_ONSTACK);
	work(NULL);
	for (int i = 0; i < 20; i++)
		CHECK(red_zone() == 0x1234 + 0x5678 + 0x9abc);
	printf("%d\n", handled);
	return 0;
}
