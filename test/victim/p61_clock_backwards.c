/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variants that read clocks unequally often, as an address says, from deeper in the
 * stack, now and then, and in several ways: time goes forward in each of them.
 */
#include "victim.h"
#include <sys/time.h>

static int64_t last[2];
static int back;

static int64_t ns(int id)
{
	struct timespec t;
	int64_t v;

	OK(clock_gettime(id, &t));
	v = t.tv_sec * 1000000000ll + t.tv_nsec;
	back += v < last[id];
	return last[id] = v;
}

static void us(void)
{
	struct timeval t;
	int64_t v;

	OK(gettimeofday(&t, NULL));
	v = t.tv_sec * 1000000000ll + t.tv_usec * 1000ll;
	/* it counts in microseconds */
	back += v + 1000 <= last[CLOCK_REALTIME];
	if (v > last[CLOCK_REALTIME])
		last[CLOCK_REALTIME] = v;
}

static __attribute__((noinline)) int64_t deep(int n, int id)
{
	volatile char b[256];

	b[0] = (char)n;
	return n ? deep(n - 1, id) + b[0] * 0 : ns(id);
}

static void run(unsigned int seed)
{
	unsigned int own = (unsigned int)((uintptr_t)&last >> 32) * 2654435761u;

	srandom(seed);
	for (int i = 0; i < 8000; i++) {
		long r = random();

		own = own * 1103515245 + 12345;
		if (r % 50 == 0 && (own >> 16) % 2)
			for (unsigned int k = own >> 20 & 3; k; k--)
				deep(3 + (int)k, (own >> 24) % 2);
		switch (r / 50 % 5) {
		case 0:
		case 1:
			ns((int)(r / 50 % 5));
			break;
		case 2:
			us();
			break;
		case 3:
			CHECK(time(NULL) > 0);
			break;
		default:
			CHECK(getppid() >= 0);
			break;
		}
	}
}

int main(void)
{
	for (unsigned int seed = 1; seed < 4; seed++)
		run(seed);
	printf("back %d\n", back);
	return 0;
}
