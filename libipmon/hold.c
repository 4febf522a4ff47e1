// SPDX-License-Identifier: Apache-2.0
/*
 * Output commit: under `verified`, what goes out through TCP is held until the
 * followers have asked for the same; the leader runs on meanwhile.
 *
 * Theory of operation
 * -------------------
 * Waiting for every follower at every output costs two changes of context per
 * output.  What a TCP socket accepts is not seen by the peer at that moment but
 * some time later, so it is as good to keep it here for a while: the leader
 * takes a copy, tells the program what the kernel would have said (all of it was
 * accepted), writes the record as of a call that has been made, and goes on.
 * Outputs are sent, in their order, when all followers' tails have passed the
 * last of their records: at the next call of the leader's, whatever it is
 * (hold_before()), or when it must wait for that (hold_drain()).  So the leader, its
 * followers and its peers are all at work at once.
 *
 * What must not be told apart from the native run
 *  - The result.  An output is held only if the kernel would accept it whole:
 *    the connection is established and what is free of its send buffer suffices
 *    (buffers are accounted with their overhead).
 *  - Order.  Everything else that others can see, and every call on a descriptor
 *    that has something held, comes after the drain.
 *  - What comes back.  Both ends may be ours: a read or accept that finds
 *    nothing asks whether what is held goes there, a poll that finds nothing
 *    drains and looks again.  (A poll that finds something may find the rest
 *    the next time.)
 *  - Progress.  Nothing is held while the leader sleeps: it drains before each
 *    call that may block, having tried without blocking where that is
 *    possible; and at each rendezvous.  If it computes instead, or crashes,
 *    monitord has it drain (ipmon_flush, monitord/fast_flush.c).
 *  - Bytes.  A sent copy is the copy that was compared: both come from `hold`,
 *    not from the program's memory.  What the kernel does not take at once
 *    after all is sent when it does.  A connection that has broken meanwhile
 *    loses what was held, as it loses what is in the kernel's send buffer.
 *
 * sendfile becomes a read here and a send later.  Closing a connection and
 * shutting it down are held like outputs: hold_end.c; so are options that make
 * outputs leave: hold_opt.c.
 */
#include <linux/tcp.h>

#include "hold_int.h"
#include "more.h"
#include "pace.h"

#define NR_READ		0
#define NR_WRITE	1
#define NR_CLOSE	3
#define NR_FSTAT	5
#define NR_POLL		7
#define NR_PREAD64	17
#define NR_READV	19
#define NR_WRITEV	20
#define NR_DUP2		33
#define NR_SENDFILE	40
#define NR_ACCEPT	43
#define NR_SENDTO	44
#define NR_RECVFROM	45
#define NR_SENDMSG	46
#define NR_RECVMSG	47
#define NR_SHUTDOWN	48
#define NR_GETPEERNAME	52
#define NR_SETSOCKOPT	54
#define NR_GETSOCKOPT	55
#define NR_FCNTL	72
#define NR_EPOLL_CTL	233
#define NR_ACCEPT4	288
#define NR_DUP3		292

#define F_GETFL_	3
#define O_NONBLOCK_	04000
#define S_IFMT_		0170000
#define S_IFREG_	0100000
#define S_IFDIR_	0040000
#define POLLOUT_	4

#define IPPROTO_TCP_	6
#define IPPROTO_MPTCP_	262
#define TCP_INFO_	11
#define SOL_SOCKET_	1
#define SO_PROTOCOL_	38
#define SO_MEMINFO_	55
#define MEMINFO_SNDBUF	3
#define MEMINFO_QUEUED	5

#define MSG_DONTWAIT_	0x40
#define MSG_WAITALL_	0x100
#define MSG_NOSIGNAL_	0x4000
#define MSG_MORE_	0x8000

#define ENOTSOCK_	88

#define POLL_MS		100
#define SKIP		256u
/* Followers are woken so often between two sleeps of the leader's that outputs lie
 * between; more often if those are many. */
#define WAKES		2u
#define WAKE_AFTER	12u	/* operations */
#define TURN_MOST	64u	/* operations that are counted */
#define USUAL		8u	/* how many turns it takes to learn their number */
#define TWICE		32u
#define ROOM_LEAST	1024u	/* bytes; SOCK_MIN_SNDBUF is 4.5 KiB */
#define ROOM_LARGE	16384u	/* ... in a large buffer, when it is empty */
#define ASK_AGAIN	64u	/* once in so many: the kernel may have made it
				 * smaller for want of memory */
