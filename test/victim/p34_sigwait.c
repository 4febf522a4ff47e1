/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigwaitinfo, sigtimedwait and sigwait take signals without handlers, with
 * time-out and interruption.
 */
#include "victim.h"
static volatile sig_atomic_t n;
static void on(int sig)
{
	n++;
}

int main(void)
{
	sigset_t s;
	siginfo_t si;
	struct timespec ts = { 0, 20000000 };
	struct itimerval it = { { 0, 0 }, { 0, 10000 } };
	int sig, st;
	pid_t p;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGRTMIN + 1);
	sigaddset(&s, SIGCHLD);
	OK(sigprocmask(SIG_BLOCK, &s, NULL));
	FAILS(sigtimedwait(&s, &si, &ts), EAGAIN);
	OK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 3 }));
	CHECK(sigwaitinfo(&s, &si) == SIGRTMIN + 1 && si.si_value.sival_int == 3);
	OK(raise(SIGUSR1));
	ZERO(sigwait(&s, &sig));
	CHECK(sig == SIGUSR1);
	p = CHILD(sleep_ms(20); _exit(9));
	CHECK(sigwaitinfo(&s, &si) == SIGCHLD && si.si_pid == p && si.si_status == 9);
	CHECK(waitpid(p, &st, 0) == p);
	handle(SIGALRM, on, SA_RESTART);
	OK(setitimer(ITIMER_REAL, &it, NULL));
	FAILS(sigwaitinfo(&s, &si), EINTR);
	CHECK(n == 1);
	p = CHILD(OK(kill(getppid(), SIGUSR1)));
	CHECK(sigwaitinfo(&s, &si) == SIGUSR1 && si.si_pid == p && si.si_code == SI_USER);
	REAP(p);
	OK(sigpending(&s));
	CHECK(sigismember(&s, SIGCHLD));
	puts("sigwait ok");
	return 0;
}
