/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boundary between libipmon and monitord: what monitord finds in the
 * library's file, and what both find in memory.
 *
 * monitord maps the library into every variant of a new program before its
 * first instruction (monitord/library.c), so nothing of it has to run for that.
 */
#ifndef IPMON_ABI_H
#define IPMON_ABI_H

#include <stdint.h>

/*
 * Numbers of our own calls.  A filter that is there before ours (systemd's
 * SystemCallFilter=) kills for numbers it does not know, so what the kernel and
 * its filters see, the lower half of rax, is a call that such filters let
 * through and that does nothing on this machine (get_thread_area); ptrace shows
 * all of rax.
 */
#define IPMON_NR_CARRIER	211u
#define IPMON_NR_OWN(x)		((x) << 32 | IPMON_NR_CARRIER)
/* libipmon-compat's constructor, the first of all that run: the dynamic linker has
 * done its work.  No kernel has this number: -ENOSYS without a monitor. */
#define IPMON_NR_LINKED		IPMON_NR_OWN(0x49504dul)	/* "IPM" */
#define IPMON_ABI_VERSION	7u

/*
 * Addresses and instruction ranges with a meaning in the library's text.
 */
struct ipmon_ranges {
	uint64_t entry;		/* ipmon_entry: target of the stubs */
	uint64_t window_start;	/* pending is tested ... */
	uint64_t window_end;	/* ... until the gate is entered: a stop in here
				 * moves ip back to window_start.  All that is
				 * needed from there on is in registers.  A stop at
				 * the gate's first byte belongs to it as well:
				 * the return address is popped then */
	uint64_t copy_start;	/* a fault in [copy_start, copy_end) continues */
	uint64_t copy_end;	/* at copy_fault, all registers as they are */
	uint64_t copy_fault;
	uint64_t flush;		/* ipmon_flush: the leader sends what it holds,
				 * then makes the call IPMON_NR_FLUSHED.  To be
				 * entered with rsp = ctx->stack */
	uint64_t insn;		/* ipmon_insn: target of the stubs of other
				 * instructions than syscalls */
};

/*
 * The ELF note in the file that says where these are (libipmon/note.S): name
 * "ipmon", type IPMON_NOTE_TYPE, and this.
 */
#define IPMON_NOTE_NAME		"ipmon"
#define IPMON_NOTE_TYPE		1u
struct ipmon_note {
	uint32_t size;		/* sizeof(struct ipmon_note) */
	uint32_t abi;		/* IPMON_ABI_VERSION */
	uint64_t table_hash;	/* ipmon_table_hash() of the library */
	struct ipmon_ranges ranges; /* each how far from the field itself */
};
_Static_assert(sizeof(struct ipmon_note) == 80, "note.S");

/* ---- the in-process half: context, rings, gate ---- */

/* Where a ring's two ends stand: kept by IP-MON in its context. */
struct ipmon_producer {
	uint64_t head;		/* published so far, as ring->head */
	uint64_t limit;		/* head may go this far, as last seen */
	uint64_t wake_at;	/* look for sleepers when head gets here */
	uint64_t turn;		/* of the next record (struct ipmon_record) */
};
struct ipmon_consumer {
	uint64_t tail;		/* consumed so far, as cursor->tail */
	uint64_t head;		/* ring->head as last seen */
};

