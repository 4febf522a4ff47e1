// SPDX-License-Identifier: Apache-2.0
/*
 * Syscall sites of an ELF file.
 *
 * Theory of operation
 * -------------------
 * x86 code can only be decoded forwards, so the start of the function is
 * needed: .eh_frame_hdr is a sorted table of functions, and every wrapper in
 * a libc has an entry (failing that, a symbol with a size will do).  The
 * function is decoded from there to its end with a maintained decoder (Zydis),
 * for two things: the instruction boundaries before the site, and all branch
 * targets, none of which may lie inside the bytes to be replaced (one on the
 * first of them, or on the syscall itself, is fine: the jump, and the intact
 * syscall).
 *
 * An indirect jump may go anywhere, unless it is one through a table: tables
 * whose address the function takes are read, and more entries than they have,
 * because their length is not known.
 *
 * Where there is no room for five bytes, two will do: a short jump to five bytes
 * of padding between two functions (no function's by .eh_frame, nothing but
 * no-operations), where the long one is put.  The syscall stays in place in
 * any case, so that a call IP-MON does not handle traps at its native place
 * with its native registers.  (Overwriting the syscall itself would show
 * another instruction pointer to signal handlers, unwinders and debuggers.)
 *
 * What may be moved: anything that is not a branch; RIP-relative operands get
 * a new displacement.  A short conditional branch may be moved too: in the
 * stub it becomes the same condition with a 32-bit displacement.
 *
 * The stub:
 *	<moved instructions>
 *	lea  rcx, [rip + address after the syscall]
 *	mov  gs:[24], rsp
 *	mov  rsp, gs:[16]
 *	jmp  gs:[32]
 * rcx is free: the syscall would destroy it and leaves that very address.
 */
#include <string.h>
#include <Zydis/Zydis.h>
#include <elf.h>

#include "gofuncs.h"
#include "sites_int.h"

/* ---- the file ---- */

static const void *at(const struct elf_image *e, uint64_t off, uint64_t n)
{
	if (off > e->size || n > e->size - off)
		return NULL;
	return e->data + off;
}

/* A table of structures, which are aligned in any sane file. */
static const void *table_at(const struct elf_image *e, uint64_t off,
			    uint64_t n)
{
	return off & 7 ? NULL : at(e, off, n);
}

static const Elf64_Phdr *phdrs(const struct elf_image *e, unsigned int *n)
{
	const Elf64_Ehdr *eh = at(e, 0, sizeof(*eh));

	*n = 0;
	if (!eh || memcmp(eh->e_ident, ELFMAG, SELFMAG) ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_machine != EM_X86_64 || eh->e_phentsize != sizeof(Elf64_Phdr))
		return NULL;
	*n = eh->e_phnum;
	return table_at(e, eh->e_phoff, (uint64_t)*n * sizeof(Elf64_Phdr));
}

/* File offset of n bytes at vaddr, in a segment with these flags; or 0. */
static uint64_t offset_of(const struct elf_image *e, uint64_t vaddr,
			  uint64_t n, uint32_t flags)
{
	unsigned int count;
	const Elf64_Phdr *ph = phdrs(e, &count);

	for (unsigned int i = 0; ph && i < count; i++) {
		if (ph[i].p_type != PT_LOAD || (ph[i].p_flags & flags) != flags)
			continue;
		if (vaddr < ph[i].p_vaddr ||
		    vaddr - ph[i].p_vaddr >= ph[i].p_filesz ||
		    n > ph[i].p_filesz - (vaddr - ph[i].p_vaddr))
			continue;
		return ph[i].p_offset + (vaddr - ph[i].p_vaddr);
	}
	return 0;
}

const uint8_t *site_code(const struct elf_image *e, uint64_t start, uint64_t n)
{
	uint64_t off = offset_of(e, start, n, PF_X);

	return off ? at(e, off, n) : NULL;
}

bool site_constant(const struct elf_image *e, uint64_t vaddr)
{
	return offset_of(e, vaddr, 1, PF_R) && !offset_of(e, vaddr, 1, PF_W);
}

uint64_t elf_offset(const struct elf_image *e, uint64_t vaddr)
{
	return offset_of(e, vaddr, 1, PF_X);
}

