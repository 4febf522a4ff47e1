// SPDX-License-Identifier: Apache-2.0
/*
 * process_vm_readv and process_vm_writev.
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
 * monitord itself and the follower processes are not there either.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "h_misc.h"
#include "tracee.h"

#define IOV_LIMIT	1024		/* UIO_MAXIOV */
#define GATE_SIZE	4096u

struct pvm {
	pid_t target[MAX_VARIANTS];
};

static bool overlaps(uint64_t a, uint64_t n, uint64_t b, uint64_t m)
{
	return n && a < b + m && (a + n < a || b < a + n);
}

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
		uint64_t base;

		if (mem_read(t, &iov, at + i * sizeof(iov), sizeof(iov)) < 0)
			return false;	/* EFAULT of its own */
		base = (uint64_t)(uintptr_t)iov.iov_base;
		if (overlaps(base, iov.iov_len, mm->gate[v], GATE_SIZE) ||
		    overlaps(base, iov.iov_len, mm->scratch[v], SCRATCH_SIZE))
			return true;
	}
	return false;
}

void process_vm_start(struct taskset *s)
{
	pid_t pid = (pid_t)s->t[LEADER].call.args[0];
	struct taskset *thread = set_by_vtid(pid);
	struct proc *p = thread ? thread->proc : proc_by_vpid(pid);
	struct task *real;
	struct pvm *pvm;

	if (!p) {
		real = task_find(pid);
		if ((real && real->variant != LEADER) || pid == getpid() ||
		    pid == getppid()) {
			set_finish(s, -ESRCH);
			return;
		}
		set_leader_go(s);
		return;
	}
	if (!p->mm) {
		set_finish(s, -ESRCH);
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