#define IPMON_OUT_SITES	16u
#define IPMON_OUT_FDS	64u
#define IPMON_CLOCKS	12u	/* clock ids 0 .. 11 (clock_gettime(2)) */
struct ipmon_time {
	int64_t sec, nsec;
};

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
	uint64_t hold;		/* leader, verified: struct ipmon_hold, or 0 */
	uint32_t flags;		/* IPMON_CTX_* */
	int32_t vpid, vtid;	/* as the program sees them */
	uint32_t spin_max;	/* looks a waiter may take before it sleeps;
				 * 0: never spin */
	uint64_t time;		/* leader: clock_gettime of its vDSO, which
				 * takes no more stack than IP-MON has; 0:
				 * the time is a system call */
	uint64_t max_lag_bytes;	/* the leader waits for followers that are
				 * further behind; 0: the ring's size */
	/* counters, written by IP-MON only, read by monitord for --stats */
	uint64_t n_calls, n_verified, n_forwarded, n_wakes, n_waits;
	uint64_t n_private;	/* follower: private calls made or skipped */
	uint64_t n_held;	/* outputs held (struct ipmon_hold) */
	/* IP-MON's own state; all zero when a ring is attached */
	struct ipmon_producer p;	/* leader */
	struct ipmon_consumer c;	/* follower */
	uint32_t spin;		/* present length of a spin */
	uint32_t lazy;		/* leader: wakes put off since the last one;
				 * follower: records since it offered its processor */
	uint32_t solos;		/* follower: private calls alone in a row */
	uint32_t clocks;	/* follower: bit per valid clock[] */
	uint64_t base_sp;	/* program's stack pointer at the last call that
				 * was not private */
	struct ipmon_time clock[IPMON_CLOCKS];	/* what it has last told; in a
				 * follower: what it was last seen to tell */
	struct ipmon_time gave[IPMON_CLOCKS];	/* follower: the program, last */
	uint64_t channel_fds;	/* bitmap: slow descriptors that are so only
				 * for addresses: core/channel.h */
	/* bounds the user chose: --level, --max-lag */
	uint32_t level;		/* enum ipmon_level: calls beyond it are left to
				 * monitord; 0: all levels */
	uint32_t max_lag_records; /* the leader may be so many calls ahead; 0:
				 * as many as max_lag_bytes allows */
	uint64_t plain_fds;	/* bitmap of IPMON_SLOW_FDS descriptors known to
				 * be no sockets; kept only if level is set */
	/* memcalls.c */
	int64_t delta;		/* follower: its mappings lie so much higher */
	uint64_t special;	/* leader: struct ipmon_special of the process */
	uint64_t lag_wake_at;	/* leader: in place of p.wake_at, which then
				 * says "at every call" */
	uint64_t lag_mark;	/* where the ring was half of max_lag_records
				 * ago */
	uint32_t lag_calls;	/* ... and how many calls ago that is */
	uint32_t after;		/* the call at hand is over: IPMON_NR_AFTER */
	/* turn.c */
	uint64_t turn;		/* struct ipmon_turn, 0: nobody to share with */
	uint32_t slot;		/* of ring and cursors */
	uint32_t turn_calls;	/* leader: calls since it has the turn, while
				 * others want it */
	uint32_t alone_calls;	/* answered without a record; in all variants */
	uint32_t yielded;	/* follower: REC_YIELD was the last record; the
				 * number of the call + 1 */
	uint64_t calls;		/* uint8_t[IPMON_NR_MAX], enum ipmon_wish: what
				 * the user wants of single calls; 0: nothing */
	/* wait.c */
	uint32_t awaited;	/* follower: > 0: the leader has waited for it
				 * so few records ago that it is worth spinning */
	uint16_t spin_vain;	/* spins in vain since the last long one */
	uint16_t spin_every;	/* so many are between long ones */
	/* follower, placement.c */
	uint32_t stacked;	/* sleeps in a row on the leader's processor */
	uint32_t stacked_enough; /* so many, and it leaves */
	uint32_t stacked_seen;	/* ring->waited at the last sleep */
	uint32_t commons;	/* calls that were not private: equal where two
				 * variants have come as far */
	uint64_t turn_since;	/* leader: ns, the first of turn_calls; 0: none */
	uint64_t words;		/* struct ipmon_words, read-only in followers */
	int64_t after_ret;	/* ... with this result */
	/* turn.c, leader: the futex it has waited at before, at which call, how
	 * often in a row; the call at hand gives the turn away; wakes since one did */
	uint64_t vain_addr, vain_at;
	uint32_t vain;
	uint16_t gives, wakes_kept;
	/* more.c, leader: the last output, its descriptor + 1, and its site */
	uint64_t out_at;	/* n_calls then */
	uint64_t out_ns;	/* when it began; 0: not asked */
	uint32_t out_fd, out_site;
	uint32_t more;		/* the connection that waits for more, + 1 */
	uint32_t told;		/* ... by the call at hand */
	uint32_t foretold;	/* the call at hand is to be made so */
	uint32_t suits_at;	/* ring->releases when suits[] was true */
	uint32_t more_site;	/* the site that told */
	uint32_t pace_vain;	/* pace.c: waits in vain, in a row */
	uint32_t suits[IPMON_OUT_FDS]; /* descriptors + 1 that may take part, or
				 * (more.c: UNFIT) may not */
	uint8_t follows[IPMON_OUT_SITES]; /* how often in a row, up to some */
	uint64_t word_at;	/* follower: REC_WORD is of the word here; 0: none */
	/* known to the assembly and to stubs of instructions that are no syscalls */
	uint64_t insn_entry;	/* ipmon_insn, where they call */
	uint64_t insn;		/* IPMON_INSN_*; its upper half is 0 */
	uint64_t insn_back;	/* where in the stub it goes on */
	uint64_t insn_value;	/* the number drawn */
	/* turn.c, leader: private calls since `alone_commons`, while others want the
	 * turn, and when the first of them was; 0: none */
	uint64_t alone_since;
	uint32_t alone_commons, alone_n;
	uint32_t visits;	/* insn.c: of loops that wait, alike in all variants */
	uint32_t unused;
	uint64_t hot;		/* leader: struct ipmon_hot; 0: no followers */
};
_Static_assert(sizeof(struct ipmon_ctx) == 1216, "context ABI");

