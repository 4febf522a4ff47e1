/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals to single threads, to the process, masks per thread, handlers in
 * the right thread.
 */
#include "victim.h"
static __thread int mine;
static volatile sig_atomic_t total;
static void on(int sig)
{
	mine++;
	total++;
}
static int ready[2];
static void *target(void *arg)
{
	CHECK(write(ready[1], "r", 1) == 1);
	while (mine < 10)
		sleep_ms(1);
	return (void *)(uintptr_t)mine;
}
static void *waiter(void *arg)
{
	sigset_t s;
	int sig;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	ZERO(sigwait(&s, &sig));
	return (void *)(uintptr_t)sig;
}

int main(void)
{
	pthread_t t;
	sigset_t s;
	void *v;
	char c;

	OK(pipe(ready));
	handle(SIGUSR1, on, SA_RESTART);
	ZERO(pthread_create(&t, NULL, target, NULL));
	CHECK(read(ready[0], &c, 1) == 1);
	for (int i = 0; i < 10; i++) {
		ZERO(pthread_kill(t, SIGUSR1));
		while (total <= i)
			sched_yield();
	}
	ZERO(pthread_join(t, &v));
	CHECK((uintptr_t)v == 10 && mine == 0);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	ZERO(pthread_sigmask(SIG_BLOCK, &s, NULL));
	ZERO(pthread_create(&t, NULL, waiter, NULL));
	OK(kill(getpid(), SIGUSR2));
	ZERO(pthread_join(t, &v));
	CHECK((uintptr_t)v == SIGUSR2);
	/* only the thread that does not block it can take it */
	sigaddset(&s, SIGUSR1);
	ZERO(pthread_create(&t, NULL, target, NULL));
	CHECK(read(ready[0], &c, 1) == 1);
	ZERO(pthread_sigmask(SIG_BLOCK, &s, NULL));
	total = 0;
	for (int i = 0; i < 10; i++) {
		OK(kill(getpid(), SIGUSR1));
		while (total <= i)
			sched_yield();
	}
	ZERO(pthread_join(t, &v));
	printf("%d\n", (int)(uintptr_t)v);
	return 0;
}
