/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer in pieces, head and body, again and again; then something else comes
 * behind a head: the peer has it when it looks.  Datagrams stay what they are.
 */
#include "victim.h"

#define HEAD	"head\n"
#define BODY	"body, longer\n"
#define OFTEN	8

static int in, out, file;

static void tcp_pair(void)
{
	int l = OK(socket(AF_INET, SOCK_STREAM, 0)), one = 1;
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sin);

	OK(bind(l, (void *)&sin, len));
	OK(listen(l, 1));
	OK(getsockname(l, (void *)&sin, &len));
	out = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(connect(out, (void *)&sin, len));
	in = OK(accept(l, NULL, NULL));
	/* otherwise a small piece waits for the one before to be acknowledged */
	OK(setsockopt(out, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	OK(fcntl(out, F_SETFL, O_NONBLOCK));
	close(l);
}

/* What has arrived. */
static int arrived(void)
{
	int n;

	OK(ioctl(in, FIONREAD, &n));
	return n;
}

static void expect(const char *what)
{
	char buf[256];
	size_t n = strlen(what);

	CHECK(arrived() == (int)n);
	CHECK(OK(recv(in, buf, sizeof(buf), MSG_DONTWAIT)) == (ssize_t)n);
	CHECK(!memcmp(buf, what, n));
}

enum way { WRITE, WRITEV, SEND, SENDMSG, WAYS };

static ssize_t __attribute__((noinline)) head(enum way way)
{
	struct iovec iov[2] = { { (void *)HEAD, 2 },
				{ (void *)&HEAD[2], sizeof(HEAD) - 3 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	switch (way) {
	case WRITE:
		return write(out, HEAD, sizeof(HEAD) - 1);
	case WRITEV:
		return writev(out, iov, 2);
	case SEND:
		return send(out, HEAD, sizeof(HEAD) - 1, MSG_NOSIGNAL);
	default:
		return sendmsg(out, &msg, 0);
	}
}

static ssize_t body(enum way way)
{
	off_t from = 0;

	if (way == WRITEV)
		return sendfile(out, file, &from, sizeof(BODY) - 1);
	return send(out, BODY, sizeof(BODY) - 1, 0);
}

static void often(enum way way)
{
	for (int i = 0; i < OFTEN; i++) {
		CHECK(head(way) == sizeof(HEAD) - 1);
		CHECK(body(way) == sizeof(BODY) - 1);
		expect(HEAD BODY);
	}
}

static void on_signal(int sig)
{
	(void)sig;
	expect(HEAD);
}

/* What comes behind the head in place of the body. */
static void instead(enum way way)
{
	struct pollfd p = { .fd = in, .events = POLLIN };
	off_t end = 1000;
	char buf[16];
	int one = 1, none = 0;

	often(way);
	OK(head(way));
	expect(HEAD);
	often(way);
	OK(head(way));
	CHECK(OK(poll(&p, 1, -1)) == 1);
	expect(HEAD);
	often(way);
	OK(head(way));
	CHECK(recv(in, buf, 5, 0) == 5);
	/* an output that puts nothing out */
	often(way);
	OK(head(way));
	CHECK(sendfile(out, file, &end, 10) == 0);
	expect(HEAD);
	often(way);
	OK(head(way));
	FAILS(write(out, (void *)8, 10), EFAULT);
	expect(HEAD);
	/* another output */
	often(way);
	OK(head(way));
	CHECK(write(file, "", 0) == 0);
	expect(HEAD);
	/* a child looks, and a handler */
	often(way);
	OK(head(way));
	REAP(CHILD(expect(HEAD)));
	signal(SIGUSR1, on_signal);
	often(way);
	OK(head(way));
	OK(raise(SIGUSR1));
	/* a head behind a head, bodies behind bodies */
	often(way);
	OK(head(way));
	OK(head(way));
	expect(HEAD HEAD);
	often(way);
	OK(head(way));
	OK(body(way));
	OK(body(way));
	OK(body(way));
	expect(HEAD BODY BODY BODY);
	/* the program's own cork */
	often(way);
	OK(setsockopt(out, IPPROTO_TCP, TCP_CORK, &one, sizeof(one)));
	OK(head(way));
	CHECK(arrived() == 0);
	OK(body(way));
	CHECK(arrived() == 0);
	OK(setsockopt(out, IPPROTO_TCP, TCP_CORK, &none, sizeof(none)));
	expect(HEAD BODY);
	/* ... MSG_MORE, which the head before it does not wait for */
	often(way);
	CHECK(send(out, HEAD, 5, MSG_MORE) == 5);
	CHECK(arrived() == 0);
	OK(body(way));
	expect(HEAD BODY);
	often(way);
	OK(head(way));
	CHECK(send(out, BODY, 13, MSG_MORE) == 13);
	expect(HEAD);
	OK(body(way));
	expect(BODY BODY);
	/* the connection becomes one that blocks, and one that waits for
	 * acknowledgements: neither takes part */
	often(way);
	OK(ioctl(out, FIONBIO, &none));
	often(way);
	OK(fcntl(out, F_SETFL, O_NONBLOCK));
	often(way);
	OK(setsockopt(out, IPPROTO_TCP, TCP_NODELAY, &none, sizeof(none)));
	OK(head(way));
	OK(setsockopt(out, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	expect(HEAD);
	/* the end */
	often(way);
	OK(head(way));
	OK(shutdown(out, SHUT_WR));
	expect(HEAD);
	CHECK(recv(in, buf, sizeof(buf), 0) == 0);
	close(in);
	close(out);
}

/* Where boundaries matter. */
static void packets(int domain, int type)
{
	int sv[2];
	char buf[64];

	if (domain == AF_UNIX) {
		OK(socketpair(domain, type, 0, sv));
	} else {
		struct sockaddr_in sin = {
			.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};
		socklen_t len = sizeof(sin);

		sv[0] = OK(socket(domain, type, 0));
		sv[1] = OK(socket(domain, type, 0));
		OK(bind(sv[1], (void *)&sin, len));
		OK(getsockname(sv[1], (void *)&sin, &len));
		OK(connect(sv[0], (void *)&sin, len));
	}
	in = sv[1];
	out = sv[0];
	for (int i = 0; i < OFTEN; i++)
		for (int way = WRITE; way < WAYS; way++) {
			OK(head(way));
			OK(head(way));
			CHECK(recv(in, buf, sizeof(buf), MSG_DONTWAIT) == 5);
			CHECK(recv(in, buf, sizeof(buf), MSG_DONTWAIT) == 5);
			FAILS(recv(in, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
		}
	close(in);
	close(out);
}

int main(void)
{
	file = OK(open("body", O_RDWR | O_CREAT, 0600));
	CHECK(write(file, BODY, sizeof(BODY) - 1) == sizeof(BODY) - 1);
	for (int way = WRITE; way < WAYS; way++) {
		tcp_pair();
		instead(way);
	}
	packets(AF_INET, SOCK_DGRAM);
	packets(AF_UNIX, SOCK_DGRAM);
	packets(AF_UNIX, SOCK_SEQPACKET);
	/* it is broken */
	tcp_pair();
	often(SEND);
	close(in);
	sleep_ms(1);
	CHECK(head(SEND) == 5);
	FAILS(head(SEND), EPIPE);
	/* the process ends behind a head */
	close(out);
	tcp_pair();
	REAP(CHILD({
		often(WRITE);
		OK(head(WRITE));
		_exit(0);
	}));
	expect(HEAD);
	puts("as sent");
	return 0;
}
