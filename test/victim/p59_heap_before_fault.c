/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A heap grows before an instruction that the monitor emulates, or one that faults, in
 * one variant, and after it in another: where is a matter of the upper half of an
 * address, how often is not.
 */
#include <setjmp.h>
#include <x86intrin.h>
#include "victim.h"

#define ROUNDS	100
#define PAGE	4096
#define EVERY	4

static sigjmp_buf back;
static char *heap;
static int page;

static void grow(void)
{
	OK(mprotect(heap + page * PAGE, PAGE, PROT_READ | PROT_WRITE));
	heap[page++ * PAGE] = 1;
}

static void on_fault(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	unsigned int place, faults = 0, later = 0;
	uint64_t last = 0, now;

	heap = OK(mmap(NULL, (2 * ROUNDS + 1) * PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	place = (unsigned int)((uintptr_t)heap >> 32) % EVERY;
	OK(sigaction(SIGSEGV, &sa, NULL));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		bool before = i % EVERY == place;

		if (before)
			grow();
		now = __rdtsc();
		later += now > last;
		last = now;
		if (!before)
			grow();
		getppid();
	}
	for (volatile unsigned int i = 0; i < ROUNDS; i++) {
		if (i % EVERY == place)
			grow();
		if (!sigsetjmp(back, 0))
			*(volatile char *)(heap + 2 * ROUNDS * PAGE) = 1;
		else
			faults++;
		if (i % EVERY != place)
			grow();
		getppid();
	}
	printf("%u %u %d\n", later, faults, page);
	return 0;
}
