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
 * Plans are kept per file (objects.c), so that later images of the same file
 * are patched when they register, and files mapped later (dlopen) when they are
 * mapped: before their code runs.  Only private mappings of files are touched:
 * not JIT code, not anonymous or shared text.
 *
 * Stubs lie in an r-x area of 64 KiB within reach of the object, one per
 * object and address space, at the same distance in every variant: stubs and
 * jumps are the same bytes everywhere, so a program that prints or sums up its
 * own text sees the patches, but not different ones.
 *
 * Text is given back to the program before it changes it: mprotect that makes
 * it writable, mremap, munmap, madvise that drops pages, a mapping over it
 * (text_touched()).  Stubs stay as long as the address space: somebody may
 * return into one.  A site that goes on trapping is proven again.
 *
 * For --stats every trap is counted at its site, with the reason why it was not
 * handled in-process.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "divergence.h"
#include "fast.h"
#include "fast_mem.h"
#include "launch.h"
#include "objects.h"
#include "owned.h"
#include "patch_int.h"
#include "textio.h"
#include "tracee.h"
#include "tsc.h"

#define PATCH_AFTER	3u	/* traps; programs that end soon are left alone */
#define STUB_ALIGN	16u
#define JUMP		5u
#define SHORT_JUMP	2u

/* ---- plans ---- */

struct planning {
	struct object *o;
	struct site *p;
};

static bool hole_taken(void *ctx, uint64_t hole)
{
	const struct planning *w = ctx;

	for (const struct site *p = w->o->sites; p; p = p->next)
		if (p->p.hole && p->p.hole < hole + JUMP &&
		    hole < p->p.hole + JUMP)
			return true;
	return false;
}

static void plan(void *ctx)
{
	struct planning *w = ctx;
	const struct elf_image *e = &w->o->elf;
	struct site_plan *p = &w->p->p;
	uint64_t n, off;

	if (w->p->own.len)
		site_plan_own(e, w->p->vaddr, &w->p->own, p, hole_taken, w);
	else
		site_plan(e, w->p->vaddr, p, hole_taken, w);
	if (!p->kind)
		return;
	n = p->end - p->start;
	off = elf_offset(e, p->start);
	if (!off || n > sizeof(w->p->text) || off + n > e->size) {
		p->kind = SITE_NONE;
		p->why = "not in the file";
		return;
	}
	memcpy(w->p->text, e->data + off, n);
	if (p->own.len)
		patch_own_text(w->p);
	if (p->hole)
		memcpy(w->p->padding, e->data + elf_offset(e, p->hole), JUMP);
}

struct site *patch_plan(struct object *o, uint64_t vaddr,
			const struct site_own *own)
{
	struct planning w = { o, site_get(o, vaddr) };

	if (!w.p || w.p->planned)
		return w.p;
	if (own)
		w.p->own = *own;
	w.p->planned = true;
	if (!object_safely(plan, &w)) {
		w.p->p.kind = SITE_NONE;
		w.p->p.hole = 0;
		w.p->p.why = "the file has been cut off";
	}
	if (w.p->p.kind)
		mon.count.sites_planned++;
	else
		mon.count.sites_left++;
	return w.p;
}

/* ---- per address space ---- */

static struct patch_map *map_of(struct mm *mm)
{
	if (!mm->patches)
		mm->patches = calloc(1, sizeof(*mm->patches));
	if (!mm->patches)
		die("out of memory");
	return mm->patches;
}

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
	c->done = NULL;
	c->cap_done = c->n_done;
	if (c->n_done) {
		c->done = malloc(c->n_done * sizeof(*c->done));
		if (!c->done)
			die("out of memory");
		memcpy(c->done, p->done, c->n_done * sizeof(*c->done));
	}
	for (const struct area *a = p->areas; a; a = a->next) {
		struct area *b = malloc(sizeof(*b));

		if (!b)
			die("out of memory");
		*b = *a;
		b->o->refs++;
		b->next = c->areas;
		c->areas = b;
	}
	return c;
}

