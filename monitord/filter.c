// SPDX-License-Identifier: Apache-2.0
/*
 * The seccomp program of one variant.
 *
 * Theory of operation
 * -------------------
 * Every call is RET_TRACEd to the tracer, except those a policy allows to be
 * made directly from the variant's gate: the one `syscall` instruction that
 * IP-MON owns, at an address drawn at random per variant and fixed for the
 * whole process tree (stacked filters can never be relaxed again).
 *
 *	arch is x86-64			else TRACE (the tracer refuses it)
 *	x32 bit clear			else TRACE (likewise)
 *	instruction_pointer == gate+2	else TRACE (both 32-bit words)
 *	the policy's tree		else TRACE
 *
 * instruction_pointer is the address *after* the syscall instruction.
 * libseccomp cannot match it, so the prologue is written by hand and the tree
 * libseccomp generates is appended; BPF jumps are relative, so it needs no
 * fixing up.
 *
 * What the gate allows must be harmless in the hands of an attacker who jumps
 * there with registers of his choice: nothing that touches the address space
 * (but fresh anonymous memory without execute permission, and what lies above
 * all that the monitor hides), processes,
 * signals, credentials or the filter itself; nothing that writes to a file by its
 * name, and no opening of anything in /proc.  The list is shared with IP-MON:
 * ipmon/gate_rules.h.
 *
 * A follower makes next to nothing there, and has a tree of its own: IP-MON's
 * waiting and waking, and the clock or a few random bytes when it reads them
 * alone (libipmon/private.c).  Whoever jumps to the gate of a follower with
 * anything else comes to the tracer, which takes it for the difference it is
 * (fast_gate_misused).
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ipmon/gate_rules.h>
/* after launch.h: <elf.h> turns some of our names into macros */
#include "launch.h"
#include <seccomp.h>

#define X32_BIT		0x40000000u
#define TRACE		SECCOMP_RET_TRACE

/* Offsets of the two 32-bit words (little endian). */
#define OFF_ARCH	offsetof(struct seccomp_data, arch)
#define OFF_NR		offsetof(struct seccomp_data, nr)
#define OFF_IP_LO	offsetof(struct seccomp_data, instruction_pointer)
#define OFF_IP_HI	(offsetof(struct seccomp_data, instruction_pointer) + 4)

#define PROLOGUE 9

static void prologue(struct sock_filter f[PROLOGUE], uint64_t ip)
{
	/* the jump distances all lead to the return in f[8] */
	const struct sock_filter code[PROLOGUE] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, OFF_ARCH),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, OFF_NR),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 4, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, OFF_IP_LO),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)ip, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, OFF_IP_HI),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(ip >> 32), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, TRACE),
	};

	for (int i = 0; i < PROLOGUE; i++)
		f[i] = code[i];
}

/*
 * What configuration denies nobody makes at the gate either, but for what IP-MON
 * makes there on its own account: holding outputs, waiting, moving memory.  Whoever
 * jumps there with one of these does no more than he could without a filter.
 */
static const struct call_override *denied;

void filter_deny(const struct call_override calls[IPMON_NR_MAX])
{
	denied = calls;
}

static bool gate_denied(int nr)
{
	static const int own[] = {
		SYS_close, SYS_fstat, SYS_fstatfs, SYS_poll, SYS_pread64,
		SYS_fcntl, SYS_sendto, SYS_getsockopt, SYS_futex,
		SYS_clock_gettime, SYS_restart_syscall, SYS_sched_getparam,
		SYS_sched_yield,
	};

	if (!denied || denied[nr].action != CALL_DENY)
		return false;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i] == nr)
			return false;
	return true;
}

