/* SPDX-License-Identifier: Apache-2.0 */
/*
 * splice, tee, sendfile and copy_file_range between files, pipes and sockets: with
 * and without offsets, in pieces, without waiting, with bad arguments, with nobody at
 * the other end.
 */
#include "victim.h"

#define N 40

static char buf[1 << 17];

static volatile int piped;

static void on_pipe(int sig)
{
	piped++;
}

static void text(int fd, const char *want)
{
	size_t n = strlen(want);

	CHECK(read(fd, buf, sizeof(buf)) == (ssize_t)n && !memcmp(buf, want, n));
}

static void files(int p[2])
{
	int in = OK(open("in", O_RDONLY)), out = OK(open("out", O_RDWR | O_CREAT, 0600));
	loff_t from = 3, to = 5, bad = -1;

	for (int i = 0; i < N; i++) {
		from = 3;
		to = 5;
		CHECK(splice(in, &from, p[1], NULL, 4, 0) == 4 && from == 7);
		CHECK(lseek(in, 0, SEEK_CUR) == 0);
		CHECK(splice(p[0], NULL, out, &to, 100, 0) == 4 && to == 9);
		CHECK(lseek(out, 0, SEEK_CUR) == 0);
		CHECK(splice(in, NULL, p[1], NULL, 5, SPLICE_F_MOVE) == 5);
		CHECK(lseek(in, 0, SEEK_CUR) == 5);
		CHECK(splice(p[0], NULL, out, NULL, 5, SPLICE_F_MORE) == 5);
		CHECK(lseek(out, 0, SEEK_CUR) == 5);
		OK(lseek(in, 0, SEEK_SET));
		OK(lseek(out, 0, SEEK_SET));
		from = 0;
		CHECK(sendfile(p[1], in, &from, 6) == 6 && from == 6);
		text(p[0], "012345");
		from = 2;
		to = 20;
		CHECK(copy_file_range(in, &from, out, &to, 3, 0) == 3);
		CHECK(from == 5 && to == 23);
		/* the end */
		from = 1000;
		CHECK(splice(in, &from, p[1], NULL, 4, 0) == 0 && from == 1000);
		CHECK(splice(in, NULL, p[1], NULL, 0, 0) == 0);
		FAILS(splice(in, &bad, p[1], NULL, 4, 0), EINVAL);
		FAILS(splice(in, (void *)8, p[1], NULL, 4, 0), EFAULT);
		FAILS(splice(in, NULL, out, NULL, 4, 0), EINVAL);
		FAILS(splice(in, NULL, p[0], NULL, 4, 0), EBADF);
		FAILS(splice(in, NULL, p[1], &to, 4, 0), ESPIPE);
		FAILS(splice(in, NULL, p[1], NULL, 4, 1 << 20), EINVAL);
		FAILS(splice(p[0], NULL, p[1], NULL, 4, 0), EINVAL);
		FAILS(splice(-1, NULL, p[1], NULL, 4, 0), EBADF);
		FAILS(tee(in, p[1], 4, 0), EINVAL);
		FAILS(tee(p[0], p[1], 4, 0), EINVAL);
		FAILS(tee(p[0], -1, 4, 0), EBADF);
	}
	CHECK(pread(out, buf, 64, 0) == 23);
	CHECK(!memcmp(buf, "013456", 2) && !memcmp(buf + 20, "234", 3));
	printf("%.*s\n", 9, buf);
	OK(close(in));
	OK(close(out));
}

static void pipes(int p[2], int q[2])
{
	for (int i = 0; i < N; i++) {
		FAILS(splice(p[0], NULL, q[1], NULL, 9, SPLICE_F_NONBLOCK), EAGAIN);
		FAILS(tee(p[0], q[1], 9, SPLICE_F_NONBLOCK), EAGAIN);
		CHECK(write(p[1], "one", 3) == 3);
		CHECK(tee(p[0], q[1], 2, 0) == 2);
		CHECK(tee(p[0], q[1], 9, 0) == 3);
		text(q[0], "onone");
		CHECK(splice(p[0], NULL, q[1], NULL, 1, 0) == 1);
		text(p[0], "ne");
		text(q[0], "o");
	}
}

