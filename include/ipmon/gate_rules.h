/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which calls may be made from the gate.
 *
 * Theory of operation
 * -------------------
 * The filter (monitord/filter.c) lets pass what the broker may want to make at
 * the gate, and the broker (libipmon/core/decide.c) must not try what the
 * filter does not let pass: both ask here.
 *
 * What is allowed must be harmless in the hands of an attacker who jumps to the
 * gate with registers of his choice: reading and writing through descriptors that
 * were opened with everybody's consent, and reading by name; nothing that touches
 * the address space, processes, signals, credentials or the filter itself, and
 * nothing that makes a file or a link, writes to a file by its name, or changes
 * whose it is and what others may do with it.
 *
 * Rows flagged RF_BYCMD are allowed for the commands listed here only.
 */
#ifndef IPMON_GATE_RULES_H
#define IPMON_GATE_RULES_H

#include <ipmon/table.h>

/* The call passes if (args[arg] & mask) == value. */
struct ipmon_gate_rule {
	uint16_t nr;
	uint8_t arg;
	uint8_t flags;		/* GATE_* */
	uint64_t mask, value;
};
/* others can see what it does: `verified` waits for the followers */
#define GATE_WAIT	1u

static const struct ipmon_gate_rule ipmon_gate_rules[] = {
	/* fcntl: F_DUPFD, GETFD, SETFD, GETFL, SETFL, GETLK, SETLK, SETLKW,
	 * the OFD locks, F_DUPFD_CLOEXEC, F_GETPIPE_SZ, F_GET_SEALS */
	{ 72, 1, 0, 0xffffffffu, 0 },
	{ 72, 1, 0, 0xffffffffu, 1 },
	{ 72, 1, 0, 0xffffffffu, 2 },
	{ 72, 1, 0, 0xffffffffu, 3 },
	{ 72, 1, 0, 0xffffffffu, 4 },
	{ 72, 1, 0, 0xffffffffu, 5 },
	{ 72, 1, GATE_WAIT, 0xffffffffu, 6 },
	{ 72, 1, GATE_WAIT, 0xffffffffu, 7 },
	{ 72, 1, 0, 0xffffffffu, 36 },
	{ 72, 1, GATE_WAIT, 0xffffffffu, 37 },
	{ 72, 1, GATE_WAIT, 0xffffffffu, 38 },
	{ 72, 1, 0, 0xffffffffu, 1030 },
	{ 72, 1, 0, 0xffffffffu, 1032 },
	{ 72, 1, 0, 0xffffffffu, 1034 },
	/* ioctl: FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, and what isatty and
	 * terminal programs look at: TCGETS, TIOCGPGRP, TIOCOUTQ, TIOCGWINSZ */
	{ 16, 1, 0, 0xffffffffu, 0x541b },
	{ 16, 1, 0, 0xffffffffu, 0x5421 },
	{ 16, 1, 0, 0xffffffffu, 0x5450 },
	{ 16, 1, 0, 0xffffffffu, 0x5451 },
	{ 16, 1, 0, 0xffffffffu, 0x5401 },
	{ 16, 1, 0, 0xffffffffu, 0x540f },
	{ 16, 1, 0, 0xffffffffu, 0x5411 },
	{ 16, 1, 0, 0xffffffffu, 0x5413 },
	/* socket: AF_INET and AF_INET6.  By AF_UNIX whoever may speak to the
	 * user's other services has them do what the gate does not; AF_NETLINK
	 * and others configure the machine. */
	{ 41, 0, 0, 0xffffffffu, 2 },
	{ 41, 0, 0, 0xffffffffu, 10 },
	/* rt_sigaction: asking, not setting */
	{ 13, 1, 0, ~0ull, 0 },
	/* futex: wait and wake on words of the caller's own memory: WAIT, WAKE,
	 * WAIT_BITSET, WAKE_BITSET, with or without PRIVATE, CLOCK_REALTIME */
	{ 202, 1, 0, 0x7fu, 0 },
	{ 202, 1, 0, 0x7fu, 1 },
	{ 202, 1, 0, 0x7fu, 9 },
	{ 202, 1, 0, 0x7fu, 10 },
	/* ... and what never sleeps there: UNLOCK_PI, TRYLOCK_PI (libipmon/pi.c) */
	{ 202, 1, 0, 0xffffff7fu, 7 },
	{ 202, 1, 0, 0xffffff7fu, 8 },
};
#define IPMON_GATE_RULES \
	(sizeof(ipmon_gate_rules) / sizeof(ipmon_gate_rules[0]))