/*
 * Instructions whose result must be the same in all variants: the number of their
 * records, and of the frame.  No system call has such a number.
 */
#define IPMON_INSN_COUNTER	0xfff0u	/* rdtsc, rdtscp: ret is the counter */
#define IPMON_INSN_RANDOM	0xfff1u	/* rdrand, rdseed: ret is the number */
/* One of a loop that waits for others (monitord/spin.c): it has no result. */
#define IPMON_INSN_VISIT	0xfff2u

/*
 * What the leader was told by clocks that a follower has gone over, or that the
 * leader read at monitord without it, oldest first.  In the follower's context, at
 * IPMON_SKIPPED_AT.  Empty when ctx->solos is 0; each entry that is not used up
 * counts there as one.
 */
#define IPMON_SKIPPED_AT	2048u
#define IPMON_SKIPPED_MAX	50u
struct ipmon_skipped {
	uint64_t n;
	struct ipmon_skipped_clock {
		uint64_t nr, id;	/* of the call, 0: used; of the clock */
		uint64_t time[2];	/* seconds; as that call counts parts */
		uint64_t depth;		/* of the leader's stack */
	} at[IPMON_SKIPPED_MAX];
};
_Static_assert(sizeof(struct ipmon_ctx) <= IPMON_SKIPPED_AT &&
	       IPMON_SKIPPED_AT + sizeof(struct ipmon_skipped) <= 4096,
	       "behind the context");

enum ipmon_wish {
	IPMON_WISH_NONE = 0,
	IPMON_WISH_LEFT,	/* to monitord */
	IPMON_WISH_WAIT,	/* for the followers, as `verified` does */
	IPMON_WISH_GO,		/* without them */
};

enum ipmon_policy { IPMON_STRICT, IPMON_VERIFIED, IPMON_RELAXED };

/*
 * The leader's mappings that monitord keeps track of, by address: calls on them
 * are left to it.  n beyond the array: all memory is.  Per process.
 */
#define IPMON_SPECIAL_MAX	507u
#define IPMON_ZONES		4u
struct ipmon_special {
	uint64_t n, pad;
	/* Where all its memory is, with what lies around it; end 0: unused.  May
	 * grow at any time. */
	struct {
		uint64_t start, end;
	} zone[IPMON_ZONES];
	struct {
		uint64_t start, end;
	} range[IPMON_SPECIAL_MAX];
};
_Static_assert(sizeof(struct ipmon_special) == 8192, "special ranges ABI");

