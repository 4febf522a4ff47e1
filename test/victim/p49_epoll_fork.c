/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An epoll inherited by a child, nested in another, waited for by a thread
 * while another changes it.
 */
#include "victim.h"
static int ep;
static int cookie;
static void *wait_thread(void *arg)
{
	struct epoll_event ev;

	CHECK(epoll_wait(ep, &ev, 1, 10000) == 1);
	CHECK(ev.data.ptr == &cookie);
	return NULL;
}

int main(void)
{
	int p[2], outer = OK(epoll_create1(0));
	struct epoll_event ev = { EPOLLIN, { .ptr = &cookie } }, got;
	pthread_t t;
	char c;

	ep = OK(epoll_create1(0));
	OK(pipe(p));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
	REAP(CHILD({
		CHECK(write(p[1], "c", 1) == 1);
		CHECK(epoll_wait(ep, &got, 1, 1000) == 1 && got.data.ptr == &cookie);
		/* changes what the parent has, too: it is the same object */
		ev.data.ptr = &cookie + 1;
		OK(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
	}));
	CHECK(epoll_wait(ep, &got, 1, 0) == 1 && got.data.ptr == &cookie + 1);
	ev.data.u64 = 8;
	OK(epoll_ctl(outer, EPOLL_CTL_ADD, ep, &ev));
	CHECK(epoll_wait(outer, &got, 1, 0) == 1 && got.data.u64 == 8);
	CHECK(read(p[0], &c, 1) == 1);
	CHECK(epoll_wait(outer, &got, 1, 0) == 0);
	ZERO(pthread_create(&t, NULL, wait_thread, NULL));
	sleep_ms(20);
	ev.data.ptr = &cookie;
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
	CHECK(write(p[1], "t", 1) == 1);
	ZERO(pthread_join(t, NULL));
	puts("epoll shared ok");
	return 0;
}
