// SPDX-License-Identifier: Apache-2.0
/*
 * Which cores monitord and the variants use.
 *
 * Theory of operation
 * -------------------
 * A ptrace stop costs a wake-up of the tracer and one of the tracee.  On one
 * core that is a context switch, across cores an inter-processor interrupt
 * to a core that may be idle: several times as much.  Programs that mostly
 * make calls are therefore best *gathered* on one core, where monitord and
 * the variants take turns anyway; programs that mostly compute are best
 * *spread*, so that variants compute at the same time.
 *
 * `auto` starts gathered and decides again every window from what the
 * processes have used: the variants' CPU time less what stops cost them is
 * computation; it is weighed against the number of stops, with a distance
 * between the two thresholds so that it does not flap.  A core that somebody
 * else keeps busy is left for the next one.
 *
 * Variants with processors of their own (CPU= of monitord.conf) stay where they
 * are; the monitor and the others move.
 *
 * Followers of a leader that runs ahead (`relaxed`) are batch processes, so that
 * waking one does not take the processor from the leader or from its peers.
 *
 * The program does not notice: sched_getaffinity and /proc/self/status show the mask
 * the caller gave us, other calls answer for the leader.  A program that sets a mask of
 * its own, or becomes a deadline task, wants to decide for itself, and gets its way:
 * everything is spread and stays so.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "handlers.h"
#include "monitor.h"
#include "placement.h"
#include "settings.h"
#include "tracee.h"

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE	6
#endif

/* Masks for machines of up to 8192 processors. */
#define MASK_BYTES	1024u

#define WINDOW_NS	50000000u
/* What a stop costs the tracee itself, and how much computation per stop
 * makes spreading (gathering) worth while; measured on two cores. */
#define STOP_NS		5000u
#define SPREAD_NS	40000u
#define GATHER_NS	15000u
/* At least so much computation (of a window) before anything is spread. */
#define BUSY_NS		(WINDOW_NS / 4)
/* With fewer stops in a window it does not matter where they are taken, and moving
 * there and back does. */
#define FEW_STOPS	50u
/* Processes looked at per window. */
#define PROCS_MAX	64u
/* Longer than it takes to be woken on an idle core of a virtual machine, or two who
 * wait for each other never meet again once they sleep. */
#define SPIN_NS		50000u
#define SPIN_PROBE	200u	/* looks */
#define SPIN_LEAST	200u	/* looks: a clock may be coarse */
#define SPIN_MOST	20000u

static struct {
	bool managed;			/* we decide (auto, one) */
	bool by_program;		/* it has set a mask of its own */
	bool gathered;
	unsigned int cpu;		/* where */
	size_t bytes;			/* of a mask, as the kernel counts */
	unsigned char all[MASK_BYTES];	/* the caller's mask */
	/* at the last window */
	uint64_t t, t_moved, stops, variants_ns, waited_ns;
} pl;

static void apply_to(unsigned int variant, const unsigned char *mask)
{
	struct taskset *s;

	if (mon.opt.cpu[variant])
		return;
	LIST_FOREACH(s, &mon.sets, all)
		if (s->t[variant].tid)
			sched_setaffinity(s->t[variant].tid, pl.bytes,
				(const cpu_set_t *)(const void *)mask);
}

static void apply(const unsigned char *mask)
{
	sched_setaffinity(0, pl.bytes, (const cpu_set_t *)(const void *)mask);
	for_each_variant(v)
		apply_to(v, mask);
}

static bool in_mask(unsigned int cpu)
{
	return cpu / 8 < pl.bytes && pl.all[cpu / 8] & 1u << cpu % 8;
}

static void one_cpu(unsigned int cpu, unsigned char mask[MASK_BYTES])
{
	memset(mask, 0, MASK_BYTES);
	mask[cpu / 8] = (unsigned char)(1u << cpu % 8);
}

static void gather(unsigned int cpu)
{
	unsigned char mask[MASK_BYTES];

	pl.cpu = cpu;
	one_cpu(cpu, mask);
	apply(mask);
	pl.gathered = true;
}

static unsigned int next_cpu(unsigned int cpu)
{
	do
		cpu = (cpu + 1) % (unsigned int)(pl.bytes * 8);
	while (!in_mask(cpu));
	return cpu;
}

/*
 * A wider mask moves nobody, and variants that take turns on one core by waking
 * each other are never ready to run at once, so that no balancing moves them
 * either: followers are put on cores of their own first.
 */
