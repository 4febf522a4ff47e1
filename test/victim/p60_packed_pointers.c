// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses in six bytes, as who writes numbers as short as they are sends them
 * (Python's pickle): who reads one finds its own object there, in memory of its own and
 * in that of a file which is shared (as Python's semaphores are).
 */
#include "victim.h"

static int some_data = 5;
static char *mapped, *shared;

static size_t put(char *at, const void *p)
{
	uintptr_t a = (uintptr_t)p;

	memcpy(at, &a, 6);
	return 6;
}

static void *get(const char *at)
{
	uintptr_t a = 0;

	memcpy(&a, at, 6);
	return (void *)a;
}

/* A message: text, three addresses, text or nothing behind. */
static size_t message(char *buf, int lead, int tail)
{
	size_t n = 0;

	memset(buf, 'x', 400);
	n = (size_t)lead;
	n += put(buf + n, &some_data);
	n += put(buf + n, mapped);
	n += put(buf + n, shared);
	return n + (size_t)tail;
}

static void expect(int fd, int lead, int tail)
{
	char buf[400];
	size_t n = (size_t)(lead + 18 + tail), have = 0;

	while (have < n) {
		ssize_t r = read(fd, buf + have, n - have);

		CHECK(r > 0);
		have += (size_t)r;
	}
	CHECK(get(buf + lead) == &some_data);
	CHECK(get(buf + lead + 6) == mapped);
	CHECK(get(buf + lead + 12) == shared);
	CHECK(*(int *)get(buf + lead) == 5);
	CHECK(!strcmp(get(buf + lead + 6), "there"));
	for (int i = 0; i < tail; i++)
		CHECK(buf[lead + 18 + i] == 'x');
}

int main(void)
{
	static const int lead[] = { 0, 3, 240, 244, 245, 246, 248, 250, 251, 256 };
	char buf[400];
	pid_t child;
	int p[2], back[2], fd;
	char c;

	/* one that begins with zeros, behind another one */
	mapped = OK(mmap(NULL, 131072, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	mapped = (char *)(((uintptr_t)mapped + 65535) & ~(uintptr_t)65535);
	strcpy(mapped, "there");
	fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	OK(ftruncate(fd, 8192));
	shared = OK(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	close(fd);
	shared += 32;
	OK(pipe(p));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, back));
	child = CHILD({
		for (unsigned int i = 0; i < 10; i++)
			for (int tail = 0; tail < 10; tail++) {
				expect(i % 2 ? p[0] : back[1], lead[i], tail);
				CHECK(write(back[1], "k", 1) == 1);
			}
	});
	for (unsigned int i = 0; i < 10; i++)
		for (int tail = 0; tail < 10; tail++) {
			size_t n = message(buf, lead[i], tail);

			CHECK(write(i % 2 ? p[1] : back[0], buf, n) == (ssize_t)n);
			CHECK(read(back[0], &c, 1) == 1);
		}
	REAP(child);
	puts("packed ok");
	return 0;
}
