// SPDX-License-Identifier: Apache-2.0
/*
 * Patching proven syscall sites so that calls reach IP-MON.
 *
 * Theory of operation
 * -------------------
 * A site is proven by a trap: the kernel itself says that there is a syscall
 * instruction.  When a site has trapped PATCH_AFTER times it is looked at:
 * the file its text comes from is opened, the bytes before it are planned
 * (sites.c), compared with what every variant has there, and replaced by a
 * jump to a stub, in all variants at once, while all of them are stopped at
 * that very call.  The syscall stays in place.  Nothing else of the process
 * runs at that moment (domains), and a set parked at an arbitrary instruction
 * puts the patch off.
 *
 * Plans are kept per file, so that later images of the same file are patched
 * when they register, before their code runs.  Only private mappings of files
 * are touched: not JIT code, not anonymous or shared text.
 *
 * Stubs lie in an r-x area of 64 KiB within reach of the object, one per
 * object and address space, next to its lowest mapping.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "divergence.h"
#include "fast.h"
#include "fast_mem.h"
#include "launch.h"
#include "objects.h"
#include "owned.h"
#include "patch.h"
#include "tracee.h"
#include "tsc.h"

#define PATCH_AFTER	3u	/* traps; programs that end soon are left alone */
#define AREA_SIZE	65536u
#define AREA_TRIES	64
#define STUB_ALIGN	16u

/* Plan a site of this file, once. */
struct planning {
	struct object *o;
	struct site *p;
};

static void plan(void *ctx)
{
	struct planning *w = ctx;

	site_plan(&w->o->elf, w->p->vaddr, &w->p->p);
}

static struct site *plan_get(struct object *o, uint64_t vaddr)
{
	struct planning w = { o, site_get(o, vaddr) };

	if (!w.p || w.p->planned)
		return w.p;
	w.p->planned = true;
	if (!object_safely(plan, &w)) {
		w.p->p.kind = SITE_NONE;
		w.p->p.why = "the file has been cut off";
	}
	if (w.p->p.kind)
		mon.count.sites_planned++;
	else
		mon.count.sites_left++;
	return w.p;
}

/* ---- per address space ---- */

struct area {
	struct object *o;
	uint64_t bias[MAX_VARIANTS];
	uint64_t at[MAX_VARIANTS];
	uint32_t used;
	struct area *next;
};

/* What is known about a trap's origin, by the leader's ip. */
struct seen {
	uint64_t ip;
	uint32_t traps;
	bool decided;
};
#define SEEN_MAX 2048u

/* What a jump has replaced, so that it can be put back. */
#define JMP_LEN 5
struct patched {
	uint64_t at[MAX_VARIANTS];
	uint8_t old[JMP_LEN];
	struct patched *next;
};

struct patch_map {
	struct area *areas;
	struct patched *patched;
	struct seen seen[SEEN_MAX];
};

struct patch_map *patch_fork(const struct patch_map *p)
{
	struct patch_map *c;

	if (!p)
		return NULL;
	c = malloc(sizeof(*c));
	if (!c)
		die("out of memory");
	*c = *p;
	c->areas = NULL;
	for (const struct area *a = p->areas; a; a = a->next) {
		struct area *b = malloc(sizeof(*b));

		if (!b)
			die("out of memory");
		*b = *a;
		b->next = c->areas;
		c->areas = b;
	}
	c->patched = NULL;
	for (const struct patched *a = p->patched; a; a = a->next) {
		struct patched *b = malloc(sizeof(*b));

		if (!b)
			die("out of memory");
		*b = *a;
		b->next = c->patched;
		c->patched = b;
	}
	return c;
}

void patch_free(struct patch_map *p)
{
	struct patched *d;
	struct area *a;

	if (!p)
		return;
	while ((d = p->patched)) {
		p->patched = d->next;
		free(d);
	}
	while ((a = p->areas)) {
		p->areas = a->next;
		free(a);
	}
	free(p);
}

bool patch_range(const struct mm *m, unsigned int v, unsigned int i,
		 uint64_t *start, uint64_t *stop)
{
	const struct area *a = m->patches ? m->patches->areas : NULL;

	while (a && i--)
		a = a->next;
	if (!a)
		return false;
	*start = a->at[v];
	*stop = a->at[v] + AREA_SIZE;
	return true;
}

bool patch_inside(const struct mm *mm, unsigned int v, uint64_t ip)
{
	uint64_t start, stop;

	for (unsigned int i = 0; patch_range(mm, v, i, &start, &stop); i++)
		if (ip >= start && ip < stop)
			return true;
	return false;
}

