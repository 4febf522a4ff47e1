// SPDX-License-Identifier: Apache-2.0
/*
 * So many outputs through TCP, with calls of other kinds and signals among them, that
 * the leader has tried both, followers that stay awake and such that sleep (pace.c):
 * each output arrives once, whole and in order.
 */
#include <poll.h>
#include <sys/wait.h>

#include "victim.h"

#define OUTPUTS 14000

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	ticks++;
}

/* The peer: answers n with 3 n + 1. */
static void serve(int l)
{
	int s = OK(accept(l, NULL, NULL));
	uint32_t n, told = 0;

	while (read(s, &n, sizeof(n)) == sizeof(n)) {
		told = n * 3 + 1;
		CHECK(write(s, &told, sizeof(told)) == sizeof(told));
	}
	_exit(told == (OUTPUTS - 1) * 3 + 1 ? 0 : 1);
}

int main(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct itimerval every = { { 0, 20000 }, { 0, 20000 } }, off = { { 0 } };
	socklen_t len = sizeof(a);
	int l = OK(socket(AF_INET, SOCK_STREAM, 0)), s, st;
	struct pollfd p;
	uint32_t told;
	pid_t pid;

	OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
	OK(listen(l, 1));
	OK(getsockname(l, (struct sockaddr *)&a, &len));
	pid = OK(fork());
	if (!pid)
		serve(l);
	s = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(connect(s, (struct sockaddr *)&a, sizeof(a)));
	handle(SIGALRM, tick, SA_RESTART);
	OK(setitimer(ITIMER_REAL, &every, NULL));
	p = (struct pollfd){ .fd = s, .events = POLLIN };
	for (uint32_t i = 0; i < OUTPUTS; i++) {
		CHECK(write(s, &i, sizeof(i)) == sizeof(i));
		/* at a rendezvous; in-process; asleep */
		if (i % 1000 == 7)
			close(OK(open("/proc/self/stat", O_RDONLY)));
		if (i % 3 == 0)
			while (poll(&p, 1, -1) < 0)
				CHECK(errno == EINTR);
		CHECK(read(s, &told, sizeof(told)) == sizeof(told));
		CHECK(told == i * 3 + 1);
		if (i % 4000 == 0)
			sleep_ms(30);
	}
	OK(setitimer(ITIMER_REAL, &off, NULL));
	close(s);
	OK(waitpid(pid, &st, 0));
	printf("%d outputs, ticks %d, peer %d\n", OUTPUTS, ticks > 0, st);
	return 0;
}
