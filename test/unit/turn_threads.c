// SPDX-License-Identifier: Apache-2.0
/*
 * The turn among threads, handed on by libipmon/turn.c: threads of a leader that
 * race for it, and those of two followers that repeat their order.  What they
 * write while it is their turn is plain memory, so that the thread sanitizer sees
 * whether two of them ever are in there at once (meson setup
 * -Db_sanitize=thread).  The gate is an ordinary system call here.
 *
 * The first thread has the turn to begin with, as one that monitord lets go in all
 * variants: what it does before its first call comes before the others, too, even
 * if its follower is late.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hold.h"
#include "turn.h"

#define THREADS	4
#define VARIANTS 3
#define CALLS	1500

static struct ipmon_ring *ring;			/* [THREADS] */
static struct ipmon_cursor *cursors;		/* a page per slot */
static struct ipmon_turn turn __attribute__((aligned(64)));
static struct ipmon_ctx ctxs[VARIANTS][THREADS];

/* in the order of turns, who had them: each variant's own */
static unsigned char order[VARIANTS][THREADS * CALLS + 1];
static unsigned int n_order[VARIANTS];

int64_t ipmon_gate_raw(const struct ipmon_call *c)
{
	if (c->nr != SYS_futex)
		return 0;
	return syscall((long)c->nr, c->args[0], c->args[1], c->args[2],
		       c->args[3], 0, 0);
}

int64_t ipmon_gate_call(const struct ipmon_call *c)
{
	return ipmon_gate_raw(c);
}

void hold_drain(struct ipmon_ctx *ctx)
{
}

static void publish(struct ipmon_ctx *ctx, unsigned int flags);

void leader_yields(struct ipmon_ctx *ctx, uint64_t nr, unsigned int flags,
		   uint32_t word)
{
	publish(ctx, REC_YIELD);
}

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void check(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "turn_threads: %s\n", what);
	exit(1);
}

/* What the program does while it is its turn. */
static void segment(unsigned int v, unsigned int i)
{
	order[v][n_order[v]++] = (unsigned char)i;
}

static void publish(struct ipmon_ctx *ctx, unsigned int flags)
{
	struct ipmon_record *rec;
	uint64_t avail;

	while (!(rec = (void *)ring_reserve(ctx_ring(ctx), ctx_cursors(ctx),
					    ctx->followers, &ctx->p,
					    IPMON_RING_BYTES,
					    RING_HEADER, &avail)))
		sched_yield();
	*rec = (struct ipmon_record){
		.size = RING_HEADER, .turn = ctx->p.turn,
		.flags = (uint16_t)(ctx->p.turn ? flags | REC_TURN : flags),
	};
	ctx->p.turn = 0;
	ring_publish(ctx_ring(ctx), &ctx->p, RING_HEADER);
}

static void *leader(void *arg)
{
	struct ipmon_ctx *ctx = arg;
	uint64_t seed = 88172645463325252ull + ctx->slot;

	if (!ctx->slot) {
		segment(0, ctx->slot);
		turn_leave(ctx, PLAN_BLOCK);
		/* others take it from where the ring begins */
		usleep(5000);
	}
	for (unsigned int k = 0; k < CALLS; k++) {
		turn_back(ctx);
		/* two kernel entries in one call: an attempt, then in earnest */
		if (next_random(&seed) % 3 == 0) {
			turn_leave(ctx, next_random(&seed) % 2 ? PLAN_TRANSFER :
				   PLAN_BLOCK);
			turn_back(ctx);
		}
		publish(ctx, 0);
		segment(0, ctx->slot);
		turn_yield(ctx, 0, 0);
		turn_leave(ctx, next_random(&seed) % 3 ? PLAN_TRANSFER :
			   PLAN_BLOCK);
		if (next_random(&seed) % 16 == 0)
			usleep(50);
	}
	return NULL;
}

static void *follower(void *arg)
{
	struct ipmon_ctx *ctx = arg;
	struct ipmon_cursor *c = &ctx_cursors(ctx)[ctx->variant];
	struct ipmon_record rec;

	if (!ctx->slot) {
		usleep(20000 * ctx->variant);
		segment(ctx->variant, ctx->slot);
	}
	for (unsigned int k = 0; k < CALLS; k++) {
		for (;;) {
			if (ring_next(ctx_ring(ctx), c, &ctx->c, &rec) ==
			    RING_EMPTY) {
				turn_rest(ctx);
				sched_yield();
			} else if (rec.flags & REC_YIELD) {
				turn_follow(ctx, &rec);
				ring_consume(c, &ctx->c, rec.size);
			} else {
				break;
			}
		}
		check(rec.size == RING_HEADER, "no record");
		turn_follow(ctx, &rec);
		ring_consume(c, &ctx->c, rec.size);
		segment(ctx->variant, ctx->slot);
	}
	turn_rest(ctx);
	return NULL;
}

int main(void)
{
	pthread_t t[VARIANTS][THREADS];

	ring = calloc(THREADS, sizeof(*ring));
	cursors = calloc(THREADS, 4096);
	check(ring && cursors, "out of memory");
	turn.word = TURN_WORD(TURN_RUN, 0);
	for (unsigned int v = 0; v < VARIANTS; v++)
		for (unsigned int i = 0; i < THREADS; i++) {
			uint64_t base = i * (uint64_t)IPMON_RING_BYTES;

			ring[i].head = base;
			cursor_begin((void *)((char *)cursors + i * 4096 +
					      v * sizeof(*cursors)), base);
			ctxs[v][i] = (struct ipmon_ctx){
				.variant = v, .slot = i, .followers = 6,
				.ring = (uintptr_t)&ring[i],
				.cursors = (uintptr_t)cursors + i * 4096,
				.turn = (uintptr_t)&turn,
				/* half of them spin */
				.spin_max = i % 2 * 1000,
				.p = { .head = base, .limit = base,
				       .wake_at = base },
				.c = { .tail = base, .head = base },
			};
		}
	for (unsigned int v = 0; v < VARIANTS; v++)
		for (unsigned int i = 0; i < THREADS; i++)
			check(!pthread_create(&t[v][i], NULL, v ? follower :
					      leader, &ctxs[v][i]), "thread");
	for (unsigned int v = 0; v < VARIANTS; v++)
		for (unsigned int i = 0; i < THREADS; i++)
			pthread_join(t[v][i], NULL);
	check(!turn.next, "somebody is left in front");
	for (unsigned int i = 0; i < IPMON_SLOTS / 64; i++)
		check(!turn.want[i], "somebody is left waiting");
	for (unsigned int v = 0; v < VARIANTS; v++) {
		check(n_order[v] == sizeof(order[v]), "turns are missing");
		check(!memcmp(order[v], order[0], sizeof(order[0])),
		      "another order");
	}
	free(ring);
	free(cursors);
	return 0;
}
