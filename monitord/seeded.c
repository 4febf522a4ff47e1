// SPDX-License-Identifier: Apache-2.0
/*
 * jemalloc's random numbers.
 *
 * Theory of operation
 * -------------------
 * jemalloc draws when it gives pages back, and where in its first page a large
 * allocation begins, from linear congruential generators modulo 2^64, and seeds
 * these with addresses (of its arena, of the thread's data).  It uses the upper
 * bits of their states.  Under disjoint layouts the lower halves of addresses
 * are the same in all variants, so the lower halves of all states are; but the
 * upper halves differ, and with them what a program finds: redis tells in INFO
 * how much memory it has, others the order of a table of pointers.
 *
 * So where jemalloc reads a state it gets the lower half of it only, in all
 * variants.  The lower halves are a generator of their own, modulo 2^32, and
 * what is made of them in 64 bits is used as before.  Programs see another one
 * of the sequences that they could see with another address.
 *
 * In its text a state is read in one of two ways, both next to the constant:
 *
 *	movabs $A, %r		    mov    mem, %r32
 *	imul   mem, %r		->  imul   k(%rip), %r	; k: another A's bytes
 *
 *	mov    mem, %s		    mov    mem, %s32
 *	movabs $A, %r		->  movabs $A, %r
 *	...			    ...
 *	imul   %r, %s		    imul   %r, %s
 *
 * Others, and those that a branch leads into, are left as they are.  Only
 * jemalloc's own library is looked at: the same constant is in generators whose
 * numbers a program may know (PCG), and these must not change, in whatever else
 * jemalloc is linked into.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"
#include "seeded.h"
#include "sites_int.h"
#include "textio.h"
#include "tracee.h"

#define MULTIPLIER	0x5851f42d4c957f2dull
#define MOVABS		10u		/* bytes; the last 8 are the number */
#define PLACES		64u		/* more are not looked at */
#define BEFORE		8u		/* bytes of a load, at most */
#define FAR		16u		/* instructions to the multiplication */

struct search {
	struct object *o;
	struct seeded *found;
	unsigned int n;
};

static bool decode(const struct elf_image *e, uint64_t vaddr, struct decoded *d)
{
	ZydisDecoder dec;
	const uint8_t *code = NULL;
	uint64_t n = ZYDIS_MAX_INSTRUCTION_LENGTH;

	for (; !code && n; n--)
		code = site_code(e, vaddr, n);
	d->vaddr = vaddr;
	ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	return code && ZYAN_SUCCESS(ZydisDecoderDecodeFull(&dec, code, n + 1,
							   &d->i, d->op));
}

static uint64_t after(const struct decoded *d)
{
	return d->vaddr + d->i.length;
}

/* 64 bits in memory, at an address that does not depend on where it is used? */
static bool is_state(const ZydisDecodedOperand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_MEMORY && op->size == 64 &&
	       op->mem.base != ZYDIS_REGISTER_RIP;
}

/* `movabs $A, %r ; imul mem, %r` */
static bool is_pair(const struct elf_image *e, const struct decoded *set,
		    struct decoded *mul)
{
	ZydisRegister r = set->op[0].reg.value;

	return decode(e, after(set), mul) &&
	       mul->i.mnemonic == ZYDIS_MNEMONIC_IMUL &&
	       mul->i.operand_count_visible == 2 &&
	       mul->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       mul->op[0].reg.value == r && is_state(&mul->op[1]) &&
	       mul->op[1].mem.base != r && mul->op[1].mem.index != r &&
	       set->i.length + mul->i.length <= SEEDED_MAX;
}

/* A branch into [start, end), from the function or from a part of it elsewhere? */
static bool branched_into(const struct elf_image *e, uint64_t start,
			  uint64_t end)
{
	static struct flow flow;
	const struct site_plan p = { .vaddr = start, .end = end };
	uint64_t from, to;
	struct decoded d;

	flow.n_targets = flow.n_tables = 0;
	flow.indirect = false;
	if (!elf_function(e, start, &from, &to) || to - from > MAX_FUNCTION ||
	    site_boundary(e, start) != BOUNDARY_YES)
		return true;
	for (uint64_t pc = from; pc < to; pc = after(&d))
		if (!decode(e, pc, &d) || site_flow_note(e, &flow, &d))
			return true;
	return site_flow_into(e, &flow, start, end) ||
	       site_branched_into(e, &p, from, to);
}

static bool note(struct search *c, uint64_t vaddr, const uint8_t *old,
		 const uint8_t *new, size_t n)
{
	struct seeded *s = reallocarray(c->found, c->n + 1, sizeof(*s));

	if (!s)
		return false;
	c->found = s;
	s += c->n++;
	*s = (struct seeded){ .vaddr = vaddr, .n = (uint8_t)n };
	memcpy(s->old, old, n);
	memcpy(s->new, new, n);
	return true;
}

