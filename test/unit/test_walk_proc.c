/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes: clone, prctl, capabilities, waiting; memory and clocks.
 */
#include "pair.h"

PAIR_SUITE(proc);

Test(proc, clone_looks_at_its_flags)
{
	/* fork-like: only child_tid counts */
	WALK(a, "clone", 0x1200011, 0, 0xdead, 0x1000, 0xbeef);
	WALK(b, "clone", 0x1200011, 0, 0, 0x2000, 0);
	SAME();
	WALK(b, "clone", 0x1200011, 0x3000, 0, 0x2000, 0);
	DIFFERENT();
	WALK(a, "clone", 0x3d0f00, 0x1000, 0x1000, 0x1000, 0x1000);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, 4);
	WALK(b, "clone", 0x3d0f00, 0x1000, 0x1000, 0x1000, 0);
	DIFFERENT();
}

Test(proc, clone3)
{
	uint64_t x[13] = { 0x3d0f00, 0, 0x1000, 0x1000, 0, 0x1000, 4096, 0x1 };
	uint64_t y[13] = { 0x3d0f00, 0, 0x2000, 0x2000, 0, 0x2000, 4096, 0x2 };

	x[10] = 5;	/* cgroup without its flag */
	WALK(a, "clone3", fake_put(a, x, 88), 88);
	WALK(b, "clone3", fake_put(b, y, 88), 88);
	SAME();
	y[6] = 8192;
	WALK(b, "clone3", fake_put(b, y, 88), 88);
	DIFFERENT();
	WALK(a, "clone3", fake_put(a, x, 104), 104);
	cr_expect_eq(fake_count(a, IT_IN), 0);
	x[12] = 1;	/* unknown and in use: the kernel says E2BIG */
	cr_expect_eq(WALK(a, "clone3", fake_put(a, x, 104), 104), -ENOSYS);
	WALK(a, "clone3", fake_put(a, x, 88), 63);
	cr_expect_eq(a->items, 2);
	WALK(a, "clone3", fake_put(a, x, 88), SIZE_MAX);
	cr_expect_eq(a->items, 2);
	x[9] = UINT64_MAX;	/* set_tid_size */
	WALK(a, "clone3", fake_put(a, x, 88), 88);
	cr_expect_eq(fake_count(a, IT_IN), 0);
}

Test(proc, prctl_unused_arguments_are_garbage)
{
	WALK(a, "prctl", 4, 1, 0xdead, 0xbeef, 3);	/* PR_SET_DUMPABLE */
	WALK(b, "prctl", 4, 1, 0, 0, 0);
	SAME();
	WALK(b, "prctl", 4, 0, 0, 0, 0);
	DIFFERENT();
	/* refused, whatever it is; true, whatever it is */
	WALK(a, "prctl", 4, 0x7f0000001000);
	WALK(b, "prctl", 4, 0x7e0000001000);
	SAME();
	WALK(b, "prctl", 4, 1);
	DIFFERENT();
	WALK(a, "prctl", 36, 0x7f0000001000);
	WALK(b, "prctl", 36, 1);
	SAME();
	WALK(b, "prctl", 36, 0);
	DIFFERENT();
	WALK(a, "prctl", 29, 0x7f0000001000);
	WALK(b, "prctl", 29, 0x7e0000001000);
	DIFFERENT();
	WALK(a, "prctl", 15, fake_put(a, "name\0xx", 7));
	WALK(b, "prctl", 15, fake_put(b, "name\0yy", 7));
	SAME();
	WALK(b, "prctl", 15, fake_str(b, "none"));
	DIFFERENT();
	WALK(a, "prctl", 16, 0x1000);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->len, 16);
	cr_expect_eq(WALK(a, "prctl", 12345, 1, 2, 3, 4), 0);
	cr_expect_eq(a->items, 1);
	WALK(a, "arch_prctl", 0x1002, 0x1000);
	WALK(b, "arch_prctl", 0x1002, 0x2000);
	SAME();
}

Test(proc, capabilities)
{
	uint32_t h[2] = { 0x20080522, 0 }, old[2] = { 0x19980330, 0 };
	uint32_t bad[2] = { 1, 0 };

	WALK(a, "capget", fake_put(a, h, 8), 0x1000);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->len, 24);
	WALK(a, "capget", fake_put(a, old, 8), 0x1000);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->len, 12);
	WALK(a, "capget", fake_put(a, bad, 8), 0x1000);
	cr_expect_null(fake_item(a, IT_OUT, 1, 0));
	cr_expect_eq(fake_item(a, IT_OUT, 0, 0)->rule, R_ALWAYS);
}

