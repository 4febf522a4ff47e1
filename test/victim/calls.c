/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ten thousand calls of a server's kind, in two threads and a child, with signals:
 * built static and static-PIE.  How many of them are handled in-process is looked at
 * from outside (test/e2e/inprocess.py).
 */
#include "victim.h"

#define ROUNDS 500

static volatile sig_atomic_t seen;
static void on(int sig)
{
	seen++;
}

static void calls(int self)
{
	char b[64] = "";
	struct timespec t;
	struct stat st;
	int p[2];

	OK(pipe(p));
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(getppid() > 0);
		CHECK(pread(self, b, sizeof(b), 0) == sizeof(b));
		CHECK(write(p[1], b, 10) == 10 && read(p[0], b, 64) == 10);
		OK(clock_gettime(CLOCK_MONOTONIC, &t));
		OK(fstat(self, &st));
		FAILS(read(-1, b, 1), EBADF);
		if (i % 100 == 0)
			OK(kill(getpid(), SIGUSR1));
	}
	OK(close(p[0]));
	OK(close(p[1]));
}

static void *thread(void *arg)
{
	calls(*(int *)arg);
	return NULL;
}

int main(int argc, char **argv)
{
	int self = OK(open(argv[0], O_RDONLY));
	pthread_t t;

	handle(SIGUSR1, on, SA_RESTART);
	CHECK(!pthread_create(&t, NULL, thread, &self));
	calls(self);
	CHECK(!pthread_join(t, NULL));
	REAP(CHILD(calls(self)));
	CHECK(seen > 0);
	puts("calls ok");
	return 0;
}
