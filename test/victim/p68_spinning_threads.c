/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that wait for a flag without sleeping: computing, asking for the time,
 * yielding, making calls that return at once, while another one does what is to
 * be done and sets it.
 */
#include "victim.h"
#include <stdatomic.h>

#define ITEMS	4

static atomic_int flag, ready;
static int p[2];

static void *spin(void *arg)
{
	struct timespec ts;

	atomic_fetch_add(&ready, 1);
	while (!atomic_load(&flag)) {
		switch ((int)(uintptr_t)arg) {
		case 0:
			break;
		case 1:
			clock_gettime(CLOCK_MONOTONIC, &ts);
			break;
		case 2:
			sched_yield();
			break;
		case 3:
			getpid();
			break;
		default:
			getppid();
			break;
		}
	}
	return NULL;
}

static void *work(void *arg)
{
	char c;

	for (int i = 0; i < ITEMS; i++)
		CHECK(read(p[0], &c, 1) == 1);
	atomic_store(&flag, 1);
	return NULL;
}

int main(void)
{
	struct timespec nap = { 0, 100000 };
	pthread_t t[2];

	OK(pipe(p));
	for (uintptr_t i = 0; i < 5; i++) {
		atomic_store(&flag, 0);
		atomic_store(&ready, 0);
		ZERO(pthread_create(&t[0], NULL, spin, (void *)i));
		while (!atomic_load(&ready))
			sched_yield();
		ZERO(pthread_create(&t[1], NULL, work, NULL));
		for (int k = 0; k < ITEMS; k++) {
			nanosleep(&nap, NULL);
			CHECK(write(p[1], "x", 1) == 1);
		}
		ZERO(pthread_join(t[0], NULL));
		ZERO(pthread_join(t[1], NULL));
		printf("%d\n", (int)i);
	}
	return 0;
}
