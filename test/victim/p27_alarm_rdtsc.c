/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that reads the time stamp counter, which variants are stopped at, and works in
 * between: the alarm comes, and everywhere at the same turn. */
#include "victim.h"
#include <x86intrin.h>

static volatile sig_atomic_t hit;

static void stop(int sig)
{
	(void)sig;
	hit = 1;
}

int main(void)
{
	struct itimerval it = { .it_value.tv_usec = 100000 };
	int fd = OK(open("/dev/null", O_WRONLY | O_CLOEXEC)), n;
	unsigned long turns = 0;
	volatile uint64_t x = 0;
	char line[64];

	signal(SIGALRM, stop);
	OK(setitimer(ITIMER_REAL, &it, NULL));
	while (!hit) {
		x += __rdtsc();
		for (unsigned int i = 0; i < 200000; i++)
			x = x * 3 + 1;
		turns++;
	}
	n = snprintf(line, sizeof(line), "%lu %" PRIu64, turns, x);
	CHECK(write(fd, line, (size_t)n) == n);
	puts("done");
	return 0;
}
