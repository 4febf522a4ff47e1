// SPDX-License-Identifier: Apache-2.0
/*
 * Whether followers of a leader that waits for them sleep between its calls or stay
 * awake.
 *
 * Theory of operation
 * -------------------
 * To wake somebody on another processor may cost who does it more than a request costs
 * a small server: 12 us on a virtual machine whose interrupts between processors end
 * in its host, and the sleeper as much again before it runs.  A follower that stays
 * awake, and looks at the ring, need not be woken; it offers its processor to others
 * every few microseconds (sched_yield), so that it is in nobody's way who is ready to
 * run there.  But it is in the way of who is not yet: the kernel takes that processor
 * for a busy one when it looks for an idle one for a peer of the server's, and puts
 * it where the leader runs.  Where requests are small leader and peer are better off
 * on one processor, without interrupts; where they are large they are not.
 *
 * So it is measured.  The leader counts the outputs it holds and looks at the time they took;
 * now and then, ever more rarely, it has the followers do the other thing for as many
 * outputs.  Sleeping is the rule: it must be beaten clearly, by what was before as by
 * what comes after, so that a pause of the peers' is not taken for an answer.  Where
 * the peers decide how much there is to do both take the same time, and followers
 * sleep.  (Outputs that are waited for one by one were tried, too: there both are
 * awake anyway, wait.c.)
 */
#include "hold_int.h"
#include "pace.h"

#define OUTPUTS		2048u	/* per measurement */
#define TRY_LEAST	8u	/* measurements between two attempts */
#define TRY_MOST	64u
#define NR_SCHED_YIELD	24
/* Looks between two offers of the processor: ctx->spin_max is some 50 us. */
#define LOOKS(ctx)	((ctx)->spin_max / 16 + 1)
/* Offers until who waits sleeps all the same; in vain so many times, he waits shorter
 * from then on, but for some. */
#define OFFERS		100u
#define OFFERS_FEW	6u
#define VAIN		4u
#define VAIN_EVERY	64u

enum stage {
	STAGE_SETTLED,
	STAGE_OTHER,		/* the other way is tried */
	STAGE_BACK,		/* and once more what it was */
};

static uint64_t counter(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* Is it better to do what was tried?  `awake`: as was done before and after. */
static int better(const struct ipmon_pace *p, uint64_t after, int awake)
{
	uint64_t usual = p->before < after ? p->before : after;

	return awake ? p->other - p->other / 16 < usual :
		       p->other < usual - usual / 16;
}

int pace_measured(struct ipmon_pace *p, uint64_t took, int awake)
{
	switch (p->stage) {
	case STAGE_SETTLED:
		p->before = took;
		if (p->left && --p->left)
			return awake;
		p->stage = STAGE_OTHER;
		return !awake;
	case STAGE_OTHER:
		p->other = took;
		p->stage = STAGE_BACK;
		return !awake;
	default:
		break;
	}
	if (better(p, took, awake)) {
		awake = !awake;
		p->every = TRY_LEAST;
	} else if (p->every < TRY_MOST) {
		p->every = p->every ? p->every * 2 : TRY_LEAST;
	}
	p->left = p->every;
	p->stage = STAGE_SETTLED;
	return awake;
}

void pace_output(struct ipmon_ctx *ctx)
{
	struct ipmon_pace *p = &hold_of(ctx)->pace;
	struct ipmon_ring *r = ctx_ring(ctx);
	uint64_t now, took;

	if (++p->outputs < OUTPUTS)
		return;
	p->outputs = 0;
	/* ctx->time: else the kernel traps the counter */
	if (!ctx->time || !ctx->spin_max)
		return;
	now = counter();
	took = now - p->since;
	/* not the first time, nor where another processor's is behind */
	if (p->since && (int64_t)took > 0)
		__atomic_store_n(&r->awake,
				 (uint32_t)pace_measured(p, took,
							 (int)r->awake),
				 __ATOMIC_RELAXED);
	p->since = now;
}

int pace_awake(const struct ipmon_ctx *ctx)
{
	return __atomic_load_n(&ctx_ring(ctx)->awake, __ATOMIC_RELAXED) &&
		ctx->spin_max;
}

int pace_wait(struct ipmon_ctx *ctx, const uint64_t *word, uint64_t from)
{
	const struct ipmon_call offer = { NR_SCHED_YIELD, { 0 } };
	const struct ipmon_ring *r = ctx_ring(ctx);
	uint32_t n = ctx->pace_vain < VAIN || !(ctx->pace_vain % VAIN_EVERY) ?
		OFFERS : OFFERS_FEW;

	for (; n; n--) {
		for (uint32_t i = LOOKS(ctx); i; i--) {
			if ((int64_t)(__atomic_load_n(word, __ATOMIC_ACQUIRE) -
				      from) >= 0) {
				ctx->pace_vain = 0;
				return 1;
			}
			__builtin_ia32_pause();
		}
		/* nothing comes before the followers have come to a rendezvous */
		if (__atomic_load_n(&r->state, __ATOMIC_RELAXED) ==
		    RING_TRAPPED)
			return 0;
		ipmon_gate_raw(&offer);
	}
	ctx->pace_vain++;
	return 0;
}
