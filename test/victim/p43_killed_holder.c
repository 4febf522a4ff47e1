/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that share memory die of a signal while they hold a robust lock and are
 * in a call, and somebody looks at the lock at once: all variants find it as they
 * find it in the first.
 */
#include "victim.h"

#define WORKERS 4
#define ROUNDS 12

struct shared {
	pthread_mutex_t m;
	unsigned int n;
};
static struct shared *s;

static void lock(void)
{
	int r = pthread_mutex_lock(&s->m);

	if (r == EOWNERDEAD)
		r = pthread_mutex_consistent(&s->m);
	ZERO(r);
}

static void work(void)
{
	for (;;) {
		lock();
		s->n++;
		sched_yield();
		usleep(20);
		ZERO(pthread_mutex_unlock(&s->m));
		/* others are to have it as well */
		usleep(10);
	}
}

int main(void)
{
	pthread_mutexattr_t a;
	int st;

	s = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	ZERO(pthread_mutexattr_init(&a));
	ZERO(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
	ZERO(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
	ZERO(pthread_mutex_init(&s->m, &a));
	for (int i = 0; i < ROUNDS; i++) {
		pid_t w[WORKERS];

		for (int j = 0; j < WORKERS; j++)
			w[j] = CHILD({ work(); });
		usleep(1000);
		for (int j = 0; j < WORKERS; j++) {
			OK(kill(w[j], SIGTERM));
			lock();
			s->n++;
			ZERO(pthread_mutex_unlock(&s->m));
		}
		for (int j = 0; j < WORKERS; j++) {
			st = reap(w[j]);
			CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGTERM);
		}
	}
	puts("done");
	return 0;
}
