/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unix sockets of every type: paths, abstract and unnamed, credentials,
 * lengths of names.
 */
#include "victim.h"
static socklen_t name(struct sockaddr_un *a, const char *p)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	strcpy(a->sun_path, p);
	return offsetof(struct sockaddr_un, sun_path) + strlen(p) + 1;
}

int main(void)
{
	struct sockaddr_un a, b;
	socklen_t n;
	int l = OK(socket(AF_UNIX, SOCK_STREAM, 0)), c, s, p[2];
	char buf[32];
	struct ucred uc;

	n = name(&a, "sock");
	OK(bind(l, (struct sockaddr *)&a, n));
	FAILS(bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)&a, n), EADDRINUSE);
	OK(listen(l, 1));
	c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(connect(c, (struct sockaddr *)&a, n));
	memset(&b, 0x77, sizeof(b));
	n = sizeof(b);
	s = OK(accept(l, (struct sockaddr *)&b, &n));
	CHECK(n == sizeof(sa_family_t) && b.sun_path[0] == 0x77);
	n = sizeof(b);
	OK(getpeername(c, (struct sockaddr *)&b, &n));
	printf("peer %s length %u\n", b.sun_path, n);
	n = sizeof(uc);
	OK(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &uc, &n));
	CHECK(uc.pid == getpid() && uc.uid == geteuid());
	CHECK(write(c, "stream", 6) == 6 && read(s, buf, 32) == 6);
	OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
	CHECK(send(p[0], "one", 3, 0) == 3 && send(p[0], "second", 6, 0) == 6);
	CHECK(recv(p[1], buf, 32, 0) == 3 && recv(p[1], buf, 2, MSG_TRUNC) == 6);
	OK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, p));
	FAILS(recv(p[0], buf, 1, 0), EAGAIN);
	CHECK(send(p[0], "d", 1, 0) == 1 && recv(p[1], buf, 5, 0) == 1);
	/* datagrams by name, answered to the sender's */
	c = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
	s = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
	n = name(&a, "dg-a");
	OK(bind(c, (struct sockaddr *)&a, n));
	n = name(&b, "dg-b");
	OK(bind(s, (struct sockaddr *)&b, n));
	CHECK(sendto(c, "ping", 4, 0, (struct sockaddr *)&b, n) == 4);
	n = sizeof(b);
	CHECK(recvfrom(s, buf, 32, 0, (struct sockaddr *)&b, &n) == 4 && strcmp(b.sun_path, "dg-a") == 0);
	CHECK(sendto(s, "pong", 4, 0, (struct sockaddr *)&b, n) == 4 && recv(c, buf, 32, 0) == 4);
	/* abstract */
	memset(&a, 0, sizeof(a));
	a.sun_family = AF_UNIX;
	snprintf(a.sun_path + 1, 60, "victim-%d", getpid());
	n = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a.sun_path + 1);
	l = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(bind(l, (struct sockaddr *)&a, n));
	OK(listen(l, 1));
	pid_t k = CHILD({
		c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
		OK(connect(c, (struct sockaddr *)&a, n));
		CHECK(write(c, "abstract", 8) == 8);
	});
	s = OK(accept(l, NULL, NULL));
	CHECK(read(s, buf, 32) == 8);
	REAP(k);
	/* autobind */
	l = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
	OK(bind(l, (struct sockaddr *)&a, sizeof(sa_family_t)));
	n = sizeof(b);
	OK(getsockname(l, (struct sockaddr *)&b, &n));
	CHECK(n == sizeof(sa_family_t) + 6 && b.sun_path[0] == 0);
	puts("unix ok");
	return 0;
}
