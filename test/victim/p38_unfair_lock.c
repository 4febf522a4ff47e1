/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that takes a lock again as soon as it has released it, and writes
 * while it has it: who waits for the lock gets it some time all the same.
 */
#include "victim.h"

static sem_t lock;
static int out;
static volatile bool done;

static void *hog(void *arg)
{
	while (!done) {
		CHECK(sem_wait(&lock) == 0);
		CHECK(write(out, ".", 1) == 1);
		CHECK(sem_post(&lock) == 0);
	}
	return NULL;
}

int main(void)
{
	struct timespec nap = { 0, 20000000 };
	pthread_t t;

	out = open("/dev/null", O_WRONLY);
	CHECK(out >= 0);
	OK(sem_init(&lock, 0, 1));
	CHECK(pthread_create(&t, NULL, hog, NULL) == 0);
	for (int i = 0; i < 3; i++) {
		OK(nanosleep(&nap, NULL));
		CHECK(sem_wait(&lock) == 0);
		printf("have it %d\n", i);
		CHECK(sem_post(&lock) == 0);
	}
	done = true;
	CHECK(pthread_join(t, NULL) == 0);
	return 0;
}
