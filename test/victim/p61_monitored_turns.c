/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that waits for another one in a loop of nothing but calls the monitor
 * makes: the other, which sleeps in between, must get its turn all the same.
 */
#include "victim.h"

#define ROUNDS 20

static int count, done;

static void *other(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		usleep(300);
		__atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
	return arg;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = SIG_IGN }, old;
	unsigned long turns = 0;
	pthread_t t;

	ZERO(pthread_create(&t, NULL, other, NULL));
	while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST)) {
		sa.sa_handler = turns++ % 2 ? SIG_DFL : SIG_IGN;
		ZERO(sigaction(SIGURG, &sa, &old));
	}
	ZERO(pthread_join(t, NULL));
	printf("%d\n", count);
	return 0;
}
