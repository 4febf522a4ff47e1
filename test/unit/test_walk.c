/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generic kinds, and the rules that say how much of an output is real.
 */
#include <sys/uio.h>

#include "pair.h"

PAIR_SUITE(walk);

Test(walk, payload_is_compared_not_the_pointer)
{
	cr_assert_eq(WALK(a, "write", 1, fake_str(a, "hello"), 5), 0);
	cr_assert_eq(WALK(b, "write", 1, fake_str(b, "hello"), 5), 0);
	SAME();
	cr_assert_eq(WALK(b, "write", 1, fake_str(b, "hellO"), 5), 0);
	DIFFERENT();
	cr_assert_eq(WALK(b, "write", 1, fake_str(b, "hello"), 4), 0);
	DIFFERENT();
	cr_assert_eq(WALK(b, "write", 2, fake_str(b, "hello"), 5), 0);
	DIFFERENT();
}

Test(walk, ints_are_cut_to_32_bits)
{
	uint64_t buf = fake_put(a, NULL, 16);

	WALK(a, "write", 0xdead000000000001, buf, 5);
	WALK(b, "write", 1, fake_put(b, NULL, 16), 5);
	SAME();
	/* a size and an offset are not */
	WALK(a, "ftruncate", 3, 0x100000000);
	WALK(b, "ftruncate", 3, 0);
	DIFFERENT();
	WALK(a, "getpriority", 0, UINT64_MAX);
	cr_expect(fake_scalar(a, 1, UINT64_MAX));
	WALK(b, "getpriority", 0, 0xffffffff);
	SAME();
}

Test(walk, garbage_in_unused_arguments)
{
	uint64_t p = fake_str(a, "x"), q = fake_str(b, "x");

	WALK(a, "open", p, 0, 0x1234);
	WALK(b, "open", q, 0, 0x4321);
	SAME();
	WALK(a, "open", p, 0101, 0644);
	WALK(b, "open", q, 0101, 0600);
	DIFFERENT();
	WALK(a, "openat", -100, p, 020200002, 0644);
	WALK(b, "openat", -100, q, 020200002, 0600);
	DIFFERENT();
	WALK(a, "openat", -100, p, 0200000, 0644);	/* O_DIRECTORY alone */
	WALK(b, "openat", -100, q, 0200000, 0600);
	SAME();
	WALK(a, "preadv", 1, 0, 0, 7, 0xdead);
	WALK(b, "preadv", 1, 0, 0, 7, 0xbeef);
	SAME();
	WALK(a, "mmap", 0, 4096, 3, 0x22, 0xbad, 0x5000);
	WALK(b, "mmap", 0, 4096, 3, 0x22, -1, 0);
	SAME();
	WALK(a, "mmap", 0, 4096, 1, 2, 3, 0x5000);
	WALK(b, "mmap", 0, 4096, 1, 2, 3, 0);
	DIFFERENT();
}

Test(walk, null_is_not_a_buffer)
{
	WALK(a, "utimes", fake_str(a, "f"), 0);
	WALK(b, "utimes", fake_str(b, "f"), fake_put(b, NULL, 32));
	DIFFERENT();
	WALK(b, "utimes", fake_str(b, "f"), 0);
	SAME();
}

Test(walk, paths)
{
	char longest[5000];

	WALK(a, "unlink", fake_str(a, "/tmp/a"));
	WALK(b, "unlink", fake_put(b, "/tmp/a\0garbage", 14));
	SAME();
	cr_expect_eq(fake_item(a, IT_STR, 0, 0)->len, 6);
	WALK(b, "unlink", fake_str(b, "/tmp/b"));
	DIFFERENT();
	WALK(b, "unlink", fake_hole(b));
	cr_expect_eq(fake_count(b, IT_FAULT), 1);
	DIFFERENT();
	/* not terminated before the end of the mapping */
	WALK(a, "unlink", fake_put(a, "abc", 3));
	cr_expect_eq(fake_count(a, IT_FAULT), 1);
	SAME();
	memset(longest, 'x', sizeof(longest));
	WALK(a, "unlink", fake_put(a, longest, sizeof(longest)));
	cr_expect_eq(fake_item(a, IT_IN, 0, 0)->len, 4096);
}

