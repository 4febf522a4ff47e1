// SPDX-License-Identifier: Apache-2.0
/*
 * The end of a connection, held like an output: close(2), shutdown(2).
 *
 * Theory of operation
 * -------------------
 * The peer sees the end behind the data, some time later, so it may wait with the
 * data (hold.c).  The program's number must be free at once: the next accept()
 * gets it.  So the connection is moved to another number, far away, before the
 * program's is closed; that one is closed when the followers have agreed.
 *
 * What must not be told apart from the native run
 *  - The other number.  A call that names it comes after the drain, as does
 *    everything that is not known to make no difference (hold_end_passes()).  One
 *    that is given a descriptor and, because numbers are taken, gets the wrong one
 *    or none is put right (hold_fd_result()).  What looks into /proc, forks or
 *    executes is left to monitord, hence comes after the drain anyway.
 *  - epoll.  A registration lives as long as the connection, which is somewhat
 *    longer than the program thinks: what it reports meanwhile is dropped
 *    (hold_event()).  If the connection is open elsewhere as well (a child of
 *    ours has it), the registration outlives the drain, too, and reports again
 *    what has not changed.
 *  - How it is closed.  SO_LINGER, anything but a stream that is connected, and
 *    the second half of a connection to be shut down: these wait.
 */
#include "hold_int.h"

#define NR_READ		0
#define NR_OPEN		2
#define NR_CLOSE	3
#define NR_STAT		4
#define NR_FSTAT	5
#define NR_LSTAT	6
#define NR_LSEEK	8
#define NR_RT_SIGPROCMASK 14
#define NR_IOCTL	16
#define NR_PREAD64	17
#define NR_READV	19
#define NR_ACCEPT	43
#define NR_RECVFROM	45
#define NR_RECVMSG	47
#define NR_SHUTDOWN	48
#define NR_GETSOCKNAME	51
#define NR_GETPEERNAME	52
#define NR_SETSOCKOPT	54
#define NR_GETSOCKOPT	55
#define NR_FCNTL	72
#define NR_CREAT	85
#define NR_EPOLL_WAIT	232
#define NR_EPOLL_CTL	233
#define NR_OPENAT	257
#define NR_NEWFSTATAT	262
#define NR_EPOLL_PWAIT	281
#define NR_ACCEPT4	288
#define NR_STATX	332

#define F_DUPFD_	0
#define F_GETFD_	1
#define F_GETFL_	3
#define F_SETFL_	4
#define F_DUPFD_CLOEXEC_ 1030
#define FD_CLOEXEC_	1
#define FIONBIO_	0x5421u
#define O_ACCMODE_	3
#define EMFILE_		24

#define S_IFMT_		0170000
#define S_IFREG_	0100000
#define S_IFIFO_	0010000
#define S_IFSOCK_	0140000
#define S_IFCHR_	0020000

#define AF_INET_	2
#define AF_INET6_	10
#define SOL_SOCKET_	1
#define SO_LINGER_	13
#define SHUT_WR_	1
#define TCP_SYN_SENT_	2
#define TCP_SYN_RECV_	3
#define TCP_LISTEN_	10
#define EPOLLHUP_	0x10u

/* Where hidden descriptors are: so many from here on. */
#define HIDE_NEAR	64u
static const uint16_t hide_from[] = { 960, 192, 4032, 32704 };

/* ---- who sees it ---- */

static unsigned int file_type(uint64_t fd)
{
	uint32_t st[36];	/* struct stat: st_mode at byte 24 */

	return gate(NR_FSTAT, fd, ptr(st), 0, 0, 0) ? 0 : st[6] & S_IFMT_;
}

static enum hold_end seen(uint64_t fd)
{
	switch (file_type(fd)) {
	case S_IFREG_:
		/* one that is written to: locks, and those who watch for it */
		return gate(NR_FCNTL, fd, F_GETFL_, 0, 0, 0) & O_ACCMODE_ ?
			END_WAITS : END_UNSEEN;
	case S_IFSOCK_:
	case S_IFIFO_:
	case S_IFCHR_:
		return END_WAITS;
	default:
		return END_UNSEEN;
	}
}

