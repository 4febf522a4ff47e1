/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls in the ring: see stream.h.
 */
#include "../arch/entry.h"
#include "stream.h"

/* A span begins a new record rather than fill less than this. */
#define WORTHWHILE 512u
/* Nor is any record begun in less: calls that may be private (decide.h) are told
 * by their first one, and fit into it. */
#define LEAST 256u

/* ---- writing ---- */

void writer_begin(struct ipmon_writer *w, uint32_t need)
{
	uint64_t avail;

	if (need < LEAST)
		need = LEAST;
	for (;;) {
		w->rec = ring_reserve(w->ring, w->cur, *w->mask, w->p,
				      w->capacity, RING_HEADER + need, &avail);
		if (w->rec)
			break;
		w->wait(w->ctx, avail);
	}
	w->cap = avail < RING_HEADER + IPMON_PIECE ? (uint32_t)avail & ~7u :
		RING_HEADER + IPMON_PIECE;
	w->pos = RING_HEADER;
	w->in_len = 0;
}

void writer_flush(struct ipmon_writer *w, unsigned int flags, int64_t ret)
{
	struct ipmon_record *rec = (void *)w->rec;

	if (!w->outputs)
		w->in_len = w->pos - RING_HEADER;
	rec->size = w->pos;
	rec->nr = w->nr;
	rec->flags = (uint16_t)(w->flags | flags | (w->p->turn ? REC_TURN : 0));
	rec->turn = w->p->turn;
	w->p->turn = 0;
	rec->ret = ret;
	rec->in_len = w->in_len;
	rec->out_len = w->pos - RING_HEADER - w->in_len;
	ring_publish(w->ring, w->p, w->pos);
	w->rec = NULL;
}

static void next_piece(struct ipmon_writer *w, uint32_t need)
{
	if (w->rec)
		writer_flush(w, w->outputs ? REC_MORE : REC_MORE | REC_INPUTS,
			     0);
	writer_begin(w, need);
}

unsigned char *writer_room_slow(struct ipmon_writer *w, uint32_t n)
{
	unsigned char *at;

	next_piece(w, n);
	at = w->rec + w->pos;
	w->pos += n;
	return at;
}

void writer_span(struct ipmon_writer *w, uint64_t addr, uint64_t len)
{
	unsigned int flags;
	uint32_t n, room;
	uint64_t want;

	do {
		want = 8 + ((len + 7) & ~7ull);
		room = w->rec ? w->cap - w->pos : 0;
		if (room < want && room < WORTHWHILE)
			next_piece(w, want < WORTHWHILE ? (uint32_t)want :
				   WORTHWHILE);
		room = w->cap - w->pos - 8;
		n = len < room ? (uint32_t)len : room & ~7u;
		flags = n < len ? CHUNK_MORE : 0;
		if (n) {
			size_t not = ipmon_copy(w->rec + w->pos + 8,
						(const void *)(uintptr_t)addr, n);

			if (not) {
				n -= (uint32_t)not;
				flags = CHUNK_FAULT;
			}
		}
		*(uint64_t *)(void *)(w->rec + w->pos) = n |
			(uint64_t)flags << 32;
		w->pos += 8 + ring_align(n);
		addr += n;
		len -= n;
	} while (flags == CHUNK_MORE);
}

void writer_finish(struct ipmon_writer *w, unsigned int flags, int64_t ret)
{
	if (flags & REC_FORWARD)
		w->rec = NULL;
	if (!w->rec)
		writer_begin(w, 0);
	if (flags & REC_FORWARD)
		w->outputs = 0;
	writer_flush(w, flags, ret);
}

/* ---- reading ---- */

/* Consume the present record and fetch the next one of the same call. */
static int advance(struct ipmon_reader *r)
{
	unsigned int flags = r->rec.flags, nr = r->rec.nr;

	if (!(flags & REC_MORE)) {
		r->status = READER_BAD;
		return -1;
	}
	ring_consume(r->cur, r->c, r->rec.size);
	r->consumed(r->ctx, flags);
	if (r->wait(r->ctx, &r->rec) || r->rec.nr != nr) {
		r->status = READER_BAD;
		return -1;
	}
	if (r->rec.flags & REC_FORWARD) {
		r->status = READER_FORWARD;
		return -1;
	}
	return 0;
}

const unsigned char *reader_bytes_slow(struct ipmon_reader *r, uint32_t n)
{
	int inputs = r->rec.flags & REC_INPUTS;

	if (r->status != READER_OK)
		return NULL;
	if (r->pos != r->end) {
		r->status = READER_BAD;
		return NULL;
	}
	if (advance(r))
		return NULL;
	r->pos = RING_HEADER;
	r->end = RING_HEADER + (inputs ? r->rec.in_len : r->rec.out_len);
	if ((!inputs && r->rec.in_len) || n > r->end - r->pos) {
		r->status = READER_BAD;
		return NULL;
	}
	r->pos += n;
	return ring_at(r->ring, r->c->tail) + RING_HEADER;
}

int reader_chunk(struct ipmon_reader *r, uint64_t left, int whole,
		 const unsigned char **at, uint32_t *n, unsigned int *flags)
{
	uint64_t head;

	if (reader_word(r, &head))
		return -1;
	*n = (uint32_t)head;
	*flags = (unsigned int)(head >> 32);
	if (*n > left || *n > r->end - r->pos || *flags > CHUNK_FAULT ||
	    (*flags == CHUNK_MORE && (!*n || *n == left)) ||
	    (whole && !*flags && *n != left)) {
		r->status = READER_BAD;
		return -1;
	}
	*at = reader_bytes(r, ring_align(*n));
	return *at ? 0 : -1;
}

int reader_outputs(struct ipmon_reader *r)
{
	if (r->pos != r->end) {
		r->status = READER_BAD;
		return -1;
	}
	if (r->rec.flags & REC_INPUTS) {
		if (advance(r))
			return -1;
		if (r->rec.in_len) {
			r->status = READER_BAD;
			return -1;
		}
		r->pos = RING_HEADER;
	} else {
		r->pos = RING_HEADER + ring_align(r->rec.in_len);
	}
	r->end = r->pos + r->rec.out_len;
	return 0;
}

int reader_finish(struct ipmon_reader *r, int64_t *ret)
{
	while (r->rec.flags & REC_MORE) {
		if (r->pos != r->end) {
			r->status = READER_BAD;
			return -1;
		}
		if (advance(r))
			return -1;
		r->pos = RING_HEADER + ring_align(r->rec.in_len);
		r->end = r->pos + r->rec.out_len;
	}
	if (r->pos != r->end) {
		r->status = READER_BAD;
		return -1;
	}
	*ret = r->rec.ret;
	ring_consume(r->cur, r->c, r->rec.size);
	r->consumed(r->ctx, r->rec.flags);
	return 0;
}

int reader_skip(struct ipmon_reader *r)
{
	while (r->rec.flags & REC_MORE)
		if (advance(r) && r->status == READER_BAD)
			return -1;
	ring_consume(r->cur, r->c, r->rec.size);
	r->consumed(r->ctx, r->rec.flags);
	return 0;
}
