/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that change the address space (h_mmap.c, h_memory.c, h_shm.c),
 * registered in handlers.c.
 */
#ifndef MONITORD_H_MEMORY_H
#define MONITORD_H_MEMORY_H

#include "monitor.h"

/* H_MMAP */
void mmap_start(struct taskset *s);
void mmap_done(struct taskset *s, int64_t ret);
/* H_MREMAP */
void mremap_start(struct taskset *s);
void mremap_done(struct taskset *s, int64_t ret);
/* H_MUNMAP */
void munmap_start(struct taskset *s);
void munmap_done(struct taskset *s, int64_t ret);
/* H_MPROTECT: mprotect, pkey_mprotect */
void mprotect_start(struct taskset *s);
void mprotect_done(struct taskset *s, int64_t ret);
/* H_MADVISE */
void madvise_start(struct taskset *s);
void madvise_done(struct taskset *s, int64_t ret);
/* H_PROCESS_MADVISE */
void process_madvise_start(struct taskset *s);
/* H_MLOCKALL (h_mlock.c) */
void mlockall_start(struct taskset *s);
/* H_MSYNC */
void msync_start(struct taskset *s);
void msync_done(struct taskset *s, int64_t ret);
/* H_BRK: finished in start */
void brk_start(struct taskset *s);
/* H_SHMAT, H_SHMDT */
void shmat_start(struct taskset *s);
void shmat_done(struct taskset *s, int64_t ret);
void shmdt_start(struct taskset *s);
void shmdt_done(struct taskset *s, int64_t ret);

/* ---- shared by the files above ---- */

/* A result that is an error and not an address. */
static inline bool is_error(int64_t ret)
{
	return ret < 0 && ret >= -4095;
}

/* Does [start, start+len) of variant v touch a page of the monitor? */
bool mem_protected(const struct mm *m, unsigned int v, uint64_t start,
		   uint64_t len);
/*
 * Is the range named by argument `addr` (own in each variant) and `len` free
 * of the monitor's pages in every variant? If not the call has been refused
 * and finished, and false is returned.
 */
bool mem_allowed(struct taskset *s, unsigned int addr, uint64_t len);

/*
 * Does the range of an munmap or a fixed mmap cover pages of the monitor in some
 * variant, and the call can be made around them?  *valid: the kernel would find nothing
 * wrong with the range.
 */
bool mem_around(struct taskset *s, bool *valid);
/*
 * Make it around them in every variant.  *ret: 0 or -errno, as a difference between
 * variants `note` says what it means.  False when the run is over.
 */
bool mem_call_around(struct taskset *s, int64_t *ret, const char *note);

/*
 * Place a mapping in follower v: `target` is the address it must have to
 * match the leader's (0 = anywhere).  Tries there without replacing anything,
 * then wherever the kernel likes.  Returns the address or -errno.
 */
int64_t mem_place(struct task *t, uint64_t target, uint64_t len,
		  unsigned int prot, unsigned int flags, int fd, uint64_t off);

/* Follower v executes its own call, at AT_ENTRY or after injected ones. */
int64_t mem_own_call(struct taskset *s, unsigned int v);

/* Place follower v's part of a MAP_32BIT mapping that the leader has at `leader`. */
int64_t mem_place_low(struct taskset *s, unsigned int v, uint64_t leader, uint64_t len,
		      unsigned int flags, int fd);

/*
 * What mmap says to what cannot be mapped, `path` in /proc/PID/fd: what descriptor and
 * mount do not allow comes before ENODEV.
 */
int64_t mem_unmappable(const struct taskset *s, const char *path);

/*
 * Follower v's own result `ret` of a call that succeeded or failed otherwise
 * in the leader. Raises the divergence; true when the run goes on without
 * the follower.
 */
bool mem_diverge(struct taskset *s, unsigned int v, int64_t leader,
		 int64_t ret, const char *note);

#endif
