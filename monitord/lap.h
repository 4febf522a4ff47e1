/* SPDX-License-Identifier: Apache-2.0 */
/* Loops that wait and count: what has to be the same when they are stopped. */
#ifndef MONITORD_LAP_H
#define MONITORD_LAP_H

#include "monitor.h"

#define LAP_REGS	15	/* all but the stack pointer, in lap_regs()' order */
#define LAP_CELLS	8u	/* of memory */

/* What changes from one round of the loop to the next. */
struct lap_moving {
	uint32_t regs;		/* a bit each */
	bool flags;
	unsigned int cells;	/* of memory: */
	struct {
		uint64_t addr;	/* in the leader */
		uint64_t value;	/* what the leader has there */
		uint8_t size;
		uint8_t step, operand;	/* which of the loop it is */
	} cell[LAP_CELLS];
};

/* The general registers of `t`, in place. */
struct user_regs_struct;
void lap_regs(struct user_regs_struct *r, unsigned long long *reg[LAP_REGS]);

/* Would the next instruction leave the program's own code? */
bool lap_leaves(struct task *t, uint64_t ip);

/* Would it see that it is stepped (pushf, popf)? */
bool lap_sees_steps(struct task *t, uint64_t ip);

/* Addresses of memory that the next instruction writes, as its operands tell, `n`
 * at most. How many. */
unsigned int lap_writes(struct task *t, uint64_t *addr, unsigned int n);

/*
 * Take the leader twice round the loop it may be in.  0: it is a loop that ends
 * only when somebody else changes its memory, `m` is what it counts; -ENOENT: it
 * is none, as far as can be told (the leader may have moved by some steps);
 * -EAGAIN: the leader is about to make a call, or is not stopped any more.
 */
int lap_of_leader(struct taskset *s, struct lap_moving *m)
	__attribute__((warn_unused_result));

/* `t` is where the leader is, but for what moves: make that the same.  Results
 * as above. */
int lap_follow(struct task *t, const struct lap_moving *m)
	__attribute__((warn_unused_result));

#endif
