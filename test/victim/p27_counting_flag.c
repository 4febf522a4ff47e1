/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two threads that pass a flag to and fro, and count while they wait: their loops
 * are never twice in the same state, and what each has counted when it gets the
 * flag must be the same in all variants, since it decides what is written.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROUNDS 2

static atomic_uint turn;
static volatile unsigned long spun[2];
static unsigned long seen[2 * ROUNDS];

static void *pass(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		while (atomic_load(&turn) % 2 != me)
			spun[me]++;
		seen[atomic_load(&turn)] = spun[me];
		atomic_fetch_add(&turn, 1);
	}
	return NULL;
}

int main(void)
{
	int out = memfd_create("counted", 0);
	pthread_t t[2];

	for (uintptr_t i = 0; i < 2; i++)
		if (pthread_create(&t[i], NULL, pass, (void *)i))
			return 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	/* natively nobody knows what it is; here all variants agree on it */
	if (write(out, seen, sizeof(seen)) != sizeof(seen))
		return 1;
	printf("%u turns\n", atomic_load(&turn));
	return 0;
}
