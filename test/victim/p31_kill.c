/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill to self, child, parent, groups, with signal 0; each delivered once;
 * errors.
 */
#include "victim.h"
static volatile sig_atomic_t n;
static void on(int sig)
{
	n++;
}

int main(void)
{
	pid_t me, p;
	int st, a[2];
	char c;

	me = getpid();
	if (getpgrp() != me)
		OK(setpgid(0, 0));
	handle(SIGUSR1, on, 0);
	OK(kill(me, SIGUSR1));
	CHECK(n == 1);
	OK(kill(0, SIGUSR1));
	CHECK(n == 2);
	OK(kill(-me, SIGUSR1));
	CHECK(n == 3);
	OK(killpg(0, SIGUSR1));
	OK(raise(SIGUSR1));
	OK(syscall(SYS_tgkill, me, me, SIGUSR1));
	OK(syscall(SYS_tkill, me, SIGUSR1));
	ZERO(pthread_kill(pthread_self(), SIGUSR1));
	CHECK(n == 8);
	OK(kill(me, 0));
	OK(pipe(a));
	REAP(CHILD(OK(kill(getppid(), SIGUSR1))));
	CHECK(n == 9);
	p = CHILD({
		sigset_t one, none;

		n = 0;
		sigemptyset(&none);
		sigemptyset(&one);
		sigaddset(&one, SIGUSR1);
		OK(sigprocmask(SIG_BLOCK, &one, NULL));
		CHECK(write(a[1], "r", 1) == 1);
		/* pause() would miss one that came before it */
		while (!n)
			sigsuspend(&none);
		_exit(5);
	});
	CHECK(read(a[0], &c, 1) == 1);
	n = 0;
	OK(kill(0, SIGUSR1));
	st = reap(p);
	CHECK(WEXITSTATUS(st) == 5 && n == 1);
	FAILS(kill(p, 0), ESRCH);
	FAILS(kill(-999999, SIGUSR1), ESRCH);
	FAILS(kill(me, 65), EINVAL);
	FAILS(kill(me, -1), EINVAL);
	FAILS(syscall(SYS_tgkill, me, 0, 0), EINVAL);
	FAILS(syscall(SYS_tgkill, -1, me, 0), EINVAL);
	/* a stopped child, killed */
	p = CHILD(raise(SIGSTOP); _exit(6));
	CHECK(waitpid(p, &st, WUNTRACED) == p && WIFSTOPPED(st));
	OK(kill(p, SIGCONT));
	CHECK(WEXITSTATUS(reap(p)) == 6);
	printf("kill ok\n");
	return 0;
}
