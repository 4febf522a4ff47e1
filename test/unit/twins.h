/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A leader and followers without monitord: processes that share a ring and
 * call ipmon_entry the way a stub does.
 *
 * Each variant is a forked process with its own context, gate and GS base; a
 * SIGSEGV handler does what monitord does about faults in copy.S.  The
 * "intact syscall" behind an entry is one that stores that it was reached.
 */
#ifndef TEST_UNIT_TWINS_H
#define TEST_UNIT_TWINS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <ipmon/abi.h>

/* What variants tell each other and the test: shared memory. */
struct twins_shared {
	uint64_t barrier;		/* arrivals, all together */
	struct {
		uint64_t diverged;	/* reserved calls made */
		struct ipmon_difference diff;
		char note[128], label[64];
		uint64_t forwarded;	/* calls that reached the syscall */
		uint64_t kernel;	/* calls made at the gate */
		uint64_t last_kernel;	/* ... and the last one's number */
		int result;		/* of the test function */
	} v[IPMON_MAX_VARIANTS];
	uint64_t word[64];		/* for the test */
	char text[4096];
};

struct twins {
	struct twins_shared *sh;
	struct ipmon_ring *ring;	/* writable in every process */
	struct ipmon_cursor *cursors;
	struct ipmon_ctx *ctx;		/* own one, after the fork */
	unsigned int n, me;
};

extern struct twins tw;

struct twins_options {
	unsigned int n;
	uint32_t policy;
	uint32_t spin_max;
	uint64_t max_lag;
};

/*
 * Run `fn` in n variants; fn returns 0 when all is well.  Returns 0, or prints
 * which variant failed and returns its value (or 1000 + signal).  The state in
 * tw.sh stays readable until the next run.
 */
int twins_run(const struct twins_options *o, int (*fn)(void));

/* All variants wait for each other. */
void twins_meet(void);

/*
 * A call through ipmon_entry.  Left to monitord: TWINS_LEFT, and `forwarded` is
 * counted.  Registers that a syscall preserves are checked; abort() otherwise.
 */
#define TWINS_LEFT (-100000)
int64_t twins_call(uint64_t nr, ...);
/* The same as an array, without checks: for measuring. */
int64_t twins_call_quick(const struct ipmon_call *c);

/* What monitord would do. */
void twins_trapped(bool on);		/* leader at a rendezvous, or not */

#endif
