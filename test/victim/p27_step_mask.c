/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that compute while they are sent a signal are stopped for it, and moved
 * to the same place by single steps.  The trap of a step unblocks SIGTRAP and resets
 * its action, if it is blocked or ignored; the program must not notice.
 */
#include "victim.h"

static volatile int caught, bare;

static void compute(long n)
{
	for (volatile long i = 0; i < n; i++)
		;
}

static void on(int sig)
{
	caught++;
}

/* Everything is blocked here, another signal may have come already. */
static void blocking(int sig)
{
	sigset_t now;

	compute(5000000);
	ZERO(sigprocmask(SIG_BLOCK, NULL, &now));
	bare += !sigismember(&now, SIGTRAP);
	caught++;
}

static void signals(int number)
{
	pid_t me = getpid(), c;

	caught = 0;
	c = CHILD({
		usleep(3000);
		OK(kill(me, SIGUSR1));
		if (number > 1)
			OK(kill(me, SIGUSR2));
	});
	while (caught < number)
		compute(100000);
	REAP(c);
}

static void for_both(void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler };

	sigfillset(&sa.sa_mask);
	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(sigaction(SIGUSR2, &sa, NULL));
}

static void expect(const char *what, bool blocked, void (*action)(int))
{
	struct sigaction sa;
	sigset_t trap, now;

	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	ZERO(sigprocmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &trap, NULL));
	CHECK(signal(SIGTRAP, action) != SIG_ERR);
	for (int i = 0; i < 2; i++) {
		signals(1);
		ZERO(sigprocmask(SIG_BLOCK, NULL, &now));
		CHECK(sigismember(&now, SIGTRAP) == blocked);
		OK(sigaction(SIGTRAP, NULL, &sa));
		CHECK(sa.sa_handler == action);
	}
	puts(what);
}

int main(void)
{
	for_both(blocking);
	for (int i = 0; i < 2; i++)
		signals(2);
	CHECK(!bare);
	puts("two signals");
	for_both(on);
	expect("plain", false, SIG_DFL);
	expect("blocked", true, SIG_DFL);
	expect("blocked, ignored", true, SIG_IGN);
	expect("ignored", false, SIG_IGN);
	expect("caught", false, on);
	expect("blocked, caught", true, on);
	return 0;
}
