/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two fake variants, `a` and `b`, and the two expectations about them.
 */
#ifndef TEST_UNIT_PAIR_H
#define TEST_UNIT_PAIR_H

#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "fake.h"

static struct fake *a, *b;

static void pair_setup(void)
{
	a = fake_new(0x10000000);
	b = fake_new(0x7f0000000000);
}

static void pair_teardown(void)
{
	fake_free(a);
	fake_free(b);
}

#define PAIR_SUITE(name) \
	TestSuite(name, .init = pair_setup, .fini = pair_teardown)

#define SAME() cr_expect(fake_equal(a, b), "should be equal")
#define DIFFERENT() cr_expect_not(fake_equal(a, b), "should differ")

#endif
