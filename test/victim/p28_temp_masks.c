/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Temporary masks of sigsuspend, ppoll, pselect and epoll_pwait decide what
 * may be delivered, and are undone.
 */
#include "victim.h"
static volatile sig_atomic_t usr1, usr2;
static void on1(int sig)
{
	usr1++;
}
static void on2(int sig)
{
	usr2++;
}

int main(void)
{
	sigset_t block, only2, now;
	int ep = OK(epoll_create1(0));
	struct epoll_event ev;
	struct timespec ts = { 10, 0 }, none = { 0, 0 };

	handle(SIGUSR1, on1, 0);
	handle(SIGUSR2, on2, 0);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigaddset(&block, SIGUSR2);
	OK(sigprocmask(SIG_BLOCK, &block, NULL));
	sigfillset(&only2);
	sigdelset(&only2, SIGUSR2);
	for (int i = 0; i < 5; i++) {
		OK(raise(SIGUSR1));
		OK(raise(SIGUSR2));
		CHECK(usr1 == 0 && usr2 == i);
		switch (i) {
		case 0:
			FAILS(sigsuspend(&only2), EINTR);
			break;
		case 1:
			FAILS(ppoll(NULL, 0, &ts, &only2), EINTR);
			break;
		case 2:
			FAILS(pselect(0, NULL, NULL, NULL, &ts, &only2), EINTR);
			break;
		case 3:
			FAILS(epoll_pwait(ep, &ev, 1, 10000, &only2), EINTR);
			break;
		case 4: {
			/* something ready wins; the signal stays pending */
			int p[2];
			struct pollfd pf;

			OK(pipe(p));
			CHECK(write(p[1], "x", 1) == 1);
			pf = (struct pollfd){ p[0], POLLIN, 0 };
			int r = ppoll(&pf, 1, &none, &block);
			CHECK(r == 1);
			FAILS(sigsuspend(&only2), EINTR);
		}
		}
		CHECK(usr1 == 0 && usr2 == i + 1);
		OK(sigprocmask(SIG_BLOCK, NULL, &now));
		CHECK(sigismember(&now, SIGUSR1) && sigismember(&now, SIGUSR2));
		OK(sigpending(&now));
		CHECK(sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));
	}
	OK(sigprocmask(SIG_UNBLOCK, &block, NULL));
	printf("usr1 %d usr2 %d\n", usr1, usr2);
	return 0;
}
