/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGPIPE and EPIPE arise once: default, ignored, handled, MSG_NOSIGNAL, for
 * pipes and sockets.
 */
#include "victim.h"
static volatile sig_atomic_t n;
static void on(int sig, siginfo_t *si, void *uc)
{
	CHECK(si->si_pid == getpid());
	n++;
}

int main(void)
{
	int p[2], s[2], st;

	OK(pipe(p));
	close(p[0]);
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	close(s[0]);
	st = reap(CHILD(signal(SIGPIPE, SIG_DFL); write(p[1], "x", 1); _exit(1)));
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGPIPE);
	st = reap(CHILD(signal(SIGPIPE, SIG_DFL); send(s[1], "x", 1, 0); _exit(1)));
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	FAILS(write(p[1], "x", 1), EPIPE);
	handle_info(SIGPIPE, on, 0);
	FAILS(write(p[1], "x", 1), EPIPE);
	CHECK(n == 1);
	FAILS(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(n == 1);
	FAILS(send(s[1], "x", 1, 0), EPIPE);
	FAILS(writev(p[1], &(struct iovec){ &st, 4 }, 1), EPIPE);
	CHECK(n == 3);
	puts("sigpipe ok");
	return 0;
}
