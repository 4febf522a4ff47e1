/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of every family this kernel has: options read and set across all
 * levels, addresses, ancillary data, flags, errors.
 */
#include "victim.h"
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vm_sockets.h>
#include <net/ethernet.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>

static const struct {
	int family, type, proto;
	const char *name;
} kinds[] = {
	{ AF_UNIX, SOCK_STREAM, 0, "unix stream" }, { AF_UNIX, SOCK_DGRAM, 0, "unix dgram" },
	{ AF_UNIX, SOCK_SEQPACKET, 0, "unix seqpacket" }, { AF_INET, SOCK_STREAM, 0, "tcp" },
	{ AF_INET, SOCK_DGRAM, 0, "udp" }, { AF_INET6, SOCK_STREAM, 0, "tcp6" },
	{ AF_INET6, SOCK_DGRAM, 0, "udp6" }, { AF_INET, SOCK_RAW, IPPROTO_ICMP, "raw" },
	{ AF_INET, SOCK_DGRAM, IPPROTO_ICMP, "ping" }, { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, "netlink" },
	{ AF_PACKET, SOCK_RAW, 0, "packet" }, { AF_VSOCK, SOCK_STREAM, 0, "vsock" },
	{ AF_ALG, SOCK_SEQPACKET, 0, "alg" }, { AF_INET, SOCK_STREAM, IPPROTO_SCTP, "sctp" },
	{ AF_INET, SOCK_STREAM, 262, "mptcp" }, { AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, "udplite" },
	{ 99, SOCK_STREAM, 0, "no family" }, { AF_INET, 99, 0, "no type" },
	{ AF_INET, SOCK_STREAM, 99, "no protocol" },
};

/* Which options exist and their sizes, not their values. */
static void options(int s, const char *name)
{
	static const int levels[] = { SOL_SOCKET, SOL_IP, SOL_TCP, SOL_UDP, SOL_IPV6, SOL_PACKET, SOL_NETLINK, 284, 999 };

	for (unsigned int l = 0; l < sizeof(levels) / sizeof(levels[0]); l++) {
		unsigned int ok = 0, total = 0, sum = 0;

		for (int o = 0; o < 84; o++) {
			char b[512];
			socklen_t n = sizeof(b);

			/* netfilter's and TCP_ZEROCOPY_RECEIVE hold pointers */
			if ((o >= 64 && (!levels[l] || levels[l] == SOL_IPV6)) ||
			    (o == 35 && levels[l] == SOL_TCP))
				continue;
			memset(b, 0x5a, sizeof(b));
			if (getsockopt(s, levels[l], o, b, &n) < 0) {
				sum = sum * 31 + (unsigned int)errno;
				continue;
			}
			ok++;
			/* a connected socket's statistics vary in size */
			total += n;
		}
		if (ok)
			printf("  %s level %d: %u options, %u bytes, %08x\n", name, levels[l], ok, total, sum);
	}
}

static void set(int s, const char *name)
{
	static const struct {
		int level, opt, value;
	} sets[] = {
		{ SOL_SOCKET, SO_REUSEADDR, 1 }, { SOL_SOCKET, SO_KEEPALIVE, 1 }, { SOL_SOCKET, SO_BROADCAST, 1 },
		{ SOL_SOCKET, SO_SNDBUF, 10000 }, { SOL_SOCKET, SO_RCVBUF, 10000 }, { SOL_SOCKET, SO_PRIORITY, 3 },
		{ SOL_SOCKET, SO_PASSCRED, 1 }, { SOL_SOCKET, SO_RCVLOWAT, 1 }, { SOL_SOCKET, SO_TIMESTAMP, 1 },
		{ SOL_SOCKET, SO_MARK, 1 }, { SOL_SOCKET, SO_BUSY_POLL, 1 }, { SOL_SOCKET, SO_INCOMING_CPU, 0 },
		{ SOL_SOCKET, SO_REUSEPORT, 1 }, { SOL_SOCKET, SO_ZEROCOPY, 1 }, { SOL_SOCKET, SO_SNDBUFFORCE, 10000 },
		{ SOL_IP, IP_TTL, 5 }, { SOL_IP, IP_TOS, 16 }, { SOL_IP, IP_PKTINFO, 1 }, { SOL_IP, IP_RECVERR, 1 },
		{ SOL_IP, IP_MTU_DISCOVER, 2 }, { SOL_IP, IP_MULTICAST_TTL, 3 }, { SOL_IP, IP_TRANSPARENT, 1 },
		{ SOL_IPV6, IPV6_V6ONLY, 1 }, { SOL_IPV6, IPV6_UNICAST_HOPS, 7 }, { SOL_IPV6, IPV6_RECVPKTINFO, 1 },
		{ SOL_TCP, TCP_NODELAY, 1 }, { SOL_TCP, TCP_CORK, 0 }, { SOL_TCP, TCP_KEEPIDLE, 10 },
		{ SOL_TCP, TCP_DEFER_ACCEPT, 1 }, { SOL_TCP, TCP_MAXSEG, 1000 }, { SOL_TCP, TCP_QUICKACK, 1 },
		{ SOL_TCP, TCP_FASTOPEN, 5 }, { SOL_UDP, UDP_CORK, 0 }, { SOL_PACKET, PACKET_AUXDATA, 1 },
		{ SOL_NETLINK, NETLINK_PKTINFO, 1 }, { SOL_NETLINK, NETLINK_EXT_ACK, 1 }, { 999, 1, 1 },
	};
	unsigned int sum = 0, ok = 0;
	struct linger lg = { 1, 3 };
	struct timeval tv = { 2, 0 };

	for (unsigned int i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		int r = setsockopt(s, sets[i].level, sets[i].opt, &sets[i].value, sizeof(int));

		sum = sum * 31 + (unsigned int)(r ? errno : 0);
		ok += !r;
	}
	ok += !setsockopt(s, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg));
	ok += !setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	ok += !setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
	ok += !setsockopt(s, SOL_TCP, TCP_CONGESTION, "reno", 4);
	printf("  %s: %u set, %08x\n", name, ok, sum);
	setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "", 0);
	SAYS(setsockopt(s, SOL_SOCKET, SO_LINGER, &lg, 3));
	SAYS(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (void *)8, 4));
	SAYS(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &lg, -1));
}

