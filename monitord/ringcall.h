/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls in a replication ring as text for people.
 *
 * Reports show what the leader asked for and got, which lies in the ring in
 * the form of libipmon/core/stream.h.  A record is copied once and everything
 * is taken from the copy: the leader may have been taken over and may write
 * into the ring while it is read.  No length in it is believed.  Nothing here
 * decides anything.
 *
 * Pure but for reading the ring: unit tests and a fuzzer run it.
 */
#ifndef MONITORD_RINGCALL_H
#define MONITORD_RINGCALL_H

#include <stdbool.h>
#include <ipmon/abi.h>
#include <ipmon/items.h>
#include "text.h"

#define RINGCALL_PARTS	40	/* pieces of memory shown of one call */

struct ring_part {
	uint8_t type;		/* IT_SCALAR, IT_IN, IT_STR, IT_OUT, IT_FAULT */
	uint8_t arg;		/* 0..5 */
	bool cut;		/* it goes on in another record */
	uint32_t len;		/* of the span, or capacity */
	uint64_t value;		/* IT_SCALAR */
	uint32_t at, have;	/* bytes of it in the copy */
};

struct ring_call {
	uint64_t pos;		/* where the record is */
	uint32_t size;		/* all of it: pos + size is the next one's */
	uint16_t nr;
	uint16_t flags;		/* REC_* */
	int64_t ret;
	bool done;		/* ret is valid */
	bool continued;		/* not the first record of its call: inputs
				 * are missing */
	bool malformed;		/* what is there has been decoded up to here */
	uint64_t arg[6];	/* as far as known */
	uint8_t known;		/* bit per argument whose value is known */
	uint8_t null_known;	/* ... of which only this is known */
	uint8_t not_null;
	unsigned int n;
	struct ring_part part[RINGCALL_PARTS];
	const unsigned char *copy;
};

/* A buffer for the copy of any record. */
#define RINGCALL_COPY	IPMON_RING_BYTES

/*
 * The first record from `pos` on (skips are passed over) that ends at `head` at
 * the latest.  0, 1 when there is none, -1 when there is something that is no
 * record.  `continued`: the caller knows that the one before had REC_MORE.
 * c->copy is `copy`, RINGCALL_COPY bytes.
 */
int ring_call_read(const struct ipmon_ring *r, uint64_t pos, uint64_t head,
		   bool continued, struct ring_call *c, unsigned char *copy);

/* The argument as text, "?" when the record does not have it. */
void ring_call_arg(struct text *t, const struct ring_call *c, unsigned int i);
/* Does the record say anything about it? */
bool ring_call_has_arg(const struct ring_call *c, unsigned int i);
/* name(args) = result */
void ring_call_text(struct text *t, const struct ring_call *c);
/* Can others see what this call did, by the class of its row? */
bool ring_call_visible(const struct ring_call *c);

/*
 * Where the oldest record that is still whole and leads to `tail` begins: the
 * last time the buffer was begun anew, if that has not been overwritten since;
 * else `tail` itself.
 */
uint64_t ring_oldest(uint64_t tail, uint64_t head);

#endif