/* What a buffer of the kernel's costs besides its data, of which it holds at least
 * one segment; and an output: it may begin two. */
#define SKB_COST	1280u
#define SEND_COST	(2 * SKB_COST + 1)

/* ---- sending ---- */

/* All of it, or as much as the connection takes before it breaks. */
static void send_all(int fd, const unsigned char *data, uint32_t len,
		     uint32_t more)
{
	while (len) {
		int64_t n = gate(NR_SENDTO, (uint64_t)fd, ptr(data), len,
				 MSG_DONTWAIT_ | MSG_NOSIGNAL_ | more, 0);

		if (n > 0 && n <= len) {
			data += n;
			len -= (uint32_t)n;
		} else if (n == -EAGAIN_ || n == -EINTR_) {
			uint64_t pfd = (uint32_t)fd | (uint64_t)POLLOUT_ << 32;

			gate(NR_POLL, ptr(&pfd), 1, POLL_MS, 0, 0);
		} else {
			return;
		}
	}
}

static void send_op(const struct ipmon_hold *h, const struct ipmon_hold_op *op)
{
	switch (op->kind) {
	case HOLD_SEND:
		if (op->at <= IPMON_HOLD_BYTES &&
		    op->len <= IPMON_HOLD_BYTES - op->at)
			send_all(op->fd, h->data + op->at, op->len, op->arg);
		break;
	case HOLD_OPTION:
		gate(NR_SETSOCKOPT, (uint64_t)op->fd, IPPROTO_TCP_, op->arg,
		     ptr(&op->was), sizeof(op->was));
		break;
	case HOLD_SHUTDOWN:
		gate(NR_SHUTDOWN, (uint64_t)op->fd, op->arg, 0, 0, 0);
		break;
	default:
		gate(NR_CLOSE, (uint64_t)op->fd, 0, 0, 0, 0);
		break;
	}
}

/* The position all followers have reached. */
static uint64_t agreed(const struct ipmon_ctx *ctx)
{
	const struct ipmon_cursor *cur = ctx_cursors(ctx);
	uint64_t mask = ctx->followers, least = ctx->p.head, tail;

	for (unsigned int v = 0; mask; v++, mask >>= 1) {
		if (!(mask & 1))
			continue;
		/* acquire: see core/ring.h */
		tail = __atomic_load_n(&cur[v].tail, __ATOMIC_ACQUIRE);
		if ((int64_t)(tail - least) < 0)
			least = tail;
	}
	return least;
}

/* For monitord: what is held now is not what was. */
static void tell_held(struct ipmon_ctx *ctx, struct ipmon_hold *h)
{
	h->sent += 2;
	__atomic_store_n(&ctx_ring(ctx)->held, h->n ? h->sent | 1 : 0,
			 __ATOMIC_RELEASE);
}

/* Send what belongs to records before this position. */
static void send_until(struct ipmon_ctx *ctx, struct ipmon_hold *h, uint64_t pos)
{
	uint32_t n = h->n, i, left;

	if (n > IPMON_HOLD_OPS)
		n = h->n = IPMON_HOLD_OPS;
	for (i = 0; i < n && (int64_t)(h->op[i].pos - pos) <= 0; i++) {
		send_op(h, &h->op[i]);
		if (hold_is_end(&h->op[i]))
			h->ends--;
	}
	if (!i)
		return;
	for (left = 0; i < n; i++)
		h->op[left++] = h->op[i];
	h->n = left;
	if (!h->ends)
		h->n_fresh = 0;
	if (!left)
		h->end = h->quiet = 0;
	tell_held(ctx, h);
}

/* Send operation i and those before it. */
static void drain(struct ipmon_ctx *ctx, struct ipmon_hold *h, uint32_t i)
{
	uint64_t pos = h->op[i].pos;

	leader_wait(ctx, pos);
	send_until(ctx, h, pos);
}

void hold_drain(struct ipmon_ctx *ctx)
{
	struct ipmon_hold *h = hold_of(ctx);

	if (ctx->more)
		more_over(ctx);
	if (h && h->n)
		drain(ctx, h, (h->n - 1) % IPMON_HOLD_OPS);
}

void hold_turn_over(struct ipmon_ctx *ctx)
{
	struct ipmon_hold *h = hold_of(ctx);

	if (!h->turn)
		return;
	h->usual += h->turn - h->usual / USUAL;
	h->turn = 0;
}

