// SPDX-License-Identifier: Apache-2.0
/*
 * mmap, munmap, mremap, madvise and brk of the program's own memory.
 *
 * Theory of operation
 * -------------------
 * Unlike other calls these are made by every variant for itself, at the gate.
 * Arguments are addresses and compared for null-ness only; what must agree is
 * success or failure.  The leader goes first and publishes
 *
 *	mmap, mremap		its result
 *	munmap, madvise		its result
 *	brk			0, or an error: the break was not moved
 *
 * A follower that comes to the record does the same: a mapping the kernel placed
 * for the leader goes to the leader's address + ctx->delta, as monitord places
 * them (monitord/h_mmap.c), never onto something that is there; when that place is
 * taken, wherever the kernel likes.  What the leader could not do is not tried,
 * except where the kernel may have done a part of it.
 *
 * Only fresh, private, anonymous memory is mapped; which ranges may be unmapped,
 * moved or advised about is a question of addresses, so the leader answers it
 * and, if monitord has to know, forwards the call: ctx->special lists what
 * monitord keeps track of (files, shared memory, its own pages; fast_mem.c),
 * and the filter lets through nothing below IPMON_MEMORY_LOW, where the program
 * itself and the monitor's hidden pages lie.
 */
#include <ipmon/gate_rules.h>

#include "core/channel.h"
#include "memcalls.h"

#define NR_MMAP		9
#define ENOMEM_		12
#define EEXIST_		17
#define EPERM_		1
#define MADV_DONTNEED_	4
#define MADV_FREE_	8
#define PROT_NONE_	0
#define PAGE		4096ull

static int is_error(int64_t ret)
{
	return ret < 0 && ret >= -4095;
}

static uint64_t page_up(uint64_t n)
{
	return (n + PAGE - 1) & ~(PAGE - 1);
}

/* Somewhere the filter does not let us go. */
static int out_of_bounds(uint64_t addr, uint64_t len)
{
	return addr < IPMON_MEMORY_LOW || len > IPMON_MEMORY_TOP ||
		addr > IPMON_MEMORY_TOP - len;
}

static int is_special(const struct ipmon_ctx *ctx, uint64_t addr, uint64_t len)
{
	const struct ipmon_special *sp = (const void *)(uintptr_t)ctx->special;
	uint64_t end = addr + page_up(len), i, n;

	if (!sp || addr < IPMON_MEMORY_LOW + IPMON_MEMORY_SPREAD ||
	    out_of_bounds(addr, len))
		return 1;
	n = sp->n;
	if (n > IPMON_SPECIAL_MAX)
		return 1;
	for (i = 0; i < n; i++)
		if (addr < sp->range[i].end && end > sp->range[i].start)
			return 1;
	return 0;
}

/* MADV_FREE leaves it to the kernel whether content is lost, in each variant
 * as it pleases: dropping it at once is one of the allowed outcomes. */
static struct ipmon_call own_call(const struct ipmon_frame *f, unsigned int h)
{
	struct ipmon_call call = f->call;

	/* the upper halves are garbage, which the filter does not like */
	call.args[2] = h == H_MREMAP ? call.args[2] : (uint32_t)call.args[2];
	call.args[3] = (uint32_t)call.args[3];
	if (h == H_MADVISE && call.args[2] == MADV_FREE_)
		call.args[2] = MADV_DONTNEED_;
	return call;
}

struct ipmon_outcome leader_memory(struct ipmon_ctx *ctx, struct ipmon_frame *f,
				   const struct ipmon_plan *plan)
{
	unsigned int h = ipmon_row((uint32_t)f->nr)->handler;
	struct ipmon_call call = own_call(f, h);
	int64_t ret, told;

	/* whatever becomes of it, as the followers do */
	common_call(ctx, plan);
	if (h != H_MMAP && h != H_BRK &&
	    is_special(ctx, f->args[0], f->args[1]))
		return leader_forward(ctx, (uint32_t)f->nr);
	ret = ipmon_gate_call(&call);
	if (ret == IPMON_KICKED)
		return leader_forward(ctx, (uint32_t)f->nr);
	told = ret;
	if (h == H_BRK)
		told = !f->args[0] || (uint64_t)ret == f->args[0] ? 0 :
			-ENOMEM_;
	if (!is_error(ret) && ctx->special &&
	    (h == H_MMAP || h == H_MREMAP || h == H_BRK))
		zone_note((void *)(uintptr_t)ctx->special, (uint64_t)ret,
			  (uint64_t)ret + (h == H_MMAP ? f->args[1] :
					   h == H_MREMAP ? f->args[2] : 1));
	leader_tell(ctx, f, plan, told);
	return handled(ret);
}

/* ---- followers ---- */

/* This variant cannot do what the leader has done.  What is returned is seen
 * only if the run goes on without it. */