/* Sockets, as a proxy does it. */
static void proxied(int p[2], int domain)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int c[2][2], l, one = 1;

	for (int i = 0; i < 2; i++) {
		if (domain == AF_UNIX) {
			OK(socketpair(AF_UNIX, SOCK_STREAM, 0, c[i]));
			continue;
		}
		l = OK(socket(AF_INET, SOCK_STREAM, 0));
		a.sin_port = 0;
		OK(bind(l, (void *)&a, sizeof(a)));
		OK(listen(l, 1));
		OK(getsockname(l, (void *)&a, &len));
		c[i][0] = OK(socket(AF_INET, SOCK_STREAM, 0));
		OK(connect(c[i][0], (void *)&a, sizeof(a)));
		c[i][1] = OK(accept(l, NULL, NULL));
		OK(close(l));
		for (int k = 0; k < 2; k++)
			OK(setsockopt(c[i][k], IPPROTO_TCP, TCP_NODELAY, &one,
				      sizeof(one)));
	}
	for (int i = 0; i < N; i++) {
		int n = snprintf(buf, sizeof(buf), "message %d", i);

		/* what is still held must come out here */
		CHECK(write(c[0][0], buf, (size_t)n) == n);
		CHECK(splice(c[0][1], NULL, p[1], NULL, 65536, 0) == n);
		CHECK(splice(p[0], NULL, c[1][1], NULL, (size_t)n, 0) == n);
		CHECK(read(c[1][0], buf + 100, 100) == n &&
		      !memcmp(buf, buf + 100, (size_t)n));
		/* held, and behind it what is spliced */
		CHECK(send(c[0][0], "ab", 2, 0) == 2);
		CHECK(splice(c[0][1], NULL, p[1], NULL, 2, 0) == 2);
		CHECK(write(c[1][1], "x", 1) == 1);
		CHECK(splice(p[0], NULL, c[1][1], NULL, 2, 0) == 2);
		CHECK(write(c[1][1], "y", 1) == 1);
		CHECK(recv(c[1][0], buf, 4, MSG_WAITALL) == 4 &&
		      !memcmp(buf, "xaby", 4));
		OK(fcntl(c[0][1], F_SETFL, O_NONBLOCK));
		FAILS(splice(c[0][1], NULL, p[1], NULL, 65536, 0), EAGAIN);
		OK(fcntl(c[0][1], F_SETFL, 0));
	}
	OK(close(c[0][0]));
	CHECK(splice(c[0][1], NULL, p[1], NULL, 65536, 0) == 0);
	OK(close(c[0][1]));
	/* nobody there */
	OK(shutdown(c[1][1], SHUT_WR));
	CHECK(write(p[1], "z", 1) == 1);
	FAILS(splice(p[0], NULL, c[1][1], NULL, 1, 0), EPIPE);
	text(p[0], "z");
	OK(close(c[1][0]));
	OK(close(c[1][1]));
}

static void no_reader(int p[2])
{
	int q[2];

	OK(pipe(q));
	OK(close(q[0]));
	CHECK(write(p[1], "z", 1) == 1);
	FAILS(splice(p[0], NULL, q[1], NULL, 1, 0), EPIPE);
	FAILS(tee(p[0], q[1], 1, 0), EPIPE);
	text(p[0], "z");
	OK(close(q[1]));
}

/* All there is room for. */
static void full(int p[2], int q[2])
{
	long n, in = 0, out = 0;

	OK(fcntl(p[1], F_SETFL, O_NONBLOCK));
	while ((n = write(p[1], buf, 4096)) > 0)
		in += n;
	OK(fcntl(p[1], F_SETFL, 0));
	while ((n = splice(p[0], NULL, q[1], NULL, 30000, SPLICE_F_NONBLOCK)) > 0)
		out += n;
	CHECK(out > 0 && out <= in && errno == EAGAIN);
	/* room at the other end, or more to move */
	for (long left = in; left > 0; ) {
		left -= OK(read(q[0], buf, sizeof(buf)));
		n = splice(p[0], NULL, q[1], NULL, 65536, SPLICE_F_NONBLOCK);
		CHECK(n > 0 || errno == EAGAIN);
		if (n < 0)
			CHECK(left == 0);
	}
}

int main(void)
{
	int p[2], q[2];

	handle(SIGPIPE, on_pipe, 0);
	put_file("in", "0123456789");
	OK(pipe(p));
	OK(pipe(q));
	files(p);
	pipes(p, q);
	no_reader(p);
	CHECK(piped == 2);
	proxied(p, AF_INET);
	CHECK(piped == 3);
	proxied(p, AF_UNIX);
	CHECK(piped == 4);
	full(p, q);
	puts("all moved");
	return 0;
}