static void filter(int s)
{
	struct sock_filter all[] = { { BPF_RET | BPF_K, 0, 0, 0xffff } };
	struct sock_fprog p = { 1, all };

	SAYS(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)));
	SAYS(setsockopt(s, SOL_SOCKET, SO_LOCK_FILTER, &(int){ 0 }, 4));
	SAYS(setsockopt(s, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, 4));
	p.len = 0;
	SAYS(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)));
}

static void errors(int s)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "nosuch" };
	char b[8];
	socklen_t n = sizeof(un);
	struct msghdr m = { 0 };

	SAYS(connect(s, (void *)&un, 1));
	SAYS(connect(s, (void *)8, sizeof(un)));
	SAYS(connect(s, (void *)&un, sizeof(un)));
	SAYS(bind(s, (void *)&un, 500));
	SAYS(listen(s, 5) < 0);
	SAYS(getpeername(s, (void *)&un, &n) < 0);
	n = (socklen_t)-1;
	SAYS(getsockname(s, (void *)&un, &n));
	SAYS(getsockname(s, NULL, &n));
	SAYS(getsockname(s, (void *)&un, NULL));
	SAYS(accept4(s, NULL, NULL, 0x10));
	SAYS(shutdown(s, 99));
	SAYS(recv(s, b, 8, MSG_DONTWAIT | MSG_OOB) < 0);
	SAYS(recv(s, b, 8, MSG_ERRQUEUE | MSG_DONTWAIT) < 0);
	m.msg_iovlen = 5000;
	SAYS(sendmsg(s, &m, 0));
	SAYS(recvmsg(s, &m, MSG_DONTWAIT));
	SAYS(sendmsg(s, NULL, 0));
}

static void udp_messages(void)
{
	int s = OK(socket(AF_INET, SOCK_DGRAM, 0)), c = OK(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, from;
	socklen_t n = sizeof(a);
	char b[64], ctl[256];
	static char big[70000];
	struct iovec iov[2] = { { b, 3 }, { b + 3, 61 } };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = iov, .msg_iovlen = 2,
		.msg_control = ctl, .msg_controllen = sizeof(ctl) };
	struct cmsghdr *h;

	OK(bind(s, (void *)&a, n));
	OK(getsockname(s, (void *)&a, &n));
	OK(setsockopt(s, SOL_IP, IP_PKTINFO, &(int){ 1 }, 4));
	OK(setsockopt(s, SOL_IP, IP_RECVTTL, &(int){ 1 }, 4));
	OK(setsockopt(s, SOL_IP, IP_RECVTOS, &(int){ 1 }, 4));
	OK(connect(c, (void *)&a, n));
	OK(send(c, "first", 5, 0));
	SAYS(recvmsg(s, &m, 0));
	printf("  %.5s flags %x name %u\n", b, m.msg_flags, m.msg_namelen);
	for (h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h))
		printf("  level %d type %d len %zu\n", h->cmsg_level, h->cmsg_type, (size_t)h->cmsg_len);
	OK(send(c, "second", 6, 0));
	m.msg_iovlen = 1;
	m.msg_controllen = 10;
	m.msg_namelen = 3;
	SAYS(recvmsg(s, &m, 0));
	printf("  %.3s flags %x name %u control %zu\n", b, m.msg_flags, m.msg_namelen, (size_t)m.msg_controllen);
	OK(send(c, "third", 5, 0));
	SAYS(recv(s, b, 2, MSG_PEEK | MSG_TRUNC));
	SAYS(recvfrom(s, b, 64, 0, NULL, NULL));
	SAYS(recv(s, b, 64, MSG_DONTWAIT));
	SAYS(send(c, big, sizeof(big), 0));
	/* sending with control data: an own TTL */
	struct {
		struct cmsghdr h;
		int ttl;
	} ct = { { CMSG_LEN(4), SOL_IP, IP_TTL }, 9 };
	struct msghdr o = { .msg_iov = iov, .msg_iovlen = 1, .msg_control = &ct, .msg_controllen = CMSG_LEN(4) };
	SAYS(sendmsg(c, &o, 0));
	m.msg_controllen = sizeof(ctl);
	SAYS(recvmsg(s, &m, 0));
	for (h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h))
		if (h->cmsg_type == IP_TTL)
			printf("  ttl %d\n", *(int *)CMSG_DATA(h));
	ct.h.cmsg_len = 3;
	SAYS(sendmsg(c, &o, 0));
	/* an ICMP error comes back through the error queue */
	OK(close(s));
	OK(setsockopt(c, SOL_IP, IP_RECVERR, &(int){ 1 }, 4));
	DOES(send(c, "nobody", 6, 0));
	struct pollfd p = { c, POLLERR, 0 };
	poll(&p, 1, 1000);
	m.msg_controllen = sizeof(ctl);
	m.msg_namelen = sizeof(from);
	SAYS(recvmsg(c, &m, MSG_ERRQUEUE | MSG_DONTWAIT));
	printf("  flags %x control %zu\n", m.msg_flags & MSG_ERRQUEUE, (size_t)m.msg_controllen);
	SAYS(recv(c, b, 8, MSG_DONTWAIT));
	OK(close(c));
}

