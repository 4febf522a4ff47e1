// SPDX-License-Identifier: Apache-2.0
/*
 * Calls a variant makes alone.
 *
 * Theory of operation
 * -------------------
 * Correct programs exist whose variants do not make exactly the same calls
 * under different layouts.  jemalloc, for one, seeds the generator that decides
 * when to look at the clock and to return memory with the address of its
 * thread state.  What such code does concerns the variant only: it reads the
 * time, or maps, unmaps and advises about memory of its own.
 *
 * When variants differ at a rendezvous, those that stand at such a private
 * call (RF_PRIVATE, and harmless arguments: nothing executable, no file, no
 * fixed address, not the monitor's pages) execute it by themselves and go on
 * to their next call, while the others wait.  Anything visible outside the
 * variant still has to be asked for by all of them, in the same order.
 *
 * Bounded: a set that makes SOLO_MAX such calls without a common one in
 * between has parted ways, which is reported as the divergence it is.
 */
#include <sys/mman.h>
#include <sys/ptrace.h>

#include "h_memory.h"
#include "shadow.h"
#include "solo.h"
#include "tracee.h"

#define SOLO_MAX 1024

#ifndef MADV_COLD
#define MADV_COLD 20
#endif

static bool harmless_advice(int advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_FREE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_COLD:
		return true;
	default:
		return false;
	}
}

static bool private_call(const struct task *t)
{
	const struct ipmon_row *row = ipmon_row(t->call.nr);
	const uint64_t *a = t->call.args;
	const struct mm *mm = t->set->proc->mm;

	if (!(row->flags & RF_PRIVATE))
		return false;
	switch (row->handler) {
	case H_MMAP:
		return a[3] & MAP_ANONYMOUS &&
		       !(a[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE)) &&
		       (a[3] & MAP_TYPE) == MAP_PRIVATE &&
		       !(a[2] & PROT_EXEC);
	case H_MPROTECT:
		return !(a[2] & PROT_EXEC) &&
		       !mem_protected(mm, t->variant, a[0], a[1]);
	case H_MUNMAP:
		return !mem_protected(mm, t->variant, a[0], a[1]) &&
		       !shadow_touches(mm, t->variant, a[0], a[1]);
	case H_MADVISE:
		return harmless_advice((int)a[2]) &&
		       !mem_protected(mm, t->variant, a[0], a[1]);
	case H_BRK:
	case H_GENERIC:
		return true;
	default:
		return false;
	}
}

bool solo(struct taskset *s)
{
	unsigned int mask = 0;

	if (s->solos >= SOLO_MAX)
		return false;
	for_each_variant(v)
		if (private_call(&s->t[v]))
			mask |= 1u << v;
	if (!mask)
		return false;
	s->solos++;
	for_each_variant(v) {
		struct task *t = &s->t[v];
		int64_t ret;

		if (!(mask & (1u << v)))
			continue;
		ret = task_exec(t, t->call.nr, t->call.args);
		if (t->at != AT_EXIT)
			continue;
		if (ipmon_row(t->call.nr)->handler == H_BRK)
			s->proc->mm->brk[v] = 0;
		mon.count.solo++;
		s->arrived &= ~(1u << v);
		task_finish(t, ret);
		task_resume(t, PTRACE_CONT, 0);
	}
	s->t_arrived = s->arrived ? mon.now : 0;
	s->t_run = mon.now;
	return true;
}
