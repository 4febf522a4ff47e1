/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals that meet calls which sleep, when such calls have been made often
 * before: handlers that leave by siglongjmp, storms of ignored and of caught
 * signals, temporary masks, stop and continue, cancellation. Time-outs are
 * neither cut short nor begun anew.
 */
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include "victim.h"

static sigjmp_buf out;
static volatile int caught;
static int pipe_a[2], ep;

static void jump(int sig)
{
	(void)sig;
	siglongjmp(out, 1);
}

static void count(int sig)
{
	(void)sig;
	caught++;
}

static void on_signal(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	OK(sigaction(sig, &sa, NULL));
}

/* A child that sends `sig` every few milliseconds. */
static pid_t storm(int sig)
{
	pid_t to = getpid();

	return CHILD({
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			kill(to, sig);
			sleep_ms(7);
		}
	});
}

static void calm(pid_t p)
{
	int st;

	OK(kill(p, SIGKILL));
	CHECK(OK(waitpid(p, &st, 0)) == p && WIFSIGNALED(st));
}

static void waits(int64_t from, int64_t ms)
{
	int64_t gone = mono_ms() - from;

	if (gone < ms || gone > ms + 900)
		printf("%d ms instead of %d\n", (int)gone, (int)ms);
}

static void warm(void)
{
	struct epoll_event ev;
	struct timespec zero = { 0, 0 };
	struct timeval tv;
	char c = 'w';

	for (int i = 0; i < 10; i++) {
		tv.tv_sec = tv.tv_usec = 0;
		CHECK(write(pipe_a[1], &c, 1) == 1);
		CHECK(read(pipe_a[0], &c, 1) == 1);
		CHECK(epoll_wait(ep, &ev, 1, 0) == 0);
		CHECK(poll(NULL, 0, 0) == 0);
		CHECK(ppoll(NULL, 0, &zero, NULL) == 0);
		CHECK(select(0, NULL, NULL, NULL, &tv) == 0);
		OK(nanosleep(&zero, NULL));
	}
}

static void ignored_storm(int sig)
{
	struct timespec t = { 0, 120000000 }, left = { 9, 9 };
	struct timeval tv = { 0, 120000 };
	struct epoll_event ev;
	int64_t t0;
	pid_t p = storm(sig);

	t0 = mono_ms();
	CHECK(epoll_wait(ep, &ev, 1, 120) == 0);
	waits(t0, 120);
	t0 = mono_ms();
	OK(nanosleep(&t, &left));
	waits(t0, 120);
	t0 = mono_ms();
	CHECK(poll(NULL, 0, 120) == 0);
	waits(t0, 120);
	t0 = mono_ms();
	CHECK(select(0, NULL, NULL, NULL, &tv) == 0);
	waits(t0, 120);
	t0 = mono_ms();
	CHECK(ppoll(NULL, 0, &t, NULL) == 0);
	waits(t0, 120);
	calm(p);
}

static void caught_storm(void)
{
	struct epoll_event ev;
	int64_t t0 = mono_ms();
	int n = 0;
	char c;
	pid_t p, q;

	on_signal(SIGUSR1, count, SA_RESTART);
	p = storm(SIGUSR1);
	q = CHILD({
		sleep_ms(500);
		CHECK(write(pipe_a[1], "r", 1) == 1);
	});
	/* restarted until there is something to read */
	CHECK(read(pipe_a[0], &c, 1) == 1 && c == 'r');
	CHECK(caught > 5);
	waits(t0, 490);
	calm(p);
	REAP(q);
	/* never restarted, whatever the handler's flags */
	p = storm(SIGUSR1);
	caught = 0;
	for (t0 = mono_ms(); n <= 5 || mono_ms() - t0 < 200; n++)
		FAILS(epoll_wait(ep, &ev, 1, 2000), EINTR);
	CHECK(n > 5 && caught >= n);
	calm(p);
	caught = 0;
}

static void jumps(void)
{
	struct itimerval it = { { 0, 0 }, { 0, 10000 } };
	volatile int n = 0;
	char c;

	on_signal(SIGALRM, jump, SA_NODEFER);
	for (n = 0; n < 20; n++) {
		if (sigsetjmp(out, 1))
			continue;
		OK(setitimer(ITIMER_REAL, &it, NULL));
		CHECK(read(pipe_a[0], &c, 1) == 99);
	}
	printf("jumped %d\n", n);
	on_signal(SIGALRM, SIG_DFL, 0);
}

static void temporary(void)
{
	sigset_t block, none;
	struct timespec t = { 5, 0 };
	int n;
	pid_t p;

	on_signal(SIGUSR2, count, 0);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR2);
	OK(sigprocmask(SIG_BLOCK, &block, NULL));
	p = storm(SIGUSR2);
	for (n = 0; n < 10; n++) {
		int before = caught;

		sleep_ms(2);
		CHECK(caught == before);
		FAILS(ppoll(NULL, 0, &t, &none), EINTR);
		CHECK(caught == before + 1);
	}
	calm(p);
	t.tv_sec = 0;
	while (ppoll(NULL, 0, &t, &none) < 0)
		;
	OK(sigprocmask(SIG_UNBLOCK, &block, NULL));
	printf("under a mask %d\n", n);
}

static void stopped(void)
{
	pid_t p = CHILD({
		struct epoll_event ev;
		char c;

		warm();
		CHECK(read(pipe_a[0], &c, 1) == 1 && c == 's');
		/* the end of a stop interrupts this one (signal(7)) */
		FAILS(epoll_wait(ep, &ev, 1, 5000), EINTR);
	});
	int st;

	for (int i = 0; i < 4; i++) {
		sleep_ms(60);
		if (i == 2)
			CHECK(write(pipe_a[1], "s", 1) == 1);
		if (i == 2)
			continue;
		OK(kill(p, SIGSTOP));
		CHECK(OK(waitpid(p, &st, WUNTRACED)) == p && WIFSTOPPED(st));
		OK(kill(p, SIGCONT));
	}
	REAP(p);
}

static void *sleeper(void *arg)
{
	char c;

	warm();
	CHECK(write(((int *)arg)[1], "x", 1) == 1);
	CHECK(read(pipe_a[0], &c, 1) == 99);
	return NULL;
}

static void cancelled(void)
{
	int ready[2];
	pthread_t t;
	void *ret;
	char c;

	OK(pipe(ready));
	for (int i = 0; i < 10; i++) {
		ZERO(pthread_create(&t, NULL, sleeper, ready));
		CHECK(read(ready[0], &c, 1) == 1);
		if (i & 1)
			sleep_ms(5);
		ZERO(pthread_cancel(t));
		ZERO(pthread_join(t, &ret));
		CHECK(ret == PTHREAD_CANCELED);
	}
}

int main(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int other[2];

	OK(pipe(pipe_a));
	OK(pipe(other));
	ep = OK(epoll_create1(0));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, other[0], &ev));
	warm();
	jumps();
	ignored_storm(SIGWINCH);
	ignored_storm(SIGCHLD);
	caught_storm();
	temporary();
	stopped();
	cancelled();
	puts("sleeping calls ok");
	return 0;
}
