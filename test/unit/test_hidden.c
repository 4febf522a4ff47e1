// SPDX-License-Identifier: Apache-2.0
/*
 * The monitor's pages and where there is room for them: an address space that has
 * something at the first addresses that are drawn.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "hidden.h"
#include "launch.h"
#include "tracee.h"

#define AT(n) (0x400000000000ull + (n) * 0x1000ull)

static struct {
	uint64_t start, end;
} map[16];
static unsigned int n_map;
static uint64_t drawn[80];
static unsigned int n_drawn;
static unsigned int foreign;		/* unmappings of what was there before */

uint64_t hidden_address(void)
{
	cr_assert_lt(n_drawn, sizeof(drawn) / sizeof(drawn[0]));
	return drawn[n_drawn++];
}

static bool taken(uint64_t start, uint64_t end)
{
	for (unsigned int i = 0; i < n_map; i++)
		if (start < map[i].end && map[i].start < end)
			return true;
	return false;
}

static void add(uint64_t start, uint64_t end)
{
	cr_assert_lt(n_map, sizeof(map) / sizeof(map[0]));
	map[n_map].start = start;
	map[n_map++].end = end;
}

int64_t task_inject(struct task *t, uint64_t nr, uint64_t a0, uint64_t a1,
		    uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	if (nr == SYS_mmap) {
		cr_assert(a3 & MAP_FIXED_NOREPLACE);
		if (taken(a0, a0 + a1))
			return -EEXIST;
		add(a0, a0 + a1);
		return (int64_t)a0;
	}
	cr_assert_eq(nr, (uint64_t)SYS_munmap);
	for (unsigned int i = 1; i < n_map; i++)
		if (map[i].start == a0 && map[i].end == a0 + a1) {
			map[i] = map[--n_map];
			return 0;
		}
	foreign++;
	return 0;
}

static void begin(void)
{
	n_map = n_drawn = foreign = 0;
	add(AT(100), AT(110));		/* what is there */
}

Test(hidden, another_address)
{
	begin();
	drawn[0] = AT(95);		/* the end of it would be in the way */
	drawn[1] = AT(109);
	drawn[2] = AT(200);
	cr_expect_eq(hidden_map(NULL, 0x10000, PROT_READ, MAP_SHARED, 3, 0,
				false), (int64_t)AT(200));
	cr_expect_eq(n_map, 2);
	cr_expect_eq(foreign, 0);
}

Test(hidden, guard)
{
	begin();
	drawn[0] = AT(110);		/* no room for the guard */
	drawn[1] = AT(95);		/* for the guard only */
	drawn[2] = AT(200);
	cr_expect_eq(hidden_map(NULL, 0x10000, PROT_READ, MAP_SHARED, 3, 0,
				true), (int64_t)AT(200));
	cr_expect_eq(n_map, 3);
	cr_expect(taken(AT(199), AT(200)));
	cr_expect_not(taken(AT(94), AT(95)));
	cr_expect_eq(foreign, 0);
}

Test(hidden, no_room)
{
	begin();
	for (unsigned int i = 0; i < 80; i++)
		drawn[i] = AT(105);
	cr_expect_eq(hidden_map(NULL, 4096, PROT_READ, MAP_SHARED, 3, 0, false),
		     -EEXIST);
	cr_expect_eq(n_map, 1);
	cr_expect_eq(foreign, 0);
}