/* The first form; `number` is where A is to be read from. */
static void pair(struct search *c, const struct decoded *set,
		 const struct decoded *mul, uint64_t number)
{
	static const uint8_t nop[][6] = {
		{ 0 }, { 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 },
		{ 0x0f, 0x1f, 0x40, 0x00 }, { 0x0f, 0x1f, 0x44, 0x00, 0x00 },
		{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	};
	const struct elf_image *e = &c->o->elf;
	size_t n = set->i.length + mul->i.length, k;
	const uint8_t *old = site_code(e, set->vaddr, n);
	uint8_t new[SEEDED_MAX], r;
	int64_t away;
	int32_t rel;

	/* REX, 0f af, and the operands */
	if (!old || (old[MOVABS] & 0xf8) != 0x48 || old[MOVABS + 1] != 0x0f ||
	    old[MOVABS + 2] != 0xaf ||
	    branched_into(e, set->vaddr, set->vaddr + n))
		return;
	r = (uint8_t)((old[1] & 7) | (old[0] & 1) << 3);
	new[0] = old[MOVABS] & (uint8_t)~8;
	new[1] = 0x8b;
	k = 2 + (n - MOVABS - 3);
	memcpy(new + 2, old + MOVABS + 3, k - 2);
	new[k++] = (uint8_t)(0x48 | (r >> 3) << 2);
	new[k++] = 0x0f;
	new[k++] = 0xaf;
	new[k++] = (uint8_t)((r & 7) << 3 | 5);
	away = (int64_t)(number - (set->vaddr + k + 4));
	if (away < INT32_MIN || away > INT32_MAX || n - k - 4 > 6)
		return;
	rel = (int32_t)away;
	memcpy(new + k, &rel, 4);
	k += 4;
	memcpy(new + k, nop[n - k], n - k);
	note(c, set->vaddr, old, new, n);
}

/* Is %s multiplied by %r soon, before either is anything else? */
static bool multiplied(const struct elf_image *e, const struct decoded *set,
		       ZydisRegister s)
{
	ZydisRegister r = set->op[0].reg.value;
	struct decoded d = *set;

	for (unsigned int k = 0; k < FAR; k++) {
		if (!decode(e, after(&d), &d))
			return false;
		for (unsigned int j = 0; j < d.i.operand_count; j++) {
			const ZydisDecodedOperand *op = &d.op[j];
			ZydisRegister whole;

			if (op->type != ZYDIS_OPERAND_TYPE_REGISTER ||
			    !(op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
				continue;
			whole = ZydisRegisterGetLargestEnclosing(
				ZYDIS_MACHINE_MODE_LONG_64, op->reg.value);
			if (whole != s && whole != r)
				continue;
			return whole == s &&
			       d.i.mnemonic == ZYDIS_MNEMONIC_IMUL &&
			       d.i.operand_count_visible == 2 &&
			       d.op[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
			       d.op[1].reg.value == r;
		}
	}
	return false;
}

/* The second form. */
static void load(struct search *c, const struct decoded *set)
{
	const struct elf_image *e = &c->o->elf;
	struct decoded d;

	for (uint64_t n = 3; n <= BEFORE; n++) {
		uint64_t at = set->vaddr - n;
		const uint8_t *old = site_code(e, at, n);
		uint8_t new[BEFORE];

		if (!old || (old[0] & 0xf8) != 0x48 || old[1] != 0x8b ||
		    site_boundary(e, at) != BOUNDARY_YES ||
		    !decode(e, at, &d) || d.i.length != n ||
		    !is_state(&d.op[1]) ||
		    !multiplied(e, set, d.op[0].reg.value))
			continue;
		memcpy(new, old, n);
		new[0] &= (uint8_t)~8;
		note(c, at, old, new, n);
		return;
	}
}

static bool is_library(const struct object *o)
{
	static const char name[] = "libjemalloc.so";
	const char *base = o->name ? strrchr(o->name, '/') : NULL;

	return base && !strncmp(base + 1, name, sizeof(name) - 1);
}

static void look(void *ctx)
{
	static const uint64_t number = MULTIPLIER;
	struct search *c = ctx;
	const struct elf_image *e = &c->o->elf;
	static struct decoded set[PLACES], mul[PLACES];
	bool paired[PLACES];
	uint64_t len, vaddr, kept = 0;
	const uint8_t *p, *hit;
	unsigned int n = 0;

	if (!is_library(c->o) || !elf_defines(e, "mallctl"))
		return;
	for (unsigned int i = 0; elf_text(e, i, &p, &len, &vaddr); i++) {
		const uint8_t *from = p + 2;

		while (n < PLACES && from < p + len &&
		       (hit = memmem(from, (size_t)(p + len - from), &number,
				     sizeof(number)))) {
			uint64_t at = vaddr + (uint64_t)(hit - p) - 2;

			from = hit + 1;
			if (site_boundary(e, at) != BOUNDARY_YES ||
			    !decode(e, at, &set[n]) ||
			    set[n].i.mnemonic != ZYDIS_MNEMONIC_MOV ||
			    set[n].i.length != MOVABS)
				continue;
			paired[n] = is_pair(e, &set[n], &mul[n]);
			if (!paired[n])
				kept = at + 2;
			n++;
		}
	}
	for (unsigned int i = 0; i < n; i++) {
		if (!paired[i])
			load(c, &set[i]);
		else if (kept)
			pair(c, &set[i], &mul[i], kept);
	}
}

struct seeded *seeded_find(struct object *o, unsigned int *n)
{
	struct search c = { .o = o };

	if (!object_safely(look, &c)) {
		free(c.found);
		c.n = 0;
		c.found = NULL;
	}
	*n = c.n;
	return c.found;
}

bool seeded_replace(struct taskset *s, const struct seeded *w,
		    const uint64_t bias[MAX_VARIANTS],
		    uint64_t at[MAX_VARIANTS])
{
	const struct text_span old = { w->vaddr, w->old, w->n };

	for_each_variant(v) {
		at[v] = bias[v] + w->vaddr;
		if (!text_equal(&s->t[v], &old, 1, bias[v]))
			return false;
	}
	for_each_variant(v)
		mem_poke(&s->t[v], at[v], w->new, w->n);
	return true;
}

void seeded_restore(struct taskset *s, const struct seeded *w,
		    const uint64_t at[MAX_VARIANTS])
{
	for_each_variant(v)
		mem_poke(&s->t[v], at[v], w->old, w->n);
}
