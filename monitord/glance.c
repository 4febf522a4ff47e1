// SPDX-License-Identifier: Apache-2.0
/*
 * Looking at the memory of stopped variants, a page at a time.
 *
 * An execve has some fifty strings, most of them on the same page or two.  Each is
 * looked at twice in every variant, to find its end and to compare it; asking the
 * kernel for each took longer than the comparison.  What is kept is good for one
 * comparison only: nobody who shares the memory runs meanwhile (sched.c).
 */
#include <errno.h>
#include <string.h>

#include "glance.h"
#include "tracee.h"

#define PAGE	4096u
#define PAGES	4u			/* a power of two */

static struct page {
	uint64_t at;			/* its address; 1: none */
	unsigned char bytes[PAGE];
} kept[MAX_VARIANTS][PAGES];
static bool looking;

void glance_begin(void)
{
	looking = true;
	for_each_variant(v)
		for (unsigned int i = 0; i < PAGES; i++)
			kept[v][i].at = 1;
}

void glance_end(void)
{
	looking = false;
}

/* The page that `src` is on, or NULL: it is not to be had in one piece. */
static const unsigned char *page_of(struct task *t, uint64_t src)
{
	uint64_t at = src & ~(uint64_t)(PAGE - 1);
	struct page *p = &kept[t->variant][at / PAGE % PAGES];

	if (!looking)
		return NULL;
	if (p->at != at) {
		p->at = 1;
		if (mem_read_some(t, p->bytes, at, PAGE) != PAGE)
			return NULL;
		p->at = at;
	}
	return p->bytes;
}

ssize_t glance_some(struct task *t, void *dst, uint64_t src, size_t n)
{
	size_t first = PAGE - src % PAGE;
	const unsigned char *p, *q = NULL;

	/* what is longer is looked at once */
	if (!n || n > PAGE)
		return mem_read_some(t, dst, src, n);
	p = page_of(t, src);
	if (p && n > first)
		q = page_of(t, src + first);
	if (!p || (n > first && !q))
		return mem_read_some(t, dst, src, n);
	memcpy(dst, p + src % PAGE, n < first ? n : first);
	if (n > first)
		memcpy((char *)dst + first, q, n - first);
	return (ssize_t)n;
}

int glance_read(struct task *t, void *dst, uint64_t src, size_t n)
{
	return n && n <= PAGE && glance_some(t, dst, src, n) == (ssize_t)n ?
		0 : mem_read(t, dst, src, n);
}

long glance_strnlen(struct task *t, uint64_t src, size_t max)
{
	size_t done = 0;

	while (done < max) {
		size_t k = PAGE - (src + done) % PAGE;
		const unsigned char *p = page_of(t, src + done), *nul;

		if (!p)
			return mem_strnlen(t, src, max);
		if (k > max - done)
			k = max - done;
		p += (src + done) % PAGE;
		nul = memchr(p, 0, k);
		if (nul)
			return (long)(done + (size_t)(nul - p));
		done += k;
	}
	return -ENAMETOOLONG;
}
