/* SPDX-License-Identifier: Apache-2.0 */
/*
 * select, poll, epoll, AIO: bits that count and bits that do not.
 */
#include <poll.h>
#include <sys/epoll.h>

#include "pair.h"

PAIR_SUITE(polling);

Test(polling, fd_set_beyond_nfds)
{
	unsigned char x[16] = { 0xff, 0x05 }, y[16] = { 0xff, 0xf5, 0xff };

	WALK(a, "select", 12, fake_put(a, x, 16), 0, 0, 0);
	WALK(b, "select", 12, fake_put(b, y, 16), 0, 0, 0);
	SAME();
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->len, 8);
	WALK(a, "select", 13, fake_put(a, x, 16), 0, 0, 0);
	WALK(b, "select", 13, fake_put(b, y, 16), 0, 0, 0);
	DIFFERENT();
	WALK(a, "select", 65, fake_put(a, x, 16), 0, 0, 0);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->len, 16);
	WALK(a, "select", -1, fake_put(a, x, 16), 0, 0, 0);
	cr_expect_eq(fake_count(a, IT_OUT), 0);
	WALK(a, "select", 0x7fffffff, fake_put(a, x, 16), 0, 0, 0);
	/* not beyond what memory there is */
	cr_expect_geq(fake_item(a, IT_OUT, 1, 0)->len, 16);
	cr_expect_leq(fake_item(a, IT_OUT, 1, 0)->len, 4096);
}

Test(polling, revents_are_garbage_on_entry)
{
	struct pollfd x[40], y[40];

	for (int i = 0; i < 40; i++) {
		x[i] = (struct pollfd){ i, POLLIN, 7 };
		y[i] = (struct pollfd){ i, POLLIN, 9 };
	}
	x[39].fd = y[39].fd = -1;
	x[39].events = 1;	/* nor the events of no descriptor */
	WALK(a, "poll", fake_put(a, x, sizeof(x)), 40, -1);
	WALK(b, "poll", fake_put(b, y, sizeof(y)), 40, -1);
	SAME();
	cr_expect_eq(fake_item(a, IT_OUT, 0, 0)->len, sizeof(x));
	y[38].events = POLLOUT;
	WALK(b, "poll", fake_put(b, y, sizeof(y)), 40, -1);
	DIFFERENT();
	WALK(a, "poll", fake_put(a, x, sizeof(x)), 41, -1);
	cr_expect_eq(fake_count(a, IT_FAULT), 1);
	WALK(a, "poll", fake_put(a, x, sizeof(x)), UINT32_MAX, -1);
	cr_expect_eq(fake_count(a, IT_FAULT) + fake_count(a, IT_OUT), 0);
	WALK(a, "poll", 0, 0, 100);
	WALK(b, "poll", 0, 0, 100);
	SAME();
}

Test(polling, epoll_data_is_the_programs_own)
{
	struct epoll_event x = { EPOLLIN, { .u64 = 1 } };
	struct epoll_event y = { EPOLLIN, { .u64 = 2 } };

	WALK(a, "epoll_ctl", 3, EPOLL_CTL_ADD, 4, fake_put(a, &x, sizeof(x)));
	WALK(b, "epoll_ctl", 3, EPOLL_CTL_ADD, 4, fake_put(b, &y, sizeof(y)));
	SAME();
	y.events = EPOLLOUT;
	WALK(b, "epoll_ctl", 3, EPOLL_CTL_ADD, 4, fake_put(b, &y, sizeof(y)));
	DIFFERENT();
	WALK(a, "epoll_ctl", 3, EPOLL_CTL_DEL, 4, 0xdead);
	WALK(b, "epoll_ctl", 3, EPOLL_CTL_DEL, 4, 0);
	SAME();
	WALK(a, "epoll_wait", 3, 0x1000, 10, -1);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->len, 120);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->aux, 12);
	WALK(a, "epoll_wait", 3, 0x1000, 0x7fffffff, -1);
	cr_expect_eq(fake_count(a, IT_OUT), 0);
}

Test(polling, pselect_mask_is_behind_a_pointer)
{
	uint64_t m = 0x10, n = 0x20;
	uint64_t x[2] = { fake_put(a, &m, 8), 8 };
	uint64_t y[2] = { fake_put(b, &m, 8), 8 };
	uint64_t z[2] = { 0, 123 }, t[2] = { 0, 456 };

	WALK(a, "pselect6", 0, 0, 0, 0, 0, fake_put(a, x, 16));
	WALK(b, "pselect6", 0, 0, 0, 0, 0, fake_put(b, y, 16));
	SAME();
	y[0] = fake_put(b, &n, 8);
	WALK(b, "pselect6", 0, 0, 0, 0, 0, fake_put(b, y, 16));
	DIFFERENT();
	/* no mask: the size is not looked at */
	WALK(a, "pselect6", 0, 0, 0, 0, 0, fake_put(a, z, 16));
	WALK(b, "pselect6", 0, 0, 0, 0, 0, fake_put(b, t, 16));
	SAME();
	WALK(a, "pselect6", 0, 0, 0, 0, 0, fake_hole(a));
	cr_expect_eq(fake_count(a, IT_FAULT), 1);
}

Test(polling, time_outs_are_written_back)
{
	WALK(a, "ppoll", 0, 0, fake_put(a, NULL, 16), 0, 8);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->rule, R_ALWAYS);
	WALK(a, "nanosleep", fake_put(a, NULL, 16), fake_put(a, NULL, 16));
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->rule, R_INTR);
	/* an absolute sleep leaves the remainder alone */
	WALK(a, "clock_nanosleep", 0, 1, fake_put(a, NULL, 16), 0xdead);
	cr_expect_eq(fake_count(a, IT_OUT), 0);
}

static uint64_t submit(struct fake *f, uint64_t data, const char *text)
{
	uint64_t cb[8] = { data, 0, 1, 0, 0, 100, 0, 0 };
	uint64_t list[1];

	cb[2] = 1 | (uint64_t)3 << 32;	/* write to descriptor 3 */
	cb[3] = fake_str(f, text);
	cb[4] = strlen(text);
	list[0] = fake_put(f, cb, sizeof(cb));
	return fake_put(f, list, sizeof(list));
}

Test(polling, aio)
{
	WALK(a, "io_submit", 1, 1, submit(a, 1, "text"));
	WALK(b, "io_submit", 1, 1, submit(b, 2, "text"));
	SAME();
	WALK(b, "io_submit", 1, 1, submit(b, 2, "test"));
	DIFFERENT();
	WALK(b, "io_submit", 1, INT64_MAX, submit(b, 2, "test"));
	cr_expect_eq(fake_count(b, IT_FAULT), 1);
	WALK(a, "io_getevents", 1, 1, 4, 0x1000, 0);
	cr_expect_eq(fake_item(a, IT_OUT, 3, 0)->len, 128);
	WALK(a, "io_getevents", 1, 1, INT64_MAX, 0x1000, 0);
	cr_expect_eq(fake_count(a, IT_OUT), 0);
}
