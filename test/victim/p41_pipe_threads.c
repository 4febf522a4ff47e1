/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that block in pipes for each other: a blocked one does not stop the
 * rest.
 */
#include "victim.h"
static int ab[2], ba[2];
static void *pong(void *arg)
{
	int v;

	while (read(ab[0], &v, sizeof(v)) == sizeof(v)) {
		v++;
		CHECK(write(ba[1], &v, sizeof(v)) == sizeof(v));
	}
	return NULL;
}
static void *ticker(void *arg)
{
	volatile int *stop = arg;
	long n = 0;

	while (!__atomic_load_n(stop, __ATOMIC_SEQ_CST)) {
		n++;
		sched_yield();
	}
	return (void *)(uintptr_t)(n > 0);
}

int main(void)
{
	pthread_t t, k;
	int v = 0, stop = 0;
	void *r;

	OK(pipe(ab));
	OK(pipe(ba));
	ZERO(pthread_create(&t, NULL, pong, NULL));
	ZERO(pthread_create(&k, NULL, ticker, &stop));
	for (int i = 0; i < 200; i++) {
		CHECK(write(ab[1], &v, sizeof(v)) == sizeof(v));
		CHECK(read(ba[0], &v, sizeof(v)) == sizeof(v));
	}
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	close(ab[1]);
	ZERO(pthread_join(t, NULL));
	ZERO(pthread_join(k, &r));
	printf("%d\n", v);
	return 0;
}
