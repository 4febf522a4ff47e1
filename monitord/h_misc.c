// SPDX-License-Identifier: Apache-2.0
/*
 * What the h_*.c files of h_misc.h share: executing everywhere, naming
 * processes inside a variant, attributes the monitor keeps virtual.
 *
 * Theory of operation
 * -------------------
 * Virtual attributes are those where the monitor's own needs and the
 * program's wishes differ (no_new_privs, dumpable, address randomisation,
 * seccomp mode).  The kernel has the monitor's setting, struct proc has the
 * program's, and the program is only ever told the latter.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/capability.h>

#include "divergence.h"
#include "h_misc.h"
#include "tracee.h"

void leader_start(struct taskset *s)
{
	set_leader_go(s);
}

bool result_differs(struct taskset *s, unsigned int v, int64_t ret,
		    int64_t got, const char *note)
{
	struct divergence d = {
		.kind = DIV_RESULT, .set = s, .variant = v, .arg = -1,
		.ret = { ret, got },
	};

	if (note)
		strncpy(d.note, note, sizeof(d.note) - 1);
	return diverge(&d);
}

bool follower_write(struct taskset *s, unsigned int v, unsigned int arg,
		    uint64_t to, const void *src, size_t n)
{
	struct divergence d = {
		.kind = DIV_RESULT, .set = s, .variant = v, .arg = (int)arg,
		.addr = { s->t[LEADER].call.args[arg], to },
		.ret = { 0, -EFAULT },
		.note = "the leader's output buffer is writable, this "
			"variant's is not",
	};

	if (!n || mem_write(&s->t[v], to, src, n) != -EFAULT)
		return true;
	return diverge(&d);
}

bool exec_everywhere(struct taskset *s, int64_t each[MAX_VARIANTS])
{
	int64_t ret = set_follower_exec(s, LEADER);

	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		each[v] = ret;
	if (s->t[LEADER].at != AT_EXIT)
		return false;
	if (ret < 0)
		return true;
	for_each_follower(v) {
		each[v] = set_follower_exec(s, v);
		if (s->t[v].at == AT_EXIT && each[v] < 0 &&
		    !result_differs(s, v, ret, each[v], NULL))
			return false;
	}
	return !mon.ending;
}

/* ---- names of processes ---- */

/* The last number of the NSpid line: the name in its own pid namespace. */
static pid_t innermost_pid(pid_t tid)
{
	char path[64], line[256];
	pid_t pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		char *last;

		if (strncmp(line, "NSpid:", 6))
			continue;
		last = strrchr(line, '\t');
		if (last)
			pid = atoi(last + 1);
		break;
	}
	fclose(f);
	return pid;
}

pid_t variant_pid(const struct proc *p, unsigned int v)
{
	if (v == LEADER)
		return p->vpid;
	if (!p->pid[v])
		return 0;
	/* only inside a pid namespace does the program use other numbers */
	return p->vpid == p->pid[LEADER] ? p->pid[v] :
		innermost_pid(p->pid[v]);
}

pid_t variant_tid(const struct taskset *s, unsigned int v)
{
	if (v == LEADER)
		return s->vtid;
	if (!s->t[v].tid)
		return 0;
	return s->vtid == s->t[LEADER].tid ? s->t[v].tid :
		innermost_pid(s->t[v].tid);
}

pid_t own_pid(const struct taskset *s)
{
	pid_t pid = mon.pid_namespaces ?
		innermost_pid(s->proc->pid[LEADER]) : 0;

	return pid ? pid : s->proc->vpid;
}

pid_t own_tid(const struct taskset *s)
{
	pid_t tid = mon.pid_namespaces ? innermost_pid(s->t[LEADER].tid) : 0;

	return tid ? tid : s->vtid;
}

bool leader_has_cap(const struct taskset *s, int cap)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
		.pid = s->t[LEADER].tid,
	};
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) < 0)
		return false;
	return d[cap / 32].effective & 1u << (cap % 32);
}

/* ---- virtual attributes ---- */

void misc_proc_new(struct proc *p, const struct proc *parent)
{
	if (parent) {
		p->vnnp = parent->vnnp;
		p->vseccomp = parent->vseccomp;
		p->vno_random = parent->vno_random;
		return;
	}
	/* what the program would have inherited from our caller */
	p->vnnp = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	p->vseccomp = prctl(PR_GET_SECCOMP) == 2 ? 2 : 0;
	p->vno_random = personality(0xffffffff) & ADDR_NO_RANDOMIZE;
}

void misc_proc_exec(struct proc *p)
{
	struct taskset *s;

	/* begin_new_exec(): a fresh address space is dumpable again */
	p->vdumpable = 1;
	/* and the robust lists were in the old one */
	LIST_FOREACH(s, &p->sets, in_proc)
		memset(s->robust_head, 0, sizeof(s->robust_head));
}

void misc_mm_free(struct mm *m)
{
	aio_mm_free(m);
}
