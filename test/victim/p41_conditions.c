/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions, barriers, once, producer and consumer with a bounded queue. */
#include "victim.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t full = PTHREAD_COND_INITIALIZER, empty = PTHREAD_COND_INITIALIZER;
static int q[4], qn, head;
static long sum[3];
static pthread_barrier_t bar;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int onces, serials, phase;
static void only(void)
{
	onces++;
}
static void *consume(void *arg)
{
	long *s = arg;

	for (;;) {
		int v;

		pthread_mutex_lock(&m);
		while (!qn)
			pthread_cond_wait(&empty, &m);
		v = q[head];
		if (v < 0) {
			pthread_mutex_unlock(&m);
			break;
		}
		head = (head + 1) % 4;
		qn--;
		*s += v;
		pthread_cond_signal(&full);
		pthread_mutex_unlock(&m);
	}
	pthread_once(&once, only);
	for (int i = 0; i < 10; i++) {
		if (pthread_barrier_wait(&bar) == PTHREAD_BARRIER_SERIAL_THREAD) {
			serials++;
			phase = i;
		}
		pthread_barrier_wait(&bar);
		CHECK(phase == i);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[3];
	struct timespec ts;

	pthread_barrier_init(&bar, NULL, 3);
	for (int i = 0; i < 3; i++)
		ZERO(pthread_create(&t[i], NULL, consume, &sum[i]));
	for (int i = 1; i <= 301; i++) {
		pthread_mutex_lock(&m);
		while (qn == 4)
			pthread_cond_wait(&full, &m);
		q[(head + qn) % 4] = i == 301 ? -1 : i;
		qn++;
		pthread_cond_broadcast(&empty);
		pthread_mutex_unlock(&m);
	}
	for (int i = 0; i < 3; i++)
		ZERO(pthread_join(t[i], NULL));
	printf("sum %ld onces %d serials %d\n", sum[0] + sum[1] + sum[2], onces, serials);
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 20000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	pthread_mutex_lock(&m);
	CHECK(pthread_cond_timedwait(&full, &m, &ts) == ETIMEDOUT);
	pthread_t o;
	(void)o;
	CHECK(pthread_mutex_trylock(&m) == EBUSY);
	pthread_mutex_unlock(&m);
	return 0;
}
