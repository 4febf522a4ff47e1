/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patching proven syscall sites: theory of operation in patch.c.
 */
#ifndef MONITORD_PATCH_H
#define MONITORD_PATCH_H

#include "monitor.h"
#include "sites.h"

/* Why a call came to monitord (--stats). */
enum trap_why {
	TRAP_NOT_LOADED,	/* libipmon has not registered (yet) */
	TRAP_KIND,		/* no policy handles such a call in-process */
	TRAP_SITE,		/* its site is not patched */
	TRAP_TURN,		/* the set does not run alone */
	TRAP_CALL,		/* arguments, descriptor, a signal: IP-MON or
				 * monitord decided so */
	TRAP_WHYS
};

struct patch_map;		/* per mm: patched objects and stub areas */

/*
 * Patch what is proven of every object mapped executable, in all variants.
 * All tasks of the set are AT_ENTRY or AT_EXIT; siblings, if any, are stopped
 * outside the patched regions or in the kernel.  Sets mm->patched when libc's
 * sites are in place.  0 or -errno (nothing has been changed then).
 */
int patch_process(struct taskset *s);

/* The call of this rendezvous (all AT_ENTRY or AT_EXIT, nothing restored yet)
 * proves a site: patch it when it is worth it. Cheap for sites known already. */
void patch_site(struct taskset *s);

/* The program is about to change what is mapped at its argument `arg`, len
 * bytes: the text there becomes its own again. */
void text_touched(struct taskset *s, unsigned int arg, uint64_t len);
void text_touched_at(struct taskset *s, const uint64_t start[MAX_VARIANTS],
		     uint64_t len);
/* A file (or not) has been mapped executable at these addresses. */
void text_mapped(struct taskset *s, const int64_t at[MAX_VARIANTS],
		 uint64_t len, bool file);

/* The text of this address space becomes the program's again in all variants, and
 * stays so. The set is at a rendezvous. */
void patch_undo(struct taskset *s);

/* Is ip inside a stub of this address space's variant v? */
bool patch_inside(const struct mm *mm, unsigned int v, uint64_t ip);

/* ---- patch_own.c: instructions that are no syscalls ---- */

/* All variants stand at this one, a fault of theirs about to be emulated, and have
 * done so often enough: it is patched, if it can be. */
void patch_own(struct taskset *s, const struct site_own *own,
	       const uint64_t at[MAX_VARIANTS]);
/* The leader's text there becomes the program's again, in all variants. */
void patch_own_off(struct taskset *s, uint64_t at);

/* ip is in the stub of such a one, at its ud2 or before: where it is in this variant,
 * what comes after it, and the instruction's own place. */
struct patch_own {
	struct site_own insn;
	uint64_t trap, next, back;
};
bool patch_own_at(const struct mm *mm, unsigned int v, uint64_t ip,
		  struct patch_own *own);

/* fork and end of an address space */
struct patch_map *patch_fork(const struct patch_map *p);
void patch_free(struct patch_map *p);

#endif
