// SPDX-License-Identifier: Apache-2.0
/*
 * Creation, lookup and release of processes, sets, tasks, address spaces.
 *
 * Theory of operation: see monitor.h.  Tasks are embedded in their set and
 * found by real tid through a small hash; everything else is a list, because
 * a tree has few processes and lists are walked on rare events only.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "monitor.h"
#include "fast.h"
#include "h_misc.h"
#include "patch.h"
#include "shadow.h"
#include "tsc.h"
#include "turn.h"

struct monitor mon;

/* A system call and not the vDSO: the tracer itself runs with rdtsc trapped
 * (tsc_trap), and the vDSO reads the TSC.  Not so if variants do not either. */
uint64_t now_ns(void)
{
	struct timespec ts;

	if (!tsc_always())
		clock_gettime(CLOCK_MONOTONIC, &ts);
	else
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void tsc_trap(bool on)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	/* variants of other policies have it free (tsc.c) */
	if (!tsc_always())
		return;
	/* the sanitizers' allocators read the clock through the vDSO */
	prctl(PR_SET_TSC, on ? PR_TSC_SIGSEGV : PR_TSC_ENABLE);
#endif
}

static void *xcalloc(size_t n)
{
	void *p = calloc(1, n);

	if (!p)
		die("out of memory");
	return p;
}

static unsigned int hash_of(pid_t tid)
{
	return (unsigned int)tid % (sizeof(mon.hash) / sizeof(mon.hash[0]));
}

void task_bind(struct task *t, pid_t tid)
{
	t->tid = tid;
	LIST_INSERT_HEAD(&mon.hash[hash_of(tid)], t, hash);
	mon.n_tasks++;
}

void task_unbind(struct task *t)
{
	if (!t->tid)
		return;
	LIST_REMOVE(t, hash);
	t->was_tid = t->tid;
	t->tid = 0;
	mon.n_tasks--;
}

struct task *task_find(pid_t tid)
{
	struct task *t;

	LIST_FOREACH(t, &mon.hash[hash_of(tid)], hash)
		if (t->tid == tid)
			return t;
	return NULL;
}

struct taskset *set_new(struct proc *p)
{
	static unsigned int next_id;
	struct taskset *s = xcalloc(sizeof(*s));

	s->id = ++next_id;
	s->proc = p;
	s->state = SET_RUN;
	s->ctx = s->slot = -1;
	STAILQ_INIT(&s->sigq);
	for (unsigned int v = 0; v < MAX_VARIANTS; v++) {
		s->t[v].set = s;
		s->t[v].variant = v;
		s->t[v].at = AT_DEAD;
	}
	LIST_INSERT_HEAD(&p->sets, s, in_proc);
	LIST_INSERT_HEAD(&mon.sets, s, all);
	return s;
}

void set_free(struct taskset *s)
{
	struct pending_signal *ps;

	while ((ps = STAILQ_FIRST(&s->sigq))) {
		STAILQ_REMOVE_HEAD(&s->sigq, link);
		free(ps);
	}
	for (unsigned int v = 0; v < MAX_VARIANTS; v++) {
		task_unbind(&s->t[v]);
		free(s->t[v].items.v);
	}
	free(s->handler_data);
	fast_detach(s);
	LIST_REMOVE(s, in_proc);
	LIST_REMOVE(s, all);
	free(s);
}

struct proc *proc_new(struct proc *parent)
{
	static unsigned int next_id;
	struct proc *p = xcalloc(sizeof(*p));

	p->id = ++next_id;
	p->parent = parent;
	p->vdumpable = 1;
	p->exit_signal = SIGCHLD;
	LIST_INIT(&p->sets);
	LIST_INSERT_HEAD(&mon.procs, p, all);
	if (parent) {
		p->has_filter = parent->has_filter;
		p->own_mntns = parent->own_mntns;
		p->vtsc_sigsegv = parent->vtsc_sigsegv;
		p->vdumpable = parent->vdumpable;
	} else {
		p->files = files_new();
	}
	misc_proc_new(p, parent);
	return p;
}

void proc_free(struct proc *p)
{
	struct proc *c;

	LIST_FOREACH(c, &mon.procs, all)
		if (c->parent == p)
			c->parent = NULL;
	if (p->mm)
		mm_put(p->mm);
	if (p->domain) {
		turn_put(p);
		domain_put(p->domain);
	}
	if (p->files)
		files_put(p->files);
	if (mon.root == p)
		mon.root = NULL;
	LIST_REMOVE(p, all);
	free(p);
}

struct proc *proc_by_vpid(pid_t vpid)
{
	struct proc *p, *zombie = NULL;

	LIST_FOREACH(p, &mon.procs, all) {
		if (p->vpid != vpid)
			continue;
		if (!LIST_EMPTY(&p->sets))
			return p;
		if (!zombie)
			zombie = p;
	}
	return zombie;
}

struct taskset *set_by_vtid(pid_t vtid)
{
	struct taskset *s;

	LIST_FOREACH(s, &mon.sets, all)
		if (s->vtid == vtid)
			return s;
	return NULL;
}

static unsigned int mm_ids;

struct mm *mm_new(void)
{
	struct mm *m = xcalloc(sizeof(*m));

	m->refs = 1;
	m->id = ++mm_ids;
	for (unsigned int v = 0; v < mon.n; v++)
		m->gate[v] = mon.v[v].gate;
	return m;
}

struct mm *mm_get(struct mm *m)
{
	m->refs++;
	return m;
}

struct mm *mm_fork(const struct mm *m)
{
	struct mm *c = xcalloc(sizeof(*c));

	*c = *m;
	c->refs = 1;
	c->id = ++mm_ids;
	c->shadows = NULL;
	fast_get(c->fast);
	c->patches = patch_fork(m->patches);
	c->tsc = tsc_fork(m->tsc);
	shadow_mm_fork(c, m);
	return c;
}

void mm_put(struct mm *m)
{
	if (--m->refs)
		return;
	shadow_mm_free(m);
	misc_mm_free(m);
	fast_put(m->fast);
	patch_free(m->patches);
	tsc_free(m->tsc);
	free(m);
}
