/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A periodic timer fires again and again while the program alternates
 * computing and calling.
 */
#include "victim.h"
static volatile sig_atomic_t n;
static void tick(int sig)
{
	n++;
}

int main(void)
{
	struct itimerval it = { { 0, 5000 }, { 0, 5000 } };

	handle(SIGALRM, tick, SA_RESTART);
	OK(setitimer(ITIMER_REAL, &it, NULL));
	while (n < 20) {
		burn(100000);
		getpid();
		if (n & 1)
			sched_yield();
	}
	it = (struct itimerval){ 0 };
	OK(setitimer(ITIMER_REAL, &it, NULL));
	puts("twenty ticks");
	return 0;
}
