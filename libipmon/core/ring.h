/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replication ring: one producer, a consumer per follower.
 *
 * Theory of operation
 * -------------------
 * Positions are bytes since creation; they only grow.  The producer owns
 * ring->head, each consumer its cursor's tail.  A record lies in one piece; what
 * is left at the end of the buffer when the next one does not fit is a skip
 * record.  Nothing here waits or enters the kernel: functions say "empty" or
 * "no room", and libipmon/wait.c has the policy.
 *
 * Memory orderings
 *   head	store-release by the producer: the record's bytes come first;
 *		load-acquire by consumers: the bytes are read afterwards.
 *   tail	store-release by the consumer: its reads of the record come first;
 *		load-acquire by the producer: it overwrites the bytes afterwards.
 *   sleeping, leader_waits
 *		store, full fence, look at the position again, sleep; and on the
 *		other side store the position, full fence, look at the flag.  Only
 *		a full fence orders a store before a later load of another word
 *		(x86 stores wait in the store buffer), so without it both could
 *		miss each other.
 *
 * Trust: a follower may be taken over and write what it likes into its cursor;
 * the producer then takes it for one that has consumed nothing, never for one
 * that leaves more room than the ring has.  The leader may be taken over and
 * write what it likes into the ring, also while it is read; a consumer reads a
 * header once, into its own memory, and goes by that copy.
 */
#ifndef IPMON_CORE_RING_H
#define IPMON_CORE_RING_H

#include <ipmon/abi.h>

#define RING_MASK	((uint64_t)IPMON_RING_BYTES - 1)
#define RING_HEADER	((uint32_t)sizeof(struct ipmon_record))

/* A full fence.  A locked instruction is one, and faster than mfence. */
static inline void ring_fence(void)
{
	__asm__ volatile("lock orl $0, (%%rsp)" : : : "memory", "cc");
}

static inline uint32_t ring_align(uint32_t n)
{
	return (n + 7) & ~7u;
}

/* Fetch the line for writing; harmless at any address. */
static inline void ring_prefetch(const void *at)
{
	__asm__ volatile("prefetchw (%0)" : : "r"(at));
}

/* ---- producer ---- */

/*
 * The lowest tail of the followers in `mask`, at least head - RING_BYTES.
 */
uint64_t ring_min_tail(uint64_t head, const struct ipmon_cursor *cur,
		       uint64_t mask);

/*
 * Room for a record of `need` bytes (a multiple of 8, at most half of
 * capacity) at the head, or NULL; *avail then is 0 or the position some
 * follower's tail must reach before it is worth trying again.  Otherwise *avail
 * is what could be used there, need or more.
 * capacity: how far head may be in front of the slowest follower.
 */
unsigned char *ring_reserve_slow(struct ipmon_ring *r,
				 const struct ipmon_cursor *cur, uint64_t mask,
				 struct ipmon_producer *p, uint64_t capacity,
				 uint32_t need, uint64_t *avail);

static inline unsigned char *ring_reserve(struct ipmon_ring *r,
					  const struct ipmon_cursor *cur,
					  uint64_t mask,
					  struct ipmon_producer *p,
					  uint64_t capacity, uint32_t need,
					  uint64_t *avail)
{
	uint64_t off = p->head & RING_MASK;
	uint64_t room = p->limit - p->head;

	if (need <= IPMON_RING_BYTES - off && need <= room) {
		*avail = room < IPMON_RING_BYTES - off ? room :
			IPMON_RING_BYTES - off;
		return r->data + off;
	}
	return ring_reserve_slow(r, cur, mask, p, capacity, need, avail);
}

/* The record of `size` bytes at the head, header included, is complete. */
static inline void ring_publish(struct ipmon_ring *r, struct ipmon_producer *p,
				uint32_t size)
{
	const unsigned char *next;

	p->head += size;
	/* release: see above */
	__atomic_store_n(&r->head, p->head, __ATOMIC_RELEASE);
	/* A follower read these lines last time round.  Getting them back now
	 * goes on while the leader makes its next call. */
	next = r->data + (p->head & RING_MASK);
	ring_prefetch(next);
	ring_prefetch(next + 64);
	ring_prefetch(next + 128);
	ring_prefetch(next + 192);
}

/* ---- consumer ---- */

enum ring_state { RING_BAD = -1, RING_EMPTY, RING_RECORD };

/*
 * The next record that is not a skip.  Its header is copied to *rec, checked:
 * size lies within what was published and within the buffer, and the two parts
 * lie within size.  RING_BAD: the leader wrote something that is no record.
 */
enum ring_state ring_next_slow(const struct ipmon_ring *r,
			       struct ipmon_cursor *cur,
			       struct ipmon_consumer *c,
			       struct ipmon_record *rec);

static inline const unsigned char *ring_at(const struct ipmon_ring *r,
					   uint64_t pos)
{
	return r->data + (pos & RING_MASK);
}

/* A header, read once.  Aligned words: the ring is memory others write. */
static inline void ring_header(const unsigned char *at,
			       struct ipmon_record *rec)
{
	const uint64_t *w = (const void *)at;
	uint64_t v;

	v = __atomic_load_n(&w[0], __ATOMIC_RELAXED);
	rec->size = (uint32_t)v;
	rec->nr = (uint16_t)(v >> 32);
	rec->flags = (uint16_t)(v >> 48);
	rec->ret = (int64_t)__atomic_load_n(&w[1], __ATOMIC_RELAXED);
	v = __atomic_load_n(&w[2], __ATOMIC_RELAXED);
	rec->in_len = (uint32_t)v;
	rec->out_len = (uint32_t)(v >> 32);
	rec->turn = __atomic_load_n(&w[3], __ATOMIC_RELAXED);
}

static inline int ring_record_ok(const struct ipmon_record *rec,
				 uint64_t left, uint64_t off)
{
	uint64_t in = ((uint64_t)rec->in_len + 7) & ~7ull;
	uint64_t out = ((uint64_t)rec->out_len + 7) & ~7ull;

	return !(rec->size & 7) && rec->size <= left &&
	       rec->size <= IPMON_RING_BYTES - off &&
	       RING_HEADER + in + out <= rec->size;
}

static inline enum ring_state ring_next(const struct ipmon_ring *r,
					struct ipmon_cursor *cur,
					struct ipmon_consumer *c,
					struct ipmon_record *rec)
{
	uint64_t off = c->tail & RING_MASK, left = c->head - c->tail;

	/* the common case: something is known to be there */
	if (left >= RING_HEADER && off <= IPMON_RING_BYTES - RING_HEADER) {
		ring_header(r->data + off, rec);
		if (!(rec->flags & REC_SKIP) && ring_record_ok(rec, left, off))
			return RING_RECORD;
	}
	return ring_next_slow(r, cur, c, rec);
}

/*
 * A consumer begins at this position.  It does not rest there yet (cursor->at):
 * code that runs before its first record is awaited like any other.
 */
static inline void cursor_begin(struct ipmon_cursor *cur, uint64_t base)
{
	__atomic_store_n(&cur->tail, base, __ATOMIC_RELEASE);
	__atomic_store_n(&cur->at, base - 8, __ATOMIC_RELEASE);
}

/* The record of `size` bytes at the tail is done with. */
static inline void ring_consume(struct ipmon_cursor *cur,
				struct ipmon_consumer *c, uint32_t size)
{
	c->tail += size;
	/* release: see above */
	__atomic_store_n(&cur->tail, c->tail, __ATOMIC_RELEASE);
}

#endif
