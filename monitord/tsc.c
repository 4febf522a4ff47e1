// SPDX-License-Identifier: Apache-2.0
/*
 * The time stamp counter, and the processor's random numbers.
 *
 * Theory of operation
 * -------------------
 * All variants must read the same value with rdtsc and rdtscp, so these are
 * trapped and emulated once (signal.c).  Under `strict` the kernel does it
 * (PR_SET_TSC).  But the vDSO reads the counter too, and IP-MON's leader is to
 * read the time there without entering the kernel; and a processor that
 * switches between tasks that differ in PR_SET_TSC pays for it.  So when calls
 * are handled in-process, the instructions themselves are replaced by ud2,
 * which has the same length and also faults:
 *
 *	all files mapped executable are searched for the bytes of the two
 *	instructions; decoding the function around each hit, from its start as
 *	.eh_frame has it, shows whether it is an instruction, and only then is it
 *	replaced, in all variants;
 *
 *	a hit outside of any function may be data or an instruction
 *	(TSC_DOUBT): followers are trapped by the kernel, their leader is not.
 *	Should it ever be executed, the first value differs between variants,
 *	and from then on the kernel traps everybody;
 *
 *	text that is not (or no longer) a file's, or that a static program maps,
 *	is trapped by the kernel in all variants (TSC_TRAP), and the leader's
 *	clock is a system call.
 *
 * A fault in every variant takes tens of microseconds, and some programs read the
 * counter a hundred thousand times.  So who has faulted often enough at a replaced
 * instruction, and handles calls in-process, gets a jump there: patch_own.c.
 *
 * rdrand and rdseed (std::random_device, libgcrypt) cannot be trapped, under no
 * policy: where decoding proves one, it is replaced in the same way and emulated
 * with one number for all.  Others are left as they are.
 *
 * One variant alone needs none of this.
 *
 * What seeded.c finds is replaced at the same moments, where lower halves of
 * addresses are the same in all variants.
 *
 * The leader's vDSO is moved to an address nobody knows (exec_setup.c), and
 * hidden like everything of the monitor's; followers have none.
 */
#include <cpuid.h>
#include <emmintrin.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* auxv names that are also ours */
#undef AT_ENTRY
#include "exec_image.h"
#include "fast.h"
#include "objects.h"
#include "owned.h"
#include "seeded.h"
#include "textio.h"
#include "tracee.h"
#include "tsc.h"

#define MAX_MAPS 128u

enum tsc_mode { TSC_FREE, TSC_DOUBT, TSC_TRAP };

struct edit {
	uint64_t at[MAX_VARIANTS];
	struct site_own i;		/* as it was, or */
	struct seeded seeded;		/* n > 0 */
	uint32_t faults;
};
#define FAULTS	4u			/* and it is worth a jump; a power of two */

struct tsc_map {
	enum tsc_mode mode;
	unsigned int n, cap;
	struct edit *edit;
};

bool tsc_always(void)
{
	return mon.opt.policy == POLICY_STRICT;
}

static struct tsc_map *map_of(struct mm *mm)
{
	if (!mm->tsc) {
		mm->tsc = calloc(1, sizeof(*mm->tsc));
		if (!mm->tsc)
			die("out of memory");
	}
	return mm->tsc;
}

struct tsc_map *tsc_fork(const struct tsc_map *m)
{
	struct tsc_map *c;

	if (!m)
		return NULL;
	c = malloc(sizeof(*c));
	if (!c)
		die("out of memory");
	*c = *m;
	c->cap = c->n;
	c->edit = NULL;
	if (c->n) {
		c->edit = malloc(c->n * sizeof(*c->edit));
		if (!c->edit)
			die("out of memory");
		memcpy(c->edit, m->edit, c->n * sizeof(*c->edit));
	}
	return c;
}

void tsc_free(struct tsc_map *m)
{
	if (m)
		free(m->edit);
	free(m);
}

/* ---- looking for the instructions ---- */

struct scan {
	struct object *o;
	bool failed;
};

static bool is_random(const struct site_own *i)
{
	return !i->visit && i->code[i->pre + 1] == 0xc7;
}

