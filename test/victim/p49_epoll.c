/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll: pointers, flag bits and numbers as data, modes, changes, errors,
 * removal by close.
 */
#include "victim.h"
static int tag[4];
static void make(int p[2])
{
	OK(pipe2(p, O_NONBLOCK));
}

int main(void)
{
	int ep = OK(epoll_create1(EPOLL_CLOEXEC)), a[2], b[2], n, d;
	struct epoll_event ev, got[8];
	char c[8];

	make(a);
	make(b);
	ev = (struct epoll_event){ EPOLLIN, { .ptr = &tag[1] } };
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, a[0], &ev));
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, a[0], &ev), EEXIST);
	/* a pointer with a flag in its lowest bit, as nginx does */
	ev = (struct epoll_event){ EPOLLIN | EPOLLET, { .ptr = (char *)&tag[2] + 1 } };
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, b[0], &ev));
	CHECK(epoll_wait(ep, got, 8, 0) == 0);
	CHECK(write(a[1], "x", 1) == 1);
	CHECK(epoll_wait(ep, got, 8, 1000) == 1 && got[0].data.ptr == &tag[1] && got[0].events == EPOLLIN);
	CHECK(epoll_wait(ep, got, 8, 1000) == 1);		/* level */
	CHECK(write(b[1], "yy", 2) == 2);
	CHECK(epoll_wait(ep, got, 8, 0) == 2);
	for (int i = 0; i < 2; i++)
		if (got[i].data.ptr != &tag[1])
			CHECK(got[i].data.ptr == (char *)&tag[2] + 1);
	CHECK(read(a[0], c, 1) == 1);
	CHECK(epoll_wait(ep, got, 8, 0) == 0);			/* edge */
	CHECK(write(b[1], "z", 1) == 1);
	CHECK(epoll_wait(ep, got, 8, 0) == 1);
	ev = (struct epoll_event){ EPOLLIN | EPOLLONESHOT, { .u64 = 0x123456789abcdef0ull } };
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, b[0], &ev));
	CHECK(epoll_wait(ep, got, 8, 0) == 1 && got[0].data.u64 == 0x123456789abcdef0ull);
	CHECK(epoll_wait(ep, got, 8, 0) == 0);
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, b[0], &ev));
	CHECK(epoll_wait(ep, got, 8, 0) == 1);
	ev = (struct epoll_event){ EPOLLOUT, { .fd = a[1] } };
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, a[1], &ev));
	CHECK(epoll_wait(ep, got, 8, 0) == 1 && got[0].events == EPOLLOUT && got[0].data.fd == a[1]);
	close(a[0]);
	CHECK(epoll_wait(ep, got, 8, 0) == 1 && got[0].events == (EPOLLOUT | EPOLLERR));
	OK(epoll_ctl(ep, EPOLL_CTL_DEL, b[0], NULL));
	FAILS(epoll_ctl(ep, EPOLL_CTL_DEL, b[0], NULL), ENOENT);
	FAILS(epoll_ctl(ep, EPOLL_CTL_MOD, b[0], &ev), ENOENT);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev), EINVAL);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, 999, &ev), EBADF);
	FAILS(epoll_ctl(ep, 77, b[0], &ev), EINVAL);
	FAILS(epoll_wait(ep, got, 0, 0), EINVAL);
	FAILS(epoll_wait(b[0], got, 1, 0), EINVAL);
	n = OK(open("/dev/null", O_RDONLY));
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, n, &ev), EPERM);
	/* a duplicate keeps the registration alive after close */
	close(a[1]);
	make(a);
	ev = (struct epoll_event){ EPOLLIN, { .u32 = 4711 } };
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, a[0], &ev));
	d = OK(dup(a[0]));
	close(a[0]);
	CHECK(write(a[1], "q", 1) == 1);
	CHECK(epoll_wait(ep, got, 8, 0) == 1 && got[0].data.u32 == 4711);
	close(d);
	CHECK(epoll_wait(ep, got, 8, 0) == 0);
	struct timespec ts = { 0, 1000000 };
	CHECK(epoll_pwait2(ep, got, 8, &ts, NULL) == 0);
	puts("epoll ok");
	return 0;
}
