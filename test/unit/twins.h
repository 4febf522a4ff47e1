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
#include <stdio.h>
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
	/* everybody's: what monitord would write there, a test can */
	struct ipmon_ctx *of[IPMON_MAX_VARIANTS];
	unsigned int n, me;
};

extern struct twins tw;

struct twins_options {
	unsigned int n;
	uint32_t policy;
	uint32_t spin_max;
	uint64_t max_lag;
	int vdso;		/* the leader can read clocks without a call */
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
int64_t twins_call6(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
		    uint64_t e, uint64_t f);
/* Any number of arguments, pointers too. */
#define U_(x) ((uint64_t)(x))
#define C0_(nr) twins_call6(nr, 0, 0, 0, 0, 0, 0)
#define C1_(nr, a) twins_call6(nr, U_(a), 0, 0, 0, 0, 0)
#define C2_(nr, a, b) twins_call6(nr, U_(a), U_(b), 0, 0, 0, 0)
#define C3_(nr, a, b, c) twins_call6(nr, U_(a), U_(b), U_(c), 0, 0, 0)
#define C4_(nr, a, b, c, d) twins_call6(nr, U_(a), U_(b), U_(c), U_(d), 0, 0)
#define C5_(nr, a, b, c, d, e) \
	twins_call6(nr, U_(a), U_(b), U_(c), U_(d), U_(e), 0)
#define C6_(nr, a, b, c, d, e, f) \
	twins_call6(nr, U_(a), U_(b), U_(c), U_(d), U_(e), U_(f))
#define CN_(_0, _1, _2, _3, _4, _5, _6, name, ...) name
#define call(...) \
	CN_(__VA_ARGS__, C6_, C5_, C4_, C3_, C2_, C1_, C0_)(__VA_ARGS__)
/* Additional flags to enter with (DF, AC, ...). */
extern uint64_t twins_flags;
extern int64_t twins_last;		/* result of the last call */
/* The same as an array, without checks: for measuring. */
int64_t twins_call_quick(const struct ipmon_call *c);

/* What monitord would do. */
extern int64_t (*twins_on_report)(const struct ipmon_difference *d);
void twins_trapped(bool on);		/* leader at a rendezvous, or not */

/* In a variant: fail with the line. */
#define must(x) do { \
	if (!(x)) { \
		fprintf(stderr, "variant %u: line %d: %s (last result %ld)\n", \
			tw.me, __LINE__, #x, (long)twins_last); \
		return __LINE__; \
	} \
} while (0)

#endif
