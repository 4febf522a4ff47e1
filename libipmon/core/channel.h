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

#endif
