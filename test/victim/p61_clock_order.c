/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An allocator-like helper that looks at a clock of its own more often in one
 * variant than in another, between reads of other clocks far apart in time: those
 * tell every variant the same, each at its place.
 */
#include "victim.h"

#include <sys/time.h>

static volatile unsigned int sink;

/* Now and then, as an address says. */
static void look(const void *object, unsigned int i)
{
	uint64_t x = ((uint64_t)(uintptr_t)object + i) * 0x9e3779b97f4a7c15ull;
	struct timespec t;

	if (x >> 62)
		return;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	sink += (unsigned int)t.tv_nsec;
}

int main(void)
{
	void *object = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	int null = OK(open("/dev/null", O_WRONLY));

	for (unsigned int i = 0; i < 20; i++) {
		struct {
			struct timeval day[3];
			struct timespec mono[3];
			int64_t sec;
		} t;

		memset(&t, 0, sizeof(t));
		gettimeofday(&t.day[0], NULL);
		look(object, 5 * i);
		sink += (unsigned int)burn(12000000);
		clock_gettime(CLOCK_MONOTONIC, &t.mono[0]);
		look(object, 5 * i + 1);
		sink += (unsigned int)burn(12000000);
		gettimeofday(&t.day[1], NULL);
		clock_gettime(CLOCK_MONOTONIC, &t.mono[1]);
		look(object, 5 * i + 2);
		t.sec = time(NULL);
		sink += (unsigned int)burn(12000000);
		clock_gettime(CLOCK_MONOTONIC, &t.mono[2]);
		look(object, 5 * i + 3);
		gettimeofday(&t.day[2], NULL);
		CHECK(write(null, &t, sizeof(t)) == sizeof(t));
	}
	puts("clocks in order ok");
	return 0;
}
