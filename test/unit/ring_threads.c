// SPDX-License-Identifier: Apache-2.0
/*
 * One producer, three consumers, random sizes, streamed calls, forwarded and
 * verified ones.  Threads stand in for processes, so that the thread sanitizer
 * sees both ends: meson setup -Db_sanitize=thread.  (A plain program, because
 * Criterion does not run under it.)
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ring.h"
#include "core/stream.h"

static struct ipmon_ring *ring;
static struct ipmon_cursor cur[IPMON_MAX_VARIANTS] __attribute__((aligned(64)));

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

#define CALLS 6000

static struct ipmon_producer prod;
static uint64_t mask;
static unsigned char *source;		/* 1 MiB of something */

static void yield_wait(void *ctx, uint64_t pos)
{
	sched_yield();
}

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

struct shape {
	unsigned int words, in, out;
	uint64_t at;
};

/* The same for everybody: call number i. */
static struct shape shape(unsigned int i)
{
	uint64_t seed = 88172645463325252ull ^ (uint64_t)i * 0x9e3779b97f4a7c15;
	uint64_t r = next_random(&seed);
	struct shape s = { .words = r % 8, .at = r >> 20 & 0xffff };

	s.in = r >> 8 & 1 ? (unsigned int)(next_random(&seed) % 300) : 0;
	s.out = r >> 9 & 1 ? (unsigned int)(next_random(&seed) % 5000) : 0;
	if (i % 200 == 17)
		s.in = (unsigned int)(next_random(&seed) % 900000);
	if (i % 300 == 18)
		s.out = (unsigned int)(next_random(&seed) % 900000);
	return s;
}

static void produce(uint64_t capacity)
{
	struct ipmon_writer w = {
		.ring = ring, .cur = cur, .mask = &mask, .p = &prod,
		.capacity = capacity, .wait = yield_wait,
	};

	for (unsigned int i = 0; i < CALLS; i++) {
		struct shape s = shape(i);

		w.rec = NULL;
		w.outputs = 0;
		w.nr = (uint16_t)(i % 400);
		for (unsigned int k = 0; k < s.words; k++)
			writer_word(&w, i * 1000ull + k);
		if (s.in)
			writer_span(&w, (uint64_t)(source + s.at), s.in);
		if (i % 3 == 0) {
			/* verified */
			if (!w.rec)
				writer_begin(&w, 0);
			writer_flush(&w, REC_INPUTS | REC_MORE, 0);
			while (ring_min_tail(prod.head, cur, mask) != prod.head)
				sched_yield();
		}
		if (i % 50 == 49) {
			writer_finish(&w, REC_FORWARD, 0);
			continue;
		}
		writer_outputs(&w);
		if (s.out)
			writer_span(&w, (uint64_t)(source + s.at), s.out);
		writer_finish(&w, 0, -(int64_t)i);
	}
}

static int take(struct ipmon_reader *r, uint64_t len, unsigned char *to)
{
	uint64_t done = 0;
	unsigned int flags;

	do {
		const unsigned char *at;
		uint32_t n;

		if (reader_chunk(r, len - done, 1, &at, &n, &flags))
			return -1;
		memcpy(to + done, at, n);
		done += n;
	} while (flags == CHUNK_MORE);
	return done == len ? 0 : -1;
}

/* The number of the call that went wrong + 1, or 0. */
static unsigned int consume_all(unsigned int v)
{
	static __thread unsigned char buf[1 << 20];
	struct ipmon_consumer c = { 0 };
	struct ipmon_reader r = {
		.ring = ring, .cur = &cur[v], .c = &c, .wait = next_wait,
		.consumed = consumed,
	};

	r.ctx = &r;
	for (unsigned int i = 0; i < CALLS; i++) {
		struct shape s = shape(i);
		int64_t ret;
		uint64_t x;

		if (next_wait(&r, &r.rec) || r.rec.nr != i % 400)
			return i + 1;
		if (v == 2 && i % 100 == 0)
			sched_yield();
		if (r.rec.flags & REC_FORWARD)
			goto forward;
		reader_begin(&r);
		for (unsigned int k = 0; k < s.words; k++)
			if (reader_word(&r, &x) || x != i * 1000ull + k)
				goto maybe;
		if (s.in && (take(&r, s.in, buf) ||
			     memcmp(buf, source + s.at, s.in)))
			goto maybe;
		if (reader_outputs(&r))
			goto maybe;
		if (s.out && (take(&r, s.out, buf) ||
			      memcmp(buf, source + s.at, s.out)))
			return i + 1;
		if (reader_finish(&r, &ret) || ret != -(int64_t)i)
			return i + 1;
		continue;
maybe:
		if (r.status != READER_FORWARD)
			return i + 1;
forward:
		if (i % 50 != 49)
			return i + 1;
		ring_consume(&cur[v], &c, r.rec.size);
	}
	return c.tail == ring->head ? 0 : CALLS + 1;
}

static void *consumer(void *p)
{
	return (void *)(uintptr_t)consume_all((unsigned int)(uintptr_t)p);
}

static int together(uint64_t capacity)
{
	pthread_t t[4];
	int bad = 0;

	memset(ring, 0, 4096);
	memset(cur, 0, sizeof(cur));
	prod = (struct ipmon_producer){ 0 };
	source = malloc(1 << 20);
	for (unsigned int i = 0; i < 1 << 20; i++)
		source[i] = (unsigned char)(i * 7 + (i >> 9));
	mask = 0xe;
	for (uintptr_t v = 1; v < 4; v++)
		if (pthread_create(&t[v], NULL, consumer, (void *)v))
			abort();
	produce(capacity);
	for (unsigned int v = 1; v < 4; v++) {
		void *r;

		pthread_join(t[v], &r);
		if (r)
			fprintf(stderr, "consumer %u: call %lu\n", v,
				(unsigned long)(uintptr_t)r - 1);
		bad |= r != NULL;
	}
	free(source);
	return bad;
}

int main(void)
{
	ring = aligned_alloc(4096, sizeof(*ring));
	if (!ring)
		return 1;
	/* room for the whole ring, and a short leash */
	return together(IPMON_RING_BYTES) | together(8192);
}

