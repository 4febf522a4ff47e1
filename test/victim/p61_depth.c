/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock is read right after calls which only the leader knows to be the
 * monitor's (a mapping of a file is moved), made from deep down the stack: every
 * variant sees the same times.
 */
#include <sys/mman.h>
#include "victim.h"

static char *map;
static int size = 1;

static int64_t clock_ns(void)
{
	struct timespec ts;

	OK(syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts));
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static __attribute__((noinline)) void deep(int n)
{
	volatile char frame[512];

	frame[0] = (char)n;
	if (n) {
		deep(n - 1);
	} else {
		int next = size == 1 ? 3 : 1;

		map = OK(mremap(map, size * 4096, next * 4096, MREMAP_MAYMOVE));
		size = next;
	}
	(void)frame[0];
}

int main(void)
{
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	int null = OK(open("/dev/null", O_WRONLY));

	OK(ftruncate(fd, 16384));
	map = OK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
	for (int i = 0; i < 60; i++) {
		int64_t t[3];

		deep(i % 9);
		t[0] = clock_ns();
		deep(i % 4);
		t[1] = clock_ns();
		t[2] = clock_ns();
		CHECK(t[0] <= t[1] && t[1] <= t[2]);
		CHECK(write(null, t, sizeof(t)) == sizeof(t));
	}
	puts("same times");
	return 0;
}
