/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGCHLD: handler with reaping loop, ignored, SA_NOCLDWAIT, SA_NOCLDSTOP,
 * racing other calls.
 */
#include "victim.h"
static volatile sig_atomic_t reaped, stops, sum;
static void on(int sig)
{
	int e = errno, st;

	while (waitpid(-1, &st, WNOHANG) > 0) {
		reaped++;
		sum += WEXITSTATUS(st);
	}
	errno = e;
}
static void stopped(int sig, siginfo_t *si, void *uc)
{
	if (si->si_code == CLD_STOPPED || si->si_code == CLD_CONTINUED)
		stops++;
}

int main(void)
{
	int st;
	pid_t p;

	handle(SIGCHLD, on, SA_RESTART);
	for (int i = 0; i < 20; i++)
		CHILD(_exit(i));
	while (reaped < 20) {
		getppid();
		sleep_ms(1);
	}
	printf("reaped %d sum %d\n", reaped, sum);
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 5; i++)
		CHILD(_exit(i));
	FAILS(waitpid(-1, &st, 0), ECHILD);
	handle(SIGCHLD, on, SA_NOCLDWAIT);
	for (int i = 0; i < 5; i++)
		CHILD(_exit(i));
	while (waitpid(-1, &st, 0) != -1 || errno != ECHILD)
		;
	handle_info(SIGCHLD, stopped, SA_RESTART);
	p = CHILD(for (;;) pause());
	OK(kill(p, SIGSTOP));
	CHECK(waitpid(p, &st, WUNTRACED) == p && WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
	OK(kill(p, SIGCONT));
	CHECK(waitpid(p, &st, WCONTINUED) == p && WIFCONTINUED(st));
	/* the child itself sends this one, when it runs again */
	while (stops < 2)
		sleep_ms(1);
	handle_info(SIGCHLD, stopped, SA_RESTART | SA_NOCLDSTOP);
	OK(kill(p, SIGSTOP));
	CHECK(waitpid(p, &st, WUNTRACED) == p);
	OK(kill(p, SIGKILL));
	CHECK(waitpid(p, &st, 0) == p && WIFSIGNALED(st));
	CHECK(stops == 2);
	puts("sigchld ok");
	return 0;
}