void patch_free(struct patch_map *p)
{
	struct area *a;

	if (!p)
		return;
	while ((a = p->areas)) {
		p->areas = a->next;
		a->o->refs--;
		free(a);
	}
	free(p->done);
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
	const struct patch_map *m = mm->patches;
	uint64_t start, stop;

	for (unsigned int i = 0; patch_range(mm, v, i, &start, &stop); i++)
		if (ip >= start && ip < stop)
			return true;
	/* the jump in the padding */
	for (unsigned int i = 0; m && i < m->n_done; i++)
		if (m->done[i].site->p.hole &&
		    m->done[i].site->p.hole + m->done[i].bias[v] == ip)
			return true;
	return false;
}

/*
 * The same distance below the object in every variant: the first that is free
 * in all.  A program linked to a fixed place has bias 0, and is where its text says.
 */
static int area_map(struct taskset *s, struct area *a)
{
	for (uint64_t k = 1; k <= 8192; k += k < 16 ? 1 : k) {
		unsigned int have = 0;
		bool all = true;

		for_each_variant(v) {
			uint64_t low = a->bias[v] ? a->bias[v] :
				a->o->text & ~4095ull;
			uint64_t want = low - k * AREA_SIZE;
			int64_t r = -1;

			/* root may map the lowest pages: not these */
			if (want < low && want >= AREA_SIZE)
				r = task_inject(&s->t[v], SYS_mmap, want,
					AREA_SIZE, PROT_READ | PROT_EXEC,
					MAP_PRIVATE | MAP_ANONYMOUS |
					MAP_FIXED_NOREPLACE, (uint64_t)-1, 0);
			if (r == -ESRCH)
				return -ESRCH;
			all = r == (int64_t)want;
			if (!all)
				break;
			have |= 1u << v;
			a->at[v] = want;
		}
		if (all)
			return 0;
		for_each_variant(v)
			if (have & 1u << v)
				task_inject(&s->t[v], SYS_munmap, a->at[v],
					    AREA_SIZE, 0, 0, 0, 0);
	}
	return -ENOMEM;
}

/* An area for this object, mapped in all variants; NULL when impossible. */
static struct area *area_get(struct taskset *s, struct object *o,
			     const uint64_t bias[MAX_VARIANTS])
{
	struct patch_map *m = map_of(s->proc->mm);
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
	for_each_variant(v)
		a->bias[v] = bias[v];
	if (area_map(s, a) < 0) {
		free(a);
		return NULL;
	}
	a->next = m->areas;
	m->areas = a;
	o->refs++;
	fast_mem_add(s, a->at[LEADER], AREA_SIZE);
	return a;
}

bool patch_nobody_parked(const struct taskset *s)
{
	const struct taskset *o;

	LIST_FOREACH(o, &mon.sets, all)
		if (o != s && o->proc->mm == s->proc->mm &&
		    o->state == SET_PARKED)
			return false;
	return true;
}

static void note_done(struct patch_map *m, const struct site *w,
		      uint64_t stub, const uint64_t bias[MAX_VARIANTS])
{
	if (m->n_done == m->cap_done) {
		unsigned int cap = m->cap_done ? 2 * m->cap_done : 64;
		struct done *n = reallocarray(m->done, cap, sizeof(*n));

		if (!n)
			die("out of memory");
		m->done = n;
		m->cap_done = cap;
	}
	m->done[m->n_done].site = w;
	m->done[m->n_done].stub = stub;
	m->done[m->n_done].gone = false;
	memcpy(m->done[m->n_done++].bias, bias, sizeof(m->done[0].bias));
}

/* One patch as bytes: what is there, and what comes there, by vaddr. */
struct bytes {
	struct text_span old[2], new[3];
	unsigned int n_old, n_new;
	uint8_t stub[SITE_STUB_MAX], jmp[JUMP], to_hole[SHORT_JUMP];
};