bool elf_vaddr(const struct elf_image *e, uint64_t offset, uint64_t *vaddr)
{
	unsigned int count;
	const Elf64_Phdr *ph = phdrs(e, &count);

	for (unsigned int i = 0; ph && i < count; i++) {
		if (ph[i].p_type != PT_LOAD || !(ph[i].p_flags & PF_X))
			continue;
		/* mappings begin at the page below the segment's first byte */
		if (offset < (ph[i].p_offset & ~4095ull) ||
		    offset >= ph[i].p_offset + ph[i].p_filesz)
			continue;
		*vaddr = ph[i].p_vaddr - ph[i].p_offset + offset;
		return true;
	}
	return false;
}

bool elf_text(const struct elf_image *e, unsigned int i, const uint8_t **p,
	      uint64_t *n, uint64_t *vaddr)
{
	unsigned int count;
	const Elf64_Phdr *ph = phdrs(e, &count);

	for (unsigned int k = 0; ph && k < count; k++) {
		if (ph[k].p_type != PT_LOAD || !(ph[k].p_flags & PF_X) || i--)
			continue;
		*p = at(e, ph[k].p_offset, ph[k].p_filesz);
		*n = ph[k].p_filesz;
		*vaddr = ph[k].p_vaddr;
		return *p;
	}
	return false;
}

static bool get32(const struct elf_image *e, uint64_t off, int32_t *v)
{
	const void *p = at(e, off, 4);

	if (p)
		memcpy(v, p, 4);
	return p;
}

/* .eh_frame_hdr: version, encodings, then (start, FDE) pairs relative to the
 * header (LSB core specification, "Exception Frame Header"). */
#define ENC_PCREL_SDATA4	0x1b
#define ENC_UDATA4		0x03
#define ENC_DATAREL_SDATA4	0x3b

struct fdes {
	uint64_t base, table, n;
};

static bool fdes_open(const struct elf_image *e, struct fdes *f)
{
	unsigned int count;
	const Elf64_Phdr *ph = phdrs(e, &count), *hdr = NULL;
	const uint8_t *h;
	int32_t n;

	for (unsigned int i = 0; ph && i < count; i++)
		if (ph[i].p_type == PT_GNU_EH_FRAME)
			hdr = &ph[i];
	if (!hdr)
		return false;
	h = at(e, hdr->p_offset, 12);
	if (!h || h[0] != 1 || h[1] != ENC_PCREL_SDATA4 ||
	    h[2] != ENC_UDATA4 || h[3] != ENC_DATAREL_SDATA4 ||
	    !get32(e, hdr->p_offset + 8, &n) || n <= 0)
		return false;
	f->base = hdr->p_vaddr;
	f->table = hdr->p_offset + 12;
	f->n = (uint64_t)n;
	return at(e, f->table, f->n * 8);
}

static bool fde_start(const struct elf_image *e, const struct fdes *f,
		      uint64_t i, uint64_t *start)
{
	int32_t v;

	if (i >= f->n || !get32(e, f->table + i * 8, &v))
		return false;
	*start = f->base + (uint64_t)(int64_t)v;
	return true;
}

static bool fde_get(const struct elf_image *e, const struct fdes *f,
		    uint64_t i, uint64_t *start, uint64_t *end)
{
	int32_t v, len;
	uint64_t fde;

	if (!fde_start(e, f, i, start) ||
	    !get32(e, f->table + i * 8 + 4, &v))
		return false;
	/* FDE: length, CIE pointer, pc begin (pcrel), pc range */
	fde = offset_of(e, f->base + (uint64_t)(int64_t)v, 16, PF_R);
	if (!fde || !get32(e, fde + 12, &len) || len <= 0)
		return false;
	*end = *start + (uint64_t)len;
	return true;
}

/* The last one that starts at or before vaddr. */
static bool fde_find(const struct elf_image *e, const struct fdes *f,
		     uint64_t vaddr, uint64_t *index)
{
	uint64_t lo = 0, hi = f->n, start;

	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (!fde_start(e, f, mid, &start))
			return false;
		if (start <= vaddr)
			lo = mid;
		else
			hi = mid;
	}
	*index = lo;
	return true;
}

