// SPDX-License-Identifier: Apache-2.0
/*
 * Where a follower's stack ends.
 *
 * Theory of operation
 * -------------------
 * The stack is the one part of a follower that lies where the kernel has put it: at any
 * page.  AddressSanitizer keeps a byte for every eight of the program's memory, and
 * prepares whole pages of such bytes for the stack: how many depends on where it ends,
 * modulo eight pages.  So a follower's stack is moved by a few pages, to where it ends
 * like the leader's modulo GRAIN.  At each vfork() it prepares those below the stack pointer
 * again; so the program begins as far from the end in all variants, where the kernel has
 * put it furthest down.  All the rest of its place is still the kernel's choice.
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

int stack_align(const struct image *leader, struct image *im, struct mm *mm,
		unsigned int v)
{
	uint64_t by = (leader->stack_end - im->stack_end) % GRAIN - STRIDE;
	uint64_t size = im->stack_end - im->stack_start;
	struct prctl_mm_map map;
	int64_t r;

	if (by == -STRIDE || size >= STRIDE - GRAIN ||
	    !is_free(im, mm, v, im->stack_start + by - ROOM, im->stack_start))
		return 0;
	r = tell_kernel(im, mm, v, by);
	if (r < 0)
		return r == -ESRCH ? (int)r : 0;
	r = image_call(im, mm->gate[v], SYS_mremap, im->stack_start, size, size,
		       MREMAP_MAYMOVE | MREMAP_FIXED, im->stack_start + by);
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
