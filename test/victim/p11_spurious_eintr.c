/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blocked call is not interrupted by what the monitor does to other
 * threads: only by signals.
 */
#include "victim.h"
static void *waiter(void *arg)
{
	int ep = OK(epoll_create1(0)), p[2];
	struct epoll_event ev;
	struct pollfd pf;
	struct timeval tv = { 0, 60000 };
	struct timespec ts = { 0, 60000000 };
	sem_t sem;
	fd_set r;

	OK(pipe(p));
	pf = (struct pollfd){ p[0], POLLIN, -1 };
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	CHECK(epoll_wait(ep, &ev, 1, 60) == 0);
	CHECK(poll(&pf, 1, 60) == 0 && pf.revents == 0);
	CHECK(select(p[0] + 1, &r, NULL, NULL, &tv) == 0);
	CHECK(ppoll(&pf, 1, &ts, NULL) == 0);
	OK(nanosleep(&ts, NULL));
	ZERO(sem_init(&sem, 0, 0));
	OK(clock_gettime(CLOCK_REALTIME, &ts));
	ts.tv_sec += ts.tv_nsec / 940000000;
	ts.tv_nsec = (ts.tv_nsec + 60000000) % 1000000000;
	FAILS(sem_timedwait(&sem, &ts), ETIMEDOUT);
	return NULL;
}

int main(void)
{
	pthread_t t;

	ZERO(pthread_create(&t, NULL, waiter, NULL));
	for (int i = 0; i < 10; i++) {
		burn(10000000);
		getppid();
	}
	ZERO(pthread_join(t, NULL));
	puts("no spurious EINTR");
	return 0;
}
