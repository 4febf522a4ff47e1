/* SPDX-License-Identifier: Apache-2.0 */
/* Contended locks of every kind protect a counter. */
#include "victim.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, e, r;
static pthread_spinlock_t sp;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;
static long n[6];
static long atomic_n;
static void *work(void *arg)
{
	for (int i = 0; i < 300; i++) {
		pthread_mutex_lock(&m);
		n[0]++;
		pthread_mutex_unlock(&m);
		ZERO(pthread_mutex_lock(&e));
		n[1]++;
		ZERO(pthread_mutex_unlock(&e));
		pthread_mutex_lock(&r);
		pthread_mutex_lock(&r);
		n[2]++;
		pthread_mutex_unlock(&r);
		pthread_mutex_unlock(&r);
		pthread_spin_lock(&sp);
		n[3]++;
		pthread_spin_unlock(&sp);
		pthread_rwlock_wrlock(&rw);
		n[4]++;
		pthread_rwlock_unlock(&rw);
		pthread_rwlock_rdlock(&rw);
		CHECK(n[4] > 0);
		pthread_rwlock_unlock(&rw);
		sem_wait(&sem);
		n[5]++;
		sem_post(&sem);
		__atomic_add_fetch(&atomic_n, 1, __ATOMIC_SEQ_CST);
		if (i % 50 == 0)
			sched_yield();
	}
	return NULL;
}

int main(void)
{
	pthread_t t[4];
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&e, &a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&r, &a);
	pthread_spin_init(&sp, 0);
	sem_init(&sem, 0, 1);
	for (int i = 0; i < 4; i++)
		ZERO(pthread_create(&t[i], NULL, work, NULL));
	for (int i = 0; i < 4; i++)
		ZERO(pthread_join(t[i], NULL));
	for (int i = 0; i < 6; i++)
		printf("%ld ", n[i]);
	printf("%ld\n", atomic_n);
	CHECK(pthread_mutex_unlock(&e) == EPERM);
	return 0;
}
