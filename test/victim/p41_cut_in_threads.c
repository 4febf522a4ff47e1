/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads write and read much at once while another one has children: whoever
 * SIGCHLD, which is ignored, is taken by, no write is cut short.
 */
#include "victim.h"

#define BIG (1 << 20)
#define PAIRS 4
#define ROUNDS 4

static char big[BIG];
static int end[PAIRS][2];

static void *writer(void *arg)
{
	int fd = end[(long)arg][1];
	struct iovec v[2] = { { big, 3 }, { big + 3, BIG - 3 } };

	for (int i = 0; i < ROUNDS; i++)
		CHECK((i & 1 ? writev(fd, v, 2) : write(fd, big, BIG)) == BIG);
	close(fd);
	return NULL;
}

static void *reader(void *arg)
{
	static __thread char b[70000];
	long total = 0;
	ssize_t n;

	while ((n = OK(read(end[(long)arg][0], b, sizeof(b)))) > 0)
		total += n;
	CHECK(total == (long)ROUNDS * BIG);
	return NULL;
}

static void *parent(void *arg)
{
	for (int i = 0; i < 40; i++) {
		pid_t pid = OK(fork());

		if (!pid)
			_exit(0);
		CHECK(waitpid(pid, NULL, 0) == pid);
		usleep(500);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[2 * PAIRS + 1];

	for (long i = 0; i < PAIRS; i++) {
		if (i & 1)
			OK(socketpair(AF_UNIX, SOCK_STREAM, 0, end[i]));
		else
			OK(pipe(end[i]));
		CHECK(!pthread_create(&t[2 * i], NULL, writer, (void *)i));
		CHECK(!pthread_create(&t[2 * i + 1], NULL, reader, (void *)i));
	}
	CHECK(!pthread_create(&t[2 * PAIRS], NULL, parent, NULL));
	for (int i = 0; i <= 2 * PAIRS; i++)
		pthread_join(t[i], NULL);
	puts("all there");
	return 0;
}
