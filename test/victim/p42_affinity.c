/* SPDX-License-Identifier: Apache-2.0 */
/* Affinity, number of processors, scheduling parameters and priorities. */
#include "victim.h"
#include <sys/syscall.h>

/* Where the monitor has put the variants is nothing to be seen here either. */
static void status(void)
{
	char line[1024];
	FILE *f = fopen("/proc/self/status", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "Cpus_allowed", 12))
			fputs(line, stdout);
	fclose(f);
}

/* A deadline task must be allowed to use all processors. */
static void deadline(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} a = { .size = sizeof(a), .policy = 6, .runtime = 1000000,
		.deadline = 10000000, .period = 10000000 };
	long r = syscall(SYS_sched_setattr, 0, &a, 0);

	printf("deadline %ld %s policy %ld\n", r, r ? strerror(errno) : "",
	       syscall(SYS_sched_getscheduler, 0));
	status();
}

int main(void)
{
	cpu_set_t c, d;
	struct sched_param sp = { 0 };
	struct timespec ts;
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	OK(sched_getaffinity(0, sizeof(c), &c));
	CHECK(CPU_COUNT(&c) >= 1 && CPU_COUNT(&c) <= sysconf(_SC_NPROCESSORS_CONF));
	status();
	printf("configured %ld online %ld\n", sysconf(_SC_NPROCESSORS_CONF), n);
	REAP(CHILD(deadline()));
	status();
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &c)) {
			CPU_ZERO(&d);
			CPU_SET(i, &d);
			break;
		}
	OK(sched_setaffinity(0, sizeof(d), &d));
	OK(sched_getaffinity(0, sizeof(c), &c));
	CHECK(CPU_EQUAL(&c, &d));
	status();
	CHECK(CPU_ISSET(sched_getcpu(), &d));
	REAP(CHILD(OK(sched_getaffinity(0, sizeof(c), &c)); CHECK(CPU_EQUAL(&c, &d))));
	CPU_ZERO(&c);
	FAILS(sched_setaffinity(0, sizeof(c), &c), EINVAL);
	CHECK(sched_getscheduler(0) == SCHED_OTHER);
	OK(sched_getparam(0, &sp));
	CHECK(sp.sched_priority == 0);
	printf("fifo %d..%d\n", sched_get_priority_min(SCHED_FIFO), sched_get_priority_max(SCHED_FIFO));
	OK(sched_setscheduler(0, SCHED_BATCH, &sp));
	CHECK(sched_getscheduler(0) == SCHED_BATCH);
	OK(sched_rr_get_interval(0, &ts));
	OK(sched_yield());
	CHECK(nice(3) == 3);
	CHECK(getpriority(PRIO_PROCESS, 0) == 3);
	OK(setpriority(PRIO_PROCESS, 0, 5));
	CHECK(getpriority(PRIO_PROCESS, getpid()) == 5);
	REAP(CHILD(CHECK(getpriority(PRIO_PROCESS, 0) == 5)));
	FAILS(sched_setscheduler(0, 99, &sp), EINVAL);
	FAILS(setpriority(9, 0, 0), EINVAL);
	return 0;
}
