/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a record: a call's inputs and outputs as a stream of words.
 *
 * Theory of operation
 * -------------------
 * Everything is a multiple of 8 bytes.  A call's inputs come in one of two
 * forms.  With REC_LANE, for calls of a simple shape (decide.h):
 *
 *	one word per argument, the bits that are compared
 *	one word, bit i: argument i is not null	  (neither if there are none)
 *	clocks: one word, how deep the stack is; epoll_ctl: one, the events
 *	for each path that is not null: a word, its length (~0: unreadable),
 *		and the string in chunks
 *	the input span, if there is one, in chunks
 *
 * Otherwise the items of the walk (items.h), in its order, then an end mark:
 *
 *	one word: type, argument, rule, 0 in a byte each, length in the upper half
 *	IT_SCALAR: the value	IT_IN, IT_STR: the span in chunks
 *
 * A clock that was read without a system call has a shorter form: clock.h.
 *
 * Outputs follow, one span in chunks per output item (or of the lane).
 *
 * A chunk is a word (bytes in the lower half, flags in the upper) and the
 * bytes, padded.  CHUNK_MORE: the span goes on in another chunk.  CHUNK_FAULT:
 * it could not be read any further.  A word, and a chunk, never crosses a record.
 *
 * Longer calls are streamed: when a record is full it is published with
 * REC_MORE (and REC_INPUTS while inputs are written) and the next is begun.
 * The end of the inputs is visible in them, so a reader never asks for the
 * record behind the last input, and by consuming it says that all were equal.
 *
 * Pure code: waiting is the caller's.
 */
#ifndef IPMON_CORE_STREAM_H
#define IPMON_CORE_STREAM_H

#include <stddef.h>

#include "ring.h"

#define STREAM_END	0xffu	/* item type of the end mark */

#define CHUNK_MORE	1u
#define CHUNK_FAULT	2u

static inline uint64_t stream_item(unsigned int type, unsigned int arg,
				   unsigned int rule, uint32_t len)
{
	return type | arg << 8 | rule << 16 | (uint64_t)len << 32;
}

/* ---- writing ---- */

struct ipmon_writer {
	struct ipmon_ring *ring;
	const struct ipmon_cursor *cur;
	const uint64_t *mask;		/* live followers; may shrink */
	struct ipmon_producer *p;
	uint64_t capacity;
	/* Called until there is room: returns when it is worth trying again,
	 * at best when all tails have reached pos. */
	void (*wait)(void *ctx, uint64_t pos);
	void *ctx;
	unsigned char *rec;		/* the record being written, or NULL */
	uint32_t pos, cap;		/* bytes written, bytes that can be */
	uint32_t in_len;		/* of this record, once outputs began */
	uint16_t nr;
	uint16_t flags;			/* REC_LANE or 0 */
	int outputs;
};

/* A record with room for `need` bytes (multiple of 8, at most IPMON_PIECE). */
void writer_begin(struct ipmon_writer *w, uint32_t need);
/* Publish the record being written with these additional flags. */
void writer_flush(struct ipmon_writer *w, unsigned int flags, int64_t ret);
/* n bytes (multiple of 8, small) in a record. */
unsigned char *writer_room_slow(struct ipmon_writer *w, uint32_t n);

static inline unsigned char *writer_room(struct ipmon_writer *w, uint32_t n)
{
	unsigned char *at;

	if (!w->rec || n > w->cap - w->pos)
		return writer_room_slow(w, n);
	at = w->rec + w->pos;
	w->pos += n;
	return at;
}

static inline void writer_word(struct ipmon_writer *w, uint64_t v)
{
	*(uint64_t *)(void *)writer_room(w, 8) = v;
}

/* A span of the program's memory, in chunks. */
void writer_span(struct ipmon_writer *w, uint64_t addr, uint64_t len);

/* From here on outputs. */
static inline void writer_outputs(struct ipmon_writer *w)
{
	w->in_len = w->rec ? w->pos - RING_HEADER : 0;
	w->outputs = 1;
}

/* The last record of the call; REC_FORWARD: what has been written but not
 * published is dropped. */
void writer_finish(struct ipmon_writer *w, unsigned int flags, int64_t ret);

/* ---- reading ---- */

enum reader_status {
	READER_OK,
	READER_FORWARD,		/* the leader left the call to monitord */
	READER_BAD,		/* no well-formed continuation */
};

struct ipmon_reader {
	const struct ipmon_ring *ring;
	struct ipmon_cursor *cur;
	struct ipmon_consumer *c;
	/* Wait for the next record: 0, or -1 if none can be had. */
	int (*wait)(void *ctx, struct ipmon_record *rec);
	/* A record has been consumed, which had these flags. */
	void (*consumed)(void *ctx, unsigned int flags);
	void *ctx;
	struct ipmon_record rec;	/* the present record's header */
	uint32_t pos, end;		/* in the present part of it */
	enum reader_status status;	/* why a function returned NULL, -1 */
};

/* rec has been filled in with the first record of the call. */
static inline void reader_begin(struct ipmon_reader *r)
{
	r->pos = RING_HEADER;
	r->end = RING_HEADER + r->rec.in_len;
	r->status = READER_OK;
}

/* n bytes (multiple of 8) of the present part; NULL: see status. */
const unsigned char *reader_bytes_slow(struct ipmon_reader *r, uint32_t n);

static inline const unsigned char *reader_bytes(struct ipmon_reader *r,
						uint32_t n)
{
	const unsigned char *at;

	if (n > r->end - r->pos)
		return reader_bytes_slow(r, n);
	at = ring_at(r->ring, r->c->tail) + r->pos;
	r->pos += n;
	return at;
}

static inline int reader_word(struct ipmon_reader *r, uint64_t *v)
{
	const unsigned char *at = reader_bytes(r, 8);

	if (!at)
		return -1;
	*v = __atomic_load_n((const uint64_t *)(const void *)at,
			     __ATOMIC_RELAXED);
	return 0;
}

/*
 * The next chunk of a span of which `left` bytes are outstanding: 0, or -1 (see
 * status).  *n is at most `left`; a chunk without CHUNK_MORE or CHUNK_FAULT
 * that is not `left` long is malformed if `whole`.
 */
int reader_chunk(struct ipmon_reader *r, uint64_t left, int whole,
		 const unsigned char **at, uint32_t *n, unsigned int *flags);

/* All inputs have been compared: on to the outputs. 0, or -1. */
int reader_outputs(struct ipmon_reader *r);
/* All outputs have been taken: 0 and the result, or -1. */
int reader_finish(struct ipmon_reader *r, int64_t *ret);
/* Consume the whole call, unread. 0, or -1. */
int reader_skip(struct ipmon_reader *r);

#endif