static bool note_insn(struct object *o, uint64_t vaddr, const uint8_t *code,
		      uint8_t len, uint8_t pre)
{
	struct tsc_insn *n = reallocarray(o->tsc, o->n_tsc + 1, sizeof(*n));

	if (!n)
		return false;
	o->tsc = n;
	n += o->n_tsc++;
	*n = (struct tsc_insn){ vaddr, { .len = len, .pre = pre } };
	memcpy(n->insn.code, code, len);
	return true;
}

static void found(struct object *o, uint64_t vaddr, const uint8_t *code,
		  uint8_t len)
{
	switch (site_boundary(&o->elf, vaddr)) {
	case BOUNDARY_NO:
		return;
	case BOUNDARY_YES:
		if (note_insn(o, vaddr, code, len, 0))
			return;
		break;
	default:
		break;
	}
	o->tsc_doubt = true;
}

/* 0f c7 and a register, after `before` bytes: with an operand size or a REX
 * prefix, or both, the instruction begins there (with f3 it is rdpid). */
static void found_random(struct object *o, uint64_t vaddr, const uint8_t *code,
			 size_t before)
{
	for (uint8_t pre = before < 2 ? (uint8_t)before : 2; ; pre--) {
		const uint8_t *p = code - pre;
		bool fits = !pre || (p[pre - 1] & 0xf0) == 0x40 ||
			(pre == 1 && p[0] == 0x66);

		if (pre == 2 && p[0] != 0x66)
			fits = false;
		if (fits && site_boundary(&o->elf, vaddr - pre) ==
		    BOUNDARY_YES) {
			note_insn(o, vaddr - pre, p, pre + 3, pre);
			return;
		}
		if (!pre)
			return;
	}
}

/* What the processor has not is SIGILL, with the instruction as it is. */
static bool processor_has(const uint8_t *code)
{
	static unsigned int known, leaf1, leaf7, extended;
	unsigned int a, b, c, d;

	if (!known) {
		known = 1;
		if (__get_cpuid(1, &a, &b, &c, &d))
			leaf1 = c;
		if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
			leaf7 = b;
		if (__get_cpuid(0x80000001u, &a, &b, &c, &d))
			extended = d;
	}
	if (code[1] == 0x01)
		return extended & 1u << 27;
	return code[2] >= 0xf8 ? leaf7 & bit_RDSEED : leaf1 & bit_RDRND;
}

/* 0f 31, 0f 01 f9, and 0f c7 with a register (/6 and /7), among n bytes,
 * sixteen at a time. */
static void scan_bytes(struct object *o, const uint8_t *p, size_t n,
		       uint64_t vaddr)
{
	const __m128i esc = _mm_set1_epi8(0x0f), tsc = _mm_set1_epi8(0x31),
		      grp = _mm_set1_epi8(0x01),
		      rnd = _mm_set1_epi8((char)0xc7);
	size_t i = 0;

	while (i + 1 < n) {
		unsigned int hit = 1;

		if (i + 17 <= n) {
			__m128i a = _mm_loadu_si128((const void *)(p + i));
			__m128i b = _mm_loadu_si128((const void *)(p + i + 1));
			__m128i m = _mm_and_si128(_mm_cmpeq_epi8(a, esc),
				_mm_or_si128(_mm_cmpeq_epi8(b, tsc),
					     _mm_or_si128(
					     _mm_cmpeq_epi8(b, grp),
					     _mm_cmpeq_epi8(b, rnd))));

			hit = (unsigned int)_mm_movemask_epi8(m);
			if (!hit) {
				i += 16;
				continue;
			}
			i += (unsigned int)__builtin_ctz(hit);
		}
		if (p[i] == 0x0f && p[i + 1] == 0x31)
			found(o, vaddr + i, p + i, 2);
		else if (p[i] == 0x0f && p[i + 1] == 0x01 && i + 2 < n &&
			 p[i + 2] == 0xf9 && processor_has(p + i))
			found(o, vaddr + i, p + i, 3);
		else if (p[i] == 0x0f && p[i + 1] == 0xc7 && i + 2 < n &&
			 p[i + 2] >= 0xf0 && processor_has(p + i))
			found_random(o, vaddr + i, p + i, i);
		i++;
	}
}

static void scan(void *ctx)
{
	struct scan *c = ctx;
	const uint8_t *p;
	uint64_t vaddr, n;

	c->failed = true;
	for (unsigned int i = 0; elf_text(&c->o->elf, i, &p, &n, &vaddr); i++) {
		scan_bytes(c->o, p, n, vaddr);
		c->failed = false;
	}
}