static int64_t differs(const struct ipmon_ctx *ctx,
		       const struct ipmon_frame *f, int64_t leader, int64_t own)
{
	struct ipmon_difference d = {
		.kind = IPMON_DIV_RESULT, .arg = -1,
		.nr = { (uint32_t)f->nr, (uint32_t)f->nr },
		.value = { (uint64_t)leader, (uint64_t)own },
		.note = (uint64_t)(uintptr_t)
			"memory of one variant could not be arranged as the "
			"leader's",
	};
	const struct ipmon_call call = {
		IPMON_NR_DIVERGED, { d.kind, (uint64_t)-1, 0, 0, 0,
				     (uint64_t)(uintptr_t)&d }
	};

	/* what one allocator could not have, another may not need */
	if (!(ctx->flags & IPMON_CTX_DIVERSE))
		ipmon_gate_raw(&call);
	return own;
}

static int64_t map_at(struct ipmon_call *call, uint64_t to)
{
	uint64_t flags = call->args[3], len = call->args[1];
	int64_t r = -EEXIST_;

	/* what is large may lie so low that there is nothing as much below it */
	if (len <= IPMON_MEMORY_TOP && to && to <= IPMON_MEMORY_TOP - len) {
		call->args[0] = to;
		call->args[3] = flags | IPMON_MAP_FIXED_NOREPLACE;
		r = ipmon_gate_raw(call);
	}
	if (r == -EEXIST_ || r == -EPERM_) {
		call->args[0] = 0;
		call->args[3] = flags;
		r = ipmon_gate_raw(call);
	}
	return r;
}

/* Grow or move a mapping as the leader's was. */
static int64_t move(const struct ipmon_ctx *ctx, const struct ipmon_frame *f,
		    int64_t leader)
{
	const uint64_t *a = f->args;
	uint64_t to = (uint64_t)leader + (uint64_t)ctx->delta;
	struct ipmon_call call = f->call;
	/* FIXED replaces: hold the place first, to see that it is free */
	const struct ipmon_call hold = {
		NR_MMAP, { to, page_up(a[2]), PROT_NONE_,
			   IPMON_MAP_PRIVATE | IPMON_MAP_ANONYMOUS |
			   IPMON_MAP_NORESERVE | IPMON_MAP_FIXED_NOREPLACE,
			   (uint64_t)-1, 0 }
	};

	/* what the kernel does not move, or may not */
	if (!((uint32_t)a[3] & IPMON_MREMAP_MAYMOVE) || a[2] <= a[1] ||
	    to == a[0] || out_of_bounds(to, a[2]) ||
	    (uint64_t)ipmon_gate_raw(&hold) != to)
		return ipmon_gate_raw(&call);
	call.args[3] |= IPMON_MREMAP_FIXED;
	call.args[4] = to;
	return ipmon_gate_raw(&call);
}

int memory_is_monitords(const struct ipmon_frame *f)
{
	unsigned int h = ipmon_row((uint32_t)f->nr)->handler;

	return h != H_MMAP && h != H_BRK &&
		out_of_bounds(f->args[0], f->args[1]);
}

int64_t follower_memory(struct ipmon_ctx *ctx, const struct ipmon_frame *f,
			int64_t leader)
{
	unsigned int h = ipmon_row((uint32_t)f->nr)->handler;
	struct ipmon_call call = own_call(f, h);
	int64_t own;

	if (memory_is_monitords(f))
		return differs(ctx, f, leader, -ENOMEM_);
	if (leader == MEMORY_ALONE)
		return ipmon_gate_raw(&call);
	switch (h) {
	case H_MMAP:
		if (is_error(leader))
			return leader;
		own = map_at(&call, (uint64_t)leader + (uint64_t)ctx->delta);
		return is_error(own) ? differs(ctx, f, leader, own) : own;
	case H_MREMAP:
		if (is_error(leader))
			return leader;
		own = move(ctx, f, leader);
		return is_error(own) ? differs(ctx, f, leader, own) : own;
	case H_BRK:
		if (leader)
			call.args[0] = 0;
		own = ipmon_gate_raw(&call);
		return call.args[0] && (uint64_t)own != call.args[0] ?
			differs(ctx, f, leader, own) : own;
	case H_MADVISE:
		own = ipmon_gate_raw(&call);
		/* advice promises nothing */
		if ((int32_t)call.args[2] != MADV_DONTNEED_)
			return leader;
		return own != leader ? differs(ctx, f, leader, own) : own;
	default:
		/* munmap: nothing was done, there would be too many mappings
		 * (a follower has some fewer) */
		if (leader == -ENOMEM_)
			return leader;
		own = ipmon_gate_raw(&call);
		return own != leader ? differs(ctx, f, leader, own) : own;
	}
}
