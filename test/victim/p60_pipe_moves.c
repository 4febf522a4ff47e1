/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in the program's own pipes is moved on by splice and tee: addresses among it
 * are still the reader's own.  Moves that wait are ended by data, by signals and by the
 * other end; pipes are given to others, who get what is moved there.
 */
#include "victim.h"

struct message {
	long kind;
	const char *text;
	char tail[7];
};

static const char *const words[] = { "one", "two", "three" };
static int a[2], b[2], s[2];
static volatile int caught;

static void on_signal(int sig)
{
	caught++;
}

static void get(int from, int i)
{
	struct message m;

	CHECK(read(from, &m, sizeof(m)) == sizeof(m));
	CHECK(m.kind == i && m.text == words[i % 3] && *m.text == "ott"[i % 3]);
}

static void addresses(void)
{
	for (int i = 0; i < 60; i++) {
		struct message m = { i, words[i % 3], "tail" };

		CHECK(write(a[1], &m, sizeof(m)) == sizeof(m));
		CHECK(tee(a[0], b[1], 4096, 0) == sizeof(m));
		get(b[0], i);
		CHECK(splice(a[0], NULL, b[1], NULL, 4096, 0) == sizeof(m));
		if (i & 1) {
			CHECK(splice(b[0], NULL, s[0], NULL, 4096, 0) == sizeof(m));
			get(s[1], i);
			continue;
		}
		get(b[0], i);
	}
}

static void *writer(void *arg)
{
	for (int i = 0; i < 30; i++) {
		struct message m = { i, words[i % 3], "tail" };

		if (i % 10 == 0)
			sleep_ms(5);
		CHECK(write(a[1], &m, sizeof(m)) == sizeof(m));
	}
	return NULL;
}

static void *mover(void *arg)
{
	size_t left = 30 * sizeof(struct message);

	while (left)
		left -= (size_t)OK(splice(a[0], NULL, b[1], NULL, left, 0));
	return NULL;
}

static void *tapper(void *arg)
{
	pthread_t *t = arg;

	sleep_ms(20);
	ZERO(pthread_kill(*t, SIGUSR1));
	sleep_ms(20);
	CHECK(write(a[1], "abc", 3) == 3);
	return NULL;
}

static void threads(void)
{
	pthread_t w, m, self = pthread_self();
	char c[8];

	ZERO(pthread_create(&m, NULL, mover, NULL));
	ZERO(pthread_create(&w, NULL, writer, NULL));
	for (int i = 0; i < 30; i++)
		get(b[0], i);
	ZERO(pthread_join(w, NULL));
	ZERO(pthread_join(m, NULL));
	/* a signal ends it, or does not */
	for (int i = 0; i < 6; i++) {
		handle(SIGUSR1, on_signal, i & 1 ? SA_RESTART : 0);
		ZERO(pthread_create(&w, NULL, tapper, &self));
		if (!(i & 1))
			FAILS(i & 2 ? tee(a[0], b[1], 9, 0) :
			      splice(a[0], NULL, b[1], NULL, 9, 0), EINTR);
		CHECK(splice(a[0], NULL, b[1], NULL, 9, 0) == 3);
		CHECK(caught == i + 1);
		CHECK(read(b[0], c, sizeof(c)) == 3);
		ZERO(pthread_join(w, NULL));
	}
}

static void send_fd(int to, int fd)
{
	char c[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec v = { "f", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = c,
		.msg_controllen = sizeof(c) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	CHECK(sendmsg(to, &m, 0) == 1);
}

static int receive_fd(int from)
{
	char c[CMSG_SPACE(sizeof(int))], x;
	struct iovec v = { &x, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = c,
		.msg_controllen = sizeof(c) };
	int fd;

	CHECK(recvmsg(from, &m, 0) == 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/* A child that copies a pipe to its output: one it has inherited, or one it is sent. */
static void given(bool sent)
{
	int p[2], u[2];
	char c[64];
	pid_t pid;
	long n;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, u));
	if (!sent)
		OK(pipe(p));
	pid = CHILD({
		OK(close(u[1]));
		int from = sent ? receive_fd(u[0]) : p[0];

		if (!sent)
			OK(close(p[1]));
		while ((n = OK(read(from, c, sizeof(c)))) > 0)
			CHECK(write(1, c, (size_t)n) == n);
	});
	OK(close(u[0]));
	if (sent) {
		OK(pipe(p));
		for (int i = 0; i < 20; i++) {
			CHECK(write(p[1], "own", 3) == 3);
			CHECK(read(p[0], c, sizeof(c)) == 3);
		}
		send_fd(u[1], p[0]);
	}
	OK(close(p[0]));
	for (int i = 0; i < 10; i++) {
		int k = snprintf(c, sizeof(c), "%d to the child\n", i);

		CHECK(write(a[1], c, (size_t)k) == k);
		CHECK(splice(a[0], NULL, p[1], NULL, 64, 0) == k);
		/* one line at a time, so that each is a write of its own */
		CHECK(write(p[1], "\n", 1) == 1);
	}
	OK(close(p[1]));
	OK(close(u[1]));
	REAP(pid);
}

int main(void)
{
	int d;

	OK(pipe(a));
	OK(pipe(b));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	addresses();
	/* other numbers for the same */
	d = OK(dup(a[1]));
	OK(close(a[1]));
	a[1] = d;
	d = OK(fcntl(b[0], F_DUPFD_CLOEXEC, 70));
	OK(close(b[0]));
	b[0] = d;
	addresses();
	threads();
	given(false);
	given(true);
	addresses();
	puts("all found");
	return 0;
}
