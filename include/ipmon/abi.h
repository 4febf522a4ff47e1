/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boundary between libipmon and monitord: the reserved call and the
 * registration it carries.
 *
 * libipmon's constructor issues syscall IPMON_NR_REGISTER with
 *   rdi = address of struct ipmon_register (in its own memory)
 *   rsi = sizeof(struct ipmon_register)
 * No kernel has this number: without a monitor the call returns -ENOSYS and
 * libipmon stays inert.  monitord answers 0, or a negative errno and one line
 * of explanation on its own stderr; the program runs on under CP-MON alone.
 */
#ifndef IPMON_ABI_H
#define IPMON_ABI_H

#include <stdint.h>

#define IPMON_NR_REGISTER	0x49504dul	/* "IPM" */
#define IPMON_ABI_VERSION	1u

struct ipmon_register {
	uint32_t size;		/* sizeof(struct ipmon_register) */
	uint32_t abi;		/* IPMON_ABI_VERSION */
	uint64_t table_hash;	/* ipmon_table_hash() of the library */
	uint64_t text_start;	/* the library's executable segment as mapped */
	uint64_t text_end;
};
_Static_assert(sizeof(struct ipmon_register) == 32, "registration ABI");

/* ---- the in-process half: context, rings, gate ---- */

/*
 * Every task has one context, reached through %gs: only; no pointer to it is
 * kept in memory the program can find.  monitord creates it (exec, clone),
 * fills it in while the task is stopped, and may write it at any stop.
 * Offsets up to CTX_ASM_END are known to the assembly (arch/offsets.h).
 */
struct ipmon_ctx {
	uint64_t self;		/* 0: its own address */
	uint64_t gate;		/* 8: address of the trusted syscall */
	uint64_t stack;		/* 16: top of IP-MON's stack, 16-aligned */
	uint64_t saved_sp;	/* 24: the program's stack pointer, while inside */
	uint64_t entry;		/* 32: ipmon_entry, where stubs jump */
	uint32_t live;		/* 40: 0: every call is left to monitord */
	uint32_t pending;	/* 44: the next call is left to monitord; may be
				 * set at any time, followers never look at it */
	uint32_t inside;	/* 48: 1 from entry to exit of IP-MON */
	uint32_t variant;	/* 52: 0 leader */
	/* ---- CTX_ASM_END = 56 ---- */
	uint32_t n_variants;	/* live ones, including the leader */
	uint32_t policy;	/* enum ipmon_policy */
	uint64_t ring;		/* struct ipmon_ring of this task set */
	uint64_t cursors;	/* struct ipmon_cursor[IPMON_MAX_VARIANTS] */
	uint64_t followers;	/* bit per live follower */
	uint64_t slow_fds;	/* bitmap of IPMON_SLOW_FDS descriptors whose
				 * calls are left to monitord (views, ...) */
	uint64_t epoll;		/* struct ipmon_epoll, private to the process */
	uint32_t flags;		/* IPMON_CTX_* */
	int32_t vpid, vtid;	/* as the program sees them */
	uint32_t pad;
	uint64_t max_lag_bytes;	/* relaxed: followers may be this far behind */
	/* counters, written by IP-MON only, read by monitord for --stats */
	uint64_t n_calls, n_verified, n_forwarded, n_wakes, n_waits;
};
_Static_assert(sizeof(struct ipmon_ctx) == 168, "context ABI");

enum ipmon_policy { IPMON_STRICT, IPMON_VERIFIED, IPMON_RELAXED };

/* ctx->flags */
#define IPMON_CTX_FILEDATA	1u	/* calls that change file content go to
					 * monitord (followers have copies) */
#define IPMON_CTX_NO_OPEN	2u	/* opens go to monitord */

#define IPMON_SLOW_FDS		65536u	/* higher descriptors are always slow */
#define IPMON_MAX_VARIANTS	8

/* What lies where: one hidden region per process, by offset. */
#define IPMON_CTX_SIZE		65536u	/* context, then stack growing down
					 * from its end */
#define IPMON_SLOTS		64u	/* task sets with a ring, per process
					 * tree of one image */

/*
 * The kernel call at the gate was interrupted, or must not be made: put in
 * place of its result by monitord.  The call is left to monitord.
 */
