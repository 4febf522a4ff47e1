/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syscall table: what every x86-64 system call means to a multi-variant
 * monitor.
 *
 * Theory of operation
 * -------------------
 * One row per system call in syscalls.def; this header holds the vocabulary
 * of the rows.  A row says
 *
 *   - the kind of each argument (how it is compared between variants and
 *     which memory hangs off it),
 *   - who executes the call (leader only, every variant, nobody),
 *   - what its result is,
 *   - which policy class it belongs to,
 *   - an optional walker (core/walk_*.c) when its arguments are irregular,
 *   - an optional monitord handler when executing it is irregular.
 *
 * Rows carry meaning, code carries kinds: no code outside the table, the
 * walkers and the handlers may switch on a syscall number.
 *
 * The table holds no pointers, so it can live in .rodata of a library
 * without relocations and can be hashed for the libipmon/monitord handshake.
 * A zero row means "unknown": such a call is refused (default deny).
 *
 * This is pure code: no libc, no globals that change, no syscalls.  It is
 * built twice, freestanding for libipmon and hosted for monitord and tests.
 */
#ifndef IPMON_TABLE_H
#define IPMON_TABLE_H

#include <stdint.h>
#include <stddef.h>

/* Highest syscall number (exclusive) the table can describe. */
#define IPMON_NR_MAX 512

/* Who issues the call to the kernel. */
enum ipmon_exec {
	EXEC_NONE = 0,	/* unknown or refused: nobody; the row names an errno */
	EXEC_LEADER,	/* the leader; followers receive result and outputs */
	EXEC_ALL,	/* every variant, for its own process state.  The
			 * leader goes first; followers get the leader's result
			 * value unless the row's result is RES_OWN */
	EXEC_MONITOR,	/* a monitord handler decides (fork, exec, mmap, ...) */
};

/* What the return value is. */
enum ipmon_result {
	RES_INT = 0,	/* status or small number, identical in all variants */
	RES_COUNT,	/* byte or element count, may size an output */
	RES_FD,		/* a new descriptor number (leader's) */
	RES_PID,	/* a pid or tid (leader's) */
	RES_ADDR,	/* an address in the caller's space: differs */
	RES_OWN,	/* each variant keeps its own (sigreturn, brk, ...) */
	RES_NORETURN,	/* exit, exit_group, successful exec */
};

/*
 * Policy class: the ReMon levels are cumulative sets of classes, see
 * ipmon.7.  For `verified`, CLASS_*_RW and CLASS_EFFECT wait for followers.
 */
enum ipmon_class {
	CLASS_UNKNOWN = 0,	/* not in this table: refused */
	CLASS_REFUSED,		/* known, refused with row.error and row.reason */
	CLASS_BASE,		/* no data, no fd: time, ids, yield */
	CLASS_NONSOCK_RO,	/* reads files, metadata, polls non-sockets */
	CLASS_NONSOCK_RW,	/* writes files, futex, timers */
	CLASS_SOCK_RO,		/* reads sockets, epoll */
	CLASS_SOCK_RW,		/* writes sockets, connects, accepts */
	CLASS_EFFECT,		/* other externally visible effect: unlink ... */
	CLASS_MEMORY,		/* changes the address space */
	CLASS_PROCESS,		/* fork, exec, exit, wait, threads */
	CLASS_SIGNAL,		/* signal state and sending */
	CLASS_CRED,		/* credentials, namespaces, limits, seccomp */
	CLASS_MAX
};

/*
 * Argument kinds.  `a` and `b` in an argument descriptor are parameters:
 * `a` is an argument index, `b` the size in bytes of a structure or of one
 * array element.  "cap" is an output's capacity, "actual" what the kernel
 * wrote.  A null pointer is allowed wherever memory is: it is compared as
 * the scalar 0 and the kernel decides what it means.
 */
