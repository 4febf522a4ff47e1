/* SPDX-License-Identifier: Apache-2.0 */
/* A pending signal is delivered before the call that unblocks it returns. */
#include "victim.h"
static volatile sig_atomic_t n;
static void on(int sig)
{
	n++;
}

int main(void)
{
	sigset_t s, old;

	handle(SIGUSR1, on, 0);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	for (int i = 0; i < 50; i++) {
		OK(sigprocmask(SIG_BLOCK, &s, &old));
		OK(raise(SIGUSR1));
		OK(raise(SIGUSR1));
		CHECK(n == i);
		OK(sigprocmask(SIG_SETMASK, &old, NULL));
		CHECK(n == i + 1);
	}
	/* pending over exec: the new image gets it */
	OK(sigprocmask(SIG_BLOCK, &s, &old));
	OK(raise(SIGUSR1));
	int st = reap(CHILD(_exit(0)));	/* a child has none pending */
	CHECK(st == 0);
	signal(SIGUSR1, SIG_DFL);
	CHECK(sigpending(&s) == 0 && sigismember(&s, SIGUSR1));
	signal(SIGUSR1, SIG_IGN);	/* ignoring discards it */
	CHECK(sigpending(&s) == 0 && !sigismember(&s, SIGUSR1));
	printf("%d\n", n);
	return 0;
}
