/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes and socket pairs a program has made itself, and the addresses that may go
 * through them (monitord/internal.c says why): pure code for both sides.
 *
 * What is written there is looked at before: if it may contain an address,
 * monitord compares it, and tolerates one that means the same in each variant.  It
 * then puts what each variant has in its place into a table that followers can read
 * (struct ipmon_words), before the leader writes.  So whoever reads finds it there,
 * and reading needs no rendezvous.
 */
#ifndef IPMON_CHANNEL_H
#define IPMON_CHANNEL_H

#include <ipmon/abi.h>

/* What a call does with the data of a channel that is its first argument. */
enum channel_use {
	CHANNEL_NONE,		/* nothing */
	CHANNEL_WRITES,
	CHANNEL_READS,
	CHANNEL_LEFT,		/* monitord makes it */
};
enum channel_use channel_use(uint64_t nr);

/* ---- addresses ---- */

#define LEAST_ADDRESS	65536u
/* What is mapped later lies near to what is mapped now, mostly. */
#define ZONE_MARGIN	(1ull << 36)

static inline int in_zone(const struct ipmon_special *sp, uint64_t v)
{
	for (unsigned int i = 0; i < IPMON_ZONES; i++)
		if (v - sp->zone[i].start <
		    sp->zone[i].end - sp->zone[i].start)
			return 1;
	return 0;
}

/* May this word be an address of the process?  sp NULL: nothing is known. */
static inline int is_address(const struct ipmon_special *sp, uint64_t v)
{
	return v >= LEAST_ADDRESS && !(v >> 47) && (!sp || in_zone(sp, v));
}

/*
 * Six bytes hold any address above 1 TiB, and programs that write numbers as short as
 * they are (Python's pickle, that is its multiprocessing) send no more, with anything
 * behind.  v: these six and two more; 0: it is no such address.
 */
#define PACKED_SIZE	6u
#define PACKED_LEAST	(1ull << 40)

static inline uint64_t packed_address(uint64_t v)
{
	uint64_t a = v & ((1ull << 48) - 1);

	return a >= PACKED_LEAST && !(a >> 47) ? a : 0;
}

/*
 * Any six bytes are a number of that size, and zones are wide: of binary data nearly
 * every message would have one in some.  Here only what is near to something that was
 * mapped when the zone was made counts.  Zones that end with the address space hold the
 * first stack, at their beginning, unless they have been merged with others.
 */
#define PACKED_MARGIN	(1ull << 31)	/* the heap is within one GiB of the program */
#define ADDRESSES_END	(1ull << 47)

static inline int in_narrow_zone(const struct ipmon_special *sp, uint64_t v)
{
	for (unsigned int i = 0; i < IPMON_ZONES; i++) {
		uint64_t from = sp->zone[i].start, to = sp->zone[i].end;

		if (to == ADDRESSES_END && to - from <= 2 * ZONE_MARGIN)
			to = from + ZONE_MARGIN + 2 * PACKED_MARGIN;
		else if (to != ADDRESSES_END && to > ZONE_MARGIN)
			to -= ZONE_MARGIN - PACKED_MARGIN;
		if (from != LEAST_ADDRESS)
			from += ZONE_MARGIN - PACKED_MARGIN;
		if (v >= from && v < to)
			return 1;
	}
	return 0;
}

/* The same for a packed one. */
static inline int is_packed_address(const struct ipmon_special *sp, uint64_t v)
{
	return v && (!sp || in_narrow_zone(sp, v));
}

/*
 * The word at `at`, where there are `have` bytes, six or more.  At the end of a
 * message: one with something behind, so that it is taken for six bytes only.
 */
static inline uint64_t word_at(const unsigned char *at, uint64_t have)
{
	uint64_t v = 0;

	if (have >= sizeof(v))
		__builtin_memcpy(&v, at, sizeof(v));
	else
		for (uint32_t k = 0; k < PACKED_SIZE; k++)
			v |= (uint64_t)at[k] << 8 * k;
	return have >= sizeof(v) ? v : v | 1ull << 63;
}

/* Something is mapped there. */
void zone_note(struct ipmon_special *sp, uint64_t start, uint64_t end);

/* ---- words: one writer, monitord ---- */

static inline unsigned int words_slot(uint64_t leader)
{
	return (unsigned int)(leader * 0x9e3779b97f4a7c15ull >>
			      (64 - IPMON_WORDS_BITS));
}

/* Have there been any? */
static inline int words_any(const struct ipmon_words *w)
{
	/* acquire: the words themselves */
	return __atomic_load_n(&w->n, __ATOMIC_ACQUIRE) != 0;
}

void words_add(struct ipmon_words *w, unsigned int variant, uint64_t leader,
	       uint64_t own);
/* 1: *own is what the variant has in its place. */
int words_find(const struct ipmon_words *w, unsigned int variant,
	       uint64_t leader, uint64_t *own);
/* The same for v of a message, which may be a packed one: how many bytes, or 0. */
unsigned int words_match(const struct ipmon_words *w, unsigned int variant,
			 uint64_t v, uint64_t *own);

#endif
