// SPDX-License-Identifier: Apache-2.0
/*
 * Under `relaxed`: outputs that leave together with the next one.
 *
 * Theory of operation
 * -------------------
 * Many programs answer in pieces: the head of an answer by one call, its body by
 * the next.  Unless they say otherwise (TCP_CORK, MSG_MORE) each piece of a TCP
 * stream is a segment, sent, acknowledged, and a peer that is woken for it.  So a
 * site (where the call comes from) whose outputs were directly followed by another
 * one to the same connection, SURE times in a row, the last of them within SOON_NS,
 * makes its next output with MSG_MORE, and the kernel sends it with what follows.
 *
 * This makes up for a part of what replication costs the leader.  Under `verified`
 * it is not needed: what is held there for one connection leaves in one piece
 * (hold.c).
 *
 * What must not be told apart from the native run
 *  - The stream and the results are the same: the kernel does the work.
 *  - Which sockets.  Only TCP: others keep boundaries.  O_NONBLOCK must be set, so
 *    that nobody sleeps in the call.  TCP_NODELAY must be set:
 *    without it a piece may wait for the peer to acknowledge the one before, so
 *    how many there were would matter later.  The peer must not have closed: it
 *    answers the first piece with a reset that the next one meets.  A socket with
 *    an upper layer (kernel TLS) would not let go of what it keeps (more_over()).
 *  - Time.  If another call comes in between that is seen by anybody, the piece is
 *    sent before it is made (more_next()), and so it is before we wait for
 *    followers.  A rendezvous comes after it as well, so do a stop, a crash,
 *    and a tick in which the program does nothing but compute: monitord sees
 *    ring->held, and has it sent as it has what is held (monitord/fast_flush.c).
 *    Were we never asked again: the kernel keeps it for 200 ms, or the time-out of
 *    the connection if that is longer (tcp(7), TCP_CORK; MSG_MORE is the same).
 *
 * A site that was wrong once must earn it anew.
 */
#include "hold_int.h"
#include "more.h"
#include "turn.h"

#define NR_WRITE	1
#define NR_CLOSE	3
#define NR_POLL		7
#define NR_IOCTL	16
#define NR_WRITEV	20
#define NR_SENDFILE	40
#define NR_SENDTO	44
#define NR_SENDMSG	46
#define NR_SETSOCKOPT	54
#define NR_GETSOCKOPT	55
#define NR_FCNTL	72

#define IPPROTO_TCP_	6
#define TCP_NODELAY_	1
#define TCP_CORK_	3
#define TCP_ULP_	31
#define MSG_DONTWAIT_	0x40
#define MSG_NOSIGNAL_	0x4000
#define MSG_MORE_	0x8000
#define POLLRDHUP_	0x2000u
#define F_GETFL_	3
#define F_SETFL_	4
#define O_NONBLOCK_	04000
#define ENOTSOCK_	88
#define IOV_MAX_	1024u

#define SURE		2u	/* times in a row */
#define MOST		3u
#define SOON_NS		100000u

static uint8_t *site(struct ipmon_ctx *ctx, unsigned int i)
{
	return &ctx->follows[i % IPMON_OUT_SITES];
}

/* Who makes it: libc has one instruction for all, but mostly the address of who
 * called its function is on top of the stack there.  It is only a guess. */
static uint32_t who(const struct ipmon_ctx *ctx, const struct ipmon_frame *f)
{
	uint64_t caller;

	if (mem_get(&caller, ctx->saved_sp, sizeof(caller)))
		caller = 0;
	caller ^= f->rcx;
	return (uint32_t)(caller ^ caller >> 4 ^ caller >> 8 ^ caller >> 12);
}

int more_output(struct ipmon_ctx *ctx, const struct ipmon_frame *f)
{
	uint32_t fd = (uint32_t)f->args[0] + 1;
	uint8_t *last = site(ctx, ctx->out_site), *own;
	uint64_t now = 0;

	/* The user wants something of single calls: of these, not of others.  Who
	 * shares descriptors would have to ask about them each time, which costs
	 * what is gained. */
	if (ctx->calls || ctx->flags & IPMON_CTX_FDS_SHARED ||
	    more_unfit(ctx, fd - 1))
		return 0;
	if (ctx->out_fd) {
		int soon = ctx->out_fd == fd && ctx->n_calls == ctx->out_at + 1;

		if (soon && ctx->out_ns) {
			now = leader_ns(ctx);
			soon = now - ctx->out_ns < SOON_NS;
		}
		if (!soon)
			*last = 0;
		else if (*last < MOST)
			++*last;
	}
	ctx->out_site = who(ctx, f);
	ctx->out_fd = fd;
	ctx->out_at = ctx->n_calls;
	ctx->out_ns = 0;
	own = site(ctx, ctx->out_site);
	if (!*own)
		return 0;
	ctx->out_ns = now ? now : leader_ns(ctx);
	if (!ctx->out_ns)
		*own = 0;	/* there is no clock */
	return *own >= SURE;
}

/* TCP, O_NONBLOCK and TCP_NODELAY set, nothing on top of it? */
static int kind_suits(uint64_t fd)
{
	uint8_t name[16];
	uint32_t nodelay = 0, len = sizeof(nodelay);
	int64_t fl = gate(NR_FCNTL, fd, F_GETFL_, 0, 0, 0);

	if (fl < 0 || !(fl & O_NONBLOCK_))
		return 0;
	if (gate(NR_GETSOCKOPT, fd, IPPROTO_TCP_, TCP_NODELAY_, ptr(&nodelay),
		 ptr(&len)) || !nodelay)
		return 0;
	len = sizeof(name);
	return !gate(NR_GETSOCKOPT, fd, IPPROTO_TCP_, TCP_ULP_, ptr(name),
		     ptr(&len)) && !len;
}