/* Code without unwind information may still have a symbol with a size. */
static bool symbol_bounds(const struct elf_image *e, uint64_t vaddr,
			  uint64_t *start, uint64_t *end)
{
	const Elf64_Ehdr *eh = at(e, 0, sizeof(*eh));
	const Elf64_Shdr *sh = eh && eh->e_shentsize == sizeof(*sh) ?
		table_at(e, eh->e_shoff, (uint64_t)eh->e_shnum * sizeof(*sh)) :
		NULL;

	for (unsigned int i = 0; sh && i < eh->e_shnum; i++) {
		const Elf64_Sym *sym;

		if (sh[i].sh_type != SHT_SYMTAB && sh[i].sh_type != SHT_DYNSYM)
			continue;
		sym = table_at(e, sh[i].sh_offset, sh[i].sh_size);
		for (uint64_t k = 0; sym && k < sh[i].sh_size / sizeof(*sym);
		     k++) {
			if (ELF64_ST_TYPE(sym[k].st_info) != STT_FUNC ||
			    !sym[k].st_shndx || vaddr < sym[k].st_value ||
			    vaddr - sym[k].st_value >= sym[k].st_size)
				continue;
			*start = sym[k].st_value;
			*end = *start + sym[k].st_size;
			return *end > *start;
		}
	}
	return false;
}

bool elf_defines(const struct elf_image *e, const char *name)
{
	const Elf64_Ehdr *eh = at(e, 0, sizeof(*eh));
	const Elf64_Shdr *sh = eh && eh->e_shentsize == sizeof(*sh) ?
		table_at(e, eh->e_shoff, (uint64_t)eh->e_shnum * sizeof(*sh)) :
		NULL;
	size_t n = strlen(name) + 1;

	for (unsigned int i = 0; sh && i < eh->e_shnum; i++) {
		const Elf64_Sym *sym;

		if (sh[i].sh_type != SHT_DYNSYM || sh[i].sh_link >= eh->e_shnum)
			continue;
		sym = table_at(e, sh[i].sh_offset, sh[i].sh_size);
		for (uint64_t k = 0; sym && k < sh[i].sh_size / sizeof(*sym);
		     k++) {
			const char *is = sym[k].st_shndx == SHN_UNDEF ? NULL :
				at(e, sh[sh[i].sh_link].sh_offset +
				   sym[k].st_name, n);

			if (is && !memcmp(is, name, n))
				return true;
		}
	}
	return false;
}

bool elf_function(const struct elf_image *e, uint64_t vaddr, uint64_t *start,
		  uint64_t *end)
{
	struct fdes f;
	uint64_t i;

	if (fdes_open(e, &f) && fde_find(e, &f, vaddr, &i) &&
	    fde_get(e, &f, i, start, end) && vaddr >= *start && vaddr < *end)
		return true;
	return symbol_bounds(e, vaddr, start, end) ||
		go_function(e, vaddr, start, end);
}

/* ---- planning ---- */

bool site_is_branch(const ZydisDecodedInstruction *i)
{
	switch (i->meta.category) {
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSRET:
	case ZYDIS_CATEGORY_INTERRUPT:
		return true;
	default:
		return false;
	}
}

bool site_movable(const struct decoded *d, const uint8_t *bytes,
		  struct site_insn *s)
{
	memset(s, 0, sizeof(*s));
	s->vaddr = d->vaddr;
	s->len = d->i.length;
	memcpy(s->bytes, bytes, d->i.length);
	if (d->i.meta.category == ZYDIS_CATEGORY_COND_BR) {
		ZyanU64 target;

		/* 7x rel8 or 0f 8x rel32; jrcxz and loop have no long form */
		if (d->i.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
		    (d->i.opcode & 0xf0) == 0x70)
			s->cc = d->i.opcode & 15;
		else if (d->i.opcode_map == ZYDIS_OPCODE_MAP_0F &&
			 (d->i.opcode & 0xf0) == 0x80)
			s->cc = d->i.opcode & 15;
		else
			return false;
		if (ZYAN_FAILED(ZydisCalcAbsoluteAddress(&d->i, &d->op[0],
							 d->vaddr, &target)))
			return false;
		s->jcc = true;
		s->target = target;
		return true;
	}
	if (site_is_branch(&d->i))
		return false;
	for (unsigned int k = 0; k < d->i.operand_count; k++) {
		if (d->op[k].type != ZYDIS_OPERAND_TYPE_MEMORY ||
		    d->op[k].mem.base != ZYDIS_REGISTER_RIP)
			continue;
		if (d->i.raw.disp.size != 32 || s->disp_at)
			return false;
		s->disp_at = d->i.raw.disp.offset;
	}
	return true;
}

