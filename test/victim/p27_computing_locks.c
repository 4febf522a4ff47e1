/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that compute for long without a call, and take and release a lock all
 * the time: half of all instants are within it.  When one is interrupted to let
 * others run, the lock must be held in all variants or in none; else one of them
 * waits for it by a call that the others do not make.
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define THREADS 3

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long n, rounds;

static void *count(void *arg)
{
	unsigned long k;

	for (k = 0; k < rounds; k++) {
		pthread_mutex_lock(&lock);
		n++;
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];

	(void)argv;
	/* some two seconds natively, however long that takes */
	rounds = argc > 1 ? 100000000 : 25000000;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, count, NULL))
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("%s\n", n == THREADS * rounds ? "all counted" : "lost");
	return 0;
}
