/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdtsc and rdtscp: monotone, agreeing with the clock, the same in all
 * variants when the program branches on them.
 */
#include "victim.h"
#include <x86intrin.h>
int main(void)
{
	unsigned int aux;
	uint64_t a = __rdtsc(), b, odd = 0;

	for (int i = 0; i < 200; i++) {
		b = i & 1 ? __rdtscp(&aux) : __rdtsc();
		CHECK(b >= a);
		odd += b & 1;
		/* a different path, hence a different call, by chance */
		if ((b >> 3) & 1)
			getppid();
		else
			getpid();
		a = b;
	}
	a = __rdtsc();
	sleep_ms(20);
	b = __rdtsc();
	CHECK(b - a > 20 * 100000ull);
	CHECK(odd <= 200);
	puts("tsc ok");
	return 0;
}
