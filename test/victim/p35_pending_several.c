/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several pending signals that are let through at once: their frames lie one upon
 * the other before the first instruction of any handler, the last one runs first.
 */
#include "victim.h"

static volatile sig_atomic_t order[64], n;

static void on_signal(int sig)
{
	order[n++] = sig >= SIGRTMIN ? sig - SIGRTMIN + 100 : sig;
}

/* One that makes calls: what runs first, and upon what. */
static void on_calling(int sig)
{
	order[n++] = sig >= SIGRTMIN ? sig - SIGRTMIN + 100 : sig;
	getppid();
	order[n++] = -1;
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

/* ... some calls ago */
static void send_before(void)
{
	send_all();
	for (int i = 0; i < 100; i++)
		getppid();
}

static void in_waiting(const sigset_t *set)
{
	struct sigaction a = { .sa_handler = on_calling };
	const struct timespec second = { 1, 0 }, no_time = { 0, 0 };
	struct epoll_event ev;
	sigset_t none;
	int ep = OK(epoll_create1(0));

	sigemptyset(&none);
	OK(sigaction(SIGUSR1, &a, NULL));
	for (int i = 0; i < 4; i++)
		OK(sigaction(SIGRTMIN + i, &a, NULL));
	OK(sigprocmask(SIG_BLOCK, set, NULL));
	for (int i = 0; i < 4; i++) {
		/* neither is the first of its kind */
		ZERO(ppoll(NULL, 0, &no_time, &none));
		ZERO(pselect(0, NULL, NULL, NULL, &no_time, &none));
		ZERO(epoll_pwait(ep, &ev, 1, 0, &none));
	}
	send_before();
	FAILS(ppoll(NULL, 0, &second, &none), EINTR);
	show("ppoll, a second");
	send_before();
	FAILS(pselect(0, NULL, NULL, NULL, &second, &none), EINTR);
	show("pselect, a second");
	send_before();
	FAILS(epoll_pwait(ep, &ev, 1, 1000, &none), EINTR);
	show("epoll_pwait, a second");
	send_before();
	FAILS(epoll_pwait(ep, &ev, 1, -1, &none), EINTR);
	show("epoll_pwait");
	/* the rest goes on waiting, as whoever asks is told */
	sigfillset(&a.sa_mask);
	OK(sigaction(SIGUSR1, &a, NULL));
	for (int i = 0; i < 3; i++) {
		sigset_t left;

		send_before();
		errno = 0;
		if (i == 0)
			ppoll(NULL, 0, &second, &none);
		else if (i == 1)
			epoll_pwait(ep, &ev, 1, 1000, &none);
		else
			pselect(0, NULL, NULL, NULL, &second, &none);
		printf("%s", strerrorname_np(errno));
		OK(sigpending(&left));
		for (int k = 0; k < 4; k++)
			printf(" %d", sigismember(&left, SIGRTMIN + k));
		for (int k = 0; k < 5; k++)
			printf(" %d", sigtimedwait(set, NULL, &no_time));
		show(", one of several");
	}
	OK(close(ep));
	OK(sigprocmask(SIG_UNBLOCK, set, NULL));
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
	in_waiting(&set);
	OK(sigaction(SIGUSR1, &a, NULL));
	for (int i = 0; i < 4; i++)
		OK(sigaction(SIGRTMIN + i, &a, NULL));
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
