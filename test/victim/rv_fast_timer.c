/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A timer faster than signals can be delivered to code that computes: when
 * it is disarmed its signals end.
 */
#include "victim.h"

static volatile int n;

static void on(int sig)
{
	n++;
}

int main(void)
{
	struct itimerval it = { { 0, 150 }, { 0, 150 } }, off = { { 0, 0 } };
	volatile unsigned long x = 0;
	int before;

	handle(SIGALRM, on, SA_RESTART);
	OK(setitimer(ITIMER_REAL, &it, NULL));
	for (unsigned long j = 0; j < 700000000ul; j++)
		x += j;
	OK(setitimer(ITIMER_REAL, &off, NULL));
	before = n;
	for (int i = 0; i < 200; i++)
		getppid();
	CHECK(before > 10 && n - before < 100);
	printf("timer stopped\n");
	return 0;
}