/* ---- may this call be made before? ---- */

static int held_fd(const struct ipmon_hold *h, uint64_t reg)
{
	for (uint32_t i = 0; i < h->n; i++)
		if (h->op[i].fd == (int32_t)reg)
			return 1;
	return 0;
}

static unsigned int file_type(uint64_t fd)
{
	uint32_t st[36];	/* struct stat: st_mode at byte 24 */

	return gate(NR_FSTAT, fd, ptr(st), 0, 0, 0) ? 0 : st[6] & S_IFMT_;
}

static int nonblocking(struct ipmon_hold *h, uint64_t reg)
{
	uint64_t fd = (uint32_t)reg;
	int64_t fl;

	if (hold_known(h->at_once, fd))
		return 1;
	fl = gate(NR_FCNTL, fd, F_GETFL_, 0, 0, 0);
	hold_note(h->at_once, fd, fl > 0 && fl & O_NONBLOCK_);
	return fl < 0 || fl & O_NONBLOCK_;
}

/* Does a read of it come back at once? */
static int at_once(struct ipmon_hold *h, uint64_t fd, int files)
{
	unsigned int type;

	if (nonblocking(h, fd))
		return 1;
	if (!files)
		return 0;
	type = file_type(fd);
	return type == S_IFREG_ || type == S_IFDIR_;
}

/* The calls that may be made while something is held. */
static int harmless(struct ipmon_hold *h, const struct ipmon_plan *plan,
		    uint64_t nr, const uint64_t args[6])
{
	unsigned int fds = plan->fds, i;

	switch (nr) {
	case NR_EPOLL_CTL:
		/* looks at the second one's state: that of an output buffer with
		 * room, as it would be if the held had been sent */
		fds = 1;
		break;
	case NR_RECVFROM:
	case NR_RECVMSG:
		/* what goes the other way does not matter to these; hold_try() */
		return !(args[nr == NR_RECVFROM ? 3 : 2] & MSG_WAITALL_);
	case NR_READ:
		return 1;
	case NR_READV:
		return at_once(h, args[0], 1);
	case NR_CLOSE:
	case NR_SHUTDOWN:
	case NR_DUP2:
	case NR_DUP3:
		/* leader_call() asks who sees the end of it */
		return 1;
	case NR_SETSOCKOPT:
		if (hold_pushes(args))
			return 1;
		break;
	default:
		break;
	}
	for (i = 0; fds; i++, fds >>= 1)
		if ((fds & 1) && held_fd(h, args[i]))
			return 0;
	switch (nr) {
	case NR_ACCEPT:
	case NR_ACCEPT4:
		return at_once(h, args[0], 0);
	default:
		break;
	}
	if (plan->flags & PLAN_TRY)
		return 1;
	if (plan->flags & PLAN_BLOCK)
		return 0;
	if (plan->flags & PLAN_WAIT)
		return 0;
	/* opening a FIFO may block: monitord looks after that */
	return !(plan->flags & PLAN_TRANSFER) || plan->paths ||
		nr == NR_PREAD64;
}

void hold_before(struct ipmon_ctx *ctx, const struct ipmon_plan *plan,
		 uint64_t nr, const uint64_t args[6])
{
	struct ipmon_hold *h = hold_of(ctx);

	send_until(ctx, h, agreed(ctx));
	if (!h->n)
		return;
	if ((h->ends && !hold_end_passes(h, plan, nr, args)) ||
	    (!hold_kind(nr) && !harmless(h, plan, nr, args)))
		hold_drain(ctx);
}

/*
 * There was nothing.  Is that so, or has the program sent it itself, in which case
 * it is still here?  And may the program be told, or does it want to sleep?
 */
static int nothing_there(struct ipmon_hold *h, uint64_t fd, int asked)
{
	return (asked || nonblocking(h, fd)) && !hold_reaches(h, fd);
}

