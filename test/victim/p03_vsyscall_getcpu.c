/* SPDX-License-Identifier: Apache-2.0 */
/*
 * getcpu through the vsyscall page, where there is one, names the processor that
 * the thread has chosen.
 */
#include "victim.h"
static sigjmp_buf back;
static void segv(int sig)
{
	siglongjmp(back, 1);
}

int main(void)
{
	int (*vgetcpu)(unsigned int *, unsigned int *, void *) =
		(int (*)(unsigned int *, unsigned int *, void *))
		0xffffffffff600800ul;
	unsigned int cpu, node, cpu2, node2;
	cpu_set_t all, one;

	OK(sched_getaffinity(0, sizeof(all), &all));
	handle(SIGSEGV, segv, 0);
	if (sigsetjmp(back, 1) == 0) {
		for (unsigned int i = 0; i < CPU_SETSIZE; i++) {
			if (!CPU_ISSET(i, &all))
				continue;
			CPU_ZERO(&one);
			CPU_SET(i, &one);
			OK(sched_setaffinity(0, sizeof(one), &one));
			ZERO(vgetcpu(&cpu, &node, NULL));
			OK(getcpu(&cpu2, &node2));
			CHECK(cpu == i && cpu2 == i && node == node2);
		}
	}
	puts("getcpu ok");
	return 0;
}
