/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ten thousand calls of a server's kind, in two threads and a child, with signals:
 * built static and static-PIE.  How many of them are handled in-process is looked at
 * from outside (test/e2e/inprocess.py).
 *	calls		that
 *	calls mdwe	the same, executed where nothing may become executable
 */
#include <sys/prctl.h>
#include "victim.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE		65	/* Linux 6.3 */
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

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

	if (argc > 1) {
		/* an older kernel has nothing of the kind */
		prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
		execl(argv[0], argv[0], NULL);
		return 1;
	}
	handle(SIGUSR1, on, SA_RESTART);
	CHECK(!pthread_create(&t, NULL, thread, &self));
	calls(self);
	CHECK(!pthread_join(t, NULL));
	REAP(CHILD(calls(self)));
	CHECK(seen > 0);
	puts("calls ok");
	return 0;
}