int hold_close_waits(uint64_t fd)
{
	return seen(fd) == END_WAITS;
}

/* ---- holding ---- */

static int sends_to(const struct ipmon_hold *h, uint64_t fd)
{
	for (uint32_t i = 0; i < h->n; i++)
		if (h->op[i].fd == (int32_t)fd)
			return 1;
	return 0;
}

/* Does close() do no more than say that it is the end? */
static int plain_end(uint64_t fd)
{
	uint32_t linger[2] = { 0 }, len = sizeof(linger);

	return !gate(NR_GETSOCKOPT, fd, SOL_SOCKET_, SO_LINGER_, ptr(linger),
		     ptr(&len)) && !linger[0];
}

static int connected(struct ipmon_hold *h, uint64_t fd)
{
	switch (hold_tcp_state(h, fd)) {
	case 0:
	case TCP_SYN_SENT_:
	case TCP_SYN_RECV_:
	case TCP_LISTEN_:
		return 0;
	default:
		return 1;
	}
}

/* Another number for it, or -1. */
static int64_t hide(struct ipmon_hold *h, uint64_t fd)
{
	const unsigned int n = sizeof(hide_from) / sizeof(hide_from[0]);

	for (unsigned int i = 0; i < n; i++, h->hide++) {
		uint64_t from = hide_from[h->hide % n];
		int64_t to = gate(NR_FCNTL, fd, F_DUPFD_CLOEXEC_, from, 0, 0);

		if (to >= (int64_t)from && to < (int64_t)(from + HIDE_NEAR))
			return to;
		if (to == -EMFILE_)
			break;
		/* above the limit, or where the program has its own */
		if (to >= 0)
			gate(NR_CLOSE, (uint64_t)to, 0, 0, 0, 0);
	}
	return -1;
}

static struct ipmon_hold_op *end_op(struct ipmon_ctx *ctx, struct ipmon_hold *h,
				    unsigned int kind, int64_t fd)
{
	struct ipmon_hold_op *op = &h->op[h->n++];

	*op = (struct ipmon_hold_op){ .fd = (int32_t)fd, .at = h->end,
				      .kind = (uint16_t)kind };
	if (!h->ends++ && ctx->epoll)
		h->age = ctx_epoll(ctx)->age;
	hold_begun(ctx, h);
	return op;
}

/* Registrations of this number are not of a connection that is open. */
static void forget(const struct ipmon_ctx *ctx, struct ipmon_hold *h,
		   uint32_t fd)
{
	uint32_t i = 0;

	while (i < h->n_fresh) {
		if (ctx_epoll(ctx)->slot[h->fresh[i]].fd == fd)
			h->fresh[i] = h->fresh[--h->n_fresh];
		else
			i++;
	}
}

static enum hold_end hold_close(struct ipmon_ctx *ctx, uint64_t fd)
{
	struct ipmon_hold *h = hold_of(ctx);
	enum hold_end end = END_WAITS;
	int64_t to;

	fd = (uint32_t)fd;
	if (!h || !ctx->followers)
		return seen(fd);
	/* it may be something else the next time */
	if (h->plain == (int32_t)fd)
		h->skip = 0;
	hold_make_room(ctx, h);
	if (!sends_to(h, fd)) {
		end = seen(fd);
		if (end != END_WAITS || !connected(h, fd))
			return end;
	}
	if (!plain_end(fd))
		return END_WAITS;
	to = hide(h, fd);
	if (to < 0)
		return END_WAITS;
	gate(NR_CLOSE, fd, 0, 0, 0, 0);
	for (uint32_t i = 0; i < h->n; i++)
		if (h->op[i].fd == (int32_t)fd)
			h->op[i].fd = (int32_t)to;
	forget(ctx, h, (uint32_t)fd);
	end_op(ctx, h, HOLD_CLOSE, to)->was = (int32_t)fd;
	return END_HELD;
}

