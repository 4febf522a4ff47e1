// SPDX-License-Identifier: Apache-2.0
/*
 * Mapping the monitor's pages at hidden addresses.
 *
 * Theory of operation
 * -------------------
 * A hidden address is random, so it may be one where something of ours lies
 * already: the areas of the in-process half are some hundred megabytes in sixteen
 * terabytes, and of some thousand images one meets that.  MAP_FIXED_NOREPLACE says so, and
 * another address is drawn.  Nothing that was there before is ever unmapped.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "hidden.h"
#include "launch.h"
#include "tracee.h"

#define PAGE	4096u
#define TRIES	64	/* each fails once in ten thousand times */

static int64_t map_at(struct task *t, uint64_t at, uint64_t len,
		      unsigned int prot, unsigned int flags, int fd,
		      uint64_t off)
{
	int64_t r = task_inject(t, SYS_mmap, at, len, prot,
				flags | MAP_FIXED_NOREPLACE,
				(uint64_t)(int64_t)fd, off);

	if (r < 0 || (uint64_t)r == at)
		return r;
	/* a kernel that takes the address for a hint */
	task_inject(t, SYS_munmap, (uint64_t)r, len, 0, 0, 0, 0);
	return -EEXIST;
}

int64_t hidden_map(struct task *t, uint64_t len, unsigned int prot,
		   unsigned int flags, int fd, uint64_t off, bool guard)
{
	int64_t r = -EEXIST;

	for (unsigned int i = 0; r == -EEXIST && i < TRIES; i++) {
		uint64_t at = hidden_address();

		if (guard) {
			r = map_at(t, at - PAGE, PAGE, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				   -1, 0);
			if (r < 0)
				continue;
		}
		r = map_at(t, at, len, prot, flags, fd, off);
		if (r < 0 && guard)
			task_inject(t, SYS_munmap, at - PAGE, PAGE, 0, 0, 0, 0);
	}
	return r;
}
