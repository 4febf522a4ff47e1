/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outputs that wait for the followers while the leader runs on: see hold.c.
 */
#ifndef IPMON_HOLD_H
#define IPMON_HOLD_H

#include "broker.h"

#define HOLD_MAX	65536u	/* bytes of one output */
#define HOLD_IOVS	64u

/* An output being held: lives on the caller's stack between begin and commit. */
struct hold_output {
	struct ipmon_frame frame;	/* the call, its data in the hold */
	int64_t ret;			/* what the program is told */
	uint64_t offset, offset_at;	/* of sendfile: new value, where */
	uint32_t more;
	uint64_t msg[7];		/* struct msghdr */
	uint64_t iov[HOLD_IOVS][2];
};

/* May a call of this number be held, as an output? */
static inline int hold_kind(uint64_t nr)
{
	/* write, writev, sendfile, sendto, sendmsg */
	return nr == 1 || nr == 20 || nr == 40 || nr == 44 || nr == 46;
}

static inline int hold_reads(uint64_t nr)
{
	/* read, readv, recvfrom, recvmsg */
	return nr == 0 || nr == 19 || nr == 45 || nr == 47;
}

static inline int hold_any(const struct ipmon_ctx *ctx)
{
	return ctx->hold &&
		((const struct ipmon_hold *)(uintptr_t)ctx->hold)->n;
}

/* 1: the output has been copied; its record is to be written from o->frame, then
 * hold_taken() before the outputs, hold_commit() when it is published. */
int hold_begin(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
	       struct hold_output *o);
void hold_taken(const struct hold_output *o);
void hold_commit(struct ipmon_ctx *ctx);

/* Another call comes: what it changes is no longer known of its descriptor.  1: it is
 * to be told again when the call has been made.  hold_fds.c */
int hold_forget(struct ipmon_ctx *ctx, uint64_t nr, const uint64_t args[6]);
/* Another call comes, something is held: it is sent if that must be. */
void hold_before(struct ipmon_ctx *ctx, const struct ipmon_plan *plan,
		 uint64_t nr, const uint64_t args[6]);
/* A call that takes something in, something is held: tried without blocking.  1:
 * *ret is the answer; 0: it is to be made as it is. */
int hold_try(struct ipmon_ctx *ctx, const struct ipmon_call *call, int64_t *ret);
/* The leader is about to sleep, as it does between one piece of work and another. */
void hold_turn_over(struct ipmon_ctx *ctx);
/* Wait for the followers, send everything. */
void hold_drain(struct ipmon_ctx *ctx) HIDDEN;

/* Can others tell whether this option of a socket is set?  hold_opt.c */
int hold_option_waits(const uint64_t args[6]);

/* ---- hold_end.c: the ends of connections ---- */

static inline int hold_ends(const struct ipmon_ctx *ctx)
{
	return ctx->hold &&
		((const struct ipmon_hold *)(uintptr_t)ctx->hold)->ends;
}

enum hold_end {
	END_UNSEEN,	/* nobody but the program: nobody need be asked */
	END_WAITS,	/* to be made when all have asked for it */
	END_HELD,	/* has been made, as far as the program can see: its
			 * record is to be written, then hold_commit() */
};
/* A call that is no output, or one that could not be held. */
enum hold_end hold_end(struct ipmon_ctx *ctx, uint64_t nr,
		       const uint64_t args[6]);
/* Can others see that this descriptor is closed?  (Not asked: whether a file that
 * is only read is locked.) */
int hold_close_waits(uint64_t fd);

/* Something ends (hold_ends()); the program's call has been made, and returned
 * this: what it is to return. */
int64_t hold_fd_result(struct ipmon_ctx *ctx, const struct ipmon_call *call,
		       int64_t ret);
/* ... an epoll registration is to be made, has been made in this slot. */
void hold_register(struct ipmon_ctx *ctx, int slot);
void hold_registered(struct ipmon_ctx *ctx, int slot);
/* ... an event has been reported.  *events: what it tells the program. */
enum hold_event { EVENT_KEPT, EVENT_CHANGED, EVENT_GONE };
enum hold_event hold_event(const struct ipmon_ctx *ctx, uint64_t tag,
			   uint32_t *events);

#endif