static enum hold_end hold_shutdown(struct ipmon_ctx *ctx, uint64_t fd,
				   uint64_t how)
{
	struct ipmon_hold *h = hold_of(ctx);

	fd = (uint32_t)fd;
	/* the other half is open: nothing but the peer's view changes */
	if (!h || !ctx->followers || (uint32_t)how != SHUT_WR_ ||
	    hold_tcp_state(h, fd) != TCP_ESTABLISHED_)
		return END_WAITS;
	for (uint32_t i = 0; i < h->n; i++)
		if (h->op[i].fd == (int32_t)fd && hold_is_end(&h->op[i]))
			return END_WAITS;
	hold_make_room(ctx, h);
	end_op(ctx, h, HOLD_SHUTDOWN, (int64_t)fd)->arg = SHUT_WR_;
	return END_HELD;
}

enum hold_end hold_end(struct ipmon_ctx *ctx, uint64_t nr,
		       const uint64_t args[6])
{
	switch (nr) {
	case NR_CLOSE:
		return hold_close(ctx, args[0]);
	case NR_SHUTDOWN:
		return hold_shutdown(ctx, args[0], args[1]);
	case NR_SETSOCKOPT:
		return hold_option_waits(args) ? END_WAITS : END_UNSEEN;
	default:
		return END_WAITS;
	}
}

/* ---- other calls meanwhile ---- */

/* Does this message bring descriptors? */
static int takes_control(uint64_t msg)
{
	uint64_t m[7];

	return mem_get(m, msg, sizeof(m)) || m[5];
}

int hold_end_passes(const struct ipmon_hold *h, const struct ipmon_plan *plan,
		    uint64_t nr, const uint64_t args[6])
{
	unsigned int fds = plan->fds, n, i;

	for (n = 0; fds; n++, fds >>= 1)
		for (i = 0; (fds & 1) && i < h->n; i++)
			if (h->op[i].kind == HOLD_CLOSE &&
			    h->op[i].fd == (int32_t)args[n])
				return 0;
	if (hold_kind(nr))
		return 1;
	switch (nr) {
	case NR_READ:
	case NR_PREAD64:
	case NR_READV:
	case NR_RECVFROM:
	case NR_OPEN:
	case NR_CREAT:
	case NR_OPENAT:
	case NR_STAT:
	case NR_FSTAT:
	case NR_LSTAT:
	case NR_NEWFSTATAT:
	case NR_STATX:
	case NR_LSEEK:
	case NR_RT_SIGPROCMASK:
	case NR_ACCEPT:
	case NR_ACCEPT4:
	case NR_CLOSE:
	case NR_SHUTDOWN:
	case NR_GETSOCKNAME:
	case NR_GETPEERNAME:
	case NR_GETSOCKOPT:
	case NR_EPOLL_CTL:
	case NR_EPOLL_WAIT:
	case NR_EPOLL_PWAIT:
		return 1;
	case NR_SETSOCKOPT:
		return hold_pushes(args);
	case NR_RECVMSG:
		return !takes_control(args[1]);
	case NR_IOCTL:
		return (uint32_t)args[1] == FIONBIO_;
	case NR_FCNTL:
		return (uint32_t)args[1] - F_GETFD_ <= F_SETFL_ - F_GETFD_;
	default:
		return 0;
	}
}

int64_t hold_fd_result(struct ipmon_ctx *ctx, const struct ipmon_call *call,
		       int64_t ret)
{
	const struct ipmon_hold *h = hold_of(ctx);
	int64_t flags, right;
	int taken = 0;

	if (ipmon_row(call->nr)->result != RES_FD)
		return ret;
	if (ret == -EMFILE_) {
		hold_drain(ctx);
		return ipmon_gate_call(call);
	}
	for (uint32_t i = 0; i < h->n; i++)
		if (h->op[i].kind == HOLD_CLOSE && h->op[i].fd < ret)
			taken = 1;
	if (!taken)
		return ret;
	hold_drain(ctx);
	flags = gate(NR_FCNTL, (uint64_t)ret, F_GETFD_, 0, 0, 0);
	right = gate(NR_FCNTL, (uint64_t)ret, flags & FD_CLOEXEC_ ?
		     F_DUPFD_CLOEXEC_ : F_DUPFD_, 0, 0, 0);
	if (right >= 0)
		gate(NR_CLOSE, (uint64_t)(right < ret ? ret : right), 0, 0, 0,
		     0);
	return right >= 0 && right < ret ? right : ret;
}