static void object_scan(struct object *o)
{
	struct scan c = { .o = o };

	if (o->scanned)
		return;
	o->scanned = true;
	if (!object_safely(scan, &c) || c.failed)
		o->tsc_doubt = true;
	if (mon.opt.layout == LAYOUT_DISJOINT)
		o->seeded = seeded_find(o, &o->n_seeded);
}

/* ---- replacing them ---- */

static void note_edit(struct tsc_map *m, const struct edit *e)
{
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 32;
		m->edit = reallocarray(m->edit, m->cap, sizeof(*e));
		if (!m->edit)
			die("out of memory");
	}
	m->edit[m->n++] = *e;
}

static void restore(struct taskset *s, struct edit *e)
{
	if (e->seeded.n) {
		seeded_restore(s, &e->seeded, e->at);
		return;
	}
	patch_own_off(s, e->at[LEADER]);
	for_each_variant(v)
		mem_poke(&s->t[v], e->at[v] + e->i.pre + 1,
			 &e->i.code[e->i.pre + 1], 1);
}

#define REPLACE_MAX 64u

/* Some of them, to be found at bias[v] + vaddr: all, or all that can be trapped
 * is. */
static void replace(struct taskset *s, const struct tsc_insn *const *w,
		    unsigned int n, const uint64_t bias[MAX_VARIANTS])
{
	static const uint8_t ud2[] = { 0x0f, 0x0b };
	struct tsc_map *m = map_of(s->proc->mm);
	struct text_span old[REPLACE_MAX], new[REPLACE_MAX];

	for (unsigned int i = 0; i < n; i++) {
		old[i].addr = w[i]->vaddr;
		old[i].bytes = w[i]->insn.code;
		old[i].n = w[i]->insn.len;
		new[i].addr = w[i]->vaddr + w[i]->insn.pre;
		new[i].bytes = ud2;
		new[i].n = sizeof(ud2);
	}
	for_each_variant(v) {
		if (text_equal(&s->t[v], old, n, bias[v]))
			continue;
		m->mode = TSC_TRAP;
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		struct edit e = { .i = w[i]->insn };

		for_each_variant(v)
			e.at[v] = bias[v] + w[i]->vaddr;
		note_edit(m, &e);
	}
	for_each_variant(v)
		if (text_write(&s->t[v], new, n, bias[v]))
			m->mode = TSC_TRAP;
}

/* Our own, which reads the counter for all. */
static bool is_libipmon(const struct object *o)
{
	static struct stat st;

	if (!st.st_ino && stat(mon.libipmon, &st))
		return false;
	return o->dev == st.st_dev && o->ino == st.st_ino;
}

/* [offset, offset + len) of the file has been mapped at these addresses. */
static void look(struct taskset *s, struct object *o, uint64_t offset,
		 uint64_t len, const uint64_t at[MAX_VARIANTS])
{
	struct tsc_map *m = map_of(s->proc->mm);
	uint64_t bias[MAX_VARIANTS] = { 0 }, vaddr;
	unsigned int i = 0;

	if (is_libipmon(o))
		return;
	object_scan(o);
	if (o->tsc_doubt && m->mode < TSC_DOUBT)
		m->mode = TSC_DOUBT;
	if (!elf_vaddr(&o->elf, offset, &vaddr)) {
		m->mode = TSC_TRAP;
		return;
	}
	for_each_variant(v)
		bias[v] = at[v] - vaddr;
	while (i < o->n_tsc) {
		const struct tsc_insn *w[REPLACE_MAX];
		unsigned int n = 0;

		for (; i < o->n_tsc && n < REPLACE_MAX; i++) {
			const struct tsc_insn *t = &o->tsc[i];

			if (t->vaddr >= vaddr &&
			    t->vaddr + t->insn.len <= vaddr + len &&
			    (!tsc_always() || is_random(&t->insn)))
				w[n++] = t;
		}
		if (n)
			replace(s, w, n, bias);
	}
	for (i = 0; i < o->n_seeded; i++) {
		struct edit e = { .seeded = o->seeded[i] };

		if (e.seeded.vaddr >= vaddr &&
		    e.seeded.vaddr + e.seeded.n <= vaddr + len &&
		    seeded_replace(s, &e.seeded, bias, e.at))
			note_edit(m, &e);
	}
}

