/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items: the flat list of everything a system call takes from and gives to
 * its caller.
 *
 * Theory of operation
 * -------------------
 * Walking a call (ipmon_walk) turns (row, six argument registers, memory of
 * one variant) into a sequence of items, emitted in an order that depends
 * only on input values which are themselves compared.  Two variants that ask
 * for the same thing therefore emit the same number of items of the same
 * types, and item i of one corresponds to item i of the other:
 *
 *   compare   = item by item: scalars by value, input spans byte by byte
 *   replicate = output span i of the leader is copied to output span i of
 *               each follower, `actual` bytes, after the leader's call
 *
 * The walk happens once, before the call, while the variant is stopped; the
 * items are the single fetch of all lengths and pointers (no double fetch).
 * How many bytes an output really has is only known after the leader's call:
 * each output item carries a rule, evaluated against the leader alone.
 *
 * Pure code: memory is reached only through the caller's reader, so the same
 * walkers run in monitord (process_vm_readv), in libipmon (guarded loads)
 * and in the fuzzers (a byte array).
 */
#ifndef IPMON_ITEMS_H
#define IPMON_ITEMS_H

#include <stdint.h>
#include <stddef.h>
#include <ipmon/table.h>

enum ipmon_item_type {
	IT_SCALAR = 1,	/* value, compared */
	IT_IN,		/* input span, compared byte by byte */
	IT_STR,		/* NUL-terminated input string; len without the NUL */
	IT_OUT,		/* output span, replicated */
	IT_FAULT,	/* the caller's pointer is not readable here: variants
			 * must agree, then the kernel answers EFAULT */
};

/* How many bytes of an output span the kernel wrote ("actual"). */
enum ipmon_rule {
	R_SUCCESS = 0,/* all of it, if ret >= 0 */
	R_ALWAYS,	/* all of it, whatever ret */
	R_RET,		/* min(ret, len), if ret > 0 */
	R_RETMUL,	/* min(ret * aux, len), if ret > 0 (aux = element size) */
	R_U32,		/* min(*(u32 *)aux, len), if ret >= 0; aux is an address
			 * in the LEADER's memory, read after the call; the
			 * word itself is replicated by its own item */
	R_U64,		/* the same with a u64 word */
	R_VEC,		/* part of a vector: `ret` bytes are spread over this
			 * and the directly following R_VEC items with the same
			 * group number */
	R_VEC_U32,	/* the same, total = *(u32 *)aux of the leader */
	R_RETOK_NZ,	/* all of it, if ret > 0 (wait4 status, ...) */
	R_U32_ALWAYS,	/* as R_U32, also on error */
	R_INTR,		/* all of it, if the call was interrupted: ret is -EINTR
			 * or one of the kernel's ERESTART codes */
	R_NZ32,		/* all of it, if ret >= 0 and *(u32 *)aux is not zero */
	R_MAX
};

struct ipmon_item {
	uint8_t type;		/* enum ipmon_item_type */
	uint8_t arg;		/* index of the argument it hangs off, 0..5 */
	uint8_t rule;		/* enum ipmon_rule, outputs only */
	uint8_t group;		/* R_VEC*: vector group number;
				 * R_U32, R_U64: bytes per unit of the word,
				 * 0 counts as 1 */
	uint32_t len;		/* IN/STR: bytes to compare; OUT: capacity,
				 * which must agree between variants too */
	uint64_t value;		/* SCALAR: the value.  OUT: the span was not
				 * written at all if ret is below this (message
				 * i of recvmmsg: i + 1); not for *_ALWAYS */
	uint64_t addr;		/* IN/STR/OUT: address in the variant */
	uint64_t aux;		/* see enum ipmon_rule */
	const char *label;	/* static string, "iov[].iov_len": for reports;
				 * may be NULL. Never from variant memory */
};

/* Longest single span; longer requests are cut there, as the kernel does
 * (MAX_RW_COUNT). */
#define IPMON_SPAN_MAX 0x7ffff000u

/*
 * The environment of one walk.  `read` copies exactly n bytes from the
 * variant and returns 0, or -EFAULT.  `emit` takes one item (copied) and
 * returns 0 or a negative errno which ends the walk.
 */
struct ipmon_walk {
	int (*read)(void *ctx, void *dst, uint64_t src, size_t n);
	/* length of the NUL-terminated string at src, at most max;
	 * -EFAULT if unreadable before a NUL, -ENAMETOOLONG if no NUL */
	long (*strnlen)(void *ctx, uint64_t src, size_t max);
	int (*emit)(void *ctx, const struct ipmon_item *item);
	void *ctx;
	const struct ipmon_row *row;
	uint64_t nr;
	uint64_t args[6];
	uint8_t next_group;	/* walk-private */
	/* optional: the number of semaphores of a set, negative when unknown.
	 * Without it semctl GETALL and SETALL are -ENOSYS, because their array
	 * size is known to the kernel only. */
	long (*sem_nsems)(void *ctx, int semid);
	/* optional: the access mode (O_ACCMODE) of the pipe behind descriptor
	 * fd of the program; negative when it is none.  Without it vmsplice is
	 * -ENOSYS. */
	int (*pipe_mode)(void *ctx, int fd);
};

/*
 * Walk one call.  Returns 0, or the negative errno of emit; unreadable
 * memory is not an error (an IT_FAULT item is emitted and the rest of that
 * argument is skipped).  -ENOSYS: the row's walker does not know this
 * command (an unknown ioctl or prctl): the caller refuses the call.
 */
int ipmon_walk(struct ipmon_walk *w) __attribute__((warn_unused_result));

/*
 * Notes for those who compare and replicate:
 *  - items i of two variants agree if type, arg, rule and len are equal and,
 *    by type, the values (SCALAR) or the bytes (IN, STR) are;
 *  - an IN or STR span may turn out unreadable half-way.  Compare what can be
 *    read, demand that it ends at the same offset, and let the kernel answer;
 *  - an OUT item is replicated even if every variant executes the call;
 *    where variants must keep their own output no item is emitted;
 *  - an OUT span may be unwritable (the kernel said EFAULT, or wrote less):
 *    a failing copy is not an error of the monitor;
 *  - R_ALWAYS spans whose call failed early hold what the leader had there.
 *
 * Helpers for walkers (walk_*.c). All return what emit returned.  A null
 * `addr` with a length emits the scalar 0 instead.
 */
int ipmon_emit_scalar(struct ipmon_walk *w, unsigned int arg, uint64_t value,
		      const char *label);
int ipmon_emit_in(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		  uint64_t len, const char *label);
int ipmon_emit_out(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		   uint64_t len, unsigned int rule, uint64_t aux,
		   const char *label);
int ipmon_emit_fault(struct ipmon_walk *w, unsigned int arg);

/*
 * Pure evaluation of an output rule. `ret` is the leader's result; `word` is
 * the value at aux for the rules that need it, *vec_left the bytes left in
 * the current vector group (set by the caller to the total when a new group
 * begins, decremented here). Returns the bytes to copy, at most item->len.
 */
uint32_t ipmon_actual(const struct ipmon_item *item, int64_t ret,
		      uint64_t word, uint64_t *vec_left);

/* Size of the word at aux that the rule needs: 0 (none), 4 or 8. */
unsigned int ipmon_rule_word(unsigned int rule);

/* Bytes of a whole vector group, from any of its items: what *vec_left starts
 * with. */
uint64_t ipmon_vec_total(const struct ipmon_item *item, int64_t ret,
			 uint64_t word);

#endif