/*
 * Addresses that went through channels of the program's own: what a follower has
 * in place of the leader's.  Written by monitord only: libipmon/core/channel.h.
 */
#define IPMON_WORDS		1023u
#define IPMON_WORDS_BITS	16u
struct ipmon_words {
	uint32_t n;		/* ever added */
	uint32_t pad;
	uint8_t seen[(1u << IPMON_WORDS_BITS) / 8]; /* bitmap of hashes */
	struct ipmon_word {
		uint64_t leader, own;
		uint32_t variant, pad;
	} word[IPMON_WORDS];
	uint8_t pad2[16];
};
_Static_assert(sizeof(struct ipmon_words) == 32768, "words ABI");

/*
 * Files that followers have copies of, which what is written by calls must get to as
 * well: such calls are left to monitord (libipmon/filedata.c).  Written by monitord
 * only (monitord/shadow_hot.c), at any time; a file keeps its place, and ino 0 is none.
 */
#define IPMON_HOT_FILES		63u
#define IPMON_HOT_MORE		(1ull << 63)	/* there are more: any file may be one */
struct ipmon_hot {
	uint64_t used;		/* bit per place, IPMON_HOT_MORE (release) */
	struct ipmon_hot_file {
		uint64_t dev;	/* IPMON_HOT_DEV() */
		uint64_t ino;
	} file[IPMON_HOT_FILES];
	uint8_t pad[4096 - 8 - 16 * IPMON_HOT_FILES];
};
_Static_assert(sizeof(struct ipmon_hot) == 4096, "hot files ABI");
#define IPMON_HOT_DEV(major, minor) ((uint64_t)(major) << 32 | (uint32_t)(minor))

/* ctx->flags */
#define IPMON_CTX_NO_OPEN	2u	/* opens go to monitord */
#define IPMON_CTX_NO_MEMORY	4u	/* and so do calls on memory */
#define IPMON_CTX_DIVERSE	8u	/* variants do not all load the same code:
					 * monitord/own.c */
#define IPMON_CTX_FDS_SHARED	32u	/* others have the same descriptors */
#define IPMON_CTX_SHARES	64u	/* it may have memory that processes share */
#define IPMON_CTX_WAIT		16u	/* leader: what waits under verified waits
					 * under relaxed, too: h_mmap.c */

#define IPMON_SLOW_FDS		65536u	/* higher descriptors are always slow */
#define IPMON_MAX_VARIANTS	8

/* What lies where: one hidden region per process, by offset. */
#define IPMON_CTX_SIZE		65536u	/* context, then stack growing down
					 * from its end */
#define IPMON_CTXS		1024u	/* contexts: threads and processes of
					 * one image and its forks */
#define IPMON_SLOTS		256u	/* task sets with a ring, per process
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

/*
 * What the leader did, by number of the call: for people (monitord's control
 * socket), nothing depends on it.  Here, and not in the context, because it
 * outlives the leader.
 */
#define IPMON_COUNTS		512u	/* IPMON_NR_MAX */
struct ipmon_count {
	uint64_t calls;		/* brought to IP-MON and not left at once */
	uint64_t verified;	/* of these: waited until all had asked for it */
	uint64_t held;		/* of these: done when all have asked for it */
	uint64_t forwarded;	/* left to monitord after all */
};
/* What the leader's thread waits for: libipmon/pi.c.  Followers read it only. */
struct ipmon_pi {
	uint64_t addr;		/* of the futex, */
	int32_t pid;		/* in this process */
	uint32_t tid;		/* the thread's number, as the program knows it */
	int32_t prio;
	uint32_t seq;
	uint32_t given;		/* the lock is its own now */
	uint32_t pad;
};
struct ipmon_ring {
	uint64_t head;		/* bytes published since creation (release) */
	uint8_t pad0[64 - 8];
	/* written rarely: a cache line of their own */
	uint32_t wake;		/* futex followers sleep on; changed to wake */
	uint32_t state;		/* enum ipmon_ring_state */
	uint32_t held;		/* the leader holds outputs back, or has told the
				 * kernel to; another value when it has sent some,
				 * 0: none are left */
	uint32_t waited;	/* how often the leader has waited for followers,
				 * << 12 | on which processor the last time */
	uint32_t releases;	/* rendezvous behind the leader, from 1; private
				 * calls it made alone are none */
	uint32_t awake;		/* followers stay awake between records (pace.c) */
	struct ipmon_pi pi;
	uint8_t pad[4096 - 120];
	struct ipmon_count count[IPMON_COUNTS];
	uint8_t data[IPMON_RING_BYTES];
};
_Static_assert(sizeof(struct ipmon_ring) == 4096 + 16384 + IPMON_RING_BYTES,
	       "ring ABI");
