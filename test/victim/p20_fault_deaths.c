/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deaths by fault, abort and signal show the same status to the parent as
 * natively.
 */
#include "victim.h"
static volatile int zero;
static char *exe;
int main(void)
{
	struct rlimit none = { 0, 0 };
	int st;

	OK(setrlimit(RLIMIT_CORE, &none));
	st = reap(CHILD(*(volatile int *)8 = 1));
	printf("%d %d\n", WIFSIGNALED(st), WTERMSIG(st));
	st = reap(CHILD(_exit(5 / zero)));
	printf("%d %d\n", WIFSIGNALED(st), WTERMSIG(st));
	st = reap(CHILD(abort()));
	printf("%d %d\n", WIFSIGNALED(st), WTERMSIG(st));
	st = reap(CHILD(__asm__ volatile("ud2")));
	printf("%d %d\n", WIFSIGNALED(st), WTERMSIG(st));
	st = reap(CHILD(raise(SIGTERM)));
	printf("%d %d\n", WIFSIGNALED(st), WTERMSIG(st));
	st = reap(CHILD(((void (*)(void))(uintptr_t)exe)()));
	printf("%d %d\n", WIFSIGNALED(st), WTERMSIG(st));
	for (int sig = 1; sig < 32; sig++) {
		if (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU)
			continue;
		st = reap(CHILD(signal(sig, SIG_DFL); kill(getpid(), sig); _exit(sig)));
		printf("signal %d: exited %d killed %d\n", sig,
		       WIFEXITED(st) ? WEXITSTATUS(st) : -1,
		       WIFSIGNALED(st) ? WTERMSIG(st) : -1);
	}
	return 0;
}
