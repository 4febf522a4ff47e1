/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A system call preserves every register but rax, rcx and r11, also those of
 * the vector unit, and the red zone.
 */
#include "victim.h"
int main(void)
{
	uint64_t in[8] = { 11, 22, 33, 44, 55, 66, 77, 88 }, out[8] = { 0 };
	uint64_t red = 0, ax;

	for (int i = 0; i < 50; i++) {
		__asm__ volatile(
			"movq %[a], %%r8\n movq %[b], %%r9\n"
			"movq %[c], %%r10\n movq %[d], %%r12\n"
			"movq %[e], %%r13\n movq %%r8, %%xmm5\n"
			"movq %[b], -16(%%rsp)\n"
			"movl $39, %%eax\n syscall\n"
			"movq -16(%%rsp), %[red]\n"
			"movq %%r8, 0(%[o])\n movq %%r9, 8(%[o])\n"
			"movq %%r10, 16(%[o])\n movq %%r12, 24(%[o])\n"
			"movq %%r13, 32(%[o])\n movq %%xmm5, 40(%[o])\n"
			: "=&a"(ax), [red] "=&b"(red)
			: [a] "m"(in[0]), [b] "r"(in[1]), [c] "m"(in[2]),
			  [d] "m"(in[3]), [e] "m"(in[4]), [o] "D"(out)
			: "rcx", "r8", "r9", "r10", "r11", "r12", "r13",
			  "xmm5", "memory", "cc");
		CHECK(ax == (uint64_t)getpid());
		CHECK(red == 22);
		CHECK(out[0] == 11 && out[1] == 22 && out[2] == 33);
		CHECK(out[3] == 44 && out[4] == 55 && out[5] == 11);
	}
	puts("registers ok");
	return 0;
}
