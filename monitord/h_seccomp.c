// SPDX-License-Identifier: Apache-2.0
/*
 * The program's own seccomp filters.
 *
 * Theory of operation
 * -------------------
 * A filter of the program is really installed, in every variant, behind
 * ours: its decisions are the kernel's.  Two things are changed in the copy
 * that is installed:
 *
 *   prefix	calls the monitor injects are made with the instruction pointer
 *		at the gate (task_inject, once has_filter is set).  No code of
 *		the program is there; the prefix allows them.  BPF jumps are
 *		relative, so what follows is the program's filter as it is.
 *   returns	SECCOMP_RET_TRACE means ENOSYS to a program without a tracer
 *		(seccomp(2)), which is what the program believes to be.  We are
 *		told by the data of the result (TRACE_NO_TRACER), as the kernel
 *		takes the latest filter's; so an ERRNO of another filter wins,
 *		as natively.  Constant returns are rewritten; `ret A` jumps to
 *		a trailer that decides.
 *
 * When several filters disagree the most restrictive result wins, so:
 *
 *   KILL, TRAP, ERRNO, USER_NOTIF	happen in the kernel, in each variant;
 *				we see no call (nor does a native tracer)
 *   LOG, ALLOW			our RET_TRACE is stronger: a normal
 *				rendezvous, after which the kernel
 *				asks the filters again.  LOG logs once
 *				per variant.
 *
 * The walker has compared the program's filters byte for byte; what is
 * installed is made from the leader's copy, read once, with each variant's
 * gate.
 *
 * A listener (SECCOMP_FILTER_FLAG_NEW_LISTENER) is refused: it would have to
 * answer for processes the program does not know.  Strict mode is enforced
 * by monitord itself, see seccomp_strict_forbids().
 *
 * Permission: an unprivileged monitord has set no_new_privs for its own
 * filter; a program that has not, and lacks CAP_SYS_ADMIN, still gets EACCES.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "h_misc.h"
#include "tracee.h"

#define IP_LOW	(offsetof(struct seccomp_data, instruction_pointer))
#define IP_HIGH	(IP_LOW + 4)

#define PREFIX	6u
#define TRAILER	8u

#ifndef SECCOMP_FILTER_FLAG_NEW_LISTENER
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1UL << 3)
#endif

_Static_assert(BPF_MAXINSNS * sizeof(struct sock_filter) <= SCRATCH_BIG,
	       "the largest filter fits the scratch area");

/*
 * Would the kernel accept the jumps and the end of this program?  With
 * something appended it could no longer tell (bpf_check_classic).
 */
static bool filter_closed(const struct sock_filter *in, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		unsigned int rest = n - i - 1;

		if (BPF_CLASS(in[i].code) != BPF_JMP)
			continue;
		if (BPF_OP(in[i].code) == BPF_JA ? in[i].k >= rest :
		    in[i].jt >= rest || in[i].jf >= rest)
			return false;
	}
	return in[n - 1].code == (BPF_RET | BPF_K) ||
		in[n - 1].code == (BPF_RET | BPF_A);
}

/* One that the kernel accepts anywhere (seccomp_check_filter, bpf_check_classic). */
static bool filter_plain(const struct sock_filter *f)
{
	switch (f->code) {
	case BPF_RET | BPF_K: case BPF_RET | BPF_A:
	case BPF_MISC | BPF_TAX: case BPF_MISC | BPF_TXA:
	case BPF_LD | BPF_IMM: case BPF_LDX | BPF_IMM:
	case BPF_JMP | BPF_JA:
	case BPF_JMP | BPF_JEQ | BPF_K: case BPF_JMP | BPF_JEQ | BPF_X:
	case BPF_JMP | BPF_JGT | BPF_K: case BPF_JMP | BPF_JGT | BPF_X:
	case BPF_JMP | BPF_JGE | BPF_K: case BPF_JMP | BPF_JGE | BPF_X:
	case BPF_JMP | BPF_JSET | BPF_K: case BPF_JMP | BPF_JSET | BPF_X:
		return true;
	case BPF_LD | BPF_W | BPF_ABS:
		return f->k % 4 == 0 && f->k < sizeof(struct seccomp_data);
	default:
		return false;
	}
}

/*
 * Drop what is never executed, so that a filter of the greatest length may have room
 * for what comes around it.  Jumps go forward and have been found to stay inside.
 * Returns the length, n if something is there that the kernel might refuse.
 */
