/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who handles a call: see decide.h.
 */
#include <ipmon/gate_rules.h>

#include "channel.h"
#include "decide.h"
#include "plan_table.h"		/* generated: ipmon_plans[] */

static const struct ipmon_plan plan_left;

const struct ipmon_plan *ipmon_plan(uint64_t nr)
{
	return nr < IPMON_NR_MAX ? &ipmon_plans[nr] : &plan_left;
}

static uint8_t *channel_byte(const struct ipmon_ctx *ctx, uint32_t fd)
{
	return (uint8_t *)(uintptr_t)ctx->channel_fds + fd / 8;
}

/* close, dup and the like. */
static int moves_fd(const struct ipmon_row *row)
{
	return row->flags & RF_CLOSE ||
		(row->result == RES_FD && row->arg[0].kind == K_FD &&
		 row->cls != CLASS_SOCK_RO && row->cls != CLASS_SOCK_RW);
}

/* An end of a channel of the program's own, and a call IP-MON can make on it. */
static int channel(const struct ipmon_ctx *ctx, uint64_t nr, uint64_t reg)
{
	uint32_t fd = (uint32_t)reg;

	return ctx->channel_fds && fd < IPMON_SLOW_FDS &&
		(*channel_byte(ctx, fd) >> fd % 8 & 1) &&
		channel_use(nr) != CHANNEL_LEFT;
}

void ipmon_channels_note(const struct ipmon_ctx *ctx,
			 const struct ipmon_row *row, const uint64_t args[6],
			 int64_t ret)
{
	uint8_t *slow = (uint8_t *)(uintptr_t)ctx->slow_fds, *chan, bit;
	uint32_t from = (uint32_t)args[0], to;
	int on;

	if (ret < 0 || !moves_fd(row))
		return;
	to = row->flags & RF_CLOSE ? from : (uint32_t)ret;
	if (to >= IPMON_SLOW_FDS)
		return;
	/* none of them is slow for another reason */
	on = !(row->flags & RF_CLOSE) && from < IPMON_SLOW_FDS &&
		(slow[from / 8] >> from % 8 & 1);
	slow += to / 8;
	chan = channel_byte(ctx, to);
	bit = (uint8_t)(1u << to % 8);
	*slow = (uint8_t)(on ? *slow | bit : *slow & ~bit);
	*chan = (uint8_t)(on ? *chan | bit : *chan & ~bit);
}

static int plain_fd(const struct ipmon_ctx *ctx, uint64_t reg)
{
	const uint8_t *map = (const uint8_t *)(uintptr_t)ctx->plain_fds;
	uint32_t fd = (uint32_t)reg;

	return fd >> 31 || (fd < IPMON_SLOW_FDS && map[fd / 8] >> fd % 8 & 1);
}

/* Beyond the level the user allows?  A descriptor not known to be none is taken
 * for a socket. */
static int beyond(const struct ipmon_ctx *ctx, const struct ipmon_plan *plan,
		  const uint64_t args[6])
{
	unsigned int fds = plan->fds, level = plan->level, i;

	for (i = 0; fds; i++, fds >>= 1)
		if ((fds & 1) && !plain_fd(ctx, args[i]))
			level = ipmon_level_socket(plan->level);
	return level > ctx->level;
}

void ipmon_kinds_note(const struct ipmon_ctx *ctx,
		      const struct ipmon_row *row, const uint64_t args[6],
		      int64_t ret)
{
	uint8_t *map = (uint8_t *)(uintptr_t)ctx->plain_fds, bit;
	uint32_t fd = (uint32_t)ret;
	int plain;

	if (ret < 0)
		return;
	if (row->flags & RF_CLOSE)
		fd = (uint32_t)args[0];
	else if (row->result != RES_FD)
		return;
	if (fd >= IPMON_SLOW_FDS)
		return;
	plain = !(row->flags & RF_CLOSE) && row->cls != CLASS_SOCK_RO &&
		row->cls != CLASS_SOCK_RW &&
		(row->arg[0].kind != K_FD || plain_fd(ctx, args[0]));
	bit = (uint8_t)(1u << fd % 8);
	map[fd / 8] = (uint8_t)(plain ? map[fd / 8] | bit :
				map[fd / 8] & ~bit);
}

