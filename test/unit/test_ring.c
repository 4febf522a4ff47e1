// SPDX-License-Identifier: Apache-2.0
/*
 * The ring and the stream in it: wrapping, flow control, hostile ends.
 * Several consumers at once: ring_threads.c.
 */
#include <criterion/criterion.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "core/ring.h"
#include "core/stream.h"

static struct ipmon_ring *ring;
static struct ipmon_cursor cur[IPMON_MAX_VARIANTS] __attribute__((aligned(64)));

static void setup(void)
{
	ring = aligned_alloc(4096, sizeof(*ring) + 4096 -
			     sizeof(*ring) % 4096);
	memset(ring, 0, sizeof(*ring));
	memset(cur, 0, sizeof(cur));
}

static void teardown(void)
{
	free(ring);
}

TestSuite(ring, .init = setup, .fini = teardown, .timeout = 60);

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* ---- one thread ---- */

static void put(struct ipmon_producer *p, unsigned char *at, uint32_t size,
		uint16_t nr)
{
	struct ipmon_record *rec = (void *)at;

	*rec = (struct ipmon_record){ .size = size, .nr = nr,
		.in_len = size - RING_HEADER };
	memset(at + RING_HEADER, nr & 0xff, size - RING_HEADER);
	ring_publish(ring, p, size);
}

Test(ring, wraps_with_a_skip)
{
	struct ipmon_producer p = { 0 };
	struct ipmon_consumer c = { 0 };
	struct ipmon_record rec;
	uint64_t avail, seed = 5;
	unsigned char *at;

	for (int i = 0; i < 20000; i++) {
		uint32_t size = RING_HEADER + (uint32_t)(next_random(&seed) % 4000) * 8;

		at = ring_reserve(ring, cur, 2, &p, IPMON_RING_BYTES, size,
				  &avail);
		cr_assert(at && avail >= size);
		cr_assert(at >= ring->data &&
			  at + avail <= ring->data + IPMON_RING_BYTES);
		put(&p, at, size, (uint16_t)i);
		cr_assert_eq(ring_next(ring, &cur[1], &c, &rec), RING_RECORD);
		cr_assert_eq(rec.nr, (uint16_t)i);
		cr_assert_eq(rec.size, size);
		cr_assert_eq(ring_at(ring, c.tail)[RING_HEADER],
			     size > RING_HEADER ? i & 0xff :
			     ring_at(ring, c.tail)[RING_HEADER]);
		ring_consume(&cur[1], &c, rec.size);
		cr_assert_eq(ring_next(ring, &cur[1], &c, &rec), RING_EMPTY);
	}
	cr_assert_eq(c.tail, p.head);
}

Test(ring, never_in_front_of_the_slowest)
{
	struct ipmon_producer p = { 0 };
	struct ipmon_consumer c[3] = { 0 };
	struct ipmon_record rec;
	uint64_t avail, seed = 9, capacity = 100000 & ~7ull;
	unsigned char *at;

	for (int i = 0; i < 50000; i++) {
		uint32_t size = RING_HEADER + (uint32_t)(next_random(&seed) % 500) * 8;
		unsigned int v = 1 + (unsigned int)(next_random(&seed) % 2);

		at = ring_reserve(ring, cur, 6, &p, capacity, size, &avail);
		if (at) {
			put(&p, at, size, (uint16_t)i);
		} else {
			/* what it waits for is not there yet */
			uint64_t min = cur[1].tail < cur[2].tail ?
				cur[1].tail : cur[2].tail;

			cr_assert((int64_t)(avail - min) > 0);
			v = cur[1].tail < cur[2].tail ? 1 : 2;
		}
		cr_assert_leq(p.head - cur[1].tail, capacity);
		cr_assert_leq(p.head - cur[2].tail, capacity);
		if (ring_next(ring, &cur[v], &c[v], &rec) == RING_RECORD)
			ring_consume(&cur[v], &c[v], rec.size);
	}
	cr_assert_gt(p.head, 10 * IPMON_RING_BYTES);
}

