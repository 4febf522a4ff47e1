// SPDX-License-Identifier: Apache-2.0
/*
 * The leader reads a clock.
 *
 * Theory of operation
 * -------------------
 * The vDSO tells most clocks without a system call, to the leader; what it said goes
 * to the followers in a record of a header's size (core/clock.h), or, if it must say
 * as well whose turn it was meanwhile, in one of the usual form.  Clocks the vDSO
 * does not know, and calls that fail, are calls like others (leader.c).
 */
#include "core/clock.h"

#include "leader.h"

#define NR_GETTIMEOFDAY	96
#define NR_TIME		201
#define NR_CLOCK_GETTIME 228

/* REALTIME MONOTONIC REALTIME_COARSE MONOTONIC_COARSE BOOTTIME TAI */
#define VDSO_CLOCKS	(1u << 0 | 1u << 1 | 1u << 5 | 1u << 6 | 1u << 7 | \
			 1u << 11)
#define CLOCK_REALTIME_	0
#define CLOCK_REALTIME_COARSE_ 5

/* See CLOCK_FREEZE_NS. */
static void freeze(struct ipmon_ctx *ctx, int32_t id, struct ipmon_time *t)
{
	struct ipmon_time *told = &ctx->clock[id];
	int64_t sec = t->sec - told->sec;

	if (ctx->clocks >> id & 1 && sec >= 0 && sec <= 1) {
		int64_t ns = sec * 1000000000 + t->nsec - told->nsec;

		if (ns >= 0 && ns < CLOCK_FREEZE_NS) {
			*t = *told;
			return;
		}
	}
	*told = *t;
	ctx->clocks |= 1u << id;
}

/*
 * The time, from the vDSO, as this call returns it.  0, or -1: ask the kernel.
 * A signal that waits would not be noticed here.
 */
static int read_clock(struct ipmon_ctx *ctx, uint64_t nr,
		      const struct ipmon_call *call, struct ipmon_time *t)
{
	int apart = clock_frozen(ctx);
	typedef int (*clock_fn)(int32_t id, struct ipmon_time *t);
	clock_fn fn = (clock_fn)(uintptr_t)ctx->time;
	int32_t id = (int32_t)call->args[0];

	if (nr == NR_GETTIMEOFDAY)	/* the time zone is the kernel's */
		id = call->args[1] ? -1 : CLOCK_REALTIME_;
	else if (nr == NR_TIME)
		id = CLOCK_REALTIME_COARSE_;
	else if (nr != NR_CLOCK_GETTIME)
		id = -1;
	/* the vDSO has these; others are system calls for it as well */
	if (ctx->pending || (uint32_t)id >= IPMON_CLOCKS ||
	    !(1u << id & VDSO_CLOCKS))
		return -1;
	if (!fn || fn(id, t)) {
		const struct ipmon_call get = {
			NR_CLOCK_GETTIME, { (uint64_t)id, (uint64_t)(uintptr_t)t }
		};

		if (!apart || ipmon_gate_call(&get))
			return -1;
	}
	if (apart)
		freeze(ctx, id, t);
	if (nr == NR_GETTIMEOFDAY)
		t->nsec /= 1000;
	return 0;
}

static void tell_short(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		       const struct ipmon_plan *plan, uint64_t nr,
		       const struct ipmon_time *t)
{
	struct ipmon_record *rec = (void *)small_record(ctx, RING_HEADER);

	rec->size = RING_HEADER;
	rec->nr = (uint16_t)nr;
	rec->flags = REC_LANE | REC_CLOCK;
	clock_pack(rec, f->args[0] & plan->mask[0], lane_nulls(plan, f->args),
		   clock_frozen(ctx) ? CLOCK_NO_DEPTH : clock_depth(ctx),
		   t->sec, (uint64_t)t->nsec);
	ring_publish(ctx_ring(ctx), &ctx->p, RING_HEADER);
	published(ctx);
}

static void tell(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		 const struct ipmon_plan *plan, uint64_t nr,
		 const struct ipmon_time *t, int64_t ret)
{
	uint32_t len = plan->len_fixed, in = words_len(plan);
	uint32_t out = f->args[plan->mem] ? 8 + len : 0;
	unsigned char *rec = small_record(ctx, RING_HEADER + in + out);
	uint64_t *at = (void *)(rec + RING_HEADER + in);

	put_words(ctx, rec + RING_HEADER, plan, f->args);
	if (out) {
		at[0] = len;
		at[1] = (uint64_t)t->sec;
		if (len > 8)
			at[2] = (uint64_t)t->nsec;
	}
	small_header(ctx, rec, RING_HEADER + in + out, nr, REC_LANE, ret, in,
		     out);
}

int leader_clock(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		 const struct ipmon_plan *plan, uint64_t nr, int64_t *ret)
{
	uint64_t addr = f->args[plan->mem];
	uint32_t len = plan->len_fixed;
	struct ipmon_time t;

	/* time() is mostly asked for its result */
	if ((!addr && nr != NR_TIME) || len > sizeof(t) ||
	    read_clock(ctx, nr, &f->call, &t) ||
	    (addr && mem_put(addr, &t, len)))
		return 0;
	*ret = nr == NR_TIME ? t.sec : 0;
	if (!ctx->followers)
		return 1;
	if (!ctx->p.turn)
		tell_short(ctx, f, plan, nr, &t);
	else
		tell(ctx, f, plan, nr, &t, *ret);
	return 1;
}