/* `at`: vaddr of the stub.  Nothing depends on where the object is. */
static size_t patch_bytes(const struct site *w, uint64_t at, struct bytes *b)
{
	const struct site_plan *p = &w->p;
	uint64_t from = p->hole ? p->hole : p->start;
	size_t n = site_emit(p, 0, at, b->stub);
	int32_t rel = (int32_t)(at - (from + JUMP));

	if (!n || (int64_t)(at - (from + JUMP)) != rel)
		return 0;
	b->jmp[0] = 0xe9;
	memcpy(b->jmp + 1, &rel, 4);
	b->to_hole[0] = 0xeb;
	b->to_hole[1] = (uint8_t)(p->hole - (p->start + SHORT_JUMP));
	b->n_old = b->n_new = 0;
	b->old[b->n_old++] = (struct text_span){
		p->start, w->text, p->end - p->start,
	};
	/* from the end to the beginning of the way */
	b->new[b->n_new++] = (struct text_span){ at, b->stub, n };
	b->new[b->n_new++] = (struct text_span){ from, b->jmp, JUMP };
	if (p->hole) {
		b->old[b->n_old++] = (struct text_span){
			p->hole, w->padding, JUMP,
		};
		b->new[b->n_new++] = (struct text_span){
			p->start, b->to_hole, SHORT_JUMP,
		};
	}
	return n;
}

#define APPLY_MAX 64u

/* Does it lie in what another of these is going to change? */
static bool in_the_way(struct site *const *w, unsigned int n, const struct site *p)
{
	for (unsigned int i = 0; i < n; i++)
		if (p->p.start < w[i]->p.end && w[i]->p.start < p->p.end)
			return true;
	return false;
}

/* Put up to APPLY_MAX plans in place in all variants: how many worked, those
 * first in w[]. */
unsigned int patch_apply(struct taskset *s, struct object *o, struct site **w,
			 unsigned int n, const uint64_t bias[MAX_VARIANTS])
{
	static struct bytes b[APPLY_MAX];
	static struct text_span span[3 * APPLY_MAX];
	struct area *a = n ? area_get(s, o, bias) : NULL;
	unsigned int done = 0, n_span = 0;
	uint32_t used;

	if (!a)
		return 0;
	used = a->used;
	for (unsigned int i = 0; i < n; i++) {
		uint64_t at = a->at[LEADER] - bias[LEADER] + used;
		struct site *ok = w[i];
		bool same = used + SITE_STUB_MAX <= AREA_SIZE;
		size_t len = same ? patch_bytes(ok, at, &b[done]) : 0;

		same = len != 0 && !in_the_way(w, done, ok);
		for_each_variant(v)
			same = same && text_equal(&s->t[v], b[done].old,
						  b[done].n_old, bias[v]);
		if (!same)
			continue;
		for (unsigned int k = 0; k < b[done].n_new; k++)
			span[n_span++] = b[done].new[k];
		used = (uint32_t)(used + len + STUB_ALIGN - 1) &
			~(STUB_ALIGN - 1);
		w[i] = w[done];
		w[done++] = ok;
	}
	for_each_variant(v) {
		if (!text_write(&s->t[v], span, n_span, bias[v]))
			continue;
		if (!task_dying(&s->t[v])) {
			say("patching process %d failed half-way; all variants are ended; %s",
			    s->proc->vpid, remedy(0));
			kill_all(EXIT_MONITOR);
		}
		return 0;
	}
	a->used = used;
	for (unsigned int i = 0; i < done; i++) {
		note_done(map_of(s->proc->mm), w[i], b[i].new[0].addr, bias);
		w[i]->patched++;
		mon.count.sites_patched++;
	}
	if (done)
		s->proc->mm->patched = true;
	return done;
}

/* ---- traps ---- */

static struct seen *seen_get(struct patch_map *m, uint64_t ip)
{
	struct seen *e = NULL;

	for (unsigned int i = 0; i < SEEN_WAYS; i++) {
		e = &m->seen[(ip / 2 + i) % SEEN_MAX];
		if (e->ip == ip || !e->ip)
			break;
	}
	if (e->ip != ip)
		*e = (struct seen){ .ip = ip };
	return e;
}