/* The kind of a descriptor that nobody shares does not change but by calls we see
 * (more_note()); behind a rendezvous we do not know. */
static int known(struct ipmon_ctx *ctx, uint32_t fd)
{
	uint32_t releases = __atomic_load_n(&ctx_ring(ctx)->releases,
					    __ATOMIC_RELAXED);
	uint32_t *at = &ctx->suits[fd % IPMON_OUT_FDS];

	if (ctx->suits_at != releases) {
		for (unsigned int i = 0; i < IPMON_OUT_FDS; i++)
			ctx->suits[i] = 0;
		ctx->suits_at = releases;
	}
	if (*at == fd + 1)
		return 1;
	*at = (fd + 1) | (kind_suits(fd) ? 0 : MORE_UNFIT);
	return *at == fd + 1;
}

void more_note(struct ipmon_ctx *ctx, uint64_t nr, const uint64_t args[6],
	       int64_t ret)
{
	int changes = nr == NR_CLOSE || nr == NR_SETSOCKOPT || nr == NR_IOCTL ||
		(nr == NR_FCNTL && (uint32_t)args[1] == F_SETFL_);
	uint64_t fd = changes ? args[0] : (uint64_t)ret;
	uint32_t *at = &ctx->suits[fd % IPMON_OUT_FDS];

	/* the row is looked at last: this is asked after every call */
	if ((*at & ~MORE_UNFIT) == (uint32_t)fd + 1 &&
	    (changes || nr == NR_FCNTL || ipmon_row(nr)->result == RES_FD))
		*at = 0;
}

/* May this connection take part? */
static int suits(struct ipmon_ctx *ctx, uint64_t fd)
{
	uint64_t pfd = (uint32_t)fd | (uint64_t)POLLRDHUP_ << 32;

	return known(ctx, (uint32_t)fd) &&
		!gate(NR_POLL, ptr(&pfd), 1, 0, 0, 0);
}

int more_asked(uint64_t nr, const uint64_t args[6])
{
	return (nr == NR_SENDTO && args[3] & MSG_MORE_) ||
		(nr == NR_SENDMSG && args[2] & MSG_MORE_);
}

static int fits(uint64_t flags)
{
	return !((uint32_t)flags & ~(uint32_t)(MSG_DONTWAIT_ | MSG_NOSIGNAL_));
}

int more_call(struct ipmon_ctx *ctx, const struct ipmon_call *call,
	      int64_t *ret)
{
	const uint64_t how = MSG_MORE_ | MSG_DONTWAIT_;
	struct ipmon_call tell = *call;
	uint64_t msg[7] = { 0 };	/* struct msghdr */

	switch (call->nr) {
	case NR_WRITE:
		tell = (struct ipmon_call){ NR_SENDTO, {
			call->args[0], call->args[1], call->args[2], how } };
		break;
	case NR_WRITEV:
		if (call->args[2] > IOV_MAX_)
			return 0;
		msg[2] = call->args[1];
		msg[3] = call->args[2];
		tell = (struct ipmon_call){ NR_SENDMSG, {
			call->args[0], ptr(msg), how } };
		break;
	case NR_SENDTO:
		if (!fits(call->args[3]))
			return 0;
		tell.args[3] |= how;
		break;
	case NR_SENDMSG:
		if (!fits(call->args[2]))
			return 0;
		tell.args[2] |= how;
		break;
	default:
		return 0;
	}
	if (!suits(ctx, call->args[0])) {
		*site(ctx, ctx->out_site) = 0;
		return 0;
	}
	*ret = ipmon_gate_call(&tell);
	/* as the program has asked for, then: another process may have taken
	 * O_NONBLOCK from what both have open */
	if (*ret == -EAGAIN_ || *ret == -ENOTSOCK_)
		return 0;
	if (*ret > 0) {
		ctx->more = (uint32_t)call->args[0] + 1;
		ctx->more_site = ctx->out_site;
		ctx->told = 1;
		/* another value each time: it does get on */
		__atomic_store_n(&ctx_ring(ctx)->held,
				 (uint32_t)ctx->n_calls << 1 | 1,
				 __ATOMIC_RELEASE);
	}
	return 1;
}

static void forget(struct ipmon_ctx *ctx)
{
	ctx->more = 0;
	__atomic_store_n(&ctx_ring(ctx)->held, 0, __ATOMIC_RELEASE);
}

/* Did all leave?  What a sendfile does not find in its file the kernel may have taken
 * for something that is still to come (before 6.5). */
static int pushed(const struct ipmon_frame *f, const struct ipmon_outcome *o)
{
	return o->handled && o->ret > 0 &&
		((uint32_t)f->nr != NR_SENDFILE || (uint64_t)o->ret == f->args[3]);
}

void more_made(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
	       const struct ipmon_outcome *o)
{
	if (ctx->told)
		ctx->told = 0;
	else if (pushed(f, o))
		forget(ctx);
	else
		more_over(ctx);
}

void more_over(struct ipmon_ctx *ctx)
{
	uint64_t fd = ctx->more - 1;
	uint32_t corked = 0, len = sizeof(corked);

	*site(ctx, ctx->more_site) = 0;
	ctx->told = 0;
	forget(ctx);
	/* To pull the cork sends what waits; if the program has put one in
	 * natively it would wait as well. */
	if (!gate(NR_GETSOCKOPT, fd, IPPROTO_TCP_, TCP_CORK_, ptr(&corked),
		  ptr(&len)) && !corked)
		gate(NR_SETSOCKOPT, fd, IPPROTO_TCP_, TCP_CORK_, ptr(&corked),
		     sizeof(corked));
}
