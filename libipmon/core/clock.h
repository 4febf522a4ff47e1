/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a record says of a clock, and the short form of such a record.
 *
 * Theory of operation
 * -------------------
 * Clocks are read more often than anything else, by some programs between any two
 * other calls, and natively that takes no system call.  What matters then is how
 * much memory goes from one processor to another, so a reading fits into the header
 * of a record (REC_CLOCK, with REC_LANE), two of them into a cache line:
 *
 *	ret	seconds
 *	turn	bits 0-29: nanoseconds, or microseconds, as the call counts them
 *		30-33: the first argument's word	34-35: the word of nulls
 *		36-63: how deep the stack is, signed
 *
 * (words: stream.h).  The result is 0, that of time() the seconds.  Whatever does
 * not fit, an error or a turn to be told, takes the usual form.
 *
 * Pure code.
 */
#ifndef IPMON_CORE_CLOCK_H
#define IPMON_CORE_CLOCK_H

#include "decide.h"
#include "ring.h"

/* What a call that reads a clock has asked for, and what it was told. */
struct clock_reading {
	uint64_t word;		/* the first argument, as compared */
	uint64_t nulls;		/* bit i: argument i is not null */
	uint64_t depth;		/* of the stack: clock_deeper() */
	uint64_t time[2];	/* as the call fills it in; if told */
	int told;
	int64_t ret;
};

static inline int clock_is_short(const struct ipmon_record *rec)
{
	return (rec->flags & REC_CLOCK) != 0;
}

/* The short form; no call's word is above 15, no time's part needs more than 30
 * bits, no clock's call has more than two arguments. */
static inline void clock_pack(struct ipmon_record *rec, uint64_t word,
			      uint64_t nulls, uint64_t depth, int64_t sec,
			      uint64_t part)
{
	int64_t d = (int64_t)depth;

	/* as good as any that says nothing */
	if (d > CLOCK_SAME_STACK || d < -CLOCK_SAME_STACK)
		d = 2 * CLOCK_SAME_STACK;
	rec->ret = sec;
	rec->turn = part | word << 30 | nulls << 34 | (uint64_t)d << 36;
	rec->in_len = rec->out_len = 0;
}

/*
 * What a record of a call with this plan says, `at` is where it lies.  0, or -1: it
 * does not tell a clock.
 */
static inline int clock_unpack(const struct ipmon_plan *plan,
			       const struct ipmon_record *rec,
			       const unsigned char *at, struct clock_reading *c)
{
	const uint64_t *w = (const void *)(at + RING_HEADER);
	unsigned int n = lane_words(plan);
	uint32_t len = plan->len_fixed;

	if (!(plan->flags & PLAN_CLOCK) || len > sizeof(c->time))
		return -1;
	if (rec->flags == (REC_LANE | REC_CLOCK)) {
		c->word = rec->turn >> 30 & 15;
		c->nulls = rec->turn >> 34 & 3;
		c->depth = (uint64_t)((int64_t)rec->turn >> 36);
		c->time[0] = (uint64_t)rec->ret;
		c->time[1] = rec->turn & ((1u << 30) - 1);
		c->told = 1;
		c->ret = plan->nargs == 1 ? rec->ret : 0;
		return rec->size == RING_HEADER ? 0 : -1;
	}
	if ((rec->flags & ~REC_TURN) != REC_LANE || !n ||
	    rec->in_len != 8 * (n + 1) ||
	    (rec->out_len && rec->out_len != 8 + len))
		return -1;
	c->word = __atomic_load_n(&w[0], __ATOMIC_RELAXED);
	c->nulls = __atomic_load_n(&w[n - 1], __ATOMIC_RELAXED);
	c->depth = __atomic_load_n(&w[n], __ATOMIC_RELAXED);
	c->ret = rec->ret;
	c->time[0] = c->time[1] = 0;
	/* time(), whose result is all */
	c->told = rec->out_len || plan->nargs == 1;
	if (rec->out_len) {
		if (__atomic_load_n(&w[n + 1], __ATOMIC_RELAXED) != len)
			return -1;
		c->time[0] = __atomic_load_n(&w[n + 2], __ATOMIC_RELAXED);
		if (len > 8)
			c->time[1] = __atomic_load_n(&w[n + 3],
						     __ATOMIC_RELAXED);
	} else if (c->told) {
		c->time[0] = (uint64_t)rec->ret;
	}
	return 0;
}

#endif