/* Calls on the variant's own memory: ipmon_memory_call() in BPF. */
static int memory_rules(scmp_filter_ctx ctx, bool leader)
{
	const struct scmp_arg_cmp
		low = SCMP_CMP64(0, SCMP_CMP_GE, IPMON_MEMORY_LOW),
		rw = SCMP_CMP64(2, SCMP_CMP_MASKED_EQ,
				~(uint64_t)IPMON_PROT_RW, 0),
		fresh = SCMP_CMP64(3, SCMP_CMP_MASKED_EQ,
			~(uint64_t)(IPMON_MAP_NORESERVE | IPMON_MAP_STACK),
			IPMON_MAP_PRIVATE | IPMON_MAP_ANONYMOUS),
		place = SCMP_CMP64(3, SCMP_CMP_MASKED_EQ,
			~(uint64_t)(IPMON_MAP_NORESERVE | IPMON_MAP_STACK),
			IPMON_MAP_PRIVATE | IPMON_MAP_ANONYMOUS |
			IPMON_MAP_FIXED_NOREPLACE),
		grow = SCMP_CMP64(3, SCMP_CMP_MASKED_EQ,
				  ~(uint64_t)IPMON_MREMAP_MAYMOVE, 0),
		moved = SCMP_CMP64(3, SCMP_CMP_EQ, IPMON_MREMAP_MAYMOVE |
				   IPMON_MREMAP_FIXED),
		to = SCMP_CMP64(4, SCMP_CMP_GE, IPMON_MEMORY_LOW);
	int r;

	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_mmap, 3,
			     SCMP_CMP64(0, SCMP_CMP_EQ, 0), rw, fresh);
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_munmap, 1, low);
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_mremap, 2, low,
				     grow);
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_brk, 0);
	for (uint64_t a = 0; !r && a < 32; a++)
		if (IPMON_ADVICE >> a & 1 && a != MADV_FREE)
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_madvise,
					     2, low,
					     SCMP_CMP64(2, SCMP_CMP_EQ, a));
	if (r || leader)
		return r;
	/* followers say where, but replace nothing (but their own) */
	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_mmap, 2, rw, place);
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_mremap, 3, low,
				     moved, to);
	return r;
}

bool filter_opens(int *error)
{
	static int tried = -1;
	struct ipmon_how how = ipmon_how(0);

	if (tried < 0) {
		int fd = (int)syscall(SYS_openat2, -1, "/proc/self/stat", &how,
				      IPMON_HOW_SIZE);

		tried = fd < 0 ? errno : 0;
		if (fd >= 0)
			close(fd);
	}
	if (error)
		*error = tried;
	/* one form for both: who denies one of them denies it */
	if (gate_denied(SYS_open) || gate_denied(SYS_openat))
		return false;
	/* no /proc: it will be another file system when there is one */
	return tried == EXDEV || tried == ENOENT;
}

/* Files, for reading, on the root's file system: ipmon_open_row(). */
static int open_rules(scmp_filter_ctx ctx, uint64_t gate)
{
	if (!filter_opens(NULL))
		return 0;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_openat2, 3,
		SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, 0xffffffffu,
			   IPMON_HOW_NOWHERE),
		SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, IPMON_HOW_MASK,
			   gate + IPMON_HOW_OFFSET),
		SCMP_CMP64(3, SCMP_CMP_EQ, IPMON_HOW_SIZE));
}

/* Calls that are allowed for some commands. */
static int argument_rules(scmp_filter_ctx ctx, bool leader)
{
	int r = 0;

	for (size_t i = 0; !r && i < IPMON_GATE_RULES; i++) {
		const struct ipmon_gate_rule *g = &ipmon_gate_rules[i];

		if (gate_denied(g->nr))
			continue;
		if (leader || ipmon_row(g->nr)->flags & RF_EACH)
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, g->nr, 1,
				SCMP_CMP64(g->arg, SCMP_CMP_MASKED_EQ, g->mask,
					   g->value));
	}
	return r;
}

static int relaxed_rules(scmp_filter_ctx ctx, uint64_t gate)
{
	int r;

	for (int nr = 0; nr < IPMON_NR_MAX; nr++) {
		if (!ipmon_gate_row(ipmon_row((uint64_t)nr)) ||
		    ipmon_gate_by_rule((uint64_t)nr) || gate_denied(nr))
			continue;
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
		if (r < 0)
			return r;
	}
	r = argument_rules(ctx, true);
	if (r < 0)
		return r;
	/* is a signal waiting that sigprocmask would let through? */
	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_rt_sigpending, 0);
	if (r < 0)
		return r;
	r = open_rules(ctx, gate);
	return r < 0 ? r : memory_rules(ctx, true);
}

