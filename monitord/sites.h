/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Syscall sites of an ELF file: can one be patched, and how.
 *
 * A site is named by the file's virtual address of its `syscall`, which a
 * trap has proven to be an instruction.  site_plan() finds whole instructions
 * directly before it that make room for a jump and can run elsewhere;
 * site_emit() writes them, followed by the way into IP-MON.
 *
 * Other instructions whose result must be the same in all variants (rdtsc, rdrand:
 * tsc.c) are such sites as well; room for the jump is made behind them
 * (site_plan_own(), sites_own.c).
 *
 * Pure code over the file's bytes, which are hostile: bounded everywhere.
 */
#ifndef MONITORD_SITES_H
#define MONITORD_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An ELF file in memory (monitord's mapping). */
struct elf_image {
	const uint8_t *data;
	size_t size;
};

#define SITE_MAX_INSNS	8
#define SITE_MAX_REGION	40	/* bytes before the syscall */
#define SITE_STUB_MAX	160	/* bytes of one stub */

enum site_kind {
	SITE_NONE = 0,		/* cannot be patched */
	SITE_P1,		/* one instruction before the syscall */
	SITE_P,			/* several */
	SITE_S,			/* too few bytes for the jump: a short one, to
				 * a jump in the padding between functions */
};

struct site_insn {
	uint64_t vaddr;
	uint8_t len;
	uint8_t bytes[15];
	uint8_t disp_at;	/* offset of a RIP-relative disp32, 0 = none */
	bool jcc;		/* conditional jump: emitted with rel32 */
	uint8_t cc;		/* its condition */
	uint64_t target;	/* vaddr it jumps to */
};

/* An instruction other than a syscall. */
struct site_own {
	uint8_t len, pre;	/* bytes; prefixes among them */
	uint8_t code[5];
	bool visit;		/* any one, of a loop that waits: it is moved like
				 * those behind it, `code` is not used */
};

struct site_plan {
	enum site_kind kind;
	uint64_t vaddr;		/* of the syscall, or the other instruction */
	uint64_t start;		/* of the region, what it replaces: behind a */
	uint64_t end;		/* syscall it ends, with another one it begins */
	struct site_own own;	/* len 0: a syscall */
	uint8_t trap;		/* where in its stub the ud2 is */
	uint8_t next;		/* and what comes after the instruction */
	unsigned int n;
	struct site_insn insn[SITE_MAX_INSNS];
	uint64_t hole;		/* SITE_S: vaddr of five bytes of padding */
	const char *why;	/* SITE_NONE: reason, for people */
};

/* Program header that maps vaddr executable: file offset of vaddr, or 0. */
uint64_t elf_offset(const struct elf_image *e, uint64_t vaddr);
/* vaddr of the first PT_LOAD (page aligned): the base that load bias counts
 * from, and of a file offset. */
bool elf_vaddr(const struct elf_image *e, uint64_t offset, uint64_t *vaddr);
/* Bounds of the function around vaddr, by .eh_frame or a symbol. */
bool elf_function(const struct elf_image *e, uint64_t vaddr, uint64_t *start,
		  uint64_t *end);

/* Has it a symbol of this name, of its own, that others can use? */
bool elf_defines(const struct elf_image *e, const char *name);

/* Executable segment i: its bytes in the file, their number, where the first
 * one goes.  False: there are no more. */
bool elf_text(const struct elf_image *e, unsigned int i, const uint8_t **p,
	      uint64_t *n, uint64_t *vaddr);

/* `taken` says which padding another site has: may be NULL. */
void site_plan(const struct elf_image *e, uint64_t vaddr, struct site_plan *p,
	       bool (*taken)(void *ctx, uint64_t hole), void *ctx);

/* The same for an instruction at vaddr, which decoding has proven. */
void site_plan_own(const struct elf_image *e, uint64_t vaddr,
		   const struct site_own *own, struct site_plan *p,
		   bool (*taken)(void *ctx, uint64_t hole), void *ctx);

/*
 * A loop: the instructions it begins with, up to the first branch, which are executed
 * in each round of it, but those that stay where they are (rdtsc: a site of its own).
 */
#define SITE_LOOP_FIRST	8u
struct site_loop {
	uint64_t start, end;		/* vaddrs; end: behind the branch back */
	unsigned int n;
	uint64_t first[SITE_LOOP_FIRST];
	uint8_t len[SITE_LOOP_FIRST];
	bool pure;			/* it calls nothing, and writes only to its
					 * function's frame */
	bool watches;			/* ... and reads other memory that may change,
					 * at a place that stays the same */
};
/* The loops around vaddr, n at most, inner ones first: how many.  rbp: it has the
 * function's frame. */
unsigned int site_loops(const struct elf_image *e, uint64_t vaddr, bool rbp,
			struct site_loop *l, unsigned int n);

/* Does an instruction begin at vaddr?  By decoding the function around it. */
enum boundary { BOUNDARY_NO, BOUNDARY_YES, BOUNDARY_UNKNOWN };
enum boundary site_boundary(const struct elf_image *e, uint64_t vaddr);
/* Its data goes: another file's may come to the same place. */
void site_forget(const struct elf_image *e);
/* Bare code: are no registers used but the general ones? */
bool site_plain_code(const struct elf_image *e);

/*
 * The stub for a plan, to lie at address `at`, for an image loaded with
 * `bias` (address = vaddr + bias).  Returns its length, 0 when something is
 * out of reach.
 */
size_t site_emit(const struct site_plan *p, uint64_t bias, uint64_t at,
		 uint8_t out[SITE_STUB_MAX]);

#endif
