/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaving handlers by siglongjmp restores the mask, again and again, also out
 * of a blocked call.
 */
#include "victim.h"
static sigjmp_buf env;
static void on(int sig)
{
	siglongjmp(env, sig);
}

int main(void)
{
	sigset_t s;
	volatile int n = 0;
	struct itimerval it = { { 0, 0 }, { 0, 5000 } };
	char c;
	int p[2];

	OK(pipe(p));
	handle(SIGUSR1, on, 0);
	handle(SIGALRM, on, SA_RESTART);
	handle(SIGSEGV, on, 0);
	while (n < 100) {
		if (sigsetjmp(env, 1)) {
			n++;
			continue;
		}
		raise(SIGUSR1);
	}
	while (n < 120) {
		if (sigsetjmp(env, 1)) {
			n++;
			continue;
		}
		OK(setitimer(ITIMER_REAL, &it, NULL));
		if (n & 1)
			CHECK(read(p[0], &c, 1) == 77);
		else
			for (;;)
				burn(1000);
	}
	while (n < 140) {
		if (sigsetjmp(env, 1)) {
			n++;
			continue;
		}
		*(volatile int *)16 = 0;
	}
	OK(sigprocmask(SIG_BLOCK, NULL, &s));
	CHECK(!sigismember(&s, SIGUSR1) && !sigismember(&s, SIGSEGV));
	printf("%d jumps\n", n);
	return 0;
}
