/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time stamp counter, the vDSO that needs it, and the processor's random
 * numbers: theory of operation in tsc.c.
 */
#ifndef MONITORD_TSC_H
#define MONITORD_TSC_H

#include "monitor.h"

struct tsc_map;

/* Must the variants of a new run start with rdtsc trapped? */
bool tsc_always(void);

/* Offset of clock_gettime in the vDSO; 0: not to be used. */
uint64_t tsc_vdso_offset(void);

/* A fresh image: its executable mappings are in place, the tasks AT_EXIT of
 * execve, the gate usable; their registers are the caller's to set.
 * 0 or -ESRCH. */
int tsc_image(struct taskset *s);
/* The same for all that has been mapped while the image was linked (own.c). */
void tsc_linked(struct taskset *s);
/* len bytes of a file, from this offset, have been mapped executable at these
 * addresses. */
struct object;
void tsc_mapped(struct taskset *s, struct object *o, uint64_t offset,
		uint64_t len, const uint64_t at[MAX_VARIANTS]);
/* Text that may change has become executable. */
void tsc_unsure(struct taskset *s);
/* [start[v], start[v] + len) is about to be changed by the program: what we
 * changed there is put back. */
void tsc_touched(struct taskset *s, const uint64_t start[MAX_VARIANTS],
		 uint64_t len);
/* The program has asked for SIGSEGV, or no longer does (PR_SET_TSC). */
void tsc_program(struct taskset *s);

/* Rendezvous, tasks AT_ENTRY or AT_EXIT: traps and clocks as they should be. */
void tsc_apply(struct taskset *s);

/* The instruction a task faulted at was rdtsc(p), as written or as replaced, or
 * a replaced rdrand or rdseed; or one of a loop that waits (spin.h). */
enum tsc_fault { TSC_OTHER, TSC_COUNTER, TSC_RANDOM, TSC_VISIT };
enum tsc_fault tsc_fault(struct task *t);
/* All variants are at such a fault, about to be emulated: if it is a frequent one it
 * will not be one any more. */
void tsc_often(struct taskset *s);
/* At such a fault: to the instruction's own place, if it is in a stub. */
bool tsc_may_go_back(struct task *t);
void tsc_back(struct task *t);
/* One value for all variants that faulted at it, and how each gets it. */
struct tsc_value {
	uint64_t counter, random;
};
void tsc_draw(struct tsc_value *v);
void tsc_give(struct task *t, const struct tsc_value *v);
/* A follower faulted at an rdtsc its leader does not trap: answered.  False:
 * it is something else. */
bool tsc_follower(struct task *t);

/* Where the leader's IP-MON finds clock_gettime; 0: nowhere. */
uint64_t tsc_clock(const struct taskset *s);
/* Is ip inside the hidden vDSO? */
bool tsc_inside(const struct mm *mm, unsigned int v, uint64_t ip);
/* The vDSO makes its system call after all (AT_ENTRY): resumed. */
bool tsc_fallback(struct task *t);

/* fork and end of an address space */
struct tsc_map *tsc_fork(const struct tsc_map *m);
void tsc_free(struct tsc_map *m);

#endif
