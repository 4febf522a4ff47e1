/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers of the processor, in registers of all kinds and sizes: the same in
 * all variants, with the flags and the upper halves as the processor leaves them.
 */
#include "victim.h"
#include <cpuid.h>
#include <x86intrin.h>

static int out;
static uint64_t seen[64];
static unsigned int n_seen;

/* The call depends on the number, and so does its argument. */
static void use(uint64_t x)
{
	ssize_t n;

	if (x & 1)
		getppid();
	n = write(out, &x, sizeof(x));
	CHECK(n == sizeof(x));
	seen[n_seen++ % 64] = x;
}

#define FLAGS(what, type, reg)						\
	do {								\
		register uint64_t r __asm__(reg) = ~0ull;		\
		uint64_t fl;						\
		int i = 0;						\
									\
		do {							\
			__asm__ volatile("cmp %1, %1\n\t"		\
					 what "\n\t"			\
					 "pushfq\n\t"			\
					 "popq %0"			\
					 : "=&r" (fl), "+r" (r)	\
					 : : "cc", "memory");		\
		} while (!(fl & 1) && ++i < 1000);			\
		CHECK((fl & 0x8d5) == 1);				\
		CHECK(sizeof(type) != 4 || !(r >> 32));			\
		CHECK(sizeof(type) != 2 || r >> 16 == ~0ull >> 16);	\
		use(r);							\
	} while (0)

static void numbers(bool seed)
{
	FLAGS("rdrand %w1", uint16_t, "rax");
	FLAGS("rdrand %k1", uint32_t, "rax");
	FLAGS("rdrand %q1", uint64_t, "rax");
	FLAGS("rdrand %w1", uint16_t, "r15");
	FLAGS("rdrand %k1", uint32_t, "r8");
	FLAGS("rdrand %q1", uint64_t, "r13");
	FLAGS("rdrand %k1", uint32_t, "rdi");
	if (!seed)
		return;
	FLAGS("rdseed %w1", uint16_t, "rdx");
	FLAGS("rdseed %k1", uint32_t, "rsi");
	FLAGS("rdseed %q1", uint64_t, "r12");
}

int main(void)
{
	unsigned int a, b, c = 0, d, all = 0;
	bool seed;

	out = OK(open("/dev/null", O_WRONLY));
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_RDRND)) {
		puts("random numbers ok");
		return 0;
	}
	b = 0;
	seed = __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_RDSEED;
	for (int i = 0; i < 3; i++)
		numbers(seed);
	for (unsigned int i = 1; i < n_seen; i++)
		all += seen[i] != seen[i - 1];
	CHECK(all > n_seen / 2);
	REAP(CHILD(numbers(seed)));
	/* time stamps that fault are the program's affair, these are not */
	OK(prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
	numbers(seed);
	OK(prctl(PR_SET_TSC, PR_TSC_ENABLE));
	numbers(seed);
	puts("random numbers ok");
	return 0;
}