int hold_try(struct ipmon_ctx *ctx, const struct ipmon_call *call, int64_t *ret)
{
	struct ipmon_hold *h = hold_of(ctx);
	struct ipmon_call try = *call;
	unsigned int flags;

	/* if it turns out to block after all, monitord looks after that */
	if (hold_reads(call->nr) && hold_known(h->at_once, call->args[0])) {
		*ret = ipmon_gate_call(call);
		if (*ret != -EAGAIN_ || !hold_reaches(h, call->args[0]))
			return 1;
		hold_drain(ctx);
		return 0;
	}
	switch (call->nr) {
	case NR_RECVFROM:
	case NR_RECVMSG:
		flags = call->nr == NR_RECVFROM ? 3 : 2;
		try.args[flags] |= MSG_DONTWAIT_;
		*ret = ipmon_gate_call(&try);
		if (*ret != -EAGAIN_ ||
		    nothing_there(h, call->args[0],
				  (call->args[flags] & MSG_DONTWAIT_) != 0))
			return 1;
		break;
	case NR_READ:
		/* as far as sockets go it is this; nothing is read of any */
		try = (struct ipmon_call){ NR_RECVFROM, {
			call->args[0], call->args[1], call->args[2],
			MSG_DONTWAIT_, 0, 0 } };
		*ret = call->args[2] ? ipmon_gate_call(&try) : -ENOTSOCK_;
		if (*ret != -EAGAIN_ && *ret != -ENOTSOCK_)
			return 1;
		if (*ret == -EAGAIN_ && nothing_there(h, call->args[0], 0))
			return 1;
		if (*ret == -ENOTSOCK_ && at_once(h, call->args[0], 1))
			return 0;
		break;
	case NR_READV:
	case NR_ACCEPT:
	case NR_ACCEPT4:
		/* at once */
		*ret = ipmon_gate_call(call);
		if (h->ends)
			*ret = hold_fd_result(ctx, call, *ret);
		if (*ret != -EAGAIN_ || !hold_reaches(h, call->args[0]))
			return 1;
		break;
	default:
		return 0;
	}
	hold_drain(ctx);
	hold_turn_over(ctx);
	return 0;
}

/* ---- holding ---- */

/* An MPTCP socket without a connection becomes another one by being asked: it gets
 * a first subflow, and refuses options from then on that are for those without. */
static int asking_changes(struct ipmon_hold *h, uint64_t fd)
{
	uint32_t protocol = 0, len = sizeof(protocol);
	unsigned char name[128];	/* struct sockaddr_storage */

	if (hold_known(h->no_mptcp, fd))
		return 0;
	if (gate(NR_GETSOCKOPT, fd, SOL_SOCKET_, SO_PROTOCOL_, ptr(&protocol),
		 ptr(&len)))
		return 0;
	if (protocol != IPPROTO_MPTCP_) {
		hold_note(h->no_mptcp, fd, 1);
		return 0;
	}
	len = sizeof(name);
	return gate(NR_GETPEERNAME, fd, ptr(name), ptr(&len), 0, 0) != 0;
}

/* The length of what the kernel says; state 0: it is no TCP socket. */
static uint32_t tcp_info(struct ipmon_hold *h, uint64_t fd,
			 struct tcp_info *info)
{
	uint32_t len = sizeof(*info);

	*info = (struct tcp_info){ 0 };
	if (!asking_changes(h, fd) &&
	    gate(NR_GETSOCKOPT, fd, IPPROTO_TCP_, TCP_INFO_, ptr(info),
		 ptr(&len)))
		info->tcpi_state = 0;
	return len;
}

unsigned int hold_tcp_state(struct ipmon_hold *h, uint64_t fd)
{
	struct tcp_info info;

	tcp_info(h, fd, &info);
	return info.tcpi_state;
}

/* Bytes that may be held for this descriptor, `held` with their costs are, n are
 * to be; 0: none. */
static uint32_t room(struct ipmon_hold *h, int fd, uint32_t held, uint32_t n)
{
	uint32_t mem[9] = { 0 }, len, free, sure = 0;
	struct tcp_info info;

	len = tcp_info(h, (uint64_t)fd, &info);
	if (!info.tcpi_state) {
		h->plain = fd;
		h->skip = SKIP;
		return 0;
	}
	/* a peer that has closed may answer the first one with a reset, which the
	 * next one meets */
	if (info.tcpi_state != TCP_ESTABLISHED_ &&
	    (info.tcpi_state != TCP_CLOSE_WAIT_ || held))
		return 0;
	/* the smallest buffer there is takes so much when it is empty; mostly in
	 * vain if another output follows that is larger */
	if (held)
		h->twice = TWICE;
	else if (h->twice)
		h->twice--;
	if (!held && !info.tcpi_unacked && !info.tcpi_notsent_bytes &&
	    len >= offsetof(struct tcp_info, tcpi_notsent_bytes) + 4)
		sure = hold_known(h->roomy, (uint32_t)fd) &&
			++h->asked % ASK_AGAIN ? ROOM_LARGE :
			h->twice ? 0 : ROOM_LEAST;
	if (n < sure)
		return info.tcpi_state == TCP_CLOSE_WAIT_ ? n + 1 : sure;
	len = sizeof(mem);
	if (gate(NR_GETSOCKOPT, (uint64_t)fd, SOL_SOCKET_, SO_MEMINFO_,
		 ptr(mem), ptr(&len)) || len < 4 * (MEMINFO_QUEUED + 1))
		return 0;
	free = mem[MEMINFO_SNDBUF] > mem[MEMINFO_QUEUED] + SEND_COST ?
		mem[MEMINFO_SNDBUF] - mem[MEMINFO_QUEUED] - SEND_COST : 0;
	free = (uint32_t)((uint64_t)free * info.tcpi_snd_mss /
			  (info.tcpi_snd_mss + SKB_COST));
	hold_note(h->roomy, (uint32_t)fd, free > 2 * ROOM_LARGE);
	return info.tcpi_state == TCP_CLOSE_WAIT_ && free > n ? n + 1 : free;
}

