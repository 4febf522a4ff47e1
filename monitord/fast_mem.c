// SPDX-License-Identifier: Apache-2.0
/*
 * The list of mappings that are not just memory.
 *
 * Theory of operation
 * -------------------
 * IP-MON unmaps, moves and advises about memory without asking us
 * (libipmon/memcalls.c), but we keep records by address of some of it: shared
 * mappings (shadow.c), files whose text has been patched (patch.c), our own
 * areas near them.  The leader has a list of all that in its region, by its own
 * addresses; calls that touch it are forwarded, so followers need none.
 *
 * Everything on it comes into being here: files, shared and executable memory
 * are always mapped by monitord.  It lies in the memory of the process, so that a
 * fork copies it.  Neighbours are joined; when it is full all such calls are
 * forwarded from then on.  A range too many costs time only.
 */
#include <string.h>

#include <ipmon/gate_rules.h>
#include "../libipmon/core/channel.h"
#include "fast.h"
#include "fast_mem.h"
#include "launch.h"
#include "owned.h"
#include "tracee.h"

#define PAGE 4096ull

static struct ipmon_special list;

static bool load(struct taskset *s)
{
	uint64_t at = fast_special(s);

	return at && !mem_read(&s->t[LEADER], &list, at, sizeof(list)) &&
		list.n <= IPMON_SPECIAL_MAX;
}

static void store(struct taskset *s)
{
	mem_write(&s->t[LEADER], fast_special(s), &list, sizeof(list));
}

static void add(uint64_t start, uint64_t end)
{
	uint64_t i;

	if (start >= end || end <= IPMON_MEMORY_LOW ||
	    list.n > IPMON_SPECIAL_MAX)
		return;
	for (i = 0; i < list.n; ) {
		if (start > list.range[i].end || end < list.range[i].start) {
			i++;
			continue;
		}
		if (list.range[i].start < start)
			start = list.range[i].start;
		if (list.range[i].end > end)
			end = list.range[i].end;
		list.range[i] = list.range[--list.n];
	}
	if (list.n < IPMON_SPECIAL_MAX) {
		list.range[list.n].start = start;
		list.range[list.n].end = end;
	}
	list.n++;
}

static void del(uint64_t start, uint64_t end)
{
	uint64_t i, n = list.n;

	for (i = 0; i < n && list.n <= IPMON_SPECIAL_MAX; i++) {
		uint64_t from = list.range[i].start, to = list.range[i].end;

		if (start >= to || end <= from)
			continue;
		if (start <= from && end >= to) {
			/* the last one takes its place, and its turn */
			list.range[i] = list.range[--list.n];
			n--;
			i--;
		} else if (start <= from) {
			list.range[i].start = end;
		} else {
			list.range[i].end = start;
			if (end < to)
				add(end, to);
		}
	}
}

static uint64_t end_of(uint64_t start, uint64_t len)
{
	return start + ((len + PAGE - 1) & ~(PAGE - 1));
}

void fast_mem_zone(struct taskset *s, uint64_t start, uint64_t len)
{
	if (!load(s) || (in_zone(&list, start) && in_zone(&list, start + len)))
		return;
	zone_note(&list, start, end_of(start, len));
	store(s);
}

void fast_mem_add(struct taskset *s, uint64_t start, uint64_t len)
{
	if (!load(s))
		return;
	zone_note(&list, start, end_of(start, len));
	add(start, end_of(start, len));
	store(s);
}

void fast_mem_del(struct taskset *s, uint64_t start, uint64_t len)
{
	if (!load(s) || !list.n)
		return;
	del(start, end_of(start, len));
	store(s);
}

/* Just memory: private, anonymous, never executable. */
static bool plain(const struct map_entry *e)
{
	return !e->inode && !e->path[0] && !strchr(e->perms, 'x') &&
		!strchr(e->perms, 's');
}

static int add_entry(void *ctx, const struct map_entry *e)
{
	uint64_t start, stop;

	/* nothing of the program's refers to what is ours */
	if (!owned_next(ctx, LEADER, e->start, e->end, &start, &stop))
		zone_note(&list, e->start, e->end);
	if (!plain(e))
		add(e->start, e->end);
	return 0;
}

void fast_mem_setup(struct taskset *s)
{
	const struct mm *m = s->proc->mm;
	uint64_t at = 0, start, stop;

	memset(&list, 0, sizeof(list));
	maps_each(s->t[LEADER].tid, add_entry, (void *)(uintptr_t)m);
	while (owned_next(m, LEADER, at, IPMON_MEMORY_TOP, &start, &stop)) {
		add(start, stop);
		at = stop;
	}
	store(s);
}