enum ipmon_kind {
	K_NONE = 0,	/* the call has no such argument: never looked at */
	K_IGN,		/* present but may hold garbage: never compared */
	/* scalars compared by value */
	K_INT,		/* low 32 bits, signed */
	K_UINT,		/* low 32 bits, unsigned */
	K_LONG,		/* 64 bits */
	K_FD,		/* descriptor, low 32 bits */
	K_DIRFD,	/* descriptor or AT_FDCWD, low 32 bits */
	K_PID,		/* pid/tid/pgid as the program sees it (leader's) */
	K_SIG,		/* signal number */
	K_MODE,		/* file mode, low 16 bits significant */
	K_FLAGS,	/* bit set, low 32 bits; printed in hex */
	K_LFLAGS,	/* bit set, 64 bits; printed in hex */
	K_OFF,		/* 64-bit file offset */
	K_SIZE,		/* size_t */
	K_OPENMODE,	/* mode argument of open: significant only if the flags
			 * in argument `a` contain O_CREAT or O_TMPFILE */
	/* addresses */
	K_PTR,		/* opaque address: null-ness only */
	K_HINT,		/* address hint (mmap): null-ness only */
	/* input memory */
	K_PATH,		/* NUL-terminated path, at most 4096 bytes */
	K_STR,		/* NUL-terminated string, at most 4096 bytes */
	K_STRV,		/* NULL-terminated array of strings (argv, envp) */
	K_BUFIN,	/* input buffer, length = argument a (bytes); more than
			 * `b` units of 64 bytes (0: no limit) are refused by
			 * the kernel without a look at the buffer */
	K_IN,		/* input struct of `b` bytes, NULL allowed */
	K_ARRIN,	/* input array, count = argument a, element size b */
	K_IOVIN,	/* iovec array, count = argument a; payload is input */
	K_MSGIN,	/* struct msghdr to send: name, iov payload, control */
	K_MMSGIN,	/* mmsghdr array to send, vlen = argument a; msg_len out */
	K_SADDRIN,	/* sockaddr, length = argument a (by value); compared
			 * semantically (sun_path up to its NUL, no padding) */
	/* output memory */
	K_BUFOUT,	/* output buffer, cap = argument a, actual = result */
	K_OUT,		/* output struct of `b` bytes, written when ret >= 0,
			 * NULL allowed */
	K_OUTALWAYS,	/* output struct of `b` bytes also written on error */
	K_ARROUT,	/* output array, cap = argument a elements of b bytes,
			 * actual = result elements */
	K_IOVOUT,	/* iovec array, count = argument a; payload is output,
			 * actual = result bytes spread over the vectors */
	K_MSGOUT,	/* struct msghdr to receive: name, iov, control, flags */
	K_MMSGOUT,	/* mmsghdr array to receive, vlen = argument a */
	K_SADDROUT,	/* sockaddr out, value-result length pointer = arg a */
	/* both directions */
	K_INOUT,	/* struct of `b` bytes read and written, NULL allowed */
	K_INOUTALWAYS,	/* as K_INOUT but also written back on error */
	K_LENPTR,	/* u32 value-result length (socklen_t *): input value
			 * compared, output replicated; belongs to the buffer
			 * in argument a and is unused when that is NULL */
	K_OFFPTR,	/* i64 value-result file offset, NULL allowed */
	K_FDSET,	/* fd_set, nfds = argument a; compared up to nfds bits */
	K_POLLFD,	/* pollfd array, count = argument a; fd and events
			 * compared, revents output */
	K_SIGSET,	/* sigset_t in, size = argument a */
	K_WALK,		/* memory belongs to the row's walker; the argument
			 * itself is compared for null-ness only */
	K_WALKV,	/* the row's walker alone decides; nothing is compared
			 * here */
	/* later additions */
	K_ASIZE,	/* a size that may depend on the layout (trimming of an
			 * over-sized mapping): zero-ness only */
	K_BUFOUTOK,	/* output buffer, cap = argument a, written completely
			 * when ret >= 0 */
	K_OUTNZ,	/* output struct of `b` bytes, written when ret > 0 */
	K_OUTINTR,	/* output struct of `b` bytes, written when the call was
			 * interrupted; unused if argument a-1 has
			 * TIMER_ABSTIME set (a = 0: always used) */
	K_SIGSETOUT,	/* sigset_t out, size = argument a */
	K_MAX
};

struct ipmon_arg {
	uint8_t kind;		/* enum ipmon_kind */
	uint8_t a;
	uint16_t b;
};

