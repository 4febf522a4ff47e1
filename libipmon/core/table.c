/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syscall table itself and the questions one can ask it.
 *
 * Theory of operation
 * -------------------
 * The rows come from syscalls.def; everything here is a lookup.  The table
 * and the name lists are character arrays, never pointers, so that the object
 * needs no relocations inside libipmon and the rows can be hashed byte by
 * byte.  Rules of core/: no libc, no system calls, no globals that change.
 */
#include <asm-generic/errno.h>
#include <ipmon/abi.h>
#include <ipmon/gate_rules.h>

#include "pure.h"

static const struct ipmon_row table[IPMON_NR_MAX] = {
#define ROW(nr_, name_, exec_, res_, cls_, flags_, walker_, handler_, ...)    \
	[nr_] = {                                                              \
		.arg = { __VA_ARGS__ },                                        \
		.nargs = sizeof((struct ipmon_arg[]){ __VA_ARGS__ }) /         \
			 sizeof(struct ipmon_arg),                             \
		.exec = EXEC_##exec_,                                          \
		.result = RES_##res_,                                          \
		.cls = CLASS_##cls_,                                           \
		.walker = W_##walker_,                                         \
		.handler = H_##handler_,                                       \
		.flags = flags_,                                               \
		.name = #name_,                                                \
	},
#define REFUSE(nr_, name_, error_, flags_, reason_)                            \
	[nr_] = {                                                              \
		.exec = EXEC_NONE,                                             \
		.cls = CLASS_REFUSED,                                          \
		.flags = flags_,                                               \
		.error = error_,                                               \
		.name = #name_,                                                \
		.reason = reason_,                                             \
	},
#include <ipmon/syscalls.def>
};

static const struct ipmon_row unknown_row;

_Static_assert(sizeof(struct ipmon_arg) == 4, "hashed byte by byte");
_Static_assert(sizeof(struct ipmon_row) == 122, "no padding: it is hashed");
_Static_assert(K_MAX <= 255 && (int)W_MAX <= 255 && (int)H_MAX <= 255,
	       "stored in one byte");

const struct ipmon_row *ipmon_row(uint64_t nr)
{
	return nr < IPMON_NR_MAX ? &table[nr] : &unknown_row;
}

const char *ipmon_name(uint64_t nr, char buf[32])
{
	static const char prefix[] = "syscall_";
	const struct ipmon_row *row = ipmon_row(nr);
	char digits[20];
	unsigned int n = 0, i;

	if (row->name[0])
		return row->name;
	if (nr == IPMON_INSN_COUNTER)
		return "rdtsc";
	if (nr == IPMON_INSN_RANDOM)
		return "rdrand";
	if (nr == IPMON_INSN_VISIT)
		return "spin";
	for (i = 0; prefix[i]; i++)
		buf[i] = prefix[i];
	do {
		digits[n++] = (char)('0' + nr % 10);
		nr /= 10;
	} while (nr);
	while (n)
		buf[i++] = digits[--n];
	buf[i] = '\0';
	return buf;
}

enum ipmon_path ipmon_row_path(const struct ipmon_row *row)
{
	if (row->exec == EXEC_NONE)
		return PATH_REFUSED;
	if (ipmon_memory_row(row) || row->flags & RF_EACH)
		return PATH_INPROC;
	if (!ipmon_gate_row(row) && !ipmon_open_row(row))
		return PATH_MONITOR;
	switch (row->cls) {
	case CLASS_BASE:
	case CLASS_NONSOCK_RO:
	case CLASS_SOCK_RO:
		return PATH_INPROC;
	case CLASS_NONSOCK_RW:
	case CLASS_SOCK_RW:
	case CLASS_EFFECT:
		return PATH_INPROC_WAIT;
	default:
		return PATH_MONITOR;
	}
}

/* O_CREAT | O_TRUNC | __O_TMPFILE of x86-64 */
#define OPEN_CHANGES 020001100u

unsigned int ipmon_call_class(const struct ipmon_row *row,
			      const uint64_t args[6])
{
	unsigned int i;

	if (row->cls == CLASS_EFFECT || row->exec == EXEC_NONE)
		return row->cls;
	for (i = 0; i < row->nargs; i++) {
		if (row->arg[i].kind == K_OPENMODE &&
		    (args[row->arg[i].a] & OPEN_CHANGES))
			return CLASS_EFFECT;
	}
	return row->cls;
}

unsigned int ipmon_row_level(const struct ipmon_row *row)
{
	unsigned int i;

	switch (row->cls) {
	case CLASS_BASE:
	case CLASS_MEMORY:
	case CLASS_SIGNAL:
	case CLASS_PROCESS:
		return LEVEL_BASE;
	case CLASS_NONSOCK_RO:
		/* a list of descriptors may name sockets */
		for (i = 0; i < row->nargs; i++)
			if (row->arg[i].kind == K_POLLFD ||
			    row->arg[i].kind == K_FDSET)
				return LEVEL_SOCKET_RO;
		return LEVEL_NONSOCKET_RO;
	case CLASS_NONSOCK_RW:
	case CLASS_EFFECT:
		return LEVEL_NONSOCKET_RW;
	case CLASS_SOCK_RO:
		return LEVEL_SOCKET_RO;
	case CLASS_SOCK_RW:
		return LEVEL_SOCKET_RW;
	default:
		return LEVEL_NONE;
	}
}

/* Two-dimensional character arrays instead of arrays of pointers: see top. */
static const char exec_names[][8] = {
	[EXEC_NONE] = "nobody",
	[EXEC_LEADER] = "leader",
	[EXEC_ALL] = "all",
	[EXEC_MONITOR] = "monitor",
};
_Static_assert(sizeof(exec_names) / sizeof(exec_names[0]) == EXEC_MONITOR + 1,
	       "one name per executor");

