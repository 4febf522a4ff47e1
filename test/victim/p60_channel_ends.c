/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes and socket pairs of the program's own: ends are duplicated, closed and
 * their numbers used again; text, numbers and addresses go through them, in the
 * process, to a child and between threads.
 */
#include "victim.h"

struct message {
	long kind;
	const char *text;
	char tail[7];
};

static const char *const words[] = { "one", "two", "three" };

static void text(int to, int from, int n)
{
	char b[64], c[64];

	for (int i = 0; i < n; i++) {
		int k = snprintf(b, sizeof(b), "line %d of %d\n", i, n);

		CHECK(write(to, b, (size_t)k) == k);
		CHECK(read(from, c, sizeof(c)) == k && !memcmp(b, c, (size_t)k));
	}
}

/* An address comes out as one of the reader's own. */
static void addresses(int to, int from, int n)
{
	for (int i = 0; i < n; i++) {
		struct message m = { i, words[i % 3], "tail" }, got;

		CHECK(write(to, &m, sizeof(m)) == sizeof(m));
		CHECK(read(from, &got, sizeof(got)) == sizeof(got));
		CHECK(got.kind == i && got.text == words[i % 3]);
		CHECK(!strcmp(got.text, words[i % 3]));
	}
}

static void *reader(void *arg)
{
	struct message m;
	long sum = 0;

	while (read(*(int *)arg, &m, sizeof(m)) == sizeof(m))
		sum += m.kind * (long)strlen(m.text);
	return (void *)sum;
}

int main(void)
{
	int p[2], s[2], a, b, f;
	uint64_t v[4] = { 1, 70000, 1ull << 40, ~0ull }, w[4];
	char buf[32], *big = malloc(60000);
	void *sum;
	pthread_t t;

	put_file("f", "file");
	OK(pipe(p));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	text(p[1], p[0], 50);
	text(s[0], s[1], 50);
	text(s[1], s[0], 50);
	addresses(p[1], p[0], 20);
	addresses(s[1], s[0], 20);
	/* numbers that could be addresses */
	CHECK(write(p[1], v, sizeof(v)) == sizeof(v));
	CHECK(read(p[0], w, sizeof(w)) == sizeof(w) && !memcmp(v, w, sizeof(v)));
	/* much, and at odd places */
	memset(big, 'b', 60000);
	CHECK(write(p[1], big, 60000) == 60000);
	for (int k = 0; k < 60000; k += 600)
		CHECK(read(p[0], big, 600) == 600);
	CHECK(send(s[0], "sent", 4, MSG_NOSIGNAL) == 4);
	CHECK(recv(s[1], buf, 32, 0) == 4);
	/* duplicates work on, whichever end is closed first */
	a = OK(dup(p[1]));
	b = OK(dup2(p[0], 50));
	OK(close(p[1]));
	text(a, b, 20);
	addresses(a, b, 5);
	OK(close(p[0]));
	addresses(a, b, 5);
	/* their numbers go to a file, which is none */
	f = OK(open("f", O_RDONLY));
	CHECK(f == p[0]);
	CHECK(read(f, buf, 32) == 4 && !memcmp(buf, "file", 4));
	CHECK(OK(dup2(f, b)) == b);
	CHECK(lseek(b, 0, SEEK_SET) == 0 && read(f, buf, 32) == 4);
	/* nobody reads any more */
	signal(SIGPIPE, SIG_IGN);
	FAILS(write(a, "x", 1), EPIPE);
	OK(close(a));
	OK(close(b));
	OK(close(f));
	FAILS(close(f), EBADF);
	FAILS(write(a, "x", 1), EBADF);
	/* as a shell does it */
	for (int i = 0; i < 10; i++) {
		int n = 0;

		OK(pipe(p));
		pid_t pid = CHILD({
			OK(close(p[0]));
			OK(dup2(p[1], 60));
			OK(close(p[1]));
			for (int k = 0; k < 20; k++)
				CHECK(write(60, "from the child\n", 15) == 15);
		});
		OK(close(p[1]));
		while ((a = (int)OK(read(p[0], buf, 15))) > 0)
			n += a;
		OK(close(p[0]));
		REAP(pid);
		CHECK(n == 300);
	}
	OK(pipe(p));
	ZERO(pthread_create(&t, NULL, reader, &p[0]));
	for (int i = 0; i < 100; i++) {
		struct message m = { i, words[i % 3], "" };

		CHECK(write(p[1], &m, sizeof(m)) == sizeof(m));
	}
	OK(close(p[1]));
	ZERO(pthread_join(t, &sum));
	printf("%ld\n", (long)sum);
	return 0;
}