/* ---- where branches go ---- */

#define TABLE_ENTRIES	1024u

const char *site_flow_note(const struct elf_image *e, struct flow *f,
			   const struct decoded *d)
{
	const ZydisDecodedInstruction *i = &d->i;
	const ZydisDecodedOperand *op = d->op;
	uint64_t pc = d->vaddr;

	const ZydisDecodedOperand *m = &op[i->mnemonic == ZYDIS_MNEMONIC_LEA];
	uint64_t table = 0;
	ZyanU64 target;

	if (i->meta.category == ZYDIS_CATEGORY_COND_BR ||
	    i->meta.category == ZYDIS_CATEGORY_UNCOND_BR) {
		if (op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
			if (ZYAN_FAILED(ZydisCalcAbsoluteAddress(i, &op[0], pc,
								 &target)))
				return "a branch that cannot be followed";
			if (f->n_targets == MAX_TARGETS)
				return "too many branches";
			f->target[f->n_targets++] = target;
			return NULL;
		}
		/* through the global offset table: into another function */
		if (m->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    m->mem.base == ZYDIS_REGISTER_RIP)
			return NULL;
		f->indirect = true;
		if (m->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    m->mem.base == ZYDIS_REGISTER_NONE &&
		    m->mem.index != ZYDIS_REGISTER_NONE)
			table = (uint64_t)m->mem.disp.value;
		if (!table)
			return NULL;
	} else if (i->mnemonic == ZYDIS_MNEMONIC_LEA &&
		   m->mem.base == ZYDIS_REGISTER_RIP) {
		if (ZYAN_FAILED(ZydisCalcAbsoluteAddress(i, m, pc, &target)))
			return NULL;
		table = target;
		if (offset_of(e, table, 1, PF_X) || !offset_of(e, table, 4,
							       PF_R))
			return NULL;
	} else {
		return NULL;
	}
	if (f->n_tables == TABLES)
		return "too many tables";
	f->absolute[f->n_tables] = i->mnemonic != ZYDIS_MNEMONIC_LEA;
	f->table[f->n_tables++] = table;
	return NULL;
}

const char *site_flow_into(const struct elf_image *e, const struct flow *f,
			   uint64_t start, uint64_t end)
{
	for (unsigned int k = 0; k < f->n_targets; k++)
		if (f->target[k] > start && f->target[k] < end)
			return "a branch leads into it";
	if (!f->indirect)
		return NULL;
	if (!f->n_tables)
		return "an indirect jump";
	for (unsigned int t = 0; t < f->n_tables; t++) {
		unsigned int size = f->absolute[t] ? 8 : 4;

		for (unsigned int k = 0; k < TABLE_ENTRIES; k++) {
			uint64_t at_entry = f->table[t] + k * size, off, to;
			int32_t rel;

			off = offset_of(e, at_entry, size, PF_R);
			if (!off || !at(e, off, size))
				break;
			if (f->absolute[t]) {
				memcpy(&to, e->data + off, 8);
			} else {
				memcpy(&rel, e->data + off, 4);
				to = f->table[t] + (uint64_t)(int64_t)rel;
			}
			if (to > start && to < end)
				return "a table leads into it";
		}
	}
	return NULL;
}

/* ---- padding ---- */

static bool all_nops(const struct elf_image *e, uint64_t start, uint64_t end)
{
	const uint8_t *code = site_code(e, start, end - start);
	ZydisDecoder dec;

	if (!code)
		return false;
	ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	for (uint64_t pc = start; pc < end; ) {
		ZydisDecodedInstruction i;

		if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&dec, NULL,
				code + (pc - start), end - pc, &i)) ||
		    (i.mnemonic != ZYDIS_MNEMONIC_NOP &&
		     i.mnemonic != ZYDIS_MNEMONIC_INT3))
			return false;
		pc += i.length;
	}
	return true;
}

uint64_t site_find_hole(const struct elf_image *e, uint64_t from,
			bool (*taken)(void *ctx, uint64_t hole), void *ctx)
{
	uint64_t i, start, end, next;
	struct fdes f;

	if (!fdes_open(e, &f) || !fde_find(e, &f, from, &i))
		return 0;
	for (uint64_t k = i > 8 ? i - 8 : 0; k < i + 8; k++) {
		if (!fde_get(e, &f, k, &start, &end) ||
		    !fde_start(e, &f, k + 1, &next) || next < end + 5 ||
		    next - end > 64 || !all_nops(e, end, next))
			continue;
		for (uint64_t h = end; h + 5 <= next; h += 5) {
			int64_t d = (int64_t)(h - (from + 2));

			if (d >= -128 && d <= 127 && !(taken && taken(ctx, h)))
				return h;
		}
	}
	return 0;
}