enum ipmon_ring_state {
	RING_RUNNING,
	RING_BLOCKED,		/* leader is in a call that may sleep */
	RING_TRAPPED,		/* leader is at a rendezvous.  Written by monitord,
				 * which also ends it before it resumes anybody:
				 * a follower that finds the ring empty in this
				 * state wants another call than the leader */
	RING_WAITING,		/* leader waits for followers */
};

/*
 * Where a follower stands.  A record is consumed only after its inputs have
 * been compared, so a verified call waits for `tail` to pass its inputs.
 */
struct ipmon_cursor {
	uint64_t tail;		/* bytes consumed (release) */
	uint8_t pad0[64 - 8];
	/* written rarely: a cache line of their own, so that the leader can
	 * look at `sleeping` at every call */
	uint32_t sleeping;	/* sleeps on ring->wake: must be woken */
	uint32_t space;		/* futex the leader sleeps on; changed by the
				 * follower to wake it */
	uint64_t want;		/* ... when tail gets here, and */
	uint32_t leader_waits;	/* ... this is set */
	uint32_t apart;		/* in the leader's: a variant has read the clock
				 * without the others (core/decide.h) */
	/* turn.c */
	uint64_t at;		/* the follower rests at the call whose record is
				 * here, or has got further (release).  Calls
				 * that are monitord's have no record: where tail
				 * is may still be several of them ahead */
	uint32_t at_wanted;	/* somebody waits for that on ... */
	uint32_t at_wake;	/* ... this futex; changed to wake.  In the
				 * leader's: it waits for the turn itself */
	uint32_t waits_turn;	/* it waits for a sibling of its variant */
	uint32_t moving;	/* it is on its way to another processor: worth
				 * spinning for, longer than usual */
	uint64_t at_pos;	/* at_wanted: where it is to come to rest */
	uint32_t cpu;		/* + 1: where it last was; 0: not known */
	uint8_t pad[64 - 60];
};
_Static_assert(sizeof(struct ipmon_cursor) == 128, "cursor ABI");

/*
 * Whose turn it is among tasks of one domain that handle calls themselves: one
 * at a time runs code of the program (libipmon/turn.c, monitord/turn.c).  In the
 * arena of rings, after them: followers read it.
 */
struct ipmon_turn {
	uint64_t word;		/* state, holder: TURN_WORD() */
	uint64_t carry;		/* of a holder in the kernel that has not told its
				 * followers yet whom it had the turn from, and
				 * run nothing since: RECORD_TURN(), or 0 */
	uint64_t want[IPMON_SLOTS / 64]; /* bit per slot that waits */
	uint32_t monitor;	/* monitord keeps it or wants it: nobody takes
				 * it, but who has it goes on */
	uint32_t tell;		/* who begins to wait tells monitord */
	uint32_t sync;		/* a follower that comes to rest tells monitord */
	uint32_t next;		/* slot + 1 of who has waited for too long */
	uint32_t taken;		/* how often */
	uint32_t pad1;
	uint64_t starved;	/* futex at which somebody has been woken in vain
				 * too often, or 0 */
	uint64_t pi[IPMON_SLOTS / 64]; /* bit per slot that waits for a lock
				 * (struct ipmon_pi); changed with the turn */
	uint32_t pi_seq;	/* of the next one */
	uint8_t pad[128 - 116];
};
_Static_assert(sizeof(struct ipmon_turn) == 128, "turn ABI");
enum ipmon_turn_state {
	TURN_FREE,
	TURN_RUN,		/* the holder runs the program's code */
	TURN_CALL,		/* it is in the kernel, and may sleep there */
	TURN_SLEEP,		/* it is in the kernel to sleep */
};
/* slot: the holder's, -1: none, or monitord */
#define TURN_WORD(state, slot)	((uint64_t)(state) | (uint64_t)((slot) + 1) << 8)
#define TURN_STATE(word)	((unsigned int)(word) & 0xffu)
#define TURN_SLOT(word)		((int)((word) >> 8 & 0xffffu) - 1)
#define IPMON_TURNS		64u	/* in an arena */
/*
 * Leader: I have begun to wait for the turn; follower: I am at rest.  Result 0.
 */
