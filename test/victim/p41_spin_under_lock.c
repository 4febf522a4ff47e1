// SPDX-License-Identifier: Apache-2.0
/*
 * A thread that waits for others by looking again and again, under a lock, and
 * makes no call as long as nobody contends for it.  It is interrupted in there
 * so that the others may run: in all variants either with the lock or without.
 */
#include <pthread.h>
#include <stdio.h>

#include "victim.h"

#define THREADS 40
#define ROUNDS 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int waiting, gone, go;

static void *waiter(void *arg)
{
	pthread_mutex_lock(&lock);
	waiting++;
	while (!go)
		pthread_cond_wait(&cond, &lock);
	gone++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static int look(const int *what)
{
	int n;

	pthread_mutex_lock(&lock);
	n = *what;
	pthread_mutex_unlock(&lock);
	return n;
}

int main(void)
{
	pthread_t t[THREADS];

	for (int r = 0; r < ROUNDS; r++) {
		waiting = gone = go = 0;
		for (int i = 0; i < THREADS; i++)
			pthread_create(&t[i], NULL, waiter, NULL);
		while (look(&waiting) < THREADS)
			;
		pthread_mutex_lock(&lock);
		go = 1;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&lock);
		while (look(&gone) < THREADS)
			;
		for (int i = 0; i < THREADS; i++)
			pthread_join(t[i], NULL);
	}
	printf("%d %d\n", waiting, gone);
	return 0;
}