/* Row flags. */
enum {
	/* May sleep for an unbounded time waiting for an event (read, wait,
	 * accept, futex, ...).  Others are bounded by the machine. */
	RF_BLOCK	= 1u << 0,
	/* Returns -EINTR rather than an ERESTART code when interrupted, so a
	 * spurious interruption must be repaired by the monitor (signal(7)). */
	RF_EINTR	= 1u << 1,
	/* Installs a temporary signal mask (ppoll, pselect6, epoll_pwait,
	 * rt_sigsuspend). */
	RF_TMPMASK	= 1u << 2,
	/* A voluntary scheduling point (sched_yield, nanosleep). */
	RF_YIELD	= 1u << 3,
	/* Cannot generate a signal for the caller and has no side effect:
	 * no pending-signal check needed on return. */
	RF_PURE		= 1u << 4,
	/* May be refused silently: programs are expected to have a fallback
	 * (rseq, io_uring_setup, clone3 for some flags). */
	RF_QUIET	= 1u << 5,
	/* Modifies file content through a descriptor or path, so writable
	 * shared mappings of followers may have to be refreshed. */
	RF_FILEDATA	= 1u << 6,
	/* Never patched or handled in-process (clone, exec, sigreturn...). */
	RF_NEVER_INPROC	= 1u << 7,
	/* The output may be fetched from a per-variant view (/proc/self/maps
	 * and friends): see monitord/procview.c. */
	RF_VIEW		= 1u << 8,
	/* Whether it may be handled in-process depends on its command or
	 * flags (fcntl, ioctl, futex, mmap, open with O_CREAT): the filter and
	 * the broker look closer, see ipmon_call_class(). */
	RF_BYCMD	= 1u << 9,
	/* Reads the clock or changes nothing but the caller's own memory (not
	 * its code): a variant that makes one such call more or less than the
	 * others does no harm (monitord/solo.c).  Allocators that seed random
	 * decisions with an address do so. */
	RF_PRIVATE	= 1u << 10,
	/* An effect on the outside (CLASS_EFFECT) that is no worse than writing
	 * to a descriptor, or takes from a file or moves it (unlink, truncate,
	 * rename): may be made at the gate (gate_rules.h). */
	RF_GATE		= 1u << 11,
	/* Changes nothing but what the kernel keeps for the process itself
	 * (descriptors, timers) although its class says more: `verified` need
	 * not wait for the followers. */
	RF_OWNSTATE	= 1u << 12,
	/* Its descriptor is free afterwards. */
	RF_CLOSE	= 1u << 13,
	/* EXEC_ALL, and harmless enough that every variant may make it for
	 * itself at the gate (libipmon/broker.c). */
	RF_EACH		= 1u << 14,
};

struct ipmon_row {
	struct ipmon_arg arg[6];
	uint8_t nargs;
	uint8_t exec;		/* enum ipmon_exec */
	uint8_t result;		/* enum ipmon_result */
	uint8_t cls;		/* enum ipmon_class */
	uint8_t walker;		/* enum ipmon_walker, 0 = none */
	uint8_t handler;	/* enum ipmon_handler, 0 = generic */
	uint16_t flags;		/* RF_* */
	uint16_t error;		/* positive errno when refused */
	char name[24];
	char reason[64];	/* why it is refused, for people */
};

/* Walkers for irregular argument memory (core/walk_*.c). */
enum ipmon_walker {
	W_NONE = 0,
	W_IOCTL, W_FCNTL, W_FUTEX, W_FUTEX_WAITV, W_PRCTL, W_ARCH_PRCTL,
	W_EPOLL_CTL, W_EPOLL_WAIT, W_SELECT6, W_SEMCTL, W_SHMCTL, W_MSGCTL,
	W_MSGSND, W_MSGRCV, W_SIGACTION, W_SIGALTSTACK, W_SIGINFO_IN,
	W_SIGEVENT, W_CLONE, W_CLONE3, W_MMAP, W_OPENAT2, W_SCHED_ATTR_SET,
	W_SCHED_ATTR_GET, W_SOCKOPT_GET, W_SOCKOPT_SET, W_KEYCTL, W_QUOTACTL,
	W_HANDLE_GET, W_HANDLE_OPEN, W_PROCESS_VM, W_MINCORE, W_CAPGET,
	W_CAPSET, W_MOUNT, W_MQ_OPEN, W_IO_SUBMIT, W_IO_GETEVENTS,
	W_MEMPOLICY_GET, W_MEMPOLICY_SET, W_MIGRATE_PAGES, W_MOVE_PAGES,
	W_SECCOMP, W_LANDLOCK_RULE, W_STATMOUNT, W_SYSLOG, W_PROCESS_MADVISE,
	W_WAITID, W_FSCONFIG, W_TIMEX, W_UTIMENS, W_LSM, W_XATTRAT, W_VMSPLICE,
	W_KCMP, W_SYSFS, W_LANDLOCK_ATTR,
	W_MAX
};

/*
 * Irregular execution, owned by monitord (monitord/h_*.c).  Several rows may
 * share a handler.
 */