#define IPMON_NR_TURN		IPMON_NR_OWN(0x495054ul) /* "IPT" */

/*
 * Outputs of the leader that are sent when the followers have asked for the
 * same: libipmon/hold.c.  Private memory of the leader, one per slot; of the bytes
 * only those that have ever been needed at once are there.
 */
#define IPMON_HOLD_OPS		64u
#define IPMON_HOLD_BYTES	1048576u
#define IPMON_HOLD_FDS		1024u
enum ipmon_hold_kind {
	HOLD_SEND,
	HOLD_OPTION,
	HOLD_SHUTDOWN,
	HOLD_CLOSE,
};
struct ipmon_hold_op {
	int32_t fd;
	uint32_t at, len;	/* its bytes in data */
	uint32_t arg;		/* MSG_MORE or 0; of shutdown; TCP option */
	uint32_t room;		/* bytes that may be added */
	uint16_t kind;		/* enum ipmon_hold_kind */
	uint16_t peer;		/* port of the other side; 0: not asked yet */
	int32_t was;		/* HOLD_CLOSE: the number that was closed;
				 * HOLD_OPTION: the value */
	uint64_t pos;		/* sent when all tails are there */
};
/* pace.c: what outputs took, in ticks of the counter. */
struct ipmon_pace {
	uint64_t since;		/* the counter when `outputs` was 0 */
	uint64_t before, other;	/* with what is settled, with the other way */
	uint32_t outputs;
	uint32_t stage;
	uint32_t left, every;	/* measurements until the other way is tried */
};
struct ipmon_hold {
	uint32_t n;		/* operations held, the oldest first */
	uint32_t end;		/* of data: where the next bytes go; it goes on
				 * at the beginning when that is free */
	uint32_t ends;		/* HOLD_SHUTDOWN, HOLD_CLOSE among them */
	uint32_t hide;		/* where the next descriptor is hidden */
	int32_t plain;		/* a descriptor whose outputs are not held ... */
	uint32_t skip;		/* ... not asked about again for so many */
	uint32_t age;		/* of the epoll table when `ends` was 0 */
	uint32_t n_fresh;	/* epoll registrations made since */
	uint32_t quiet;		/* operations since followers were woken */
	uint32_t sent;		/* changes when some are sent */
	/* bit per descriptor, as last found */
	uint64_t roomy[IPMON_HOLD_FDS / 64]; /* its send buffer is large */
	uint64_t at_once[IPMON_HOLD_FDS / 64]; /* it is non-blocking */
	uint64_t no_mptcp[IPMON_HOLD_FDS / 64];
	uint64_t changes;	/* of ipmon_epoll, when these were found */
	uint32_t releases;	/* ... and of ipmon_ring */
	uint32_t asked;		/* how often roomy has spared asking */
	uint32_t turn;		/* operations since the leader last slept */
	uint32_t usual;		/* ... as a rule, the sum of some times */
	uint32_t twice;		/* a connection was asked again for room behind
				 * what it held, so few askings ago */
	struct ipmon_pace pace;
	uint16_t fresh[IPMON_HOLD_OPS];	/* ... their slots */
	struct ipmon_hold_op op[IPMON_HOLD_OPS];
	unsigned char data[IPMON_HOLD_BYTES];
};
/*
 * Leader: the program's call, a transfer that waits, has come back with a part of
 * what it was to transfer.  rdi: that part.  Result 0: the call is left to monitord,
 * which makes the rest; else nothing was to follow.
 */
