// SPDX-License-Identifier: Apache-2.0
/*
 * A thread that is asked to stop, says that it has, waits, is let go on, and is asked
 * again before it has done anything, if who asks does not sleep in between (a runtime
 * that suspends threads until one is where it may be interrupted: Mono, at its end).
 * Natively it runs beside the other one and gets on.
 */
#include <pthread.h>
#include <semaphore.h>

#include "victim.h"

#define STEPS 20

static sem_t stopped, resumed;
static int asked, done, steps;
static volatile unsigned int sink;

static void poll_stop(void)
{
	while (__atomic_load_n(&asked, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&asked, 0, __ATOMIC_RELEASE);
		ZERO(sem_post(&stopped));
		while (sem_wait(&resumed))
			CHECK(errno == EINTR);
	}
}

static void *worker(void *arg)
{
	(void)arg;
	for (int i = 0; i < STEPS; i++) {
		poll_stop();
		__atomic_add_fetch(&steps, 1, __ATOMIC_RELEASE);
		for (int k = 0; k < 20000; k++)
			sink = sink * 31 + 1;
	}
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	ZERO(sem_post(&stopped));
	return NULL;
}

int main(void)
{
	pthread_t t;

	ZERO(sem_init(&stopped, 0, 0));
	ZERO(sem_init(&resumed, 0, 0));
	asked = 1;
	ZERO(pthread_create(&t, NULL, worker, NULL));
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		while (sem_wait(&stopped))
			CHECK(errno == EINTR);
		ZERO(sem_post(&resumed));
		/* time in which another processor runs the other one */
		for (int k = 0; k < 200000; k++)
			sink = sink * 31 + 1;
		__atomic_store_n(&asked, 1, __ATOMIC_RELEASE);
	}
	ZERO(pthread_join(t, NULL));
	printf("%d steps\n", steps);
	return 0;
}
