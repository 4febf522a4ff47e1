/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking an MPTCP socket that is not connected about its connection changes what
 * it accepts later: nobody asks but the program.
 */
#include "victim.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static void options(int s)
{
	static const int name[] = { TCP_NODELAY, TCP_MAXSEG, TCP_CORK, TCP_MAXSEG,
				    TCP_FASTOPEN };
	static const int general[] = { SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE,
				       SO_SNDBUF, SO_PASSCRED };
	int one = 1, v6 = 1, got = -1;
	socklen_t len = sizeof(got);

	for (unsigned int i = 0; i < sizeof(name) / sizeof(*name); i++) {
		errno = 0;
		printf("tcp %d: %d", name[i], setsockopt(s, IPPROTO_TCP, name[i],
							 &one, sizeof(one)));
		printf(" errno %d\n", errno);
	}
	for (unsigned int i = 0; i < sizeof(general) / sizeof(*general); i++) {
		errno = 0;
		printf("socket %d: %d", general[i],
		       setsockopt(s, SOL_SOCKET, general[i], &one, sizeof(one)));
		printf(" errno %d\n", errno);
	}
	errno = 0;
	printf("v6only: %d", setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &v6,
					sizeof(v6)));
	printf(" errno %d\n", errno);
	errno = 0;
	printf("nodelay is %d", getsockopt(s, IPPROTO_TCP, TCP_NODELAY, &got,
					   &len));
	printf(" %d errno %d\n", got, errno);
}

static void connection(int kind)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int l = OK(socket(AF_INET, SOCK_STREAM, kind)), c, s, one = 1;
	char b[8];

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
	OK(listen(l, 1));
	OK(getsockname(l, (struct sockaddr *)&a, &len));
	c = OK(socket(AF_INET, SOCK_STREAM, kind));
	OK(setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	OK(setsockopt(c, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	OK(connect(c, (struct sockaddr *)&a, len));
	s = OK(accept(l, NULL, NULL));
	OK(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	for (int i = 0; i < 100; i++) {
		CHECK(write(s, "hello", 5) == 5);
		CHECK(read(c, b, 5) == 5 && !memcmp(b, "hello", 5));
	}
	CHECK(write(s, "end", 3) == 3);
	OK(shutdown(s, SHUT_WR));
	CHECK(read(c, b, 8) == 3 && read(c, b, 8) == 0);
	close(s);
	close(c);
	close(l);
}

/* What was found of a descriptor is not so of the next one of that number. */
static void same_number(void)
{
	int one = 1, s, was;

	for (int i = 0; i < 64; i++) {
		s = OK(socket(AF_INET, SOCK_STREAM, 0));
		OK(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
		close(s);
	}
	was = s;
	s = OK(socket(AF_INET6, SOCK_STREAM, 262));
	CHECK(s == was);
	options(s);
	close(s);
	FAILS(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), EBADF);
	s = OK(socket(AF_INET6, SOCK_STREAM, 262));
	CHECK(s == was);
	options(s);
	close(s);
}

int main(void)
{
	int s = socket(AF_INET6, SOCK_STREAM, 262 /* IPPROTO_MPTCP */);

	signal(SIGPIPE, SIG_IGN);
	if (s < 0) {
		printf("none: errno %d\n", errno);
		return 0;
	}
	options(s);
	close(s);
	s = OK(socket(AF_INET, SOCK_STREAM, 262));
	FAILS(write(s, "x", 1), EPIPE);
	options(s);
	close(s);
	s = OK(socket(AF_INET, SOCK_STREAM, 262));
	shutdown(s, SHUT_WR);
	options(s);
	close(s);
	connection(262);
	connection(0);
	same_number();
	puts("mptcp ok");
	return 0;
}
