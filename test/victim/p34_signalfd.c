/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd: read, poll, epoll, fields, mask change, several signals at once. */
#include "victim.h"
int main(void)
{
	sigset_t s;
	int fd, ep = OK(epoll_create1(0));
	struct signalfd_siginfo si[4];
	struct epoll_event ev = { EPOLLIN, { .u64 = 9 } };
	pid_t p;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGUSR2);
	sigaddset(&s, SIGRTMIN);
	sigaddset(&s, SIGCHLD);
	OK(sigprocmask(SIG_BLOCK, &s, NULL));
	fd = OK(signalfd(-1, &s, SFD_NONBLOCK | SFD_CLOEXEC));
	FAILS(read(fd, si, sizeof(si)), EAGAIN);
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	OK(raise(SIGUSR1));
	CHECK(epoll_wait(ep, &ev, 1, 1000) == 1 && ev.data.u64 == 9);
	OK(kill(getpid(), SIGUSR2));
	OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 55 }));
	CHECK(read(fd, si, sizeof(si)) == 3 * sizeof(si[0]));
	for (int i = 0; i < 3; i++)
		printf("signo %d code %d pid ok %d int %d\n", si[i].ssi_signo == (unsigned int)SIGRTMIN ?
		       64 : si[i].ssi_signo, si[i].ssi_code, si[i].ssi_pid == (unsigned int)getpid(),
		       si[i].ssi_int);
	p = CHILD(_exit(8));
	CHECK(epoll_wait(ep, &ev, 1, 10000) == 1);
	CHECK(read(fd, si, sizeof(si)) == sizeof(si[0]));
	CHECK(si[0].ssi_signo == SIGCHLD && si[0].ssi_status == 8 && si[0].ssi_pid == (unsigned int)p);
	CHECK(WEXITSTATUS(reap(p)) == 8);
	sigdelset(&s, SIGUSR1);
	CHECK(signalfd(fd, &s, 0) == fd);
	OK(raise(SIGUSR1));
	CHECK(epoll_wait(ep, &ev, 1, 0) == 0);
	FAILS(read(fd, si, 10), EINVAL);
	return 0;
}
