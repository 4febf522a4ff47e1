/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A variant arranges its memory once more than another (as allocators do, that draw by
 * addresses), and comes to it before the leader falls asleep.  A sibling that goes on
 * while the leader sleeps, and wakes it later, must not have to wait for that one.
 */
#include "victim.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int waiting, woken;
static volatile long work;
static char *page;

/* Variants' addresses differ in this bit, or in one of the next. */
static int which(int bit)
{
	return (int)((uintptr_t)page >> (41 + bit) & 1);
}

static void *sleeper(void *arg)
{
	int round = *(int *)arg;

	if (which(round / 2) == (round & 1))
		mprotect(page, 4096, PROT_READ | PROT_WRITE);
	else
		for (long i = 0; i < 60000000; i++)
			work += i;
	pthread_mutex_lock(&lock);
	waiting = 1;
	while (!woken)
		pthread_cond_wait(&cond, &lock);
	pthread_mutex_unlock(&lock);
	return arg;
}

int main(void)
{
	pthread_t t;

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	CHECK(page != MAP_FAILED);
	for (int round = 0; round < 4; round++) {
		waiting = woken = 0;
		OK(pthread_create(&t, NULL, sleeper, &round));
		for (int there = 0; !there; ) {
			usleep(20000);
			pthread_mutex_lock(&lock);
			there = waiting;
			pthread_mutex_unlock(&lock);
		}
		/* all variants meet */
		put_file("f", "here");
		pthread_mutex_lock(&lock);
		woken = 1;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&lock);
		OK(pthread_join(t, NULL));
		printf("round %d\n", round);
		fflush(stdout);
	}
	return 0;
}
