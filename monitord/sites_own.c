// SPDX-License-Identifier: Apache-2.0
/*
 * Sites of instructions that are no syscalls: rdtsc, rdtscp, rdrand, rdseed.
 *
 * Theory of operation
 * -------------------
 * They leave all registers but their results as they are, the flags (rdtsc) and the
 * bytes below the stack pointer among them, so that nothing is free for the way
 * into IP-MON: the stack is changed through %gs, and the rest is IP-MON's to keep.
 *
 * The jump begins at the instruction itself, so whoever comes there from anywhere
 * finds it.  What else it covers is moved behind the call in the stub; where that
 * cannot be moved, or is branched to, a short jump, which fits into the two bytes
 * of the shortest of these instructions, goes by way of padding between functions.
 *
 * The stub:
 *	mov  gs:[24], rsp
 *	mov  rsp, gs:[16]
 *	mov  gs:[CTX_INSN], which
 *	call gs:[CTX_INSN_ENTRY]
 *	jmp  1f			; returned to if IP-MON has a result
 *	mov  rsp, gs:[24]	; ... two bytes further, if not:
 *	ud2			; the monitor's, as the native place was before
 *   1:	mov  rsp, gs:[24]
 *	<what is the instruction's own: rcx of rdtscp, the register of rdrand;
 *	 the instruction, if it is one of a loop that waits (spin.c)>
 *	<moved instructions>
 *	jmp  back
 */
#include <stddef.h>
#include <string.h>

#include <ipmon/abi.h>
#include "sites_int.h"

#define JUMP	5u
#define TRAP	49u		/* of the ud2 in the stub */

static bool is_random(const struct site_own *own)
{
	return !own->visit && own->code[own->pre + 1] == 0xc7;
}

bool site_stays(const ZydisDecodedInstruction *i)
{
	switch (i->mnemonic) {
	case ZYDIS_MNEMONIC_RDTSC:
	case ZYDIS_MNEMONIC_RDTSCP:
	case ZYDIS_MNEMONIC_RDRAND:
	case ZYDIS_MNEMONIC_RDSEED:
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_HLT:
	case ZYDIS_MNEMONIC_ENDBR64:
		return true;
	default:
		return false;
	}
}

/* Does a branch to `to` lead behind the instruction, into what is moved? */
static bool leads_into(const struct site_plan *p, uint64_t to)
{
	return to > p->vaddr && to < p->end;
}

/* May an instruction with this opcode be at `vaddr`, behind a prefix (bnd, a hint for
 * the predictor, REX) at most?  Not if these bytes are within others. */
static bool may_be_branch(const struct elf_image *e, uint64_t vaddr)
{
	const uint8_t *before;

	if (site_boundary(e, vaddr) != BOUNDARY_NO)
		return true;
	before = site_code(e, vaddr - 1, 1);
	return before && (*before == 0xf2 || *before == 0xf3 || *before == 0x2e ||
			  *before == 0x3e || *before == 0x66 ||
			  (*before & 0xf0) == 0x40) &&
	       site_boundary(e, vaddr - 1) != BOUNDARY_NO;
}

/*
 * Compilers put the rare paths of a function into one of their own (f.cold), which
 * branches back to where they join.  That other one has no bounds that must be known:
 * whatever looks like such a branch counts; a short one, which any two bytes nearby may
 * look like, only unless what is around it decodes otherwise.  [start, end) has been
 * decoded.
 */
bool site_branched_into(const struct elf_image *e, const struct site_plan *p,
			uint64_t start, uint64_t end)
{
	const uint8_t *code;
	uint64_t n, vaddr;

	for (unsigned int i = 0; elf_text(e, i, &code, &n, &vaddr); i++) {
		for (uint64_t k = 2; k + 4 <= n; k++) {
			uint64_t at = vaddr + k;
			int32_t rel;

			if (at >= start && at < end)
				continue;
			memcpy(&rel, code + k, 4);
			if (leads_into(p, at + 4 + (uint64_t)(int64_t)rel) &&
			    (code[k - 1] == 0xe9 || (code[k - 2] == 0x0f &&
						     (code[k - 1] & 0xf0) ==
						     0x80)))
				return true;
			if (leads_into(p, at + 1 + (uint64_t)(int64_t)
				       (int8_t)code[k]) &&
			    (code[k - 1] == 0xeb ||
			     (code[k - 1] & 0xf0) == 0x70) &&
			    may_be_branch(e, at - 1))
				return true;
		}
	}
	return false;
}

/* Room for a whole jump, by moving what follows.  NULL, or why not. */
static const char *room(const struct elf_image *e, struct site_plan *p)
{
	static struct flow flow;
	uint64_t start, end, pc;
	const char *why = NULL;
	const uint8_t *code;
	ZydisDecoder dec;
	bool seen = false;

	flow.n_targets = flow.n_tables = 0;
	flow.indirect = false;
	if (!elf_function(e, p->vaddr, &start, &end) ||
	    end - start > MAX_FUNCTION)
		return "no function bounds";
	code = site_code(e, start, end - start);
	if (!code)
		return "not in the file";
	ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	for (pc = start; pc < end; ) {
		struct decoded d = { .vaddr = pc };

		if (ZYAN_FAILED(ZydisDecoderDecodeFull(&dec, code +
				(pc - start), end - pc, &d.i, d.op)))
			return "does not decode";
		if (pc == p->vaddr) {
			if (d.i.length != p->own.len)
				return "not the instruction";
			if (p->own.visit &&
			    (site_stays(&d.i) ||
			     !site_movable(&d, code + (pc - start),
					   &p->insn[p->n++])))
				return "an instruction that cannot be moved";
			seen = true;
		} else if (seen && pc == p->end && p->end - p->vaddr < JUMP) {
			if (site_stays(&d.i) ||
			    !site_movable(&d, code + (pc - start),
					  &p->insn[p->n]))
				return "an instruction that cannot be moved";
			p->n++;
			p->end += d.i.length;
		}
		why = site_flow_note(e, &flow, &d);
		if (why)
			return why;
		pc += d.i.length;
	}
	if (!seen)
		return "not at an instruction boundary";
	if (p->end - p->vaddr < JUMP)
		return "too close to the function's end";
	why = site_flow_into(e, &flow, p->vaddr, p->end);
	return why || !site_branched_into(e, p, start, end) ? why :
		"another function may lead into it";
}

