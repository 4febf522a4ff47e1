/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signal that comes during a call which nevertheless ends as asked for: its
 * handler has run when the call returns, finds the call's result untouched, may
 * make calls itself, and may leave by siglongjmp.
 */
#include <sys/timerfd.h>
#include "victim.h"

static volatile int caught;
static int leave;
static sigjmp_buf out;
static int null, pipes[2];

static void on(int sig)
{
	char b[8];

	caught++;
	/* calls of its own, which a result that is still to be given survives */
	CHECK(write(null, "handler", 7) == 7);
	CHECK(read(null, b, sizeof(b)) == 0);
	CHECK(lseek(null, 0, SEEK_CUR) == 0);
	if (leave)
		siglongjmp(out, 1);
}

static void expired_timers(void)
{
	struct itimerspec at = { .it_value = { 1, 0 } };
	struct itimerval soon = { .it_value = { 0, 1 } };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGALRM };
	timer_t t;
	int before;

	OK(timer_create(CLOCK_MONOTONIC, &ev, &t));
	for (int i = 0; i < 20; i++) {
		before = caught;
		/* long past */
		ZERO(timer_settime(t, TIMER_ABSTIME, &at, NULL));
		CHECK(caught == before + 1);
	}
	OK(timer_delete(t));
	/* a microsecond: some time soon, if not at once */
	before = caught;
	OK(setitimer(ITIMER_REAL, &soon, NULL));
	while (caught == before)
		getppid();
	CHECK(caught == before + 1);
}

/* The call has its result although the handler made others. */
static void short_reads(void)
{
	struct itimerval it = { .it_value = { 0, 30000 } };
	char b[200000];
	int before;

	for (int i = 0; i < 3; i++) {
		before = caught;
		OK(setitimer(ITIMER_REAL, &it, NULL));
		/* more than the pipe takes: a part, when the signal comes */
		CHECK(write(pipes[1], memset(b, i, sizeof(b)), sizeof(b)) ==
		      65536);
		CHECK(caught == before + 1);
		CHECK(read(pipes[0], b, sizeof(b)) == 65536);
		CHECK(b[0] == i && b[65535] == i);
	}
}

static void leaves(void)
{
	struct itimerval it = { .it_value = { 0, 30000 } };
	char b[200000];
	int before = caught;

	leave = 1;
	for (int i = 0; i < 3; i++) {
		if (!sigsetjmp(out, 1)) {
			OK(setitimer(ITIMER_REAL, &it, NULL));
			memset(b, i, sizeof(b));
			CHECK(write(pipes[1], b, sizeof(b)) < 0);
			CHECK(!"reached");
		}
		CHECK(caught == before + i + 1);
		CHECK(read(pipes[0], b, sizeof(b)) == 65536);
	}
	leave = 0;
	CHECK(getppid() > 0);
}

/* A child's end, a write, a signal from another process: whatever call they meet
 * has its own result. */
static void storm(void)
{
	long n = 0;
	pid_t me = getpid(), c = fork();
	char b[64];

	if (!c) {
		for (int i = 0; i < 300; i++) {
			kill(me, SIGUSR1);
			if (i % 16 == 0)
				usleep(500);
		}
		_exit(0);
	}
	OK(c);
	for (;;) {
		int st;
		pid_t w = waitpid(c, &st, WNOHANG);

		if (w == c)
			break;
		CHECK(w == 0);
		for (int i = 0; i < 50; i++) {
			CHECK(write(null, b, 7) == 7);
			CHECK(lseek(null, 0, SEEK_CUR) == 0);
			CHECK(pread(null, b, 9, 0) == 0);
			CHECK(close(-1) == -1 && errno == EBADF);
			n++;
		}
	}
	CHECK(n > 0);
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on, .sa_flags = SA_RESTART };

	null = OK(open("/dev/null", O_RDWR));
	OK(pipe(pipes));
	OK(sigaction(SIGALRM, &sa, NULL));
	sa.sa_handler = on;
	OK(sigaction(SIGUSR1, &sa, NULL));
	for (int i = 0; i < 3; i++) {
		expired_timers();
		short_reads();
		leaves();
		storm();
	}
	printf("in time\n");
	return 0;
}