#define IPMON_NR_CUT	IPMON_NR_OWN(0x495043ul)	/* "IPC" */
/*
 * Not at the gate but in place of the program's call, at its own instruction: that
 * call has been made, with the result in ctx->after_ret, and signals that came
 * meanwhile are to be delivered before it returns.  No arguments.
 */
#define IPMON_NR_AFTER	IPMON_NR_OWN(0x495041ul)	/* "IPA" */
/* The end of ipmon_flush; does not return there. */
#define IPMON_NR_FLUSHED	IPMON_NR_OWN(0x495046ul)	/* "IPF" */

/*
 * One record. Lengths are bytes; the record occupies `size` bytes, a multiple
 * of 8, and never wraps: REC_SKIP fills the end of the buffer (of such a record
 * only the first 8 bytes exist).  A call is one record or several, REC_MORE set
 * on all but the last; its inputs are the input parts of them all, then come
 * the output parts.  What the parts contain: libipmon/core/stream.h.
 */
struct ipmon_record {
	uint32_t size;		/* of the whole record, header included */
	uint16_t nr;
	uint16_t flags;		/* REC_* */
	int64_t ret;		/* valid in the last record of a call */
	uint32_t in_len;	/* bytes of serialised inputs that follow */
	uint32_t out_len;	/* bytes of outputs behind them (8-aligned) */
	uint64_t turn;		/* REC_TURN: during this call others had the turn;
				 * the last of them gave it back at a call of
				 * its own: RECORD_TURN().  REC_CLOCK: core/clock.h */
};
_Static_assert(sizeof(struct ipmon_record) == 32, "record ABI");
/* its slot, and the position its ring had reached then; slot -1: nobody whom a
 * follower would have to wait for */
#define RECORD_TURN(slot, pos)	((uint64_t)((slot) + 1) << 48 | \
				 ((pos) & 0xffffffffffffull))
#define RECORD_TURN_SLOT(turn)	((int)((turn) >> 48) - 1)
#define RECORD_TURN_POS(turn)	((turn) & 0xffffffffffffull)
#define REC_SKIP	1u	/* no call: go to the start of the buffer */
#define REC_FORWARD	2u	/* leader leaves this call to monitord although
				 * it could be handled: followers do the same */
#define REC_MORE	4u	/* continued in the next record */
#define REC_INPUTS	8u	/* inputs only; to be consumed when they have been
				 * compared, before the rest is there */
#define REC_LANE	16u	/* inputs are plain words, not items */
#define REC_PRIVATE	32u	/* REC_FORWARD: of a private call (decide.h) */
#define REC_AFTER	256u	/* all variants make IPMON_NR_AFTER now */
#define REC_TURN	64u	/* turn says something */
#define REC_CLOCK	512u	/* what a clock said, header only: core/clock.h */
#define REC_WORD	1024u	/* REC_YIELD, at a futex call: the word there has
				 * become ret */
#define REC_YIELD	128u	/* no call, header only: the leader lets others have
				 * the turn at the call whose record comes next, of
				 * this number */

/* Most that one record holds; longer calls are streamed. */
#define IPMON_PIECE	32768u

/*
 * A follower found a difference: reported through this reserved call, made at
 * the gate.
 *	rdi	enum div_kind of monitord
 *	rsi	argument index or -1
 *	rdx	offset of the first differing byte in its span
 *	r10	address of the leader's record in the ring (as mapped here), 0:
 *		there is none, the leader is at a rendezvous
 *	r8	address of the differing span in the follower, or 0
 *	r9	address of a struct ipmon_difference
 * The program's registers are in the struct ipmon_frame below ctx->stack.
 * Result 0: look again (the leader's call was a private one and has been made
 * without this variant).  n > 0, for IPMON_DIV_PAYLOAD: the next n bytes from
 * the differing one on may differ, go on behind them.  Negative: the call is
 * left to monitord.
 */
