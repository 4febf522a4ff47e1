/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main thread ends the process while it holds a robust mutex and other
 * threads sleep: at once.
 */
#include "victim.h"

static pthread_mutex_t m;

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

int main(void)
{
	struct timespec a, b;
	pthread_t t[3];
	pid_t p;

	clock_gettime(CLOCK_MONOTONIC, &a);
	p = CHILD({
		pthread_mutexattr_t at;

		pthread_mutexattr_init(&at);
		pthread_mutexattr_setrobust(&at, PTHREAD_MUTEX_ROBUST);
		pthread_mutex_init(&m, &at);
		for (int i = 0; i < 3; i++)
			ZERO(pthread_create(&t[i], NULL, sleeper, NULL));
		ZERO(pthread_mutex_lock(&m));
		_exit(4);
	});
	CHECK(WEXITSTATUS(reap(p)) == 4);
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK(b.tv_sec - a.tv_sec < 4);
	printf("robust main ok\n");
	return 0;
}
