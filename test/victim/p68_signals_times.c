/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As p68_signals_repeat, with waits whose time-out the kernel overwrites with what is left
 * of it, also when it repeats them: one signal is let through only behind them.
 */
#include "victim.h"
#include <stdatomic.h>

#define THREADS	4

static volatile sig_atomic_t taken;
static atomic_int stop;
static int null;

static void on_signal(int sig)
{
	(void)sig;
	taken++;
}

static void *wait_often(void *arg)
{
	uint64_t usr1 = 1u << (SIGUSR1 - 1);
	unsigned int i = 0;
	char line[32];
	int n;

	while (!atomic_load(&stop)) {
		struct timespec ts = { 0, 2000000 };
		struct timeval tv = { 0, 2000 };

		switch (i++ % 4) {
		case 0:
		case 1:
			syscall(SYS_ppoll, NULL, 0, &ts, &usr1, 8);
			break;
		case 2:
			syscall(SYS_pselect6, 0, NULL, NULL, NULL, &ts, NULL);
			break;
		default:
			syscall(SYS_select, 0, NULL, NULL, NULL, &tv);
			break;
		}
		n = snprintf(line, sizeof(line), "%u\n", i);
		CHECK(write(null, line, (size_t)n) == n);
	}
	return arg;
}

int main(void)
{
	struct itimerval it = { { 0, 300 }, { 0, 300 } }, none = { 0 };
	struct sigaction sa = { .sa_handler = on_signal };
	struct timespec nap = { 0, 200000 };
	pthread_t t[THREADS];

	OK(null = open("/dev/null", O_WRONLY));
	OK(sigaction(SIGALRM, &sa, NULL));
	OK(sigaction(SIGUSR1, &sa, NULL));
	for (int i = 0; i < THREADS; i++)
		ZERO(pthread_create(&t[i], NULL, wait_often, NULL));
	OK(setitimer(ITIMER_REAL, &it, NULL));
	for (int i = 0; i < 300 || taken < 100; i++) {
		ZERO(pthread_kill(t[i % THREADS], SIGUSR1));
		nanosleep(&nap, NULL);
	}
	OK(setitimer(ITIMER_REAL, &none, NULL));
	atomic_store(&stop, 1);
	for (int i = 0; i < THREADS; i++)
		ZERO(pthread_join(t[i], NULL));
	puts("done");
	return 0;
}
