// SPDX-License-Identifier: Apache-2.0
/*
 * prctl and arch_prctl: one rule per option.
 *
 * Theory of operation
 * -------------------
 * prctl is a bag of unrelated calls.  Each option has a rule that says who
 * executes it; options without a rule are answered EINVAL, as by a kernel
 * that does not know them.
 *
 *   PR_LEADER	about the process as the world sees it, or a question: the
 *		leader executes, outputs are replicated
 *   PR_EVERY	state that counts while a variant itself runs: all execute,
 *		leader first, and must agree
 *   PR_EVERY_LAX	the same, but a follower's failure changes nothing the
 *		program can notice
 *   PR_OWN	the answer is an address: all execute, each keeps its own
 *   PR_NEVER	answered with the rule's errno, nobody executes
 *   PR_VIRTUAL	the kernel's setting is the monitor's; the program's is
 *		kept in struct proc (h_misc.c)
 *
 * Dumpable is executed for real only if monitord may read undumpable memory
 * (CAP_SYS_PTRACE); otherwise it is virtual, as the monitor would lose its
 * access.  PR_SET_TSC is virtual because rdtsc always traps here.
 *
 * arch_prctl: ARCH_SET_FS and ARCH_SET_GS are executed by all, each with its
 * own value.  IP-MON finds its state through GS: a program that wants GS for
 * itself goes on without IP-MON (fast_forbid), and one that asks for the base
 * is told what it would be natively.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <asm/prctl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>

#include "fast.h"
#include "h_misc.h"
#include "stack.h"
#include "tracee.h"
#include "tsc.h"

/* newer than the headers we must build with */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif
#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif
#define PR_TIMER_CREATE_RESTORE_IDS_OPT	77
#define PR_FUTEX_HASH_OPT		78

enum prctl_who {
	PR_UNKNOWN = 0, PR_LEADER, PR_EVERY, PR_EVERY_LAX, PR_OWN, PR_NEVER,
	PR_VIRTUAL,
};

struct prctl_rule {
	uint32_t option;
	uint8_t who;
	uint8_t error;
};

