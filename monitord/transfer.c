// SPDX-License-Identifier: Apache-2.0
/*
 * Transfers that end half-way because of a stop the program may not notice.
 *
 * Theory of operation
 * -------------------
 * A blocking write to a pipe or a stream, a recv with MSG_WAITALL, a splice that
 * leaves something in its pipe, and a sendmmsg come back with a short count only if a
 * signal comes (or an error, which who goes on meets again).  One that is ignored does
 * not count as one natively, but a traced task stops for it, and so it does when the
 * monitor interrupts it.  Calls that have done nothing are repeated then
 * (signal.c); those that have done a part go on behind it.
 *
 * (A signal of the process may wake one thread and be taken by another, so that
 * often there is no sign of it: any such call with a short count is meant here.)
 *
 * In the gate (fast_stop), or when IP-MON sees it (IPMON_NR_CUT): the leader is
 * kicked out of the call as if it had been interrupted, with what it has done as
 * the result that it would have had (s->kick_ret > 0), and the call goes on at
 * the rendezvous.  At the end of a call of monitord's: the leader comes to its
 * instruction again.  Either way the rest is a call of its own, task_rewrite(),
 * of as many vectors as there is room for; s->partial is what has been done before
 * it.  The program is told the sum.
 *
 * A caught signal that comes meanwhile ends it: the sum so far is the result, as
 * it would have been.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "handlers.h"
#include "signal_int.h"
#include "signals.h"
#include "tracee.h"
#include "transfer.h"
#include "valuemap.h"

#define RW_MAX		0x7ffff000u	/* MAX_RW_COUNT */
#define NOT_WAITING	(MSG_PEEK | MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB)

/* struct user_msghdr, in words */
enum { MSG_NAME, MSG_NAMELEN, MSG_IOV, MSG_IOVLEN, MSG_CTL, MSG_CTLLEN,
	MSG_FLAGS, MSG_WORDS };
/* vectors that fit behind one of these in a slot of the scratch pages */
#define PIECE_IOVS ((SCRATCH_SLOT - MSG_WORDS * 8) / 16)

/* Is it a call of such a kind? */
static bool is_transfer(uint64_t nr, const uint64_t a[6])
{
	switch (nr) {
	case SYS_write:
	case SYS_writev:
	case SYS_sendfile:
	case SYS_splice:
		return true;
	case SYS_sendto:
		return !(a[3] & NOT_WAITING);
	case SYS_sendmsg:
		return !(a[2] & NOT_WAITING);
	case SYS_recvfrom:
		return !(a[3] & NOT_WAITING) && a[3] & MSG_WAITALL;
	case SYS_recvmsg:
		return !(a[2] & NOT_WAITING) && a[2] & MSG_WAITALL;
	case SYS_sendmmsg:
		return !(a[3] & NOT_WAITING);
	default:
		return false;
	}
}

/* Where its data is. */
struct transfer {
	uint64_t len;		/* of one span, or messages, or */
	uint64_t iov, n_iov;	/* vectors */
	bool in;
	uint64_t msg[MSG_WORDS];
};

static bool transfer_of(struct task *t, uint64_t nr, const uint64_t a[6],
			struct transfer *x)
{
	*x = (struct transfer){ .in = nr == SYS_recvfrom || nr == SYS_recvmsg };
	if (!is_transfer(nr, a))
		return false;
	switch (nr) {
	case SYS_writev:
		x->iov = a[1];
		x->n_iov = (uint32_t)a[2];
		return true;
	case SYS_sendmsg:
	case SYS_recvmsg:
		if (mem_read(t, x->msg, a[1], sizeof(x->msg)))
			return false;
		x->iov = x->msg[MSG_IOV];
		x->n_iov = x->msg[MSG_IOVLEN];
		return true;
	case SYS_sendfile:
		x->len = a[3];
		return true;
	case SYS_splice:
		x->len = a[4];
		return true;
	case SYS_sendmmsg:
		x->len = (uint32_t)a[2] < UIO_MAXIOV ? (uint32_t)a[2] : UIO_MAXIOV;
		return true;
	default:
		x->len = a[2];
		return true;
	}
}

/* Bytes asked for. */
static uint64_t size_of(struct task *t, const struct transfer *x)
{
	uint64_t sum = x->len, iov[2];

	if (x->n_iov > UIO_MAXIOV)
		return 0;
	for (uint64_t i = 0; i < x->n_iov && sum < RW_MAX; i++) {
		if (mem_read(t, iov, x->iov + i * sizeof(iov), sizeof(iov)))
			return 0;
		sum += iov[1];
	}
	return sum < RW_MAX ? sum : RW_MAX;
}

static bool has_timeout(int fd, int option)
{
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);

	return getsockopt(fd, SOL_SOCKET, option, &tv, &len) || tv.tv_sec ||
		tv.tv_usec;
}

