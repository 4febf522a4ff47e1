// SPDX-License-Identifier: Apache-2.0
/*
 * Signals that come to a thread that waits by going round a loop, before and after the
 * turn has changed there: each once, and the place it was at may be gone on from, also by
 * another way than returning from the handler.  Threads that have been interrupted in that
 * loop before the turn has ever changed there, and return to it afterwards, find it as it
 * was, wherever in it they were.
 */
#include <sys/time.h>
#include <ucontext.h>

#include "victim.h"

#define SIGNALS 12
#define HANDOVERS 40
#define EARLY 6

static int turn, ready, early_turn, told[2], back[2];
static volatile sig_atomic_t taken;
static pthread_t waiter;
void *from;

/* Where it goes on: at the address that the frame had. */
__asm__(".text\nresume:\n\tjmpq *from(%rip)\n");
extern const char resume[];

static void handler(int sig, siginfo_t *si, void *uc)
{
	ucontext_t *u = uc;

	if (sig == SIGALRM) {
		char c = 0;

		/* nobody wants the turn meanwhile */
		CHECK(write(told[1], &c, 1) == 1);
		CHECK(read(back[0], &c, 1) == 1);
		return;
	}
	taken++;
	if (sig == SIGUSR2) {
		from = (void *)u->uc_mcontext.gregs[REG_RIP];
		u->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)resume;
	}
}

__attribute__((noinline)) static void see(const int *p, int what)
{
	while (__atomic_load_n(p, __ATOMIC_ACQUIRE) != what)
		;
}

static void *early(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	ZERO(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	see(&early_turn, 1);
	return NULL;
}

static void *wait_for(void *arg)
{
	__atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < HANDOVERS; i++) {
		see(&turn, 1);
		__atomic_store_n(&turn, 0, __ATOMIC_RELEASE);
	}
	return NULL;
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	struct timespec ms = { 0, 1000000 };
	struct itimerval soon = { .it_value = { 0, 30000 } };
	pthread_t other[EARLY];
	sigset_t set;
	char c;

	ZERO(sigaction(SIGUSR1, &sa, NULL));
	ZERO(sigaction(SIGUSR2, &sa, NULL));
	ZERO(sigaction(SIGALRM, &sa, NULL));
	ZERO(pipe(told));
	ZERO(pipe(back));
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	ZERO(pthread_sigmask(SIG_BLOCK, &set, NULL));
	for (int i = 0; i < EARLY; i++) {
		ZERO(pthread_create(&other[i], NULL, early, NULL));
		ZERO(setitimer(ITIMER_REAL, &soon, NULL));
		CHECK(read(told[0], &c, 1) == 1);
	}
	ZERO(pthread_create(&waiter, NULL, wait_for, NULL));
	while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
		sched_yield();
	for (int i = 0; i < HANDOVERS; i++) {
		if (i >= 10 && i < 10 + SIGNALS) {
			int before = taken;

			ZERO(pthread_kill(waiter, i & 1 ? SIGUSR1 : SIGUSR2));
			while (taken == before)
				nanosleep(&ms, NULL);
		}
		if (i == 25)
			CHECK(write(back[1], "123456", EARLY) == EARLY);
		__atomic_store_n(&turn, 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) == 1)
			__builtin_ia32_pause();
	}
	ZERO(pthread_join(waiter, NULL));
	__atomic_store_n(&early_turn, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < EARLY; i++)
		ZERO(pthread_join(other[i], NULL));
	printf("%d signals\n", (int)taken);
	return 0;
}