static const struct prctl_rule prctl_rules[] = {
	{ PR_SET_PDEATHSIG, PR_LEADER },
	{ PR_GET_PDEATHSIG, PR_LEADER },
	{ PR_GET_DUMPABLE, PR_VIRTUAL },
	{ PR_SET_DUMPABLE, PR_VIRTUAL },
	{ PR_GET_UNALIGN, PR_LEADER },		/* EINVAL on x86 */
	{ PR_SET_UNALIGN, PR_LEADER },
	{ PR_GET_KEEPCAPS, PR_LEADER },
	{ PR_SET_KEEPCAPS, PR_EVERY },
	{ PR_GET_FPEMU, PR_LEADER },
	{ PR_SET_FPEMU, PR_LEADER },
	{ PR_GET_FPEXC, PR_LEADER },
	{ PR_SET_FPEXC, PR_LEADER },
	{ PR_GET_TIMING, PR_LEADER },
	{ PR_SET_TIMING, PR_LEADER },
	{ PR_SET_NAME, PR_EVERY },
	{ PR_GET_NAME, PR_LEADER },
	{ PR_GET_ENDIAN, PR_LEADER },
	{ PR_SET_ENDIAN, PR_LEADER },
	{ PR_GET_SECCOMP, PR_VIRTUAL },
	{ PR_SET_SECCOMP, PR_VIRTUAL },
	{ PR_CAPBSET_READ, PR_LEADER },
	{ PR_CAPBSET_DROP, PR_EVERY },
	{ PR_GET_TSC, PR_VIRTUAL },
	{ PR_SET_TSC, PR_VIRTUAL },
	{ PR_GET_SECUREBITS, PR_LEADER },
	{ PR_SET_SECUREBITS, PR_EVERY },
	{ PR_SET_TIMERSLACK, PR_LEADER },
	{ PR_GET_TIMERSLACK, PR_LEADER },
	{ PR_TASK_PERF_EVENTS_DISABLE, PR_LEADER },
	{ PR_TASK_PERF_EVENTS_ENABLE, PR_LEADER },
	{ PR_MCE_KILL, PR_LEADER },
	{ PR_MCE_KILL_GET, PR_LEADER },
	{ PR_SET_MM, PR_VIRTUAL },
	{ PR_SET_CHILD_SUBREAPER, PR_EVERY },
	{ PR_GET_CHILD_SUBREAPER, PR_LEADER },
	{ PR_SET_NO_NEW_PRIVS, PR_EVERY },
	{ PR_GET_NO_NEW_PRIVS, PR_VIRTUAL },
	{ PR_GET_TID_ADDRESS, PR_OWN },
	{ PR_SET_THP_DISABLE, PR_EVERY_LAX },
	{ PR_GET_THP_DISABLE, PR_LEADER },
	{ PR_MPX_ENABLE_MANAGEMENT, PR_LEADER },	/* EINVAL */
	{ PR_MPX_DISABLE_MANAGEMENT, PR_LEADER },
	{ PR_SET_FP_MODE, PR_LEADER },
	{ PR_GET_FP_MODE, PR_LEADER },
	{ PR_CAP_AMBIENT, PR_EVERY },
	{ PR_SVE_SET_VL, PR_LEADER },
	{ PR_SVE_GET_VL, PR_LEADER },
	{ PR_GET_SPECULATION_CTRL, PR_LEADER },
	{ PR_SET_SPECULATION_CTRL, PR_EVERY },
	{ PR_PAC_RESET_KEYS, PR_LEADER },
	{ PR_SET_TAGGED_ADDR_CTRL, PR_LEADER },
	{ PR_GET_TAGGED_ADDR_CTRL, PR_LEADER },
	{ PR_SET_IO_FLUSHER, PR_LEADER },
	{ PR_GET_IO_FLUSHER, PR_LEADER },
	/* its signal would come before our seccomp stop */
	{ PR_SET_SYSCALL_USER_DISPATCH, PR_NEVER, EINVAL },
	{ PR_PAC_SET_ENABLED_KEYS, PR_LEADER },
	{ PR_PAC_GET_ENABLED_KEYS, PR_LEADER },
	{ PR_SCHED_CORE, PR_LEADER },
	{ PR_SME_SET_VL, PR_LEADER },
	{ PR_SME_GET_VL, PR_LEADER },
	{ PR_SET_MDWE, PR_EVERY },
	{ PR_GET_MDWE, PR_LEADER },
	{ PR_SET_MEMORY_MERGE, PR_EVERY_LAX },
	{ PR_GET_MEMORY_MERGE, PR_LEADER },
	{ PR_TIMER_CREATE_RESTORE_IDS_OPT, PR_LEADER },
	{ PR_FUTEX_HASH_OPT, PR_LEADER },
	{ PR_GET_AUXV, PR_VIRTUAL },
	{ PR_SET_VMA, PR_EVERY_LAX },
	{ PR_SET_PTRACER, PR_LEADER },
};

static const struct prctl_rule *prctl_rule(const struct taskset *s)
{
	uint32_t option = (uint32_t)s->t[LEADER].call.args[0];

	for (size_t i = 0; i < sizeof(prctl_rules) / sizeof(prctl_rules[0]);
	     i++)
		if (prctl_rules[i].option == option)
			return &prctl_rules[i];
	return NULL;
}

/* monitord keeps its access to undumpable processes. */
static bool may_be_undumpable(void)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];

	return syscall(SYS_capget, &h, d) == 0 &&
		d[0].effective & 1u << CAP_SYS_PTRACE;
}

