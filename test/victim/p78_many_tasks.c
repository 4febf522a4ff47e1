// SPDX-License-Identifier: Apache-2.0
/* More threads than monitord has room for in one image, all alive at once. */
#include "victim.h"

#define THREADS 1400

static pthread_barrier_t all;

static void *thread(void *arg)
{
	pthread_barrier_wait(&all);
	return arg;
}

int main(void)
{
	static pthread_t t[THREADS];
	pthread_attr_t a;
	long sum = 0;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 65536);
	pthread_barrier_init(&all, NULL, THREADS + 1);
	for (long i = 0; i < THREADS; i++) {
		int e = pthread_create(&t[i], &a, thread, (void *)i);

		if (e) {
			printf("%ld: %s\n", i, strerror(e));
			return 1;
		}
	}
	pthread_barrier_wait(&all);
	for (long i = 0; i < THREADS; i++) {
		void *r;

		pthread_join(t[i], &r);
		sum += (long)r;
	}
	printf("%ld\n", sum);
	return 0;
}
