/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls as text, in strace's notation.
 *
 * Used for --trace (one line per rendezvous) and for the side-by-side
 * arguments of the divergence report.  The formatter is driven by the
 * table's argument kinds; trace_names.c adds a presentation (flag names,
 * struct layouts) to single arguments by the name of the call.  It never
 * influences what is compared or replicated.
 *
 * Pure but for the reader, so the unit tests run it on byte arrays.
 */
#ifndef MONITORD_TRACE_H
#define MONITORD_TRACE_H

#include <stdio.h>
#include <sys/types.h>
#include <ipmon/table.h>
#include "text.h"

struct taskset;

/* One call to be printed. */
struct format {
	const struct ipmon_row *row;
	uint64_t nr;
	const uint64_t *args;		/* six */
	int64_t ret;			/* valid if done */
	bool done;			/* the outputs in memory are valid */
	size_t strmax;			/* bytes shown of a string or buffer */
	/* Copies up to n bytes of the caller's memory; returns how many, or
	 * a negative errno.  Never more than n. */
	ssize_t (*read)(void *ctx, void *dst, uint64_t src, size_t n);
	void *ctx;
};
#define FORMAT_STRMAX	32
#define FORMAT_MAX	8192		/* a buffer for any whole call */

/* Kind `kind` is an address, and what is there may be of interest. */
bool format_is_pointer(unsigned int kind);
void format_arg(struct text *t, const struct format *f, unsigned int i);
/* Number of arguments worth printing. */
unsigned int format_nargs(const struct format *f);
/* name(arg, arg, ...) */
void format_call(struct text *t, const struct format *f);
/* "= 3", "= -1 ENOENT (No such file or directory)", "= ?", ... */
void format_ret(struct text *t, const struct format *f);

/* Signal as SIGINT, SIGRT_3 or a number. */
void format_signal(struct text *t, int sig);
/* Wait status in words of strace: "exited with 1", "killed by SIGKILL". */
void format_status(struct text *t, int status);

/* ---- trace_names.c ---- */

/* How an argument is shown beyond what its kind says. */
enum show {
	SHOW_KIND = 0,		/* by kind alone */
	/* scalars: a table of names */
	SHOW_OPEN, SHOW_PROT, SHOW_MAP, SHOW_AT, SHOW_ACCESS, SHOW_WHENCE,
	SHOW_FAMILY, SHOW_SOCKTYPE, SHOW_SIGHOW, SHOW_FCNTL, SHOW_FUTEX,
	SHOW_PRCTL, SHOW_ARCH, SHOW_IOCTL, SHOW_CLOCK, SHOW_MADV, SHOW_MSG,
	SHOW_CLONE, SHOW_WAIT, SHOW_RLIMIT, SHOW_EPOLLOP, SHOW_SOLEVEL,
	SHOW_SHUT, SHOW_MREMAP, SHOW_MSYNC, SHOW_FLOCK, SHOW_EVENTFD,
	SHOW_MEMFD, SHOW_RUSAGE, SHOW_GRND, SHOW_ITIMER, SHOW_TIMERFLAG,
	SHOW_STATX, SHOW_UMOUNT, SHOW_RENAME, SHOW_FALLOC, SHOW_SPLICE,
	SHOW_IDTYPE, SHOW_EPOLLFLAG, SHOW_POLLEV, SHOW_EPOLLEV, SHOW_SAFLAG,
	SHOW_SIFMT, SHOW_CLOSERANGE, SHOW_SOCKOPT, SHOW_OFLAG,
	SHOW_FADVISE,
	SHOW_TABLES,		/* end of the tables */
	/* scalars with a form of their own */
	SHOW_FCNTLARG, SHOW_PRCTLARG, SHOW_OCTAL, SHOW_HEX, SHOW_DEV,
	/* memory */
	SHOW_TIMESPEC, SHOW_TIMESPEC2, SHOW_TIMEVAL, SHOW_TIMEVAL2,
	SHOW_ITIMERSPEC, SHOW_STAT, SHOW_SIGACTION, SHOW_SIGSET, SHOW_FDPAIR,
	SHOW_WSTATUS, SHOW_RLIMITS, SHOW_ENVP, SHOW_EPOLLEVENT,
	SHOW_EPOLLEVENTS, SHOW_DIRENTS, SHOW_UTSNAME, SHOW_INT32, SHOW_WINSZ,
	SHOW_LEN,
	SHOW_MAX
};
enum show show_arg(uint64_t nr, unsigned int arg);
/* Name of the i-th call with a presentation, NULL after the last (tests). */
const char *show_call(unsigned int i);

/* Print v by table `s`: names of bits joined by |, or the one name; what has
 * no name in hex. */
void show_value(struct text *t, enum show s, uint64_t v);
/* The one name of v in table s, or NULL. */
const char *show_name(enum show s, uint64_t v);

#endif
