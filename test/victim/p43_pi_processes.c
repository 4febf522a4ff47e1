/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of several processes wait for a priority-inheritance mutex in shared
 * memory.  Signals that are caught end the wait; it is begun again, often with
 * the lock free by then.
 */
#include "victim.h"

static struct shared {
	pthread_mutex_t m;
	long n;
} *sh;
static volatile sig_atomic_t over;

static void caught(int sig)
{
	(void)sig;
}

static void *work(void *arg)
{
	int null = OK(open("/dev/null", O_WRONLY));

	(void)arg;
	for (int i = 0; i < 150; i++) {
		ZERO(pthread_mutex_lock(&sh->m));
		sh->n++;
		OK(write(null, "x", 1));
		if (i % 4 == 0)
			usleep(300);
		ZERO(pthread_mutex_unlock(&sh->m));
		OK(write(null, "x", 1));
	}
	over = 1;
	return NULL;
}

static int child(void)
{
	const struct sigaction sa = { .sa_handler = caught };
	pthread_t t;

	OK(sigaction(SIGUSR1, &sa, NULL));
	ZERO(pthread_create(&t, NULL, work, NULL));
	while (!over) {
		pthread_kill(t, SIGUSR1);
		usleep(700);
	}
	ZERO(pthread_join(t, NULL));
	return 0;
}

int main(void)
{
	pthread_mutexattr_t a;
	pid_t pid[4];
	int st;

	sh = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pthread_mutexattr_init(&a);
	ZERO(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT));
	ZERO(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
	ZERO(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
	ZERO(pthread_mutex_init(&sh->m, &a));
	for (int i = 0; i < 4; i++) {
		pid[i] = OK(fork());
		if (!pid[i])
			_exit(child());
	}
	for (int i = 0; i < 4; i++) {
		OK(waitpid(pid[i], &st, 0));
		CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0);
	}
	printf("%ld\n", sh->n);
	return 0;
}
