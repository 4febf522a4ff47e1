/* SPDX-License-Identifier: Apache-2.0 */
/* SA_RESETHAND, SA_NODEFER, masks during handlers, nesting. */
#include "victim.h"
static volatile sig_atomic_t depth, maxdepth, resets, order;
static void nodefer(int sig)
{
	if (++depth > maxdepth)
		maxdepth = depth;
	if (depth < 4)
		raise(sig);
	depth--;
}
static void defer(int sig)
{
	static int times;

	if (++depth > maxdepth)
		maxdepth = depth;
	if (times++ < 3)
		raise(sig);
	depth--;
}
static void reset(int sig)
{
	resets++;
}
static void inner(int sig)
{
	order = order * 10 + 2;
}
static void outer(int sig)
{
	order = order * 10 + 1;
	raise(SIGUSR2);
	order = order * 10 + 3;
}

int main(void)
{
	struct sigaction sa;
	int st;

	handle(SIGUSR1, nodefer, SA_NODEFER);
	raise(SIGUSR1);
	printf("nodefer depth %d\n", maxdepth);
	maxdepth = 0;
	handle(SIGUSR1, defer, 0);
	raise(SIGUSR1);
	printf("defer depth %d\n", maxdepth);
	handle(SIGUSR1, reset, SA_RESETHAND);
	raise(SIGUSR1);
	OK(sigaction(SIGUSR1, NULL, &sa));
	printf("reset %d default %d\n", resets, sa.sa_handler == SIG_DFL);
	handle(SIGUSR1, outer, 0);
	handle(SIGUSR2, inner, 0);
	raise(SIGUSR1);
	printf("nested order %d\n", order);
	sa = (struct sigaction){ .sa_handler = outer };
	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR2);
	OK(sigaction(SIGUSR1, &sa, NULL));
	order = 0;
	raise(SIGUSR1);
	printf("masked order %d\n", order);
	OK(sigaction(SIGUSR1, NULL, &sa));
	CHECK(sa.sa_handler == outer && sigismember(&sa.sa_mask, SIGUSR2));
	FAILS(sigaction(SIGKILL, &sa, NULL), EINVAL);
	FAILS(sigaction(65, &sa, NULL), EINVAL);
	/* handlers reset by exec, ignores kept */
	signal(SIGUSR1, SIG_IGN);
	st = reap(CHILD(execlp("sh", "sh", "-c", "kill -USR1 $$; kill -USR2 $$; exit 3", NULL)));
	printf("after exec: %d %d\n", WIFSIGNALED(st), WTERMSIG(st) == SIGUSR2);
	return 0;
}
