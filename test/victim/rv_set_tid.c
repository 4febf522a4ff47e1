/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone3 with arguments that name kernel objects once: set_tid; a structure
 * longer than the kernel's with zeroes behind.
 */
#include "victim.h"
#include <linux/sched.h>

int main(void)
{
	struct {
		struct clone_args a;
		uint64_t more[4];
	} x;
	int st, lost = 0;
	pid_t tid, p;

	for (int round = 0; round < 4; round++) {
		p = CHILD(_exit(0));
		reap(p);
		tid = p;		/* free now */
		memset(&x, 0, sizeof(x));
		x.a.exit_signal = SIGCHLD;
		x.a.set_tid = (uintptr_t)&tid;
		x.a.set_tid_size = 1;
		if (round & 1)
			x.a.flags = CLONE_UNTRACED;
		p = (pid_t)syscall(SYS_clone3, &x, sizeof(x));
		if (!p)
			_exit(7);
		if (p < 0) {
			CHECK(errno == EPERM || errno == EEXIST);
			lost++;
			continue;
		}
		CHECK(p == tid);
		CHECK(waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 7);
	}
	printf("clone3 ok\n");
	return 0;
}
