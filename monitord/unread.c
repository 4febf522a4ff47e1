// SPDX-License-Identifier: Apache-2.0
/*
 * Inputs the kernel does not look at.
 *
 * Theory of operation
 * -------------------
 * A length that is too large is an error before any byte is read, and what lies
 * behind a program's buffer may be anything, addresses among it.  And a header has
 * bytes that are reserved, which programs leave as they find them.  Both depend on
 * what the descriptor is, which the walkers do not know; so it is looked at here,
 * after a difference has been found:
 *
 *   mq_timedsend	more than the queue's message size (EMSGSIZE)
 *   msgsnd		more than any message's (EINVAL)
 *   sendto, write	on datagram sockets, more than a datagram may have (EMSGSIZE)
 *   the same		on generic netlink, genlmsghdr.reserved
 *   sendto		the address, on TCP sockets: servers for TCP and UDP alike
 *			pass what recvfrom has left as it was
 *
 * In-process the leader may be ahead, and the descriptor another one by now: the
 * record must say that the call did nothing, or that the leader is waiting with it.
 * Not so for the address: such servers are always ahead.  What the descriptor is by
 * then counts (doc/threat-model.md).
 */
#include <mqueue.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/netlink.h>

#include "fast_report.h"
#include "tracee.h"
#include "unread.h"

#define DATAGRAM_MAX	0xffffu
#define GENL_RESERVED	18u	/* behind nlmsghdr, command and version */
#define GENL_PAYLOAD	20u

static int sock_int(int fd, int what)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(fd, SOL_SOCKET, what, &value, &len) < 0 ? -1 : value;
}

static uint64_t of_socket(int fd, uint64_t len, uint64_t off)
{
	bool datagrams = sock_int(fd, SO_TYPE) == SOCK_DGRAM;
	int proto;

	switch (sock_int(fd, SO_DOMAIN)) {
	case AF_INET:
	case AF_INET6:
		/* others have no such limit (l2tp) */
		proto = sock_int(fd, SO_PROTOCOL);
		return datagrams && len > DATAGRAM_MAX &&
			(proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE ||
			 proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6) ?
			len - off : 0;
	case AF_UNIX:
		return datagrams && len > (uint64_t)sock_int(fd, SO_SNDBUF) ?
			len - off : 0;
	case AF_NETLINK:
		return sock_int(fd, SO_PROTOCOL) == NETLINK_GENERIC &&
			off >= GENL_RESERVED && off < GENL_PAYLOAD &&
			len >= GENL_PAYLOAD ? GENL_PAYLOAD - off : 0;
	default:
		return 0;
	}
}

/* TCP looks at it to connect with the first bytes only.  The family is compared. */
static uint64_t of_address(int fd, uint64_t flags, uint64_t len, uint64_t off)
{
	int domain = sock_int(fd, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6) &&
		sock_int(fd, SO_PROTOCOL) == IPPROTO_TCP &&
		!(flags & MSG_FASTOPEN) ? len - off : 0;
}

static uint64_t of_queue(int fd, uint64_t len, uint64_t off)
{
	struct mq_attr attr;

	return !mq_getattr(fd, &attr) && len > (uint64_t)attr.mq_msgsize ?
		len - off : 0;
}

/* The limit is one of the namespace's; we know that of our own. */
static uint64_t of_message(const struct taskset *s, uint64_t text, uint64_t len,
			   uint64_t off)
{
	struct msginfo info;
	struct stat ours, its;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", (int)s->t[LEADER].tid);
	return !stat(path, &its) && !stat("/proc/self/ns/ipc", &ours) &&
		its.st_ino == ours.st_ino &&
		msgctl(0, IPC_INFO, (void *)&info) >= 0 &&
		text > (uint64_t)info.msgmax ? len - off : 0;
}

static bool is_address(uint64_t nr, unsigned int arg)
{
	return nr == SYS_sendto && arg == 4;
}

uint64_t unread_bytes(struct taskset *s, uint64_t nr, const uint64_t args[6],
		      unsigned int arg, uint64_t len, uint64_t off)
{
	uint64_t n;
	int fd;

	if (off >= len || (arg != 1 && !is_address(nr, arg)))
		return 0;
	if (nr == SYS_msgsnd)
		return of_message(s, args[2], len, off);
	if (nr != SYS_mq_timedsend && nr != SYS_sendto && nr != SYS_write)
		return 0;
	fd = leader_getfd(s, (int)args[0]);
	if (fd < 0)
		return 0;
	n = arg != 1 ? of_address(fd, args[3], len, off) :
		nr == SYS_mq_timedsend ? of_queue(fd, len, off) :
		of_socket(fd, len, off);
	close(fd);
	return n;
}

uint64_t unread_reported(struct task *t, const struct ring_call *c)
{
	const uint64_t *a = t->call.args;
	struct ipmon_difference x;
	struct fast_where w;
	uint64_t n;

	if (!fast_where(t, &w) || !w.has_call || mem_read(t, &x, a[5], sizeof(x)) ||
	    x.len[0] != x.len[1] || x.arg < 0 || c->nr != w.call.nr)
		return 0;
	n = unread_bytes(t->set, w.call.nr, w.call.args, (unsigned int)x.arg,
			 x.len[1], x.offset);
	/* all of the data: nothing was sent */
	if (!is_address(c->nr, (unsigned int)x.arg) && n == x.len[1] - x.offset &&
	    !(c->done ? c->ret < 0 : c->flags & REC_INPUTS))
		return 0;
	return n;
}
