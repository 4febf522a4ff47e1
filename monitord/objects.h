/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are mapped executable, and what is known about their text:
 * theory of operation in objects.c.
 */
#ifndef MONITORD_OBJECTS_H
#define MONITORD_OBJECTS_H

#include "launch.h"
#include "patch.h"
#include "sites.h"

/* How often one call trapped at a site. */
struct site_call {
	uint64_t nr, n;
	struct site_call *next;
};

/* A system call instruction, proven by a trap; or another one. */
struct site {
	struct site_plan p;
	bool planned;
	uint64_t vaddr;
	struct site_own own;		/* len 0: a syscall */
	unsigned int images;		/* address spaces it trapped in, before
					 * it was planned */
	uint64_t traps, patched;	/* patched: address spaces */
	uint64_t why[TRAP_WHYS];
	uint8_t text[SITE_MAX_REGION + 2];	/* of the region: as in the
						 * file, or with a ud2 of
						 * tsc.c's */
	uint8_t padding[5];
	struct site_call *calls;
	struct site *next;
};

struct object {
	char *name;			/* path it was first seen under */
	uint64_t dev, ino;		/* as stat(2) says */
	uint64_t map_ino;		/* as /proc/PID/maps says */
	int64_t mtime;
	uint64_t text, text_end;	/* vaddrs of the first executable
					 * segment */
	struct elf_image elf;		/* data NULL: no file of its own, or */
	bool unmapped;			/* one that is to be mapped again */
	struct site *sites;
	unsigned int n_sites;
	/* rdtsc, rdtscp, rdrand, rdseed in its executable segments (tsc.c) */
	bool scanned, tsc_doubt;
	unsigned int n_tsc;
	struct tsc_insn {
		uint64_t vaddr;
		struct site_own insn;
	} *tsc;
	unsigned int n_seeded;		/* seeded.c */
	struct seeded *seeded;
	unsigned int refs;		/* areas of address spaces (patch.c) */
	struct object *next;		/* not used for longer */
};
extern struct object *objects;

/* The file behind a mapping of task `tid`; NULL: it cannot be had. */
struct object *object_open(pid_t tid, const struct map_entry *e);
/* Before a file system is unmounted: no mapping of ours shall keep it. */
void objects_let_go(void);
/* One that stands for text without a file: "[anonymous]" and the like. */
struct object *object_named(const char *name);
/* Its site at this vaddr, made if need be; NULL: out of memory. */
struct site *site_get(struct object *o, uint64_t vaddr);

/* The function at vaddr as its symbol table calls it, "name+0x12"; or "". */
void object_symbol(struct object *o, uint64_t vaddr, char *buf, size_t n);

/*
 * Call fn, which reads the object's data.  False: the file has been cut off
 * meanwhile, and fn did not finish.
 */
bool object_safely(void (*fn)(void *ctx), void *ctx);

#endif