static bool is_stream(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) &&
		type == SOCK_STREAM;
}

static bool is_socket(struct taskset *s)
{
	int fd = leader_getfd(s, (int)s->t[LEADER].call.args[0]);
	struct stat st;
	bool yes = fd >= 0 && !fstat(fd, &st) && S_ISSOCK(st.st_mode);

	if (fd >= 0)
		close(fd);
	return yes;
}

/*
 * What is received from a stream ends early where something else is between the
 * bytes: descriptors or credentials (unix(7)), urgent data.  (Whether recv() has
 * stopped at descriptors, which it did not ask for, cannot be told.)
 */
static bool at_border(int fd, const struct transfer *x)
{
	int domain = AF_UNIX, mark = 0;
	socklen_t len = sizeof(domain);

	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	if (domain == AF_UNIX)
		return x->iov && (x->msg[MSG_CTLLEN] ||
				  (uint32_t)x->msg[MSG_FLAGS] & MSG_CTRUNC);
	return !ioctl(fd, SIOCATMARK, &mark) && mark;
}

/* A descriptor on which a short count is no natural end. */
static bool waits(struct taskset *s, int number, const struct transfer *x)
{
	int fd = leader_getfd(s, number);
	struct stat st;
	bool yes;

	if (fd < 0)
		return false;
	yes = !(fcntl(fd, F_GETFL) & O_NONBLOCK) && !fstat(fd, &st);
	if (yes && S_ISSOCK(st.st_mode))
		yes = is_stream(fd) &&
			!has_timeout(fd, x->in ? SO_RCVTIMEO : SO_SNDTIMEO) &&
			!(x->in && at_border(fd, x));
	else if (yes)
		yes = !x->in && (S_ISFIFO(st.st_mode) || isatty(fd));
	close(fd);
	return yes;
}

/* The same for a splice: from a pipe that is not empty to a connection. */
static bool splice_waits(struct taskset *s, const uint64_t a[6],
			 const struct transfer *x)
{
	int in = leader_getfd(s, (int)a[0]), out, left = 0;
	struct stat st;
	bool yes = in >= 0 && !fstat(in, &st) && S_ISFIFO(st.st_mode) &&
		!ioctl(in, FIONREAD, &left) && left > 0;

	if (in >= 0)
		close(in);
	if (!yes)
		return false;
	out = leader_getfd(s, (int)a[2]);
	yes = out >= 0 && !fstat(out, &st) && S_ISSOCK(st.st_mode);
	if (out >= 0)
		close(out);
	return yes && waits(s, (int)a[2], x);
}

/* Has the last one of these messages been sent as a whole?  (What is left of it could
 * not be told from the next one.) */
static bool is_whole(struct task *t, uint64_t msgs, uint64_t done)
{
	uint64_t m[sizeof(struct mmsghdr) / 8];
	struct transfer x = { 0 };

	if (!done || mem_read(t, m, msgs + (done - 1) * sizeof(m), sizeof(m)))
		return false;
	x.iov = m[MSG_IOV];
	x.n_iov = m[MSG_IOVLEN];
	return size_of(t, &x) == (uint32_t)m[MSG_WORDS];
}

/* A sendmmsg on a descriptor that waits.  An error that is to be told is told once only,
 * to the next call. */
static bool messages_wait(struct taskset *s, const uint64_t a[6], uint64_t done)
{
	int fd = is_whole(&s->t[LEADER], a[1], done) ?
		leader_getfd(s, (int)a[0]) : -1;
	struct pollfd p = { .fd = fd };
	bool yes = fd >= 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK) &&
		!has_timeout(fd, SO_SNDTIMEO) && !poll(&p, 1, 0);

	if (fd >= 0)
		close(fd);
	return yes;
}

bool transfer_is_short(struct taskset *s, uint64_t nr, const uint64_t a[6],
		       uint64_t done)
{
	struct transfer x;

	return transfer_of(&s->t[LEADER], nr, a, &x) &&
		done < size_of(&s->t[LEADER], &x) &&
		(nr == SYS_splice ? splice_waits(s, a, &x) :
		 nr == SYS_sendmmsg ? messages_wait(s, a, done) :
		 waits(s, (int)a[0], &x));
}

/* The vectors behind what has been done, as many as fit: their number. */
static uint64_t rest_of(struct task *t, const struct transfer *x, uint64_t done,
			uint64_t piece[PIECE_IOVS][2], uint64_t *bytes)
{
	uint64_t n = 0;

	*bytes = 0;
	/* read anew: it need not be the number that size_of() has seen */
	for (uint64_t i = 0; i < x->n_iov && i < UIO_MAXIOV && n < PIECE_IOVS;
	     i++) {
		uint64_t iov[2];

		if (mem_read(t, iov, x->iov + i * sizeof(iov), sizeof(iov)))
			break;
		if (done >= iov[1]) {
			done -= iov[1];
			continue;
		}
		piece[n][0] = iov[0] + done;
		piece[n][1] = iov[1] - done;
		*bytes += piece[n++][1];
		done = 0;
	}
	return n;
}

