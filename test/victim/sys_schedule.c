/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduling: policies, parameters, attributes, priorities, affinity, I/O
 * priority; resource limits and usage.
 */
#include "victim.h"

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
	char more[64];
};

static void attr(void)
{
	struct attr a;

	memset(&a, 0x77, sizeof(a));
	SAYS(syscall(SYS_sched_getattr, 0, &a, 56, 0));
	printf("  policy %u nice %d priority %u\n", a.policy, a.nice, a.priority);
}

int main(void)
{
	struct sched_param p = { 0 };
	struct timespec ts;
	struct attr a = { .size = 48 };
	struct rlimit rl;
	struct rusage ru;

	for (int i = -1; i < 8; i++) {
		SAYS(sched_get_priority_max(i));
		SAYS(sched_get_priority_min(i));
	}
	SAYS(sched_getscheduler(0));
	SAYS(sched_getscheduler(-1));
	SAYS(sched_getparam(0, &p));
	SAYS(sched_getparam(0, NULL));
	SAYS(sched_setparam(0, &p));
	p.sched_priority = 5;
	SAYS(sched_setparam(0, &p));
	SAYS(sched_rr_get_interval(0, &ts));
	SAYS(sched_rr_get_interval(0, (void *)8));
	p.sched_priority = 0;
	SAYS(sched_setscheduler(0, SCHED_BATCH, &p));
	attr();
	SAYS(sched_setscheduler(0, SCHED_IDLE, &p));
	SAYS(sched_getscheduler(0));
	SAYS(sched_setscheduler(0, SCHED_OTHER, &p));
	SAYS(sched_setscheduler(0, 99, &p));
	SAYS(sched_setscheduler(0, SCHED_OTHER, NULL));
	REAP(CHILD(p.sched_priority = 1; SAYS(sched_setscheduler(0, SCHED_RR, &p));
		   SAYS(sched_getscheduler(0)); attr();
		   p.sched_priority = 0; SAYS(sched_setscheduler(0, SCHED_OTHER, &p))));
	a.nice = 3;
	SAYS(syscall(SYS_sched_setattr, 0, &a, 0));
	attr();
	a.size = 20;
	SAYS(syscall(SYS_sched_setattr, 0, &a, 0));
	printf("  size %u\n", a.size);
	a.size = 100;
	a.more[20] = 1;
	SAYS(syscall(SYS_sched_setattr, 0, &a, 0));
	printf("  size %u\n", a.size);
	a.size = 48;
	SAYS(syscall(SYS_sched_setattr, 0, &a, 1));
	SAYS(syscall(SYS_sched_setattr, 0, NULL, 0));
	a.policy = 6;
	SAYS(syscall(SYS_sched_setattr, 0, &a, 0));
	SAYS(syscall(SYS_sched_getattr, 0, &a, 10, 0));
	SAYS(syscall(SYS_sched_getattr, 0, &a, 5000, 0));
	SAYS(syscall(SYS_sched_getattr, -5, &a, 56, 0));
	SAYS(nice(2));
	SAYS(getpriority(PRIO_PROCESS, 0));
	SAYS(getpriority(PRIO_PGRP, 0) >= -20);
	SAYS(getpriority(9, 0));
	SAYS(setpriority(PRIO_PROCESS, 0, 10));
	SAYS(setpriority(PRIO_PROCESS, 99999999, 10));
	SAYS(syscall(SYS_getpriority, PRIO_PROCESS, 0));
	SAYS(syscall(SYS_ioprio_get, 1, 0));
	SAYS(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 5));
	SAYS(syscall(SYS_ioprio_get, 1, 0));
	SAYS(syscall(SYS_ioprio_set, 1, 0, 3 << 13));
	SAYS(syscall(SYS_ioprio_set, 1, 0, 9 << 13));
	SAYS(syscall(SYS_ioprio_get, 7, 0));
	/* affinity: how long the mask is depends on the kernel */
	unsigned long mask[128] = { 0 };
	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask) > 0);
	CHECK(mask[0]);
	SAYS(syscall(SYS_sched_getaffinity, 0, 3, mask));
	mask[0] &= -mask[0];
	SAYS(syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask));
	unsigned long m2[128] = { 0 };
	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof(m2), m2) > 0);
	CHECK(m2[0] == mask[0]);
	memset(mask, 0, sizeof(mask));
	SAYS(syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask));
	SAYS(syscall(SYS_sched_setaffinity, 0, sizeof(mask), (void *)8));
	SAYS(sched_yield());
	/* limits by the old and the new call */
	for (int i = 0; i < 17; i++) {
		memset(&rl, 0x11, sizeof(rl));
		long r = syscall(SYS_getrlimit, i, &rl);
		struct rlimit n;
		CHECK(syscall(SYS_prlimit64, 0, i, NULL, &n) == r);
		if (r == 0)
			CHECK(n.rlim_cur == rl.rlim_cur && n.rlim_max == rl.rlim_max);
		else
			printf("%d: %s\n", i, strerrorname_np(errno));
	}
	rl = (struct rlimit){ 100, 200 };
	SAYS(syscall(SYS_setrlimit, RLIMIT_NPROC, &rl));
	SAYS(syscall(SYS_setrlimit, RLIMIT_CORE, &rl));
	rl.rlim_cur = 300;
	SAYS(syscall(SYS_setrlimit, RLIMIT_CORE, &rl));
	SAYS(syscall(SYS_setrlimit, 99, &rl));
	SAYS(syscall(SYS_setrlimit, RLIMIT_CORE, NULL));
	rl = (struct rlimit){ 20, 20 };
	SAYS(syscall(SYS_setrlimit, RLIMIT_NOFILE, &rl));
	SAYS(dup2(0, 30));
	SAYS(fcntl(0, F_DUPFD, 25));
	rl = (struct rlimit){ 1 << 20, 1 << 20 };
	SAYS(syscall(SYS_setrlimit, RLIMIT_FSIZE, &rl));
	signal(SIGXFSZ, SIG_IGN);
	int f = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	static char big[3000];
	SAYS(pwrite(f, big, 3000, (1 << 20) - 1000));
	SAYS(pwrite(f, big, 3000, 1 << 20));
	SAYS(ftruncate(f, 2 << 20));
	SAYS(syscall(SYS_getrusage, RUSAGE_SELF, &ru));
	SAYS(syscall(SYS_getrusage, RUSAGE_CHILDREN, &ru));
	SAYS(syscall(SYS_getrusage, RUSAGE_THREAD, &ru));
	SAYS(syscall(SYS_getrusage, 5, &ru));
	SAYS(syscall(SYS_getrusage, RUSAGE_SELF, NULL));
	SAYS(times(NULL) != -1);
	SAYS(syscall(SYS_getcpu, NULL, NULL, NULL));
	unsigned int cpu = 99999, node = 99999;
	SAYS(syscall(SYS_getcpu, &cpu, &node, NULL));
	CHECK(cpu < 10000 && node < 10000);
	puts("schedule ok");
	return 0;
}
