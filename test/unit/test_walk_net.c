/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets: what of an address, a message and an option is compared.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "pair.h"

PAIR_SUITE(net);

#define U(p) ((void *)(uintptr_t)(p))

Test(net, unix_address_ends_at_its_nul)
{
	struct sockaddr_un x = { .sun_family = AF_UNIX }, y = x;

	memset(y.sun_path, 0x5a, sizeof(y.sun_path));
	strcpy(x.sun_path, "/run/s");
	strcpy(y.sun_path, "/run/s");
	WALK(a, "bind", 3, fake_put(a, &x, sizeof(x)), sizeof(x));
	WALK(b, "bind", 3, fake_put(b, &y, sizeof(y)), sizeof(y));
	SAME();
	y.sun_path[5] = 't';
	WALK(b, "bind", 3, fake_put(b, &y, sizeof(y)), sizeof(y));
	DIFFERENT();
	/* abstract names have no end but their length */
	memcpy(x.sun_path, "\0ab\0cd", 6);
	memcpy(y.sun_path, "\0ab\0ce", 6);
	WALK(a, "connect", 3, fake_put(a, &x, 8), 8);
	WALK(b, "connect", 3, fake_put(b, &y, 8), 8);
	DIFFERENT();
	WALK(b, "connect", 3, fake_put(b, &x, 8), 8);
	SAME();
	/* unnamed */
	WALK(b, "bind", 3, fake_put(b, &x, 2), 2);
	cr_expect_eq(fake_item(b, IT_IN, 1, 0)->len, 0);
}

Test(net, inet_padding)
{
	struct sockaddr_in x = { .sin_family = AF_INET, .sin_port = 80 }, y = x;

	memset(y.sin_zero, 7, sizeof(y.sin_zero));
	WALK(a, "connect", 3, fake_put(a, &x, sizeof(x)), sizeof(x));
	WALK(b, "connect", 3, fake_put(b, &y, sizeof(y)), sizeof(y));
	SAME();
	y.sin_addr.s_addr = 1;
	WALK(b, "connect", 3, fake_put(b, &y, sizeof(y)), sizeof(y));
	DIFFERENT();
	y = x;
	y.sin_family = AF_INET6;
	WALK(b, "connect", 3, fake_put(b, &y, sizeof(y)), sizeof(y));
	DIFFERENT();
}

Test(net, bad_address_lengths)
{
	WALK(a, "bind", 3, fake_put(a, NULL, 8), 129);
	cr_expect_eq(fake_count(a, IT_IN), 0);
	WALK(a, "bind", 3, fake_put(a, NULL, 8), -1);
	cr_expect_eq(fake_count(a, IT_IN), 0);
	WALK(a, "bind", 3, fake_put(a, NULL, 8), 9);
	cr_expect_eq(fake_count(a, IT_FAULT), 1);
}

Test(net, value_result_length)
{
	uint32_t len = 16, huge = 1000, bad = UINT32_MAX;
	const struct ipmon_item *item;

	WALK(a, "accept", 3, fake_put(a, NULL, 16), fake_put(a, &len, 4));
	WALK(b, "accept", 3, fake_put(b, NULL, 16), fake_put(b, &len, 4));
	SAME();
	item = fake_item(a, IT_OUT, 1, 0);
	cr_expect_eq(item->len, 16);
	cr_expect_eq(item->rule, R_U32);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->addr, item->aux);
	WALK(b, "accept", 3, fake_put(b, NULL, 16), fake_put(b, &huge, 4));
	cr_expect_eq(fake_item(b, IT_OUT, 1, 0)->len, 128);
	DIFFERENT();
	WALK(b, "accept", 3, fake_put(b, NULL, 16), fake_put(b, &bad, 4));
	cr_expect_eq(fake_item(b, IT_OUT, 1, 0)->len, 0);
	/* without a buffer the length is not looked at */
	WALK(a, "accept", 3, 0, 0xdead);
	WALK(b, "accept", 3, 0, 0);
	SAME();
	cr_expect_eq(fake_count(a, IT_FAULT), 0);
	WALK(a, "recvfrom", 3, fake_put(a, NULL, 9), 9, 0, 0, 0xdead);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->rule, R_RET);
}