/* ---- executable mappings ---- */

struct maps {
	const struct mm *mm;
	unsigned int v, n;
	bool unsure;
	struct map_entry e[MAX_MAPS];
};

static int collect(void *ctx, const struct map_entry *e)
{
	struct maps *m = ctx;
	uint64_t start, stop;

	if (e->perms[2] != 'x' || !strcmp(e->path, "[vsyscall]") ||
	    owned_next(m->mm, m->v, e->start, e->end, &start, &stop))
		return 0;
	if (strcmp(e->perms, "r-xp") || e->path[0] != '/' ||
	    m->n == MAX_MAPS) {
		m->unsure = true;
		return 0;
	}
	m->e[m->n++] = *e;
	return 0;
}

static struct maps *collect_all(struct taskset *s, unsigned int v)
{
	struct maps *m = calloc(1, sizeof(*m));

	if (!m)
		die("out of memory");
	m->mm = s->proc->mm;
	m->v = v;
	if (maps_each(s->t[v].tid, collect, m) < 0)
		m->unsure = true;
	return m;
}

static unsigned int wanted(const struct taskset *s)
{
	const struct tsc_map *m = s->proc->mm->tsc;

	if (tsc_always() || s->proc->vtsc_sigsegv)
		return mon.live;
	if (mon.n == 1 || !m || m->mode == TSC_FREE)
		return 0;
	return m->mode == TSC_DOUBT ? mon.live & ~(1u << LEADER) : mon.live;
}

/* Where all variants have this segment; false: not all have it. */
static bool everywhere(struct maps *const m[MAX_VARIANTS],
		       const struct map_entry *e, uint64_t at[MAX_VARIANTS])
{
	bool all = true;

	for_each_variant(v) {
		for (unsigned int k = 0; k < m[v]->n && !at[v]; k++)
			if (m[v]->e[k].inode == e->inode &&
			    m[v]->e[k].offset == e->offset)
				at[v] = m[v]->e[k].start;
		all = all && at[v];
	}
	return all;
}

/* A file only some variants have: fine as long as it reads no counter. */
static void lone(struct taskset *s, unsigned int v, const struct map_entry *e)
{
	struct object *o = mon.opt.diverse ?
		object_open(s->t[v].tid, e) : NULL;

	if (o)
		object_scan(o);
	if (!o || o->n_tsc || o->tsc_doubt)
		map_of(s->proc->mm)->mode = TSC_TRAP;
}

/* All that is mapped now. */
static void look_at_all(struct taskset *s)
{
	struct maps *m[MAX_VARIANTS] = { NULL };

	for_each_variant(v)
		m[v] = collect_all(s, v);
	if (m[LEADER]->unsure)
		map_of(s->proc->mm)->mode = TSC_TRAP;
	for_each_variant(v) {
		/* the leader's are the others', as a rule */
		if (v != LEADER && !mon.opt.diverse)
			break;
		for (unsigned int i = 0; i < m[v]->n; i++) {
			const struct map_entry *e = &m[v]->e[i];
			uint64_t at[MAX_VARIANTS] = { 0 };
			struct object *o;

			if (!everywhere(m, e, at)) {
				lone(s, v, e);
				continue;
			}
			if (v != LEADER)
				continue;
			o = object_open(s->t[LEADER].tid, e);
			if (o)
				look(s, o, e->offset, e->end - e->start, at);
			else
				map_of(s->proc->mm)->mode = TSC_TRAP;
		}
	}
	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		free(m[v]);
}

void tsc_linked(struct taskset *s)
{
	if (mon.n > 1)
		look_at_all(s);
}

int tsc_image(struct taskset *s)
{
	unsigned int want;

	/* the linker's own readings, for its statistics, are its own affair */
	if (mon.n > 1 && !s->proc->mm->linking)
		look_at_all(s);
	if (tsc_always())
		return 0;
	want = wanted(s);
	for_each_variant(v) {
		const uint64_t args[6] = {
			PR_SET_TSC, want & 1u << v ? PR_TSC_SIGSEGV :
			PR_TSC_ENABLE,
		};

		if (!((want ^ s->tsd) & 1u << v))
			continue;
		if (image_inject(&s->t[v], s->proc->mm->gate[v], SYS_prctl,
				 args) == -ESRCH)
			return -ESRCH;
	}
	s->tsd = want;
	return 0;
}

