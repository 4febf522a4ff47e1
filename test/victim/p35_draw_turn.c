/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that draw a few random bytes each, while others wait for the turn: all
 * variants get the leader's. An allocator does this for itself, at times in one
 * variant only; who is asked for the turn meanwhile must not be mistaken for that.
 */
#include "victim.h"
#include <sys/random.h>

static pthread_barrier_t start;

static void *draws(void *arg)
{
	uint64_t r, sum = 0;
	int fd = OK(open("/dev/null", O_WRONLY));

	pthread_barrier_wait(&start);
	for (int i = 0; i < 3000; i++) {
		CHECK(syscall(SYS_getrandom, &r, sizeof(r), GRND_NONBLOCK) == 8);
		sum ^= r;
		if (i % 8 == 0)
			OK(write(fd, &sum, sizeof(sum)));
	}
	OK(close(fd));
	return arg;
}

int main(void)
{
	pthread_t t[4];

	pthread_barrier_init(&start, NULL, 4);
	for (int i = 0; i < 4; i++)
		ZERO(pthread_create(&t[i], NULL, draws, NULL));
	for (int i = 0; i < 4; i++)
		ZERO(pthread_join(t[i], NULL));
	puts("draws ok");
	return 0;
}