/* A message with descriptors and credentials in its control data. */
static uint64_t message(struct fake *f, const char *text, int fd, char pad)
{
	char control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(12)];
	struct msghdr m = { 0 };
	struct cmsghdr *c;
	struct iovec iov = { U(fake_str(f, text)), strlen(text) };

	memset(control, pad, sizeof(control));
	m.msg_control = control;
	m.msg_controllen = sizeof(control);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	c = (struct cmsghdr *)(control + CMSG_SPACE(sizeof(int)));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(12);
	memset(CMSG_DATA(c), 1, 12);
	m.msg_iov = U(fake_put(f, &iov, sizeof(iov)));
	m.msg_iovlen = 1;
	m.msg_control = U(fake_put(f, control, sizeof(control)));
	m.msg_namelen = (unsigned char)pad;	/* no name: not looked at */
	m.msg_flags = pad;			/* not an input */
	return fake_put(f, &m, sizeof(m));
}

Test(net, sendmsg)
{
	WALK(a, "sendmsg", 3, message(a, "data", 5, 0x11), 0);
	WALK(b, "sendmsg", 3, message(b, "data", 5, 0x22), 0);
	SAME();
	cr_expect_eq(fake_count(a, IT_IN), 3);
	WALK(b, "sendmsg", 3, message(b, "date", 5, 0x11), 0);
	DIFFERENT();
	WALK(b, "sendmsg", 3, message(b, "data", 6, 0x11), 0);
	DIFFERENT();
}

Test(net, hostile_control_data)
{
	uint64_t cmsg[8] = { 16, 0, UINT64_MAX, 0 };
	struct msghdr m = { 0 };

	m.msg_control = U(fake_put(a, cmsg, sizeof(cmsg)));
	m.msg_controllen = sizeof(cmsg);
	cr_expect_eq(WALK(a, "sendmsg", 3, fake_put(a, &m, sizeof(m)), 0), 0);
	cr_expect(fake_scalar(a, 1, UINT64_MAX));
	m.msg_controllen = SIZE_MAX;
	cr_expect_eq(WALK(a, "sendmsg", 3, fake_put(a, &m, sizeof(m)), 0), 0);
	m.msg_controllen = 1 << 20;
	cr_expect_eq(WALK(a, "sendmsg", 3, fake_put(a, &m, sizeof(m)), 0), 0);
	cr_expect_eq(fake_item(a, IT_IN, 1, 0)->len, 1u << 20);
	m.msg_controllen = sizeof(cmsg) + 16;	/* the tail is not mapped */
	cmsg[2] = 48;
	m.msg_control = U(fake_put(a, cmsg, sizeof(cmsg)));
	cr_expect_eq(WALK(a, "sendmsg", 3, fake_put(a, &m, sizeof(m)), 0), 0);
	cr_expect_eq(fake_count(a, IT_FAULT), 1);
}

Test(net, recvmsg)
{
	struct iovec iov[2] = { { U(0x1000), 10 }, { U(0x2000), 10 } };
	struct msghdr m = {
		.msg_name = U(0x3000), .msg_namelen = 28,
		.msg_iov = U(fake_put(a, iov, sizeof(iov))), .msg_iovlen = 2,
		.msg_control = U(0x4000), .msg_controllen = 64,
	};
	uint64_t addr = fake_put(a, &m, sizeof(m));
	const struct ipmon_item *item;

	WALK(a, "recvmsg", 3, addr, 0);
	item = fake_item(a, IT_OUT, 1, 0);
	cr_expect_eq(item->addr, 0x3000);
	cr_expect_eq(item->rule, R_U32);
	cr_expect_eq(item->aux, addr + 8);
	item = fake_item(a, IT_OUT, 1, 2);
	cr_expect_eq(item->addr, 0x1000);
	cr_expect_eq(item->rule, R_VEC);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 3)->group, item->group);
	item = fake_item(a, IT_OUT, 1, 4);
	cr_expect_eq(item->rule, R_U64);
	cr_expect_eq(item->aux, addr + 40);
	item = fake_item(a, IT_OUT, 1, 5);
	cr_expect_eq(item->addr, addr + 40);
	cr_expect_eq(item->len, 12);
}

