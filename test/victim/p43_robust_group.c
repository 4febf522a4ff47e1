/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process ends, or executes a program, while it holds robust mutexes in shared
 * memory, in another thread or this one: whoever wants them next is told.
 */
#include "victim.h"

static struct shared {
	pthread_mutex_t m[2];
} *sh;
static int go[2];

static void *hold(void *arg)
{
	(void)arg;
	ZERO(pthread_mutex_lock(&sh->m[0]));
	ZERO(pthread_mutex_lock(&sh->m[1]));
	OK(write(go[1], "x", 1));
	pause();
	return NULL;
}

static void child(bool alone, bool exec)
{
	pthread_t t;
	char c;

	if (alone) {
		ZERO(pthread_mutex_lock(&sh->m[0]));
		ZERO(pthread_mutex_lock(&sh->m[1]));
	} else {
		ZERO(pthread_create(&t, NULL, hold, NULL));
		OK(read(go[0], &c, 1));
	}
	if (exec)
		OK(execl("/bin/true", "true", NULL));
}

static void own(pthread_mutex_t *m, const char *who)
{
	int r = pthread_mutex_lock(m);

	printf("%s: %s\n", who, r == EOWNERDEAD ? "owner died" : strerror(r));
	if (r == EOWNERDEAD)
		ZERO(pthread_mutex_consistent(m));
	ZERO(pthread_mutex_unlock(m));
}

int main(void)
{
	pthread_mutexattr_t a;

	setvbuf(stdout, NULL, _IONBF, 0);
	sh = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	OK(pipe(go));
	for (int how = 0; how < 8; how++) {
		pthread_mutexattr_init(&a);
		ZERO(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
		ZERO(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
		if (how & 1)
			ZERO(pthread_mutexattr_setprotocol(&a,
						PTHREAD_PRIO_INHERIT));
		for (int i = 0; i < 2; i++)
			ZERO(pthread_mutex_init(&sh->m[i], &a));
		REAP(CHILD(child(how & 2, how & 4)));
		own(&sh->m[0], "first");
		own(&sh->m[1], "second");
		own(&sh->m[0], "again");
	}
	return 0;
}
