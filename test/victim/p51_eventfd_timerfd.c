/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eventfd as counter and semaphore, timerfd relative, absolute, periodic,
 * with poll and epoll.
 */
#include "victim.h"
int main(void)
{
	int e = OK(eventfd(3, EFD_SEMAPHORE)), t, ep = OK(epoll_create1(0));
	uint64_t v;
	struct itimerspec it = { { 0, 5000000 }, { 0, 5000000 } }, old;
	struct epoll_event ev = { EPOLLIN, { .fd = 0 } };

	for (int i = 0; i < 3; i++)
		CHECK(read(e, &v, 8) == 8 && v == 1);
	pid_t k = CHILD(sleep_ms(10); v = 1; CHECK(write(e, &v, 8) == 8));
	CHECK(read(e, &v, 8) == 8);
	REAP(k);
	FAILS(read(e, &v, 4), EINVAL);
	t = OK(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	OK(timerfd_settime(t, 0, &it, NULL));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, t, &ev));
	for (int i = 0; i < 3; i++) {
		CHECK(epoll_wait(ep, &ev, 1, 5000) == 1);
		CHECK(read(t, &v, 8) == 8 && v >= 1);
	}
	sleep_ms(50);
	CHECK(read(t, &v, 8) == 8 && v >= 5);
	it = (struct itimerspec){ { 0, 0 }, { 100, 0 } };
	OK(timerfd_settime(t, 0, &it, &old));
	CHECK(old.it_interval.tv_nsec == 5000000);
	OK(timerfd_gettime(t, &old));
	CHECK(old.it_value.tv_sec >= 99);
	OK(clock_gettime(CLOCK_MONOTONIC, &it.it_value));
	OK(timerfd_settime(t, TFD_TIMER_ABSTIME, &it, NULL));
	CHECK(read(t, &v, 8) == 8 && v == 1);
	FAILS(timerfd_create(99, 0), EINVAL);
	it.it_value.tv_nsec = 2000000000;
	FAILS(timerfd_settime(t, 0, &it, NULL), EINVAL);
	puts("fds ok");
	return 0;
}