/* ---- the plan ---- */

#define LAST(k) (&last[(n_last - 1 - (k)) % SITE_MAX_INSNS])

void site_plan(const struct elf_image *e, uint64_t vaddr, struct site_plan *p,
	       bool (*taken)(void *ctx, uint64_t hole), void *ctx)
{
	static struct flow flow;
	/* the last instructions before the site, as a ring */
	static struct decoded last[SITE_MAX_INSNS];
	unsigned int n_last = 0, n_short = 0;
	uint64_t start, end, pc, short_start = 0;
	const uint8_t *code;
	ZydisDecoder dec;
	bool seen = false;

	memset(p, 0, sizeof(*p));
	p->vaddr = vaddr;
	p->end = vaddr + 2;
	flow.n_targets = flow.n_tables = 0;
	flow.indirect = false;
	if (!elf_function(e, vaddr, &start, &end) ||
	    end - start > MAX_FUNCTION) {
		p->why = "no function bounds";
		return;
	}
	code = site_code(e, start, end - start);
	if (!code) {
		p->why = "not in the file";
		return;
	}
	ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	for (pc = start; pc < end; ) {
		struct decoded d = { .vaddr = pc };

		if (ZYAN_FAILED(ZydisDecoderDecodeFull(&dec, code +
				(pc - start), end - pc, &d.i, d.op))) {
			p->why = "does not decode";
			return;
		}
		if (pc == vaddr) {
			if (d.i.mnemonic != ZYDIS_MNEMONIC_SYSCALL)
				break;
			seen = true;
		} else if (!seen) {
			last[n_last++ % SITE_MAX_INSNS] = d;
		}
		p->why = site_flow_note(e, &flow, &d);
		if (p->why)
			return;
		pc += d.i.length;
	}
	if (!seen) {
		p->why = "not at an instruction boundary";
		return;
	}
	p->start = vaddr;
	for (unsigned int k = 0; vaddr - p->start < 5; k++) {
		const struct decoded *d = LAST(k);

		if (k == n_last || k == SITE_MAX_INSNS) {
			p->why = "too close to the function's start";
			break;
		}
		if (d->vaddr + d->i.length != p->start ||
		    vaddr - d->vaddr > SITE_MAX_REGION ||
		    !site_movable(d, code + (d->vaddr - start),
				  &p->insn[SITE_MAX_INSNS - 1 - k])) {
			p->why = "an instruction that cannot be moved";
			break;
		}
		p->start = d->vaddr;
		p->n++;
		if (!n_short && vaddr - p->start >= 2) {
			n_short = p->n;
			short_start = p->start;
		}
	}
	if (!p->why)
		p->why = site_flow_into(e, &flow, p->start, vaddr);
	if (!p->why) {
		p->kind = p->n == 1 ? SITE_P1 : SITE_P;
	} else if (n_short && !site_flow_into(e, &flow, short_start, vaddr)) {
		p->hole = site_find_hole(e, short_start, taken, ctx);
		if (!p->hole)
			return;
		p->n = n_short;
		p->start = short_start;
		p->kind = SITE_S;
		p->why = NULL;
	} else {
		return;
	}
	memmove(p->insn, p->insn + SITE_MAX_INSNS - p->n,
		p->n * sizeof(p->insn[0]));
}

/* Where decoding has got to in the function looked at last: questions come in the
 * order of addresses. */
static struct {
	const uint8_t *data;
	uint64_t start, end, pc;
} last_at;

void site_forget(const struct elf_image *e)
{
	if (last_at.data == e->data)
		last_at.data = NULL;
}

enum boundary site_boundary(const struct elf_image *e, uint64_t vaddr)
{
	uint64_t start, end, pc;
	const uint8_t *code;
	ZydisDecoder dec;

