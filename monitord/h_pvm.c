// SPDX-License-Identifier: Apache-2.0
/*
 * One process at another's: process_vm_readv, process_vm_writev, pidfd_open,
 * pidfd_getfd.
 *
 * Theory of operation
 * -------------------
 * Within the tree this is memory to memory in every variant: each executes
 * the call on its own copy of the target, with its own addresses, and the
 * results must agree.  A target outside the tree exists once: the leader
 * executes, outputs are replicated by the walker's items.
 *
 * The monitor's pages in the target do not exist as far as the program is
 * concerned, so a remote range that touches them is answered EFAULT.
 * monitord itself and the follower processes are not there either: whoever
 * could reach into them would speak for all variants.  A pidfd can also come
 * from elsewhere (SO_PEERPIDFD), so pidfd_getfd looks at what it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "h_misc.h"
#include "owned.h"
#include "tracee.h"

#define IOV_LIMIT	1024		/* UIO_MAXIOV */

struct pvm {
	pid_t target[MAX_VARIANTS];
};

/* Does a remote range of variant v touch the monitor's pages? */
static bool touches_monitor(struct taskset *s, unsigned int v,
			    const struct mm *mm)
{
	struct task *t = &s->t[v];
	uint64_t at = t->call.args[3], count = t->call.args[4];
	struct iovec iov;

	if (count > IOV_LIMIT)
		return false;		/* EINVAL */
	for (uint64_t i = 0; i < count; i++) {
		uint64_t base, end, from, to;

		if (mem_read(t, &iov, at + i * sizeof(iov), sizeof(iov)) < 0)
			return false;	/* EFAULT of its own */
		base = (uint64_t)(uintptr_t)iov.iov_base;
		end = base + iov.iov_len < base ? UINT64_MAX :
			base + iov.iov_len;
		if (owned_next(mm, v, base, end, &from, &to))
			return true;
	}
	return false;
}

/* A process the program must not reach: a follower, or the monitor. */
static bool is_hidden(pid_t pid)
{
	struct task *real = task_find(pid);

	return (real && real->variant != LEADER) || pid == getpid() ||
		pid == getppid();
}

void process_vm_start(struct taskset *s)
{
	pid_t pid = (pid_t)s->t[LEADER].call.args[0];
	struct taskset *thread = set_by_vtid(pid);
	struct proc *p = thread ? thread->proc : proc_by_vpid(pid);
	struct pvm *pvm;

	if (!p) {
		if (is_hidden(pid)) {
			set_finish(s, -ESRCH);
			return;
		}
		set_leader_go(s);
		return;
	}
	if (!p->mm || s->t[LEADER].call.args[5]) {
		/* it has ended, or a flag is set and there are none: the kernel's
		 * error, which comes first of all */
		set_leader_go(s);
		return;
	}
	for_each_variant(v) {
		if (touches_monitor(s, v, p->mm)) {
			refuse(s, "the range contains the monitor's pages");
			set_finish(s, -EFAULT);
			return;
		}
	}
	pvm = calloc(1, sizeof(*pvm));
	if (!pvm)
		die("out of memory");
	for_each_variant(v)
		pvm->target[v] = thread ? variant_tid(thread, v) :
			variant_pid(p, v);
	free(s->handler_data);
	s->handler_data = pvm;
	set_leader_go(s);
}

void process_vm_done(struct taskset *s, int64_t ret)
{
	struct pvm *pvm = s->handler_data;

	s->handler_data = NULL;
	if (!pvm) {
		if (set_replicate(s, ret) == 0)
			set_finish(s, ret);
		return;
	}
	for_each_follower(v) {
		struct task *t = &s->t[v];
		uint64_t args[6];
		int64_t r;

		if (ret < 0 && ret != -EFAULT)
			break;
		for (int i = 0; i < 6; i++)
			args[i] = t->call.args[i];
		args[0] = (uint64_t)pvm->target[v];
		r = task_exec(t, t->call.nr, args);
		if (r != ret && t->at == AT_EXIT &&
		    !result_differs(s, v, ret, r, NULL)) {
			free(pvm);
			return;
		}
	}
	free(pvm);
	set_finish(s, ret);
}

/* The process a pidfd of the leader's is for; 0 if it is none. */
static pid_t pidfd_target(struct taskset *s, int pidfd)
{
	char path[64], line[128];
	int fd = leader_getfd(s, pidfd);
	pid_t pid = 0;
	FILE *f;

	if (fd < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Pid: %d", &pid) == 1)
			break;
	if (f)
		fclose(f);
	close(fd);
	return pid;
}

void pidfd_start(struct taskset *s)
{
	const struct call *c = &s->t[LEADER].call;
	bool opened = c->nr == SYS_pidfd_open;
	pid_t pid = opened ? (pid_t)c->args[0] :
		pidfd_target(s, (int)c->args[0]);

	if (pid > 0 && !proc_by_vpid(pid) && !set_by_vtid(pid) &&
	    is_hidden(pid)) {
		set_finish(s, opened ? -ESRCH : -EPERM);
		return;
	}
	set_leader_go(s);
}
