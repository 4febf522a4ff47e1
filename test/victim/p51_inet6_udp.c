/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams over both families: sendto, connected, truncation, peeking, many
 * in one call.
 */
#include "victim.h"
static int bound(int family, struct sockaddr_storage *ss, socklen_t *n)
{
	int s = socket(family, SOCK_DGRAM, 0);

	if (s < 0)
		return -1;
	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET) {
		((struct sockaddr_in *)ss)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		*n = sizeof(struct sockaddr_in);
	} else {
		((struct sockaddr_in6 *)ss)->sin6_addr = in6addr_loopback;
		*n = sizeof(struct sockaddr_in6);
	}
	if (bind(s, (struct sockaddr *)ss, *n) < 0) {
		close(s);
		return -1;
	}
	OK(getsockname(s, (struct sockaddr *)ss, n));
	return s;
}
static void both(int family)
{
	struct sockaddr_storage a, b, from;
	socklen_t n, m, k = sizeof(from);
	int x = bound(family, &a, &n), y;
	char buf[200] = "", many[4][8];
	struct mmsghdr mm[4];
	struct iovec v[4];

	if (x < 0)
		return;
	y = bound(family, &b, &m);
	CHECK(sendto(x, "datagram", 8, 0, (struct sockaddr *)&b, m) == 8);
	CHECK(recvfrom(y, buf, 4, MSG_PEEK | MSG_TRUNC, NULL, NULL) == 8);
	CHECK(recvfrom(y, buf, 4, MSG_TRUNC, (struct sockaddr *)&from, &k) == 8);
	CHECK(k == n && memcmp(&from, &a, n) == 0);
	OK(connect(x, (struct sockaddr *)&b, m));
	CHECK(send(x, "", 0, 0) == 0);
	CHECK(recv(y, buf, 10, 0) == 0);
	memset(mm, 0, sizeof(mm));
	for (int i = 0; i < 4; i++) {
		snprintf(many[i], 8, "msg %d", i);
		v[i] = (struct iovec){ many[i], i + 2 };
		mm[i].msg_hdr.msg_iov = &v[i];
		mm[i].msg_hdr.msg_iovlen = 1;
		mm[i].msg_len = 0xdead;
	}
	CHECK(sendmmsg(x, mm, 4, 0) == 4);
	for (int i = 0; i < 4; i++) {
		CHECK(mm[i].msg_len == (unsigned int)i + 2);
		memset(many[i], 0, 8);
		v[i].iov_len = 3;
	}
	CHECK(recvmmsg(y, mm, 4, MSG_WAITFORONE, NULL) == 4);
	CHECK(mm[0].msg_len == 2 && mm[3].msg_len == 3 && (mm[3].msg_hdr.msg_flags & MSG_TRUNC));
	CHECK(strcmp(many[3], "msg") == 0);
	struct timespec ts = { 0, 10000000 };
	OK(setsockopt(y, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ 0, 20000 }, sizeof(struct timeval)));
	FAILS(recvmmsg(y, mm, 4, 0, &ts), EAGAIN);
	FAILS(recv(y, buf, 1, 0), EAGAIN);
	CHECK(sendto(y, buf, 100, 0, (struct sockaddr *)&a, n) == 100);
	int q;
	OK(ioctl(x, FIONREAD, &q));
	CHECK(q == 100);
}

int main(void)
{
	both(AF_INET);
	both(AF_INET6);
	puts("datagrams ok");
	return 0;
}
