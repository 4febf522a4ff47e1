/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes with threads that share a file mapping: the first one, one that is
 * forked from it, and one that has executed a program since.  They take turns
 * with a lock and a condition, and with calls in between; who comes when differs
 * from run to run, what they write is the same in all variants.
 */
#include "victim.h"

#define THREADS 2
#define ADDS 60
#define PARTIES 3
#define HANDOVERS 30

struct shm {
	pthread_mutex_t m;
	pthread_cond_t c;
	unsigned int n, turn, order;
};
static struct shm *s;
static int out;

static void *add(void *arg)
{
	unsigned int id = (unsigned int)(uintptr_t)arg;

	for (int i = 0; i < ADDS; i++) {
		ZERO(pthread_mutex_lock(&s->m));
		s->n++;
		/* depends on who came when */
		s->order = s->order * 31 + id;
		if (i % 8 == 0)
			CHECK(write(out, &s->order, sizeof(s->order)) ==
			      sizeof(s->order));
		ZERO(pthread_mutex_unlock(&s->m));
		if (i % 16 == 0)
			sched_yield();
	}
	return NULL;
}

static void party(unsigned int me)
{
	pthread_t t[THREADS];

	for (unsigned int i = 0; i < THREADS; i++)
		ZERO(pthread_create(&t[i], NULL, add,
				    (void *)(uintptr_t)(me * THREADS + i)));
	for (unsigned int i = 0; i < THREADS; i++)
		ZERO(pthread_join(t[i], NULL));
	for (int i = 0; i < HANDOVERS; i++) {
		ZERO(pthread_mutex_lock(&s->m));
		while (s->turn != me)
			ZERO(pthread_cond_wait(&s->c, &s->m));
		s->turn = (me + 1) % PARTIES;
		ZERO(pthread_cond_broadcast(&s->c));
		ZERO(pthread_mutex_unlock(&s->m));
	}
}

static void map(int flags)
{
	int fd = OK(open("shm", O_RDWR | flags, 0600));

	OK(ftruncate(fd, 4096));
	s = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	OK(close(fd));
	out = OK(open("order", O_WRONLY | O_CREAT | O_APPEND, 0600));
}

int main(int argc, char **argv)
{
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	pid_t p, q;

	if (argc > 1) {
		map(0);
		party(2);
		return 0;
	}
	map(O_CREAT | O_TRUNC);
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->m, &ma);
	pthread_cond_init(&s->c, &ca);
	p = CHILD(party(1));
	q = CHILD({
		char *args[] = { argv[0], "again", NULL };

		execv(args[0], args);
		_exit(9);
	});
	party(0);
	REAP(p);
	REAP(q);
	printf("%u %u\n", s->n, s->turn);
	memset(s, 0, sizeof(*s));
	OK(unlink("order"));
	return 0;
}
