/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first process of a pid namespace calls itself 1, whatever its creator
 * calls it, also when it has children and threads of its own.
 */
#include <sys/wait.h>

#include "victim.h"

static void *thread(void *arg)
{
	for (int i = 0; i < 50; i++)
		CHECK(getpid() == 1 && syscall(SYS_gettid) == 2);
	return arg;
}

static void first(void)
{
	pthread_t t;
	pid_t child;

	for (int i = 0; i < 50; i++)
		CHECK(getpid() == 1 && syscall(SYS_gettid) == 1);
	CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	child = OK(fork());
	if (!child) {
		for (int i = 0; i < 50; i++)
			CHECK(getpid() == 3 && getppid() == 1);
		_exit(3);
	}
	CHECK(getpid() == 1 && child == 3);
	CHECK(waitpid(child, NULL, 0) == 3);
	CHECK(kill(getpid(), 0) == 0);
	_exit(4);
}

int main(void)
{
	int status;
	pid_t pid;

	CHECK(getpid() > 1);
	if (unshare(CLONE_NEWUSER | CLONE_NEWPID))
		NEEDS(unshare(CLONE_NEWPID));
	pid = OK(fork());
	if (!pid)
		first();
	CHECK(pid > 1 && waitpid(pid, &status, 0) == pid);
	printf("%x\n", status);
	CHECK(getpid() > 1);
	return 0;
}