static unsigned int filter_shorten(struct sock_filter *f, unsigned int n)
{
	static uint16_t at[BPF_MAXINSNS];
	static bool used[BPF_MAXINSNS];
	unsigned int left = 0;

	memset(used, 0, sizeof(used));
	used[0] = true;
	for (unsigned int i = 0; i < n; i++) {
		bool jump = BPF_CLASS(f[i].code) == BPF_JMP;
		bool always = jump && BPF_OP(f[i].code) == BPF_JA;

		if (!used[i] && !filter_plain(&f[i]))
			return n;
		at[i] = (uint16_t)left;
		if (!used[i])
			continue;
		left++;
		if (BPF_CLASS(f[i].code) == BPF_RET)
			continue;
		used[i + 1 + (always ? f[i].k : jump ? f[i].jt : 0)] = true;
		if (jump && !always)
			used[i + 1 + f[i].jf] = true;
	}
	for (unsigned int i = 0; i < n; i++) {
		unsigned int next = i + 1;

		if (!used[i])
			continue;
		if (BPF_CLASS(f[i].code) == BPF_JMP) {
			if (BPF_OP(f[i].code) == BPF_JA) {
				f[i].k = at[next + f[i].k] - at[i] - 1u;
			} else {
				f[i].jt = (uint8_t)(at[next + f[i].jt] - at[i] - 1);
				f[i].jf = (uint8_t)(at[next + f[i].jf] - at[i] - 1);
			}
		}
		f[at[i]] = f[i];
	}
	return left;
}

/*
 * The filter to install: prefix, the program's `n` instructions, and if
 * needed the trailer.  Returns the length; out has room for
 * n + PREFIX + TRAILER.
 */
static unsigned int filter_wrap(struct sock_filter *out,
				const struct sock_filter *in, unsigned int n,
				uint64_t gate)
{
	const uint64_t ip = gate + 2;	/* after the syscall instruction */
	const struct sock_filter prefix[PREFIX] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP_LOW),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)ip, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP_HIGH),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(ip >> 32), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		/* a filter starts with a zero accumulator */
		BPF_STMT(BPF_LD | BPF_IMM, 0),
	};
	const struct sock_filter trailer[TRAILER] = {
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SECCOMP_RET_ACTION_FULL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_RET_TRACE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | TRACE_NO_TRACER),
		BPF_STMT(BPF_MISC | BPF_TXA, 0),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const unsigned int trailer_len = 6;
	unsigned int len = PREFIX + n;
	bool need_trailer = false;

	memcpy(out, prefix, sizeof(prefix));
	memcpy(out + PREFIX, in, n * sizeof(*in));
	for (unsigned int i = PREFIX; i < PREFIX + n; i++) {
		struct sock_filter *f = &out[i];

		if (f->code == (BPF_RET | BPF_K) &&
		    (f->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE) {
			f->k = SECCOMP_RET_TRACE | TRACE_NO_TRACER;
		} else if (f->code == (BPF_RET | BPF_A)) {
			*f = (struct sock_filter)
				BPF_STMT(BPF_JMP | BPF_JA, len - i - 1);
			need_trailer = true;
		}
	}
	if (need_trailer) {
		memcpy(out + len, trailer, trailer_len * sizeof(*trailer));
		len += trailer_len;
	}
	return len;
}

/* Install in variant v, with `arg` of its call replaced by the fprog. */
static int64_t install_in(struct taskset *s, unsigned int v, unsigned int arg,
			  const struct sock_filter *in, unsigned int n)
{
	static struct sock_filter buf[BPF_MAXINSNS + PREFIX + TRAILER];
	struct task *t = &s->t[v];
	struct sock_fprog prog;
	uint64_t slot = scratch_slot(s, v), big = scratch_big(s, v);
	uint64_t args[6];
	unsigned int len = filter_wrap(buf, in, n, s->proc->mm->gate[v]);

	if (len > BPF_MAXINSNS) {
		if (v == LEADER)
			refuse(s, "a filter too long to be wrapped");
		return -EINVAL;
	}
	memset(&prog, 0, sizeof(prog));
	prog.len = (unsigned short)len;
	prog.filter = (struct sock_filter *)(uintptr_t)big;
	if (mem_write(t, big, buf, len * sizeof(*buf)) < 0 ||
	    mem_write(t, slot, &prog, sizeof(prog)) < 0)
		return -EFAULT;
	memcpy(args, t->call.args, sizeof(args));
	args[arg] = slot;
	return task_exec(t, t->call.nr, args);
}

/*
 * A filter that is not there asks which flags there are (libseccomp does): EFAULT
 * for those that the kernel knows, EINVAL for others, and for listeners, of which
 * nothing need be said until somebody wants one.
 */