/* An area for this object, mapped in all variants; NULL when impossible. */
static struct area *area_get(struct taskset *s, struct object *o,
			     const uint64_t bias[MAX_VARIANTS])
{
	struct patch_map *m = s->proc->mm->patches;
	struct area *a;

	for (a = m->areas; a; a = a->next) {
		bool same = a->o == o;

		for_each_variant(v)
			same = same && a->bias[v] == bias[v];
		if (same)
			return a;
	}
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->o = o;
	for_each_variant(v) {
		struct task *t = &s->t[v];
		int64_t r = -1;

		a->bias[v] = bias[v];
		for (int k = 1; k <= AREA_TRIES; k++) {
			uint64_t want = (bias[v] & ~(uint64_t)(AREA_SIZE - 1)) -
				(uint64_t)k * AREA_SIZE;

			r = task_inject(t, SYS_mmap, want, AREA_SIZE,
					PROT_READ | PROT_EXEC, MAP_PRIVATE |
					MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
					(uint64_t)-1, 0);
			if (r == (int64_t)want || r == -ESRCH)
				break;
			r = -1;
		}
		if (r < 0) {
			/* what has been mapped stays: unused, unseen */
			free(a);
			return NULL;
		}
		a->at[v] = (uint64_t)r;
	}
	a->next = m->areas;
	m->areas = a;
	fast_mem_add(s, a->at[LEADER], AREA_SIZE);
	return a;
}

/* The bytes from the region's start to the end of the syscall are, in every
 * variant, those of the file. */
static bool unmodified(struct taskset *s, struct object *o,
		       const struct site_plan *p,
		       const uint64_t bias[MAX_VARIANTS])
{
	uint64_t n = p->vaddr + 2 - p->start;
	uint64_t off = elf_offset(&o->elf, p->start);
	uint8_t have[SITE_MAX_REGION + 2];

	if (!off || n > sizeof(have) || off + n > o->elf.size)
		return false;
	for_each_variant(v)
		if (mem_read(&s->t[v], have, p->start + bias[v], n) ||
		    memcmp(have, o->elf.data + off, n))
			return false;
	return true;
}

static bool nobody_parked(const struct taskset *s)
{
	const struct taskset *o;

	LIST_FOREACH(o, &mon.sets, all)
		if (o != s && o->proc->mm == s->proc->mm &&
		    o->state == SET_PARKED)
			return false;
	return true;
}

/* Put one plan in place in all variants. */
static bool apply(struct taskset *s, struct object *o,
		  const struct site_plan *p, const uint64_t bias[MAX_VARIANTS])
{
	struct patch_map *m = s->proc->mm->patches;
	struct patched *d;
	struct area *a;
	uint32_t at;
	size_t n = 0;

	if (!unmodified(s, o, p, bias))
		return false;
	a = area_get(s, o, bias);
	if (!a || a->used + SITE_STUB_MAX > AREA_SIZE)
		return false;
	d = calloc(1, sizeof(*d));
	if (!d)
		return false;
	memcpy(d->old, o->elf.data + elf_offset(&o->elf, p->start), JMP_LEN);
	d->next = m->patched;
	m->patched = d;
	at = a->used;
	for_each_variant(v) {
		uint8_t stub[SITE_STUB_MAX], jmp[JMP_LEN] = { 0xe9 };
		uint64_t from = p->start + bias[v], to = a->at[v] + at;
		int32_t rel = (int32_t)(to - (from + 5));

		n = site_emit(p, bias[v], to, stub);
		if (!n || (int64_t)(to - (from + 5)) != rel)
			return false;
		memcpy(jmp + 1, &rel, 4);
		if (mem_poke(&s->t[v], to, stub, n) ||
		    mem_poke(&s->t[v], d->at[v] = from, jmp, sizeof(jmp))) {
			if (v == LEADER && task_dying(&s->t[v]))
				return false;
			say("patching process %d failed half-way",
			    s->proc->vpid);
			kill_all(EXIT_MONITOR);
			return false;
		}
	}
	a->used = (uint32_t)(at + n + STUB_ALIGN - 1) & ~(STUB_ALIGN - 1);
	s->proc->mm->patched = true;
	mon.count.sites_patched++;
	return true;
}

/* Is there still a jump to a stub? The object may have been unloaded. */
static bool jumps(struct taskset *s, unsigned int v, uint64_t at)
{
	uint8_t have[JMP_LEN];
	int32_t rel;

	if (mem_read(&s->t[v], have, at, sizeof(have)) || have[0] != 0xe9)
		return false;
	memcpy(&rel, have + 1, sizeof(rel));
	return patch_inside(s->proc->mm, v, at + JMP_LEN + (uint64_t)(int64_t)rel);
}

/* A thread may be anywhere in a stub: they stay, and lead to the text behind
 * the jump. */
