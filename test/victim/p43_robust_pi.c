/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Robust and priority-inheritance mutexes, owners that die, in one process
 * and between two.
 */
#include "victim.h"
static pthread_mutex_t r, pi;
static void *die(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}
static long n;
static void *work(void *arg)
{
	for (int i = 0; i < 200; i++) {
		ZERO(pthread_mutex_lock(&pi));
		n++;
		if (i % 20 == 0)
			sched_yield();
		ZERO(pthread_mutex_unlock(&pi));
	}
	return NULL;
}

int main(void)
{
	pthread_mutexattr_t a;
	pthread_t t[3];
	pthread_mutex_t *sh = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0));

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&r, &a);
	ZERO(pthread_create(&t[0], NULL, die, &r));
	ZERO(pthread_join(t[0], NULL));
	CHECK(pthread_mutex_lock(&r) == EOWNERDEAD);
	ZERO(pthread_mutex_consistent(&r));
	ZERO(pthread_mutex_unlock(&r));
	ZERO(pthread_mutex_lock(&r));
	ZERO(pthread_mutex_unlock(&r));
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(sh, &a);
	REAP(CHILD(pthread_mutex_lock(sh)));
	CHECK(pthread_mutex_lock(sh) == EOWNERDEAD);
	ZERO(pthread_mutex_unlock(sh));
	CHECK(pthread_mutex_lock(sh) == ENOTRECOVERABLE);
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&pi, &a);
	for (int i = 0; i < 3; i++)
		ZERO(pthread_create(&t[i], NULL, work, NULL));
	for (int i = 0; i < 3; i++)
		ZERO(pthread_join(t[i], NULL));
	printf("%ld\n", n);
	return 0;
}
