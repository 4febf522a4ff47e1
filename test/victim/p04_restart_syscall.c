/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nanosleep, poll, futex waits and others continue with their remaining time
 * after stop and continue.
 */
#include "victim.h"
static void stopped(int (*wait_fn)(void))
{
	pid_t p = CHILD({
		int64_t t0 = mono_ms();
		CHECK(wait_fn() == 0);
		CHECK(mono_ms() - t0 >= 890 && mono_ms() - t0 < 10000);
	});
	int st;

	for (int i = 0; i < 3; i++) {
		sleep_ms(20);
		OK(kill(p, SIGSTOP));
		CHECK(OK(waitpid(p, &st, WUNTRACED)) == p && WIFSTOPPED(st));
		OK(kill(p, SIGCONT));
	}
	REAP(p);
}
static int by_nanosleep(void)
{
	struct timespec ts = { 0, 900000000 };
	return nanosleep(&ts, NULL);
}
static int by_clock(void)
{
	struct timespec ts = { 0, 900000000 };
	return clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}
static int by_clock_abs(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += 900000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}
static int by_poll(void)
{
	return poll(NULL, 0, 900);
}
static int by_futex(void)
{
	int w = 0;
	struct timespec ts = { 0, 900000000 };
	long r = syscall(SYS_futex, &w, FUTEX_WAIT, 0, &ts, NULL, 0);
	return r == -1 && errno == ETIMEDOUT ? 0 : 1;
}
int main(void)
{
	stopped(by_nanosleep);
	stopped(by_clock);
	stopped(by_clock_abs);
	stopped(by_poll);
	stopped(by_futex);
	puts("restarted with the remaining time");
	return 0;
}