Test(walk, argv)
{
	uint64_t x[] = { fake_str(a, "ls"), fake_str(a, "-l"), 0 };
	uint64_t y[] = { fake_str(b, "ls"), fake_str(b, "-l"), 0 };
	uint64_t z[] = { fake_str(b, "ls -l"), 0 };
	uint64_t open[] = { fake_str(b, "ls") };
	uint64_t p = fake_str(a, "/bin/ls"), q = fake_str(b, "/bin/ls");

	WALK(a, "execve", p, fake_put(a, x, sizeof(x)), 0);
	WALK(b, "execve", q, fake_put(b, y, sizeof(y)), 0);
	SAME();
	cr_expect_eq(fake_count(a, IT_STR), 3);
	WALK(b, "execve", q, fake_put(b, z, sizeof(z)), 0);
	DIFFERENT();
	WALK(b, "execve", q, fake_put(b, open, sizeof(open)), 0);
	cr_expect_eq(fake_count(b, IT_FAULT), 1);
}

Test(walk, vectors)
{
	uint64_t big[300][2];
	struct iovec v[2] = {
		{ (void *)(uintptr_t)fake_str(a, "head"), 4 },
		{ (void *)(uintptr_t)fake_str(a, "tail"), 4 },
	};
	struct iovec u[2] = {
		{ (void *)(uintptr_t)fake_str(b, "head"), 4 },
		{ (void *)(uintptr_t)fake_str(b, "tail"), 4 },
	};

	WALK(a, "writev", 1, fake_put(a, v, sizeof(v)), 2);
	WALK(b, "writev", 1, fake_put(b, u, sizeof(u)), 2);
	SAME();
	u[1].iov_base = (void *)(uintptr_t)fake_str(b, "tale");
	WALK(b, "writev", 1, fake_put(b, u, sizeof(u)), 2);
	DIFFERENT();
	/* none of it is looked at, if one is beyond all memory */
	v[0].iov_len = u[0].iov_len = INT64_MAX;
	v[1].iov_len = u[1].iov_len = 4;
	WALK(a, "writev", 1, fake_put(a, v, sizeof(v)), 2);
	WALK(b, "writev", 1, fake_put(b, u, sizeof(u)), 2);
	SAME();
	cr_expect_eq(fake_count(a, IT_FAULT), 1);
	v[0].iov_len = u[0].iov_len = 4;
	WALK(a, "writev", 1, fake_put(a, v, sizeof(v)), 2);
	/* the same bytes cut differently are a different request */
	u[0].iov_len = 3;
	WALK(b, "writev", 1, fake_put(b, u, sizeof(u)), 2);
	DIFFERENT();
	for (int i = 0; i < 300; i++) {
		big[i][0] = 0x1000;
		big[i][1] = 1;
	}
	WALK(a, "readv", 0, fake_put(a, big, sizeof(big)), 300);
	cr_expect_eq(fake_count(a, IT_OUT), 300);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 299)->rule, R_VEC);
	WALK(a, "readv", 0, fake_put(a, big, sizeof(big)), 1025);
	cr_expect_eq(fake_count(a, IT_OUT), 0);
	/* lengths that would overflow a sum */
	big[0][1] = big[1][1] = 0x7fffffffffffffff;
	WALK(a, "readv", 0, fake_put(a, big, 32), 2);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->len, IPMON_SPAN_MAX);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 1)->len, 0);
	big[1][1] = UINT64_MAX;
	WALK(a, "readv", 0, fake_put(a, big, 32), 2);
	cr_expect(fake_scalar(a, 1, UINT64_MAX));
}

