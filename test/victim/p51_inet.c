/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP over loopback: names, options, half close, urgent data, non-blocking
 * connect, short address buffers.
 */
#include "victim.h"
int main(void)
{
	int l = OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), c, s, v;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in b, e;
	socklen_t n = sizeof(a);
	char buf[64], shortaddr[4];
	struct linger lg = { 0, 0 };

	OK(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, 4));
	OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
	OK(listen(l, 5));
	OK(getsockname(l, (struct sockaddr *)&a, &n));
	CHECK(a.sin_port && n == sizeof(a));
	c = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	v = connect(c, (struct sockaddr *)&a, sizeof(a));
	CHECK(v == 0 || errno == EINPROGRESS);
	n = sizeof(b);
	s = OK(accept4(l, (struct sockaddr *)&b, &n, SOCK_CLOEXEC));
	CHECK(n == sizeof(b) && fcntl(s, F_GETFD) == FD_CLOEXEC);
	struct pollfd pf = { c, POLLOUT, 0 };
	CHECK(poll(&pf, 1, 1000) == 1);
	n = sizeof(v);
	OK(getsockopt(c, SOL_SOCKET, SO_ERROR, &v, &n));
	CHECK(v == 0);
	n = sizeof(e);
	OK(getsockname(c, (struct sockaddr *)&e, &n));
	CHECK(e.sin_port == b.sin_port);
	n = sizeof(shortaddr);
	OK(getpeername(c, (struct sockaddr *)shortaddr, &n));
	CHECK(n == sizeof(struct sockaddr_in) && *(sa_family_t *)shortaddr == AF_INET);
	OK(setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, 4));
	n = sizeof(v);
	OK(getsockopt(c, IPPROTO_TCP, TCP_NODELAY, &v, &n));
	CHECK(v == 1 && n == 4);
	n = 1;
	OK(getsockopt(c, SOL_SOCKET, SO_TYPE, &v, &n));
	CHECK(n == 1);
	n = sizeof(lg);
	OK(getsockopt(c, SOL_SOCKET, SO_LINGER, &lg, &n));
	FAILS(getsockopt(c, SOL_SOCKET, 12345, &v, &n), ENOPROTOOPT);
	FAILS(recv(c, buf, 10, 0), EAGAIN);
	CHECK(send(s, "hello", 5, MSG_MORE) == 5 && send(s, "world", 5, 0) == 5);
	CHECK(poll(&(struct pollfd){ c, POLLIN, 0 }, 1, 1000) == 1);
	OK(fcntl(c, F_SETFL, 0));
	CHECK(recv(c, buf, 10, MSG_WAITALL | MSG_PEEK) == 10);
	CHECK(recv(c, buf, 10, MSG_WAITALL) == 10 && memcmp(buf, "helloworld", 10) == 0);
	CHECK(send(c, "u", 1, MSG_OOB) == 1);
	CHECK(poll(&(struct pollfd){ s, POLLPRI, 0 }, 1, 1000) == 1);
	CHECK(recv(s, buf, 1, MSG_OOB) == 1 && buf[0] == 'u');
	OK(shutdown(s, SHUT_WR));
	CHECK(recv(c, buf, 10, 0) == 0);
	CHECK(send(c, "after", 5, 0) == 5 && recv(s, buf, 10, 0) == 5);
	OK(ioctl(c, FIONREAD, &v));
	CHECK(v == 0);
	close(c);
	CHECK(recv(s, buf, 10, 0) == 0);
	close(s);
	close(l);
	c = OK(socket(AF_INET, SOCK_STREAM, 0));
	FAILS(connect(c, (struct sockaddr *)&a, sizeof(a)), ECONNREFUSED);
	FAILS(connect(c, (struct sockaddr *)&a, 3), EINVAL);
	FAILS(accept(c, NULL, NULL), EINVAL);
	FAILS(socket(AF_INET, 99, 0), EINVAL);
	FAILS(getpeername(c, (struct sockaddr *)&b, &n), ENOTCONN);
	puts("inet ok");
	return 0;
}
