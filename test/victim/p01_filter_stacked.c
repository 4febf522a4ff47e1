/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacked seccomp filters of the program's own: the most restrictive answer
 * wins, a child inherits, nothing can be relaxed later.
 */
#include "victim.h"
#include <linux/audit.h>

static void filter(int nr, unsigned int action)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { 4, f };

	OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0));
}

int main(void)
{
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	filter(SYS_getpgrp, SECCOMP_RET_ERRNO | EPERM);
	FAILS(syscall(SYS_getpgrp), EPERM);
	filter(SYS_getpgrp, SECCOMP_RET_ALLOW);
	FAILS(syscall(SYS_getpgrp), EPERM);
	filter(SYS_getpgrp, SECCOMP_RET_ERRNO | EDOM);
	FAILS(syscall(SYS_getpgrp), EDOM);
	REAP(CHILD({
		FAILS(syscall(SYS_getpgrp), EDOM);
		filter(SYS_getppid, SECCOMP_RET_ERRNO | ENOTTY);
		FAILS(syscall(SYS_getppid), ENOTTY);
	}));
	CHECK(syscall(SYS_getppid) > 0);
	puts("stacked filters ok");
	return 0;
}