/* ---- who gets it ---- */

/* The port of one side of a connection, at least 1: something else. */
static uint16_t port(uint64_t nr, uint64_t fd)
{
	uint8_t name[128] = { 0 };	/* sockaddr_storage */
	uint32_t len = sizeof(name);
	uint16_t family, p;

	if (gate(nr, fd, ptr(name), ptr(&len), 0, 0))
		return 1;
	family = (uint16_t)(name[0] | name[1] << 8);
	p = (uint16_t)(name[2] << 8 | name[3]);
	return (family == AF_INET_ || family == AF_INET6_) && p ? p : 1;
}

int hold_reaches(struct ipmon_hold *h, uint64_t fd)
{
	uint16_t own = 0;

	for (uint32_t i = 0; i < h->n; i++) {
		struct ipmon_hold_op *op = &h->op[i];

		if (op->fd == (int32_t)fd)
			continue;
		if (!own)
			own = port(NR_GETSOCKNAME, fd);
		if (own == 1)
			return 0;
		if (!op->peer)
			op->peer = port(NR_GETPEERNAME, (uint64_t)op->fd);
		if (op->peer == own)
			return 1;
	}
	return 0;
}

/* ---- epoll ---- */

void hold_register(struct ipmon_ctx *ctx, int slot)
{
	const struct ipmon_epoll *t = ctx_epoll(ctx);

	/* its tag may be that of a registration which ends but still reports */
	if ((t->slot[slot].ep & EPOLL_EP) == EPOLL_RETIRED &&
	    (int32_t)(t->slot[slot].fd - hold_of(ctx)->age) >= 0)
		hold_drain(ctx);
}

void hold_registered(struct ipmon_ctx *ctx, int slot)
{
	struct ipmon_hold *h = hold_of(ctx);

	if (h->n_fresh == IPMON_HOLD_OPS)
		hold_drain(ctx);
	else
		h->fresh[h->n_fresh++] = (uint16_t)slot;
}

static int fresh(const struct ipmon_hold *h, uint16_t slot)
{
	for (uint32_t i = 0; i < h->n_fresh; i++)
		if (h->fresh[i] == slot)
			return 1;
	return 0;
}

enum hold_event hold_event(const struct ipmon_ctx *ctx, uint64_t tag,
			   uint32_t *events)
{
	struct ipmon_hold *h = hold_of(ctx);
	const struct ipmon_epoll_slot *slot =
		&ctx_epoll(ctx)->slot[(uint16_t)tag];
	enum hold_event ev = EVENT_KEPT;
	uint64_t data;

	if (epoll_data(ctx_epoll(ctx), tag, &data))
		return EVENT_KEPT;
	/* its number has been registered anew: it was closed before */
	if ((slot->ep & EPOLL_EP) == EPOLL_RETIRED)
		return EVENT_GONE;
	for (uint32_t i = 0; i < h->n; i++) {
		const struct ipmon_hold_op *op = &h->op[i];

		if (op->kind == HOLD_CLOSE && (int32_t)slot->fd == op->was &&
		    !fresh(h, (uint16_t)tag))
			return EVENT_GONE;
		/* both halves are closed, then */
		if (op->kind == HOLD_SHUTDOWN && (int32_t)slot->fd == op->fd &&
		    !(*events & EPOLLHUP_) &&
		    hold_tcp_state(h, slot->fd) != TCP_ESTABLISHED_) {
			*events |= EPOLLHUP_;
			ev = EVENT_CHANGED;
		}
	}
	return ev;
}
