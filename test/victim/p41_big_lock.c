/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An interpreter lock as in CPython: the owner computes for long between
 * releasing it, the others wait with a short time-out and ask for it.
 */
#include "victim.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int locked, drop, switches;
static volatile unsigned int sink;

static void take(void)
{
	pthread_mutex_lock(&m);
	while (locked) {
		struct timespec ts;

		clock_gettime(CLOCK_REALTIME, &ts);
		ts.tv_nsec += 5000000;
		ts.tv_sec += ts.tv_nsec / 1000000000;
		ts.tv_nsec %= 1000000000;
		if (pthread_cond_timedwait(&c, &m, &ts) == ETIMEDOUT && locked)
			__atomic_store_n(&drop, 1, __ATOMIC_RELAXED);
	}
	locked = 1;
	drop = 0;
	switches++;
	pthread_mutex_unlock(&m);
}

static void give(void)
{
	pthread_mutex_lock(&m);
	locked = 0;
	pthread_cond_signal(&c);
	pthread_mutex_unlock(&m);
}

static void *work(void *arg)
{
	int n = (int)(long)arg;

	take();
	for (int i = 0; i < 8; i++) {
		/* some of it short, some beyond any patience */
		for (unsigned int k = 0; k < (n + i) % 3 * 50000000u; k++)
			sink += k;
		if (__atomic_load_n(&drop, __ATOMIC_RELAXED)) {
			give();
			take();
		}
	}
	give();
	return NULL;
}

int main(void)
{
	pthread_t t[3];

	for (long i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, work, (void *)i);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	CHECK(switches >= 3 && !locked);
	puts("big lock ok");
	return 0;
}
