/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ioctl: known requests, encoded ones, unknown ones.
 */
#include <linux/fs.h>
#include <linux/fiemap.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "pair.h"

PAIR_SUITE(ioctl);

Test(ioctl, kernel_sizes)
{
	WALK(a, "ioctl", 0, TCGETS, 0x1000);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, 36);
	WALK(a, "ioctl", 0, TIOCGWINSZ, 0x1000);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, 8);
	WALK(a, "ioctl", 0, 0x802c542a, 0x1000);	/* TCGETS2 */
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, 44);
	WALK(a, "ioctl", 0, FS_IOC_GETFLAGS, 0x1000);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, 4);
	WALK(a, "ioctl", 0, BLKGETSIZE64, 0x1000);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, 8);
	WALK(a, "ioctl", 0, 0x80045430, 0x1000);	/* TIOCGPTN */
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, 4);
}

Test(ioctl, values)
{
	int one = 1, zero = 0;

	WALK(a, "ioctl", 3, FIOCLEX, 0xdead);
	WALK(b, "ioctl", 3, FIOCLEX, 0);
	SAME();
	WALK(a, "ioctl", 3, FIONBIO, fake_put(a, &one, 4));
	WALK(b, "ioctl", 3, FIONBIO, fake_put(b, &one, 4));
	SAME();
	WALK(b, "ioctl", 3, FIONBIO, fake_put(b, &zero, 4));
	DIFFERENT();
	WALK(a, "ioctl", 3, FICLONE, 0xdead00000004);
	WALK(b, "ioctl", 3, FICLONE, 4);
	SAME();
	/* the request is 32 bits, whatever is above */
	WALK(a, "ioctl", 3, 0xffffffff00000000 | FIONBIO, fake_put(a, &one, 4));
	cr_expect_eq(fake_item(a, IT_IN, 2, 0)->len, 4);
}

Test(ioctl, interfaces)
{
	struct ifreq x, y;

	memset(&x, 1, sizeof(x));
	memset(&y, 2, sizeof(y));
	strcpy(x.ifr_name, "eth0");
	strcpy(y.ifr_name, "eth0");
	WALK(a, "ioctl", 3, SIOCGIFFLAGS, fake_put(a, &x, sizeof(x)));
	WALK(b, "ioctl", 3, SIOCGIFFLAGS, fake_put(b, &y, sizeof(y)));
	SAME();
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, 24);
	WALK(a, "ioctl", 3, SIOCSIFFLAGS, fake_put(a, &x, sizeof(x)));
	WALK(b, "ioctl", 3, SIOCSIFFLAGS, fake_put(b, &y, sizeof(y)));
	DIFFERENT();
	y.ifr_flags = x.ifr_flags;
	WALK(b, "ioctl", 3, SIOCSIFFLAGS, fake_put(b, &y, sizeof(y)));
	SAME();
	cr_expect_eq(WALK(a, "ioctl", 3, 0x89f0, 0x1000), -ENOSYS);
}

Test(ioctl, ifconf)
{
	struct ifconf c = { .ifc_len = 400 };
	uint64_t addr;
	const struct ipmon_item *item;

	c.ifc_buf = (char *)0x1000;
	addr = fake_put(a, &c, sizeof(c));
	WALK(a, "ioctl", 3, SIOCGIFCONF, addr);
	item = fake_item(a, IT_OUT, 2, 0);
	cr_expect_eq(item->addr, 0x1000);
	cr_expect_eq(item->len, 400);
	cr_expect_eq(item->aux, addr);
	c.ifc_len = -1;
	WALK(a, "ioctl", 3, SIOCGIFCONF, fake_put(a, &c, sizeof(c)));
	cr_expect_eq(fake_count(a, IT_OUT), 1);
}

Test(ioctl, extents)
{
	struct fiemap m = { .fm_extent_count = 10, .fm_reserved = 3 };
	struct fiemap n = { .fm_extent_count = 10, .fm_reserved = 4 };
	const struct ipmon_item *item;

	WALK(a, "ioctl", 3, FS_IOC_FIEMAP, fake_put(a, &m, sizeof(m)));
	WALK(b, "ioctl", 3, FS_IOC_FIEMAP, fake_put(b, &n, sizeof(n)));
	SAME();
	item = fake_item(a, IT_OUT, 2, 1);
	cr_expect_eq(item->len, 560);
	cr_expect_eq(item->group, 56);
	m.fm_extent_count = UINT32_MAX;
	cr_expect_eq(WALK(a, "ioctl", 3, FS_IOC_FIEMAP,
			  fake_put(a, &m, sizeof(m))), 0);
	cr_expect_null(fake_item(a, IT_OUT, 2, 1));
}

Test(ioctl, encoded)
{
	WALK(a, "ioctl", 3, _IOR('Z', 9, char[100]), 0x1000);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, 100);
	WALK(a, "ioctl", 3, _IOW('Z', 9, char[100]), 0x1000);
	cr_expect_eq(fake_item(a, IT_IN, 2, 0)->len, 100);
	WALK(a, "ioctl", 3, _IOWR('Z', 9, char[100]), 0x1000);
	cr_expect_eq(fake_count(a, IT_OUT) + fake_count(a, IT_IN), 2);
	cr_expect_eq(WALK(a, "ioctl", 3, _IO('Z', 9), 12), 0);
	cr_expect_eq(WALK(a, "ioctl", 3, _IO('Z', 9), 0x7fff0000), -ENOSYS);
	cr_expect_eq(WALK(a, "ioctl", 3, 0x2285, 0x1000), -ENOSYS);
	cr_expect_eq(WALK(a, "ioctl", 3, 0x40000000, 0x1000), -ENOSYS);
	cr_expect_eq(WALK(a, "ioctl", 3, 0x00100001, 0x1000), -ENOSYS);
}
