/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: sets, actions, queued information, notification requests.
 *
 * Handler addresses, stacks and signal values belong to each variant: they
 * are compared for what they select (default, ignore, a handler) and never by
 * value.  The old action and old stack are each variant's own, so no output
 * item is emitted for them.
 */
#include "walk.h"

#define SIGSET_SIZE 8

int walk_sigset(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		uint64_t size)
{
	if (addr && size != SIGSET_SIZE)	/* EINVAL */
		return ipmon_emit_scalar(w, arg, 1, "sigset");
	return ipmon_emit_in(w, arg, addr, SIGSET_SIZE, "sigset");
}

int walk_sigset_out(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		    uint64_t size)
{
	if (addr && size > SIGSET_SIZE)		/* EINVAL */
		return ipmon_emit_scalar(w, arg, 1, "sigset");
	return ipmon_emit_out(w, arg, addr, size, R_SUCCESS, 0, "sigset");
}

/* struct { handler; unsigned long flags; restorer; sigset_t mask; } */
int walk_sigaction(struct ipmon_walk *w)
{
	uint64_t act[4];
	int rc;

	if (!w->args[1] || w->args[3] != SIGSET_SIZE)
		return 0;	/* a query, or EINVAL */
	rc = walk_fetch(w, 1, act, w->args[1], sizeof(act));
	if (rc)
		return rc < 0 ? rc : 0;
	/* SIG_DFL 0, SIG_IGN 1, anything else is a function */
	rc = ipmon_emit_scalar(w, 1, pure_min(act[0], 2), "handler");
	if (!rc)
		rc = ipmon_emit_scalar(w, 1, act[1], "sa_flags");
	if (!rc)
		rc = ipmon_emit_scalar(w, 1, act[3], "sa_mask");
	return rc;
}

/* stack_t { void *sp; int flags; (4 bytes padding) size_t size; } */
int walk_sigaltstack(struct ipmon_walk *w)
{
	unsigned char ss[24];
	int rc;

	if (!w->args[0])
		return 0;
	rc = walk_fetch(w, 0, ss, w->args[0], sizeof(ss));
	if (rc)
		return rc < 0 ? rc : 0;
	rc = ipmon_emit_scalar(w, 0, pure_u32(ss + 8), "ss_flags");
	/* SS_DISABLE: the kernel takes neither stack nor size */
	if (rc || (pure_u32(ss + 8) & ~(1u << 31)) == 2)
		return rc;
	rc = walk_null(w, 0, pure_u64(ss), "ss_sp");
	return rc ? rc : ipmon_emit_scalar(w, 0, pure_u64(ss + 16), "ss_size");
}

/*
 * siginfo_t to queue: signo, errno, code, then pid and uid as the kernel lays
 * them out for SI_QUEUE; si_value is the program's own and may be a pointer.
 */
int walk_siginfo_in(struct ipmon_walk *w)
{
	unsigned int arg = walk_arg(w, 0);
	unsigned char info[24];
	int rc;

	if (!w->args[arg])
		return 0;
	rc = walk_fetch(w, arg, info, w->args[arg], sizeof(info));
	if (rc)
		return rc < 0 ? rc : 0;
	/* si_signo is overwritten by the call's signal number */
	rc = ipmon_emit_scalar(w, arg, walk_int(pure_u32(info + 8)), "si_code");
	if (!rc)
		rc = ipmon_emit_scalar(w, arg, pure_u32(info + 16), "si_pid");
	if (!rc)
		rc = ipmon_emit_scalar(w, arg, pure_u32(info + 20), "si_uid");
	return rc;
}

/* sigevent { u64 value; int signo; int notify; int tid; ... }, 64 bytes */
int walk_sigevent(struct ipmon_walk *w)
{
	unsigned int arg = walk_arg(w, 0);
	unsigned char ev[20];
	uint32_t notify;
	int rc;

	if (!w->args[arg])
		return 0;
	rc = walk_fetch(w, arg, ev, w->args[arg], sizeof(ev));
	if (rc)
		return rc < 0 ? rc : 0;
	notify = pure_u32(ev + 12);
	rc = ipmon_emit_scalar(w, arg, notify, "sigev_notify");
	if (rc || notify == 1)		/* SIGEV_NONE looks at nothing else */
		return rc;
	rc = ipmon_emit_scalar(w, arg, pure_u32(ev + 8), "sigev_signo");
	if (!rc && (notify & 4))	/* SIGEV_THREAD_ID */
		rc = ipmon_emit_scalar(w, arg, pure_u32(ev + 16),
				       "sigev_notify_thread_id");
	return rc;
}
