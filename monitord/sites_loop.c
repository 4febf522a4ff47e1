// SPDX-License-Identifier: Apache-2.0
/*
 * Loops in the text of an ELF file.
 *
 * Theory of operation
 * -------------------
 * The function is decoded from its start (sites.c).  A branch to an address before its
 * own, with the place in question in between, is the end of a loop, and where it leads
 * to the beginning.  From there on everything up to the next branch is executed in each
 * round that ends with that branch.
 *
 * What such a loop does is told by its operands alone: a loop that computes goes by
 * addresses that it changes, one that waits looks at the same place again and again.
 */
#include <string.h>

#include "sites_int.h"

#define LOOP_INSNS	64u	/* of one whose instructions are looked at */

/* Is it a branch, to a place that it names? */
static bool leads(const struct decoded *d, ZyanU64 *target)
{
	return (d->i.meta.category == ZYDIS_CATEGORY_COND_BR ||
		d->i.meta.category == ZYDIS_CATEGORY_UNCOND_BR) &&
	       d->op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
	       ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&d->i, &d->op[0], d->vaddr,
						     target));
}

/* By size, once each. */
static unsigned int insert(struct site_loop *l, unsigned int n, unsigned int max,
			   uint64_t start, uint64_t end)
{
	unsigned int i = 0;

	while (i < n && l[i].end - l[i].start < end - start)
		i++;
	if (i == max)
		return n;
	/* branches back to one place: the smallest will do */
	for (unsigned int k = 0; k < i; k++)
		if (l[k].start == start)
			return n;
	if (n == max)
		n--;
	memmove(&l[i + 1], &l[i], (n - i) * sizeof(*l));
	l[i] = (struct site_loop){ .start = start, .end = end };
	return n + 1;
}

static uint32_t reg_bit(ZydisRegister reg)
{
	ZydisRegister r = ZydisRegisterGetLargestEnclosing(
		ZYDIS_MACHINE_MODE_LONG_64, reg);

	return r >= ZYDIS_REGISTER_RAX && r <= ZYDIS_REGISTER_R15 ?
		1u << (r - ZYDIS_REGISTER_RAX) : 0;
}

static bool in_frame(const ZydisDecodedOperand *op, bool rbp)
{
	return op->mem.index == ZYDIS_REGISTER_NONE &&
	       (op->mem.base == ZYDIS_REGISTER_RSP ||
		(rbp && op->mem.base == ZYDIS_REGISTER_RBP));
}

static bool is_memory(const ZydisDecodedOperand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       op->mem.type != ZYDIS_MEMOP_TYPE_AGEN;
}

/* Reads it memory that others may write, at a place that stays the same? */
static bool watches(const struct elf_image *e, const struct decoded *d,
		    const ZydisDecodedOperand *op, uint32_t changed)
{
	ZyanU64 addr;

	/* no-operations and hints name memory without reading it; an index for each
	 * element makes more than one place */
	if (!(op->actions & ZYDIS_OPERAND_ACTION_MASK_READ) ||
	    d->i.meta.category == ZYDIS_CATEGORY_NOP ||
	    d->i.meta.category == ZYDIS_CATEGORY_WIDENOP ||
	    d->i.meta.category == ZYDIS_CATEGORY_PREFETCH ||
	    op->mem.type != ZYDIS_MEMOP_TYPE_MEM ||
	    (reg_bit(op->mem.base) | reg_bit(op->mem.index)) & changed)
		return false;
	return op->mem.base != ZYDIS_REGISTER_RIP ||
	       ZYAN_FAILED(ZydisCalcAbsoluteAddress(&d->i, op, d->vaddr,
						    &addr)) ||
	       !site_constant(e, addr);
}

/* What it is like, in two passes: which registers change, then what is read by others. */
static void look(const struct elf_image *e, struct site_loop *l, bool rbp)
{
	const uint8_t *code = site_code(e, l->start, l->end - l->start);
	uint32_t changed = 0;
	ZydisDecoder dec;
	bool first = true;

	if (!code)
		return;
	l->pure = true;
	ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	for (unsigned int pass = 0; pass < 2; pass++) {
		unsigned int n = 0;

		for (uint64_t pc = l->start; pc < l->end; n++) {
			struct decoded d = { .vaddr = pc };
			ZyanU64 to;

			if (n == LOOP_INSNS ||
			    ZYAN_FAILED(ZydisDecoderDecodeFull(&dec, code +
					(pc - l->start), l->end - pc, &d.i,
					d.op))) {
				l->pure = l->watches = false;
				return;
			}
			if (site_is_branch(&d.i))
				first = false;
			if (first && !pass && !site_stays(&d.i) &&
			    l->n < SITE_LOOP_FIRST) {
				l->first[l->n] = pc;
				l->len[l->n++] = d.i.length;
			}
			/* to anywhere */
			if (site_is_branch(&d.i) && !leads(&d, &to))
				l->pure = false;
			for (unsigned int k = 0; k < d.i.operand_count; k++) {
				const ZydisDecodedOperand *op = &d.op[k];
				bool writes = op->actions &
					ZYDIS_OPERAND_ACTION_MASK_WRITE;

				if (op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
				    writes && !pass)
					changed |= reg_bit(op->reg.value);
				if (!is_memory(op))
					continue;
				if (writes && !in_frame(op, rbp))
					l->pure = false;
				if (pass && !in_frame(op, rbp) &&
				    watches(e, &d, op, changed))
					l->watches = true;
			}
			pc += d.i.length;
		}
	}
	l->watches = l->watches && l->pure;
}

unsigned int site_loops(const struct elf_image *e, uint64_t vaddr, bool rbp,
			struct site_loop *l, unsigned int n)
{
	uint64_t start, end;
	unsigned int found = 0;
	const uint8_t *code;
	ZydisDecoder dec;

	if (!elf_function(e, vaddr, &start, &end) ||
	    end - start > MAX_FUNCTION)
		return 0;
	code = site_code(e, start, end - start);
	if (!code)
		return 0;
	ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	for (uint64_t pc = start; pc < end; ) {
		struct decoded d = { .vaddr = pc };
		ZyanU64 to;

		if (ZYAN_FAILED(ZydisDecoderDecodeFull(&dec, code +
				(pc - start), end - pc, &d.i, d.op)))
			return 0;
		pc += d.i.length;
		if (leads(&d, &to) && to >= start && to <= d.vaddr &&
		    vaddr >= to && vaddr < pc)
			found = insert(l, found, n, to, pc);
	}
	for (unsigned int i = 0; i < found; i++)
		look(e, &l[i], rbp);
	return found;
}
