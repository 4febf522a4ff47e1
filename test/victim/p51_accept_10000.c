/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that has accepted 10,000 connections, all open at once, and answers
 * them from an epoll loop.
 */
#include "victim.h"
#define N 10000

static void more_files(void)
{
	struct rlimit l;

	OK(getrlimit(RLIMIT_NOFILE, &l));
	if (l.rlim_max < N + 100)
		l.rlim_max = N + 100;
	l.rlim_cur = l.rlim_max;
	OK(setrlimit(RLIMIT_NOFILE, &l));
}

static void client(const struct sockaddr_un *sa)
{
	static int fd[N];
	char b[16];

	for (int i = 0; i < N; i++) {
		fd[i] = OK(socket(AF_UNIX, SOCK_STREAM, 0));
		while (connect(fd[i], (const void *)sa, sizeof(*sa)) < 0) {
			CHECK(errno == EAGAIN);
			sleep_ms(1);
		}
	}
	for (int i = 0; i < N; i++)
		CHECK(write(fd[i], &i, sizeof(i)) == sizeof(i));
	for (int i = 0; i < N; i++) {
		int v;

		CHECK(read(fd[i], b, sizeof(b)) == sizeof(v));
		memcpy(&v, b, sizeof(v));
		CHECK(v == i + 1);
		OK(close(fd[i]));
	}
}

struct conn {
	int fd;
	struct conn *self;
};

int main(void)
{
	struct sockaddr_un sa = { AF_UNIX, "s" };
	int ep, ls, accepted = 0, closed = 0, top = 0;
	struct epoll_event got[256], ev;
	struct conn lis;
	uint64_t sum = 0;
	pid_t pid;

	more_files();
	ls = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
	OK(bind(ls, (void *)&sa, sizeof(sa)));
	OK(listen(ls, 500));
	pid = CHILD({ OK(close(ls)); client(&sa); });
	ep = OK(epoll_create1(0));
	lis = (struct conn){ ls, &lis };
	ev = (struct epoll_event){ EPOLLIN, { .ptr = &lis } };
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, ls, &ev));
	while (closed < N) {
		int n = epoll_wait(ep, got, 256, -1);

		if (n < 0) {
			CHECK(errno == EINTR);
			continue;
		}
		for (int k = 0; k < n; k++) {
			struct conn *c = got[k].data.ptr;
			int fd, v;

			CHECK(c->self == c);
			if (c != &lis) {
				ssize_t r = OK(read(c->fd, &v, sizeof(v)));

				if (r == 0) {
					OK(close(c->fd));
					free(c);
					closed++;
					continue;
				}
				CHECK(r == sizeof(v));
				sum += (unsigned int)v++;
				CHECK(write(c->fd, &v, sizeof(v)) == sizeof(v));
				continue;
			}
			while ((fd = accept4(ls, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
				c = OK(malloc(sizeof(*c)));
				*c = (struct conn){ fd, c };
				ev = (struct epoll_event){ EPOLLIN, { .ptr = c } };
				OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
				accepted++;
				top = fd > top ? fd : top;
			}
			CHECK(errno == EAGAIN);
		}
	}
	REAP(pid);
	printf("%d accepted, up to descriptor %d, sum %lu\n", accepted, top, sum);
	return 0;
}
