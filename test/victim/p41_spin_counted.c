/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that meet by spinning, count how often they had to look, and print
 * whether the counts are what other counts say: each variant must have the same.
 */
#include "victim.h"
#define ROUNDS 60

static struct {
	int a, b, done;
	unsigned int spins;
} meet;
static unsigned long local_sum;
static volatile unsigned long progress;
static volatile sig_atomic_t rang;

static void look(int *mine, int *other, unsigned int *spins)
{
	__atomic_add_fetch(other, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(mine, __ATOMIC_SEQ_CST) <
	       __atomic_load_n(other, __ATOMIC_SEQ_CST))
		if (spins)
			(*spins)++;
}

static void *side(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		look(&meet.b, &meet.a, &meet.spins);
	return arg;
}

static void *counts_in_register(void *arg)
{
	unsigned long n = 0;

	while (!__atomic_load_n(&meet.done, __ATOMIC_ACQUIRE))
		n++;
	local_sum = n;
	return arg;
}

static void ring(int sig)
{
	rang = sig;
}

/* A number that natively is any number: it must only be the same everywhere, so
 * it is sent where nobody looks. */
static void tell(int null, unsigned long number)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%lu\n", number);

	if (write(null, line, (size_t)n) != n)
		puts("not written");
}

int main(void)
{
	int null = open("/dev/null", O_WRONLY);
	volatile unsigned long on_stack = 0;
	pthread_t t;

	ZERO(pthread_create(&t, NULL, side, NULL));
	for (int i = 0; i < ROUNDS; i++)
		look(&meet.a, &meet.b, NULL);
	ZERO(pthread_join(t, NULL));
	tell(null, meet.spins);

	ZERO(pthread_create(&t, NULL, counts_in_register, NULL));
	usleep(20000);
	__atomic_store_n(&meet.done, 1, __ATOMIC_RELEASE);
	ZERO(pthread_join(t, NULL));
	tell(null, local_sum);

	/* the same alone: until a signal comes */
	signal(SIGALRM, ring);
	setitimer(ITIMER_REAL, &(struct itimerval) {
			.it_value.tv_usec = 50000 }, NULL);
	while (!rang) {
		on_stack++;
		/* seldom another one, and left as it was if it rings before */
		progress = on_stack >> 10;
	}
	tell(null, on_stack);
	tell(null, progress);
	puts("met");
	return 0;
}
