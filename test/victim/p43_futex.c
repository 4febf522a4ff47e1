/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw futexes: EAGAIN, time-outs of each clock, wake counts, bitsets,
 * requeue, wake-op.
 */
#include "victim.h"
static int f1, f2, woken;
static long fx(int *u, int op, int v, const struct timespec *t, int *u2, int v3)
{
	return syscall(SYS_futex, u, op, v, t, u2, v3);
}
static void *waiter(void *arg)
{
	int *u = arg;

	while (__atomic_load_n(&f1, __ATOMIC_SEQ_CST) == 0)
		fx(u, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}
static void *bits(void *arg)
{
	CHECK(fx(&f2, FUTEX_WAIT_BITSET, 0, NULL, NULL, (int)(uintptr_t)arg) == 0);
	return NULL;
}

int main(void)
{
	struct timespec ts = { 0, 20000000 }, abs;
	pthread_t t[3];
	int n = 0;

	FAILS(fx(&f1, FUTEX_WAIT, 5, NULL, NULL, 0), EAGAIN);
	FAILS(fx(&f1, FUTEX_WAIT, 0, &ts, NULL, 0), ETIMEDOUT);
	clock_gettime(CLOCK_REALTIME, &abs);
	FAILS(fx(&f1, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &abs, NULL, -1), ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &abs);
	FAILS(fx(&f1, FUTEX_WAIT_BITSET, 0, &abs, NULL, -1), ETIMEDOUT);
	FAILS(fx(&f1, FUTEX_WAIT_BITSET, 0, &abs, NULL, 0), EINVAL);
	FAILS(fx((int *)((char *)&f1 + 1), FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	FAILS(fx(&f1, 77, 0, NULL, NULL, 0), ENOSYS);
	CHECK(fx(&f1, FUTEX_WAKE, 10, NULL, NULL, 0) == 0);
	for (int i = 0; i < 3; i++)
		ZERO(pthread_create(&t[i], NULL, waiter, &f1));
	sleep_ms(20);
	__atomic_store_n(&f1, 1, __ATOMIC_SEQ_CST);
	n = OK(fx(&f1, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	CHECK(n <= 3);
	for (int i = 0; i < 3; i++)
		ZERO(pthread_join(t[i], NULL));
	printf("woken %d\n", woken);
	for (uintptr_t i = 0; i < 2; i++)
		ZERO(pthread_create(&t[i], NULL, bits, (void *)(i + 1)));
	while (fx(&f2, FUTEX_WAKE_BITSET, 10, NULL, NULL, 2) != 1)
		sleep_ms(1);
	ZERO(pthread_join(t[1], NULL));
	while (fx(&f2, FUTEX_WAKE_BITSET, 10, NULL, NULL, 1) != 1)
		sleep_ms(1);
	ZERO(pthread_join(t[0], NULL));
	FAILS(fx(&f1, FUTEX_CMP_REQUEUE, 1, (void *)1, &f2, 99), EAGAIN);
	CHECK(fx(&f1, FUTEX_CMP_REQUEUE, 1, (void *)1, &f2, f1) == 0);
	f2 = 10;
	CHECK(fx(&f1, FUTEX_WAKE_OP, 1, (void *)1, &f2,
		 FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_GT, 3)) == 0);
	CHECK(f2 == 15);
	puts("futex ok");
	return 0;
}
