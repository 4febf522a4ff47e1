// SPDX-License-Identifier: Apache-2.0
/*
 * A follower on its leader's processor moves to another.
 *
 * Theory of operation
 * -------------------
 * Two who wait for each other, at each output of `verified`, are there again
 * within a microsecond if they have a processor each, because both spin (wait.c).
 * On one processor they cannot: each of them sleeps, the other one runs, and a
 * write costs two changes of context, ten times as much.  The kernel leaves it at
 * that: it never finds them both ready to run, so there is nothing to balance, and
 * where few processors share a cache and those are half busy, it does not look for
 * an idle one when it wakes somebody (SIS_UTIL, select_idle_cpu() in
 * kernel/sched/fair.c).
 *
 * So a follower that goes to sleep on the processor on which the leader has waited
 * for it, some times in a row, leaves: it takes that processor out of its mask, which
 * moves it, and puts it back.  That takes longer than a spin does.  If the leader
 * slept meanwhile, the kernel would bring it along when the follower wakes it (an idle
 * virtual processor counts as busy, available_idle_cpu()); so it spins as long as
 * cursor->moving says, and the follower does when it has arrived.  If they meet again
 * all the same, somebody else is busy over there, and the next time is ever further
 * off.
 *
 * The mask is the variant's own; who has one processor only stays (the monitor's
 * own placement, CPU= of monitord.conf, a mask the program has set).
 */
#include "broker.h"

#define NR_SCHED_SETAFFINITY	203
#define NR_SCHED_GETAFFINITY	204

#define STACKED_LEAST	16u
#define STACKED_MOST	16384u
#define MASK_WORDS	16u	/* 1024 processors */

uint32_t this_cpu(void)
{
	uint32_t limit;

	/* The limit of this segment is the processor's number and its node's:
	 * GDT_ENTRY_CPUNODE, which the vDSO reads in the same way. */
	__asm__("lsl %1, %0" : "=r"(limit) : "r"(0x7bu));
	return limit & 0xfff;
}

static int64_t affinity(uint64_t nr, uint64_t *mask, uint64_t bytes)
{
	const struct ipmon_call call = {
		nr, { 0, bytes, (uint64_t)(uintptr_t)mask }
	};

	return ipmon_gate_raw(&call);
}

static int leave(uint32_t cpu)
{
	uint64_t mask[MASK_WORDS], others = 0;
	int64_t bytes = affinity(NR_SCHED_GETAFFINITY, mask, sizeof(mask));
	uint64_t bit = 1ull << cpu % 64;
	unsigned int i;

	if (bytes <= 0 || bytes > (int64_t)sizeof(mask) ||
	    cpu / 64 >= (uint64_t)bytes / 8 || !(mask[cpu / 64] & bit))
		return 0;
	mask[cpu / 64] &= ~bit;
	for (i = 0; i < (uint64_t)bytes / 8; i++)
		others |= mask[i];
	if (!others)
		return 0;
	affinity(NR_SCHED_SETAFFINITY, mask, (uint64_t)bytes);
	mask[cpu / 64] |= bit;
	affinity(NR_SCHED_SETAFFINITY, mask, (uint64_t)bytes);
	return 1;
}

int leave_leader(struct ipmon_ctx *ctx)
{
	struct ipmon_cursor *c = &ctx_cursors(ctx)[ctx->variant];
	uint32_t waited = __atomic_load_n(&ctx_ring(ctx)->waited,
					  __ATOMIC_RELAXED);
	int moved;

	/* it has not waited for anybody since */
	if (waited == ctx->stacked_seen)
		return 0;
	ctx->stacked_seen = waited;
	/* it last slept here? */
	if ((waited & 0xfff) != this_cpu()) {
		ctx->stacked = 0;
		return 0;
	}
	if (ctx->stacked_enough < STACKED_LEAST)
		ctx->stacked_enough = STACKED_LEAST;
	if (++ctx->stacked < ctx->stacked_enough)
		return 0;
	ctx->stacked = 0;
	if (ctx->stacked_enough < STACKED_MOST)
		ctx->stacked_enough *= 2;
	__atomic_store_n(&c->moving, 1, __ATOMIC_RELAXED);
	moved = leave(waited & 0xfff);
	if (!moved)
		__atomic_store_n(&c->moving, 0, __ATOMIC_RELAXED);
	return moved;
}
