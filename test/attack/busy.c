/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of several processes and threads that never ends by itself, with
 * all kinds of waiting, for tests that kill something from outside.
 */
#include <pthread.h>
#include "attack.h"

static void *spin(void *arg)
{
	volatile long *n = arg;

	for (;;)
		++*n;
	return NULL;
}

static void *block(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

int main(void)
{
	static long n;
	pthread_t t;

	if (fork() == 0)
		for (;;)
			pause();
	if (fork() == 0)
		for (;;)
			getppid();
	if (fork() == 0) {
		setsid();
		pthread_create(&t, NULL, block, NULL);
		pthread_create(&t, NULL, spin, &n);
		for (;;)
			pause();
	}
	(void)!write(1, "ready\n", 6);
	for (;;)
		usleep(1000);
}
