// SPDX-License-Identifier: Apache-2.0
/*
 * Real-time signals in such numbers that the kernel refuses further ones: who sends
 * asks again, and each comes once, in order and with its value, in loops that make
 * calls, in calls that wait, in those with a mask of their own, and to threads.
 */
#include "victim.h"

#define LIMIT 100	/* beside what all processes of the user have pending */
#define ALL 400

static volatile int n, bad, last;
static int sig;

static void on(int s, siginfo_t *si, void *uc)
{
	(void)uc;
	if (s != sig || si->si_code != SI_QUEUE ||
	    si->si_value.sival_int != last + 1)
		bad++;
	last = si->si_value.sival_int;
	n++;
}

static void reset(void)
{
	n = bad = last = 0;
}

static void compute(void)
{
	static volatile unsigned long x;

	for (int i = 0; i < 2000; i++)
		x += x * 31 + 1;
}

static void in_calls(void)
{
	compute();
	getppid();
}

static void in_sleep(void)
{
	const struct timespec ts = { 0, 100000 };

	nanosleep(&ts, NULL);
}

static void unblocking(void)
{
	sigset_t set;

	ZERO(sigemptyset(&set));
	ZERO(sigaddset(&set, sig));
	ZERO(sigprocmask(SIG_BLOCK, &set, NULL));
	compute();
	ZERO(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

static void in_suspend(void)
{
	sigset_t set, none;

	ZERO(sigemptyset(&none));
	ZERO(sigemptyset(&set));
	ZERO(sigaddset(&set, sig));
	ZERO(sigprocmask(SIG_BLOCK, &set, NULL));
	if (n < ALL)
		sigsuspend(&none);
	ZERO(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

static void flood(const char *name, void (*step)(void))
{
	pid_t me = getpid(), p;

	reset();
	p = CHILD({
		for (int i = 1; i <= ALL; i++) {
			const union sigval v = { .sival_int = i };

			while (sigqueue(me, sig, v)) {
				CHECK(errno == EAGAIN);
				sched_yield();
			}
		}
	});
	while (n < ALL)
		step();
	ZERO(reap(p));
	printf("%s: %d signals, %d out of order\n", name, n, bad);
}

static pthread_t whom;

static void *sender(void *arg)
{
	sigset_t set;

	(void)arg;
	ZERO(sigemptyset(&set));
	ZERO(sigaddset(&set, sig));
	ZERO(pthread_sigmask(SIG_BLOCK, &set, NULL));
	for (int i = 1; i <= ALL; i++) {
		const union sigval v = { .sival_int = i };
		int e;

		while ((e = pthread_sigqueue(whom, sig, v))) {
			CHECK(e == EAGAIN);
			sched_yield();
		}
	}
	return NULL;
}

static void threads(void)
{
	pthread_t t;

	reset();
	whom = pthread_self();
	ZERO(pthread_create(&t, NULL, sender, NULL));
	while (n < ALL)
		in_sleep();
	ZERO(pthread_join(t, NULL));
	printf("to a thread: %d signals, %d out of order\n", n, bad);
}

/* No room at all: kill() sends without a value, one of each number. */
static void plain(int s)
{
	(void)s;
	n++;
}

static void no_room(void)
{
	const struct sigaction sa = { .sa_handler = plain };
	const union sigval v = { .sival_int = 1 };
	const struct rlimit none = { 0, 0 };

	reset();
	ZERO(setrlimit(RLIMIT_SIGPENDING, &none));
	ZERO(sigaction(sig, &sa, NULL));
	CHECK(sigqueue(getpid(), sig, v) && errno == EAGAIN);
	ZERO(kill(getpid(), sig));
	ZERO(reap(CHILD({ ZERO(kill(getppid(), sig)); })));
	while (n < 2)
		compute();
	CHECK(raise(sig) && errno == EAGAIN);
	printf("no room: %d signals\n", n);
}

static rlim_t pending(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long n = 0;
	char line[300];
	int found = 0;

	CHECK(f);
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "SigQ: %lu/", &n);
	CHECK(found == 1);
	fclose(f);
	return n;
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = on, .sa_flags = SA_SIGINFO };
	struct rlimit few;

	few.rlim_cur = few.rlim_max = pending() + LIMIT;
	sig = SIGRTMIN + 3;
	ZERO(sigaction(sig, &sa, NULL));
	ZERO(setrlimit(RLIMIT_SIGPENDING, &few));
	flood("calls", in_calls);
	flood("sleep", in_sleep);
	flood("unblocking", unblocking);
	flood("sigsuspend", in_suspend);
	threads();
	no_room();
	return 0;
}