static void put_int(struct taskset *s, int value)
{
	for_each_variant(v) {
		uint64_t to = s->t[v].call.args[1];

		if (v != LEADER) {
			if (!follower_write(s, v, 1, to, &value,
					    sizeof(value)))
				return;
		} else if (mem_write(&s->t[v], to, &value,
				     sizeof(value)) < 0) {
			set_finish(s, -EFAULT);
			return;
		}
	}
	set_finish(s, 0);
}

/*
 * Which parts of the address space hold what, for /proc.  An executable is a
 * descriptor, which followers do not have; the break belongs to H_BRK.
 */
static void set_mm(struct taskset *s)
{
	switch (s->t[LEADER].call.args[1]) {
	case PR_SET_MM_EXE_FILE:
	case PR_SET_MM_START_BRK:
	case PR_SET_MM_BRK:
		refuse(s, "PR_SET_MM of the executable or the break");
		set_finish(s, -EPERM);
		return;
	default:
		set_leader_go(s);
	}
}

static void virtual_start(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	struct proc *p = s->proc;

	switch ((uint32_t)a[0]) {
	case PR_GET_DUMPABLE:
		if (may_be_undumpable())
			set_leader_go(s);
		else
			set_finish(s, p->vdumpable);
		return;
	case PR_SET_DUMPABLE:
		if (may_be_undumpable()) {
			set_leader_go(s);
			return;
		}
		if (a[1] != 0 && a[1] != 1) {
			set_finish(s, -EINVAL);
			return;
		}
		p->vdumpable = (int)a[1];
		set_finish(s, 0);
		return;
	case PR_GET_TSC:
		put_int(s, p->vtsc_sigsegv ? PR_TSC_SIGSEGV : PR_TSC_ENABLE);
		return;
	case PR_SET_TSC:
		if ((uint32_t)a[1] != PR_TSC_ENABLE &&
		    (uint32_t)a[1] != PR_TSC_SIGSEGV) {
			set_finish(s, -EINVAL);
			return;
		}
		p->vtsc_sigsegv = (uint32_t)a[1] == PR_TSC_SIGSEGV;
		tsc_program(s);
		set_finish(s, 0);
		return;
	case PR_GET_NO_NEW_PRIVS:
		if (a[1] || a[2] || a[3] || a[4])
			set_finish(s, -EINVAL);
		else
			set_finish(s, p->vnnp);
		return;
	case PR_GET_SECCOMP:
		set_finish(s, p->vseccomp);
		return;
	case PR_SET_SECCOMP:
		if (a[1] == SECCOMP_MODE_STRICT)
			seccomp_install(s, SECCOMP_SET_MODE_STRICT, 0, 2);
		else if (a[1] == SECCOMP_MODE_FILTER)
			seccomp_install(s, SECCOMP_SET_MODE_FILTER, 0, 2);
		else
			set_finish(s, -EINVAL);
		return;
	case PR_SET_MM:
		set_mm(s);
		return;
	case PR_GET_AUXV:
	default:
		set_leader_go(s);
		return;
	}
}

void prctl_start(struct taskset *s)
{
	const struct prctl_rule *r = prctl_rule(s);

	switch (r ? r->who : PR_UNKNOWN) {
	case PR_UNKNOWN:
		/* what an older kernel says too: no reason for alarm */
		verbose("prctl option %u is not known", (unsigned int)
			s->t[LEADER].call.args[0]);
		set_finish(s, -EINVAL);
		return;
	case PR_NEVER:
		/* nothing is on that could be switched off */
		if (r->option == PR_SET_SYSCALL_USER_DISPATCH &&
		    s->t[LEADER].call.args[1] == PR_SYS_DISPATCH_OFF)
			set_leader_go(s);
		else
			set_finish(s, -(int64_t)r->error);
		return;
	case PR_VIRTUAL:
		virtual_start(s);
		return;
	default:
		set_leader_go(s);
		return;
	}
}

