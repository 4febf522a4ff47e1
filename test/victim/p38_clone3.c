/* SPDX-License-Identifier: Apache-2.0 */
/* clone3 used directly, or cleanly refused, so that the program falls back. */
#include "victim.h"
#include <linux/sched.h>

int main(void)
{
	int pidfd = -1;
	pid_t ptid = 0;
	struct clone_args a = { .flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
				.exit_signal = SIGCHLD, .pidfd = (uintptr_t)&pidfd,
				.parent_tid = (uintptr_t)&ptid };
	long p = syscall(SYS_clone3, &a, sizeof(a));

	if (p == 0)
		_exit(6);
	if (p > 0) {
		siginfo_t si;

		CHECK(ptid == p && pidfd >= 0);
		CHECK(waitid(P_PIDFD, pidfd, &si, WEXITED) == 0 && si.si_status == 6);
	} else {
		CHECK(errno == ENOSYS);
	}
	FAILS(syscall(SYS_clone3, &a, 3), EINVAL);
	FAILS(syscall(SYS_clone3, (void *)8, 3), EINVAL);
	FAILS(syscall(SYS_clone3, (void *)8, 5000), E2BIG);
	FAILS(syscall(SYS_clone3, (void *)8, 64), EFAULT);
	puts("clone3 ok");
	return 0;
}
