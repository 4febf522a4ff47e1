/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between sites.c and sites_own.c: decoding, where branches go, moving.
 */
#ifndef MONITORD_SITES_INT_H
#define MONITORD_SITES_INT_H

#include <Zydis/Zydis.h>

#include "sites.h"

#define MAX_FUNCTION	65536u	/* bytes of a function that is decoded */
#define MAX_TARGETS	4096u
#define TABLES		64u

struct decoded {
	uint64_t vaddr;
	ZydisDecodedInstruction i;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

/* Where the branches of a function go. */
struct flow {
	uint64_t target[MAX_TARGETS];
	unsigned int n_targets;
	uint64_t table[TABLES];		/* data the function may jump through */
	bool absolute[TABLES];		/* its entries are addresses */
	unsigned int n_tables;
	bool indirect;			/* it jumps through registers */
};

/* n bytes of text, or NULL. */
const uint8_t *site_code(const struct elf_image *e, uint64_t start, uint64_t n);

/* Does what comes behind it not come next, or only perhaps? */
bool site_is_branch(const ZydisDecodedInstruction *i);
/* Is it one that must stay where it is: its bytes in the text are not the file's, or
 * somebody may come there from elsewhere? */
bool site_stays(const ZydisDecodedInstruction *i);
/* Is `vaddr` in data that nobody can write? */
bool site_constant(const struct elf_image *e, uint64_t vaddr);

/* One more instruction.  NULL, or why the function is not understood. */
const char *site_flow_note(const struct elf_image *e, struct flow *f,
			   const struct decoded *d);
/* Does a branch lead to after `start` and before `end`?  NULL: no. */
const char *site_flow_into(const struct elf_image *e, const struct flow *f,
			   uint64_t start, uint64_t end);
/* Does something that looks like a branch, outside of [start, end), lead to after
 * p->vaddr and before p->end? */
bool site_branched_into(const struct elf_image *e, const struct site_plan *p,
			uint64_t start, uint64_t end);
/* Five bytes of padding that a short jump at `from` reaches, or 0. */
uint64_t site_find_hole(const struct elf_image *e, uint64_t from,
			bool (*taken)(void *ctx, uint64_t hole), void *ctx);

/* Fill *s from a decoded instruction; false when it cannot be moved. */
bool site_movable(const struct decoded *d, const uint8_t *bytes,
		  struct site_insn *s);
bool site_reach(uint64_t from, uint64_t to, int32_t *rel);
/* The moved instructions, at `stub`: their length, or SIZE_MAX. */
size_t site_emit_moved(const struct site_plan *p, uint64_t bias, uint64_t stub,
		       uint8_t *out);
/* The whole stub of an instruction that is no syscall, as site_emit(). */
size_t site_emit_own(const struct site_plan *p, uint64_t bias, uint64_t stub,
		     uint8_t out[SITE_STUB_MAX]);

#endif
