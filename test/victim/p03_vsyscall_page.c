/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vsyscall page either works or faults, as it does natively; time through
 * it agrees with the clock.
 */
#include "victim.h"
static sigjmp_buf back;
static void segv(int sig)
{
	siglongjmp(back, 1);
}

int main(void)
{
	time_t (*vtime)(time_t *) = (time_t (*)(time_t *))0xffffffffff600400ul;
	volatile bool faulted = false;
	time_t t = 0;

	handle(SIGSEGV, segv, 0);
	if (sigsetjmp(back, 1))
		faulted = true;
	else
		t = vtime(NULL);
	CHECK(faulted || llabs((long long)(t - time(NULL))) <= 2);
	puts("vsyscall ok");
	return 0;
}
