/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that wait for a priority-inheritance mutex get signals nobody
 * notices: with a tracer they end the wait, which is then begun again.
 */
#include "victim.h"

static pthread_mutex_t pi;
static long n;

static void *work(void *arg)
{
	for (int i = 0; i < 200; i++) {
		ZERO(pthread_mutex_lock(&pi));
		n++;
		if (i % 10 == 0)
			sched_yield();
		ZERO(pthread_mutex_unlock(&pi));
	}
	return NULL;
}

int main(void)
{
	pthread_mutexattr_t a;
	pthread_t t[3];

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&pi, &a);
	ZERO(pthread_mutex_lock(&pi));
	for (int i = 0; i < 3; i++)
		ZERO(pthread_create(&t[i], NULL, work, NULL));
	for (int i = 0; i < 60; i++) {
		sched_yield();
		ZERO(pthread_kill(t[i % 3], SIGWINCH));
		if (i % 3)
			continue;
		ZERO(pthread_mutex_unlock(&pi));
		ZERO(pthread_mutex_lock(&pi));
	}
	ZERO(pthread_mutex_unlock(&pi));
	for (int i = 0; i < 3; i++)
		ZERO(pthread_join(t[i], NULL));
	printf("%ld\n", n);
	return 0;
}