/* The auxiliary vector as the kernel keeps it is shown as on the stack. */
static void edit_auxv(struct taskset *s, unsigned int v)
{
	struct task *t = &s->t[v];
	uint64_t at = t->call.args[1], n = t->call.args[2] / 16;
	uint64_t pair[2];

	for (uint64_t i = 0; i < n && i < 64; i++) {
		if (mem_read(t, pair, at + i * 16, sizeof(pair)) < 0)
			return;
		if (pair[0] == AUX_NULL)
			return;
		stack_aux_shown(pair);
		mem_write(t, at + i * 16, pair, sizeof(pair));
	}
}

/* All execute. lax: followers may fail. own: outputs stay. */
static void everywhere(struct taskset *s, int64_t ret, bool lax, bool own)
{
	if (ret >= 0) {
		for_each_follower(v) {
			int64_t r = set_follower_exec(s, v);

			if (r < 0 && !lax && s->t[v].at == AT_EXIT &&
			    !result_differs(s, v, ret, r, NULL))
				return;
		}
	}
	if (own || set_replicate(s, ret) == 0)
		set_finish(s, ret);
}

void prctl_done(struct taskset *s, int64_t ret)
{
	const struct prctl_rule *r = prctl_rule(s);
	const uint64_t *a = s->t[LEADER].call.args;

	switch (r ? r->who : PR_UNKNOWN) {
	case PR_EVERY:
		if ((uint32_t)a[0] == PR_SET_NO_NEW_PRIVS && ret == 0)
			s->proc->vnnp = true;
		everywhere(s, ret, false, false);
		return;
	case PR_EVERY_LAX:
		everywhere(s, ret, true, false);
		return;
	case PR_OWN:
		everywhere(s, ret, false, true);
		return;
	case PR_VIRTUAL:
		if ((uint32_t)a[0] == PR_SET_DUMPABLE) {
			if (ret == 0)
				s->proc->vdumpable = (int)a[1];
			everywhere(s, ret, true, false);
			return;
		}
		if ((uint32_t)a[0] == PR_SET_MM) {
			everywhere(s, ret, false,
				   a[1] != PR_SET_MM_MAP_SIZE);
			return;
		}
		if ((uint32_t)a[0] == PR_GET_AUXV) {
			if (ret > 0)
				for_each_follower(v)
					set_follower_exec(s, v);
			if (ret > 0)
				for_each_variant(v)
					edit_auxv(s, v);
			set_finish(s, ret);
			return;
		}
		break;
	default:
		break;
	}
	if (set_replicate(s, ret) == 0)
		set_finish(s, ret);
}

/* ---- arch_prctl ---- */

/* newer than the headers we must build with */
#define ARCH_GET_UNTAG_MASK_OP		0x4001
#define ARCH_ENABLE_TAGGED_ADDR_OP	0x4002
#define ARCH_GET_MAX_TAG_BITS_OP	0x4003
#define ARCH_FORCE_TAGGED_SVA_OP	0x4004
#define ARCH_SHSTK_ENABLE_OP		0x5001
#define ARCH_SHSTK_DISABLE_OP		0x5002
#define ARCH_SHSTK_LOCK_OP		0x5003
#define ARCH_SHSTK_STATUS_OP		0x5005