void patch_undo(struct taskset *s)
{
	struct patch_map *m = s->proc->mm->patches;

	s->proc->mm->patched = false;
	for (const struct patched *d = m ? m->patched : NULL; d; d = d->next)
		for_each_variant(v)
			if (d->at[v] && jumps(s, v, d->at[v]) &&
			    mem_poke(&s->t[v], d->at[v], d->old, JMP_LEN) &&
			    !task_dying(&s->t[v]))
				die("process %d: its text could not be restored",
				    s->proc->vpid);
}

/* ---- one site, at a rendezvous ---- */

struct find {
	uint64_t ip;
	struct map_entry e;
};

static int find_ip(void *ctx, const struct map_entry *e)
{
	struct find *f = ctx;

	if (f->ip < e->start || f->ip >= e->end)
		return 0;
	f->e = *e;
	return 1;
}

static void look_at(struct taskset *s)
{
	struct task *lead = &s->t[LEADER];
	struct find f = { .ip = lead->call.ip - 2 };
	uint64_t bias[MAX_VARIANTS] = { 0 }, vaddr;
	struct object *o;
	struct site *p;

	if (maps_each(lead->tid, find_ip, &f) != 1 || f.e.path[0] != '/' ||
	    strcmp(f.e.perms, "r-xp"))
		return;
	o = object_open(lead->tid, &f.e);
	if (!o || !elf_vaddr(&o->elf, f.e.offset + (f.ip - f.e.start), &vaddr))
		return;
	p = plan_get(o, vaddr);
	if (!p || !p->p.kind)
		return;
	for_each_variant(v)
		bias[v] = s->t[v].call.ip - 2 - vaddr;
	apply(s, o, &p->p, bias);
}

void patch_site(struct taskset *s)
{
	struct mm *mm = s->proc->mm;
	uint64_t ip = s->t[LEADER].call.ip;
	struct seen *e = NULL;

	if (s->slot < 0 || !mm->patches || mm->no_fast ||
	    s->row->flags & RF_NEVER_INPROC)
		return;
	for (unsigned int i = 0; i < 8; i++) {
		e = &mm->patches->seen[(ip / 2 + i) % SEEN_MAX];
		if (e->ip == ip || !e->ip)
			break;
	}
	if (e->ip != ip)
		*e = (struct seen){ .ip = ip };
	if (e->decided || ++e->traps < PATCH_AFTER || !nobody_parked(s))
		return;
	for_each_variant(v)
		if (s->t[v].at != AT_ENTRY && s->t[v].at != AT_EXIT)
			return;
	e->decided = true;
	look_at(s);
}

/* ---- mappings that come and change ---- */

void text_touched(struct taskset *s, unsigned int arg, uint64_t len)
{
	uint64_t start[MAX_VARIANTS] = { 0 };

	for_each_variant(v)
		start[v] = s->t[v].call.args[arg];
	tsc_touched(s, start, len);
}

void text_mapped(struct taskset *s, const int64_t at[MAX_VARIANTS],
		 uint64_t len, bool file)
{
	if (file)
		tsc_mapped(s, at, len);
	else
		tsc_unsure(s);
}

/* ---- a new image ---- */

struct sweep {
	struct taskset *s;
	struct map_entry e[MAX_VARIANTS][64];
	unsigned int n[MAX_VARIANTS];
	unsigned int v;
};

static int collect(void *ctx, const struct map_entry *e)
{
	struct sweep *w = ctx;

	if (!strcmp(e->perms, "r-xp") && e->path[0] == '/' &&
	    w->n[w->v] < 64)
		w->e[w->v][w->n[w->v]++] = *e;
	return 0;
}

int patch_process(struct taskset *s)
{
	struct mm *mm = s->proc->mm;
	struct sweep *w;

	if (!mm->patches)
		mm->patches = calloc(1, sizeof(*mm->patches));
	if (!mm->patches)
		return -ENOMEM;
	if (!objects)
		return 0;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->s = s;
	for_each_variant(v) {
		w->v = v;
		maps_each(s->t[v].tid, collect, w);
	}
	for (unsigned int i = 0; i < w->n[LEADER]; i++) {
		struct map_entry *e = &w->e[LEADER][i];
		struct object *o = object_open(s->t[LEADER].tid, e);
		uint64_t bias[MAX_VARIANTS] = { 0 }, vaddr;
		bool all = o && o->sites &&
			elf_vaddr(&o->elf, e->offset, &vaddr);

		/* the same segment in the others */
		for_each_variant(v) {
			bool found = false;

			for (unsigned int k = 0; all && k < w->n[v]; k++) {
				struct map_entry *x = &w->e[v][k];

				if (x->inode != e->inode ||
				    x->offset != e->offset)
					continue;
				bias[v] = x->start - vaddr;
				found = true;
				break;
			}
			all = all && found;
		}
		for (struct site *p = all ? o->sites : NULL; p; p = p->next)
			if (p->planned && p->p.kind)
				apply(s, o, &p->p, bias);
	}
	free(w);
	return 0;
}
