/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that take a lock, look, and let go, without a system call as long as
 * nobody is in their way: one that is stopped to let another run holds the lock
 * in all variants or in none, whatever its stack and registers have in them of the
 * thread that made it, of a jmp_buf, and of a canary.
 */
#include "victim.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t stop;

static void *writer(void *arg)
{
	int s;

	do {
		pthread_rwlock_wrlock(&lock);
		pthread_rwlock_unlock(&lock);
		sem_getvalue(&stop, &s);
	} while (!s);
	return arg;
}

static void *reader(void *arg)
{
	int s;

	do {
		pthread_rwlock_rdlock(&lock);
		sem_getvalue(&stop, &s);
		pthread_rwlock_unlock(&lock);
	} while (!s);
	return arg;
}

int main(void)
{
	void *(*const run[])(void *) = { writer, writer, reader, writer };
	pthread_t t[4];

	sem_init(&stop, 0, 0);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, run[i], NULL);
	sleep(1);
	sem_post(&stop);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	puts("all of them have ended");
	return 0;
}
