// SPDX-License-Identifier: Apache-2.0
/*
 * Where functions of Go programs begin and end.
 *
 * Go has no .eh_frame, and a stripped program no symbols; but its runtime
 * walks stacks by a table of its own, the section .gopclntab, which cannot be
 * stripped.  Its beginning, in four versions (debug/gosym of the Go sources):
 *
 *	u32 magic; u8 0, 0, quantum, pointer size; then words:
 *	fffffffb	functions, functab ...
 *	fffffffa	functions, files, 4 offsets, offset of functab
 *	fffffff0, f1	functions, files, text, 4 offsets, offset of functab
 *
 * functab: (begin, data) for each function in the order of addresses, and the
 * last one's end; words, or 32-bit numbers that count from `text'.
 *
 * Pure code over the file's bytes, which are hostile: bounded everywhere.
 */
#include <elf.h>
#include <string.h>

#include "gofuncs.h"

#define HEADER	72u
#define ALIGN	32u

struct gotab {
	uint64_t functab, n, base;	/* functab: offset in the file */
	unsigned int width;		/* bytes of a number */
};

static const void *at(const struct elf_image *e, uint64_t off, uint64_t n)
{
	if (off > e->size || n > e->size - off)
		return NULL;
	return e->data + off;
}

static uint64_t number(const struct elf_image *e, uint64_t off,
		       unsigned int width)
{
	const void *p = at(e, off, width);
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, width);
	return v;
}

static bool header(const struct elf_image *e, unsigned int i, Elf64_Shdr *sh)
{
	const Elf64_Ehdr *eh = at(e, 0, sizeof(*eh));
	const char *p;

	if (!eh || eh->e_shentsize != sizeof(*sh) || i >= eh->e_shnum)
		return false;
	p = at(e, eh->e_shoff, (uint64_t)eh->e_shnum * sizeof(*sh));
	if (p)
		memcpy(sh, p + i * sizeof(*sh), sizeof(*sh));
	return p;
}

static bool section(const struct elf_image *e, const char *name, Elf64_Shdr *sh)
{
	const Elf64_Ehdr *eh = at(e, 0, sizeof(*eh));
	size_t len = strlen(name) + 1;
	Elf64_Shdr str;

	if (!eh || !header(e, eh->e_shstrndx, &str) || str.sh_offset > e->size)
		return false;
	for (unsigned int i = 0; header(e, i, sh); i++) {
		const char *s = at(e, str.sh_offset + sh->sh_name, len);

		if (s && sh->sh_type != SHT_NOBITS && !memcmp(s, name, len))
			return at(e, sh->sh_offset, sh->sh_size);
	}
	return false;
}

/* What the loader will put at vaddr, in a program that may be anywhere. */
static uint64_t relocated(const struct elf_image *e, uint64_t vaddr)
{
	Elf64_Shdr sh;

	for (unsigned int i = 0; header(e, i, &sh); i++) {
		const char *p = at(e, sh.sh_offset, sh.sh_size);

		for (uint64_t k = 0; p && sh.sh_type == SHT_RELA &&
		     k < sh.sh_size / sizeof(Elf64_Rela); k++) {
			Elf64_Rela r;

			memcpy(&r, p + k * sizeof(r), sizeof(r));
			if (r.r_offset == vaddr &&
			    ELF64_R_TYPE(r.r_info) == R_X86_64_RELATIVE)
				return (uint64_t)r.r_addend;
		}
	}
	return 0;
}

/* The table that begins at this offset, at vaddr in memory, if one does. */
static bool gotab_at(const struct elf_image *e, uint64_t off, uint64_t size,
		     uint64_t vaddr, struct gotab *g)
{
	const uint8_t *h = at(e, off, HEADER);
	uint64_t tab;

	if (!h || size < HEADER || h[3] != 0xff || h[4] || h[5] || h[7] != 8)
		return false;
	g->n = number(e, off + 8, 8);
	g->base = 0;
	g->width = 8;
	switch (number(e, off, 4)) {
	case 0xfffffffb:
		tab = 16;
		break;
	case 0xfffffffa:
		tab = number(e, off + 56, 8);
		break;
	case 0xfffffff0:
	case 0xfffffff1:
		tab = number(e, off + 64, 8);
		g->width = 4;
		g->base = number(e, off + 24, 8);
		if (!g->base)
			g->base = relocated(e, vaddr + 24);
		if (!g->base)
			return false;
		break;
	default:
		return false;
	}
	g->functab = off + tab;
	return g->n && tab < size && g->n < (size - tab) / g->width / 2;
}

static bool gotab_open(const struct elf_image *e, struct gotab *g)
{
	/* the second in programs that may be anywhere; there another linker
	 * than Go's puts it among others' */
	static const char *const name[] = {
		".gopclntab", ".data.rel.ro.gopclntab", ".data.rel.ro",
	};
	Elf64_Shdr sh;

	for (unsigned int i = 0; i < 3; i++) {
		if (!section(e, name[i], &sh))
			continue;
		for (uint64_t k = 0; k < sh.sh_size; k += ALIGN)
			if (gotab_at(e, sh.sh_offset + k, sh.sh_size - k,
				     sh.sh_addr + k, g))
				return true;
	}
	return false;
}

static uint64_t begin(const struct elf_image *e, const struct gotab *g,
		      uint64_t i)
{
	return g->base + number(e, g->functab + i * 2 * g->width, g->width);
}

bool go_function(const struct elf_image *e, uint64_t vaddr, uint64_t *start,
		 uint64_t *end)
{
	struct gotab g;
	uint64_t lo = 0, hi;

	if (!gotab_open(e, &g))
		return false;
	hi = g.n;
	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (begin(e, &g, mid) <= vaddr)
			lo = mid;
		else
			hi = mid;
	}
	*start = begin(e, &g, lo);
	*end = begin(e, &g, lo + 1);
	return vaddr >= *start && vaddr < *end;
}
