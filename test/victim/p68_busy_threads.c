/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that are busy at the same time: they race on a counter without any
 * lock and tell what they saw, which must be the same in all variants; they make
 * calls that block, that may, that do not, that only ask for the time.
 */
#include "victim.h"

#define THREADS	4
#define ROUNDS	300

static volatile unsigned int counter;
static int null, p[THREADS][2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static unsigned int rounds, turn;

static void tell(const char *what, unsigned int v)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%s %u\n", what, v);

	CHECK(write(null, line, (size_t)n) == n);
}

static void *busy(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;
	struct timespec ts, nap = { 0, 1000 };
	struct pollfd pfd = { p[me][0], POLLIN, 0 };
	char c;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned int seen = counter;

		counter = seen + 1;
		tell("seen", seen);
		switch ((i + me) % 7) {
		case 0:
			/* wakes the next one, which may not be waiting yet */
			CHECK(write(p[(me + 1) % THREADS][1], "x", 1) == 1);
			break;
		case 1:
			CHECK(poll(&pfd, 1, 1) >= 0);
			if (pfd.revents)
				CHECK(read(p[me][0], &c, 1) == 1);
			break;
		case 2:
			sched_yield();
			break;
		case 3:
			getppid();
			ZERO(clock_gettime(CLOCK_MONOTONIC, &ts));
			break;
		case 4:
			ZERO(pthread_mutex_lock(&lock));
			rounds++;
			tell("round", rounds);
			ZERO(pthread_mutex_unlock(&lock));
			break;
		case 5:
			nanosleep(&nap, NULL);
			break;
		default:
			free(malloc(200000));
			break;
		}
		counter++;
	}
	/* strictly one after the other */
	ZERO(pthread_mutex_lock(&lock));
	while (turn != me)
		ZERO(pthread_cond_wait(&cond, &lock));
	tell("last", counter);
	printf("thread %u\n", me);
	turn++;
	ZERO(pthread_cond_broadcast(&cond));
	ZERO(pthread_mutex_unlock(&lock));
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];

	OK(null = open("/dev/null", O_WRONLY));
	for (unsigned int i = 0; i < THREADS; i++)
		OK(pipe2(p[i], O_NONBLOCK));
	for (unsigned int i = 0; i < THREADS; i++)
		ZERO(pthread_create(&t[i], NULL, busy, (void *)(uintptr_t)i));
	for (unsigned int i = 0; i < THREADS; i++)
		ZERO(pthread_join(t[i], NULL));
	CHECK(counter <= 2 * THREADS * ROUNDS);
	printf("%u\n", rounds);
	return 0;
}
