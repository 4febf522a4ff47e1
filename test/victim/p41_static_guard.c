/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lazily initialised data reached by several threads at once is initialised
 * once.
 */
#include "victim.h"
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int *value, inits;
static void init(void)
{
	value = malloc(sizeof(int));
	*value = 1234;
	inits++;
	sched_yield();
}
static void *use(void *arg)
{
	pthread_once(&once, init);
	CHECK(*value == 1234);
	return NULL;
}

int main(void)
{
	pthread_t t[8];

	for (int i = 0; i < 8; i++)
		ZERO(pthread_create(&t[i], NULL, use, NULL));
	for (int i = 0; i < 8; i++)
		ZERO(pthread_join(t[i], NULL));
	printf("initialised %d\n", inits);
	return 0;
}
