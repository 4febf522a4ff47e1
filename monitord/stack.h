/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initial stack of a fresh process image: parsing and rebuilding it.
 *
 * Pure code on a copy of the bytes from the stack pointer to the end of the
 * stack; nothing here touches a process.  The strings are chosen by whoever
 * called execve and pointers are believed only as far as the copy reaches.
 */
#ifndef MONITORD_STACK_H
#define MONITORD_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Auxiliary vector types; not from <elf.h>, whose AT_ENTRY is a macro. */
enum {
	AUX_NULL = 0, AUX_IGNORE = 1, AUX_PHDR = 3, AUX_PHENT = 4,
	AUX_PHNUM = 5, AUX_BASE = 7, AUX_ENTRY = 9, AUX_EUID = 12,
	AUX_EGID = 14, AUX_SECURE = 23, AUX_RANDOM = 25, AUX_HWCAP2 = 26,
	AUX_RSEQ_SIZE = 27, AUX_RSEQ_ALIGN = 28, AUX_EXECFN = 31,
	AUX_SYSINFO = 32, AUX_SYSINFO_EHDR = 33,
};

/* The kernel allows 6 MiB of strings and pointers (fs/exec.c). */
#define STACK_MAX (8u << 20)

struct stack {
	/* set by the caller */
	uint64_t sp;			/* 16-byte aligned */
	const unsigned char *bytes;	/* [sp, sp + size) */
	size_t size;
	uint64_t begin;			/* the rebuilt block shall begin here if
					 * it can, 0 = where it ends up */
	/* set by stack_parse(); addresses in the process */
	uint64_t argc, envc, auxc;	/* auxc counts pairs with AT_NULL */
	uint64_t argv, envp, auxv, end;	/* end: first byte after the auxv */
};

/* 0, or -EINVAL when the bytes are no initial stack. */
int stack_parse(struct stack *st) __attribute__((warn_unused_result));

/* The string at addr if it ends within the copy, or NULL. */
const char *stack_string(const struct stack *st, uint64_t addr);

/*
 * What the program is shown of an entry (type, value) of its auxiliary vector:
 * no vDSO, no rseq, and not that it may change the GS base by an instruction
 * (HWCAP2_FSGSBASE), which we could not see.
 */
void stack_aux_shown(uint64_t entry[2]);

/* Value of an auxiliary vector entry, or `absent`. */
uint64_t stack_aux(const struct stack *st, uint64_t type, uint64_t absent);

/*
 * Does this ask glibc's dynamic linker to list objects, by its environment or, if
 * it was executed itself, by an option?
 */
bool stack_lists(const struct stack *st, bool linker);

/* glibc's dynamic linker was executed: the program it goes on to execute, whose name is
 * among its arguments (ld.so(8)), or NULL. */
const char *stack_runs(const struct stack *st);

/* The caller's own LD_PRELOAD, the one the dynamic linker heeds; NULL: none. */
const char *stack_preload(const struct stack *st);

/* What to write where; `bytes` is allocated, the caller frees it. */
struct stack_image {
	uint64_t sp;			/* the new stack pointer, and where
					 * bytes go */
	unsigned char *bytes;
	size_t size;
	uint64_t auxv;			/* its new address */
	uint64_t env_slot;		/* of the preload entry, 0 = none */
	uint64_t env_orig;		/* the caller's own LD_PRELOAD string,
					 * which the slot held, or 0 */
	uint64_t preload;		/* address of the new string, or 0 */
};

/* Where the block that stack_rebuild() makes begins if nobody wants it elsewhere. */
uint64_t stack_begins(const struct stack *st, const char *preload);

/*
 * Rebuild the block of pointers with the vDSO and rseq hidden from the auxv
 * and, if wanted, with `preload` (libraries separated by colons) put in front
 * of LD_PRELOAD.  Everything that moves
 * moves into the space of the old block and below it; strings stay.
 *
 * Without an own LD_PRELOAD two entries are appended to the environment,
 * both pointing to the new string.  Hiding them later (stack_hide) turns them
 * into the terminating NULL and an AT_IGNORE entry that begins the auxv, so
 * that the vector stays where it is and whoever walks past envp to find it
 * still does.
 */
int stack_rebuild(const struct stack *st, const char *preload,
		  struct stack_image *out)
	__attribute__((warn_unused_result));

/* The vDSO is shown in a rebuilt stack's auxv after all. */
void stack_show_vdso(const struct stack *st, struct stack_image *out);

/* The words to write at env_slot to hide the preload entry; returns how many,
 * 1 or 2. */
unsigned int stack_hide(uint64_t env_orig, uint64_t words[2]);

#endif
