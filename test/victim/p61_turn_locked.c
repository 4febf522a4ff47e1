/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that computes for long while it has a lock, and reads the clock before
 * or after it lets the lock go, as an address says (a garbage collector that does its
 * work at another object in each variant).  Others who want to run meanwhile say
 * whether they found the lock free: they are not to run at those readings.
 */
#include "victim.h"

#define ROUNDS 12
#define HELD_MS 60

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int null, done;
static volatile unsigned int sink;

static uint64_t now_ns(clockid_t id)
{
	struct timespec ts;

	ZERO(clock_gettime(id, &ts));
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void compute(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		sink = sink * 31 + 1;
}

static void *other(void *arg)
{
	char found;

	(void)arg;
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		found = 'b';
		if (!pthread_mutex_trylock(&lock)) {
			found = 'f';
			ZERO(pthread_mutex_unlock(&lock));
		}
		CHECK(write(null, &found, 1) == 1);
		usleep(100);
	}
	return NULL;
}

int main(void)
{
	unsigned long per_ms = 100000;
	unsigned int bits;
	uint64_t before;
	pthread_t t[2];
	void *area;

	OK(null = open("/dev/null", O_WRONLY));
	area = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	/* other ones in each variant */
	bits = (unsigned int)((uintptr_t)area * 0x9e3779b97f4a7c15u >> 40);
	before = now_ns(CLOCK_THREAD_CPUTIME_ID);
	compute(10 * per_ms);
	before = now_ns(CLOCK_THREAD_CPUTIME_ID) - before;
	per_ms = (unsigned long)(10 * per_ms / (double)(before + 1) * 1e6) + 1;
	for (unsigned int i = 0; i < 2; i++)
		ZERO(pthread_create(&t[i], NULL, other, NULL));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		ZERO(pthread_mutex_lock(&lock));
		(void)now_ns(CLOCK_MONOTONIC);
		compute(HELD_MS * per_ms);
		if (bits >> i & 1)
			(void)now_ns(CLOCK_MONOTONIC);
		ZERO(pthread_mutex_unlock(&lock));
		if (!(bits >> i & 1))
			(void)now_ns(CLOCK_MONOTONIC);
		CHECK(write(null, "x", 1) == 1);
		usleep(500);
	}
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < 2; i++)
		ZERO(pthread_join(t[i], NULL));
	return 0;
}
