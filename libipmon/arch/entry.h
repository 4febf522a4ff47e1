/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What entry.S and copy.S offer to C, and what they expect of it.
 */
#ifndef IPMON_ARCH_ENTRY_H
#define IPMON_ARCH_ENTRY_H

#include <stddef.h>
#include <stdint.h>
#include <ipmon/abi.h>

#include "offsets.h"

#define ASM_OFFSET(type, member, value) \
	_Static_assert(offsetof(struct type, member) == (value), #member)
ASM_OFFSET(ipmon_ctx, self, CTX_SELF);
ASM_OFFSET(ipmon_ctx, gate, CTX_GATE);
ASM_OFFSET(ipmon_ctx, stack, CTX_STACK);
ASM_OFFSET(ipmon_ctx, saved_sp, CTX_SAVED_SP);
ASM_OFFSET(ipmon_ctx, live, CTX_LIVE);
ASM_OFFSET(ipmon_ctx, pending, CTX_PENDING);
ASM_OFFSET(ipmon_ctx, inside, CTX_INSIDE);
ASM_OFFSET(ipmon_ctx, insn, CTX_INSN);
ASM_OFFSET(ipmon_ctx, insn_back, CTX_INSN_BACK);
ASM_OFFSET(ipmon_ctx, insn_value, CTX_INSN_VALUE);
ASM_OFFSET(ipmon_frame, nr, FRAME_NR);
ASM_OFFSET(ipmon_frame, args, FRAME_ARGS);
ASM_OFFSET(ipmon_frame, args[2], FRAME_RDX);
ASM_OFFSET(ipmon_frame, flags, FRAME_FLAGS);
_Static_assert(IPMON_KICKED == KICKED, "one value");
_Static_assert(IPMON_INSN_RANDOM == INSN_RANDOM, "one value");
_Static_assert(IPMON_INSN_VISIT == INSN_VISIT, "one value");
_Static_assert(IPMON_NR_FLUSHED == NR_FLUSHED, "one value");
#undef ASM_OFFSET

/* Labels, for their addresses only. */
#define HIDDEN __attribute__((visibility("hidden")))
extern const char ipmon_entry[] HIDDEN, ipmon_flush[] HIDDEN, ipmon_insn[] HIDDEN;
extern const char ipmon_window_start[] HIDDEN, ipmon_window_end[] HIDDEN;
extern const char ipmon_copy_start[] HIDDEN, ipmon_copy_end[] HIDDEN;
extern const char ipmon_copy_fault[] HIDDEN;

/* What becomes of a call: handled with this result, or left to monitord.  In
 * two registers (rax, rdx). */
struct ipmon_outcome {
	int64_t ret;
	uint64_t handled;
};

/* Called by ipmon_entry on IP-MON's stack. */
struct ipmon_outcome ipmon_broker(struct ipmon_ctx *ctx,
				  struct ipmon_frame *f) HIDDEN;

/* Called by ipmon_insn: the value, if it is handled. */
struct ipmon_outcome ipmon_instruction(struct ipmon_ctx *ctx,
				       struct ipmon_frame *f) HIDDEN;

/*
 * Make this call at the gate of this task.  The
 * first form is for the program's calls: IPMON_KICKED if the call is to be left
 * to monitord.  The second is for IP-MON's own.
 */
int64_t ipmon_gate_call(const struct ipmon_call *call) HIDDEN;
int64_t ipmon_gate_raw(const struct ipmon_call *call) HIDDEN;

/*
 * The only code that touches the program's memory; faults end it early.
 */
/* Returns the number of bytes that could not be copied. */
size_t ipmon_copy(void *dst, const void *src, size_t n) HIDDEN;
/* How many bytes are equal, from the start, before a difference or a byte of
 * `theirs` that cannot be read.  `ours` must be readable. */
struct ipmon_equal {
	uint64_t n;
	uint64_t fault;		/* 1: ended by a fault */
};
struct ipmon_equal ipmon_equal(const void *theirs, const void *ours,
			       size_t n) HIDDEN;
/* Length of a string, at most max; -1 if unreadable before its end. */
int64_t ipmon_strnlen(const char *s, size_t max) HIDDEN;

#endif
