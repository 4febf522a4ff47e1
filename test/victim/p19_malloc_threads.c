/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arenas of several threads: aligned regions of 64 MiB that depend on where
 * the kernel places them.
 */
#include "victim.h"
static void *work(void *arg)
{
	uintptr_t id = (uintptr_t)arg;
	char *p[200];
	uint64_t sum = 0;

	for (int round = 0; round < 30; round++) {
		for (int i = 0; i < 200; i++) {
			size_t n = 1 + (i * 7919 + round * 104729 + id * 31) % 5000;
			p[i] = malloc(n);
			memset(p[i], i + id, n);
			sum += p[i][n - 1];
		}
		for (int i = 0; i < 200; i++)
			free(p[(i * 37) % 200]);
	}
	return (void *)(uintptr_t)sum;
}

int main(void)
{
	pthread_t t[6];

	for (uintptr_t i = 0; i < 6; i++)
		ZERO(pthread_create(&t[i], NULL, work, (void *)i));
	for (int i = 0; i < 6; i++) {
		void *v;
		ZERO(pthread_join(t[i], &v));
		printf("thread %d sum %lu\n", i, (unsigned long)(uintptr_t)v);
	}
	return 0;
}