Test(net, recvmmsg_messages_are_separate_groups)
{
	struct mmsghdr mm[3];
	struct iovec iov = { U(0x1000), 10 };
	uint64_t vec = fake_put(a, &iov, sizeof(iov)), addr;

	memset(mm, 0, sizeof(mm));
	for (int i = 0; i < 3; i++) {
		mm[i].msg_hdr.msg_iov = U(vec);
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	addr = fake_put(a, mm, sizeof(mm));
	cr_expect_eq(WALK(a, "recvmmsg", 3, addr, 3, 0, 0), 0);
	for (unsigned int i = 0, n = 0; i < a->items; i++) {
		const struct ipmon_item *item = &a->item[i];

		if (item->rule != R_VEC_U32)
			continue;
		cr_expect_eq(item->value, n + 1);
		cr_expect_eq(item->aux, addr + n * sizeof(mm[0]) + 56);
		cr_expect_neq(item->group, 0);
		n++;
	}
	/* a vlen beyond the mapping ends in a fault, not in a thousand */
	cr_expect_eq(WALK(a, "recvmmsg", 3, addr, 0xffffffff, 0, 0), 0);
	cr_expect_eq(fake_count(a, IT_FAULT), 1);
	cr_expect_eq(WALK(a, "sendmmsg", 3, addr, 0xffffffff, 0), 0);
	cr_expect_eq(fake_count(a, IT_FAULT), 1);
}

Test(net, socket_options)
{
	uint32_t len = 4;
	int one = 1, two = 2;
	struct { uint16_t n; char pad[6]; uint64_t p; } x, y;
	const struct ipmon_item *item;

	WALK(a, "setsockopt", 3, 1, 2, fake_put(a, &one, 4), 4);
	WALK(b, "setsockopt", 3, 1, 2, fake_put(b, &one, 4), 4);
	SAME();
	WALK(b, "setsockopt", 3, 1, 2, fake_put(b, &two, 4), 4);
	DIFFERENT();
	/* a filter: program compared, pointer and padding not */
	memset(&x, 1, sizeof(x));
	memset(&y, 2, sizeof(y));
	x.n = y.n = 1;
	x.p = fake_put(a, "12345678", 8);
	y.p = fake_put(b, "12345678", 8);
	WALK(a, "setsockopt", 3, 1, 26, fake_put(a, &x, 16), 16);
	WALK(b, "setsockopt", 3, 1, 26, fake_put(b, &y, 16), 16);
	SAME();
	y.p = fake_put(b, "12345679", 8);
	WALK(b, "setsockopt", 3, 1, 26, fake_put(b, &y, 16), 16);
	DIFFERENT();
	/* iptables: not understood, so refused */
	cr_expect_eq(WALK(a, "setsockopt", 3, 0, 64, 0x1000, 40), -ENOSYS);
	cr_expect_eq(WALK(a, "getsockopt", 3, 0, 64, 0x1000, 0x1000), -ENOSYS);
	WALK(a, "getsockopt", 3, 1, 4, 0x1000, fake_put(a, &len, 4));
	item = fake_item(a, IT_OUT, 3, 0);
	cr_expect_eq(item->len, 4);
	cr_expect_eq(item->rule, R_U32);
	WALK(a, "getsockopt", 3, 1, 26, 0x1000, fake_put(a, &len, 4));
	item = fake_item(a, IT_OUT, 3, 0);
	cr_expect_eq(item->len, 32);
	cr_expect_eq(item->group, 8);
}

Test(net, options_with_slack)
{
	struct group_req x, y;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = 1 };

	WALK(a, "setsockopt", 3, 1, 25, fake_put(a, "eth0\0abc", 8), 8);
	WALK(b, "setsockopt", 3, 1, 25, fake_put(b, "eth0\0def", 8), 8);
	SAME();
	WALK(b, "setsockopt", 3, 1, 25, fake_put(b, "eth1\0abc", 8), 8);
	DIFFERENT();
	memset(&x, 1, sizeof(x));
	memset(&y, 2, sizeof(y));
	x.gr_interface = y.gr_interface = 3;
	memcpy(&x.gr_group, &in, sizeof(in));
	memcpy(&y.gr_group, &in, sizeof(in));
	WALK(a, "setsockopt", 3, 0, 42, fake_put(a, &x, sizeof(x)), sizeof(x));
	WALK(b, "setsockopt", 3, 0, 42, fake_put(b, &y, sizeof(y)), sizeof(y));
	SAME();
	in.sin_port = 2;
	memcpy(&y.gr_group, &in, sizeof(in));
	WALK(b, "setsockopt", 3, 0, 42, fake_put(b, &y, sizeof(y)), sizeof(y));
	DIFFERENT();
	/* the original destination of a redirected connection */
	cr_expect_eq(WALK(a, "getsockopt", 3, 0, 80, 0, 0), 0);
}