int patch_find_ip(void *ctx, const struct map_entry *e)
{
	struct patch_find *f = ctx;

	if (f->ip < e->start || f->ip >= e->end)
		return 0;
	f->e = *e;
	return 1;
}

/* The site of this trap; *o its object.  Text that is no file's, or that the
 * program can write, is one site, which is not to be planned. */
static struct site *site_of(struct taskset *s, struct object **o)
{
	struct task *lead = &s->t[LEADER];
	struct patch_find f = { .ip = lead->call.ip - 2 };
	uint64_t vaddr;

	*o = NULL;
	if (maps_each(lead->tid, patch_find_ip, &f) != 1)
		return NULL;
	if (f.e.path[0] == '/' && !strcmp(f.e.perms, "r-xp")) {
		*o = object_open(lead->tid, &f.e);
		if (*o && elf_vaddr(&(*o)->elf, f.e.offset +
				    (f.ip - f.e.start), &vaddr))
			return site_get(*o, vaddr);
	}
	*o = object_named(f.e.path[0] == '[' ? f.e.path : f.e.path[0] ?
			  "[file, not private text]" : "[anonymous]");
	return *o ? site_get(*o, 0) : NULL;
}

static void count_trap(struct taskset *s, struct seen *e)
{
	uint64_t nr = s->t[LEADER].call.nr;
	const struct mm *mm = s->proc->mm;
	enum trap_why why;
	struct site_call *c;

	if (!mm->registered)
		why = TRAP_NOT_LOADED;
	else if (s->row->flags & RF_NEVER_INPROC ||
		 ipmon_row_path(s->row) == PATH_MONITOR ||
		 ipmon_row_path(s->row) == PATH_REFUSED)
		why = TRAP_KIND;
	else if (!e->patched)
		why = TRAP_SITE;
	else if (!s->live)
		why = TRAP_TURN;
	else
		why = TRAP_CALL;
	mon.count.why[why]++;
	if (!e->site)
		return;
	e->site->traps++;
	e->site->why[why]++;
	for (c = e->site->calls; c; c = c->next)
		if (c->nr == nr)
			break;
	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return;
		c->nr = nr;
		c->next = e->site->calls;
		e->site->calls = c;
	}
	c->n++;
}

/*
 * A new origin, in an object that has patches here: has it trapped in other
 * processes?  Programs that end soon would never trap often enough.
 */
static bool known_elsewhere(struct taskset *s, uint64_t ip)
{
	const struct patch_map *m = s->proc->mm->patches;

	for (const struct area *a = m->areas; a; a = a->next) {
		uint64_t vaddr = ip - 2 - a->bias[LEADER];
		struct site *p;

		if (vaddr < a->o->text || vaddr >= a->o->text_end)
			continue;
		p = site_get(a->o, vaddr);
		return p && ++p->images >= PATCH_AFTER;
	}
	return false;
}

static void look_at(struct taskset *s, struct seen *e)
{
	uint64_t bias[MAX_VARIANTS] = { 0 };
	struct object *o;
	struct site *p;

	p = site_of(s, &o);
	e->site = p;
	if (!p || !o->elf.data || !p->vaddr)
		return;
	p = patch_plan(o, p->vaddr, NULL);
	if (!p->p.kind)
		return;
	for_each_variant(v)
		bias[v] = s->t[v].call.ip - 2 - p->vaddr;
	e->patched = patch_apply(s, o, &p, 1, bias) == 1;
}

/* Have the bytes been changed behind our back? */
static bool still_patched(struct taskset *s, const struct seen *e)
{
	const struct site_plan *p = &e->site->p;
	uint8_t first;

	return mem_read(&s->t[LEADER], &first, e->ip - 2 -
			(p->vaddr - p->start), 1) ||
	       first == (p->hole ? 0xeb : 0xe9);
}