static const struct prctl_rule arch_rules[] = {
	{ ARCH_SET_GS, PR_OWN },
	{ ARCH_SET_FS, PR_OWN },
	{ ARCH_GET_FS, PR_OWN },
	{ ARCH_GET_GS, PR_OWN },
	{ ARCH_GET_CPUID, PR_LEADER },
	{ ARCH_SET_CPUID, PR_EVERY },
	{ ARCH_GET_XCOMP_SUPP, PR_LEADER },
	{ ARCH_GET_XCOMP_PERM, PR_LEADER },
	{ ARCH_REQ_XCOMP_PERM, PR_EVERY },
	{ ARCH_GET_XCOMP_GUEST_PERM, PR_LEADER },
	{ ARCH_REQ_XCOMP_GUEST_PERM, PR_EVERY },
	/* nobody gets a vDSO */
	{ ARCH_MAP_VDSO_X32, PR_NEVER, EINVAL },
	{ ARCH_MAP_VDSO_32, PR_NEVER, EINVAL },
	{ ARCH_MAP_VDSO_64, PR_NEVER, EINVAL },
	/* as on a CPU without linear address masking */
	{ ARCH_GET_UNTAG_MASK_OP, PR_LEADER },
	{ ARCH_ENABLE_TAGGED_ADDR_OP, PR_NEVER, ENODEV },
	{ ARCH_GET_MAX_TAG_BITS_OP, PR_LEADER },
	{ ARCH_FORCE_TAGGED_SVA_OP, PR_NEVER, ENODEV },
	/* as on a CPU without shadow stacks */
	{ ARCH_SHSTK_ENABLE_OP, PR_NEVER, EOPNOTSUPP },
	{ ARCH_SHSTK_DISABLE_OP, PR_NEVER, EOPNOTSUPP },
	{ ARCH_SHSTK_LOCK_OP, PR_NEVER, EOPNOTSUPP },
};

/* A kernel that has been built without them does not know the commands. */
static bool knows_shadow_stacks(void)
{
	uint64_t features;

	return !syscall(SYS_arch_prctl, ARCH_SHSTK_STATUS_OP, &features) ||
		errno != EINVAL;
}

static const struct prctl_rule *arch_rule(const struct taskset *s)
{
	uint32_t code = (uint32_t)s->t[LEADER].call.args[0];

	if (code >= ARCH_SHSTK_ENABLE_OP && code <= ARCH_SHSTK_LOCK_OP &&
	    !knows_shadow_stacks())
		return NULL;
	for (size_t i = 0; i < sizeof(arch_rules) / sizeof(arch_rules[0]); i++)
		if (arch_rules[i].option == code)
			return &arch_rules[i];
	return NULL;
}

/* ARCH_GET_GS has been executed: a base that is ours is no base. */
static void own_gs(struct taskset *s, const int64_t each[MAX_VARIANTS])
{
	for_each_variant(v) {
		struct task *t = &s->t[v];
		uint64_t base;

		if (each[v] || mem_read(t, &base, t->call.args[1],
					sizeof(base)) ||
		    !fast_is_ctx(s->proc->mm, v, base))
			continue;
		base = 0;
		mem_write(t, t->call.args[1], &base, sizeof(base));
	}
}

void arch_prctl_start(struct taskset *s)
{
	const struct prctl_rule *r = arch_rule(s);
	int64_t each[MAX_VARIANTS];

	if (!r) {
		/* libc probes for features by codes kernels do not have */
		set_finish(s, -EINVAL);
		return;
	}
	if (r->who == PR_NEVER) {
		set_finish(s, -(int64_t)r->error);
		return;
	}
	if (r->who == PR_LEADER) {
		set_leader_go(s);
		return;
	}
	if (r->option == ARCH_SET_GS)
		fast_forbid(s);
	if (!exec_everywhere(s, each))
		return;
	if (r->option == ARCH_GET_GS)
		own_gs(s, each);
	/* task_finish() must not bring the old bases back */
	for_each_variant(v) {
		struct task *t = &s->t[v];

		if (each[v] < 0 || !t->saved_valid)
			continue;
		if (r->option == ARCH_SET_FS)
			t->saved.fs_base = t->call.args[1];
		else if (r->option == ARCH_SET_GS)
			t->saved.gs_base = t->call.args[1];
	}
	if (r->who == PR_OWN || set_replicate(s, each[LEADER]) == 0)
		set_finish(s, each[LEADER]);
}

void arch_prctl_done(struct taskset *s, int64_t ret)
{
	if (set_replicate(s, ret) == 0)
		set_finish(s, ret);
}
