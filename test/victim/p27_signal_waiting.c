/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signal for a thread that waits for its turn, its call being over: it comes at
 * the end of that call, not somewhere in what the thread computes then.  (It asks
 * for the time, say: a call that changes nothing.)
 */
#include "victim.h"
#include <stdatomic.h>

#define ROUNDS 20

static volatile unsigned long work, seen;
static unsigned long at[ROUNDS];
static atomic_int computing, got;

static void on_signal(int sig)
{
	(void)sig;
	seen = work;
	atomic_fetch_add(&got, 1);
}

static void *compute(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		struct timespec ts;

		atomic_store(&computing, i + 1);
		while (atomic_load(&computing) == i + 1) {
			work = 0;
			CHECK(!syscall(SYS_clock_gettime, CLOCK_MONOTONIC,
				       &ts));
			for (unsigned int k = 0; k < 200000; k++)
				work++;
		}
	}
	return NULL;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	unsigned int partly = 0;
	pthread_t t;

	OK(sigaction(SIGUSR1, &sa, NULL));
	ZERO(pthread_create(&t, NULL, compute, NULL));
	for (int i = 0; i < ROUNDS; i++) {
		while (atomic_load(&computing) != i + 1)
			usleep(100);
		usleep(300);
		ZERO(pthread_kill(t, SIGUSR1));
		while (atomic_load(&got) != i + 1)
			usleep(100);
		at[i] = seen;
		atomic_store(&computing, 0);
	}
	ZERO(pthread_join(t, NULL));
	/* natively it is anywhere; as variants it is the same place in all of
	 * them, or these calls differ */
	for (int i = 0; i < ROUNDS; i++)
		if (at[i] && at[i] != 200000)
			partly++;
	CHECK(lseek(-1, (off_t)partly, SEEK_SET) == -1);
	puts("done");
	return 0;
}
