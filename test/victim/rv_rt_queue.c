/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queued real-time signals: each once, in order, with its value, whether they
 * arrive in computing code, in calls with a temporary mask, or in others.
 */
#include "victim.h"

static volatile int n, bad, last;

static void on(int sig, siginfo_t *si, void *uc)
{
	if (si->si_code != SI_QUEUE || si->si_value.sival_int != last + 1)
		bad++;
	last = si->si_value.sival_int;
	n++;
}

#define ALL 600
int main(void)
{
	struct sigaction sa = { .sa_sigaction = on, .sa_flags = SA_SIGINFO };
	sigset_t none, rt;
	pid_t me = getpid(), p;
	volatile unsigned long x = 0;

	OK(sigaction(SIGRTMIN + 1, &sa, NULL));
	sigemptyset(&none);
	sigemptyset(&rt);
	sigaddset(&rt, SIGRTMIN + 1);
	p = CHILD({
		for (int i = 1; i <= ALL; i++) {
			union sigval v = { .sival_int = i };

			while (sigqueue(me, SIGRTMIN + 1, v) < 0)
				usleep(1000);
			if (i % 7 == 0)
				usleep(300);
		}
		_exit(0);
	});
	while (n < ALL) {
		struct timespec ts = { 0, 2000000 };
		fd_set f;

		FD_ZERO(&f);
		ppoll(NULL, 0, &ts, &none);
		for (int i = 0; i < 20000; i++)
			x += i;
		pselect(0, NULL, NULL, NULL, &ts, &none);
		OK(sigprocmask(SIG_BLOCK, &rt, NULL));
		for (int i = 0; i < 20000; i++)
			x += i;
		ppoll(NULL, 0, &ts, &none);
		OK(sigprocmask(SIG_UNBLOCK, &rt, NULL));
		nanosleep(&ts, NULL);
	}
	reap(p);
	usleep(20000);
	printf("%d signals, %d out of order\n", n, bad);
	return 0;
}
