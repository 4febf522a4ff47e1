// SPDX-License-Identifier: Apache-2.0
/*
 * Where things lie in the variants.
 *
 * Theory of operation
 * -------------------
 * The leader lies where the kernel has put it.  A follower has the leader's
 * shape, moved: whatever is at A in the leader is at A plus a multiple of 4 GiB
 * in the follower, another multiple in each.  So no code is at the same address
 * in two variants, and yet what depends on the lower half of an address alone
 * comes out alike: allocators that align, tables ordered by a hash of pointers
 * (GLib, CPython's sets of objects), generators seeded with one (bash's
 * RANDOM).
 *
 * Before the first instruction all of that can still be chosen.  The new image
 * is moved by mremap, mapping by mapping; registers and the auxiliary vector,
 * the only pointers to it there are, are corrected; the break is the kernel's
 * own record and is set by prctl(PR_SET_MM_MAP), which needs no privilege, but
 * a kernel with CONFIG_CHECKPOINT_RESTORE.  Without it, heaps are apart as the
 * kernel likes.
 *
 * There are four ranges, and a follower's share in each:
 *
 *	the mmap area	(linker, libraries, later mappings: mm->delta) v * 2
 *			TiB plus some further down, or up if the area is served
 *			bottom-up
 *	the window	of 1 TiB from which position-independent programs get
 *			their place, and their heap behind it: as far apart as
 *			the window allows, wrapping around
 *	the stack	v * 2 TiB less some further down: above the mmap area
 *			(exec_stack.c moves it)
 *	low addresses	(a program linked to a fixed place): it stays, and its
 *			heap goes up by v * 32 GiB plus some from where the
 *			leader's is
 *
 * The heap of such a program the kernel puts a little behind it, mostly below 4 GiB,
 * where no follower's can be.  But an address of 32 bits is printed with fewer digits,
 * code generated for it is shorter, and what is near the program is free in one
 * variant and taken in another.  So the leader's goes up as well.  To where? JIT
 * compilers sort constants, and small integers are tagged by moving them to the upper
 * half: heaps lie where the number n * 4 GiB is of an n that programs hardly use
 * (641 and up, no power of two, no character, no status), and programs with TSan or
 * MSan, which would not start, are left alone.  (ASan's shadow lies there, too: its
 * programs start, and cannot move their break, as in followers always.)
 *
 * ThreadSanitizer's runtime has its own idea of where things lie: libraries and other
 * mappings in the uppermost 1.5 TiB, of which the kernel's choice for the leader leaves
 * half a TiB at least.  Followers of such a program are in that.
 *
 * --layout independent leaves program, heap and linker where the kernel put
 * them, which only a clash of code changes: then the overwriting of the lower
 * bytes of a pointer, too, does something else in each variant.  Libraries are
 * moved by a multiple of 4 GiB in any case.
 *
 * A dynamic linker that is asked for the list of what it would load (ldd(1))
 * prints where, runs none of it and ends: its followers lie where the leader does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ipmon/gate_rules.h>
#include "exec_image.h"
#include "owned.h"
#include "tracee.h"

#define GIB		(1ull << 30)
#define TIB		(1ull << 40)
#define STEP		(4 * GIB)
/* Below this, mmap is served bottom-up (unlimited stack, ADDR_COMPAT_LAYOUT). */
#define BOTTOM_UP_LIMIT	0x400000000000ull
/* ELF_ET_DYN_BASE, and 28 bits of pages (arch/x86/include/asm/elf.h, mmap.c). */
#define WINDOW_START	0x555555554000ull
#define WINDOW_SIZE	TIB
#define LOW_END		(8 * GIB)
/* Where the heap of a program goes that lies there, in the leader. */
#define LOW_HEAP	(641 * STEP)
#define LOW_HEAP_END	(LOW_HEAP + 8 * STEP + LOW_END)
/* 0x7e8000000000 is the lowest address of ThreadSanitizer's, and mmap_base() of the
 * kernel is 1 TiB and 17 GiB below the top of all at most. */
#define NARROW_SIZE	(448 * GIB)

static uint64_t draw(uint64_t n)
{
	uint64_t r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) < 0)
		r = now_ns();
	return r % n;
}

/* ---- distances ---- */

_Static_assert((IPMON_MAX_VARIANTS - 1) * 2 * TIB + TIB < IPMON_MEMORY_SPREAD,
	       "what a leader may do in-process is possible where followers are");

static int64_t area_delta(struct image *leader, const struct image *im,
			  unsigned int v)
{
	const uint64_t slot = NARROW_SIZE / mon.n / STEP * STEP;
	uint64_t shift = v * 2 * TIB + draw(512 * GIB / STEP) * STEP;

	if (leader->area_end && leader->area_end < BOTTOM_UP_LIMIT) {
		/* new mappings of the leader go above what it has */
		while (leader->area_start + shift < im->area_end)
			shift += TIB;
		return (int64_t)shift;
	}
	if (image_names(leader, "__tsan_init"))
		return -(int64_t)(v * slot + draw(slot / 2 / STEP + 1) * STEP);
	while (leader->area_end - shift > im->area_start && im->area_start)
		shift += TIB;
	return -(int64_t)shift;
}

