/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes and their attributes: clone, prctl, capabilities, scheduling,
 * seccomp, access to other processes' memory.
 *
 * Most of these are several calls in one.  What a command does not use may be
 * garbage, so nothing is compared before the command said it counts.
 */
#include "walk.h"

/* ---- clone ---- */

#define CLONE_PIDFD_		0x00001000u
#define CLONE_SETTLS_		0x00080000u
#define CLONE_PARENT_SETTID_	0x00100000u
#define CLONE_CHILD_CLEARTID_	0x00200000u
#define CLONE_CHILD_SETTID_	0x01000000u

/* clone(flags, stack, parent_tid, child_tid, tls) */
int walk_clone(struct ipmon_walk *w)
{
	uint64_t flags = w->args[0];
	int rc;

	rc = walk_null(w, 1, w->args[1], "stack");
	if (!rc && (flags & (CLONE_PARENT_SETTID_ | CLONE_PIDFD_)))
		rc = ipmon_emit_out(w, 2, w->args[2], 4, R_SUCCESS, 0,
				    "parent_tid");
	if (!rc && (flags & (CLONE_CHILD_SETTID_ | CLONE_CHILD_CLEARTID_)))
		rc = walk_null(w, 3, w->args[3], "child_tid");
	if (!rc && (flags & CLONE_SETTLS_))
		rc = walk_null(w, 4, w->args[4], "tls");
	return rc;
}

/* struct clone_args: eleven u64 */
enum { CA_FLAGS, CA_PIDFD, CA_CHILD_TID, CA_PARENT_TID, CA_EXIT_SIGNAL,
	CA_STACK, CA_STACK_SIZE, CA_TLS, CA_SET_TID, CA_SET_TID_SIZE,
	CA_CGROUP, CA_WORDS };

static int clone3_pointers(struct ipmon_walk *w, const uint64_t *ca)
{
	uint64_t flags = ca[CA_FLAGS];
	int rc = 0;

	if (flags & CLONE_PIDFD_)
		rc = ipmon_emit_out(w, 0, ca[CA_PIDFD], 4, R_SUCCESS, 0,
				    "pidfd");
	if (!rc && (flags & (CLONE_CHILD_SETTID_ | CLONE_CHILD_CLEARTID_)))
		rc = walk_null(w, 0, ca[CA_CHILD_TID], "child_tid");
	if (!rc && (flags & CLONE_PARENT_SETTID_))
		rc = ipmon_emit_out(w, 0, ca[CA_PARENT_TID], 4, R_SUCCESS, 0,
				    "parent_tid");
	if (!rc && (flags & CLONE_SETTLS_))
		rc = walk_null(w, 0, ca[CA_TLS], "tls");
	if (!rc && ca[CA_SET_TID_SIZE] && ca[CA_SET_TID_SIZE] <= 32)
		rc = ipmon_emit_in(w, 0, ca[CA_SET_TID],
				   ca[CA_SET_TID_SIZE] * 4, "set_tid");
	return rc;
}

int walk_clone3(struct ipmon_walk *w)
{
	uint64_t ca[CA_WORDS], size = w->args[1];
	unsigned int i;
	int rc;

	if (!w->args[0] || size < 64 || size > 4096)	/* EINVAL, E2BIG */
		return 0;
	for (i = 0; i < CA_WORDS; i++)
		ca[i] = 0;
	rc = walk_fetch(w, 0, ca, w->args[0], pure_min(size, sizeof(ca)));
	if (rc)
		return rc < 0 ? rc : 0;
	rc = ipmon_emit_scalar(w, 0, ca[CA_FLAGS], "flags");
	if (!rc)
		rc = ipmon_emit_scalar(w, 0, ca[CA_EXIT_SIGNAL], "exit_signal");
	if (!rc)
		rc = walk_null(w, 0, ca[CA_STACK], "stack");
	if (!rc)
		rc = ipmon_emit_scalar(w, 0, ca[CA_STACK_SIZE], "stack_size");
	if (!rc)
		rc = ipmon_emit_scalar(w, 0, ca[CA_SET_TID_SIZE],
				       "set_tid_size");
	if (!rc && (ca[CA_FLAGS] & 0x200000000ull))	/* CLONE_INTO_CGROUP */
		rc = ipmon_emit_scalar(w, 0, ca[CA_CGROUP], "cgroup");
	if (!rc)
		rc = clone3_pointers(w, ca);
	return rc ? rc : walk_tail(w, w->args[0], sizeof(ca), size);
}

/* ---- prctl, arch_prctl ---- */

