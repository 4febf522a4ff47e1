/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of signals between and during calls: none lost where each is
 * waited for.
 */
#include "victim.h"
static volatile sig_atomic_t n;
static void on(int sig)
{
	n++;
}

int main(void)
{
	pid_t me = getpid(), p;
	int a[2];
	char c;

	handle(SIGUSR1, on, SA_RESTART);
	handle(SIGUSR2, on, 0);
	for (int i = 0; i < 300; i++) {
		OK(kill(me, i & 1 ? SIGUSR1 : SIGUSR2));
		CHECK(n == i + 1);
		getppid();
	}
	n = 0;
	OK(pipe(a));
	p = CHILD({
		for (int i = 0; i < 200; i++) {
			OK(kill(me, SIGUSR1));
			CHECK(read(a[0], &c, 1) == 1);
		}
	});
	for (int i = 0; i < 200; i++) {
		while (n <= i)
			getppid();
		CHECK(write(a[1], "a", 1) == 1);
	}
	REAP(p);
	printf("%d\n", n);
	return 0;
}
