/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: fcntl, handles, times, quotas, mounts.
 */
#include <fcntl.h>

#include "pair.h"

PAIR_SUITE(fs);

Test(fs, locks)
{
	struct flock x, y;

	memset(&x, 1, sizeof(x));
	memset(&y, 2, sizeof(y));	/* padding and l_pid differ */
	x.l_type = y.l_type = F_WRLCK;
	x.l_whence = y.l_whence = 0;
	x.l_start = y.l_start = 0;
	x.l_len = y.l_len = 10;
	WALK(a, "fcntl", 3, F_SETLK, fake_put(a, &x, sizeof(x)));
	WALK(b, "fcntl", 3, F_SETLK, fake_put(b, &y, sizeof(y)));
	SAME();
	cr_expect_eq(fake_count(a, IT_OUT), 0);
	y.l_len = 11;
	WALK(b, "fcntl", 3, F_SETLK, fake_put(b, &y, sizeof(y)));
	DIFFERENT();
	WALK(a, "fcntl", 3, F_GETLK, fake_put(a, &x, sizeof(x)));
	cr_expect_eq(fake_count(a, IT_OUT), 2);
	WALK(a, "fcntl", 3, F_OFD_SETLK, fake_put(a, &x, sizeof(x)));
	y.l_len = 10;
	WALK(b, "fcntl", 3, F_OFD_SETLK, fake_put(b, &y, sizeof(y)));
	DIFFERENT();	/* here l_pid must be 0 */
}

Test(fs, fcntl_unused_argument)
{
	WALK(a, "fcntl", 3, F_GETFL, 0xdead);
	WALK(b, "fcntl", 3, F_GETFL, 0);
	SAME();
	WALK(a, "fcntl", 3, F_SETFL, 2048);
	WALK(b, "fcntl", 3, F_SETFL, 0);
	DIFFERENT();
	cr_expect_eq(WALK(a, "fcntl", 3, 4242, 0), -ENOSYS);
}

Test(fs, handles)
{
	uint32_t h[2] = { 128, 0x55 }, big[2] = { 129, 0 };
	uint64_t path = fake_str(a, "f");
	uint64_t addr = fake_put(a, h, 8);
	const struct ipmon_item *item;

	WALK(a, "name_to_handle_at", -100, path, addr, 0x1000, 0);
	item = fake_item(a, IT_OUT, 2, 1);
	cr_expect_eq(item->rule, R_U32);
	cr_expect_eq(item->aux, addr);
	cr_expect_eq(item->len, 128);
	cr_expect_eq(fake_item(a, IT_OUT, 3, 0)->len, 4);
	WALK(a, "name_to_handle_at", -100, path, addr, 0x1000, 1);
	cr_expect_eq(fake_item(a, IT_OUT, 3, 0)->len, 8);
	WALK(a, "name_to_handle_at", -100, path, fake_put(a, big, 8), 0x1000, 0);
	cr_expect_null(fake_item(a, IT_OUT, 2, 0));
	WALK(a, "open_by_handle_at", 3, fake_put(a, big, 8), 0);
	cr_expect_eq(fake_count(a, IT_IN), 0);
}

Test(fs, times)
{
	uint64_t x[4] = { 1, 0x3fffffff, 5, 0 }, y[4] = { 2, 0x3fffffff, 5, 0 };

	WALK(a, "utimensat", 3, 0, fake_put(a, x, 32), 0);
	WALK(b, "utimensat", 3, 0, fake_put(b, y, 32), 0);
	SAME();
	y[2] = 6;
	WALK(b, "utimensat", 3, 0, fake_put(b, y, 32), 0);
	DIFFERENT();
}

Test(fs, extensible_structures)
{
	uint64_t how[4] = { 0, 0, 0, 0 };

	WALK(a, "openat2", -100, fake_str(a, "f"), fake_put(a, how, 24), 24);
	cr_expect_eq(fake_item(a, IT_IN, 2, 0)->len, 24);
	WALK(a, "openat2", -100, fake_str(a, "f"), fake_put(a, how, 24), 8);
	cr_expect_eq(fake_count(a, IT_IN), 0);
	WALK(a, "openat2", -100, fake_str(a, "f"), fake_put(a, how, 24),
	     SIZE_MAX);
	cr_expect_eq(fake_count(a, IT_IN), 0);
}

Test(fs, quotas)
{
	/* Q_GETQUOTA, user */
	cr_expect_eq(WALK(a, "quotactl", 0x80000700, 0, 0, 0x1000), 0);
	cr_expect_eq(fake_item(a, IT_OUT, 3, 0)->len, 72);
	cr_expect_eq(WALK(a, "quotactl_fd", 3, 0x80000700, 0, 0x1000), 0);
	cr_expect_eq(fake_item(a, IT_OUT, 3, 0)->len, 72);
	cr_expect_eq(WALK(a, "quotactl", 0x12345600, 0, 0, 0x1000), -ENOSYS);
}

Test(fs, extended_attributes)
{
	uint32_t x[4] = { 0, 0, 5, 0 };
	uint64_t v = fake_str(a, "value");
	uint64_t n = fake_str(a, "user.x"), f = fake_str(a, "f");

	memcpy(x, &v, 8);
	WALK(a, "setxattrat", -100, f, 0, n, fake_put(a, x, 16), 16);
	cr_expect_eq(fake_item(a, IT_IN, 4, 0)->len, 5);
	WALK(a, "getxattrat", -100, f, 0, n, fake_put(a, x, 16), 16);
	cr_expect_eq(fake_item(a, IT_OUT, 4, 0)->len, 5);
	/* size 0 asks for the size */
	WALK(a, "getxattr", f, n, 0x1000, 0);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, 0);
}

Test(fs, mounting)
{
	WALK(a, "fsconfig", 3, 1, fake_str(a, "source"), fake_str(a, "none"), 0);
	WALK(b, "fsconfig", 3, 1, fake_str(b, "source"), fake_str(b, "none"), 0);
	SAME();
	WALK(b, "fsconfig", 3, 1, fake_str(b, "source"), fake_str(b, "some"), 0);
	DIFFERENT();
	WALK(a, "fsconfig", 3, 2, fake_str(a, "key"), 0x1000, 1u << 30);
	cr_expect_null(fake_item(a, IT_IN, 3, 0));
}
