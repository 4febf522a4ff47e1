// SPDX-License-Identifier: Apache-2.0
/*
 * Calls that change what a file contains.
 *
 * Theory of operation
 * -------------------
 * A file that somebody has mapped writable exists once more per follower, as a
 * shadow (monitord/shadow.c).  What is written to it by a call has to be copied
 * there, which is monitord's affair.  Such files are rare, while a program that has
 * one (a database's shared memory) may write to others all day, so the leader asks
 * which file a descriptor is of.  Followers need not: they do what the record says
 * (REC_FORWARD), so monitord can change the list at any time.
 *
 * The descriptor is asked, not a table of our own: whatever way it was made it
 * tells.  AT_STATX_DONT_SYNC, because a file system in user space may be the program
 * itself, which waits for us (statx(2)).
 */
#include "filedata.h"

#define NR_WRITE	1
#define NR_OPEN		2
#define NR_IOCTL	16
#define NR_PWRITE64	18
#define NR_WRITEV	20
#define NR_SENDFILE	40
#define NR_FTRUNCATE	77
#define NR_OPENAT	257
#define NR_SPLICE	275
#define NR_FALLOCATE	285
#define NR_PWRITEV	296
#define NR_COPY_FILE_RANGE 326
#define NR_PWRITEV2	328
#define NR_STATX	332

#define EBADF_		9
#define AT_EMPTY_PATH_	0x1000u
#define AT_STATX_DONT_SYNC_ 0x4000u
#define STATX_INO_	0x100u

/* struct statx of the kernel: what we look at */
struct status {
	uint8_t before[32];
	uint64_t ino;
	uint8_t between[96];
	uint32_t major, minor;
	uint8_t after[112];
};
_Static_assert(offsetof(struct status, ino) == 32 &&
	       offsetof(struct status, major) == 136 &&
	       sizeof(struct status) == 256, "struct statx");

#define NOTHING		(-1)
#define UNKNOWN		(-2)

/* The argument that says which file is changed; NOTHING: in-process only those are
 * made that change none; UNKNOWN: no descriptor says. */
static int changed(uint64_t nr)
{
	switch (nr) {
	case NR_WRITE:
	case NR_PWRITE64:
	case NR_WRITEV:
	case NR_SENDFILE:
	case NR_FTRUNCATE:
	case NR_FALLOCATE:
	case NR_PWRITEV:
	case NR_PWRITEV2:
		return 0;
	case NR_SPLICE:
	case NR_COPY_FILE_RANGE:
		return 2;
	case NR_OPEN:
	case NR_IOCTL:
	case NR_OPENAT:
		return NOTHING;
	default:	/* by name */
		return UNKNOWN;
	}
}

int filedata_changes(const struct ipmon_hot *hot, uint64_t nr, const uint64_t args[6])
{
	const char none = 0;
	struct status st;
	struct ipmon_call ask = { NR_STATX, {
		0, (uint64_t)(uintptr_t)&none, AT_EMPTY_PATH_ | AT_STATX_DONT_SYNC_,
		STATX_INO_, (uint64_t)(uintptr_t)&st,
	} };
	int arg = changed(nr);
	uint64_t used, dev;
	int64_t ret;

	if (arg < 0)
		return arg == UNKNOWN;
	ask.args[0] = args[arg];
	ret = ipmon_gate_raw(&ask);
	if (ret)
		return ret != -EBADF_;
	/* read again: one that is listed while we asked counts */
	used = __atomic_load_n(&hot->used, __ATOMIC_ACQUIRE);
	if (used & IPMON_HOT_MORE)
		return 1;
	dev = IPMON_HOT_DEV(st.major, st.minor);
	for (; used; used &= used - 1) {
		const struct ipmon_hot_file *h = &hot->file[__builtin_ctzll(used)];

		if (__atomic_load_n(&h->ino, __ATOMIC_RELAXED) == st.ino &&
		    __atomic_load_n(&h->dev, __ATOMIC_RELAXED) == dev)
			return 1;
	}
	return 0;
}
