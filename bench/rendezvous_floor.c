// SPDX-License-Identifier: Apache-2.0
/*
 * What ptrace alone costs per rendezvous on this machine: the least any
 * monitor of this kind can do, for bench/syscall to compare monitord with.
 *
 * N children trap each getppid() through a seccomp filter.  The tracer waits
 * until all have stopped, reads each call (PTRACE_GET_SYSCALL_INFO), skips it
 * (two PTRACE_POKEUSER) and lets them go on.  Nothing is compared, nothing is
 * executed, no book is kept.
 *
 *	rendezvous_floor N TRACER-CPU CHILDREN-CPU ROUNDS
 *
 * A CPU of -1 leaves the choice to the kernel.  Prints nanoseconds per
 * rendezvous; the clock is the tracer's, which nobody traces.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* <sys/ptrace.h> clashes with <linux/ptrace.h> */
static long trace(long request, pid_t pid, unsigned long addr, void *data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

static void fail(const char *what)
{
	fprintf(stderr, "rendezvous_floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		fail("sched_setaffinity");
}

static void __attribute__((noreturn)) child(int cpu)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(f) / sizeof(f[0]), f };

	pin(cpu);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	raise(SIGSTOP);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_SPEC_ALLOW, &prog) < 0)
		fail("seccomp");
	for (;;)
		syscall(SYS_getppid);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void rendezvous(const pid_t *pid, int n)
{
	struct ptrace_syscall_info info;
	int status;

	for (int arrived = 0; arrived < n; arrived++) {
		pid_t p = waitpid(-1, &status, __WALL);

		if (p < 0 || !WIFSTOPPED(status))
			fail("a child ended");
		if (trace(PTRACE_GET_SYSCALL_INFO, p, sizeof(info), &info) < 0)
			fail("PTRACE_GET_SYSCALL_INFO");
	}
	for (int i = 0; i < n; i++) {
		trace(PTRACE_POKEUSR, pid[i],
		      offsetof(struct user_regs_struct, orig_rax),
		      (void *)-1l);
		trace(PTRACE_POKEUSR, pid[i],
		      offsetof(struct user_regs_struct, rax), NULL);
	}
	for (int i = 0; i < n; i++)
		trace(PTRACE_CONT, pid[i], 0, NULL);
}

int main(int argc, char **argv)
{
	pid_t pid[8];
	int n, rounds, status;
	uint64_t start;

	if (argc != 5 || (n = atoi(argv[1])) < 1 || n > 8) {
		fprintf(stderr, "usage: rendezvous_floor N TRACER-CPU CHILDREN-CPU ROUNDS\n");
		return 2;
	}
	rounds = atoi(argv[4]);
	for (int i = 0; i < n; i++) {
		pid[i] = fork();
		if (pid[i] < 0)
			fail("fork");
		if (!pid[i])
			child(atoi(argv[3]));
		if (waitpid(pid[i], &status, WUNTRACED) < 0)
			fail("waitpid");
	}
	pin(atoi(argv[2]));
	for (int i = 0; i < n; i++) {
		if (trace(PTRACE_SEIZE, pid[i], 0,
			  (void *)(long)(PTRACE_O_TRACESECCOMP |
					 PTRACE_O_EXITKILL)) < 0)
			fail("PTRACE_SEIZE");
		kill(pid[i], SIGCONT);
	}
	/* group stop, SIGCONT: let everything pass until the first call */
	for (int i = 0; i < n; i++) {
		for (;;) {
			if (waitpid(pid[i], &status, __WALL) < 0)
				fail("waitpid");
			if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
				break;
			trace(PTRACE_CONT, pid[i], 0, NULL);
		}
	}
	for (int i = 0; i < n; i++)
		trace(PTRACE_CONT, pid[i], 0, NULL);
	for (int i = 0; i < rounds / 10; i++)
		rendezvous(pid, n);
	start = now();
	for (int i = 0; i < rounds; i++)
		rendezvous(pid, n);
	printf("%.0f\n", (double)(now() - start) / rounds);
	return 0;
}
