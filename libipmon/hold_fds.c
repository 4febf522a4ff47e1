// SPDX-License-Identifier: Apache-2.0
/*
 * What is known of descriptors whose outputs are held.
 *
 * Theory of operation
 * -------------------
 * For each output that is to be held, and each input meanwhile, the kernel would have to
 * be asked how large a send buffer is and whether a descriptor blocks (hold.c).  What it
 * answered is remembered until
 *
 *	a call closes the descriptor or puts another one in its place
 *	a call changes such things: of which descriptors is not known, as several may
 *	name the same open file, and a listener hands its buffers' sizes on
 *	monitord has made a call of this thread, which may be one of these
 *	a sibling has noticed one of these (ipmon_epoll.changes)
 *
 * Other processes may change an open file that they share, unnoticed.  So nothing the
 * program is told hangs on it: an input is made as the program asked for it, and who
 * sleeps in one with something held is interrupted by monitord (fast_flush_tick()); an
 * output is held that the kernel would have taken a part of.
 */
#include "hold_int.h"

#define NR_CLOSE	3
#define NR_IOCTL	16
#define NR_DUP2		33
#define NR_SETSOCKOPT	54
#define NR_FCNTL	72
#define NR_DUP3		292

#define F_SETFL_	4
#define FIONBIO_	0x5421
#define SOL_SOCKET_	1
#define SO_SNDBUF_	7
#define SO_SNDBUFFORCE_	32

int hold_known(const uint64_t *bits, uint64_t reg)
{
	uint32_t fd = (uint32_t)reg;

	return fd < IPMON_HOLD_FDS && bits[fd / 64] >> fd % 64 & 1;
}

void hold_note(uint64_t *bits, uint64_t reg, int is)
{
	uint32_t fd = (uint32_t)reg;

	if (fd >= IPMON_HOLD_FDS)
		return;
	bits[fd / 64] &= ~(1ull << fd % 64);
	bits[fd / 64] |= (uint64_t)is << fd % 64;
}

/* Does it make a descriptor another one? */
enum change { CHANGE_NONE, CHANGE_ONE, CHANGE_SOME };

static enum change changes(uint64_t nr, const uint64_t args[6])
{
	uint32_t what = (uint32_t)args[1], name = (uint32_t)args[2];
	int some;

	switch (nr) {
	case NR_CLOSE:
	case NR_DUP2:
	case NR_DUP3:
		return CHANGE_ONE;
	case NR_FCNTL:
		some = what == F_SETFL_;
		break;
	case NR_IOCTL:
		some = what == FIONBIO_;
		break;
	case NR_SETSOCKOPT:
		some = what == SOL_SOCKET_ &&
			(name == SO_SNDBUF_ || name == SO_SNDBUFFORCE_);
		break;
	default:
		return CHANGE_NONE;
	}
	return some ? CHANGE_SOME : CHANGE_NONE;
}

static void forget_all(struct ipmon_hold *h)
{
	for (unsigned int i = 0; i < IPMON_HOLD_FDS / 64; i++)
		h->roomy[i] = h->at_once[i] = h->no_mptcp[i] = 0;
}

int hold_forget(struct ipmon_ctx *ctx, uint64_t nr, const uint64_t args[6])
{
	uint32_t releases = __atomic_load_n(&ctx_ring(ctx)->releases,
					    __ATOMIC_RELAXED);
	uint64_t *made = &ctx_epoll(ctx)->changes, seen;
	enum change change = changes(nr, args);
	struct ipmon_hold *h = hold_of(ctx);

	if (releases != h->releases) {
		h->releases = releases;
		__atomic_fetch_add(made, 1, __ATOMIC_RELAXED);
	}
	if (change == CHANGE_SOME)
		__atomic_fetch_add(made, 1, __ATOMIC_RELAXED);
	seen = __atomic_load_n(made, __ATOMIC_RELAXED);
	if (seen != h->changes || ctx->flags & IPMON_CTX_FDS_SHARED) {
		forget_all(h);
		h->changes = seen;
	}
	if (change == CHANGE_ONE) {
		hold_note(h->roomy, args[nr != NR_CLOSE], 0);
		hold_note(h->at_once, args[nr != NR_CLOSE], 0);
		hold_note(h->no_mptcp, args[nr != NR_CLOSE], 0);
		/* who has seen another number than the last one forgets all */
		if (__atomic_fetch_add(made, 1, __ATOMIC_RELAXED) == seen)
			h->changes = seen + 1;
	}
	/* before the call has been made we ask ourselves (hold_close()), or a sibling */
	return change == CHANGE_ONE || (change != CHANGE_NONE && ctx->turn);
}
