/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket's time-out is over in time although ignored signals come again and
 * again, which a process that is not traced would not notice.
 */
#include "victim.h"

static int stop[2];

static pid_t pester(void)
{
	pid_t pid;

	OK(pipe(stop));
	pid = OK(fork());
	if (!pid) {
		struct pollfd p = { .fd = stop[0], .events = POLLIN };

		close(stop[1]);
		while (!poll(&p, 1, 20))
			kill(getppid(), SIGWINCH);
		_exit(0);
	}
	close(stop[0]);
	return pid;
}

static void over(const char *what, long r, const struct timespec *from)
{
	struct timespec to;

	printf("%s: %ld %s\n", what, r, r < 0 ? strerror(errno) : "");
	ZERO(clock_gettime(CLOCK_MONOTONIC, &to));
	CHECK((to.tv_sec - from->tv_sec) * 1000 +
	      (to.tv_nsec - from->tv_nsec) / 1000000 >= 299);
}

#define OVER(what, call) do { \
	struct timespec from; \
	ZERO(clock_gettime(CLOCK_MONOTONIC, &from)); \
	over(what, call, &from); \
} while (0)

int main(void)
{
	struct timeval t = { 0, 300000 };
	static char big[1 << 20];
	int p[2], s = OK(socket(AF_INET, SOCK_STREAM, 0));
	pid_t pid;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	OK(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	OK(setsockopt(p[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)));
	OK(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	OK(listen(s, 1));
	pid = pester();
	OVER("recv", recv(p[0], big, 1, 0));
	OVER("read", read(p[0], big, 1));
	OVER("accept", accept(s, NULL, NULL));
	/* fill it */
	while (send(p[0], big, sizeof(big), MSG_DONTWAIT) > 0)
		;
	OVER("send", send(p[0], big, sizeof(big), 0));
	close(stop[1]);
	CHECK(OK(waitpid(pid, NULL, 0)) == pid);
	return 0;
}
