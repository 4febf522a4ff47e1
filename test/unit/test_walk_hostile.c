/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call with arguments nobody would pass: nothing may crash, read
 * outside a region, or emit without end.
 */
#include "pair.h"

PAIR_SUITE(hostile);

static const uint64_t values[] = {
	0, 1, 2, 8, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff,
	0x8000000000000000, UINT64_MAX, UINT64_MAX - 7, 0xfffffffffffff000,
};

#define VALUES (sizeof(values) / sizeof(values[0]))

static void try(const char *name, const uint64_t args[6])
{
	int rc = fake_walk(a, name, args);

	cr_expect(rc == 0 || rc == -ENOSYS || rc == -E2BIG, "%s: %d", name, rc);
	for (unsigned int i = 0; i < a->items; i++) {
		cr_expect_lt(a->item[i].arg, 6);
		cr_expect_leq(a->item[i].len, IPMON_SPAN_MAX);
		cr_expect_lt(a->item[i].rule, R_MAX);
	}
}

Test(hostile, every_argument_extreme)
{
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		const char *name = ipmon_row(nr)->name;

		if (!name[0])
			continue;
		for (unsigned int v = 0; v < VALUES; v++) {
			for (unsigned int u = 0; u < VALUES; u++) {
				uint64_t x = values[v], y = values[u];
				uint64_t args[6] = { x, y, x, y, x, y };

				try(name, args);
			}
		}
	}
}

/* Memory full of ones, of zeros, and of pointers to itself. */
Test(hostile, memory_extreme)
{
	uint64_t self = fake_put(a, NULL, 4096), ones = fake_put(a, NULL, 4096);
	uint64_t zero = fake_put(a, NULL, 4096), where[3] = { self, ones, zero };

	memset(fake_at(a, ones), 0xff, 4096);
	memset(fake_at(a, zero), 0, 4096);
	for (unsigned int i = 0; i < 512; i++)
		memcpy((char *)fake_at(a, self) + i * 8, &self, 8);
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		const char *name = ipmon_row(nr)->name;

		if (!name[0])
			continue;
		for (unsigned int m = 0; m < 1u << 12; m += 7) {
			uint64_t args[6];

			for (unsigned int i = 0; i < 6; i++)
				args[i] = m >> (2 * i) & 3 ?
					where[(m >> (2 * i) & 3) - 1] :
					values[m % VALUES];
			try(name, args);
		}
	}
}

/* The end of a region one byte too early, for every length. */
Test(hostile, short_memory)
{
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		const char *name = ipmon_row(nr)->name;

		if (!name[0])
			continue;
		for (unsigned int len = 0; len < 60; len++) {
			uint64_t p = fake_put(a, NULL, len);
			uint64_t args[6] = { p, p, p, p, p, p };

			try(name, args);
			args[0] = 1;
			args[1] = len % 8;
			try(name, args);
			free(a->region[--a->regions].p);
		}
	}
}
