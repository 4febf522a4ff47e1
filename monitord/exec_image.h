/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fresh program image, as the kernel has made it: what is mapped where, and
 * calls in it.  Shared by the files that prepare images (exec_*.c).
 */
#ifndef MONITORD_EXEC_IMAGE_H
#define MONITORD_EXEC_IMAGE_H

#include <sys/prctl.h>
#include "monitor.h"
#include "stack.h"

enum part { PART_OTHER, PART_PROGRAM, PART_LINKER, PART_VDSO };

struct range {
	uint64_t start, end;
	uint64_t inode;			/* 0 = anonymous */
	uint32_t dev_major, dev_minor;
	enum part part;
	bool exec;			/* never for the vDSO, which is gone
					 * before the program runs */
	bool code;			/* executable, the vDSO's as well */
};

/* What there is to know about one variant's fresh image. */
struct image {
	struct task *t;
	struct user_regs_struct regs;	/* as the program is to see them */
	struct stack stack;
	unsigned char *bytes;		/* owned copy behind stack.bytes */
	struct range *map;		/* all but the stack and the vsyscall page,
					 * sorted */
	unsigned int n_map, cap_map;
	uint64_t stack_start, stack_end;
	uint64_t base;			/* of the interpreter, 0 = none */
	bool glibc;			/* glibc's dynamic linker is in it ... */
	bool linker;			/* ... and was itself executed */
	bool listing;			/* shall only print what it would load */
	uint64_t area_start, area_end;	/* the mmap area as used so far */
};

/*
 * Registers, stack and mappings of a task at its execve's exit stop. 0 or
 * -errno.  Frees what an earlier call has allocated; image_free() at the end.
 */
int image_read(struct image *im, struct task *t);
void image_free(struct image *im);

/* From the first to the last mapping of a part: false if there is none. */
bool image_span(const struct image *im, enum part part, uint64_t *start,
		uint64_t *end);

/* Is the program loaded where its file says? */
bool image_position_dependent(struct image *im);

/* One call in the image, by the gate's page.  The task is AT_ENTRY or AT_EXIT. */
int64_t image_inject(struct task *t, uint64_t gate, uint64_t nr,
		     const uint64_t args[6]);
int64_t image_call(struct image *im, uint64_t gate, uint64_t nr, uint64_t a0,
		   uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4);

/*
 * exec_first.c: the library that has to be the first one of the image, put in front
 * of `list` (of `size` bytes, separated by colons), if there is one.  `linker`: the
 * image is a dynamic linker's that has been told what to run.
 */
void first_library(struct image *im, bool linker, char *list, size_t size);

/* Is a symbol of this name, defined or needed, among those that the program's dynamic
 * linker looks at?  (exec_first.c) */
bool image_names(struct image *im, const char *symbol);

/*
 * What the kernel knows of an address space.  The break is where it begins, in a fresh
 * image.  0 or -errno.
 */
int image_mm(pid_t tid, struct prctl_mm_map *map);

/*
 * Tell the kernel.  With `auxv` what it keeps of the auxiliary vector, for
 * prctl(PR_GET_AUXV) and /proc/PID/auxv, becomes that of our copy of the stack.  Needs a
 * kernel with CONFIG_CHECKPOINT_RESTORE.  0 or -errno; -ESRCH: the task is gone.
 */
int image_set_mm(struct image *im, struct mm *mm, unsigned int v,
		 struct prctl_mm_map *map, bool auxv);

/*
 * exec_stack.c: follower v's stack is moved to where the leader's is, modulo 4 GiB or at
 * least some pages.  The gate and the scratch area are mapped.  0 or -errno.
 */
int stack_place(struct image *leader, struct image *im, struct mm *mm,
		unsigned int v);

/*
 * exec_stack.c: the rebuilt blocks shall begin as far from the stack's end in all
 * variants, as far as there is room for it: sets stack.begin.  `preload` is what
 * stack_rebuild() will add.
 */
void stack_begin_alike(struct image *im, const char *const preload[]);

/* exec_stack.c: the stack is made longer, if need be, so that it can be written at addr. */
bool stack_reach(struct image *im, uint64_t addr);

/*
 * exec_layout.c: where follower v's program, heap, linker and later mappings
 * lie.  The gate and the scratch area are mapped.  Moves what is to be moved,
 * corrects registers and stack (in im[v], not in the process) and sets
 * mm->delta[v].  0 or -errno.
 */
int layout_follower(struct taskset *s, struct image im[MAX_VARIANTS],
		    unsigned int v);

/* exec_layout.c: the leader's heap; before the followers are laid out. 0 or -errno. */
int layout_leader(struct taskset *s, struct image *im);

/* exec_layout.c: how far from the leader's the stack of follower v shall be. */
int64_t layout_stack(unsigned int v);

#endif
