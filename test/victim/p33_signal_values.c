/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that travel through the kernel with a signal are the variant's own:
 * POSIX timers, queued signals and message queue notifications, taken by a
 * handler, by sigwaitinfo, and in a child.
 */
#include "victim.h"

static void *volatile seen;
static volatile sig_atomic_t code;

static void on(int sig, siginfo_t *si, void *uc)
{
	seen = si->si_value.sival_ptr;
	code = si->si_code;
}

static void fire(timer_t t)
{
	struct itimerspec it = { { 0, 0 }, { 0, 3000000 } };

	seen = NULL;
	OK(timer_settime(t, 0, &it, NULL));
}

static void timers(void)
{
	timer_t t[3];
	char *p[3];
	sigset_t s, old;
	siginfo_t si;

	for (int i = 0; i < 3; i++) {
		struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
				       .sigev_signo = SIGRTMIN };

		p[i] = malloc(10);
		ev.sigev_value.sival_ptr = p[i];
		OK(timer_create(CLOCK_MONOTONIC, &ev, &t[i]));
	}
	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &s, &old));
	for (int i = 2; i >= 0; i--) {
		fire(t[i]);
		sigsuspend(&old);
		CHECK(seen == p[i] && code == SI_TIMER);
		fire(t[i]);
		CHECK(sigwaitinfo(&s, &si) == SIGRTMIN);
		CHECK(si.si_value.sival_ptr == p[i] && si.si_code == SI_TIMER);
		OK(timer_delete(t[i]));
	}
	/* the thread that a timer starts gets the pointer as well */
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
	puts("timers ok");
}

static sem_t sem;
static void *arg;
static void thread(union sigval v)
{
	arg = v.sival_ptr;
	sem_post(&sem);
}

static void by_thread(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD,
			       .sigev_notify_function = thread,
			       .sigev_value.sival_ptr = &ev };
	struct itimerspec it = { { 0, 0 }, { 0, 3000000 } };
	timer_t t;

	OK(sem_init(&sem, 0, 0));
	OK(timer_create(CLOCK_REALTIME, &ev, &t));
	OK(timer_settime(t, 0, &it, NULL));
	while (sem_wait(&sem) < 0)
		;
	CHECK(arg == &ev);
	OK(timer_delete(t));
	puts("timer thread ok");
}

static void default_value(void)
{
	timer_t t;

	/* no sigevent: SIGALRM with the timer id */
	OK(timer_create(CLOCK_MONOTONIC, NULL, &t));
	code = 0;
	fire(t);
	while (code != SI_TIMER)
		pause();
	OK(timer_delete(t));
	puts("default value ok");
}

static void queued(void)
{
	int local;
	union sigval v = { .sival_ptr = &local };
	sigset_t s;
	siginfo_t si;
	pid_t pid;

	OK(sigqueue(getpid(), SIGRTMIN, v));
	CHECK(seen == &local && code == SI_QUEUE);
	v.sival_ptr = NULL;
	v.sival_int = 42;
	OK(sigqueue(getpid(), SIGRTMIN, v));
	CHECK(seen == v.sival_ptr);
	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN + 1);
	OK(sigprocmask(SIG_BLOCK, &s, NULL));
	/* from a child: the address is the same in both */
	pid = CHILD({
		v.sival_ptr = &v;
		OK(sigqueue(getppid(), SIGRTMIN + 1, v));
	});
	CHECK(sigwaitinfo(&s, &si) == SIGRTMIN + 1);
	CHECK(si.si_value.sival_ptr == &v && si.si_pid == pid);
	REAP(pid);
	puts("queued ok");
}

static void queues(void)
{
	struct mq_attr at = { .mq_maxmsg = 4, .mq_msgsize = 16 };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGRTMIN,
			       .sigev_value.sival_ptr = &at };
	char name[32], buf[16];
	mqd_t q;

	snprintf(name, sizeof(name), "/victim-%d", getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &at);
	if (q == (mqd_t)-1) {
		/* not mounted or not allowed here */
		puts("queues ok");
		return;
	}
	OK(mq_unlink(name));
	OK(mq_notify(q, &ev));
	FAILS(mq_notify(q, &ev), EBUSY);
	seen = NULL;
	OK(mq_send(q, "hello", 5, 1));
	CHECK(seen == &at && code == SI_MESGQ);
	CHECK(mq_receive(q, buf, sizeof(buf), NULL) == 5);
	OK(mq_notify(q, &ev));
	OK(mq_notify(q, NULL));
	OK(mq_close(q));
	puts("queues ok");
}

int main(void)
{
	handle_info(SIGRTMIN, on, 0);
	handle_info(SIGALRM, on, 0);
	timers();
	by_thread();
	default_value();
	queued();
	queues();
	return 0;
}
