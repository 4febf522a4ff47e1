/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals to the process and to single threads while all of them are busy; at
 * the end one exits, or executes another program, in the middle of the others'
 * calls.
 */
#include "victim.h"
#include <stdatomic.h>

#define THREADS	3

static volatile sig_atomic_t alarms, kicks;
static atomic_int stop;
static int null;

static void on_signal(int sig)
{
	if (sig == SIGALRM)
		alarms++;
	else
		kicks++;
}

static void *busy(void *arg)
{
	struct timespec nap = { 0, 200000 };
	unsigned int i = 0;
	char line[32];
	int n;

	while (!atomic_load(&stop)) {
		n = snprintf(line, sizeof(line), "%u\n", i++);
		CHECK(write(null, line, (size_t)n) == n);
		if (i % 4 == 0)
			nanosleep(&nap, NULL);
		if (i % 7 == 0)
			poll(NULL, 0, 1);
	}
	return NULL;
}

static int run(int how, char **argv)
{
	struct itimerval it = { { 0, 3000 }, { 0, 3000 } }, none = { 0 };
	struct sigaction sa = { .sa_handler = on_signal };
	struct timespec nap = { 0, 1000000 };
	pthread_t t[THREADS];

	OK(null = open("/dev/null", O_WRONLY));
	OK(sigaction(SIGALRM, &sa, NULL));
	OK(sigaction(SIGUSR1, &sa, NULL));
	for (int i = 0; i < THREADS; i++)
		ZERO(pthread_create(&t[i], NULL, busy, NULL));
	OK(setitimer(ITIMER_REAL, &it, NULL));
	for (int i = 0; i < 30 || alarms < 5; i++) {
		ZERO(pthread_kill(t[i % THREADS], SIGUSR1));
		nanosleep(&nap, NULL);
	}
	OK(setitimer(ITIMER_REAL, &none, NULL));
	CHECK(kicks > 0 && alarms >= 5);
	if (how == 1)
		_exit(7);
	if (how == 2)
		execl("/proc/self/exe", argv[0], "executed", NULL);
	if (how == 3)
		raise(SIGKILL);
	atomic_store(&stop, 1);
	for (int i = 0; i < THREADS; i++)
		ZERO(pthread_join(t[i], NULL));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		puts("executed");
		return 3;
	}
	for (int how = 0; how < 4; how++) {
		pid_t pid;
		int st;

		fflush(stdout);
		OK(pid = fork());
		if (!pid) {
			st = run(how, argv);
			exit(st);
		}
		CHECK(waitpid(pid, &st, 0) == pid);
		printf("%d: %#x\n", how, st);
	}
	return 0;
}
