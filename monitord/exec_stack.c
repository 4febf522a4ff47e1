// SPDX-License-Identifier: Apache-2.0
/*
 * Where a follower's stack lies.
 *
 * Theory of operation
 * -------------------
 * The stack, too, goes to the leader's place plus a multiple of 4 GiB (exec_layout.c):
 * programs take numbers from the address of a variable, as they do from those of
 * objects (the names of ksh's temporary files).  It lies above all else in the part
 * of the address space that is the follower's, as far above as natively or further.
 *
 * Under --layout independent, and where there is no room, it stays where the kernel has
 * put it: at any page.  But AddressSanitizer keeps a byte for every eight of the
 * program's memory, and prepares whole pages of such bytes for the stack: how many
 * depends on where it ends, modulo eight pages.  So there it is moved by a few pages, to
 * where it ends like the leader's modulo GRAIN.  ThreadSanitizer knows stacks in the
 * uppermost 1.5 TiB only: they stay there, in the same way.
 *
 * At each vfork() AddressSanitizer prepares what is below the stack pointer
 * again; so the program begins as far from the end in all variants, where the kernel has
 * put it furthest down.
 *
 * Nothing has run: the pointers into the stack are the stack pointer, those of the block
 * it points to, and what the kernel keeps for /proc, which prctl(PR_SET_MM_MAP) sets.
 * A kernel without CONFIG_CHECKPOINT_RESTORE has no such call; there, nothing is moved.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "exec_image.h"
#include "launch.h"
#include "owned.h"
#include "tracee.h"

#define GRAIN	(8 * 4096ull)
/* A range cannot be moved onto itself: further down by more than a fresh stack is. */
#define STRIDE	(2ull * STACK_MAX)
/* What the stack may grow into later, as natively. */
#define ROOM	(16ull << 20)

/* A range without anything in it, of the program's or ours? */
static bool is_free(const struct image *im, const struct mm *mm,
		    unsigned int v, uint64_t start, uint64_t end)
{
	uint64_t s, e;

	for (unsigned int i = 0; i < im->n_map; i++)
		if (im->map[i].start < end && start < im->map[i].end)
			return false;
	return start < end && !owned_next(mm, v, start, end, &s, &e);
}

static bool moves(const struct image *im, uint64_t addr)
{
	return addr >= im->stack_start && addr < im->stack_end;
}

/* A word of our copy of the stack, if it points into it. */
static void move_word(struct image *im, uint64_t addr, uint64_t by)
{
	unsigned char *at = im->bytes + (addr - im->stack.sp);
	uint64_t w;

	memcpy(&w, at, sizeof(w));
	if (!moves(im, w))
		return;
	w += by;
	memcpy(at, &w, sizeof(w));
}

/* The pointers of the block: arguments, environment, auxiliary vector. */
static void move_block(struct image *im, uint64_t by)
{
	const struct stack *st = &im->stack;

	for (uint64_t i = 0; i < st->argc; i++)
		move_word(im, st->argv + i * 8, by);
	for (uint64_t i = 0; i < st->envc; i++)
		move_word(im, st->envp + i * 8, by);
	for (uint64_t i = 0; i + 1 < st->auxc; i++)
		move_word(im, st->auxv + i * 16 + 8, by);
}

/* What the kernel keeps of the stack. */
static int tell_kernel(struct image *im, struct mm *mm, unsigned int v,
		       uint64_t by)
{
	struct prctl_mm_map map;
	__u64 *const addrs[] = {
		&map.start_stack, &map.arg_start, &map.arg_end, &map.env_start,
		&map.env_end,
	};
	int r = image_mm(im->t->tid, &map);

	if (r < 0)
		return r;
	/* an end is the address behind it */
	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++)
		if (*addrs[i] >= im->stack_start && *addrs[i] <= im->stack_end)
			*addrs[i] += by;
	return image_set_mm(im, mm, v, &map, false);
}

/* All of it, by so much. 0, 1 if there is no room, or -errno. */
static int move_stack(struct image *im, struct mm *mm, unsigned int v,
		      uint64_t by)
{
	uint64_t size = im->stack_end - im->stack_start;
	uint64_t start = im->stack_start + by, end = im->stack_end + by;
	struct prctl_mm_map map;
	int64_t r;

	/* never onto itself */
	if (!is_free(im, mm, v, start - ROOM, end) ||
	    (start - ROOM < im->stack_end && im->stack_start < end))
		return 1;
	r = tell_kernel(im, mm, v, by);
	if (r < 0)
		return r == -ESRCH ? (int)r : 0;
	r = image_call(im, mm->gate[v], SYS_mremap, im->stack_start, size, size,
		       MREMAP_MAYMOVE | MREMAP_FIXED, start);
	if (r < 0)
		return (int)r;
	move_block(im, by);
	im->stack_start += by;
	im->stack_end += by;
	im->regs.rsp += by;
	im->stack.sp += by;
	if (stack_parse(&im->stack) < 0)
		return -EINVAL;
	if (mem_write(im->t, im->stack.sp, im->bytes, im->stack.size) < 0 ||
	    image_mm(im->t->tid, &map) < 0)
		return -ESRCH;
	return image_set_mm(im, mm, v, &map, true);
}

int stack_place(struct image *leader, struct image *im, struct mm *mm,
		unsigned int v)
{
	uint64_t by = leader->stack_end - im->stack_end;
	int r = 1;

	if (mon.opt.layout == LAYOUT_DISJOINT &&
	    !image_names(leader, "__tsan_init"))
		r = move_stack(im, mm, v, by + (uint64_t)layout_stack(v));
	by = by % GRAIN - STRIDE;
	if (r > 0 && by != -STRIDE)
		r = move_stack(im, mm, v, by);
	return r < 0 ? r : 0;
}

bool stack_reach(struct image *im, uint64_t addr)
{
	const uint64_t zero = 0;

	if (addr >= im->stack_start)
		return true;
	/* process_vm_writev() makes no stack longer, ptrace does */
	if (mem_poke(im->t, addr & ~7ull, &zero, sizeof(zero)) < 0)
		return false;
	im->stack_start = addr & ~4095ull;
	return true;
}

/* What a program that begins lower down must have left, at least. */
#define LEFT (32u << 10)

void stack_begin_alike(struct image *im, const char *const preload[])
{
	uint64_t depth = 0;

	for_each_variant(v) {
		uint64_t d = im[v].stack_end -
			     stack_begins(&im[v].stack, preload[v]);

		depth = d > depth ? d : depth;
	}
	for_each_variant(v)
		if (!stack_reach(&im[v], im[v].stack_end - depth - LEFT))
			return;
	for_each_variant(v)
		im[v].stack.begin = im[v].stack_end - depth;
}