static void netlink(void)
{
	struct {
		struct nlmsghdr h;
		struct rtgenmsg g;
		char pad[3];
	} rq = { { 20, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 }, { AF_UNSPEC }, { 0 } };
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), links = 0, more = 1;
	static char b[65536] __attribute__((aligned(8)));
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };

	if (s < 0)
		return;
	OK(bind(s, (void *)&a, sizeof(a)));
	CHECK(sendto(s, &rq, 20, 0, (void *)&a, sizeof(a)) == 20);
	while (more) {
		ssize_t n = OK(recv(s, b, sizeof(b), 0));

		for (struct nlmsghdr *h = (void *)b; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				more = 0;
			if (h->nlmsg_type == RTM_NEWLINK)
				links++;
		}
	}
	printf("%s links\n", links ? "some" : "no");
	OK(close(s));
}

static void alg(void)
{
	struct sockaddr_alg a = { .salg_family = AF_ALG, .salg_type = "hash", .salg_name = "sha1" };
	int s = socket(AF_ALG, SOCK_SEQPACKET, 0), o;
	unsigned char d[20];

	if (s < 0 || bind(s, (void *)&a, sizeof(a)) < 0) {
		printf("alg: %s\n", strerrorname_np(errno));
		return;
	}
	o = OK(accept(s, NULL, NULL));
	CHECK(write(o, "abc", 3) == 3);
	CHECK(read(o, d, 20) == 20);
	printf("sha1 %02x%02x%02x%02x\n", d[0], d[1], d[2], d[3]);
}

static void packet(void)
{
	int s = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP) };
	struct timeval tv = { 2, 0 };
	char b[2048];
	socklen_t n = sizeof(a);

	if (s < 0) {
		printf("packet: %s\n", strerrorname_np(errno));
		return;
	}
	a.sll_ifindex = (int)if_nametoindex("lo");
	OK(bind(s, (void *)&a, sizeof(a)));
	OK(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	int u = OK(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	OK(sendto(u, "victim-packet", 13, 0, (void *)&to, sizeof(to)));
	for (int i = 0; i < 1000; i++) {
		ssize_t r = recvfrom(s, b, sizeof(b), 0, (void *)&a, &n);

		if (r < 0 || (r == 41 && !memcmp(b + 28, "victim-packet", 13))) {
			printf("packet: %s\n", r < 0 ? strerrorname_np(errno) : "seen");
			break;
		}
	}
	struct tpacket_stats st;
	n = sizeof(st);
	SAYS(getsockopt(s, SOL_PACKET, PACKET_STATISTICS, &st, &n));
	close(u);
	close(s);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int s = socket(kinds[i].family, kinds[i].type | SOCK_CLOEXEC, kinds[i].proto);

		printf("%s: %s\n", kinds[i].name, s < 0 ? strerrorname_np(errno) : "done");
		if (s < 0)
			continue;
		CHECK(fcntl(s, F_GETFD) == FD_CLOEXEC);
		options(s, kinds[i].name);
		set(s, kinds[i].name);
		if (i < 5)
			filter(s);
		errors(s);
		close(s);
	}
	udp_messages();
	netlink();
	alg();
	packet();
	int sp[2];
	SAYS(socketpair(AF_INET, SOCK_STREAM, 0, sp));
	SAYS(socketpair(AF_UNIX, 99, 0, sp));
	SAYS(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8));
	SAYS(listen(0, 1));
	SAYS(send(-1, "", 0, 0));
	puts("sockets ok");
	return 0;
}
