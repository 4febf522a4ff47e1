// SPDX-License-Identifier: Apache-2.0
/*
 * Threads that read the processor's counter again and again while others want
 * their turn: a thread that is interrupted when one of its variants stands at
 * such an instruction already goes on to it.
 */
#include <x86intrin.h>

#include "victim.h"

#define ROUNDS 6000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int done;

static void *reader(void *arg)
{
	unsigned long long last = 0, back = 0;
	unsigned int aux;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned long long now = i & 1 ? __rdtsc() : __rdtscp(&aux);

		for (volatile int k = 0; k < 2000; k++)
			;
		back += now < last;
		last = now;
	}
	CHECK(!back);
	pthread_mutex_lock(&lock);
	done++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *sleeper(void *arg)
{
	struct timespec ms = { 0, 1000000 };
	int n = 0;

	while (n < 2) {
		nanosleep(&ms, NULL);
		pthread_mutex_lock(&lock);
		n = done;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&t[i], NULL, i < 2 ? reader : sleeper, NULL));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	printf("%d done\n", done);
	return 0;
}