/* The operation to append n bytes to, room for them made sure; NULL: no. */
static struct ipmon_hold_op *operation(struct ipmon_hold *h, int fd, uint32_t n,
				       uint32_t more)
{
	struct ipmon_hold_op *last = h->n ? &h->op[h->n - 1] : NULL;
	uint32_t left = 0, held = 0, cost = n;

	for (uint32_t i = 0; i < h->n; i++) {
		if (h->op[i].fd != fd)
			continue;
		/* nothing comes behind the end */
		if (hold_is_end(&h->op[i]))
			return NULL;
		if (h->op[i].kind != HOLD_SEND)
			continue;
		left = h->op[i].room;
		held += h->op[i].len + SEND_COST;
	}
	/* what was to leave at once does not wait for more */
	if (last && (last->fd != fd || last->kind != HOLD_SEND ||
		     last->at + last->len != h->end || (more && !last->arg)))
		last = NULL;
	if (!last)
		cost += SEND_COST;
	if (left <= cost) {
		left = room(h, fd, held, n);
		left = left > held ? left - held : 0;
		cost = n;
	}
	if (left <= n)
		return NULL;
	if (!last) {
		if (h->n == IPMON_HOLD_OPS)
			return NULL;
		last = &h->op[h->n++];
		*last = (struct ipmon_hold_op){ .fd = fd, .at = h->end };
	}
	last->room = left > cost ? left - cost : 0;
	return last;
}

static int flags_fit(uint64_t flags)
{
	return !((uint32_t)flags & ~(uint32_t)(MSG_DONTWAIT_ | MSG_NOSIGNAL_ |
					       MSG_MORE_));
}

/* The bytes of an output, copied behind what is held; -1: not to be held.  The
 * pointers of o->frame lead to the copy. */
static int64_t gather(struct hold_output *o, unsigned char *to, uint32_t max)
{
	const uint64_t *args = o->frame.args;
	uint64_t iov, cnt, got = 0;

	switch (o->frame.nr) {
	case NR_SENDTO:
		if (args[4] || !flags_fit(args[3]))
			return -1;
		o->more = (uint32_t)args[3] & MSG_MORE_;
		__attribute__((fallthrough));
	case NR_WRITE:
		if (args[2] > max || mem_get(to, args[1], args[2]))
			return -1;
		o->frame.args[1] = ptr(to);
		return (int64_t)args[2];
	case NR_WRITEV:
		iov = args[1];
		cnt = args[2];
		break;
	case NR_SENDMSG:
		/* msghdr: name, namelen, iov, iovlen, control, controllen */
		if (!flags_fit(args[2]) ||
		    mem_get(o->msg, args[1], sizeof(o->msg)) ||
		    o->msg[0] || o->msg[4] || o->msg[5])
			return -1;
		o->more = (uint32_t)args[2] & MSG_MORE_;
		iov = o->msg[2];
		cnt = o->msg[3];
		o->msg[2] = ptr(o->iov);
		o->frame.args[1] = ptr(o->msg);
		break;
	default:
		return -1;
	}
	if (cnt - 1 >= HOLD_IOVS || mem_get(o->iov, iov, cnt * 16))
		return -1;
	if (o->frame.nr == NR_WRITEV)
		o->frame.args[1] = ptr(o->iov);
	for (uint64_t i = 0; i < cnt; i++) {
		uint64_t n = o->iov[i][1];

		if (n > max - got || mem_get(to + got, o->iov[i][0], n))
			return -1;
		/* whether it is null is compared */
		if (o->iov[i][0])
			o->iov[i][0] = ptr(to + got);
		got += n;
	}
	return (int64_t)got;
}

