/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two threads take a lock by turns, one grows a heap of its own meanwhile, now while
 * it has the lock, now when it has not: where is a matter of the upper half of an
 * address, how often is not.  Java's memory tracker hashes pointers like that when it
 * gives back what was allocated before it, so its threads' heaps grow at other
 * allocations in each variant.
 */
#include "victim.h"

#define ROUNDS	400
#define PAGE	4096
#define EVERY	4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int total;
static char *heap;
static int page;

static void grow(void)
{
	OK(mprotect(heap + page * PAGE, PAGE, PROT_READ | PROT_WRITE));
	heap[page++ * PAGE] = 1;
}

static void work(bool grows)
{
	ZERO(pthread_mutex_lock(&lock));
	if (grows)
		grow();
	total++;
	ZERO(pthread_mutex_unlock(&lock));
}

static void *other(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		work(false);
		/* at the monitor, which hands the turn on there */
		mkdir("/nonexistent/directory", 0700);
	}
	return NULL;
}

int main(void)
{
	unsigned int place;
	pthread_t t;

	heap = OK(mmap(NULL, ROUNDS * PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	place = (unsigned int)((uintptr_t)heap >> 32) % EVERY;
	ZERO(pthread_create(&t, NULL, other, NULL));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (!place && !(i % EVERY))
			grow();
		work(place && i % EVERY == place);
	}
	ZERO(pthread_join(t, NULL));
	printf("%u %d\n", total, page);
	return 0;
}