void patch_site(struct taskset *s)
{
	struct mm *mm = s->proc->mm;
	struct object *o;
	struct seen *e;

	if (!mon.opt.stats_file && (s->slot < 0 || !mm->patches ||
				    s->row->flags & RF_NEVER_INPROC))
		return;
	e = seen_get(map_of(mm), s->t[LEADER].call.ip);
	e->traps++;
	if (mon.opt.stats_file) {
		if (!e->site)
			e->site = site_of(s, &o);
		count_trap(s, e);
	}
	if (s->slot < 0 || mm->no_fast || s->row->flags & RF_NEVER_INPROC)
		return;
	if (e->traps == 1 && known_elsewhere(s, e->ip))
		e->traps = PATCH_AFTER;
	if (e->traps < PATCH_AFTER || !patch_nobody_parked(s))
		return;
	for_each_variant(v)
		if (s->t[v].at != AT_ENTRY && s->t[v].at != AT_EXIT)
			return;
	if (!e->decided) {
		e->decided = true;
		look_at(s, e);
	} else if (e->patched && !(e->traps & (e->traps - 1)) &&
		   !still_patched(s, e)) {
		*e = (struct seen){ .ip = e->ip, .site = e->site };
	}
}

/* ---- mappings that come and change ---- */

static bool overlaps(const uint64_t start[MAX_VARIANTS], uint64_t len,
		     const uint64_t bias[MAX_VARIANTS], uint64_t vaddr,
		     uint64_t n)
{
	for_each_variant(v) {
		uint64_t from = start[v] & ~4095ull;
		uint64_t end = (start[v] + len + 4095) & ~4095ull;

		if (vaddr + bias[v] + n > from && vaddr + bias[v] < end)
			return true;
	}
	return false;
}

void patch_take_off(struct taskset *s, struct done *d)
{
	const struct site_plan *p = &d->site->p;

	if (d->gone)
		return;
	d->gone = true;
	if (!p->own.len)
		seen_get(map_of(s->proc->mm), p->vaddr + 2 +
			 d->bias[LEADER])->patched = false;
	for_each_variant(v) {
		struct task *t = &s->t[v];

		if (!mem_poke(t, p->start + d->bias[v], d->site->text,
			      p->hole ? SHORT_JUMP : JUMP) &&
		    (!p->hole || !mem_poke(t, p->hole + d->bias[v],
					   d->site->padding, JUMP)))
			continue;
		if (!task_dying(t))
			die("process %d: its text could not be restored",
			    s->proc->vpid);
	}
}

/* Those of instructions have a ud2 in their stubs, which somebody may still come
 * to. */
static void forget_gone(struct patch_map *m)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->n_done; i++)
		if (!m->done[i].gone || m->done[i].site->p.own.len)
			m->done[n++] = m->done[i];
	m->n_done = n;
}

/* A thread may be anywhere in a stub: they stay, and lead to the text behind
 * the jump. */
void patch_undo(struct taskset *s)
{
	struct patch_map *m = s->proc->mm->patches;

	s->proc->mm->patched = false;
	for (unsigned int i = 0; m && i < m->n_done; i++)
		patch_take_off(s, &m->done[i]);
	if (m)
		forget_gone(m);
}

static void patch_touched(struct taskset *s,
			  const uint64_t start[MAX_VARIANTS], uint64_t len)
{
	struct patch_map *m = s->proc->mm->patches;
	uint64_t from = start[LEADER] & ~4095ull;

	for (unsigned int i = 0; m && i < m->n_done; i++) {
		struct done *d = &m->done[i];
		const struct site_plan *p = &d->site->p;

		if (overlaps(start, len, d->bias, p->start,
			     p->end - p->start) ||
		    (p->hole && overlaps(start, len, d->bias, p->hole, JUMP)))
			patch_take_off(s, d);
	}
	if (m)
		forget_gone(m);
	/* what comes there is another site */
	for (unsigned int i = 0; m && i < SEEN_MAX; i++)
		if (m->seen[i].ip >= from && m->seen[i].ip - from <
		    len + (start[LEADER] - from) + 4096)
			m->seen[i] = (struct seen){ .ip = 1 };
}