enum {		/* what an argument of a prctl is */
	P_NONE = 0,
	P_VAL,		/* value */
	P_SMALL,	/* the same, refused unseen if it is above 255 */
	P_BOOL,		/* nothing counts but whether it is 0 */
	P_PTR,		/* address, or output that is each variant's own */
	P_OUT4, P_OUT8,
	P_NAME,		/* 16-byte thread name in */
	P_NAMEOUT,	/* 16-byte thread name out */
	P_LABEL,	/* string of at most 80 bytes, may be null */
	P_FILTER,	/* struct sock_fprog if the argument before is 2 */
};

struct prctl_row {
	uint32_t option;
	uint8_t arg[4];
};

#define VAL4 { P_VAL, P_VAL, P_VAL, P_VAL }

static const struct prctl_row prctls[] = {
	{ 1, { P_SMALL } },			/* PR_SET_PDEATHSIG */
	{ 2, { P_OUT4 } },			/* PR_GET_PDEATHSIG */
	{ 4, { P_SMALL } },			/* PR_SET_DUMPABLE */
	{ 8, { P_SMALL } },			/* PR_SET_KEEPCAPS */
	{ 14, { P_SMALL } },			/* PR_SET_TIMING */
	{ 15, { P_NAME } },			/* PR_SET_NAME */
	{ 16, { P_NAMEOUT } },			/* PR_GET_NAME */
	{ 22, { P_VAL, P_FILTER } },		/* PR_SET_SECCOMP */
	{ 23, { P_SMALL } },			/* PR_CAPBSET_READ */
	{ 24, { P_SMALL } },			/* PR_CAPBSET_DROP */
	{ 25, { P_OUT4 } },			/* PR_GET_TSC */
	{ 26, { P_VAL } },			/* PR_SET_TSC */
	{ 28, { P_VAL } },			/* PR_SET_SECUREBITS */
	{ 29, { P_VAL } },			/* PR_SET_TIMERSLACK */
	{ 33, VAL4 },				/* PR_MCE_KILL */
	{ 34, VAL4 },				/* PR_MCE_KILL_GET */
	{ 35, { P_VAL, P_PTR, P_VAL, P_VAL } },	/* PR_SET_MM */
	{ 36, { P_BOOL } },			/* PR_SET_CHILD_SUBREAPER */
	{ 37, { P_OUT4 } },			/* PR_GET_CHILD_SUBREAPER */
	{ 38, VAL4 },				/* PR_SET_NO_NEW_PRIVS */
	{ 39, VAL4 },				/* PR_GET_NO_NEW_PRIVS */
	{ 40, { P_PTR } },			/* PR_GET_TID_ADDRESS */
	{ 41, VAL4 },				/* PR_SET_THP_DISABLE */
	{ 42, VAL4 },				/* PR_GET_THP_DISABLE */
	{ 47, VAL4 },				/* PR_CAP_AMBIENT */
	{ 52, VAL4 },				/* PR_GET_SPECULATION_CTRL */
	{ 53, VAL4 },				/* PR_SET_SPECULATION_CTRL */
	{ 57, VAL4 },				/* PR_SET_IO_FLUSHER */
	{ 58, VAL4 },				/* PR_GET_IO_FLUSHER */
	{ 59, { P_VAL, P_PTR, P_VAL, P_PTR } },	/* PR_SET_SYSCALL_USER_DISPATCH */
	{ 62, { P_VAL, P_VAL, P_VAL, P_OUT8 } },	/* PR_SCHED_CORE */
	{ 65, VAL4 },				/* PR_SET_MDWE */
	{ 66, VAL4 },				/* PR_GET_MDWE */
	{ 67, VAL4 },				/* PR_SET_MEMORY_MERGE */
	{ 68, VAL4 },				/* PR_GET_MEMORY_MERGE */
	{ 0x53564d41, { P_VAL, P_PTR, P_VAL, P_LABEL } },	/* PR_SET_VMA */
	{ 0x59616d61, { P_VAL } },		/* PR_SET_PTRACER */
	{ 0x41555856, { P_PTR, P_VAL } },	/* PR_GET_AUXV: own output */
};