enum ipmon_handler {
	H_GENERIC = 0,
	H_FORK,		/* fork vfork clone clone3 */
	H_EXEC,		/* execve execveat */
	H_EXIT,		/* exit exit_group */
	H_WAIT,		/* wait4 waitid */
	H_MMAP, H_MREMAP, H_SHMAT, H_SHMDT, H_MUNMAP, H_MPROTECT, H_MADVISE,
	H_BRK, H_MSYNC, H_MLOCKALL,
	H_EPOLL_CTL, H_EPOLL_WAIT,
	H_SIGRETURN, H_SIGPROCMASK, H_SIGACTION, H_SIGALTSTACK,
	H_SIGSEND,	/* kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo */
	H_TIMER_CREATE,	/* and mq_notify: a sigevent with a private value */
	H_FUTEX,
	H_SETTID,	/* set_tid_address */
	H_SETPGID, H_CHDIR, H_FCHDIR, H_RLIMIT, H_PRCTL, H_ARCH_PRCTL,
	H_SECCOMP, H_UNSHARE, H_SETNS, H_MOUNT,
	H_OPEN,		/* may turn out to be a /proc view */
	H_IOCTL, H_PROCESS_VM, H_AIO, H_SIGTIMEDWAIT, H_ROBUST, H_LINKED,
	H_AFTER,	/* IPMON_NR_AFTER: the end of a call made in-process */
	H_PERSONALITY, H_CAP, H_PRLIMIT,
	H_CHANNEL,	/* pipe pipe2 socketpair: remembered as internal */
	H_AFFINITY_SET, H_SCHED_SETATTR, H_AFFINITY_GET,
	H_NEWNAME,	/* mkdir, link and such: generic, but newname.c */
	H_GETDENTS, H_PROCESS_MADVISE, H_VMSPLICE,
	H_LANDLOCK,	/* landlock_restrict_self */
	H_FANOTIFY,	/* fanotify_mark: generic, but not for files of proc */
	H_PIDFD,	/* pidfd_open pidfd_getfd: generic, but not for all */
	H_SELF_PID, H_SELF_TID,	/* getpid, gettid: generic; IP-MON knows them */
	H_MAX
};

/* Row of `nr`; the all-zero "unknown" row when out of range. Never NULL. */
const struct ipmon_row *ipmon_row(uint64_t nr);

/* Name for messages: the row's name or "syscall_NNN" written into buf. */
const char *ipmon_name(uint64_t nr, char buf[32]);

/*
 * Which way a call may go.  Under the strict policy every supported call goes
 * to monitord; under relaxed both in-process ways are the same; under verified
 * PATH_INPROC_WAIT waits until the followers agreed before the leader executes.
 */
enum ipmon_path {
	PATH_REFUSED = 0,
	PATH_MONITOR,		/* always a rendezvous in monitord */
	PATH_INPROC,		/* in-process, leader need not wait */
	PATH_INPROC_WAIT,	/* in-process, an effect others can see */
};
enum ipmon_path ipmon_row_path(const struct ipmon_row *row);

/*
 * ReMon's levels: cumulative sets of calls that may be handled in-process.
 * What is outside is left to monitord.
 */
enum ipmon_level {
	LEVEL_NONE = 0,		/* never in-process */
	LEVEL_BASE,		/* time, identity, the process's own state */
	LEVEL_NONSOCKET_RO,	/* reading files, metadata */
	LEVEL_NONSOCKET_RW,	/* writing files, names, timers, futex */
	LEVEL_SOCKET_RO,	/* reading sockets, waiting for events */
	LEVEL_SOCKET_RW,	/* everything */
	LEVEL_MAX
};
/* The level a row belongs to, if its descriptors are no sockets: with a socket
 * (or one that might be) it is ipmon_level_socket() of that. */
unsigned int ipmon_row_level(const struct ipmon_row *row);
static inline unsigned int ipmon_level_socket(unsigned int level)
{
	return level <= LEVEL_NONSOCKET_RO ? LEVEL_SOCKET_RO :
		level == LEVEL_NONSOCKET_RW ? LEVEL_SOCKET_RW : level;
}
const char *ipmon_level_name(unsigned int level);

/*
 * The class of one particular call: row->cls, except that opening a file in a
 * way that changes it (O_CREAT, O_TRUNC, O_TMPFILE) is CLASS_EFFECT.
 */
unsigned int ipmon_call_class(const struct ipmon_row *row,
			      const uint64_t args[6]);

const char *ipmon_exec_name(unsigned int exec);
const char *ipmon_class_name(unsigned int cls);
const char *ipmon_kind_name(unsigned int kind);
const char *ipmon_result_name(unsigned int result);
/* NULL beyond the last flag; bit is a bit number, not a mask. */
const char *ipmon_flag_name(unsigned int bit);

/*
 * FNV-1a over every byte of the table that has meaning.  libipmon presents
 * it at registration and monitord refuses a library built from another one.
 */
uint64_t ipmon_table_hash(void);

#endif