static void no_filter(struct taskset *s, uint64_t flags, unsigned int arg)
{
	struct task *lead = &s->t[LEADER];
	uint64_t args[6];
	int64_t ret = -EINVAL;

	if (!(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)) {
		memcpy(args, lead->call.args, sizeof(args));
		args[arg] = 0;
		ret = task_exec(lead, lead->call.nr, args);
		if (lead->at == AT_DEAD || lead->at == AT_RUN)
			return;
	}
	set_finish(s, ret);
}

static void install_filter(struct taskset *s, uint64_t flags, unsigned int arg)
{
	struct task *lead = &s->t[LEADER];
	struct sock_filter *in;
	struct sock_fprog prog;
	uint64_t at;
	int64_t ret;

	if (mem_read(lead, &prog, lead->call.args[arg], sizeof(prog)) < 0) {
		no_filter(s, flags, arg);
		return;
	}
	if (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) {
		refuse(s, "a seccomp listener");
		set_finish(s, -EINVAL);
		return;
	}
	if (!prog.len || prog.len > BPF_MAXINSNS || !prog.filter) {
		set_finish(s, -EINVAL);
		return;
	}
	if (!s->proc->vnnp && !leader_has_cap(s, CAP_SYS_ADMIN)) {
		set_finish(s, -EACCES);
		return;
	}
	in = calloc(prog.len, sizeof(*in));
	if (!in)
		die("out of memory");
	at = (uint64_t)(uintptr_t)prog.filter;
	if (mem_read(lead, in, at, prog.len * sizeof(*in)) < 0) {
		free(in);
		set_finish(s, -EFAULT);
		return;
	}
	if (!filter_closed(in, prog.len)) {
		free(in);
		set_finish(s, -EINVAL);
		return;
	}
	if (prog.len > BPF_MAXINSNS - PREFIX - TRAILER)
		prog.len = (unsigned short)filter_shorten(in, prog.len);
	ret = install_in(s, LEADER, arg, in, prog.len);
	if (lead->at == AT_DEAD || lead->at == AT_RUN) {
		free(in);
		return;
	}
	if (ret == 0) {
		s->proc->has_filter = true;
		s->proc->vseccomp = SECCOMP_MODE_FILTER;
		for_each_follower(v) {
			int64_t r = install_in(s, v, arg, in, prog.len);

			if (r != ret && s->t[v].at == AT_EXIT &&
			    !result_differs(s, v, ret, r, NULL)) {
				free(in);
				return;
			}
		}
	}
	free(in);
	set_finish(s, ret);
}

void seccomp_install(struct taskset *s, uint64_t op, uint64_t flags,
		     unsigned int arg)
{
	if (op == SECCOMP_SET_MODE_FILTER) {
		/* the modes exclude each other */
		if (s->proc->vseccomp == SECCOMP_MODE_STRICT)
			set_finish(s, -EINVAL);
		else
			install_filter(s, flags, arg);
		return;
	}
	if (s->proc->vseccomp == SECCOMP_MODE_FILTER) {
		set_finish(s, -EINVAL);
		return;
	}
	s->proc->vseccomp = SECCOMP_MODE_STRICT;
	set_finish(s, 0);
}

void seccomp_start(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	uint64_t op = (uint32_t)a[0], flags = (uint32_t)a[1];

	switch (op) {
	case SECCOMP_SET_MODE_STRICT:
		if (flags || a[2])
			set_finish(s, -EINVAL);
		else
			seccomp_install(s, op, 0, 2);
		return;
	case SECCOMP_SET_MODE_FILTER:
		seccomp_install(s, op, flags, 2);
		return;
	case SECCOMP_GET_ACTION_AVAIL:
	case SECCOMP_GET_NOTIF_SIZES: {
		int64_t ret = set_follower_exec(s, LEADER);

		if (s->t[LEADER].at != AT_EXIT)
			return;
		if (set_replicate(s, ret) == 0)
			set_finish(s, ret);
		return;
	}
	default:
		set_finish(s, -EINVAL);
		return;
	}
}

/* Like a filter it needs no_new_privs or the capability, and no_new_privs may
 * be ours rather than the program's. */
void landlock_start(struct taskset *s)
{
	if (!s->proc->vnnp && !leader_has_cap(s, CAP_SYS_ADMIN))
		set_finish(s, -EPERM);
	else
		set_leader_go(s);
}

bool seccomp_strict_forbids(const struct taskset *s)
{
	if (s->proc->vseccomp != SECCOMP_MODE_STRICT)
		return false;
	/* mode1_syscalls of the kernel */
	switch (s->t[LEADER].call.nr) {
	case SYS_read:
	case SYS_write:
	case SYS_exit:
	case SYS_rt_sigreturn:
		return false;
	default:
		return true;
	}
}