enum ipmon_decision ipmon_decide(const struct ipmon_ctx *ctx,
				 const struct ipmon_plan *plan, uint64_t nr,
				 const uint64_t args[6])
{
	unsigned int fds = plan->fds, flags = plan->flags, i;
	unsigned int to_channel = 0;
	int wait = flags & PLAN_WAIT;
	unsigned int wish = IPMON_WISH_NONE;

	if (plan->action == DECIDE_LEFT)
		return DECIDE_LEFT;
	/* there is a plan, so nr is below IPMON_NR_MAX */
	if (ctx->calls)
		wish = ((const uint8_t *)(uintptr_t)ctx->calls)[nr];
	if (wish == IPMON_WISH_LEFT)
		return DECIDE_LEFT;
	if (plan->action != DECIDE_RELAXED)
		return plan->action;
	if (ctx->level && beyond(ctx, plan, args))
		return DECIDE_LEFT;
	for (i = 0; fds; i++, fds >>= 1) {
		if (!(fds & 1) || !ipmon_slow_fd(ctx, args[i]))
			continue;
		if (!channel(ctx, nr, args[i]))
			return DECIDE_LEFT;
		to_channel = DECIDE_CHANNEL_RELAXED - DECIDE_RELAXED;
	}
	if (flags & (PLAN_RULES | PLAN_OPEN | PLAN_EPOLL_CTL | PLAN_EPOLL_WAIT |
		     PLAN_MEMORY)) {
		if ((flags & PLAN_MEMORY) &&
		    (ctx->flags & IPMON_CTX_NO_MEMORY ||
		     !ipmon_memory_call(ipmon_row(nr), args)))
			return DECIDE_LEFT;
		/* a wake-up beyond the process, which one allocator may want */
		if ((flags & PLAN_FUTEX) && (ctx->flags & IPMON_CTX_DIVERSE) &&
		    (uint32_t)args[1] == 1)
			return DECIDE_LEFT;
		if (flags & PLAN_RULES) {
			const struct ipmon_gate_rule *r =
				ipmon_gate_rule(nr, args);

			/* those that lock are made of others: libipmon/pi.c */
			if (!r && !((flags & PLAN_FUTEX) && futex_pi(args)))
				return DECIDE_LEFT;
			wait = r && r->flags & GATE_WAIT;
		}
		if ((flags & PLAN_OPEN) &&
		    (ctx->flags & IPMON_CTX_NO_OPEN ||
		     ipmon_how_index((uint32_t)args[plan->flag_arg]) < 0))
			return DECIDE_LEFT;
		if ((flags & (PLAN_EPOLL_CTL | PLAN_EPOLL_WAIT)) && !ctx->epoll)
			return DECIDE_LEFT;
	}
	wait = wait && (ctx->policy == IPMON_VERIFIED ||
			ctx->flags & IPMON_CTX_WAIT);
	if (wish)
		wait = wish == IPMON_WISH_WAIT;
	return (wait ? DECIDE_VERIFIED : DECIDE_RELAXED) + to_channel;
}

int ipmon_record_private(const struct ipmon_record *rec,
			 const unsigned char *at)
{
	const struct ipmon_plan *plan = ipmon_plan(rec->nr);
	const uint64_t *w = (const void *)(at + sizeof(*rec));
	uint32_t need = 8 * lane_words(plan);

	if (!(plan->flags & PLAN_MAYBE_PRIVATE))
		return 0;
	/* left to monitord, which makes it for the leader alone */
	if (rec->flags & REC_FORWARD)
		return (rec->flags & REC_PRIVATE) != 0;
	if (rec->flags & REC_CLOCK)
		return (plan->flags & PLAN_CLOCK) != 0;
	if (rec->flags & REC_LANE)
		return rec->in_len >= need &&
			ipmon_private(plan, need >= 24 ? w[1] : 0,
				      need >= 32 ? w[2] : 0);
	/* items: a scalar is two words */
	return rec->in_len >= 32 && ipmon_private(plan, w[3], 0);
}

static int below(const unsigned char *p, unsigned int n, const char *dir,
		 unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		if (i >= n || p[i] != (unsigned char)dir[i])
			return 0;
	return n == len || p[len] == '/' || p[len] == '\0';
}

int ipmon_path_left(const struct ipmon_ctx *ctx, const unsigned char *p,
		    unsigned int n)
{
	return (n && p[0] != '/') || below(p, n, "/proc", 5) ||
		((ctx->flags & IPMON_CTX_DIVERSE) && below(p, n, "/sys", 4));
}