static const struct prctl_row arch_prctls[] = {
	{ 0x1001, { P_PTR } },	/* ARCH_SET_GS */
	{ 0x1002, { P_PTR } },	/* ARCH_SET_FS */
	{ 0x1003, { P_PTR } },	/* ARCH_GET_FS: own output */
	{ 0x1004, { P_PTR } },	/* ARCH_GET_GS: own output */
	{ 0x1012, { P_VAL } },	/* ARCH_SET_CPUID */
	{ 0x1021, { P_OUT8 } },	/* ARCH_GET_XCOMP_SUPP */
	{ 0x1022, { P_OUT8 } },	/* ARCH_GET_XCOMP_PERM */
	{ 0x1023, { P_VAL } },	/* ARCH_REQ_XCOMP_PERM */
	{ 0x1024, { P_OUT8 } },	/* ARCH_GET_XCOMP_GUEST_PERM */
	{ 0x1025, { P_VAL } },	/* ARCH_REQ_XCOMP_GUEST_PERM */
	{ 0x2001, { P_PTR } },	/* ARCH_MAP_VDSO_X32 */
	{ 0x2002, { P_PTR } },	/* ARCH_MAP_VDSO_32 */
	{ 0x2003, { P_PTR } },	/* ARCH_MAP_VDSO_64 */
	{ 0x4001, { P_OUT8 } },	/* ARCH_GET_UNTAG_MASK */
	{ 0x4002, { P_VAL } },	/* ARCH_ENABLE_TAGGED_ADDR */
	{ 0x4003, { P_OUT8 } },	/* ARCH_GET_MAX_TAG_BITS */
	{ 0x5001, { P_VAL } },	/* ARCH_SHSTK_ENABLE */
	{ 0x5002, { P_VAL } },	/* ARCH_SHSTK_DISABLE */
	{ 0x5003, { P_VAL } },	/* ARCH_SHSTK_LOCK */
	{ 0x5005, { P_OUT8 } },	/* ARCH_SHSTK_STATUS */
};

static int prctl_arg(struct ipmon_walk *w, unsigned int arg, unsigned int what)
{
	uint64_t v = w->args[arg];

	switch (what) {
	case P_VAL:
		return ipmon_emit_scalar(w, arg, v, NULL);
	case P_SMALL:
		return ipmon_emit_scalar(w, arg, pure_min(v, 256), NULL);
	case P_BOOL:
		return ipmon_emit_scalar(w, arg, v != 0, NULL);
	case P_PTR:
		return walk_null(w, arg, v, NULL);
	case P_OUT4:
		return ipmon_emit_out(w, arg, v, 4, R_SUCCESS, 0, NULL);
	case P_OUT8:
		return ipmon_emit_out(w, arg, v, 8, R_SUCCESS, 0, NULL);
	case P_NAME:	/* cut at 15 by the kernel */
		return walk_str(w, arg, v, 16, "name");
	case P_NAMEOUT:
		return ipmon_emit_out(w, arg, v, 16, R_SUCCESS, 0, "name");
	case P_LABEL:
		return walk_str(w, arg, v, 80, "name");
	case P_FILTER:
		return w->args[arg - 1] == 2 ? walk_sock_fprog(w, arg, v) : 0;
	default:
		return 0;
	}
}

/*
 * An option that is not listed has no memory we know of: it is compared by
 * number alone and the monitor's handler decides (EINVAL for unknown ones).
 */
static int options(struct ipmon_walk *w, const struct prctl_row *rows,
		   unsigned int n, unsigned int nargs)
{
	unsigned int i, a;
	int rc;

	for (i = 0; i < n; i++) {
		if (rows[i].option != (uint32_t)w->args[0])
			continue;
		for (a = 0; a < nargs; a++) {
			rc = prctl_arg(w, a + 1, rows[i].arg[a]);
			if (rc)
				return rc;
		}
		break;
	}
	return 0;
}

int walk_prctl(struct ipmon_walk *w)
{
	return options(w, prctls, sizeof(prctls) / sizeof(prctls[0]), 4);
}

int walk_arch_prctl(struct ipmon_walk *w)
{
	return options(w, arch_prctls,
		       sizeof(arch_prctls) / sizeof(arch_prctls[0]), 1);
}

/* ---- waitid ---- */

/*
 * The result is 0 whether or not something was reaped, so the usage counts
 * only if si_signo became SIGCHLD; the members of siginfo are stored one by
 * one (even when the call fails) and the rest is not touched.
 */
int walk_waitid(struct ipmon_walk *w)
{
	uint64_t info = w->args[2];
	int rc = 0;

	if (info) {
		rc = ipmon_emit_out(w, 2, info, 12, R_ALWAYS, 0,
				    "si_signo, si_errno, si_code");
		if (!rc)
			rc = ipmon_emit_out(w, 2, info + 16, 12, R_ALWAYS, 0,
					    "si_pid, si_uid, si_status");
	}
	if (!rc && w->args[4])
		rc = ipmon_emit_out(w, 4, w->args[4], 144,
				    info ? R_NZ32 : R_SUCCESS, info, "rusage");
	return rc;
}

/* ---- capabilities ---- */

/* Bytes of the data for this version of the header; 0 when unknown. */
static uint64_t cap_data(uint32_t version)
{
	switch (version) {
	case 0x19980330:
		return 12;
	case 0x20071026:
	case 0x20080522:
		return 24;
	default:
		return 0;
	}
}

