// SPDX-License-Identifier: Apache-2.0
/*
 * The program's memory, as the walkers want it.
 */
#include "broker.h"

#define ENAMETOOLONG_ 36
#define PAGE 4096ull

int mem_get(void *dst, uint64_t src, size_t n)
{
	return ipmon_copy(dst, (const void *)(uintptr_t)src, n) ? -1 : 0;
}

int mem_put(uint64_t dst, const void *src, size_t n)
{
	return ipmon_copy((void *)(uintptr_t)dst, src, n) ? -1 : 0;
}

uint64_t mem_readable(uint64_t addr, uint64_t len)
{
	uint64_t done = 0, step;
	char c;

	while (done < len) {
		if (mem_get(&c, addr + done, 1))
			break;
		step = PAGE - (addr + done) % PAGE;
		done += step < len - done ? step : len - done;
	}
	return done;
}

/*
 * The part before the bad page was filled, perhaps.  A buffer that is all there
 * was not the one that faulted; it may have been filled before (the first ids
 * of getresuid) or never touched: what holds an address is not the kernel's.
 */
uint64_t mem_faulted(uint64_t addr, uint64_t len)
{
	uint64_t n = mem_readable(addr, len), i, word;
	char c;

	if (n > 65536)
		return n == len ? 0 : n;
	for (i = 0; i + sizeof(word) <= n; i++)
		if (!mem_get(&word, addr + i, sizeof(word)) &&
		    word >= 65536 && !(word >> 47) && !mem_get(&c, word, 1))
			return 0;
	return n;
}

static int walk_get(void *ctx, void *dst, uint64_t src, size_t n)
{
	return mem_get(dst, src, n) ? -EFAULT_ : 0;
}

static long walk_len(void *ctx, uint64_t src, size_t max)
{
	int64_t n = ipmon_strnlen((const char *)(uintptr_t)src, max);

	if (n < 0)
		return -EFAULT_;
	return (uint64_t)n == max ? -ENAMETOOLONG_ : (long)n;
}

void walk_init(struct ipmon_walk *w, uint64_t nr, const uint64_t args[6])
{
	w->read = walk_get;
	w->strnlen = walk_len;
	w->row = ipmon_row(nr);
	w->nr = nr;
	for (unsigned int i = 0; i < 6; i++)
		w->args[i] = args[i];
	w->sem_nsems = NULL;
}