#define IPMON_NR_DIVERGED	IPMON_NR_OWN(0x495044ul)	/* "IPD" */

/* The values of enum div_kind that IP-MON reports.  IPMON_DIV_ASK is none of
 * them, but the question whether the leader, at a rendezvous, makes a private
 * call there, before the follower makes a private one of its own.  Result 0: it
 * does, look again; 1: no. */
#define IPMON_DIV_ASK		0u
#define IPMON_DIV_CALL		1u
#define IPMON_DIV_ARGUMENT	2u
#define IPMON_DIV_PAYLOAD	3u
#define IPMON_DIV_RESULT	8u

struct ipmon_difference {
	uint32_t kind;		/* IPMON_DIV_* */
	int32_t arg;		/* argument index, -1 */
	uint32_t nr[2];		/* leader's, follower's */
	uint64_t record;	/* as r10 */
	uint64_t value[2];	/* DIV_ARGUMENT: leader's, follower's */
	uint64_t addr;		/* as r8 */
	uint64_t len[2];	/* DIV_PAYLOAD: of the span */
	uint64_t offset;	/* as rdx */
	uint64_t bytes;		/* DIV_PAYLOAD: address in the ring of the
				 * leader's bytes from `at` on, n_bytes of them */
	uint64_t at;
	uint64_t n_bytes;
	uint64_t label;		/* address of a string in libipmon, or 0 */
	uint64_t note;		/* likewise: plain words */
};
_Static_assert(sizeof(struct ipmon_difference) == 112, "difference ABI");

/*
 * The program's registers while IP-MON runs, at the top of its stack (the
 * struct ends at ctx->stack).  The stack pointer is ctx->saved_sp; rbx, rbp and
 * r12 to r15 are wherever the compiler saved them.  At an instruction that is no
 * syscall nr is IPMON_INSN_*, rcx an address in its stub.
 */
struct ipmon_call {
	uint64_t nr;		/* rax */
	uint64_t args[6];	/* rdi rsi rdx r10 r8 r9 */
};
struct ipmon_frame {
	union {
		struct ipmon_call call;
		struct {
			uint64_t nr;
			uint64_t args[6];
		};
	};
	uint64_t rcx;		/* address after the syscall */
	uint64_t flags;
};
_Static_assert(sizeof(struct ipmon_frame) == 72, "frame ABI");

/*
 * epoll data per process (private memory).  The kernel is given a tag in place
 * of the program's data: who registered it and the index of a slot; every variant
 * has its own data in the slot of that index.  The variants' tables are equal
 * but for the data.  Functions on it: libipmon/core/epoll.h.
 */
#define IPMON_EPOLL_TAG		0x4950450000000000ull	/* | owner << 16 | slot */
#define IPMON_EPOLL_SLOTS	65536u
#define IPMON_EPOLL_OWNERS	32768u
struct ipmon_epoll_slot {
	uint32_t ep;		/* owner << 17 | epfd + 1; 0 never used;
				 * 0x1ffff in place of epfd + 1: retired */
	uint32_t fd;		/* of a retired one: its age */
	uint64_t data;
};
struct ipmon_epoll {
	uint32_t owner;		/* who makes new registrations: monitord's number
				 * for the process, below IPMON_EPOLL_OWNERS */
	uint32_t age;		/* of the next slot to be retired */
	uint64_t made;		/* registrations ever made */
	uint64_t changes;	/* leader: calls after which descriptors may no
				 * longer be what they were (hold_fds.c) */
	struct ipmon_epoll_slot slot[IPMON_EPOLL_SLOTS];
};

/*
 * An event whose data is not in the own table (the instance is shared with
 * another process, or monitord made the registration): this reserved call asks
 * monitord, which answers each variant by itself.
 *	rdi	the data as the kernel returned it
 *	rsi	address of a uint64_t for this variant's data
 * Result 0, or negative: nobody's, the event is to be dropped.
 */
#define IPMON_NR_EPOLL_DATA	IPMON_NR_OWN(0x495045ul)	/* "IPE" */

#endif