void tsc_mapped(struct taskset *s, struct object *o, uint64_t offset,
		uint64_t len, const uint64_t at[MAX_VARIANTS])
{
	if (mon.n == 1)
		return;
	/* A static program that loads code itself may read it to translate it
	 * (valgrind), and is to find in it what the file has. */
	if (s->proc->mm->static_exe)
		tsc_unsure(s);
	else
		look(s, o, offset, len, at);
}

void tsc_unsure(struct taskset *s)
{
	if (!tsc_always() && mon.n > 1)
		map_of(s->proc->mm)->mode = TSC_TRAP;
}

void tsc_touched(struct taskset *s, const uint64_t start[MAX_VARIANTS],
		 uint64_t len)
{
	struct tsc_map *m = s->proc->mm->tsc;

	for (unsigned int i = 0; m && i < m->n; ) {
		struct edit *e = &m->edit[i];
		bool hit = false;

		for_each_variant(v) {
			uint64_t from = start[v] & ~4095ull;

			hit |= e->at[v] + (e->seeded.n ? e->seeded.n :
					   e->i.len) > from &&
				e->at[v] < ((start[v] + len + 4095) & ~4095ull);
		}
		if (!hit) {
			i++;
			continue;
		}
		restore(s, e);
		/* it may become executable again, in another form */
		if (!e->seeded.n)
			m->mode = TSC_TRAP;
		*e = m->edit[--m->n];
	}
}

void tsc_program(struct taskset *s)
{
	struct tsc_map *m = s->proc->mm->tsc;

	if (!s->proc->vtsc_sigsegv || !m)
		return;
	/* the program is to see its SIGSEGV at the instruction itself */
	for (unsigned int i = 0; i < m->n; ) {
		if (m->edit[i].seeded.n || is_random(&m->edit[i].i)) {
			i++;
			continue;
		}
		restore(s, &m->edit[i]);
		m->edit[i] = m->edit[--m->n];
	}
	m->mode = TSC_TRAP;
}

void tsc_apply(struct taskset *s)
{
	unsigned int want = wanted(s);

	if (!((want ^ s->tsd) & mon.live))
		return;
	for_each_variant(v) {
		struct task *t = &s->t[v];

		if (!((want ^ s->tsd) & 1u << v))
			continue;
		if (t->at != AT_ENTRY && t->at != AT_EXIT)
			return;
		task_inject(t, SYS_prctl, PR_SET_TSC, want & 1u << v ?
			    PR_TSC_SIGSEGV : PR_TSC_ENABLE, 0, 0, 0, 0);
		s->tsd = (s->tsd & ~(1u << v)) | (want & 1u << v);
	}
	fast_clock(s, tsc_clock(s));
}

/* ---- faults ---- */

#define CODE_MAX 4u			/* two prefixes and ud2 */

static struct edit *edit_at(const struct task *t, uint64_t ip)
{
	const struct tsc_map *m = t->set->proc->mm->tsc;

	for (unsigned int i = 0; m && i < m->n; i++)
		if (!m->edit[i].seeded.n && m->edit[i].at[t->variant] == ip)
			return &m->edit[i];
	return NULL;
}

/* The instruction at ip, as written or as replaced; *next is what comes after it. */
static bool insn_at(struct task *t, uint64_t ip, struct site_own *insn,
		    uint64_t *next)
{
	struct patch_own own;
	const struct edit *e;
	uint8_t code[CODE_MAX] = { 0 };

	*insn = (struct site_own){ 0 };
	if (mem_read_some(t, code, ip, sizeof(code)) < 2)
		return false;
	if (code[0] == 0x0f && code[1] == 0x31) {
		insn->len = 2;
	} else if (code[0] == 0x0f && code[1] == 0x01 && code[2] == 0xf9 &&
		   processor_has(code)) {
		insn->len = 3;
	} else if (code[0] == 0x0f && code[1] == 0x0b &&
		   patch_own_at(t->set->proc->mm, t->variant, ip, &own) &&
		   own.trap == ip) {
		*insn = own.insn;
		*next = own.next;
		return true;
	} else {
		e = edit_at(t, ip);
		if (e && code[e->i.pre] == 0x0f && code[e->i.pre + 1] == 0x0b)
			*insn = e->i;
	}
	*next = ip + insn->len;
	return insn->len;
}

