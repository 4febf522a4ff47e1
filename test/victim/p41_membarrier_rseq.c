/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membarrier, rseq, set_tid_address, robust list and other calls of the C
 * library's start.
 */
#include "victim.h"
#include <linux/membarrier.h>

int main(void)
{
	long r = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
	int tidptr = 0;

	CHECK(r >= 0 || errno == ENOSYS);
	if (r > 0 && (r & MEMBARRIER_CMD_GLOBAL))
		OK(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
	/* without a third argument: the register has what was there before */
	if (r > 0 && (r & MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
		OK(syscall(SYS_membarrier,
			   MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, &tidptr));
		OK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0,
			   &r));
	}
	CHECK(syscall(SYS_set_tid_address, &tidptr) == getpid());
	struct { void *head; size_t len; } rl = { 0, 0 };
	OK(syscall(SYS_get_robust_list, 0, &rl.head, &rl.len));
	CHECK(rl.len == 24);
	FAILS(syscall(SYS_set_robust_list, &rl, 3), EINVAL);
	unsigned long fs;
	OK(syscall(SYS_arch_prctl, 0x1003, &fs));
	CHECK(fs == (unsigned long)pthread_self());
	CHECK(syscall(SYS_gettid) == gettid());
	puts("start calls ok");
	return 0;
}