void text_touched_at(struct taskset *s, const uint64_t start[MAX_VARIANTS],
		     uint64_t len)
{
	/* below our jumps there may be a ud2 */
	patch_touched(s, start, len);
	tsc_touched(s, start, len);
}

void text_touched(struct taskset *s, unsigned int arg, uint64_t len)
{
	uint64_t start[MAX_VARIANTS] = { 0 };

	for_each_variant(v)
		start[v] = s->t[v].call.args[arg];
	text_touched_at(s, start, len);
}

/* Known sites of an object whose file offset `offset` is mapped at `at`. */
static void apply_all(struct taskset *s, struct object *o, uint64_t offset,
		      const uint64_t at[MAX_VARIANTS])
{
	struct patch_map *m = map_of(s->proc->mm);
	uint64_t bias[MAX_VARIANTS] = { 0 }, vaddr;

	if (!o->sites || !o->elf.data || !elf_vaddr(&o->elf, offset, &vaddr))
		return;
	for_each_variant(v)
		bias[v] = at[v] - vaddr;
	for (struct site *p = o->sites; p; ) {
		struct site *w[APPLY_MAX];
		unsigned int n = 0;

		for (; p && n < APPLY_MAX; p = p->next)
			if (p->planned && p->p.kind)
				w[n++] = p;
		n = patch_apply(s, o, w, n, bias);
		for (unsigned int i = 0; i < n; i++) {
			struct seen *e;

			if (w[i]->own.len)
				continue;
			e = seen_get(m, w[i]->vaddr + 2 + bias[LEADER]);
			e->site = w[i];
			e->decided = e->patched = true;
		}
	}
}

void text_mapped(struct taskset *s, const int64_t at[MAX_VARIANTS],
		 uint64_t len, bool file)
{
	struct patch_find f = { .ip = at ? (uint64_t)at[LEADER] : 0 };
	uint64_t where[MAX_VARIANTS] = { 0 }, offset;
	struct object *o = NULL;

	if (mon.n == 1 && !s->proc->mm->patches)
		return;
	if (file && maps_each(s->t[LEADER].tid, patch_find_ip, &f) == 1 &&
	    !strcmp(f.e.perms, "r-xp") && f.e.path[0] == '/')
		o = object_open(s->t[LEADER].tid, &f.e);
	if (!o) {
		tsc_unsure(s);
		return;
	}
	for_each_variant(v)
		where[v] = (uint64_t)at[v];
	offset = f.e.offset + (f.ip - f.e.start);
	tsc_mapped(s, o, offset, len, where);
	/* a static program may map code to translate it: tsc_mapped() */
	if (s->proc->mm->patches && s->slot >= 0 && !s->proc->mm->no_fast &&
	    !s->proc->mm->static_exe)
		apply_all(s, o, offset, where);
}

/* ---- a new image ---- */

#define SWEEP_MAX 256u		/* objects of one image */
struct sweep {
	struct taskset *s;
	struct map_entry e[MAX_VARIANTS][SWEEP_MAX];
	unsigned int n[MAX_VARIANTS];
	unsigned int v;
};

static int collect(void *ctx, const struct map_entry *e)
{
	struct sweep *w = ctx;

	if (!strcmp(e->perms, "r-xp") && e->path[0] == '/' &&
	    w->n[w->v] < SWEEP_MAX)
		w->e[w->v][w->n[w->v]++] = *e;
	return 0;
}

int patch_process(struct taskset *s)
{
	struct sweep *w;

	map_of(s->proc->mm);
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
		uint64_t at[MAX_VARIANTS] = { 0 };
		bool all = o;

		/* the same segment in the others */
		for_each_variant(v) {
			for (unsigned int k = 0; k < w->n[v] && !at[v]; k++)
				if (w->e[v][k].inode == e->inode &&
				    w->e[v][k].offset == e->offset)
					at[v] = w->e[v][k].start;
			all = all && at[v];
		}
		if (all)
			apply_all(s, o, e->offset, at);
	}
	free(w);
	return 0;
}
