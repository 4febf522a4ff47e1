/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exit while siblings compute, block and wait; exit status from any thread;
 * the first thread gone first.
 */
#include "victim.h"
static void *block(void *arg)
{
	pause();
	return NULL;
}
static void *spin(void *arg)
{
	for (;;)
		burn(100);
	return NULL;
}
static void *quit(void *arg)
{
	exit(7);
	return NULL;
}
static void *late(void *arg)
{
	sleep_ms(30);
	_exit(8);
	return NULL;
}
static void start(void *(*fn)(void *))
{
	pthread_t t;

	ZERO(pthread_create(&t, NULL, fn, NULL));
}

int main(void)
{
	int st;

	st = reap(CHILD(start(block); start(spin); _exit(3)));
	printf("%d\n", WEXITSTATUS(st));
	st = reap(CHILD(start(block); start(spin); start(quit); for (;;) pause()));
	printf("%d\n", WEXITSTATUS(st));
	st = reap(CHILD(start(late); pthread_exit(NULL)));
	printf("%d\n", WEXITSTATUS(st));
	st = reap(CHILD(start(block); start(late); syscall(SYS_exit, 44)));
	printf("%d\n", WEXITSTATUS(st));
	st = reap(CHILD(start(block); kill(getpid(), SIGKILL); pause()));
	printf("%d\n", WTERMSIG(st));
	st = reap(CHILD(pthread_exit(NULL)));
	printf("%d\n", WEXITSTATUS(st));
	for (int i = 0; i < 256; i += 51)
		CHECK(WEXITSTATUS(reap(CHILD(_exit(i)))) == i);
	CHECK(WEXITSTATUS(reap(CHILD(_exit(0x12345)))) == 0x45);
	CHECK(WEXITSTATUS(reap(CHILD(_exit(-1)))) == 255);
	return 0;
}
