/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread waits for another one in a loop of nothing but instructions that are handled
 * like calls: it gives the turn away there.
 */
#include <x86intrin.h>
#include "victim.h"

static volatile int ready;

static void *later(void *arg)
{
	usleep(20000);
	ready++;
	return NULL;
}

static unsigned long counter(void)
{
	return __rdtsc();
}

static unsigned long drawn(void)
{
	unsigned char carry;
	unsigned long value;

	/* the bytes of rdrand: not every compiler is told that there is one */
	__asm__ volatile(".byte 0x48, 0x0f, 0xc7, 0xf0; setc %1"
			 : "=a"(value), "=q"(carry) : : "cc");
	return value + carry;
}

static void wait_with(unsigned long (*look)(void), const char *what)
{
	unsigned long sum = 0;
	pthread_t t;

	/* so that there are stubs */
	for (int i = 0; i < 1000; i++)
		sum += look() & 1;
	ready = 0;
	ZERO(pthread_create(&t, NULL, later, NULL));
	while (!ready) {
		sum += look() & 1;
		_mm_pause();
	}
	ZERO(pthread_join(t, NULL));
	printf("waited with %s%s\n", what, sum == ~0ul ? "?" : "");
}

int main(void)
{
	unsigned int a = 1, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	wait_with(counter, "the counter");
	if (c >> 30 & 1)
		wait_with(drawn, "random numbers");
	else
		puts("waited with random numbers");
	return 0;
}