/* What sendfile would send; the new offset is put into the program's memory by
 * hold_taken(), which must not fail. */
static int64_t gather_file(struct hold_output *o, unsigned char *to,
			   uint32_t max)
{
	const uint64_t *args = o->frame.args;
	int64_t n;

	/* what has no positions has none to read at, either */
	if (!args[2] || args[3] > max || mem_get(&o->offset, args[2], 8) ||
	    mem_put(args[2], &o->offset, 8) || (int64_t)o->offset < 0)
		return -1;
	n = gate(NR_PREAD64, args[1], ptr(to), args[3], o->offset, 0);
	if (n < 0)
		return -1;
	o->offset += (uint64_t)n;
	o->offset_at = args[2];
	return n;
}

/* Room for HOLD_MAX bytes behind what is held, in one piece? */
static int data_room(struct ipmon_hold *h)
{
	uint32_t low = h->op[0].at;

	if (!h->n)
		return 1;
	if (h->end >= low) {
		if (IPMON_HOLD_BYTES - h->end >= HOLD_MAX)
			return 1;
		if (low <= HOLD_MAX)
			return 0;
		h->end = 0;
	}
	/* never full: then it would look empty */
	return low - h->end > HOLD_MAX;
}

void hold_make_room(struct ipmon_ctx *ctx, struct ipmon_hold *h)
{
	/* some of it: followers come to the rest while we go on */
	while (h->n && (h->n >= IPMON_HOLD_OPS || !data_room(h)))
		drain(ctx, h, h->n / 2 % IPMON_HOLD_OPS);
}

void hold_begun(struct ipmon_ctx *ctx, struct ipmon_hold *h)
{
	h->op[h->n - 1].pos = ctx->p.head + IPMON_RING_BYTES;
	if (h->n == 1)
		tell_held(ctx, h);
}

int hold_begin(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
	       struct hold_output *o)
{
	struct ipmon_hold *h = hold_of(ctx);
	struct ipmon_hold_op *op;
	unsigned char *to;
	int64_t n;

	/* a signal waits for a call that goes to the kernel */
	if (!h || !ctx->followers || ctx->pending)
		return 0;
	if (h->skip && h->plain == (int32_t)f->args[0]) {
		h->skip--;
		return 0;
	}
	hold_make_room(ctx, h);
	to = h->data + h->end;
	o->frame = *f;
	o->offset_at = 0;
	o->more = 0;
	o->frame.nr = (uint32_t)f->nr;
	if (o->frame.nr == NR_SETSOCKOPT)
		return hold_option(ctx, h, o);
	n = o->frame.nr == NR_SENDFILE ? gather_file(o, to, HOLD_MAX) :
		gather(o, to, HOLD_MAX);
	if (n <= 0)
		return 0;
	op = operation(h, (int)f->args[0], (uint32_t)n, o->more);
	if (!op)
		return 0;
	op->len += (uint32_t)n;
	op->arg = o->more;
	h->end += (uint32_t)n;
	o->ret = n;
	hold_begun(ctx, h);
	return 1;
}

void hold_taken(const struct hold_output *o)
{
	if (o->offset_at)
		mem_put(o->offset_at, &o->offset, sizeof(o->offset));
}

/*
 * So many operations after the last time followers are woken.  Woken for each they
 * would find that, and sleep again until the next one; woken at the end they, the peers
 * and we would work one after the other, if there is more than one processor.
 */
static uint32_t wake_after(const struct ipmon_ctx *ctx,
			   const struct ipmon_hold *h)
{
	uint32_t part = h->usual / USUAL / WAKES;

	return ctx->spin_max && h->usual && part < WAKE_AFTER ? part :
		WAKE_AFTER;
}

void hold_commit(struct ipmon_ctx *ctx)
{
	struct ipmon_hold *h = hold_of(ctx);

	h->op[h->n - 1].pos = ctx->p.head;
	ctx->n_held++;
	pace_output(ctx);
	/* it may never sleep */
	if (++h->turn == TURN_MOST)
		hold_turn_over(ctx);
	if (++h->quiet < wake_after(ctx, h))
		return;
	h->quiet = 0;
	wake_followers(ctx);
}
