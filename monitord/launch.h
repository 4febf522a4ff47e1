/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting variants and preparing every new program image.
 */
#ifndef MONITORD_LAUNCH_H
#define MONITORD_LAUNCH_H

#include <linux/filter.h>
#include "monitor.h"

/*
 * Build the seccomp program for one variant: arch and x32 checks, both words of the
 * instruction pointer against gate+2, then the policy tree of the leader or of
 * a follower.  The instructions are allocated; the caller frees prog->filter.
 * 0 or -errno.
 */
int filter_build(uint64_t gate, enum policy policy, bool leader,
		 struct sock_fprog *prog);

/* What a 32-bit or x32 call is called, in `buf`. */
const char *filter_foreign_name(bool x32, uint64_t nr, char *buf, size_t cap);

/*
 * Does the kernel have what files are opened with at the gate, and does it keep
 * to one file system, and does configuration not deny it?  Else every open is left
 * to monitord.  For people: errno of the attempt, 0 if a file of /proc was opened.
 */
bool filter_opens(int *error);

/* Calls that no program to be built lets anybody make at the gate. */
void filter_deny(const struct call_override calls[IPMON_NR_MAX]);

/* Find a program as execvp(3) does: *out is allocated.  0 or -errno. */
int launch_find(const char *name, char **out);

/*
 * Find the files to execute, before anything is forked.  0, or the exit
 * status for our caller (126, 127; said).
 */
int launch_resolve(void);

/* cmd_run.c: fill mon.libipmon with the path of libipmon.so, or "". */
void find_libipmon(void);
/* What goes into LD_PRELOAD: libipmon-compat.so, or nothing. */
extern char preload_list[4096 + 32];
/* What libraries need that some variant alone preloads (needed.c): for all. */
extern char preload_needed[PRELOAD_MAX];
/* Both, those of one variant, and what comes first. */
#define PRELOAD_LIST (sizeof(preload_list) + 3 * PRELOAD_MAX + 3)

/*
 * Fork, seize and start all variants; creates mon.root (launching) with its
 * first task set.  On return the tasks run towards their first execve.
 * 0 or -errno (said).
 */
int launch(void);

/* If the root program was never executed, say why. */
void launch_say_failure(void);
/* Set-uid programs run without their privileges: no_new_privs is set. */
extern bool launch_no_new_privs;
/* A random page-aligned address in the range of gates and scratch areas. */
uint64_t hidden_address(void);

/*
 * Prepare a fresh image.  Every live variant's task of `s` is AT_EXIT of its
 * successful execve, s->proc->mm is new with only gate[] filled in.  Maps the
 * gate and the scratch pages, hides the vDSO, injects LD_PRELOAD, chooses
 * delta[], makes executable mappings disjoint (execs followers again if
 * needed), copies AT_RANDOM under --layout same.  0, or -errno when the image
 * could not be prepared (said); the tasks are AT_EXIT again, with the new
 * image's entry registers in place.
 */
int exec_setup(struct taskset *s);

/* exec_check.c: is the file an ELF program for another instruction set?  The
 * second form resolves the path as process `pid` would (execveat(2)). */
bool exec_file_foreign(const char *path);
bool exec_is_foreign(pid_t pid, int dirfd, const char *path);

/* libipmon-compat's call (handler H_LINKED; row-less number). */
void linked_start(struct taskset *s);
/* Put the environment back as execve's caller made it, if that is still to be
 * done. */

/* maps.c: /proc/PID/maps of one task. */
struct map_entry {
	uint64_t start, end, offset;
	char perms[5];
	uint32_t dev_major, dev_minor;
	uint64_t inode;
	char path[256];
};
/* Calls cb for each line until it returns non-zero; returns that, or 0, or
 * -errno. */
int maps_each(pid_t tid, int (*cb)(void *ctx, const struct map_entry *e),
	      void *ctx);

#endif