/* Is there a rule for this number at all? */
static inline int ipmon_gate_by_rule(uint64_t nr)
{
	for (unsigned int i = 0; i < IPMON_GATE_RULES; i++)
		if (ipmon_gate_rules[i].nr == nr)
			return 1;
	return 0;
}

/* The rule this call satisfies, or NULL. */
static inline const struct ipmon_gate_rule *
ipmon_gate_rule(uint64_t nr, const uint64_t args[6])
{
	for (unsigned int i = 0; i < IPMON_GATE_RULES; i++) {
		const struct ipmon_gate_rule *r = &ipmon_gate_rules[i];

		if (r->nr == nr && (args[r->arg] & r->mask) == r->value)
			return r;
	}
	return NULL;
}

/*
 * Calls on the caller's own memory, which every variant makes (memcalls.c of
 * libipmon).  Mapping: fresh private anonymous memory, never executable, and
 * never in place of something.  The others: nothing below IPMON_MEMORY_LOW,
 * where the monitor's hidden pages are (HIDDEN_BASE of monitord/launch.c).
 */
#define IPMON_MEMORY_LOW	0x600000000000ull
#define IPMON_MEMORY_TOP	0x7ffffffff000ull
/* Followers' memory lies so much lower than the leader's at most (monitord/
 * exec_layout.c, eight variants): what the leader does that near to LOW is monitord's. */
#define IPMON_MEMORY_SPREAD (18ull << 40)

#define IPMON_MAP_PRIVATE	0x02u
#define IPMON_MAP_ANONYMOUS	0x20u
#define IPMON_MAP_NORESERVE	0x4000u
#define IPMON_MAP_STACK		0x20000u
#define IPMON_MAP_FIXED_NOREPLACE 0x100000u
#define IPMON_PROT_RW		3u
#define IPMON_MREMAP_MAYMOVE	1u
#define IPMON_MREMAP_FIXED	2u

/* NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED, FREE (made as DONTNEED),
 * HUGEPAGE, NOHUGEPAGE */
#define IPMON_ADVICE		(1u << 0 | 1u << 1 | 1u << 2 | 1u << 3 | \
				 1u << 4 | 1u << 8 | 1u << 14 | 1u << 15)

/* The five, by their handlers. */
static inline int ipmon_memory_row(const struct ipmon_row *row)
{
	switch (row->handler) {
	case H_MMAP:
	case H_MUNMAP:
	case H_MREMAP:
	case H_MADVISE:
	case H_BRK:
		return 1;
	default:
		return 0;
	}
}

/* May this one be made in-process, as far as the compared arguments say? */
static inline int ipmon_memory_call(const struct ipmon_row *row,
				    const uint64_t args[6])
{
	uint32_t advice = (uint32_t)args[2];

	switch (row->handler) {
	case H_MMAP:
		return !args[0] && !((uint32_t)args[2] & ~IPMON_PROT_RW) &&
			((uint32_t)args[3] &
			 ~(IPMON_MAP_NORESERVE | IPMON_MAP_STACK)) ==
			(IPMON_MAP_PRIVATE | IPMON_MAP_ANONYMOUS);
	case H_MREMAP:
		return args[0] && args[1] && args[2] &&
			!((uint32_t)args[3] & ~IPMON_MREMAP_MAYMOVE);
	case H_MADVISE:
		return advice < 32 && (IPMON_ADVICE >> advice & 1);
	default:
		return 1;
	}
}

