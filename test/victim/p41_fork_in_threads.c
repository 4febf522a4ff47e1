/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork from a program with threads: one thread in the child, atfork handlers
 * in order.
 */
#include "victim.h"
static void prep(void)
{
	CHECK(write(1, "prepare\n", 8) == 8);
}
static void par(void)
{
	CHECK(write(1, "parent\n", 7) == 7);
}
static void kid(void)
{
	CHECK(write(2, "", 0) == 0);
}
static void *idle(void *arg)
{
	char c;

	CHECK(read(*(int *)arg, &c, 1) == 0);
	return NULL;
}
static void *forker(void *arg)
{
	int st = reap(CHILD({
		DIR *d = opendir("/proc/self/task");
		int n = 0;
		while (readdir(d))
			n++;
		CHECK(n == 3);
		CHECK(syscall(SYS_gettid) == getpid());
		_exit(11);
	}));
	return (void *)(uintptr_t)WEXITSTATUS(st);
}

int main(void)
{
	pthread_t t[4];
	int p[2];
	void *v;

	OK(pipe2(p, O_CLOEXEC));
	pthread_atfork(prep, par, kid);
	for (int i = 0; i < 3; i++)
		ZERO(pthread_create(&t[i], NULL, idle, &p[0]));
	ZERO(pthread_create(&t[3], NULL, forker, NULL));
	ZERO(pthread_join(t[3], &v));
	printf("child %d\n", (int)(uintptr_t)v);
	close(p[1]);
	for (int i = 0; i < 3; i++)
		ZERO(pthread_join(t[i], NULL));
	return 0;
}
