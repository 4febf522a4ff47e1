/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several pending signals that are let through at once: their frames lie one upon
 * the other before the first instruction of any handler, the last one runs first.
 */
#include "victim.h"

static volatile sig_atomic_t order[32], n;

static void on_signal(int sig)
{
	order[n++] = sig >= SIGRTMIN ? sig - SIGRTMIN + 100 : sig;
}

static void show(const char *what)
{
	printf("%s:", what);
	for (int i = 0; i < n; i++)
		printf(" %d", order[i]);
	puts("");
	n = 0;
}

static void send_all(void)
{
	for (int i = 3; i >= 0; i--)
		raise(SIGRTMIN + i);
	raise(SIGUSR1);
	raise(SIGRTMIN + 2);
}

int main(void)
{
	struct sigaction a = { .sa_handler = on_signal };
	struct timespec no_time = { 0, 0 };
	sigset_t set, none;

	sigemptyset(&none);
	sigemptyset(&set);
	for (int i = 0; i < 4; i++) {
		sigaddset(&set, SIGRTMIN + i);
		OK(sigaction(SIGRTMIN + i, &a, NULL));
	}
	sigaddset(&set, SIGUSR1);
	OK(sigaction(SIGUSR1, &a, NULL));
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	send_all();
	OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
	show("sigprocmask");
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	send_all();
	FAILS(sigsuspend(&none), EINTR);
	show("sigsuspend");
	send_all();
	FAILS(ppoll(NULL, 0, NULL, &none), EINTR);
	show("ppoll");
	send_all();
	printf("pselect %d\n", pselect(0, NULL, NULL, NULL, &no_time, &none));
	show("pselect");
	OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
	show("left");
	/* one handler lets nothing else through */
	sigfillset(&a.sa_mask);
	OK(sigaction(SIGUSR1, &a, NULL));
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	send_all();
	OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
	show("full mask");
	/* an ignored one among them, and one that may nest in itself */
	a.sa_flags = SA_NODEFER;
	sigemptyset(&a.sa_mask);
	OK(sigaction(SIGRTMIN + 2, &a, NULL));
	signal(SIGRTMIN + 1, SIG_IGN);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	send_all();
	OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
	show("nested");
	return 0;
}
