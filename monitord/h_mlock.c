// SPDX-License-Identifier: Apache-2.0
/*
 * mlockall: the program's memory, not the monitor's.
 *
 * Theory of operation
 * -------------------
 * A variant has mappings the program does not know of; the rings alone are
 * larger than what a user may lock by default (RLIMIT_MEMLOCK).  The kernel
 * compares all of an address space with that limit and locks, and populates,
 * all of it.  So MCL_CURRENT is carried out by hand, in each variant: the
 * program's part is compared with the limit, and its mappings are locked one by
 * one.  The bit for future mappings is set as the kernel has it set: by
 * mlockall(MCL_FUTURE), or by munlockall, which is what remains of MCL_CURRENT
 * alone when nothing was locked before and all that was is locked again.
 *
 * As in the kernel, what cannot be populated is no error.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "h_memory.h"
#include "handlers.h"
#include "launch.h"
#include "owned.h"
#include "tracee.h"

#define CAP_IPC_LOCK_BIT (1ull << 14)

struct areas {
	const struct mm *mm;
	unsigned int v;
	struct area { uint64_t start, end; } *list;
	size_t n, room;
	uint64_t bytes;
};

static int add(struct areas *a, uint64_t start, uint64_t end)
{
	if (a->n == a->room) {
		size_t room = a->room ? 2 * a->room : 64;
		struct area *list = reallocarray(a->list, room, sizeof(*list));

		if (!list)
			return -1;
		a->list = list;
		a->room = room;
	}
	a->list[a->n++] = (struct area) { start, end };
	a->bytes += end - start;
	return 0;
}

/* The program's part of one mapping. */
static int collect(void *ctx, const struct map_entry *e)
{
	struct areas *a = ctx;
	uint64_t at = e->start, from, to;

	if (!strncmp(e->path, "[v", 2))		/* vdso, vvar, vsyscall */
		return 0;
	while (at < e->end) {
		if (!owned_next(a->mm, a->v, at, e->end, &from, &to))
			from = to = e->end;
		if (from > at && add(a, at, from))
			return -1;
		at = to;
	}
	return 0;
}

/* One number of a file in /proc: what follows `name`; false when not there. */
static bool proc_value(pid_t tid, const char *file, const char *name,
		       const char *format, unsigned long long *value)
{
	size_t len = strlen(name);
	char path[64], line[256];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, file);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = !strncmp(line, name, len) &&
			sscanf(line + len, format, value) == 1;
	fclose(f);
	return found;
}

static bool may_lock_all(pid_t tid)
{
	unsigned long long caps;

	return proc_value(tid, "status", "CapEff:", "%llx", &caps) &&
	       caps & CAP_IPC_LOCK_BIT;
}

/* RLIMIT_MEMLOCK. prlimit(2) would need a capability for a process that has
 * changed its user. */
static uint64_t lock_limit(pid_t tid)
{
	unsigned long long limit;

	return proc_value(tid, "limits", "Max locked memory", "%llu", &limit) ?
		limit : UINT64_MAX;	/* "unlimited" */
}

static void lock_areas(struct task *t, const struct areas *a, uint64_t flags)
{
	uint64_t later = flags & (MCL_FUTURE | MCL_ONFAULT);

	if (flags & MCL_FUTURE)
		task_inject(t, SYS_mlockall, later, 0, 0, 0, 0, 0);
	else
		task_inject(t, SYS_munlockall, 0, 0, 0, 0, 0, 0);
	for (size_t i = 0; i < a->n; i++)
		task_inject(t, SYS_mlock2, a->list[i].start,
			    a->list[i].end - a->list[i].start,
			    flags & MCL_ONFAULT ? MLOCK_ONFAULT : 0, 0, 0, 0);
}

void mlockall_start(struct taskset *s)
{
	struct task *lead = &s->t[LEADER];
	uint64_t flags = lead->call.args[0];
	uint64_t limit = lock_limit(lead->tid);
	int64_t ret = 0;

	/* nothing of ours is affected, or the kernel refuses it */
	if (!(flags & MCL_CURRENT) ||
	    flags & ~(uint64_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) ||
	    (!limit && !may_lock_all(lead->tid))) {
		generic_start(s);
		return;
	}
	for_each_variant(v) {
		struct areas a = { .mm = s->proc->mm, .v = v };
		struct task *t = &s->t[v];
		int r = maps_each(t->tid, collect, &a);

		if (v == LEADER && !may_lock_all(t->tid) &&
		    a.bytes > limit)
			ret = -ENOMEM;
		else if (v == LEADER && r)
			ret = -EAGAIN;
		if (!ret)
			lock_areas(t, &a, flags);
		free(a.list);
	}
	set_finish(s, ret);
}