/* The arguments of the rest, *nr its number; false: its memory is not to be read
 * any more.  A connection that has broken meanwhile natively raises no SIGPIPE for
 * a call that has transferred something. */
static bool rest_args(struct taskset *s, uint64_t a[6], uint64_t *nr)
{
	struct task *t = &s->t[LEADER];
	uint64_t slot = scratch_slot(s, LEADER), n, flags = 0;
	uint64_t iov[PIECE_IOVS][2];
	struct transfer x;

	memcpy(a, t->call.args, sizeof(t->call.args));
	*nr = t->call.nr;
	s->piece = 0;
	if (!transfer_of(t, *nr, a, &x))
		return false;
	if (*nr == SYS_sendfile) {
		a[3] -= s->partial;
		return true;
	}
	if (*nr == SYS_splice) {
		/* as long as there is something */
		a[4] -= s->partial;
		a[5] |= SPLICE_F_NONBLOCK;
		return true;
	}
	if (*nr == SYS_sendmmsg) {
		a[1] += s->partial * sizeof(struct mmsghdr);
		a[2] = x.len - s->partial;
		return true;
	}
	if (!x.in && is_socket(s))
		flags = MSG_NOSIGNAL;
	if (!x.iov) {
		a[1] += s->partial;
		a[2] -= s->partial;
		if (*nr == SYS_write && flags) {
			*nr = SYS_sendto;
			a[3] = a[4] = a[5] = 0;
		}
		/* whom it is from has been told */
		if (x.in)
			a[4] = a[5] = 0;
		if (*nr == SYS_sendto)
			a[3] |= flags;
		return true;
	}
	n = rest_of(t, &x, s->partial, iov, &s->piece);
	if (!n || mem_write(t, slot + sizeof(x.msg), iov, n * sizeof(iov[0])))
		return false;
	if (*nr == SYS_writev && !flags) {
		a[1] = slot + sizeof(x.msg);
		a[2] = n;
		return true;
	}
	if (*nr == SYS_writev) {
		*nr = SYS_sendmsg;
		a[2] = 0;
		memset(x.msg, 0, sizeof(x.msg));
	}
	x.msg[MSG_IOV] = slot + sizeof(x.msg);
	x.msg[MSG_IOVLEN] = n;
	x.msg[MSG_CTL] = x.msg[MSG_CTLLEN] = 0;
	if (x.in)
		x.msg[MSG_NAME] = x.msg[MSG_NAMELEN] = 0;
	a[1] = slot;
	a[2] |= flags;
	return !mem_write(t, slot, x.msg, sizeof(x.msg));
}

void transfer_go_on(struct taskset *s)
{
	struct task *t = &s->t[LEADER];
	uint64_t a[6], nr;

	s->state = SET_CALL;
	if (!rest_args(s, a, &nr)) {
		generic_done(s, (int64_t)s->partial);
		return;
	}
	if (task_rewrite(t, nr, a) < 0)
		return;
	s->rewritten = true;
	task_resume(t, PTRACE_SYSCALL, 0);
}

/* Has it come back for something that does not count? */
static bool for_nothing(const struct task *t)
{
	struct sigstate st;
	uint64_t open;

	if (!sigstate_pending(t))
		/* files end */
		return t->call.nr != SYS_sendfile;
	if (sigstate_read(t, &st))
		return false;
	open = st.pending & ~st.blocked;
	for (int sig = 1; sig < 65; sig++)
		if (open & BIT(sig) && signal_effect(sig, &st) != EFF_IGNORED)
			return false;
	return true;
}

/* Has it certainly done all it was asked for?  From what is known already. */
static bool all_done(const struct task *t, uint64_t done)
{
	uint64_t most = t->call.nr == SYS_sendfile ? t->call.args[3] :
		t->call.nr == SYS_splice ? t->call.args[4] :
		t->call.nr == SYS_sendmmsg ? (uint32_t)t->call.args[2] : 0;

	for (unsigned int i = 0; i < t->items.n; i++)
		most += t->items.v[i].len;
	return done >= most;
}

bool transfer_ended(struct taskset *s, int64_t ret)
{
	struct task *t = &s->t[LEADER];
	uint64_t done = s->partial + (uint64_t)ret;

	if (!is_transfer(t->call.nr, t->call.args) || all_done(t, done))
		return false;
	/* the piece was all that had room */
	if ((uint64_t)ret != s->piece && !for_nothing(t))
		return false;
	if (!transfer_is_short(s, t->call.nr, t->call.args, done))
		return false;
	s->partial = done;
	s->ret = (int64_t)done;
	signal_repeat(s);
	return true;
}
