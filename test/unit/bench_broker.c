// SPDX-License-Identifier: Apache-2.0
/*
 * What the broker costs the leader, in nanoseconds per call, over the same call
 * made at the gate directly.  Two processes, nothing else: run it on an idle
 * machine with two cores.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "arch/entry.h"
#include "twins.h"

static unsigned long rounds = 200000;
static int fd, null;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The best of many short runs: the machine may be busy with other things. */
#define BATCH 500

static double measure_one(const struct ipmon_call *c, unsigned long n,
			  int64_t (*fn)(const struct ipmon_call *c))
{
	double best = 1e12, t;

	for (unsigned long done = 0; done < n; done += BATCH) {
		t = now();
		for (int i = 0; i < BATCH; i++)
			fn(c);
		t = (now() - t) / BATCH;
		best = t < best ? t : best;
	}
	return best;
}

static char buf[65536];
static struct iovec iov[2] = { { buf, 100 }, { buf + 200, 300 } };

static int measure(void)
{
	const struct {
		const char *name;
		struct ipmon_call c;
	} t[] = {
		{ "getpid", { SYS_getpid, { 0 } } },
		{ "getppid", { SYS_getppid, { 0 } } },
		{ "pread 1", { SYS_pread64, { fd, (uint64_t)buf, 1, 0 } } },
		{ "write 1", { SYS_write, { null, (uint64_t)buf, 1 } } },
		{ "pread 4096", { SYS_pread64, { fd, (uint64_t)buf, 4096, 0 } } },
		{ "pread 65536", { SYS_pread64, { fd, (uint64_t)buf, 65536, 0 } } },
		{ "clock_gettime", { SYS_clock_gettime, { 1, (uint64_t)buf } } },
		{ "fstat", { SYS_fstat, { fd, (uint64_t)buf } } },
		{ "newfstatat", { SYS_newfstatat, { -100, (uint64_t)"/etc/passwd", (uint64_t)buf, 0 } } },
		{ "lseek", { SYS_lseek, { fd, 0, 0 } } },
		{ "access", { SYS_access, { (uint64_t)"/etc/passwd", 0 } } },
		{ "writev 2", { SYS_writev, { null, (uint64_t)iov, 2 } } },
	};
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(tw.me, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		unsigned long n = t[i].c.nr == SYS_pread64 &&
			t[i].c.args[2] > 1 ? rounds / 20 : rounds;
		double a = 1e9, b = 1e9, x;

		for (int k = 0; k < 3; k++) {
			twins_meet();
			x = tw.me ? 0 : measure_one(&t[i].c, n, ipmon_gate_raw);
			a = x < a ? x : a;
			twins_meet();
			x = measure_one(&t[i].c, n, twins_call_quick);
			b = x < b ? x : b;
		}
		if (!tw.me)
			printf("%-14s gate %7.1f  broker %7.1f  +%.1f ns  waits %lu wakes %lu\n",
			       t[i].name, a, b, b - a,
			       (unsigned long)tw.ctx->n_waits,
			       (unsigned long)tw.ctx->n_wakes);
		twins_meet();
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct twins_options o = {
		.n = argc > 2 ? (unsigned int)atoi(argv[2]) : 2,
		.policy = argc > 3 ? (uint32_t)atoi(argv[3]) : IPMON_RELAXED,
		.spin_max = argc > 4 ? (uint32_t)atoi(argv[4]) : 2000,
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1)
		rounds = strtoul(argv[1], NULL, 0);
	fd = memfd_create("bench", 0);
	null = open("/dev/null", O_WRONLY);
	if (ftruncate(fd, sizeof(buf)) || null < 0)
		return 1;
	return twins_run(&o, measure);
}
