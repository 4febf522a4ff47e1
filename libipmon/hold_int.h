/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between hold.c (outputs) and hold_end.c (closes, shutdowns).
 */
#ifndef IPMON_HOLD_INT_H
#define IPMON_HOLD_INT_H

#include "hold.h"

#define TCP_ESTABLISHED_ 1
#define TCP_CLOSE_WAIT_	8

static inline int64_t gate(uint64_t nr, uint64_t a, uint64_t b, uint64_t c,
			   uint64_t d, uint64_t e)
{
	const struct ipmon_call call = { nr, { a, b, c, d, e, 0 } };

	return ipmon_gate_raw(&call);
}

static inline uint64_t ptr(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static inline struct ipmon_hold *hold_of(const struct ipmon_ctx *ctx)
{
	return (void *)(uintptr_t)ctx->hold;
}

static inline int hold_is_end(const struct ipmon_hold_op *op)
{
	return op->kind == HOLD_SHUTDOWN || op->kind == HOLD_CLOSE;
}

/* ---- hold.c ---- */

/* Room for one more operation, made if need be. */
void hold_make_room(struct ipmon_ctx *ctx, struct ipmon_hold *h);
/* Something is held from now on; it is not to be sent before the record it
 * belongs to is known. */
void hold_begun(struct ipmon_ctx *ctx, struct ipmon_hold *h);
/* State of a TCP connection, of the kernel's TCP_*; 0: it is none. */
unsigned int hold_tcp_state(struct ipmon_hold *h, uint64_t fd);

/* ---- hold_fds.c ---- */

/* What was found of a descriptor (h->roomy, h->at_once): is it so?  It is. */
int hold_known(const uint64_t *bits, uint64_t reg);
void hold_note(uint64_t *bits, uint64_t reg, int is);

/* ---- hold_opt.c ---- */

/* Does this setsockopt make what was written leave? */
int hold_pushes(const uint64_t args[6]);
/* hold_begin() for it. */
int hold_option(struct ipmon_ctx *ctx, struct ipmon_hold *h,
		struct hold_output *o);

/* ---- hold_end.c ---- */

/* Something ends: may this call be made before? */
int hold_end_passes(const struct ipmon_hold *h, const struct ipmon_plan *plan,
		    uint64_t nr, const uint64_t args[6]);
/* May what is held, once it is sent, arrive at this socket of ours? */
int hold_reaches(struct ipmon_hold *h, uint64_t fd);

#endif
