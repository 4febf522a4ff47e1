// SPDX-License-Identifier: Apache-2.0
/*
 * Breakpoint instructions of the program's own, which runtimes of Lisp and others use
 * to call their handlers: they stop behind the instruction, with outputs to TCP held
 * (libipmon/hold.c) as without.
 */
#include "victim.h"

#define TIMES 40

static volatile int traps;

/* What follows the breakpoint is a code for the handler, no instruction. */
static void on_trap(int sig, siginfo_t *si, void *ucontext)
{
	ucontext_t *u = ucontext;
	unsigned char *ip = (unsigned char *)u->uc_mcontext.gregs[REG_RIP];

	CHECK(sig == SIGTRAP);
	if (ip[0] != 0x0f || ip[1] != 0x0b || ip[2] != traps % 3)
		_exit(9);
	u->uc_mcontext.gregs[REG_RIP] += 3;
	traps++;
}

static void trap(int how)
{
	switch (how) {
	case 0:
		__asm__ volatile("int3; .byte 0x0f, 0x0b, 0" ::: "memory");
		break;
	case 1:
		__asm__ volatile(".byte 0xcd, 3, 0x0f, 0x0b, 1" ::: "memory");
		break;
	default:
		__asm__ volatile("int3; .byte 0x0f, 0x0b, 2" ::: "memory");
		break;
	}
}

static void client(struct sockaddr_in *addr)
{
	char buf[8];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(!connect(fd, (struct sockaddr *)addr, sizeof(*addr)));
	for (int i = 0; i < TIMES; i++) {
		CHECK(send(fd, "?", 1, 0) == 1);
		CHECK(recv(fd, buf, 4, MSG_WAITALL) == 4);
		CHECK(!memcmp(buf, "held", 4));
	}
	CHECK(recv(fd, buf, 4, MSG_WAITALL) == 4);
	CHECK(!memcmp(buf, "last", 4));
	CHECK(recv(fd, buf, 4, 0) == 0);
	_exit(0);
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int listener, fd, status;
	pid_t pid, server;
	char c;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!bind(listener, (struct sockaddr *)&addr, sizeof(addr)));
	CHECK(!listen(listener, 1));
	CHECK(!getsockname(listener, (struct sockaddr *)&addr, &len));
	fflush(stdout);
	pid = fork();
	if (!pid)
		client(&addr);
	server = fork();
	if (!server) {
		CHECK(!sigaction(SIGTRAP, &sa, NULL));
		fd = accept(listener, NULL, NULL);
		for (int i = 0; i < TIMES; i++) {
			CHECK(recv(fd, &c, 1, 0) == 1);
			CHECK(send(fd, "held", 4, 0) == 4);
			trap(i % 3);
		}
		CHECK(traps == TIMES);
		signal(SIGTRAP, SIG_DFL);
		CHECK(send(fd, "last", 4, 0) == 4);
		trap(0);
		_exit(1);
	}
	close(listener);
	CHECK(waitpid(server, &status, 0) == server);
	printf("server: signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	CHECK(waitpid(pid, &status, 0) == pid);
	printf("client: %d\n", status);
	return 0;
}
