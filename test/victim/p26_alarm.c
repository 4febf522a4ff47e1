/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms and interval timers arrive between calls, in blocked calls and in
 * loops that make no call.
 */
#include "victim.h"
static volatile sig_atomic_t n;
static void tick(int sig)
{
	n++;
}

int main(void)
{
	struct itimerval it = { { 0, 0 }, { 0, 30000 } }, old;

	handle(SIGALRM, tick, 0);
	handle(SIGVTALRM, tick, 0);
	handle(SIGPROF, tick, 0);
	OK(setitimer(ITIMER_REAL, &it, NULL));
	while (!n)
		getppid();
	puts("between calls");
	OK(setitimer(ITIMER_REAL, &it, NULL));
	FAILS(pause(), EINTR);
	puts("in pause");
	OK(setitimer(ITIMER_REAL, &it, NULL));
	n = 0;
	while (!n)
		burn(1000);
	puts("in a loop without calls");
	n = 0;
	OK(setitimer(ITIMER_VIRTUAL, &it, NULL));
	while (!n)
		burn(1000);
	puts("virtual");
	n = 0;
	OK(setitimer(ITIMER_PROF, &it, NULL));
	while (!n)
		burn(1000);
	puts("prof");
	CHECK(alarm(100) == 0);
	CHECK(alarm(0) >= 99);
	it.it_value.tv_sec = 50;
	OK(setitimer(ITIMER_REAL, &it, NULL));
	OK(getitimer(ITIMER_REAL, &old));
	CHECK(old.it_value.tv_sec >= 49);
	CHECK(alarm(0) >= 49);
	return 0;
}