/*
 * Opening a file.  By name lies everything within reach, the memory of followers
 * (/proc/PID/mem) included, and the filter does not see names.  So the gate
 * passes one form only, which IP-MON uses in place of open and openat:
 *
 *	openat2(-1, name, how, 24)
 *
 * with no directory to start from, so the name is an absolute one, and with one
 * of the structures below, which lie in the gate's own page, where the program
 * cannot write: for reading, and not beyond a mount point (RESOLVE_NO_XDEV).
 * What is opened that way is on the file system of the root directory, and so
 * never a file of /proc, /sys or /dev.  All else is monitord's, also what this
 * one fails to open.
 */
#define IPMON_HOW_OFFSET	1024u	/* in the gate's page */
#define IPMON_HOW_STRIDE	32u
#define IPMON_HOWS		32u
#define IPMON_HOW_SIZE		24u	/* struct open_how */
#define IPMON_HOW_MASK		(~(uint64_t)((IPMON_HOWS - 1) * IPMON_HOW_STRIDE))
#define IPMON_HOW_NO_XDEV	1u	/* RESOLVE_NO_XDEV */
#define IPMON_HOW_NOWHERE	0xffffffffu
_Static_assert(!(IPMON_HOW_OFFSET & ~IPMON_HOW_MASK) &&
	       IPMON_HOW_OFFSET + IPMON_HOWS * IPMON_HOW_STRIDE <= 4096,
	       "one comparison under a mask tells");

struct ipmon_how {
	uint64_t flags, mode, resolve, none;
};
_Static_assert(sizeof(struct ipmon_how) == IPMON_HOW_STRIDE, "their distance");

/* O_NOCTTY, O_NONBLOCK, O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC */
#define IPMON_HOW_FLAG(i) \
	((i) == 0 ? 0400u : (i) == 1 ? 04000u : (i) == 2 ? 0200000u : \
	 (i) == 3 ? 0400000u : 02000000u)

/* Of the structure for these flags of open; -1: there is none. */
static inline int ipmon_how_index(uint32_t flags)
{
	uint32_t left = flags & ~0100000u;	/* O_LARGEFILE: always so */
	int index = 0;

	for (unsigned int i = 0; i < 5; i++) {
		if (left & IPMON_HOW_FLAG(i))
			index |= 1 << i;
		left &= ~IPMON_HOW_FLAG(i);
	}
	return left ? -1 : index;
}

static inline struct ipmon_how ipmon_how(unsigned int index)
{
	struct ipmon_how how = { 0, 0, IPMON_HOW_NO_XDEV, 0 };

	for (unsigned int i = 0; i < 5; i++)
		if (index >> i & 1)
			how.flags |= IPMON_HOW_FLAG(i);
	return how;
}

/* open, openat: may be made in-process, for some flags.  openat2 hides its flags
 * in a structure, creat always creates. */
static inline int ipmon_open_row(const struct ipmon_row *row)
{
	return row->handler == H_OPEN && row->walker == W_NONE &&
		row->cls == CLASS_NONSOCK_RO;
}

/*
 * Rows the leader may execute at the gate, whatever the arguments (subject to
 * the rules above if there are any for the number).
 */
static inline int ipmon_gate_row(const struct ipmon_row *row)
{
	if (row->flags & RF_NEVER_INPROC)
		return 0;
	if (row->flags & RF_EACH)
		return 1;
	switch (row->handler) {
	case H_FUTEX:
		if (!(row->flags & RF_BYCMD))
			return 0;
		__attribute__((fallthrough));
	case H_GENERIC:
	case H_GETDENTS:
	case H_IOCTL:
	case H_SELF_PID:
	case H_SELF_TID:
		if (row->exec != EXEC_LEADER)
			return 0;
		break;
	case H_EPOLL_CTL:
	case H_EPOLL_WAIT:
		break;
	default:
		return 0;
	}
	switch (row->cls) {
	case CLASS_BASE:
	case CLASS_NONSOCK_RO:
	case CLASS_NONSOCK_RW:
	case CLASS_SOCK_RO:
	case CLASS_SOCK_RW:
		return 1;
	case CLASS_EFFECT:
		return (row->flags & RF_GATE) != 0;
	default:
		return 0;
	}
}

#endif