enum tsc_fault tsc_fault(struct task *t)
{
	struct user_regs_struct *r = task_regs(t);
	struct site_own insn;
	uint64_t next;

	if (!r || !insn_at(t, r->rip, &insn, &next))
		return TSC_OTHER;
	if (insn.visit)
		return TSC_VISIT;
	return is_random(&insn) ? TSC_RANDOM : TSC_COUNTER;
}

void tsc_often(struct taskset *s)
{
	struct user_regs_struct *r = task_regs(&s->t[LEADER]);
	struct edit *e = r ? edit_at(&s->t[LEADER], r->rip) : NULL;

	/* somebody may be in the way: again, ever more rarely */
	if (e && ++e->faults >= FAULTS && !(e->faults & (e->faults - 1)))
		patch_own(s, &e->i, e->at);
}

/* Where a task that is at such a fault goes back to; 0: it cannot. */
static uint64_t back_of(struct task *t)
{
	struct user_regs_struct *r = task_regs(t);
	struct patch_own own;

	if (!r)
		return 0;
	if (patch_own_at(t->set->proc->mm, t->variant, r->rip, &own))
		return own.trap == r->rip ? own.back : 0;
	return r->rip;
}

bool tsc_may_go_back(struct task *t)
{
	return back_of(t) != 0;
}

void tsc_back(struct task *t)
{
	task_regs(t)->rip = back_of(t);
	task_regs_changed(t);
}

void tsc_draw(struct tsc_value *v)
{
	tsc_trap(false);
	v->counter = __builtin_ia32_rdtsc();
	tsc_trap(true);
	if (getrandom(&v->random, sizeof(v->random), 0) != sizeof(v->random))
		die("cannot get random numbers");
}

/* As the instruction does it: the carry says that there was a number. */
static void give_random(struct user_regs_struct *r, const struct site_own *i,
			uint64_t random)
{
	unsigned long long *const reg[16] = {
		&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi,
		&r->rdi, &r->r8, &r->r9, &r->r10, &r->r11, &r->r12, &r->r13,
		&r->r14, &r->r15,
	};
	uint8_t rex = i->pre ? i->code[i->pre - 1] : 0;
	unsigned long long *to;

	if ((rex & 0xf0) != 0x40)
		rex = 0;
	to = reg[(i->code[i->pre + 2] & 7) | (rex & 1 ? 8 : 0)];
	if (rex & 8)
		*to = random;
	else if (i->code[0] == 0x66)
		*to = (*to & ~0xffffull) | (random & 0xffff);
	else
		*to = random & 0xffffffff;
	/* CF, PF, AF, ZF, SF, OF */
	r->eflags = (r->eflags & ~0x8d5ull) | 1;
}

void tsc_give(struct task *t, const struct tsc_value *v)
{
	struct user_regs_struct *r = task_regs(t);
	struct site_own insn;
	uint64_t next;

	if (!r || !insn_at(t, r->rip, &insn, &next))
		return;
	if (is_random(&insn)) {
		give_random(r, &insn, v->random);
	} else if (!insn.visit) {
		r->rax = v->counter & 0xffffffffu;
		r->rdx = v->counter >> 32;
		if (insn.len == 3)
			r->rcx = 0;
	}
	r->rip = next;
	task_regs_changed(t);
}

bool tsc_follower(struct task *t)
{
	struct taskset *s = t->set;
	struct tsc_value value;

	if (!s->proc->mm->linking &&
	    (t->variant == LEADER || s->tsd & 1u << LEADER ||
	     !(s->tsd & 1u << t->variant) || s->proc->vtsc_sigsegv))
		return false;
	/* a SIGSEGV: one the kernel traps, not a replaced one */
	if (tsc_fault(t) != TSC_COUNTER)
		return false;
	tsc_draw(&value);
	tsc_give(t, &value);
	if (!s->proc->mm->linking)
		tsc_unsure(s);
	task_resume(t, PTRACE_CONT, 0);
	return true;
}