int64_t layout_stack(unsigned int v)
{
	return -(int64_t)(v * 2 * TIB - draw(256 * GIB / STEP) * STEP);
}

/*
 * Each variant has a slot of the window, counted from the leader's place, and
 * in that slot a place in the first half: two are half a slot apart or more.
 */
static int64_t window_delta(uint64_t leader, unsigned int v)
{
	uint64_t slot = WINDOW_SIZE / mon.n / STEP * STEP;
	uint64_t shift = v * slot + draw(slot / 2 / STEP + 1) * STEP;

	if (leader + shift >= WINDOW_START + WINDOW_SIZE)
		return (int64_t)shift - (int64_t)WINDOW_SIZE;
	return (int64_t)shift;
}

struct deltas {
	int64_t area, window, low;
};

/* A heap may begin a little behind the window. */
static bool in_window(uint64_t addr)
{
	return addr >= WINDOW_START &&
	       addr < WINDOW_START + WINDOW_SIZE + STEP;
}

static int64_t delta_of(const struct deltas *d, uint64_t leader)
{
	if (leader < LOW_HEAP_END)
		return d->low;
	return in_window(leader) ? d->window : d->area;
}

/* ---- moving ---- */

/* Do the parts of two variants have the same shape? */
static bool same_shape(const struct image *a, const struct image *b,
		       enum part part)
{
	uint64_t as, ae, bs, be;

	return image_span(a, part, &as, &ae) && image_span(b, part, &bs, &be) &&
	       ae - as == be - bs;
}

/* Is the range free of what the monitor has mapped, and below the stack? */
static bool is_free(const struct image *im, const struct mm *mm,
		    unsigned int v, uint64_t start, uint64_t end)
{
	uint64_t s, e;

	for (unsigned int i = 0; i < im->n_map; i++)
		if (im->map[i].part != PART_VDSO && im->map[i].start < end &&
		    start < im->map[i].end)
			return false;
	return start < end && end < im->regs.rsp &&
	       !owned_next(mm, v, start, end, &s, &e);
}

/* The auxiliary vector of our copy, which is written back later. */
static void move_aux(struct image *im, uint64_t type, uint64_t start,
		     uint64_t end, int64_t by)
{
	for (uint64_t i = 0; i + 1 < im->stack.auxc; i++) {
		unsigned char *at = im->bytes + (im->stack.auxv - im->stack.sp) +
				    i * 16;
		uint64_t pair[2];

		memcpy(pair, at, sizeof(pair));
		if (pair[0] != type || pair[1] < start || pair[1] >= end)
			continue;
		pair[1] += (uint64_t)by;
		memcpy(at, pair, sizeof(pair));
	}
}

/* Moves all mappings of a part. 0, 1 if there is no room, or -errno. */
static int move_part(struct image *im, struct mm *mm, unsigned int v,
		     enum part part, int64_t by)
{
	uint64_t start, end;

	if (!by || !image_span(im, part, &start, &end))
		return 0;
	if (!is_free(im, mm, v, start + (uint64_t)by, end + (uint64_t)by))
		return 1;
	for (unsigned int i = 0; i < im->n_map; i++) {
		struct range *m = &im->map[i];
		uint64_t len = m->end - m->start;
		int64_t r;

		if (m->part != part)
			continue;
		r = image_call(im, mm->gate[v], SYS_mremap, m->start, len, len,
			       MREMAP_MAYMOVE | MREMAP_FIXED,
			       m->start + (uint64_t)by);
		if (r < 0)
			return (int)r;
		m->start += (uint64_t)by;
		m->end += (uint64_t)by;
	}
	if (im->regs.rip >= start && im->regs.rip < end)
		im->regs.rip += (uint64_t)by;
	if (im->base >= start && im->base < end)
		im->base += (uint64_t)by;
	move_aux(im, AUX_PHDR, start, end, by);
	move_aux(im, AUX_ENTRY, start, end, by);
	move_aux(im, AUX_BASE, start, end, by);
	move_aux(im, AUX_SYSINFO_EHDR, start, end, by);
	return 0;
}

/* ---- the break ---- */

/*
 * The follower's break begins at `to`, its program is `by` further.
 */
static int set_break(struct image *im, struct mm *mm, unsigned int v,
		     struct prctl_mm_map *map, int64_t by, uint64_t to)
{
	map->start_code += (uint64_t)by;
	map->end_code += (uint64_t)by;
	map->start_data += (uint64_t)by;
	map->end_data += (uint64_t)by;
	map->start_brk = map->brk = to;
	return image_set_mm(im, mm, v, map, true);
}

static int heaps_stay(int r)
{
	static bool said;

	if (r < 0 && r != -ESRCH && !said) {
		verbose("heaps of variants cannot be moved (%s): programs that order by address may diverge",
			strerror(-r));
		said = true;
	}
	return r == -ESRCH ? r : 0;
}