Test(ring, hostile_cursors)
{
	struct ipmon_producer p = { 0 };
	uint64_t avail, seed = 77, used = 0;

	for (int i = 0; i < 100000; i++) {
		unsigned char *at;

		/* an honest one, and one that says anything */
		cur[2].tail = next_random(&seed) >> (next_random(&seed) % 64);
		at = ring_reserve(ring, cur, 6, &p, IPMON_RING_BYTES, 4096,
				  &avail);
		cr_assert_leq(p.limit - cur[1].tail, IPMON_RING_BYTES);
		if (at) {
			cr_assert(at >= ring->data && at + 4096 <=
				  ring->data + IPMON_RING_BYTES);
			put(&p, at, 4096, 1);
			used++;
		}
		cr_assert_leq(p.head - cur[1].tail, IPMON_RING_BYTES);
		if (i % 3 == 0)
			cur[1].tail = p.head;
	}
	cr_assert_gt(used, 100);
}

Test(ring, hostile_records)
{
	uint64_t seed = 4711;

	for (int i = 0; i < 100000; i++) {
		uint64_t off = (next_random(&seed) % IPMON_RING_BYTES) & ~7ull;
		struct ipmon_consumer c = { off, off };
		uint64_t *w = (void *)(ring->data + off);
		struct ipmon_record rec;
		enum ring_state st;

		if (i % 3 == 0)
			off = c.tail = c.head = IPMON_RING_BYTES -
				8 * (next_random(&seed) % 8 + 1);
		w = (void *)(ring->data + off);
		for (unsigned int k = 0; k < 3 && off + 8 * k <
		     IPMON_RING_BYTES; k++)
			w[k] = next_random(&seed) >> (next_random(&seed) % 64);
		if (i % 2)
			*(uint16_t *)(void *)((char *)w + 6) = 0;
		/* a first header that might be right, or a skip */
		if (i % 5 == 0)
			*(uint32_t *)(void *)w = (uint32_t)(IPMON_RING_BYTES -
							    off);
		ring->head = off + (next_random(&seed) % (i % 7 ? 3000 :
							  ~0ull));
		st = ring_next(ring, &cur[1], &c, &rec);
		if (st != RING_RECORD)
			continue;
		off = c.tail & RING_MASK;
		cr_assert_leq(off + rec.size, IPMON_RING_BYTES);
		cr_assert_leq(c.tail + rec.size, c.head);
		cr_assert_leq((uint64_t)RING_HEADER + rec.in_len + rec.out_len,
			      rec.size);
	}
}

/* ---- malformed streams ---- */

static int next_wait(void *ctx, struct ipmon_record *rec)
{
	struct ipmon_reader *r = ctx;
	enum ring_state st;

	while ((st = ring_next(r->ring, r->cur, r->c, rec)) == RING_EMPTY)
		sched_yield();
	return st == RING_RECORD ? 0 : -1;
}

static void consumed(void *ctx, unsigned int flags)
{
}

Test(ring, reader_stays_inside)
{
	uint64_t seed = 31337;

	for (int i = 0; i < 30000; i++) {
		struct ipmon_consumer c = { 0 };
		struct ipmon_reader r = {
			.ring = ring, .cur = &cur[1], .c = &c,
			.wait = next_wait, .consumed = consumed,
		};
		uint64_t *w = (void *)ring->data, x;
		unsigned int flags;
		const unsigned char *at;
		uint32_t n;

		r.ctx = &r;
		for (unsigned int k = 0; k < 64; k++)
			w[k] = next_random(&seed) >> (next_random(&seed) % 64);
		*(struct ipmon_record *)(void *)ring->data =
			(struct ipmon_record){ .size = 64 * 8,
			.in_len = (uint32_t)(next_random(&seed) % 300),
			.out_len = (uint32_t)(next_random(&seed) % 180) };
		ring->head = 64 * 8;
		if (ring_next(ring, &cur[1], &c, &r.rec) != RING_RECORD)
			continue;
		reader_begin(&r);
		for (int k = 0; k < 20; k++) {
			if (next_random(&seed) & 1) {
				reader_word(&r, &x);
			} else if (!reader_chunk(&r, next_random(&seed) % 400,
						 (int)(next_random(&seed) & 1),
						 &at, &n, &flags)) {
				cr_assert(at >= ring->data && at + n <=
					  ring->data + 64 * 8);
			}
			if (next_random(&seed) % 5 == 0)
				reader_outputs(&r);
		}
	}
}