static void spread(void)
{
	unsigned char mask[MASK_BYTES];
	unsigned int cpu = pl.cpu;

	for_each_variant(v) {
		if (v == LEADER || !pl.gathered)
			continue;
		cpu = next_cpu(cpu);
		one_cpu(cpu, mask);
		apply_to(v, mask);
	}
	apply(pl.all);
	pl.gathered = false;
}

void placement_start(void)
{
	long n = sched_getaffinity(0, sizeof(pl.all),
				   (cpu_set_t *)(void *)pl.all);
	int cpu = sched_getcpu();

	/* glibc hides the length the kernel answers: find the last byte */
	if (n < 0 || cpu < 0)
		return;
	for (pl.bytes = sizeof(pl.all); pl.bytes > 8; pl.bytes -= 8) {
		uint64_t last;

		memcpy(&last, pl.all + pl.bytes - 8, 8);
		if (last)
			break;
	}
	if (mon.opt.placement == PLACE_NONE || !in_mask((unsigned int)cpu))
		return;
	pl.managed = true;
	pl.t = now_ns();
	gather((unsigned int)cpu);
}

/*
 * A follower that catches up is no reason to interrupt anybody, the leader least:
 * a batch process waits for a processor like any other, but does not preempt when
 * it is woken (sched(7)).  Under `verified` leaders wait for them.
 */
static void yields(void)
{
	const struct sched_param none = { 0 };

	if (mon.opt.policy == POLICY_RELAXED &&
	    sched_getscheduler(0) == SCHED_OTHER)
		sched_setscheduler(0, SCHED_BATCH, &none);
}

void placement_variant(unsigned int v)
{
	unsigned long mask[CPU_LIST_WORDS];

	if (v != LEADER && mon.opt.placement != PLACE_NONE)
		yields();
	if (mon.opt.cpu[v] &&
	    cpu_list_parse(mon.opt.cpu[v], mask, CPU_LIST_WORDS))
		sched_setaffinity(0, sizeof(mask),
				  (const cpu_set_t *)(const void *)mask);
}

/* ---- deciding ---- */

static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t variants_ns(void)
{
	struct proc *p;
	unsigned int n = 0;
	uint64_t sum = 0;

	LIST_FOREACH(p, &mon.procs, all) {
		if (++n > PROCS_MAX)
			break;
		for_each_variant(v) {
			clockid_t clock;

			if (p->pid[v] && !(p->dead & 1u << v) &&
			    !clock_getcpuclockid(p->pid[v], &clock))
				sum += cpu_ns(clock);
		}
	}
	return sum;
}

/* Nanoseconds the tracer has been ready to run without running. */
static uint64_t waited_ns(void)
{
	unsigned long long ran, waited;
	FILE *f = fopen("/proc/thread-self/schedstat", "re");
	int n;

	if (!f)
		return 0;
	n = fscanf(f, "%llu %llu", &ran, &waited);
	fclose(f);
	return n == 2 ? waited : 0;
}

void placement_tick(void)
{
	uint64_t window = mon.now - pl.t, used, compute, stops, waited;

	if (!pl.managed || window < WINDOW_NS)
		return;
	used = variants_ns();
	/* processes that have ended are missing now: their share is lost */
	compute = used > pl.variants_ns ? used - pl.variants_ns : 0;
	stops = mon.count.stops - pl.stops;
	compute = compute > stops * STOP_NS ? compute - stops * STOP_NS : 0;
	compute = compute * WINDOW_NS / window;
	stops = stops * WINDOW_NS / window;
	waited = waited_ns();

	if (mon.opt.placement == PLACE_AUTO && pl.gathered &&
	    compute > BUSY_NS && compute > stops * SPREAD_NS) {
		spread();
	} else if (!pl.gathered && stops > FEW_STOPS &&
		   compute < stops * GATHER_NS) {
		gather((unsigned int)sched_getcpu());
	} else if (pl.gathered && mon.now - pl.t_moved > 1000000000u &&
		   waited - pl.waited_ns > window / 3) {
		/* somebody else is busy here */
		pl.t_moved = mon.now;
		gather(next_cpu(pl.cpu));
	}
	pl.t = mon.now;
	pl.stops = mon.count.stops;
	pl.variants_ns = used;
	pl.waited_ns = waited;
}

/* ---- what the program sees ---- */