/* Up from low addresses. */
int layout_leader(struct taskset *s, struct image *im)
{
	struct prctl_mm_map map;

	if (mon.n == 1 || mon.opt.layout != LAYOUT_DISJOINT || im->listing ||
	    image_names(im, "__tsan_init") || image_names(im, "__msan_init") ||
	    image_mm(im->t->tid, &map) || map.start_brk >= LOW_END)
		return 0;
	return heaps_stay(set_break(im, s->proc->mm, LEADER, &map, 0,
				    map.start_brk + LOW_HEAP + draw(8) * STEP));
}

/*
 * The program of follower v, and its heap.  If the follower's program is another
 * one its heap keeps its distance from it.
 */
static int move_program(struct taskset *s, struct image *leader,
			struct image *im, unsigned int v,
			const struct deltas *d)
{
	bool fixed = image_position_dependent(im), theirs;
	struct mm *mm = s->proc->mm;
	struct prctl_mm_map mine, own;
	uint64_t ls, le, start, end;
	int64_t by = 0;
	int r;

	if (!image_span(leader, PART_PROGRAM, &ls, &le) ||
	    !image_span(im, PART_PROGRAM, &start, &end))
		return 0;
	theirs = image_position_dependent(leader);
	if (!fixed && !theirs)
		by = (int64_t)(ls - start) + delta_of(d, ls);
	if (image_mm(leader->t->tid, &mine) || image_mm(im->t->tid, &own))
		return 0;
	r = move_part(im, mm, v, PART_PROGRAM, by);
	if (r > 0)
		by = 0;
	if (r < 0)
		return r;
	if (fixed == theirs &&
	    same_shape(leader, im, PART_PROGRAM))
		r = set_break(im, mm, v, &own, by, mine.start_brk +
			      (uint64_t)delta_of(d, mine.start_brk));
	else
		r = set_break(im, mm, v, &own, by, own.start_brk + (uint64_t)by +
			      (fixed && own.start_brk < LOW_END ?
			       LOW_HEAP + (uint64_t)d->low : 0));
	return heaps_stay(r);
}

/* ---- clashes ---- */

static bool overlap(const struct image *a, const struct image *b)
{
	for (unsigned int i = 0; i < a->n_map; i++)
		for (unsigned int k = 0; k < b->n_map; k++)
			if (a->map[i].exec && b->map[k].exec &&
			    a->map[i].start < b->map[k].end &&
			    b->map[k].start < a->map[i].end)
				return true;
	return false;
}

static bool clashes(const struct image im[MAX_VARIANTS], unsigned int v)
{
	for (unsigned int w = 0; w < v; w++)
		if (variant_live(w) && overlap(&im[v], &im[w]))
			return true;
	return false;
}

static void warn_overlap(struct taskset *s, struct image *im)
{
	static bool warned;

	s->proc->mm->warned_overlap = true;
	mon.count.overlaps++;
	if (!warned)
		verbose("process %d: executable mappings of variants overlap: %s",
			(int)s->proc->vpid, image_position_dependent(im) ?
			"the program is not position-independent" :
			"there was no room to move them to");
	warned = true;
}

/* All of it where the leader's is; where there is no room, where it was. */
static int layout_listing(struct taskset *s, struct image *leader,
			  struct image *im, unsigned int v)
{
	static const enum part parts[] = {
		PART_VDSO, PART_LINKER, PART_PROGRAM,
	};
	struct mm *mm = s->proc->mm;
	uint64_t ls, start, end;

	mm->delta[v] = 0;
	mm->warned_overlap = true;
	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int r;

		if (!image_span(leader, parts[i], &ls, &end) ||
		    !image_span(im, parts[i], &start, &end))
			continue;
		r = move_part(im, mm, v, parts[i], (int64_t)(ls - start));
		if (r < 0)
			return r;
	}
	return 0;
}

int layout_follower(struct taskset *s, struct image im[MAX_VARIANTS],
		    unsigned int v)
{
	struct image *leader = &im[LEADER], *own = &im[v];
	struct mm *mm = s->proc->mm;
	uint64_t start = 0, end = 0, lbase = 0, lend;
	struct deltas d;
	int r = 0;

	image_span(leader, PART_PROGRAM, &start, &end);
	d.area = area_delta(leader, own, v);
	/* a static program may lie elsewhere, its heap does not */
	d.window = window_delta(in_window(start) ? start : WINDOW_START, v);
	d.low = (int64_t)((v * 8 + draw(8)) * STEP);
	if (own->listing)
		return layout_listing(s, leader, own, v);
	mm->delta[v] = d.area;
	if (mon.opt.layout == LAYOUT_DISJOINT || clashes(im, v)) {
		if (image_span(leader, PART_LINKER, &lbase, &lend) &&
		    image_span(own, PART_LINKER, &start, &end))
			r = move_part(own, mm, v, PART_LINKER,
				      (int64_t)(lbase - start) + d.area);
		if (r >= 0)
			r = move_program(s, leader, own, v, &d);
		if (r < 0)
			return r;
	}
	if (clashes(im, v))
		warn_overlap(s, own);
	return 0;
}
