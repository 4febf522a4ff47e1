/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cancellation of threads whose calls have become frequent: deferred in a
 * blocked read, asynchronous in a loop of calls and in one that blocks; the
 * clean-up handlers see the descriptor the call was about.
 */
#include "victim.h"
static int cleaned, p[2];
static sem_t ready;

static void clean(void *arg)
{
	CHECK(*(int *)arg == p[0]);
	cleaned++;
}

static void warm(void)
{
	char c;

	for (int i = 0; i < 10; i++) {
		CHECK(write(p[1], "w", 1) == 1);
		CHECK(read(p[0], &c, 1) == 1);
		getppid();
	}
}

static void *deferred(void *arg)
{
	int fd = p[0];
	char c;

	pthread_cleanup_push(clean, &fd);
	warm();
	sem_post(&ready);
	read(fd, &c, 1);
	CHECK(!"read returned");
	pthread_cleanup_pop(0);
	return NULL;
}

static void *asynchronous(void *arg)
{
	int fd = p[0], old;
	char c;

	pthread_cleanup_push(clean, &fd);
	warm();
	sem_post(&ready);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	if (arg)
		read(fd, &c, 1);
	else
		for (;;)
			getppid();
	pthread_cleanup_pop(0);
	return NULL;
}

int main(void)
{
	void *(*const fn[])(void *) = { deferred, asynchronous, asynchronous };

	OK(pipe(p));
	OK(sem_init(&ready, 0, 0));
	warm();
	for (int i = 0; i < 12; i++) {
		pthread_t t;
		void *r;

		ZERO(pthread_create(&t, NULL, fn[i % 3],
				    i % 3 == 2 ? "" : NULL));
		while (sem_wait(&ready))
			;
		ZERO(pthread_cancel(t));
		ZERO(pthread_join(t, &r));
		CHECK(r == PTHREAD_CANCELED);
		warm();
	}
	printf("%d\n", cleaned);
	return 0;
}
