// SPDX-License-Identifier: Apache-2.0
/*
 * See channel.h.
 *
 * The table is a ring of the latest words and a bitmap of the hashes there have
 * ever been, as most data contains none.  Readers may meet a word that is being
 * replaced, a thousand words after it was written: such a one has been forgotten.
 */
#include "channel.h"

enum channel_use channel_use(uint64_t nr)
{
	switch (nr) {
	case 0:		/* read */
	case 19:	/* readv */
	case 45:	/* recvfrom */
	case 47:	/* recvmsg */
		return CHANNEL_READS;
	case 1:		/* write */
	case 20:	/* writev */
	case 44:	/* sendto */
	case 46:	/* sendmsg */
		return CHANNEL_WRITES;
	case 278:	/* vmsplice */
	case 299:	/* recvmmsg */
	case 307:	/* sendmmsg */
	case 327:	/* preadv2 */
	case 328:	/* pwritev2 */
		return CHANNEL_LEFT;
	default:
		return CHANNEL_NONE;
	}
}

void zone_note(struct ipmon_special *sp, uint64_t start, uint64_t end)
{
	unsigned int i, unused = IPMON_ZONES;
	uint64_t from, to;

	/* the vsyscall page is nobody's */
	if (start >= end || start >> 47 || (in_zone(sp, start) && in_zone(sp, end - 1)))
		return;
	from = start > ZONE_MARGIN ? start - ZONE_MARGIN : LEAST_ADDRESS;
	to = end + ZONE_MARGIN < 1ull << 47 ? end + ZONE_MARGIN : 1ull << 47;
	for (i = 0; i < IPMON_ZONES; i++) {
		if (!sp->zone[i].end) {
			unused = i;
		} else if (from <= sp->zone[i].end && to >= sp->zone[i].start) {
			if (from < sp->zone[i].start)
				sp->zone[i].start = from;
			if (to > sp->zone[i].end)
				sp->zone[i].end = to;
			return;
		}
	}
	if (unused == IPMON_ZONES) {	/* it lives all over the place */
		unused = 0;
		from = LEAST_ADDRESS;
		to = 1ull << 47;
	}
	sp->zone[unused].start = from;
	sp->zone[unused].end = to;
}

int words_find(const struct ipmon_words *w, unsigned int variant,
	       uint64_t leader, uint64_t *own)
{
	unsigned int slot = words_slot(leader), i;
	uint32_t n = __atomic_load_n(&w->n, __ATOMIC_ACQUIRE);

	if (!(__atomic_load_n(&w->seen[slot / 8], __ATOMIC_RELAXED) >>
	      slot % 8 & 1))
		return 0;
	/* the latest one: memory is used again */
	for (i = 1; i <= n && i <= IPMON_WORDS; i++) {
		const struct ipmon_word *e = &w->word[(n - i) % IPMON_WORDS];

		if (__atomic_load_n(&e->leader, __ATOMIC_RELAXED) == leader &&
		    __atomic_load_n(&e->variant, __ATOMIC_RELAXED) == variant) {
			*own = __atomic_load_n(&e->own, __ATOMIC_RELAXED);
			return 1;
		}
	}
	return 0;
}

unsigned int words_match(const struct ipmon_words *w, unsigned int variant,
			 uint64_t v, uint64_t *own)
{
	uint64_t packed = packed_address(v);

	if (packed)
		return words_find(w, variant, packed, own) ? PACKED_SIZE : 0;
	return words_find(w, variant, v, own) ? sizeof(v) : 0;
}

void words_add(struct ipmon_words *w, unsigned int variant, uint64_t leader,
	       uint64_t own)
{
	unsigned int slot = words_slot(leader);
	struct ipmon_word *e;
	uint64_t now;

	if (words_find(w, variant, leader, &now) && now == own)
		return;
	e = &w->word[w->n % IPMON_WORDS];
	__atomic_store_n(&e->leader, leader, __ATOMIC_RELAXED);
	__atomic_store_n(&e->variant, variant, __ATOMIC_RELAXED);
	__atomic_store_n(&e->own, own, __ATOMIC_RELAXED);
	__atomic_store_n(&w->seen[slot / 8],
			 (uint8_t)(w->seen[slot / 8] | 1u << slot % 8),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&w->n, w->n + 1, __ATOMIC_RELEASE);
}
