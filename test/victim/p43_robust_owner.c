/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Robust mutexes: a process or thread dies with the lock held, the next owner
 * is told and can make it consistent. Between processes and between threads.
 */
#include "victim.h"

static pthread_mutex_t *m;

static void init(pthread_mutex_t *x, int shared)
{
	pthread_mutexattr_t a;

	ZERO(pthread_mutexattr_init(&a));
	ZERO(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
	ZERO(pthread_mutexattr_setpshared(&a, shared));
	ZERO(pthread_mutex_init(x, &a));
}

static void *die_holding(void *arg)
{
	ZERO(pthread_mutex_lock(arg));
	return NULL;
}

static pthread_mutex_t many[20];

static void *die_holding_many(void *arg)
{
	for (int i = 0; i < 20; i++)
		ZERO(pthread_mutex_lock(&many[i]));
	ZERO(pthread_mutex_unlock(&many[7]));
	return NULL;
}

static void own(pthread_mutex_t *x)
{
	CHECK(pthread_mutex_lock(x) == EOWNERDEAD);
	ZERO(pthread_mutex_consistent(x));
	ZERO(pthread_mutex_unlock(x));
	ZERO(pthread_mutex_lock(x));
	ZERO(pthread_mutex_unlock(x));
}

int main(void)
{
	static pthread_mutex_t local;
	pthread_t t;
	pid_t pid;
	int p[2], st;
	char c;

	m = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	init(m, PTHREAD_PROCESS_SHARED);
	init(&local, PTHREAD_PROCESS_PRIVATE);
	OK(pipe(p));
	ZERO(pthread_create(&t, NULL, die_holding, &local));
	ZERO(pthread_join(t, NULL));
	own(&local);
	puts("thread ok");
	pid = CHILD({ ZERO(pthread_mutex_lock(m)); });
	REAP(pid);
	own(m);
	/* by exit of a process that somebody already waits for */
	pid = CHILD({
		ZERO(pthread_mutex_lock(m));
		CHECK(write(p[1], "x", 1) == 1);
		sleep_ms(50);
		_exit(0);
	});
	CHECK(read(p[0], &c, 1) == 1);
	own(m);
	REAP(pid);
	puts("process ok");
	/* by a signal */
	pid = CHILD({
		ZERO(pthread_mutex_lock(m));
		CHECK(write(p[1], "x", 1) == 1);
		pause();
	});
	CHECK(read(p[0], &c, 1) == 1);
	OK(kill(pid, SIGKILL));
	st = reap(pid);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
	own(m);
	puts("killed ok");
	/* by somebody else's signal while we wait for the lock */
	for (int i = 0; i < 10; i++) {
		pid = CHILD({
			ZERO(pthread_mutex_lock(m));
			CHECK(write(p[1], "x", 1) == 1);
			pause();
		});
		CHECK(read(p[0], &c, 1) == 1);
		pid_t killer = CHILD({
			sleep_ms(5);
			OK(kill(pid, SIGKILL));
		});
		own(m);
		reap(pid);
		REAP(killer);
	}
	puts("waited ok");
	/* not made consistent: gone for good */
	pid = CHILD({ ZERO(pthread_mutex_lock(m)); });
	REAP(pid);
	CHECK(pthread_mutex_lock(m) == EOWNERDEAD);
	ZERO(pthread_mutex_unlock(m));
	CHECK(pthread_mutex_lock(m) == ENOTRECOVERABLE);
	for (int i = 0; i < 20; i++)
		init(&many[i], PTHREAD_PROCESS_PRIVATE);
	ZERO(pthread_create(&t, NULL, die_holding_many, NULL));
	ZERO(pthread_join(t, NULL));
	for (int i = 0; i < 20; i++)
		CHECK(pthread_mutex_trylock(&many[i]) ==
		      (i == 7 ? 0 : EOWNERDEAD));
	puts("many ok");
	void *head;
	size_t len;
	OK(syscall(SYS_get_robust_list, 0, &head, &len));
	CHECK(head && len == 24);
	FAILS(syscall(SYS_set_robust_list, head, 5), EINVAL);
	return 0;
}
