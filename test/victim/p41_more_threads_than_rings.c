/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many threads, each with calls of its own; more at a time than an
 * implementation may have buffers for, and one after the other.
 */
#include "victim.h"
#define N 80
#define ROUNDS 40

static pthread_barrier_t all;
static uint64_t sums[N];

static void *work(void *arg)
{
	int me = (int)(intptr_t)arg, fd;
	char name[16], b[64];
	uint64_t sum = 0;

	snprintf(name, sizeof(name), "t%d", me);
	fd = OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));
	pthread_barrier_wait(&all);
	for (int i = 0; i < ROUNDS; i++) {
		int n = snprintf(b, sizeof(b), "%d of %d", i, me);

		CHECK(write(fd, b, (size_t)n) == n);
		CHECK(pread(fd, b, 1, i) == 1);
		sum = sum * 31 + (unsigned char)b[0];
	}
	OK(close(fd));
	pthread_barrier_wait(&all);
	sums[me] = sum;
	return NULL;
}

static void *brief(void *arg)
{
	char b[8];

	CHECK(pread(*(int *)arg, b, 5, 0) == 5);
	return (void *)(intptr_t)b[4];
}

int main(void)
{
	pthread_t t[N];
	uint64_t sum = 0;
	int fd;

	ZERO(pthread_barrier_init(&all, NULL, N + 1));
	for (int i = 0; i < N; i++)
		ZERO(pthread_create(&t[i], NULL, work, (void *)(intptr_t)i));
	pthread_barrier_wait(&all);
	pthread_barrier_wait(&all);
	for (int i = 0; i < N; i++) {
		ZERO(pthread_join(t[i], NULL));
		sum = sum * 33 + sums[i];
	}
	printf("%lx\n", sum);
	put_file("f", "12345");
	fd = OK(open("f", O_RDONLY));
	for (int i = 0; i < 200; i++) {
		void *r;

		ZERO(pthread_create(&t[0], NULL, brief, &fd));
		ZERO(pthread_join(t[0], &r));
		CHECK((intptr_t)r == '5');
	}
	puts("and 200");
	return 0;
}