#define IPMON_KICKED		(-4095 - 1)

/*
 * A replication ring: one producer (the leader's thread), its followers read.
 * The leader maps the arena of rings read-write, followers read-only; cursors
 * live in a second arena which all map read-write.
 */
#define IPMON_RING_BYTES	(1u << 18)	/* of records, power of two */
struct ipmon_ring {
	uint64_t head;		/* bytes published since creation (release) */
	uint32_t wake;		/* futex followers sleep on; changed to wake */
	uint32_t state;		/* enum ipmon_ring_state, for diagnosis */
	uint8_t pad[4096 - 16];
	uint8_t data[IPMON_RING_BYTES];
};
_Static_assert(sizeof(struct ipmon_ring) == 4096 + IPMON_RING_BYTES,
	       "ring ABI");
enum ipmon_ring_state {
	RING_RUNNING,
	RING_BLOCKED,		/* leader is in a call that may sleep */
	RING_TRAPPED,		/* leader is at a rendezvous (monitord) */
};

struct ipmon_cursor {
	uint64_t tail;		/* bytes consumed (release) */
	uint64_t checked;	/* bytes whose inputs were compared: verified
				 * calls wait for this one */
	uint32_t sleeping;	/* sleeps on ring->wake: must be woken */
	uint32_t space;		/* futex the leader sleeps on for room or for
				 * `checked`; changed by the follower when
				 * `leader_waits` is set */
	uint32_t leader_waits;
	uint8_t pad[64 - 28];
};
_Static_assert(sizeof(struct ipmon_cursor) == 64, "cursor ABI");

/*
 * One record. Lengths are bytes; the record occupies `size` bytes, a multiple
 * of 8, and never wraps: REC_SKIP fills the end of the buffer.  A call whose
 * inputs or outputs exceed REC_PIECE is streamed as several records, REC_MORE
 * set on all but the last.
 */
struct ipmon_record {
	uint32_t size;		/* of the whole record, header included */
	uint16_t nr;
	uint16_t flags;		/* REC_* */
	int64_t ret;
	uint32_t in_len;	/* bytes of serialised inputs that follow */
	uint32_t out_len;	/* bytes of outputs behind them (8-aligned) */
};
_Static_assert(sizeof(struct ipmon_record) == 24, "record ABI");
#define REC_SKIP	1u	/* no call: go to the start of the buffer */
#define REC_FORWARD	2u	/* leader leaves this call to monitord although
				 * it could be handled: followers do the same */
#define REC_MORE	4u	/* continued in the next record */
#define REC_INPUTS	8u	/* inputs only, to be checked; the result
				 * follows in a record of its own (verified) */

/* A follower found a difference: reported through this reserved call.
 * rdi = enum div_kind of monitord, rsi = argument index or -1, rdx = offset of the
 * first differing byte, r10 = address of the leader's record in the ring,
 * r8 = address of the differing bytes in the follower or 0. Never returns. */
#define IPMON_NR_DIVERGED	0x495044ul	/* "IPD" */

/*
 * epoll data per process (private memory): the leader registers
 * IPMON_EPOLL_TAG | fd with the kernel, and every variant finds the program's
 * own data here, by (epfd, fd).  Open addressing, linear probing.
 */
#define IPMON_EPOLL_TAG		0x4950450000000000ull	/* low 32 bits: fd */
#define IPMON_EPOLL_SLOTS	65536u
struct ipmon_epoll {
	struct {
		int32_t epfd;	/* -1 deleted, 0 with fd 0 = never used */
		int32_t fd;
		uint64_t data;
	} slot[IPMON_EPOLL_SLOTS];
};

/*
 * What libipmon tells monitord about its own text at registration: addresses
 * and instruction ranges with a meaning.
 */
struct ipmon_ranges {
	uint64_t entry;		/* ipmon_entry: target of the stubs */
	uint64_t window_start;	/* pending is tested ... */
	uint64_t window_end;	/* ... until the gate is entered: a stop in here
				 * moves ip back to window_start */
	uint64_t copy_start;	/* a fault in [copy_start, copy_end) continues */
	uint64_t copy_end;	/* at copy_fault */
	uint64_t copy_fault;
};

#endif
