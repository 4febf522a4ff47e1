/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's own seccomp: strict mode, kill, trap with siginfo, errno,
 * TSYNC over threads, and what the filter may look at.
 */
#include "victim.h"
#include <linux/audit.h>

static int install(unsigned int flags, int nr, unsigned int action)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { 7, f };

	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}
static volatile int traps;
static void on_sys(int sig, siginfo_t *si, void *uc)
{
	ucontext_t *u = uc;

	if (si->si_code == 1 && si->si_syscall == SYS_getpgrp && si->si_errno == 77)
		traps++;
	u->uc_mcontext.gregs[REG_RAX] = 4321;
}
static void *sleeper(void *arg)
{
	int *go = arg;
	char c;

	CHECK(read(go[0], &c, 1) == 1);
	FAILS(syscall(SYS_getpgrp), EXDEV);
	return NULL;
}

int main(void)
{
	int st, go[2];
	pthread_t t;

	st = reap(CHILD({
		OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		CHECK(write(1, "strict\n", 7) == 7);
		syscall(SYS_exit, 7);
	}));
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 7);
	st = reap(CHILD({
		struct rlimit none = { 0, 0 };
		setrlimit(RLIMIT_CORE, &none);
		OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		syscall(SYS_getpid);
	}));
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
	st = reap(CHILD({
		struct rlimit none = { 0, 0 };
		setrlimit(RLIMIT_CORE, &none);
		OK(install(0, SYS_getpgrp, SECCOMP_RET_KILL_PROCESS));
		syscall(SYS_getpgrp);
	}));
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSYS);
	REAP(CHILD({
		handle_info(SIGSYS, on_sys, 0);
		OK(install(0, SYS_getpgrp, SECCOMP_RET_TRAP | 77));
		CHECK(syscall(SYS_getpgrp) == 4321);
		CHECK(traps == 1);
	}));
	OK(pipe(go));
	ZERO(pthread_create(&t, NULL, sleeper, go));
	OK(install(SECCOMP_FILTER_FLAG_TSYNC, SYS_getpgrp, SECCOMP_RET_ERRNO | EXDEV));
	CHECK(write(go[1], "x", 1) == 1);
	ZERO(pthread_join(t, NULL));
	FAILS(syscall(SYS_getpgrp), EXDEV);
	CHECK(prctl(PR_GET_SECCOMP) == 2);
	FAILS(install(0x80000000, 1, SECCOMP_RET_ALLOW), EINVAL);
	puts("seccomp actions ok");
	return 0;
}