Test(walk, counts_are_bounded)
{
	WALK(a, "setgroups", UINT64_MAX, fake_put(a, NULL, 4));
	cr_expect_eq(fake_item(a, IT_IN, 1, 0)->len, 0);
	WALK(a, "semop", 1, fake_put(a, NULL, 6), UINT64_MAX);
	cr_expect_null(fake_item(a, IT_IN, 1, 0));
	WALK(a, "write", 1, fake_put(a, NULL, 6), 1ull << 46);
	cr_expect_eq(fake_item(a, IT_IN, 1, 0)->len, IPMON_SPAN_MAX);
	/* lengths at which the kernel does not look at the buffer */
	WALK(a, "write", 1, fake_put(a, NULL, 6), UINT64_MAX);
	cr_expect_null(fake_item(a, IT_IN, 1, 0));
	/* all of it, or EFAULT without having looked */
	WALK(a, "add_key", fake_str(a, "user"), fake_str(a, "k"),
	     fake_put(a, "abc", 3), 4096, 0);
	WALK(b, "add_key", fake_str(b, "user"), fake_str(b, "k"),
	     fake_put(b, "xyz", 3), 4096, 0);
	SAME();
	cr_expect_eq(fake_count(a, IT_FAULT), 1);
	WALK(b, "add_key", fake_str(b, "user"), fake_str(b, "k"),
	     fake_put(b, "abc", 3), 3, 0);
	DIFFERENT();
	WALK(a, "setxattr", fake_str(a, "f"), fake_str(a, "user.a"),
	     fake_put(a, NULL, 6), 65537, 0);
	cr_expect_null(fake_item(a, IT_IN, 2, 0));
}

Test(walk, vmsplice_follows_the_pipe)
{
	uint64_t iov[2] = { fake_put(a, NULL, 10), 10 };

	a->pipe_mode = 1;	/* O_WRONLY */
	WALK(a, "vmsplice", 3, fake_put(a, iov, sizeof(iov)), 1, 0);
	cr_expect_eq(fake_item(a, IT_IN, 1, 0)->len, 10);
	a->pipe_mode = 0;	/* O_RDONLY */
	WALK(a, "vmsplice", 3, fake_put(a, iov, sizeof(iov)), 1, 0);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->rule, R_VEC);
	a->pipe_mode = -EBADF;
	WALK(a, "vmsplice", 3, fake_put(a, iov, sizeof(iov)), 1, 0);
	cr_expect_null(fake_item(a, IT_IN, 1, 0));
}

Test(walk, refused_calls_are_not_walked)
{
	cr_expect_eq(WALK(a, "ptrace", 0), -ENOSYS);
	cr_expect_eq(WALK(a, "io_uring_setup", 1, 0), -ENOSYS);
}

Test(walk, every_supported_row_can_be_walked)
{
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		const struct ipmon_row *row = ipmon_row(nr);

		if (row->exec == EXEC_NONE || row->walker == W_QUOTACTL)
			continue;	/* command 0 of quotactl is unknown */
		cr_expect_eq(WALK(a, row->name, 0), 0, "%s", row->name);
	}
}

/* ---- rules ---- */

static struct ipmon_item out(unsigned int rule, uint32_t len)
{
	return (struct ipmon_item){ .type = IT_OUT, .rule = (uint8_t)rule,
		.len = len };
}