static void leave_to_program(void)
{
	if (pl.managed) {
		spread();
		pl.managed = false;
	}
	pl.by_program = true;
}

void affinity_set_start(struct taskset *s)
{
	leave_to_program();
	generic_start(s);
}

/* The kernel takes a deadline task only where it may use all processors. */
void sched_setattr_start(struct taskset *s)
{
	struct task *t = &s->t[LEADER];
	uint32_t head[2];	/* size, policy */

	if (!mem_read(t, head, t->call.args[1], sizeof(head)) &&
	    head[1] == SCHED_DEADLINE)
		leave_to_program();
	generic_start(s);
}

static unsigned int bits(const unsigned char *mask, size_t n)
{
	unsigned int k = 0;

	while (n--)
		k += (unsigned int)__builtin_popcount(*mask++);
	return k;
}

unsigned int placement_cpus(void)
{
	return mon.opt.placement == PLACE_ONE ? 1 : bits(pl.all, pl.bytes);
}

/* Nanoseconds of so many looks, at least 1.  How long a pause is differs between
 * processors by more than ten times: it is measured. */
static uint64_t looks_ns(unsigned int n)
{
	static const uint64_t word;
	uint64_t t = now_ns();

	while (n-- && !__atomic_load_n(&word, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
	return now_ns() - t + 1;
}

unsigned int placement_spin(void)
{
	static unsigned int looks;
	uint64_t least = UINT64_MAX, ns;

	if (placement_cpus() < 2)
		return 0;
	/* the best of some: we may be interrupted */
	for (unsigned int i = 0; !looks && i < 4; i++) {
		ns = looks_ns(SPIN_PROBE);
		if (ns < least)
			least = ns;
	}
	if (!looks)
		looks = (unsigned int)(SPIN_NS * SPIN_PROBE / least);
	looks = looks < SPIN_LEAST ? SPIN_LEAST : looks;
	looks = looks > SPIN_MOST ? SPIN_MOST : looks;
	return looks;
}

/* Is a mask of a variant our doing: one processor, or those CPU= names? */
static bool ours(unsigned int variant, const unsigned char *mask, size_t n)
{
	return (mon.opt.cpu[variant] && !pl.by_program) ||
		(pl.managed && bits(mask, n) == 1);
}

void affinity_shown(struct task *t, uint64_t addr, int64_t ret)
{
	unsigned char seen[MASK_BYTES];

	if (ret <= 0 || ret > (int64_t)sizeof(seen) || !pl.bytes)
		return;
	if (!mem_read(t, seen, addr, (size_t)ret) &&
	    ours(t->variant, seen, (size_t)ret))
		mem_write(t, addr, pl.all, (size_t)ret);
}

/* The digits of "Cpus_allowed:\t0000,00000003", from the last one. */
static void digits(char *line, unsigned char *mask, bool set)
{
	unsigned int at = 0;

	for (char *p = line + strlen(line); p-- > line && *p != '\t';) {
		if (*p == ',')
			continue;
		if (at / 2 >= MASK_BYTES)
			break;
		if (set)
			*p = "0123456789abcdef"[mask[at / 2] >> at % 2 * 4 & 15];
		else
			mask[at / 2] |= (unsigned char)(strtoul(
				(char[2]){ *p }, NULL, 16) << at % 2 * 4);
		at++;
	}
}

bool placement_status(char *line)
{
	unsigned char seen[MASK_BYTES] = { 0 };

	digits(line, seen, false);
	if (!pl.bytes || !ours(LEADER, seen, sizeof(seen)))
		return false;
	digits(line, pl.all, true);
	return true;
}

void placement_list(char *list, size_t room)
{
	unsigned int n = (unsigned int)pl.bytes * 8, last;
	size_t k = 0;

	*list = '\0';
	for (unsigned int cpu = 0; cpu < n && k < room; cpu = last + 1) {
		last = cpu;
		if (!in_mask(cpu))
			continue;
		while (in_mask(last + 1))
			last++;
		k += (size_t)snprintf(list + k, room - k,
				      cpu == last ? "%s%u" : "%s%u-%u",
				      k ? "," : "", cpu, last);
	}
}

void affinity_get_done(struct taskset *s, int64_t ret)
{
	struct task *t = &s->t[LEADER];
	pid_t pid = (pid_t)t->call.args[0];

	/* only our tasks */
	if (!pid || set_by_vtid(pid))
		affinity_shown(t, t->call.args[2], ret);
	generic_done(s, ret);
}
