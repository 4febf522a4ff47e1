/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that read clocks and ask for their pid, at different depths of the
 * stack, and make no other call for long: of the pids some are told, most are not,
 * and the clocks are still the leader's, each.
 */
#include "victim.h"

static __attribute__((noinline)) int64_t now(int clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static __attribute__((noinline)) pid_t deep(int n)
{
	char room[2000];

	room[0] = (char)n;
	__asm__ volatile("" : : "r"(room) : "memory");
	return n ? deep(n - 1) + (room[0] != (char)n) : getpid();
}

static void *busy(void *arg)
{
	pid_t pid = getpid();
	unsigned long sum = 0;
	int64_t last = 0, t;

	for (int i = 0; i < 8000; i++) {
		t = now(CLOCK_MONOTONIC);
		CHECK(t >= last);
		last = t;
		sum += (unsigned long)t + (unsigned long)now(CLOCK_REALTIME);
		CHECK(deep(3) == pid);
	}
	/* the same in all variants, or it is noticed */
	int fd = open("/dev/null", O_WRONLY);
	OK(write(fd, &sum, sizeof(sum)));
	close(fd);
	return arg;
}

int main(void)
{
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		ZERO(pthread_create(&t[i], NULL, busy, NULL));
	for (int i = 0; i < 3; i++)
		ZERO(pthread_join(t[i], NULL));
	puts("clocks and pids ok");
	return 0;
}