static const char class_names[][16] = {
	[CLASS_UNKNOWN] = "unknown",
	[CLASS_REFUSED] = "refused",
	[CLASS_BASE] = "base",
	[CLASS_NONSOCK_RO] = "nonsocket-ro",
	[CLASS_NONSOCK_RW] = "nonsocket-rw",
	[CLASS_SOCK_RO] = "socket-ro",
	[CLASS_SOCK_RW] = "socket-rw",
	[CLASS_EFFECT] = "effect",
	[CLASS_MEMORY] = "memory",
	[CLASS_PROCESS] = "process",
	[CLASS_SIGNAL] = "signal",
	[CLASS_CRED] = "credentials",
};
_Static_assert(sizeof(class_names) / sizeof(class_names[0]) == CLASS_MAX,
	       "one name per class");

static const char level_names[][16] = {
	[LEVEL_NONE] = "-",
	[LEVEL_BASE] = "BASE",
	[LEVEL_NONSOCKET_RO] = "NONSOCKET_RO",
	[LEVEL_NONSOCKET_RW] = "NONSOCKET_RW",
	[LEVEL_SOCKET_RO] = "SOCKET_RO",
	[LEVEL_SOCKET_RW] = "SOCKET_RW",
};
_Static_assert(sizeof(level_names) / sizeof(level_names[0]) == LEVEL_MAX,
	       "one name per level");

static const char result_names[][12] = {
	[RES_INT] = "int",
	[RES_COUNT] = "count",
	[RES_FD] = "fd",
	[RES_PID] = "pid",
	[RES_ADDR] = "address",
	[RES_OWN] = "own",
	[RES_NORETURN] = "noreturn",
};
_Static_assert(sizeof(result_names) / sizeof(result_names[0]) ==
	       RES_NORETURN + 1, "one name per result");

static const char kind_names[][16] = {
	[K_NONE] = "-", [K_IGN] = "ignored", [K_INT] = "int",
	[K_UINT] = "uint", [K_LONG] = "long", [K_FD] = "fd",
	[K_DIRFD] = "dirfd", [K_PID] = "pid", [K_SIG] = "signal",
	[K_MODE] = "mode", [K_FLAGS] = "flags", [K_LFLAGS] = "lflags",
	[K_OFF] = "offset", [K_SIZE] = "size", [K_OPENMODE] = "openmode",
	[K_PTR] = "pointer", [K_HINT] = "hint", [K_PATH] = "path",
	[K_STR] = "string", [K_STRV] = "strings", [K_BUFIN] = "buf in",
	[K_IN] = "struct in", [K_ARRIN] = "array in", [K_IOVIN] = "iovec in",
	[K_MSGIN] = "msghdr in", [K_MMSGIN] = "mmsghdr in",
	[K_SADDRIN] = "sockaddr in", [K_BUFOUT] = "buf out",
	[K_OUT] = "struct out", [K_OUTALWAYS] = "struct out!",
	[K_ARROUT] = "array out", [K_IOVOUT] = "iovec out",
	[K_MSGOUT] = "msghdr out", [K_MMSGOUT] = "mmsghdr out",
	[K_SADDROUT] = "sockaddr out", [K_INOUT] = "struct inout",
	[K_INOUTALWAYS] = "struct inout!", [K_LENPTR] = "length inout",
	[K_OFFPTR] = "offset inout", [K_FDSET] = "fd_set inout",
	[K_POLLFD] = "pollfd inout", [K_SIGSET] = "sigset in",
	[K_WALK] = "walked", [K_WALKV] = "by command",
	[K_ASIZE] = "layout size", [K_BUFOUTOK] = "buf out",
	[K_OUTNZ] = "struct out", [K_OUTINTR] = "struct out",
	[K_SIGSETOUT] = "sigset out",
};
_Static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == K_MAX,
	       "one name per kind");

static const char flag_names[][14] = {
	"block", "eintr", "tmpmask", "yield", "pure", "quiet", "filedata",
	"never-inproc", "view", "by-command", "private", "gate", "own-state",
	"close", "each",
};
_Static_assert(RF_EACH == 1u << (sizeof(flag_names) /
				  sizeof(flag_names[0]) - 1),
	       "one name per flag");

#define LOOKUP(array, i) \
	((i) < sizeof(array) / sizeof((array)[0]) ? (array)[i] : "?")

const char *ipmon_exec_name(unsigned int exec)
{
	return LOOKUP(exec_names, exec);
}

const char *ipmon_class_name(unsigned int cls)
{
	return LOOKUP(class_names, cls);
}

const char *ipmon_level_name(unsigned int level)
{
	return LOOKUP(level_names, level);
}

const char *ipmon_kind_name(unsigned int kind)
{
	return LOOKUP(kind_names, kind);
}

const char *ipmon_result_name(unsigned int result)
{
	return LOOKUP(result_names, result);
}

const char *ipmon_flag_name(unsigned int bit)
{
	return bit < sizeof(flag_names) / sizeof(flag_names[0]) ?
	       flag_names[bit] : NULL;
}

uint64_t ipmon_table_hash(void)
{
	uint64_t h = FNV1A_INIT;
	unsigned int nr;

	/*
	 * The reason is text for people: two builds that differ only there
	 * still work together.
	 */
	for (nr = 0; nr < IPMON_NR_MAX; nr++)
		h = pure_fnv1a(h, &table[nr],
			       offsetof(struct ipmon_row, reason));
	/* The meaning of the numbers in the rows. */
	h = pure_fnv1a(h, kind_names, sizeof(kind_names));
	h = pure_fnv1a(h, (uint32_t[]){ K_MAX, W_MAX, H_MAX, CLASS_MAX },
		       4 * sizeof(uint32_t));
	return h;
}
