/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared file mappings of followers: see shadow.c for the theory.
 *
 * Errors are -errno.  Nothing here is needed while there is no follower.
 */
#ifndef MONITORD_SHADOW_H
#define MONITORD_SHADOW_H

#include <sys/stat.h>
#include "monitor.h"

struct shadow;

/* ---- called by the generic parts ---- */

/*
 * The leader of `s` is about to make this call.  If it writes to a file that others
 * have mapped, its process is in order with them from now on.
 */
void shadow_will_change(struct taskset *s);
/*
 * The leader's call of `s`, whose row has RF_FILEDATA, returned `ret`: file
 * content or size may have changed.  Cheap when no shadow is in use.
 */
void shadow_file_changed(struct taskset *s, int64_t ret);
/*
 * The same for a handler that knows better: `len` bytes at `off` were written
 * through the leader's descriptor `fd`.  off -1: just before its position.
 */
void shadow_written(struct taskset *s, int fd, int64_t off, uint64_t len);

/* The child's mm was made by copying the parent's (fork, not CLONE_VM). */
void shadow_mm_fork(struct mm *child, const struct mm *parent);
/* The address space is gone: mm_put does this with the last reference. */
void shadow_mm_free(struct mm *m);

/* The files of which followers have copies, for the leaders of a new arena. */
void shadow_hot_list(struct ipmon_hot *hot);

/* ---- called by the memory handlers ---- */

/*
 * The shadow of an inode; with `make`, a cold one when there is none (NULL:
 * no memory).  The caller holds it until shadow_release.
 */
struct shadow *shadow_find(const struct stat *st, bool make);
/* The same for a SysV segment: IPC namespace, id, creator. Always made. */
struct shadow *shadow_find_shm(ino_t ns, int id, int cpid);
void shadow_release(struct shadow *sh);

/* Followers have copies of the content. */
bool shadow_is_hot(const struct shadow *sh);
/*
 * Give every follower its copy of the content, read through `fd` (a
 * descriptor of the file in monitord, not kept), and turn this process'
 * earlier mappings of the real file over to it.  0 or -errno.
 */
int shadow_heat(struct taskset *s, struct shadow *sh, int fd);
/* The same for a SysV segment, whose content is at `addr` of the leader. */
int shadow_heat_shm(struct taskset *s, struct shadow *sh, uint64_t addr,
		    uint64_t size);
/* Keep a way to the file for a later shadow_heat of a cold one. */
void shadow_pin(struct shadow *sh, int fd);
/* A descriptor (monitord's, the caller closes it) of follower v's copy. */
int shadow_fd(const struct shadow *sh, unsigned int v, bool writable);

/* One shared mapping, or what is left of it, in all variants. */
struct shadow_region {
	uint64_t addr[MAX_VARIANTS];	/* where each variant has it */
	uint64_t len;			/* bytes, whole pages */
	uint64_t base;			/* leader's address of the whole
					 * attachment (shmat) */
	uint64_t offset;		/* in the file */
	bool writable;			/* mprotect may make it writable */
	bool real;			/* followers map the file itself */
	struct shadow *sh;
	struct mm *mm;
	LIST_ENTRY(shadow_region) in_mm;
	LIST_ENTRY(shadow_region) in_shadow;
};

/* Record a mapping (a copy of *r) every variant of `m` has now. */
int shadow_map(struct mm *m, const struct shadow_region *r);
/* [start, start+len), the leader's addresses, is no longer what it was. */
void shadow_unmap(struct mm *m, uint64_t start, uint64_t len);
/* The region that contains the leader's address, or NULL. */
const struct shadow_region *shadow_at(const struct mm *m, uint64_t addr);
/* Does this range of variant v touch a region? */
bool shadow_touches(const struct mm *m, unsigned int v, uint64_t start,
		    uint64_t len);
/* The first region of the attachment made at this leader's address. */
const struct shadow_region *shadow_attached(const struct mm *m, uint64_t base);
/*
 * The range became writable in the leader (mprotect), or lost content
 * (MADV_REMOVE): followers need their copies before they do the same.
 */
int shadow_make_writable(struct taskset *s, uint64_t start, uint64_t len);
/* `sh` is hot: turn what this process still maps of the file over to it. */
int shadow_turn_over(struct taskset *s, struct shadow *sh);

#endif
