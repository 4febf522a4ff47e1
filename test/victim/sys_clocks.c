/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks and timers, all of them, good and bad arguments; nothing here changes
 * the time of the machine.
 */
#include "victim.h"
#include <sys/timex.h>

int main(void)
{
	struct timespec ts = { 0, 0 }, rem;
	struct timeval tv;
	struct timezone tz;
	struct itimerval it = { { 0, 0 }, { 100, 0 } }, old;
	struct itimerspec is = { { 0, 0 }, { 100, 0 } }, ois;
	struct timex tx;
	timer_t timer;
	int tid;

	for (int c = -3; c < 13; c++) {
		memset(&ts, 0, sizeof(ts));
		long r = syscall(SYS_clock_getres, c, &ts);
		printf("clock %d: %ld %s", c, r, r < 0 ? strerrorname_np(errno) : "");
		r = syscall(SYS_clock_gettime, c, &ts);
		printf(" %ld %s\n", r, r < 0 ? strerrorname_np(errno) : ts.tv_nsec < 1000000000 ? "ok" : "?");
	}
	SAYS(syscall(SYS_clock_gettime, CLOCK_REALTIME, (void *)8));
	SAYS(syscall(SYS_clock_getres, CLOCK_REALTIME, NULL));
	SAYS(syscall(SYS_gettimeofday, &tv, &tz));
	SAYS(syscall(SYS_gettimeofday, NULL, NULL));
	SAYS(syscall(SYS_gettimeofday, (void *)8, NULL));
	CHECK(syscall(SYS_time, &ts.tv_sec) == ts.tv_sec);
	SAYS(syscall(SYS_time, (void *)8));
	/* setting, with what is refused to anybody */
	ts = (struct timespec){ 1, 2000000000 };
	SAYS(syscall(SYS_clock_settime, CLOCK_REALTIME, &ts));
	SAYS(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &ts));
	SAYS(syscall(SYS_clock_settime, 99, &ts));
	tv = (struct timeval){ 1, 2000000 };
	SAYS(syscall(SYS_settimeofday, &tv, NULL));
	SAYS(syscall(SYS_settimeofday, (void *)8, NULL));
	memset(&tx, 0, sizeof(tx));
	CHECK(syscall(SYS_adjtimex, &tx) >= 0);
	CHECK(tx.tick > 0);
	memset(&tx, 0, sizeof(tx));
	CHECK(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &tx) >= 0 && tx.tick > 0);
	tx.modes = ADJ_TICK;
	tx.tick = 1;
	SAYS(syscall(SYS_adjtimex, &tx));
	SAYS(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &tx));
	SAYS(syscall(SYS_adjtimex, (void *)8));
	/* sleeping */
	ts = (struct timespec){ 0, 1000000 };
	SAYS(syscall(SYS_nanosleep, &ts, NULL));
	ts.tv_nsec = 1000000000;
	SAYS(syscall(SYS_nanosleep, &ts, &rem));
	SAYS(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL));
	ts.tv_nsec = 5;
	SAYS(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL));
	SAYS(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL));
	SAYS(syscall(SYS_clock_nanosleep, 99, 0, &ts, NULL));
	/* interval timers */
	for (int i = 0; i < 4; i++) {
		SAYS(syscall(SYS_setitimer, i, &it, &old));
		SAYS(syscall(SYS_getitimer, i, &old));
		printf("  %ld\n", (long)old.it_value.tv_sec / 90);
		SAYS(syscall(SYS_setitimer, i, NULL, &old));
	}
	it.it_value.tv_usec = 1000000;
	SAYS(syscall(SYS_setitimer, 0, &it, NULL));
	SAYS(syscall(SYS_setitimer, 0, (void *)8, NULL));
	SAYS(alarm(100));
	SAYS(alarm(0) > 90);
	SAYS(alarm(0));
	/* POSIX timers */
	struct sigevent se = { .sigev_notify = SIGEV_NONE };
	SAYS(syscall(SYS_timer_create, CLOCK_MONOTONIC, &se, &tid));
	SAYS(syscall(SYS_timer_settime, tid, 0, &is, &ois));
	SAYS(syscall(SYS_timer_gettime, tid, &ois));
	printf("  %ld\n", (long)ois.it_value.tv_sec / 90);
	SAYS(syscall(SYS_timer_getoverrun, tid));
	is.it_value.tv_nsec = 1000000000;
	SAYS(syscall(SYS_timer_settime, tid, 0, &is, NULL));
	SAYS(syscall(SYS_timer_settime, tid, 0, NULL, NULL));
	SAYS(syscall(SYS_timer_delete, tid));
	SAYS(syscall(SYS_timer_delete, tid));
	SAYS(syscall(SYS_timer_gettime, 777, &ois));
	SAYS(syscall(SYS_timer_create, 99, &se, &tid));
	se.sigev_notify = 99;
	SAYS(syscall(SYS_timer_create, CLOCK_REALTIME, &se, &tid));
	se.sigev_notify = SIGEV_SIGNAL;
	se.sigev_signo = 99;
	SAYS(syscall(SYS_timer_create, CLOCK_REALTIME, &se, &tid));
	CHECK(timer_create(CLOCK_BOOTTIME, NULL, &timer) == 0);
	SAYS(timer_delete(timer));
	/* timerfds */
	int f = (int)DOES(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	uint64_t n;
	is = (struct itimerspec){ { 0, 1000000 }, { 0, 1000000 } };
	SAYS(timerfd_settime(f, 0, &is, &ois));
	struct pollfd p = { f, POLLIN, 0 };
	SAYS(poll(&p, 1, 5000));
	SAYS(read(f, &n, 8) == 8 && n > 0);
	SAYS(read(f, &n, 4));
	is.it_value.tv_nsec = is.it_interval.tv_nsec = 0;
	SAYS(timerfd_settime(f, 0, &is, NULL));
	SAYS(timerfd_gettime(f, &ois));
	printf("  %ld\n", (long)ois.it_value.tv_sec);
	SAYS(timerfd_settime(f, 99, &is, NULL));
	SAYS(timerfd_settime(0, 0, &is, NULL));
	SAYS(timerfd_create(99, 0));
	SAYS(timerfd_create(CLOCK_REALTIME, 1));
	SAYS(timerfd_settime(f, 0, NULL, NULL));
	puts("clocks ok");
	return 0;
}
