/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More threads than have rings at a time, each with work and a share of one
 * queue; then again, so that places are used a second time.
 */
#include "victim.h"

#define THREADS	300
#define ITEMS	1200

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static unsigned int queue[ITEMS], put, got;
static uint64_t sum;
static int null, done;

static void *worker(void *arg)
{
	char line[32];

	ZERO(pthread_mutex_lock(&lock));
	for (;;) {
		unsigned int v;
		int n;

		while (got == put && !done)
			ZERO(pthread_cond_wait(&more, &lock));
		if (got == put)
			break;
		v = queue[got++];
		ZERO(pthread_mutex_unlock(&lock));
		n = snprintf(line, sizeof(line), "%u %u\n", v, got);
		CHECK(write(null, line, (size_t)n) == n);
		ZERO(pthread_mutex_lock(&lock));
		sum += v;
	}
	ZERO(pthread_mutex_unlock(&lock));
	return NULL;
}

int main(void)
{
	static pthread_t t[THREADS];
	pthread_attr_t attr;

	OK(null = open("/dev/null", O_WRONLY));
	ZERO(pthread_attr_init(&attr));
	ZERO(pthread_attr_setstacksize(&attr, 65536));
	for (int again = 0; again < 2; again++) {
		put = got = 0;
		done = 0;
		for (int i = 0; i < THREADS; i++)
			ZERO(pthread_create(&t[i], &attr, worker, NULL));
		for (unsigned int i = 0; i < ITEMS; i++) {
			ZERO(pthread_mutex_lock(&lock));
			queue[put++] = i;
			ZERO(pthread_cond_signal(&more));
			ZERO(pthread_mutex_unlock(&lock));
		}
		ZERO(pthread_mutex_lock(&lock));
		done = 1;
		ZERO(pthread_cond_broadcast(&more));
		ZERO(pthread_mutex_unlock(&lock));
		for (int i = 0; i < THREADS; i++)
			ZERO(pthread_join(t[i], NULL));
		printf("%llu\n", (unsigned long long)sum);
	}
	return 0;
}
