// SPDX-License-Identifier: Apache-2.0
/*
 * Instructions whose result must be the same in all variants: the time stamp counter,
 * the processor's random numbers.
 *
 * Theory of operation
 * -------------------
 * monitord has put a jump to a stub in their place, which comes here
 * (monitord/sites_own.c, ipmon_insn in arch/entry.S).  To the variants they are calls
 * like others, without arguments, common to all: the leader reads the counter, or
 * draws a number, followers take it from its record, of a header's size.
 *
 * What is not done here ends at a ud2 in the stub, in every variant: monitord
 * emulates it then, and it is the place where it delivers signals.  The leader says
 * so in a record (REC_FORWARD), which it writes in place of the value.
 *
 * An instruction of a loop that waits for what another thread does (monitord/spin.c)
 * has no value: what is done here is to let the others have the turn, if anybody wants
 * it, and it is the next one's then, whatever has been done with it so far.  A loop goes
 * round fast: every VISITS-th visit is such a call, and all variants count alike.
 */
#include "hold.h"
#include "leader.h"
#include "turn.h"

#define NR_GETRANDOM	318
#define VISITS		64u	/* a power of two */

static struct ipmon_outcome forward(struct ipmon_ctx *ctx, uint64_t nr)
{
	ctx->n_forwarded++;
	ctx->turn_since = 0;
	hold_drain(ctx);
	if (ctx->followers)
		small_header(ctx, small_record(ctx, RING_HEADER), RING_HEADER,
			     nr, REC_FORWARD, 0, 0, 0);
	return left();
}

static int read_counter(const struct ipmon_ctx *ctx, uint64_t *value)
{
	uint32_t low, high;

	/* then the kernel traps it */
	if (!ctx->time)
		return -1;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	*value = (uint64_t)high << 32 | low;
	return 0;
}

/* The kernel's are as good, and cannot fail for want of entropy. */
static int draw(const struct ipmon_ctx *ctx, uint64_t *value)
{
	const struct ipmon_call call = {
		NR_GETRANDOM, { (uint64_t)(uintptr_t)value, sizeof(*value) }
	};

	/* the user may have left it to monitord: the filter knows */
	if (ipmon_decide(ctx, ipmon_plan(NR_GETRANDOM), NR_GETRANDOM,
			 call.args) != DECIDE_RELAXED)
		return -1;
	return ipmon_gate_raw(&call) == sizeof(*value) ? 0 : -1;
}

static struct ipmon_outcome leader_instruction(struct ipmon_ctx *ctx,
					       uint64_t nr)
{
	uint64_t value;

	common_call(ctx, ipmon_plan(nr));
	if (ctx->pending)
		return forward(ctx, nr);
	turn_yield(ctx, nr, nr == IPMON_INSN_VISIT ? TURN_WAITS : TURN_OFTEN);
	if (nr == IPMON_INSN_VISIT)
		value = 0;
	else if (nr == IPMON_INSN_RANDOM ? draw(ctx, &value) :
	    read_counter(ctx, &value))
		return forward(ctx, nr);
	if (ctx->followers)
		small_header(ctx, small_record(ctx, RING_HEADER), RING_HEADER,
			     nr, REC_LANE, (int64_t)value, 0, 0);
	return handled((int64_t)value);
}

struct ipmon_outcome ipmon_instruction(struct ipmon_ctx *ctx,
				       struct ipmon_frame *f)
{
	if (f->nr == IPMON_INSN_VISIT && ++ctx->visits % VISITS)
		return handled(0);
	ctx->n_calls++;
	return ctx->variant ? follower_instruction(ctx, f) :
		leader_instruction(ctx, f->nr);
}