Test(rules, by_result)
{
	struct ipmon_item i = out(R_RET, 10);
	uint64_t left = 0;

	cr_expect_eq(ipmon_actual(&i, 7, 0, &left), 7);
	cr_expect_eq(ipmon_actual(&i, 100, 0, &left), 10);
	cr_expect_eq(ipmon_actual(&i, 0, 0, &left), 0);
	cr_expect_eq(ipmon_actual(&i, -1, 0, &left), 0);
	i = out(R_SUCCESS, 10);
	cr_expect_eq(ipmon_actual(&i, 0, 0, &left), 10);
	cr_expect_eq(ipmon_actual(&i, -5, 0, &left), 0);
	i.value = 3;	/* third message of recvmmsg */
	cr_expect_eq(ipmon_actual(&i, 2, 0, &left), 0);
	cr_expect_eq(ipmon_actual(&i, 3, 0, &left), 10);
	i = out(R_ALWAYS, 10);
	cr_expect_eq(ipmon_actual(&i, -5, 0, &left), 10);
	i = out(R_RETOK_NZ, 10);
	cr_expect_eq(ipmon_actual(&i, 0, 0, &left), 0);
	cr_expect_eq(ipmon_actual(&i, 1, 0, &left), 10);
	i = out(R_RETMUL, 100);
	i.aux = 12;
	cr_expect_eq(ipmon_actual(&i, 3, 0, &left), 36);
	cr_expect_eq(ipmon_actual(&i, 9, 0, &left), 100);
	cr_expect_eq(ipmon_actual(&i, INT64_MAX, 0, &left), 100);
	i.aux = 0;
	cr_expect_eq(ipmon_actual(&i, 3, 0, &left), 0);
	i = out(R_INTR, 16);
	cr_expect_eq(ipmon_actual(&i, -4, 0, &left), 16);
	cr_expect_eq(ipmon_actual(&i, -516, 0, &left), 16);
	cr_expect_eq(ipmon_actual(&i, 0, 0, &left), 0);
	cr_expect_eq(ipmon_actual(&i, -22, 0, &left), 0);
	i.type = IT_IN;
	cr_expect_eq(ipmon_actual(&i, -4, 0, &left), 0);
}

Test(rules, by_word)
{
	struct ipmon_item i = out(R_U32, 100);
	uint64_t left = 0;

	cr_expect_eq(ipmon_rule_word(R_U32), 4);
	cr_expect_eq(ipmon_rule_word(R_U64), 8);
	cr_expect_eq(ipmon_rule_word(R_RET), 0);
	cr_expect_eq(ipmon_actual(&i, 0, 16, &left), 16);
	cr_expect_eq(ipmon_actual(&i, 0, 0xffffffff, &left), 100);
	cr_expect_eq(ipmon_actual(&i, -1, 16, &left), 0);
	i.group = 56;	/* units */
	cr_expect_eq(ipmon_actual(&i, 0, 1, &left), 56);
	cr_expect_eq(ipmon_actual(&i, 0, 0xffffffff, &left), 100);
	i = out(R_U64, 100);
	i.group = 255;
	cr_expect_eq(ipmon_actual(&i, 0, UINT64_MAX, &left), 100);
	i = out(R_U32_ALWAYS, 100);
	cr_expect_eq(ipmon_actual(&i, -1, 16, &left), 16);
	i = out(R_NZ32, 100);
	cr_expect_eq(ipmon_actual(&i, 0, 0, &left), 0);
	cr_expect_eq(ipmon_actual(&i, 0, 17, &left), 100);
}

Test(rules, spread_over_vectors)
{
	struct ipmon_item i = out(R_VEC, 4), j = out(R_VEC, 4);
	uint64_t left = ipmon_vec_total(&i, 6, 0);

	cr_expect_eq(left, 6);
	cr_expect_eq(ipmon_actual(&i, 6, 0, &left), 4);
	cr_expect_eq(ipmon_actual(&j, 6, 0, &left), 2);
	cr_expect_eq(ipmon_actual(&j, 6, 0, &left), 0);
	cr_expect_eq(ipmon_vec_total(&i, -1, 0), 0);
	i = out(R_VEC_U32, 4);
	i.value = 2;
	cr_expect_eq(ipmon_vec_total(&i, 1, 99), 0, "second of one message");
	cr_expect_eq(ipmon_vec_total(&i, 2, 99), 99);
}
