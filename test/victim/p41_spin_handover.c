/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that hand over through atomics, spinning without a call. */
#include "victim.h"
static int turn;
static long count;
static void *side(void *arg)
{
	int me = (int)(uintptr_t)arg;

	for (int i = 0; i < 20; i++) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != me)
			;
		count++;
		__atomic_store_n(&turn, !me, __ATOMIC_RELEASE);
	}
	return NULL;
}

int main(void)
{
	pthread_t a, b;

	ZERO(pthread_create(&a, NULL, side, (void *)0));
	ZERO(pthread_create(&b, NULL, side, (void *)1));
	ZERO(pthread_join(a, NULL));
	ZERO(pthread_join(b, NULL));
	printf("%ld\n", count);
	return 0;
}
