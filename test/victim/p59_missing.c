/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdtscp, rdrand and rdseed where the processor may not have them: SIGILL then, each
 * time, as natively; some programs find out that way.
 */
#include "victim.h"

static sigjmp_buf back;

static void ill(int sig)
{
	siglongjmp(back, sig);
}

#define TRY(insn)							\
static void __attribute__((noinline)) try_##insn(void)			\
{									\
	int sig = sigsetjmp(back, 1);					\
									\
	if (!sig)							\
		__asm__ volatile(#insn EXTRA : : : "rax", "rcx", "rdx", "cc"); \
	printf(#insn ": %d\n", sig);					\
}

#define EXTRA ""
TRY(rdtscp)
#undef EXTRA
#define EXTRA " %%rax"
TRY(rdrand)
TRY(rdseed)

int main(void)
{
	handle(SIGILL, ill, 0);
	for (int i = 0; i < 20; i++) {
		try_rdtscp();
		try_rdrand();
		try_rdseed();
	}
	return 0;
}
