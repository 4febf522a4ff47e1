/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads: create, join, values, detached, names, stacks, local storage,
 * nested creation.
 */
#include "victim.h"
static __thread int tls = 5;
static pthread_key_t key;
static sem_t done;
static int destroyed;
static void destroy(void *v)
{
	__atomic_add_fetch(&destroyed, (int)(uintptr_t)v, __ATOMIC_SEQ_CST);
}
static void *leaf(void *arg)
{
	CHECK(tls == 5);
	tls = (int)(uintptr_t)arg;
	ZERO(pthread_setspecific(key, arg));
	CHECK(tls == (int)(uintptr_t)arg);
	return (void *)((uintptr_t)arg * 3);
}
static void *nested(void *arg)
{
	pthread_t t;
	void *v;

	ZERO(pthread_create(&t, NULL, leaf, arg));
	ZERO(pthread_join(t, &v));
	return (void *)((uintptr_t)v + 1);
}
static void *det(void *arg)
{
	sem_post(&done);
	return NULL;
}

int main(void)
{
	pthread_t t[16];
	pthread_attr_t a;
	void *v;
	char name[16];
	uintptr_t sum = 0;

	ZERO(pthread_key_create(&key, destroy));
	for (uintptr_t i = 0; i < 16; i++)
		ZERO(pthread_create(&t[i], NULL, i & 1 ? nested : leaf, (void *)(i + 1)));
	for (int i = 15; i >= 0; i--) {
		ZERO(pthread_join(t[i], &v));
		sum = sum * 7 + (uintptr_t)v;
	}
	printf("sum %lu destroyed %d\n", (unsigned long)sum, destroyed);
	ZERO(sem_init(&done, 0, 0));
	pthread_attr_init(&a);
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&a, 1 << 18);
	for (int i = 0; i < 5; i++)
		ZERO(pthread_create(&t[0], &a, det, NULL));
	for (int i = 0; i < 5; i++)
		OK(sem_wait(&done));
	ZERO(pthread_setname_np(pthread_self(), "renamed"));
	ZERO(pthread_getname_np(pthread_self(), name, sizeof(name)));
	printf("%s\n", name);
	for (int i = 0; i < 200; i++) {
		ZERO(pthread_create(&t[0], NULL, leaf, (void *)1));
		ZERO(pthread_join(t[0], NULL));
	}
	return 0;
}