Test(proc, waiting)
{
	WALK(a, "wait4", -1, 0x1000, 0, 0);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->rule, R_RETOK_NZ);
	WALK(a, "waitid", 0, 0, 0x1000, 4, 0x2000);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 1)->addr, 0x1010);
	cr_expect_eq(fake_item(a, IT_OUT, 4, 0)->rule, R_NZ32);
	cr_expect_eq(fake_item(a, IT_OUT, 4, 0)->aux, 0x1000);
}

Test(proc, seccomp_and_scheduling)
{
	uint32_t attr[12] = { 48, 0 };

	WALK(a, "sched_setattr", 0, fake_put(a, attr, 48), 0);
	cr_expect_eq(fake_item(a, IT_IN, 1, 0)->len, 44);
	attr[0] = 0xffffffff;
	WALK(a, "sched_setattr", 0, fake_put(a, attr, 48), 0);
	cr_expect_eq(fake_count(a, IT_IN), 0);
	WALK(a, "sched_getattr", 0, 0x1000, 8192, 0);
	cr_expect_eq(fake_count(a, IT_OUT), 0);
	WALK(a, "seccomp", 3, 0, 0x1000);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, 6);
}

Test(proc, process_vm)
{
	uint64_t l[2] = { 0x1000, 10 }, r[2] = { 0xaaa, 10 }, s[2] = { 0xbbb, 10 };

	WALK(a, "process_vm_readv", 9, fake_put(a, l, 16), 1,
	     fake_put(a, r, 16), 1, 0);
	WALK(b, "process_vm_readv", 9, fake_put(b, l, 16), 1,
	     fake_put(b, s, 16), 1, 0);
	SAME();
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->rule, R_VEC);
	s[1] = 11;
	WALK(b, "process_vm_readv", 9, fake_put(b, l, 16), 1,
	     fake_put(b, s, 16), 1, 0);
	DIFFERENT();
}

Test(proc, node_masks)
{
	uint64_t m = 0xff, n = 0xff00ff;

	WALK(a, "set_mempolicy", 2, fake_put(a, &m, 8), 13);
	WALK(b, "set_mempolicy", 2, fake_put(b, &n, 8), 13);
	SAME();
	WALK(a, "set_mempolicy", 2, fake_put(a, &m, 8), 25);
	WALK(b, "set_mempolicy", 2, fake_put(b, &n, 8), 25);
	DIFFERENT();
	WALK(a, "set_mempolicy", 2, fake_put(a, &m, 8), 0);
	cr_expect_eq(fake_count(a, IT_IN), 0);
	WALK(a, "get_mempolicy", 0, 0x1000, 65, 0, 0);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 0)->len, 8);
	WALK(a, "get_mempolicy", 0, 0x1000, 0, 0, 0);
	cr_expect_null(fake_item(a, IT_OUT, 1, 0));
	WALK(a, "mincore", 0x1000, 4097, 0x2000);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, 2);
	WALK(a, "mincore", 0x1000, SIZE_MAX, 0x2000);
	cr_expect_eq(fake_item(a, IT_OUT, 2, 0)->len, IPMON_SPAN_MAX);
}

Test(proc, timex_by_modes)
{
	unsigned char x[208], y[208];

	memset(x, 1, sizeof(x));
	memset(y, 2, sizeof(y));
	memset(x, 0, 4), memset(y, 0, 4);
	WALK(a, "adjtimex", fake_put(a, x, 208));
	WALK(b, "adjtimex", fake_put(b, y, 208));
	SAME();
	x[0] = y[0] = 2;	/* ADJ_FREQUENCY */
	WALK(a, "adjtimex", fake_put(a, x, 208));
	WALK(b, "adjtimex", fake_put(b, y, 208));
	DIFFERENT();
	memset(y + 16, 1, 8);
	WALK(b, "adjtimex", fake_put(b, y, 208));
	SAME();
}

Test(proc, keys)
{
	WALK(a, "keyctl", 2, 5, fake_str(a, "secret"), 6, 0xdead);
	WALK(b, "keyctl", 2, 5, fake_str(b, "secret"), 6, 0);
	SAME();
	WALK(b, "keyctl", 2, 5, fake_str(b, "secreT"), 6, 0);
	DIFFERENT();
	cr_expect_eq(WALK(a, "keyctl", 1000, 0), -ENOSYS);
}