void site_plan_own(const struct elf_image *e, uint64_t vaddr,
		   const struct site_own *own, struct site_plan *p,
		   bool (*taken)(void *ctx, uint64_t hole), void *ctx)
{
	_Static_assert(SITE_MAX_INSNS >= JUMP - 2, "each has a byte at least");

	memset(p, 0, sizeof(*p));
	p->vaddr = p->start = vaddr;
	p->end = vaddr + own->len;
	p->own = *own;
	/* the stack pointer is IP-MON's while the number is drawn */
	if (is_random(own) && (own->code[own->pre + 2] & 7) == 4 &&
	    !(own->pre && (own->code[own->pre - 1] & 0xf1) == 0x41)) {
		p->why = "the stack pointer";
		return;
	}
	p->trap = TRAP;
	p->next = TRAP + 2 + 9;
	if (is_random(own))
		p->next += own->code[0] == 0x66 ? 10 : 9;
	else if (own->len == 3 && !own->visit)
		p->next += 5;
	p->why = room(e, p);
	if (!p->why) {
		p->kind = p->n == 1 ? SITE_P1 : SITE_P;
		return;
	}
	p->n = 0;
	p->end = vaddr + own->len;
	if (own->visit)
		return;
	p->hole = site_find_hole(e, vaddr, taken, ctx);
	if (!p->hole)
		return;
	p->kind = SITE_S;
	p->why = NULL;
}

/* mov %gs:insn_value,%reg, of the size of the instruction's register. */
static size_t emit_value(const struct site_own *own, uint8_t *out)
{
	uint8_t rex = own->pre ? own->code[own->pre - 1] : 0;
	uint32_t from = offsetof(struct ipmon_ctx, insn_value);
	size_t n = 0;

	if ((rex & 0xf0) != 0x40)
		rex = 0;
	out[n++] = 0x65;
	if (own->code[0] == 0x66)
		out[n++] = 0x66;
	/* W as it is, B is R here */
	out[n++] = (uint8_t)(0x40 | (rex & 8) | (rex & 1) << 2);
	out[n++] = 0x8b;
	out[n++] = (uint8_t)(0x04 | (own->code[own->pre + 2] & 7) << 3);
	out[n++] = 0x25;
	memcpy(out + n, &from, 4);
	return n + 4;
}

size_t site_emit_own(const struct site_plan *p, uint64_t bias, uint64_t stub,
		     uint8_t out[SITE_STUB_MAX])
{
	static const uint8_t enter[] = {
		0x65, 0x48, 0x89, 0x24, 0x25, 24, 0, 0, 0,
		0x65, 0x48, 0x8b, 0x24, 0x25, 16, 0, 0, 0,
	}, back[] = {
		0x65, 0x48, 0x8b, 0x24, 0x25, 24, 0, 0, 0,
	};
	const uint32_t word[] = {
		offsetof(struct ipmon_ctx, insn),
		p->own.visit ? IPMON_INSN_VISIT :
			is_random(&p->own) ? IPMON_INSN_RANDOM : IPMON_INSN_COUNTER,
		offsetof(struct ipmon_ctx, insn_entry),
	};
	size_t n = sizeof(enter), moved;
	int32_t rel;

	memcpy(out, enter, n);
	memcpy(out + n, "\x65\xc7\x04\x25", 4);
	memcpy(out + n + 4, word, 8);
	memcpy(out + n + 12, "\x65\xff\x14\x25", 4);
	memcpy(out + n + 16, word + 2, 4);
	n += 20;
	out[n++] = 0xeb;
	out[n++] = sizeof(back) + 2;
	memcpy(out + n, back, sizeof(back));
	n += sizeof(back);
	if (p->trap != n)
		return 0;
	out[n++] = 0x0f;
	out[n++] = 0x0b;
	memcpy(out + n, back, sizeof(back));
	n += sizeof(back);
	if (is_random(&p->own)) {
		n += emit_value(&p->own, out + n);
	} else if (p->own.len == 3 && !p->own.visit) {
		/* mov $0,%ecx: no processor's number (tsc.c) */
		memcpy(out + n, "\xb9\0\0\0\0", 5);
		n += 5;
	}
	if (p->next != n)
		return 0;
	moved = site_emit_moved(p, bias, stub + n, out + n);
	if (moved == SIZE_MAX)
		return 0;
	n += moved;
	if (!site_reach(stub + n + JUMP, p->end + bias, &rel))
		return 0;
	out[n] = 0xe9;
	memcpy(out + n + 1, &rel, 4);
	return n + JUMP;
}
