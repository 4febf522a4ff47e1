/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX message queues: priorities, attributes, time-outs, notification by
 * signal.
 */
#include "victim.h"
static volatile sig_atomic_t noted;
static void on(int sig, siginfo_t *si, void *uc)
{
	noted = si->si_value.sival_int;
}

int main(void)
{
	char name[40], b[128];
	struct mq_attr a = { .mq_maxmsg = 4, .mq_msgsize = 64 };
	mqd_t q;
	unsigned int prio;
	struct timespec ts;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1,
			       .sigev_value.sival_int = 21 };

	snprintf(name, sizeof(name), "/victim-mq-%d", getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a);
	if (q == (mqd_t)-1 && errno == ENOSYS) {
		puts("mq ok");
		return 0;
	}
	CHECK(q != (mqd_t)-1);
	handle_info(SIGUSR1, on, 0);
	OK(mq_notify(q, &ev));
	OK(mq_send(q, "low", 4, 1));
	CHECK(noted == 21);
	OK(mq_send(q, "high", 5, 9));
	OK(mq_send(q, "mid", 4, 5));
	OK(mq_getattr(q, &a));
	CHECK(a.mq_curmsgs == 3 && a.mq_msgsize == 64);
	CHECK(mq_receive(q, b, 128, &prio) == 5 && prio == 9 && strcmp(b, "high") == 0);
	FAILS(mq_receive(q, b, 10, &prio), EMSGSIZE);
	CHECK(mq_receive(q, b, 128, &prio) == 4 && prio == 5);
	CHECK(mq_receive(q, b, 128, NULL) == 4);
	clock_gettime(CLOCK_REALTIME, &ts);
	FAILS(mq_timedreceive(q, b, 128, NULL, &ts), ETIMEDOUT);
	pid_t k = CHILD({
		mqd_t o = mq_open(name, O_WRONLY);
		CHECK(o != (mqd_t)-1);
		OK(mq_send(o, "child", 6, 0));
	});
	CHECK(mq_receive(q, b, 128, NULL) == 6);
	REAP(k);
	a.mq_flags = O_NONBLOCK;
	OK(mq_setattr(q, &a, NULL));
	FAILS(mq_receive(q, b, 128, NULL), EAGAIN);
	OK(mq_close(q));
	OK(mq_unlink(name));
	FAILS(mq_unlink(name), ENOENT);
	puts("mq ok");
	return 0;
}