/* The header { u32 version; int pid; }: 0, 1 for "stop" or negative. */
static int cap_header(struct ipmon_walk *w, uint64_t *data)
{
	unsigned char head[8];
	int rc;

	rc = walk_fetch(w, 0, head, w->args[0], sizeof(head));
	if (rc)
		return rc;
	*data = cap_data(pure_u32(head));
	rc = ipmon_emit_scalar(w, 0, pure_u64(head), "pid << 32 | version");
	if (rc)
		return rc;
	/* the kernel's own version, when it does not know the caller's */
	return ipmon_emit_out(w, 0, w->args[0], 4, R_ALWAYS, 0, "version");
}

int walk_capget(struct ipmon_walk *w)
{
	uint64_t data;
	int rc = cap_header(w, &data);

	if (rc || !data || !w->args[1])
		return rc < 0 ? rc : 0;
	return ipmon_emit_out(w, 1, w->args[1], data, R_SUCCESS, 0, "data");
}

int walk_capset(struct ipmon_walk *w)
{
	uint64_t data;
	int rc = cap_header(w, &data);

	if (rc || !data || !w->args[1])
		return rc < 0 ? rc : 0;
	return ipmon_emit_in(w, 1, w->args[1], data, "data");
}

int walk_seccomp(struct ipmon_walk *w)
{
	switch ((uint32_t)w->args[0]) {
	case 1:		/* SECCOMP_SET_MODE_FILTER */
		return walk_sock_fprog(w, 2, w->args[2]);
	case 2:		/* SECCOMP_GET_ACTION_AVAIL */
		return ipmon_emit_in(w, 2, w->args[2], 4, "action");
	case 3:		/* SECCOMP_GET_NOTIF_SIZES */
		return ipmon_emit_out(w, 2, w->args[2], 6, R_SUCCESS, 0,
				      "sizes");
	default:
		return walk_null(w, 2, w->args[2], NULL);
	}
}

/* ---- scheduling ---- */

/* struct sched_attr begins with its own size; 0 means the first version. */
int walk_sched_attr_set(struct ipmon_walk *w)
{
	unsigned char word[4];
	uint64_t size;
	int rc;

	if (!w->args[1])
		return 0;
	rc = walk_fetch(w, 1, word, w->args[1], sizeof(word));
	if (rc)
		return rc < 0 ? rc : 0;
	size = pure_u32(word);
	rc = ipmon_emit_scalar(w, 1, size, "size");
	if (rc)
		return rc;
	if (!size)
		size = 48;
	if (size >= 48 && size <= 4096) {
		rc = ipmon_emit_in(w, 1, w->args[1] + 4, size - 4,
				   "sched_attr");
		if (rc)
			return rc;
	}
	/* a size the kernel does not know is answered with the one it does */
	return ipmon_emit_out(w, 1, w->args[1], 4, R_ALWAYS, 0, "size");
}

int walk_sched_attr_get(struct ipmon_walk *w)
{
	uint64_t size = (uint32_t)w->args[2];

	if (!w->args[1] || size < 48 || size > 4096)	/* EINVAL */
		return 0;
	return ipmon_emit_out(w, 1, w->args[1], size, R_SUCCESS, 0,
			      "sched_attr");
}

/* ---- other processes' memory ---- */

/* Lengths of a vector whose addresses are in some other process. */
static int remote_iov(struct ipmon_walk *w, unsigned int arg, uint64_t count)
{
	uint64_t iov[2], i;
	int rc;

	if (!w->args[arg] || count > WALK_IOV_MAX)	/* EINVAL */
		return 0;
	for (i = 0; i < count; i++) {
		rc = walk_fetch(w, arg, iov, w->args[arg] + i * sizeof(iov),
				sizeof(iov));
		if (rc)
			return rc < 0 ? rc : 0;
		rc = ipmon_emit_scalar(w, arg, iov[1], "iov[].iov_len");
		if (rc)
			return rc;
	}
	return 0;
}

/* The local vector is a K_IOVIN or K_IOVOUT of the row. */
int walk_process_vm(struct ipmon_walk *w)
{
	return remote_iov(w, 3, w->args[4]);
}

int walk_process_madvise(struct ipmon_walk *w)
{
	return remote_iov(w, 1, (uint32_t)w->args[2]);
}

/* Only KCMP_FILE and KCMP_EPOLL_TFD look at the indices. */
int walk_kcmp(struct ipmon_walk *w)
{
	int rc;

	switch ((int32_t)w->args[2]) {
	case 0:
		rc = ipmon_emit_scalar(w, 3, w->args[3], "idx1");
		return rc ? rc : ipmon_emit_scalar(w, 4, w->args[4], "idx2");
	case 7:		/* struct kcmp_epoll_slot { u32 efd, tfd, toff; } */
		rc = ipmon_emit_scalar(w, 3, w->args[3], "idx1");
		return rc ? rc : ipmon_emit_in(w, 4, w->args[4], 12, "idx2");
	default:
		return 0;
	}
}
