/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process-shared mutex and condition in a file mapping, used by threads of
 * two processes.
 */
#include "victim.h"
struct shm {
	pthread_mutex_t m;
	pthread_cond_t c;
	int n, turn;
};
static struct shm *s;
static void *add(void *arg)
{
	for (int i = 0; i < 200; i++) {
		ZERO(pthread_mutex_lock(&s->m));
		s->n++;
		ZERO(pthread_mutex_unlock(&s->m));
	}
	return NULL;
}
static void both(int me)
{
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		ZERO(pthread_create(&t[i], NULL, add, NULL));
	for (int i = 0; i < 2; i++)
		ZERO(pthread_join(t[i], NULL));
	for (int i = 0; i < 20; i++) {
		ZERO(pthread_mutex_lock(&s->m));
		while (s->turn != me)
			ZERO(pthread_cond_wait(&s->c, &s->m));
		s->turn = !me;
		ZERO(pthread_cond_broadcast(&s->c));
		ZERO(pthread_mutex_unlock(&s->m));
	}
}

int main(void)
{
	int fd = OK(open("shm", O_RDWR | O_CREAT | O_TRUNC, 0600));
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;

	OK(ftruncate(fd, 4096));
	s = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->m, &ma);
	pthread_cond_init(&s->c, &ca);
	pid_t p = CHILD(both(1));
	both(0);
	REAP(p);
	printf("%d %d\n", s->n, s->turn);
	memset(s, 0, sizeof(*s));
	return 0;
}
