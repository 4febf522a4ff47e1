// SPDX-License-Identifier: Apache-2.0
/*
 * What may be an address, and the table of those that went through channels
 * (libipmon/core/channel.h).
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../libipmon/core/channel.h"

static struct ipmon_special sp;

#define GIB	(1ull << 30)
#define EXE	0x555555554000ull
#define STACK	0x7ffffffde000ull

static void map(uint64_t start, uint64_t len)
{
	zone_note(&sp, start, start + len);
}

Test(channel, what_is_near_a_mapping_may_be_an_address)
{
	map(EXE, 8192);
	map(EXE + 5 * GIB, 135168);		/* the heap */
	map(0x7ffff7dd0000, 1 << 20);
	map(STACK, 135168);
	map(0xffffffffff600000, 4096);		/* vsyscall */
	cr_expect(is_address(&sp, EXE));
	cr_expect(is_address(&sp, EXE + 8191));
	cr_expect(is_address(&sp, EXE + 20 * GIB));
	cr_expect(is_address(&sp, 0x7ffff7fc0123));
	cr_expect(is_address(&sp, 0x7ffff0000000));
	cr_expect(is_address(&sp, STACK + 17));
	/* six bytes: only near to what was mapped */
	cr_expect(is_packed_address(&sp, EXE));
	cr_expect(is_packed_address(&sp, EXE + 8191));
	cr_expect(is_packed_address(&sp, STACK + 17));
	cr_expect_not(is_packed_address(&sp, EXE + 20 * GIB));
	cr_expect_not(is_packed_address(&sp, 0));
	/* numbers, text with its end */
	cr_expect_not(is_address(&sp, 0));
	cr_expect_not(is_address(&sp, 1000000));
	cr_expect_not(is_address(&sp, 0x6f77206f6c6c));
	cr_expect_not(is_address(&sp, ~0ull));
	cr_expect_not(is_address(&sp, 1ull << 47));
	/* nothing known: everything may be */
	cr_expect(is_address(NULL, 0x6f77206f6c6c));
	cr_expect_not(is_address(NULL, 65535));
}

Test(channel, who_maps_all_over_the_place_has_addresses_everywhere)
{
	memset(&sp, 0, sizeof(sp));
	for (uint64_t i = 1; i <= IPMON_ZONES; i++)
		map(i << 42, 4096);
	cr_expect_not(is_address(&sp, 0x6f77206f6c6c));
	map((IPMON_ZONES + 1ull) << 42, 4096);
	cr_expect(is_address(&sp, 0x6f77206f6c6c));
	cr_expect(is_address(&sp, LEAST_ADDRESS));
	cr_expect(is_address(&sp, (1ull << 47) - 1));
}

Test(channel, low_memory)
{
	memset(&sp, 0, sizeof(sp));
	map(0x400000, 4096);
	cr_expect(is_address(&sp, 0x400010));
	cr_expect(is_address(&sp, LEAST_ADDRESS));
	cr_expect_not(is_address(&sp, 1ull << 40));
}

Test(channel, words_are_found_by_variant_the_latest_first)
{
	struct ipmon_words *w = calloc(1, sizeof(*w));
	uint64_t own = 0;

	cr_expect_not(words_any(w));
	cr_expect_not(words_find(w, 1, 0x1000000, &own));
	words_add(w, 1, 0x1000000, 0x2000000);
	words_add(w, 2, 0x1000000, 0x3000000);
	cr_expect(words_any(w));
	cr_expect(words_find(w, 1, 0x1000000, &own) && own == 0x2000000);
	cr_expect(words_find(w, 2, 0x1000000, &own) && own == 0x3000000);
	cr_expect_not(words_find(w, 3, 0x1000000, &own));
	/* memory is used again */
	words_add(w, 1, 0x1000000, 0x2000008);
	cr_expect(words_find(w, 1, 0x1000000, &own) && own == 0x2000008);
	for (uint64_t i = 0; i < 3 * IPMON_WORDS; i++) {
		words_add(w, 1, 0x5000000 + i, i);
		cr_assert(words_find(w, 1, 0x5000000 + i, &own) && own == i);
	}
	/* forgotten */
	cr_expect_not(words_find(w, 2, 0x1000000, &own));
	free(w);
}

Test(channel, six_bytes_hold_an_address)
{
	static struct ipmon_words w;
	unsigned char m[8] = { 0, 0xb0, 0xfa, 0x89, 0x36, 0x7f, 'K', 1 };
	uint64_t own = 0;

	cr_expect_eq(packed_address(word_at(m, 8)), 0x7f3689fab000);
	/* at the end of a message */
	cr_expect_eq(packed_address(word_at(m, 7)), 0x7f3689fab000);
	cr_expect_eq(packed_address(word_at(m, 6)), 0x7f3689fab000);
	/* two zeros behind may belong to the next one */
	cr_expect_eq(packed_address(0x00007f3689fab000), 0x7f3689fab000);
	/* shorter ones, kernel addresses */
	cr_expect_not(packed_address(0x4b0000003f58c3d0));
	cr_expect_not(packed_address(0x4b01803689fab000));
	words_add(&w, 1, 0x7f3689fab000, 0x7cec89fab000);
	cr_expect_eq(words_match(&w, 1, word_at(m, 8), &own), PACKED_SIZE);
	cr_expect_eq(own, 0x7cec89fab000);
	cr_expect_eq(words_match(&w, 1, 0x7f3689fab000, &own), PACKED_SIZE);
	words_add(&w, 1, 0x3f58c3d0, 0xd3f58c3d0);
	cr_expect_eq(words_match(&w, 1, 0x3f58c3d0, &own), 8);
	cr_expect_eq(words_match(&w, 2, word_at(m, 6), &own), 0);
	cr_expect_eq(words_match(&w, 1, 0x4b00363689fab000, &own), 0);
}