	if (last_at.data == e->data && vaddr >= last_at.pc &&
	    vaddr < last_at.end) {
		start = last_at.start;
		end = last_at.end;
		pc = last_at.pc;
	} else {
		last_at.data = NULL;
		if (!elf_function(e, vaddr, &start, &end))
			return BOUNDARY_UNKNOWN;
		pc = start;
	}
	code = site_code(e, start, end - start);
	if (!code)
		return BOUNDARY_UNKNOWN;
	ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	/* lengths will do */
	ZydisDecoderEnableMode(&dec, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
	while (pc < end) {
		ZydisDecodedInstruction i;

		if (pc >= vaddr) {
			last_at.data = e->data;
			last_at.start = start;
			last_at.end = end;
			last_at.pc = pc;
			/* behind it: an instruction around it, or data */
			return pc == vaddr ? BOUNDARY_YES : BOUNDARY_NO;
		}
		if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&dec, NULL,
				code + (pc - start), end - pc, &i)))
			return BOUNDARY_UNKNOWN;
		pc += i.length;
	}
	return BOUNDARY_NO;
}

bool site_plain_code(const struct elf_image *e)
{
	ZydisDecoder dec;
	size_t at = 0;

	ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	while (at < e->size) {
		ZydisDecodedInstruction i;
		ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];

		if (ZYAN_FAILED(ZydisDecoderDecodeFull(&dec, e->data + at,
						       e->size - at, &i, op)))
			return false;
		for (unsigned int k = 0; k < i.operand_count; k++) {
			if (op[k].type != ZYDIS_OPERAND_TYPE_REGISTER)
				continue;
			switch (ZydisRegisterGetClass(op[k].reg.value)) {
			case ZYDIS_REGCLASS_X87:
			case ZYDIS_REGCLASS_MMX:
			case ZYDIS_REGCLASS_XMM:
			case ZYDIS_REGCLASS_YMM:
			case ZYDIS_REGCLASS_ZMM:
			case ZYDIS_REGCLASS_MASK:
				return false;
			default:
				break;
			}
		}
		at += i.length;
	}
	return true;
}

/* ---- emitting ---- */

bool site_reach(uint64_t from, uint64_t to, int32_t *rel)
{
	int64_t d = (int64_t)(to - from);

	*rel = (int32_t)d;
	return d == *rel;
}

size_t site_emit_moved(const struct site_plan *p, uint64_t bias, uint64_t stub,
		       uint8_t *out)
{
	size_t n = 0;
	int32_t rel;

	for (unsigned int i = 0; i < p->n; i++) {
		const struct site_insn *s = &p->insn[i];

		if (s->jcc) {
			if (!site_reach(stub + n + 6, s->target + bias, &rel))
				return SIZE_MAX;
			out[n] = 0x0f;
			out[n + 1] = 0x80 | s->cc;
			memcpy(out + n + 2, &rel, 4);
			n += 6;
			continue;
		}
		memcpy(out + n, s->bytes, s->len);
		if (s->disp_at) {
			int32_t disp;
			uint64_t to;

			memcpy(&disp, s->bytes + s->disp_at, 4);
			to = s->vaddr + bias + s->len +
				(uint64_t)(int64_t)disp;
			if (!site_reach(stub + n + s->len, to, &rel))
				return SIZE_MAX;
			memcpy(out + n + s->disp_at, &rel, 4);
		}
		n += s->len;
	}
	return n;
}

size_t site_emit(const struct site_plan *p, uint64_t bias, uint64_t stub,
		 uint8_t out[SITE_STUB_MAX])
{
	/* mov %rsp,%gs:24 ; mov %gs:16,%rsp ; jmp *%gs:32 */
	static const uint8_t tail[] = {
		0x65, 0x48, 0x89, 0x24, 0x25, 24, 0, 0, 0,
		0x65, 0x48, 0x8b, 0x24, 0x25, 16, 0, 0, 0,
		0x65, 0xff, 0x24, 0x25, 32, 0, 0, 0,
	};
	size_t n;
	int32_t rel;

	if (p->own.len)
		return site_emit_own(p, bias, stub, out);
	n = site_emit_moved(p, bias, stub, out);
	/* lea after(%rip),%rcx */
	if (n == SIZE_MAX || !site_reach(stub + n + 7, p->end + bias, &rel))
		return 0;
	out[n] = 0x48;
	out[n + 1] = 0x8d;
	out[n + 2] = 0x0d;
	memcpy(out + n + 3, &rel, 4);
	n += 7;
	memcpy(out + n, tail, sizeof(tail));
	return n + sizeof(tail);
}
