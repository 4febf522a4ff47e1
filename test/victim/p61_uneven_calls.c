// SPDX-License-Identifier: Apache-2.0
/*
 * An allocator that draws with an address as the seed when to look at the
 * clock, to give memory back, to wake its helper thread and how long that
 * sleeps (as jemalloc does): variants make these calls at different moments.
 * What the program itself reads from the clock must nevertheless be the same
 * everywhere: it goes out to a file.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include "victim.h"

static uint64_t prng;
static char *area;
static unsigned int word;

/* not via the vDSO, which would be no call natively either way */
static int64_t clock_ns(void)
{
	struct timespec ts;

	CHECK(!syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts));
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static uint64_t draw(uint64_t below)
{
	prng = prng * 6364136223846793005ull + 1442695040888963407ull;
	return (prng >> 33) % below;
}

static __attribute__((noinline)) void allocator(void)
{
	volatile char depth[256];

	depth[0] = 0;
	if (!draw(3))
		clock_ns();
	if (!draw(4))
		CHECK(!madvise(area, 4096, MADV_DONTNEED));
	if (!draw(5))
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	if (!draw(6))
		clock_ns();
	(void)depth[0];
}

int main(void)
{
	int fd = open("/dev/null", O_WRONLY);
	struct timespec ts = { 0, 0 };
	int64_t last = 0;

	area = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(area != MAP_FAILED && fd >= 0);
	prng = (uintptr_t)area;
	for (int i = 0; i < 300; i++) {
		int64_t t[3];

		t[0] = clock_ns();
		allocator();
		t[1] = clock_ns();
		allocator();
		t[2] = clock_ns();
		CHECK(last <= t[0] && t[0] <= t[1] && t[1] <= t[2]);
		last = t[2];
		CHECK(write(fd, t, sizeof(t)) == sizeof(t));
		if (i % 10)
			continue;
		ts.tv_nsec = (long)draw(1000000);
		CHECK(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &ts,
			       NULL, 0) == -1 && errno == ETIMEDOUT);
	}
	CHECK(clock_ns() - last < 10000000000ll);
	puts("same times");
	return 0;
}