/*
 * Followers: futex wait and wake on a word several processes share, without a
 * flag (wait.c of libipmon), the caller's own processors (placement.c there), which
 * it may offer to others (pace.c), and
 * what RF_PRIVATE calls may be made at the gate at all: clocks, and GRND_NONBLOCK
 * draws of up to 8 bytes.
 */
static int follower_rules(scmp_filter_ctx ctx)
{
	int r = 0;

	for (int nr = 0; !r && nr < IPMON_NR_MAX; nr++) {
		const struct ipmon_row *row = ipmon_row((uint64_t)nr);

		if (gate_denied(nr))
			continue;
		if (row->flags & RF_EACH && !ipmon_gate_by_rule((uint64_t)nr)) {
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
			continue;
		}
		if (!ipmon_gate_row(row) || !(row->flags & RF_PRIVATE) ||
		    row->exec != EXEC_LEADER || ipmon_gate_by_rule((uint64_t)nr))
			continue;
		if (nr == SYS_getrandom)
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 2,
				SCMP_CMP64(1, SCMP_CMP_LE, 8),
				SCMP_CMP64(2, SCMP_CMP_MASKED_EQ,
					   GRND_NONBLOCK, GRND_NONBLOCK));
		else
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
	}
	for (uint64_t op = FUTEX_WAIT; !r && op <= FUTEX_WAKE; op++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_futex, 1,
				     SCMP_CMP64(1, SCMP_CMP_MASKED_EQ,
						0xffffffffu, op));
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_sched_yield, 0);
	for (int nr = SYS_sched_setaffinity; !r && nr <= SYS_sched_getaffinity;
	     nr++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
				     SCMP_CMP64(0, SCMP_CMP_MASKED_EQ,
						0xffffffffu, 0));
	if (!r)
		r = argument_rules(ctx, false);
	if (!r)
		r = memory_rules(ctx, false);
	return r;
}

/* libseccomp's program, through a memfd. */
static int export(scmp_filter_ctx ctx, struct sock_fprog *prog, uint64_t ip)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	size_t len = 0;
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(ctx, fd);
	if (!r && fstat(fd, &st) < 0)
		r = -errno;
	if (!r) {
		len = (size_t)st.st_size / sizeof(struct sock_filter);
		if (!len || PROLOGUE + len > BPF_MAXINSNS)
			r = -E2BIG;
	}
	if (!r) {
		prog->filter = calloc(PROLOGUE + len, sizeof(*prog->filter));
		if (!prog->filter)
			r = -ENOMEM;
	}
	if (!r) {
		prologue(prog->filter, ip);
		prog->len = (unsigned short)(PROLOGUE + len);
		if (pread(fd, prog->filter + PROLOGUE,
			  len * sizeof(struct sock_filter), 0) !=
		    (ssize_t)(len * sizeof(struct sock_filter))) {
			free(prog->filter);
			prog->filter = NULL;
			r = -EIO;
		}
	}
	close(fd);
	return r;
}

int filter_build(uint64_t gate, enum policy policy, bool leader,
		 struct sock_fprog *prog)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRACE(0));
	int r;

	prog->filter = NULL;
	prog->len = 0;
	if (!ctx)
		return -ENOMEM;
	/* 2: a binary tree over the numbers instead of a list */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!r)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
				     SCMP_ACT_TRACE(0));
	/* The kernel itself re-issues an interrupted call through it, from
	 * where the call was made. */
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_restart_syscall,
				     0);
	if (!r && policy != POLICY_STRICT)
		r = leader ? relaxed_rules(ctx, gate) :
			follower_rules(ctx);
	if (!r)
		r = export(ctx, prog, gate + 2);
	seccomp_release(ctx);
	return r;
}

const char *filter_foreign_name(bool x32, uint64_t nr, char *buf, size_t cap)
{
	char *name = seccomp_syscall_resolve_num_arch(x32 ? SCMP_ARCH_X32 :
						      SCMP_ARCH_X86, (int)nr);

	if (name)
		snprintf(buf, cap, "%s", name);
	else
		snprintf(buf, cap, "call %u", (unsigned int)nr & ~X32_BIT);
	free(name);
	return buf;
}
