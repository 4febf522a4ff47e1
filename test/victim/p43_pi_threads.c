/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Priority-inheritance locks among the threads of a process: who gets one that is let
 * go, time-outs, errors, owners that die, signals, condition variables, and waiters
 * that are requeued.  The word itself is looked at: it says whose the lock is.
 */
#include <linux/futex.h>
#include "victim.h"

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static long futex(uint32_t *at, int op, uint32_t val, const void *t,
		  uint32_t *at2, uint32_t val3)
{
	return syscall(SYS_futex, at, op, val, t, at2, val3);
}

static uint32_t look(uint32_t *at)
{
	return __atomic_load_n(at, __ATOMIC_SEQ_CST);
}

/* Somebody has entered the kernel for it. */
static void awaited(uint32_t *at)
{
	while (!(look(at) & FUTEX_WAITERS))
		usleep(200);
}

static void lock_word(uint32_t *at)
{
	uint32_t none = 0;

	if (!__atomic_compare_exchange_n(at, &none, (uint32_t)gettid(), 0,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		OK(futex(at, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK((look(at) & FUTEX_TID_MASK) == (uint32_t)gettid());
}

static void unlock_word(uint32_t *at)
{
	uint32_t own = (uint32_t)gettid();

	if (!__atomic_compare_exchange_n(at, &own, 0, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		OK(futex(at, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
}

static void init(pthread_mutex_t *m, int robust)
{
	pthread_mutexattr_t a;

	ZERO(pthread_mutexattr_init(&a));
	ZERO(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT));
	if (robust)
		ZERO(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
	ZERO(pthread_mutex_init(m, &a));
}

/* ---- who gets it ---- */

static uint32_t one, two;
static volatile int got;

static void *taker(void *arg)
{
	lock_word(&one);
	got = got * 10 + (int)(intptr_t)arg;
	unlock_word(&one);
	return NULL;
}

static void handed_over(void)
{
	pthread_t t[3];

	lock_word(&one);
	ZERO(pthread_create(&t[0], NULL, taker, (void *)1));
	awaited(&one);
	unlock_word(&one);
	/* it belongs to who waited, or has been let go again */
	CHECK((look(&one) & FUTEX_TID_MASK) != (uint32_t)gettid());
	ZERO(pthread_join(t[0], NULL));
	lock_word(&one);
	for (int i = 0; i < 3; i++) {
		ZERO(pthread_create(&t[i], NULL, taker,
				    (void *)(intptr_t)(i + 1)));
		awaited(&one);
		usleep(30000);
	}
	got = 0;
	unlock_word(&one);
	for (int i = 0; i < 3; i++)
		ZERO(pthread_join(t[i], NULL));
	CHECK(got == 123 && !look(&one));
}

/* ---- contention ---- */

static pthread_mutex_t m;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static long n, queued;

static void *worker(void *arg)
{
	int null = OK(open("/dev/null", O_WRONLY));

	for (int i = 0; i < 300; i++) {
		ZERO(pthread_mutex_lock(&m));
		n++;
		if (i % 8 == (int)(intptr_t)arg)
			sched_yield();
		if (i % 16 == 3)
			OK(write(null, "x", 1));
		ZERO(pthread_mutex_unlock(&m));
	}
	OK(close(null));
	return NULL;
}

static void *consumer(void *arg)
{
	for (int i = 0; i < 300; i++) {
		ZERO(pthread_mutex_lock(&m));
		while (!queued)
			ZERO(pthread_cond_wait(&c, &m));
		queued--;
		ZERO(pthread_mutex_unlock(&m));
	}
	return arg;
}

static void *producer(void *arg)
{
	for (int i = 0; i < 300; i++) {
		ZERO(pthread_mutex_lock(&m));
		queued++;
		ZERO(pthread_cond_signal(&c));
		if (i % 32 == 0)
			sched_yield();
		ZERO(pthread_mutex_unlock(&m));
	}
	return arg;
}

static void contended(int robust)
{
	pthread_t t[8];

	init(&m, robust);
	n = 0;
	for (int i = 0; i < 8; i++)
		ZERO(pthread_create(&t[i], NULL, worker, (void *)(intptr_t)i));
	for (int i = 0; i < 8; i++)
		ZERO(pthread_join(t[i], NULL));
	CHECK(n == 8 * 300);
	for (int i = 0; i < 6; i++)
		ZERO(pthread_create(&t[i], NULL, i & 1 ? producer : consumer,
				    NULL));
	for (int i = 0; i < 6; i++)
		ZERO(pthread_join(t[i], NULL));
	CHECK(queued == 0);
	ZERO(pthread_mutex_destroy(&m));
}

/* ---- time-outs and errors ---- */

static void fails(uint32_t *at, int op, const void *t, int error)
{
	CHECK(futex(at, op, 0, t, NULL, 0) == -1 && errno == error);
}

static void *waits_too_long(void *arg)
{
	struct timespec t, past = { 1, 0 }, bad = { 1, 1000000000 };

	OK(clock_gettime(CLOCK_REALTIME, &t));
	t.tv_nsec += 30000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	fails(&one, FUTEX_LOCK_PI_PRIVATE, &t, ETIMEDOUT);
	fails(&one, FUTEX_LOCK_PI, &t, ETIMEDOUT);
	fails(&one, FUTEX_LOCK_PI_PRIVATE, &past, ETIMEDOUT);
	fails(&one, FUTEX_LOCK_PI2 | FUTEX_PRIVATE_FLAG, &past, ETIMEDOUT);
	fails(&one, FUTEX_LOCK_PI2 | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME,
	      &t, ETIMEDOUT);
	OK(clock_gettime(CLOCK_MONOTONIC, &t));
	t.tv_sec++;
	fails(&one, FUTEX_LOCK_PI2 | FUTEX_PRIVATE_FLAG, &t, ETIMEDOUT);
	fails(&one, FUTEX_LOCK_PI_PRIVATE, &bad, EINVAL);
	fails(&one, FUTEX_LOCK_PI_PRIVATE, (void *)8, EFAULT);
	fails(&one, FUTEX_LOCK_PI_PRIVATE | FUTEX_CLOCK_REALTIME, &t, ENOSYS);
	fails(&one, FUTEX_TRYLOCK_PI_PRIVATE, NULL, EAGAIN);
	fails(&one, FUTEX_UNLOCK_PI_PRIVATE, NULL, EPERM);
	CHECK(look(&one) & FUTEX_WAITERS);
	return arg;
}

static void *takes_two(void *arg)
{
	lock_word(&two);
	lock_word(&one);
	unlock_word(&one);
	unlock_word(&two);
	return arg;
}

static void errors(void)
{
	pthread_t t;
	uint32_t word;

	lock_word(&one);
	ZERO(pthread_create(&t, NULL, waits_too_long, NULL));
	ZERO(pthread_join(t, NULL));
	fails(&one, FUTEX_LOCK_PI_PRIVATE, NULL, EDEADLK);
	fails(&one, FUTEX_TRYLOCK_PI_PRIVATE, NULL, EDEADLK);
	/* nobody is there any more */
	OK(futex(&one, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK(!look(&one));
	/* each waits for the other */
	lock_word(&one);
	ZERO(pthread_create(&t, NULL, takes_two, NULL));
	awaited(&one);
	fails(&two, FUTEX_LOCK_PI_PRIVATE, NULL, EDEADLK);
	unlock_word(&one);
	ZERO(pthread_join(t, NULL));
	/* nobody has this number */
	word = 0x3ffffff0;
	fails(&word, FUTEX_LOCK_PI_PRIVATE, NULL, ESRCH);
	fails(&word, FUTEX_TRYLOCK_PI_PRIVATE, NULL, ESRCH);
	fails(NULL, FUTEX_LOCK_PI_PRIVATE, NULL, EFAULT);
	fails((uint32_t *)((char *)&word + 1), FUTEX_LOCK_PI_PRIVATE, NULL,
	      EINVAL);
	word = 0;
	OK(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK(word == (uint32_t)gettid());
	OK(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK(word == 0);
}

/* ---- owners that die ---- */

static void *dies(void *arg)
{
	lock_word(&one);
	awaited(&one);
	return arg;
}

static void *dies_robust(void *arg)
{
	ZERO(pthread_mutex_lock(&m));
	n = 1;
	/* until somebody waits */
	while (!(*(volatile uint32_t *)&m.__data.__lock & FUTEX_WAITERS))
		usleep(200);
	return arg;
}

static void *late(void *arg)
{
	while (!look(&one))
		usleep(200);
	OK(futex(&one, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK((look(&one) & FUTEX_TID_MASK) == (uint32_t)gettid());
	OK(futex(&one, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return arg;
}

static void dead_owners(void)
{
	pthread_t t[2];

	ZERO(pthread_create(&t[1], NULL, late, NULL));
	ZERO(pthread_create(&t[0], NULL, dies, NULL));
	for (int i = 0; i < 2; i++)
		ZERO(pthread_join(t[i], NULL));
	init(&m, 1);
	n = 0;
	ZERO(pthread_create(&t[0], NULL, dies_robust, NULL));
	while (!*(volatile long *)&n)
		usleep(200);
	CHECK(pthread_mutex_lock(&m) == EOWNERDEAD);
	ZERO(pthread_mutex_consistent(&m));
	ZERO(pthread_mutex_unlock(&m));
	ZERO(pthread_join(t[0], NULL));
}

/* ---- signals ---- */

static volatile sig_atomic_t caught;

static void on(int sig)
{
	caught++;
}

static void *interrupted(void *arg)
{
	lock_word(&one);
	unlock_word(&one);
	return arg;
}

static void signals(void)
{
	pthread_t t;

	handle(SIGUSR1, on, 0);
	lock_word(&one);
	ZERO(pthread_create(&t, NULL, interrupted, NULL));
	awaited(&one);
	for (int i = 1; i <= 5; i++) {
		ZERO(pthread_kill(t, SIGUSR1));
		while (caught < i)
			usleep(200);
	}
	/* it waits again */
	usleep(20000);
	unlock_word(&one);
	ZERO(pthread_join(t, NULL));
	CHECK(caught == 5 && !look(&one));
}

/* ---- requeued ---- */

static uint32_t cond;

static void *requeued(void *arg)
{
	OK(futex(&cond, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &one, 0));
	CHECK((look(&one) & FUTEX_TID_MASK) == (uint32_t)gettid());
	got = got * 10 + 1;
	OK(futex(&one, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return arg;
}

static void requeue(void)
{
	pthread_t t[2];
	long r;

	got = 0;
	lock_word(&one);
	ZERO(pthread_create(&t[0], NULL, requeued, NULL));
	do {
		usleep(1000);
		r = futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1,
			  (void *)1, &one, 0);
		CHECK(r >= 0);
	} while (!r);
	ZERO(pthread_create(&t[1], NULL, taker, (void *)2));
	usleep(30000);
	unlock_word(&one);
	for (int i = 0; i < 2; i++)
		ZERO(pthread_join(t[i], NULL));
	CHECK(got == 12 && !look(&one));
}

int main(void)
{
	handed_over();
	puts("handed over");
	contended(0);
	contended(1);
	puts("contended");
	errors();
	puts("errors");
	dead_owners();
	puts("dead owners");
	signals();
	puts("signals");
	requeue();
	puts("requeued");
	return 0;
}
