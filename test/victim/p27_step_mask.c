/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that wait in a loop, and processes that compute while they have a signal,
 * are stopped and moved on by single steps.  The trap of a step unblocks SIGTRAP and
 * resets its action, if it is blocked or ignored; the program must not notice.
 */
#include "victim.h"

static volatile int flag;

static void *setter(void *arg)
{
	for (int i = 0; i < 2; i++)
		usleep(1000);
	flag = 1;
	return NULL;
}

/* One thread goes round, the other needs the turn again and again. */
static void spin(void)
{
	pthread_t t;

	flag = 0;
	ZERO(pthread_create(&t, NULL, setter, NULL));
	while (!flag)
		;
	ZERO(pthread_join(t, NULL));
}

static void expect(const char *what, int blocked, void (*handler)(int))
{
	struct sigaction sa;
	sigset_t now;

	spin();
	ZERO(pthread_sigmask(SIG_BLOCK, NULL, &now));
	CHECK(sigismember(&now, SIGTRAP) == blocked);
	CHECK(sigismember(&now, SIGUSR1) == blocked);
	OK(sigaction(SIGTRAP, NULL, &sa));
	CHECK(sa.sa_handler == handler);
	puts(what);
}

static void on(int sig)
{
}

/* Two signals come at once, the handler of each blocks everything. */
static volatile int caught, bare;

static void blocking(int sig)
{
	sigset_t now;

	for (volatile long i = 0; i < 20000000; i++)
		;
	ZERO(pthread_sigmask(SIG_BLOCK, NULL, &now));
	bare += !sigismember(&now, SIGTRAP);
	caught++;
}

static void two_signals(void)
{
	struct sigaction sa = { .sa_handler = blocking };
	pid_t me = getpid(), c;

	sigfillset(&sa.sa_mask);
	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(sigaction(SIGUSR2, &sa, NULL));
	for (int i = 0; i < 3; i++) {
		caught = 0;
		c = CHILD({
			usleep(3000);
			OK(kill(me, SIGUSR1));
			OK(kill(me, SIGUSR2));
		});
		while (caught < 2)
			for (volatile long k = 0; k < 100000; k++)
				;
		REAP(c);
	}
	CHECK(!bare);
	puts("two signals");
}

int main(void)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	two_signals();
	expect("plain", 0, SIG_DFL);
	ZERO(pthread_sigmask(SIG_SETMASK, &all, NULL));
	expect("blocked", 1, SIG_DFL);
	CHECK(signal(SIGTRAP, SIG_IGN) != SIG_ERR);
	expect("blocked, ignored", 1, SIG_IGN);
	ZERO(pthread_sigmask(SIG_SETMASK, &none, NULL));
	expect("ignored", 0, SIG_IGN);
	CHECK(signal(SIGTRAP, on) != SIG_ERR);
	expect("caught", 0, on);
	ZERO(pthread_sigmask(SIG_SETMASK, &all, NULL));
	expect("blocked, caught", 1, on);
	return 0;
}
