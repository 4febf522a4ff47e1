// SPDX-License-Identifier: Apache-2.0
/*
 * Transfers that come back half-way.
 *
 * A blocking write to a pipe or a stream, a recv with MSG_WAITALL, and a sendmmsg
 * transfer less than they were asked for only if a signal comes, or an error.  One that is ignored
 * natively wakes nobody, but it does wake a traced thread, and then another one
 * may take it: nobody knows any more what it was.  When a caught one has come we
 * have been told by now (pending).  Otherwise monitord makes the rest of the call
 * (monitord/transfer.c).
 */
#include "hold_int.h"

#define NR_WRITE	1
#define NR_WRITEV	20
#define NR_SENDTO	44
#define NR_RECVFROM	45
#define NR_SENDMSG	46
#define NR_RECVMSG	47
#define NR_IOCTL	16
#define NR_FCNTL	72
#define NR_SPLICE	275
#define NR_SENDMMSG	307

#define F_GETFL_	3
#define F_GETPIPE_SZ_	1032
#define FIONREAD_	0x541bu
#define O_NONBLOCK_	04000
#define MSG_DONTWAIT_	0x40
#define MSG_WAITALL_	0x100

#define IOVS		64u	/* that are looked at */

static uint64_t iov_bytes(uint64_t addr, uint64_t n)
{
	uint64_t iov[IOVS][2], sum = 0;

	if (n > IOVS || mem_get(iov, addr, n * sizeof(iov[0])))
		return 0;
	for (uint64_t i = 0; i < n; i++)
		sum += iov[i][1];
	return sum;
}

static uint64_t msg_bytes(uint64_t addr)
{
	uint64_t iov[2];	/* msg_iov, msg_iovlen */

	return mem_get(iov, addr + 16, sizeof(iov)) ? 0 :
		iov_bytes(iov[0], iov[1]);
}

/* Bytes, or messages, that a call is to transfer before it comes back; 0: any number will do. */
static uint64_t asked_for(const struct ipmon_call *call)
{
	const uint64_t *a = call->args;

	switch (call->nr) {
	case NR_WRITE:
		return a[2];
	case NR_WRITEV:
		return iov_bytes(a[1], (uint32_t)a[2]);
	case NR_SENDTO:
		return a[3] & MSG_DONTWAIT_ ? 0 : a[2];
	case NR_SENDMSG:
		return a[2] & MSG_DONTWAIT_ ? 0 : msg_bytes(a[1]);
	case NR_RECVFROM:
		return a[3] & MSG_WAITALL_ ? a[2] : 0;
	case NR_RECVMSG:
		return a[2] & MSG_WAITALL_ ? msg_bytes(a[1]) : 0;
	case NR_SENDMMSG:
		return a[3] & MSG_DONTWAIT_ ? 0 : (uint32_t)a[2];
	default:
		return 0;
	}
}

static int nonblocking(uint64_t fd)
{
	return (gate(NR_FCNTL, fd, F_GETFL_, 0, 0, 0) & O_NONBLOCK_) != 0;
}

static int is_pipe(uint64_t fd)
{
	return gate(NR_FCNTL, fd, F_GETPIPE_SZ_, 0, 0, 0) > 0;
}

/* What comes out of a pipe goes to a socket until the pipe is empty. */
static int splice_is_short(const struct ipmon_call *call, int64_t ret)
{
	const uint64_t *a = call->args;
	int32_t left = 0;

	return (uint64_t)ret < a[4] && is_pipe(a[0]) &&
		!gate(NR_IOCTL, a[0], FIONREAD_, ptr(&left), 0, 0) && left &&
		!is_pipe(a[2]) && !nonblocking(a[2]);
}

static int is_short(const struct ipmon_call *call, int64_t ret)
{
	if (call->nr == NR_SPLICE)
		return splice_is_short(call, ret);
	return (uint64_t)ret < asked_for(call) && !nonblocking(call->args[0]);
}

int64_t whole_rest(const struct ipmon_ctx *ctx, const struct ipmon_call *call,
		   int64_t ret)
{
	if (ret <= 0 || ctx->pending || !is_short(call, ret) ||
	    gate(IPMON_NR_CUT, (uint64_t)ret, 0, 0, 0, 0))
		return ret;
	return IPMON_KICKED;
}

int64_t whole_call(const struct ipmon_ctx *ctx, const struct ipmon_call *call)
{
	return whole_rest(ctx, call, ipmon_gate_call(call));
}
