/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An epoll of 5000 descriptors, with pointers; churn, and more events than one
 * call takes.
 */
#include "victim.h"
#define N 5000

struct conn {
	int fd, hits;
	struct conn *self;
};

static struct conn *new(int ep, int i)
{
	struct conn *c = OK(calloc(1, sizeof(*c) + (size_t)i % 64));
	struct epoll_event ev = { EPOLLIN, { .ptr = c } };

	c->fd = OK(eventfd(0, EFD_NONBLOCK));
	c->self = c;
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev));
	return c;
}

int main(void)
{
	struct rlimit l;
	struct epoll_event got[512];
	static struct conn *c[N];
	int ep, total = 0, calls = 0;
	uint64_t one = 1;

	OK(getrlimit(RLIMIT_NOFILE, &l));
	l.rlim_cur = l.rlim_max;
	OK(setrlimit(RLIMIT_NOFILE, &l));
	ep = OK(epoll_create1(EPOLL_CLOEXEC));
	for (int i = 0; i < N; i++)
		c[i] = new(ep, i);
	for (int round = 0; round < 4; round++) {
		for (int i = round; i < N; i += 3)
			CHECK(write(c[i]->fd, &one, 8) == 8);
		for (;;) {
			int n = OK(epoll_wait(ep, got, 512, 0));

			calls++;
			if (!n)
				break;
			for (int k = 0; k < n; k++) {
				struct conn *x = got[k].data.ptr;
				uint64_t v;

				CHECK(x->self == x && got[k].events == EPOLLIN);
				CHECK(read(x->fd, &v, 8) == 8 && v == 1);
				x->hits++;
				total++;
			}
		}
		/* some go, others take their numbers */
		for (int i = round; i < N; i += 5) {
			if (i % 2)
				OK(epoll_ctl(ep, EPOLL_CTL_DEL, c[i]->fd, NULL));
			OK(close(c[i]->fd));
			free(c[i]);
		}
		for (int i = round; i < N; i += 5)
			c[i] = new(ep, i);
		/* and others change what they are known as */
		for (int i = round; i < N; i += 7) {
			struct conn *n = OK(malloc(sizeof(*n)));
			struct epoll_event ev = { EPOLLIN, { .ptr = n } };

			*n = *c[i];
			n->self = n;
			free(c[i]);
			c[i] = n;
			OK(epoll_ctl(ep, EPOLL_CTL_MOD, n->fd, &ev));
		}
	}
	printf("%d events, %d calls\n", total, calls);
	return 0;
}
