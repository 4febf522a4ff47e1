/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long computations with a call now and then, and a timer: signals come to
 * every distance from the next call.
 */
#include "victim.h"

static volatile int n;

static void on(int sig)
{
	n++;
}

int main(void)
{
	struct itimerval it = { { 0, 1700 }, { 0, 1700 } };
	volatile unsigned long x = 0;
	struct timespec a, b;

	handle(SIGALRM, on, SA_RESTART);
	OK(setitimer(ITIMER_REAL, &it, NULL));
	clock_gettime(CLOCK_MONOTONIC, &a);
	do {
		for (int i = 0; i < 50; i++) {
			unsigned long k = 100000 + x * 7919 % 3000000;

			for (unsigned long j = 0; j < k; j++)
				x += j;
			getppid();
		}
		clock_gettime(CLOCK_MONOTONIC, &b);
	} while (b.tv_sec - a.tv_sec < 3);
	CHECK(n > 50);
	printf("computed\n");
	return 0;
}
