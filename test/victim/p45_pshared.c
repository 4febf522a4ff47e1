/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process-shared semaphore, barrier, rwlock and condition between parent and
 * children; named semaphores.
 */
#include "victim.h"
struct shm {
	sem_t sem;
	pthread_barrier_t bar;
	pthread_rwlock_t rw;
	pthread_mutex_t m;
	pthread_cond_t c;
	int n, m2, stage;
};

int main(void)
{
	struct shm *s = OK(mmap(NULL, 8192, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pthread_barrierattr_t ba;
	pthread_rwlockattr_t ra;
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	pid_t p[3];
	char name[50];
	sem_t *ns;

	pthread_barrierattr_init(&ba);
	pthread_barrierattr_setpshared(&ba, 1);
	pthread_rwlockattr_init(&ra);
	pthread_rwlockattr_setpshared(&ra, 1);
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, 1);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, 1);
	OK(sem_init(&s->sem, 1, 1));
	ZERO(pthread_barrier_init(&s->bar, &ba, 4));
	ZERO(pthread_rwlock_init(&s->rw, &ra));
	ZERO(pthread_mutex_init(&s->m, &ma));
	ZERO(pthread_cond_init(&s->c, &ca));
	for (int k = 0; k < 3; k++)
		p[k] = CHILD({
			pthread_barrier_wait(&s->bar);
			for (int i = 0; i < 100; i++) {
				OK(sem_wait(&s->sem));
				s->n++;
				OK(sem_post(&s->sem));
				ZERO(pthread_rwlock_wrlock(&s->rw));
				s->m2++;
				ZERO(pthread_rwlock_unlock(&s->rw));
			}
			pthread_barrier_wait(&s->bar);
			ZERO(pthread_mutex_lock(&s->m));
			while (s->stage != k)
				ZERO(pthread_cond_wait(&s->c, &s->m));
			printf("child %d in its turn\n", k);
			s->stage++;
			ZERO(pthread_cond_broadcast(&s->c));
			ZERO(pthread_mutex_unlock(&s->m));
		});
	pthread_barrier_wait(&s->bar);
	pthread_barrier_wait(&s->bar);
	for (int k = 0; k < 3; k++)
		REAP(p[k]);
	CHECK(s->n == 300 && s->m2 == 300);
	snprintf(name, sizeof(name), "/victim-sem-%d", getpid());
	ns = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
	CHECK(ns != SEM_FAILED);
	CHECK(sem_open(name, O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED && errno == EEXIST);
	p[0] = CHILD({
		sem_t *o = sem_open(name, 0);
		CHECK(o != SEM_FAILED);
		OK(sem_post(o));
		sem_close(o);
	});
	OK(sem_wait(ns));
	REAP(p[0]);
	OK(sem_unlink(name));
	FAILS(sem_unlink(name), ENOENT);
	puts("pshared ok");
	return 0;
}
