/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replication ring, the less frequent part: see ring.h.
 */
#include <stddef.h>

#include "ring.h"

uint64_t ring_min_tail(uint64_t head, const struct ipmon_cursor *cur,
		       uint64_t mask)
{
	uint64_t lag, most = 0;
	unsigned int v;

	for (v = 0; v < IPMON_MAX_VARIANTS; v++) {
		if (!(mask >> v & 1))
			continue;
		/* acquire: the follower has read what we will overwrite */
		lag = head - __atomic_load_n(&cur[v].tail, __ATOMIC_ACQUIRE);
		/* in front of us, or further behind than possible: not true */
		if (lag > IPMON_RING_BYTES)
			lag = IPMON_RING_BYTES;
		if (lag > most)
			most = lag;
	}
	return head - most;
}

static void put_header(unsigned char *at, uint32_t size, uint16_t nr,
		       uint16_t flags)
{
	uint64_t *w = (void *)at;

	__atomic_store_n(w, size | (uint64_t)nr << 32 | (uint64_t)flags << 48,
			 __ATOMIC_RELAXED);
}

unsigned char *ring_reserve_slow(struct ipmon_ring *r,
				 const struct ipmon_cursor *cur, uint64_t mask,
				 struct ipmon_producer *p, uint64_t capacity,
				 uint32_t need, uint64_t *avail)
{
	uint64_t min, off, end;

	for (;;) {
		off = p->head & RING_MASK;
		end = IPMON_RING_BYTES - off;
		min = ring_min_tail(p->head, cur, mask);
		/* never backwards: a hostile cursor may have gone back, and what
		 * has been promised already may be in use */
		if ((int64_t)(min + capacity - p->limit) > 0)
			p->limit = min + capacity;
		if (need <= end) {
			if (need <= p->limit - p->head)
				break;
			*avail = p->head + need - capacity;
			return NULL;
		}
		/* skip what is left of the buffer */
		if (end > p->limit - p->head) {
			*avail = p->head + end - capacity;
			return NULL;
		}
		put_header(r->data + off, (uint32_t)end, 0, REC_SKIP);
		ring_publish(r, p, (uint32_t)end);
	}
	end = IPMON_RING_BYTES - off;
	*avail = p->limit - p->head < end ? p->limit - p->head : end;
	return r->data + off;
}

enum ring_state ring_next_slow(const struct ipmon_ring *r,
			       struct ipmon_cursor *cur,
			       struct ipmon_consumer *c,
			       struct ipmon_record *rec)
{
	uint64_t off, left;

	for (;;) {
		if (c->tail == c->head) {
			/* acquire: records are read after it */
			c->head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
			if (c->tail == c->head)
				return RING_EMPTY;
			if (c->head - c->tail > IPMON_RING_BYTES)
				return RING_BAD;
		}
		off = c->tail & RING_MASK;
		left = c->head - c->tail;
		/* both are multiples of 8, so the first word is there */
		if (left & 7)
			return RING_BAD;
		if (left < RING_HEADER || off > IPMON_RING_BYTES - RING_HEADER) {
			uint64_t v = __atomic_load_n(
				(const uint64_t *)(const void *)(r->data + off),
				__ATOMIC_RELAXED);

			rec->size = (uint32_t)v;
			rec->flags = (uint16_t)(v >> 48);
			rec->in_len = rec->out_len = 0;
			if (!(rec->flags & REC_SKIP))
				return RING_BAD;
		} else {
			ring_header(r->data + off, rec);
		}
		if (!(rec->flags & REC_SKIP))
			return ring_record_ok(rec, left, off) ? RING_RECORD :
				RING_BAD;
		/* a skip reaches to the end of the buffer and no further */
		if (rec->size != IPMON_RING_BYTES - off || rec->size > left)
			return RING_BAD;
		ring_consume(cur, c, rec->size);
	}
}
