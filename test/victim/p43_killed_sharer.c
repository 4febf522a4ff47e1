/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that share memory and are killed: by each other while they hold a
 * robust lock, by a signal nobody handles while they compute or sleep, by a fault
 * of their own.  What they have written before is there, those who go on agree
 * about it, and wait for nobody who is gone.
 */
#include "victim.h"

#define WORKERS 3
#define ROUNDS 6

struct shared {
	pthread_mutex_t m;
	unsigned int n, last[WORKERS];
};
static struct shared *s;

static void lock(void)
{
	int r = pthread_mutex_lock(&s->m);

	if (r == EOWNERDEAD)
		r = pthread_mutex_consistent(&s->m);
	ZERO(r);
}

static void work(unsigned int me, int to)
{
	for (;;) {
		lock();
		s->last[me] = ++s->n;
		/* a call or two while it holds it */
		if (s->n % 3 == 0)
			sched_yield();
		if (s->n % 64 == 0)
			CHECK(write(to, "x", 1) == 1);
		ZERO(pthread_mutex_unlock(&s->m));
		if (s->n % 7 == 0)
			usleep(50);
	}
}

int main(void)
{
	static const int sigs[] = { SIGKILL, SIGTERM, SIGKILL, SIGSEGV };
	pthread_mutexattr_t a;
	int p[2], st;
	char c;

	s = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	ZERO(pthread_mutexattr_init(&a));
	ZERO(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
	ZERO(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
	ZERO(pthread_mutex_init(&s->m, &a));
	OK(pipe(p));
	for (int i = 0; i < ROUNDS; i++) {
		int sig = sigs[i % 4];
		pid_t w[WORKERS], k;

		for (unsigned int j = 0; j < WORKERS; j++)
			w[j] = CHILD({ work(j, p[1]); });
		CHECK(read(p[0], &c, 1) == 1);
		/* one of them by another process, the rest by us */
		k = CHILD({ OK(kill(w[0], sig)); });
		st = reap(w[0]);
		CHECK(WIFSIGNALED(st) && WTERMSIG(st) == sig);
		REAP(k);
		lock();
		unsigned int n = s->n;
		ZERO(pthread_mutex_unlock(&s->m));
		while (s->n < n + 50)
			CHECK(read(p[0], &c, 1) == 1);
		for (unsigned int j = 1; j < WORKERS; j++)
			OK(kill(w[j], sig));
		for (unsigned int j = 1; j < WORKERS; j++) {
			st = reap(w[j]);
			CHECK(WIFSIGNALED(st) && WTERMSIG(st) == sig);
		}
		lock();
		for (unsigned int j = 0; j < WORKERS; j++) {
			CHECK(s->last[j] <= s->n);
			s->last[j] = 0;
		}
		/* what is in there differs from run to run, but not from variant
		 * to variant */
		CHECK(write(p[1], &s->n, 1) == 1);
		s->n = 0;
		ZERO(pthread_mutex_unlock(&s->m));
		while (poll(&(struct pollfd){ .fd = p[0], .events = POLLIN }, 1,
			    0) > 0)
			CHECK(read(p[0], &c, 1) == 1);
		printf("round %d\n", i);
	}
	/* by its own fault, with the lock held */
	for (int i = 0; i < 5; i++) {
		pid_t w = CHILD({
			lock();
			s->n = 17;
			raise(SIGSTOP);
			*(volatile int *)NULL = 0;
		});

		CHECK(waitpid(w, &st, WUNTRACED) == w && WIFSTOPPED(st));
		OK(kill(w, SIGCONT));
		CHECK(pthread_mutex_lock(&s->m) == EOWNERDEAD);
		ZERO(pthread_mutex_consistent(&s->m));
		CHECK(s->n == 17);
		ZERO(pthread_mutex_unlock(&s->m));
		st = reap(w);
		CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
	}
	puts("fault ok");
	return 0;
}
