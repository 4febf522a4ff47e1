/* SPDX-License-Identifier: Apache-2.0 */
/*
 * while (!flag) wait-for-ever: a handler that runs between the last call and the
 * test is seen by the test; so no signal is delivered between the test and the
 * call, however long that takes to come.
 */
#include "victim.h"

static volatile int flag;	/* signals since it was 0 */

static void on_alarm(int sig)
{
	flag++;
}

static void compute(long n)
{
	for (volatile long i = 0; i < n; i++)
		;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct epoll_event ev = { .events = EPOLLIN };
	struct pollfd pf = { .events = POLLIN };
	int p[2], ep = OK(epoll_create1(0)), late = 0;
	fd_set set;

	OK(sigaction(SIGALRM, &sa, NULL));
	OK(pipe(p));
	pf.fd = p[0];
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
	for (int i = 0; i < 160; i++) {
		/* the second one is for who has missed the first */
		struct itimerval it = { { 1, 0 }, { 0, 300 + i / 4 * 10 } };
		struct itimerval none = { { 0, 0 }, { 0, 0 } };

		flag = 0;
		OK(setitimer(ITIMER_REAL, &it, NULL));
		compute(200000);
		while (!flag) {
			compute(300000);
			if (flag)
				break;
			switch (i % 4) {
			case 0:
				poll(&pf, 1, -1);
				break;
			case 1:
				epoll_wait(ep, &ev, 1, -1);
				break;
			case 2:
				FD_ZERO(&set);
				FD_SET(p[0], &set);
				select(p[0] + 1, &set, NULL, NULL, NULL);
				break;
			default:
				ppoll(&pf, 1, NULL, NULL);
				break;
			}
		}
		OK(setitimer(ITIMER_REAL, &none, NULL));
		/* there is a window, natively: two instructions */
		late += flag > 1;
		CHECK(late < 4);
	}
	puts("seen each time");
	return 0;
}
