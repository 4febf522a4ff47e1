// SPDX-License-Identifier: Apache-2.0
/*
 * The states of variants that compute, made comparable.
 *
 * Theory of operation
 * -------------------
 * A state is the registers, the top of the stack and the words of memory that the
 * loop has been seen to write.  What is an address differs
 * between variants, and each is translated to what lies at the same place in the
 * leader.  exec_layout.c gives all variants the same shape, a multiple of 4 GiB
 * apart, so a mapping's counterpart is that of the same size whose lower half of
 * the address is the same.  Only the first thread's stack is where the kernel has
 * put it; how far apart is seen when both are at the same place.
 *
 * Two secrets of libc differ as well (at_random.c): the stack protector's canary,
 * which lies in every frame, and the guard that pointers in a jmp_buf are combined
 * with.  Both are to be found behind the thread pointer.
 *
 * A number that happens to be an address is translated, too, in all variants but
 * the leader, and then differs where it does not: no instant is found then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "launch.h"
#include "meet_int.h"
#include "tracee.h"

#define RANGES_MAX	2048u
#define BASE_FAR	(16u << 20)
#define BASES_FROM	0x500000000000ull
#define BASES_TO	0x800000000000ull
/* What the kernel puts on top of it differs in size: names, alignment. */
#define STACK_SLACK	65536u
#define RUBBISH		8u	/* words */
#define COUNT_FEW	16u
#define SECRETS_AT	0x28u	/* tcbhead_t: stack_guard, pointer_guard */
/* carry, zero, sign, direction, overflow: those of an address are the same in
 * all variants, unlike parity and half-carry, which come from its low bits */
#define FLAGS		0xcc1u
#define FLAGS_LOW	0x14ull	/* these */
#define FLAGS_END	0x400000u

/* ---- addresses ---- */

struct reading {
	struct meet_range *r;
	unsigned int *n;
	uint64_t stack[2];		/* the first one: start and end */
};

/* What is mapped of a file, what follows that without one, and the heap are data. */
static enum meet_kind kind_of(const struct reading *rd,
			      const struct map_entry *e)
{
	const struct meet_range *before = *rd->n ? &rd->r[*rd->n - 1] : NULL;

	if (e->perms[1] != 'w' || e->perms[3] != 'p' ||
	    !strcmp(e->path, "[stack]"))
		return MEET_NONE;
	if (!strcmp(e->path, "[heap]") ||
	    (!e->inode && before && before->kind == MEET_DATA &&
	     before->end == e->start))
		return MEET_DATA;
	/* other files may be far away, and whoever has them wait for us */
	for (unsigned int i = 0; e->inode && i < *rd->n; i++)
		if (rd->r[i].exec && rd->r[i].inode == e->inode)
			return MEET_DATA;
	return e->inode ? MEET_NONE : MEET_MEMORY;
}

static int note_range(void *ctx, const struct map_entry *e)
{
	struct reading *rd = ctx;

	if (*rd->n == RANGES_MAX)
		return 1;
	if (!strcmp(e->path, "[stack]")) {
		rd->stack[0] = e->start;
		rd->stack[1] = e->end;
	}
	rd->r[(*rd->n)++] = (struct meet_range) {
		.start = e->start, .end = e->end, .exec = e->perms[2] == 'x',
		.kind = kind_of(rd, e), .inode = e->inode,
	};
	return 0;
}

static const struct meet_range *same_shape(const struct meeting *m,
					   const struct meet_range *r)
{
	for (unsigned int i = 0; i < m->n[LEADER]; i++) {
		const struct meet_range *l = &m->r[LEADER][i];

		if ((uint32_t)l->start == (uint32_t)r->start &&
		    l->end - l->start == r->end - r->start &&
		    l->exec == r->exec)
			return l;
	}
	return NULL;
}

/* The first range that ends behind addr: its number, or how many there are. */
static unsigned int range_after(const struct meeting *m, unsigned int v,
				uint64_t addr)
{
	unsigned int lo = 0, hi = m->n[v];

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (addr >= m->r[v][mid].end)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct meet_range *range_of(const struct meeting *m, unsigned int v,
				   uint64_t addr)
{
	unsigned int i = range_after(m, v, addr);

	return i < m->n[v] && addr >= m->r[v][i].start ? &m->r[v][i] : NULL;
}

/* ... or the one it is near to: compilers keep bases outside of what they reach. */
static const struct meet_range *range_near(const struct meeting *m,
					   unsigned int v, uint64_t addr)
{
	unsigned int i = range_after(m, v, addr);
	const struct meet_range *r = &m->r[v][i];

	if (i < m->n[v] && addr >= r->start)
		return r;
	/* not what may well be a number, or two */
	if (addr < BASES_FROM || addr >= BASES_TO)
		return NULL;
	if (i < m->n[v] && r->start - addr < BASE_FAR)
		return r;
	return i && addr - r[-1].end < BASE_FAR ? &r[-1] : NULL;
}

/* Mappings that are merged in one variant and not in another have no counterpart
 * of the same size; what lies before them has. */
static void relate(struct meeting *m, unsigned int v, const uint64_t stack[2])
{
	const struct mm *mm = m->s->proc->mm;
	int64_t last = 0;

	for (unsigned int i = 0; i < m->n[v]; i++) {
		struct meet_range *r = &m->r[v][i];
		const struct meet_range *l = same_shape(m, r);

		if (l)
			last = (int64_t)(r->start - l->start);
		/* nearly: meet_same_frame() */
		r->delta = r->end == stack[1] ?
			(int64_t)(mm->auxv[v] - mm->auxv[LEADER]) : last;
	}
}

void meet_same_frame(struct meeting *m, unsigned int v)
{
	const struct user_regs_struct *a = task_regs(&m->s->t[LEADER]);
	const struct user_regs_struct *b = task_regs(&m->s->t[v]);
	struct meet_range *r = b ? range_of(m, v, b->rsp) : NULL;

	if (a && r && a->rsp >= m->stack[0] && a->rsp < m->stack[1])
		r->delta = (int64_t)(b->rsp - a->rsp);
}

int meet_view_start(struct meeting *m)
{
	for_each_variant(v) {
		struct task *t = &m->s->t[v];
		const struct user_regs_struct *regs = task_regs(t);
		struct reading rd = { .n = &m->n[v] };

		rd.r = m->r[v] = calloc(RANGES_MAX, sizeof(*rd.r));
		if (!rd.r)
			return -ENOMEM;
		if (!regs || maps_each(t->tid, note_range, &rd))
			return -ENOENT;
		if (v == LEADER)
			memcpy(m->stack, rd.stack, sizeof(m->stack));
		else
			relate(m, v, rd.stack);
		mem_read_some(t, m->secret[v], regs->fs_base + SECRETS_AT,
			      sizeof(m->secret[v]));
	}
	return 0;
}

void meet_view_end(struct meeting *m)
{
	for_each_variant(v)
		free(m->r[v]);
}

static uint64_t common(const struct meeting *m, unsigned int v, uint64_t w)
{
	const struct meet_range *r = v == LEADER ? NULL : range_near(m, v, w);

	if (w == m->secret[v][0])
		return 0;
	return r ? w - (uint64_t)r->delta : w;
}

/* The same for one that was rotated after it was combined with the pointer guard
 * (PTR_MANGLE of glibc). */
static uint64_t guarded(const struct meeting *m, unsigned int v, uint64_t w)
{
	return common(m, v, (w >> 17 | w << 47) ^ m->secret[v][1]);
}

uint64_t meet_there(const struct meeting *m, unsigned int v, uint64_t addr)
{
	if (v == LEADER)
		return addr;
	for (unsigned int i = 0; i < m->n[v]; i++) {
		const struct meet_range *r = &m->r[v][i];
		uint64_t at = addr + (uint64_t)r->delta;

		if (at >= r->start && at < r->end)
			return at;
	}
	return 0;
}

int meet_stack_left(const struct meeting *m, uint64_t sp, size_t *len)
{
	const struct meet_range *r = range_of(m, LEADER, sp);

	*len = r ? r->end - sp : 0;
	return r && !(sp & 7) ? 0 : -1;
}

bool meet_is_code(const struct meeting *m, uint64_t addr)
{
	const struct meet_range *r = range_of(m, LEADER, addr);

	return r && r->exec;
}

/* ---- states ---- */

/* The stack and the cells. */
static void fetch(const struct meeting *m, unsigned int v, uint64_t sp,
		  uint64_t *to)
{
	struct task *t = &m->s->t[v];
	struct iovec mine = { to, (MEET_STACK + m->cells) * sizeof(*to) };
	struct iovec theirs[1 + MEET_CELLS] = {
		{ (void *)(uintptr_t)sp, MEET_STACK * sizeof(*to) },
	};

	for (unsigned int i = 0; i < m->cells; i++)
		theirs[1 + i] = (struct iovec){
			(void *)(uintptr_t)m->cell[v][i], sizeof(*to)
		};
	if (process_vm_readv(t->tid, &mine, 1, theirs, 1 + m->cells, 0) ==
	    (ssize_t)mine.iov_len)
		return;
	/* one at a time: the end of the stack, memory that is gone */
	memset(to, 0, mine.iov_len);
	mem_read_some(t, to, sp, MEET_STACK * sizeof(*to));
	for (unsigned int i = 0; i < m->cells; i++)
		mem_read_some(t, to + MEET_STACK + i, m->cell[v][i],
			      sizeof(*to));
}

bool meet_look(struct meeting *m, unsigned int v, struct meet_view *to)
{
	struct task *t = &m->s->t[v];
	const struct user_regs_struct *r = task_regs(t);

	if (!r)
		return false;
	/* r11 has the flags from the last call, if nothing else */
	*to = (struct meet_view) {
		.ip = common(m, v, r->rip), .sp = common(m, v, r->rsp),
		.flags = r->eflags & FLAGS, .v = v,
		.raw = { r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp,
		       r->r8, r->r9, r->r10,
		       r->r11 < FLAGS_END ? r->r11 & ~FLAGS_LOW : r->r11, r->r12, r->r13, r->r14,
		       r->r15 },
	};
	fetch(m, v, r->rsp, to->raw + MEET_REGS);
	for (unsigned int i = 0; i < MEET_WORDS; i++)
		to->w[i] = common(m, v, to->raw[i]);
	return true;
}

static bool same(const struct meeting *m, const struct meet_view *a,
		 const struct meet_view *b, unsigned int i)
{
	return a->w[i] == b->w[i] ||
	       guarded(m, a->v, a->raw[i]) == guarded(m, b->v, b->raw[i]);
}

/* Neither a number nor an address that a loop goes by: on the first thread's stack,
 * a secret, or nothing. */
static bool may_differ(const struct meeting *m, uint64_t w)
{
	return !w || (w >> 48 && w >> 48 != 0xffff) ||
	       (w >= m->stack[0] - STACK_SLACK && w < m->stack[1] + STACK_SLACK);
}

/* What is above these bits is that of an address of this variant, or nothing. */
static bool address_above(const struct meeting *m, const struct meet_view *a,
			  unsigned int i, unsigned int low)
{
	uint64_t w = a->raw[i] >> low;

	for (unsigned int k = 0; w && k < m->n[a->v]; k++)
		if (m->r[a->v][k].start >> low == w)
			return true;
	return !w;
}

/* An address over whose lower bytes a number has been written. */
static bool overwritten(const struct meeting *m, const struct meet_view *a,
			const struct meet_view *b, unsigned int i)
{
	for (unsigned int low = 16; low <= 40; low += 8)
		if (!((a->raw[i] ^ b->raw[i]) & ((1ull << low) - 1)) &&
		    address_above(m, a, i, low) && address_above(m, b, i, low))
			return true;
	return false;
}

static bool has_changed(const struct meeting *m, unsigned int i)
{
	for (unsigned int c = 2 * i; c < 2 * i + 2; c++)
		if (m->ch[c].up + m->ch[c].down + m->ch[c].far_up +
		    m->ch[c].far_down)
			return true;
	return false;
}

/* One is an address, the other one is not: no two values of one variable. */
static bool of_two_kinds(const struct meeting *m, const struct meet_view *a,
			 const struct meet_view *b, unsigned int i)
{
	return !range_near(m, a->v, a->raw[i]) !=
	       !range_near(m, b->v, b->raw[i]);
}

/* Around this word of the stack there are such that never change: it is a part of
 * what calls long ago have left behind.  Not if it looks like a count. */
static bool among_rubbish(const struct meeting *m, const struct meet_view *a,
			  const struct meet_view *b, unsigned int i)
{
	uint64_t d = a->w[i] - b->w[i];
	unsigned int n = 0;

	if (d + COUNT_FEW <= 2 * COUNT_FEW)
		return false;
	for (unsigned int k = i < MEET_REGS + RUBBISH ? MEET_REGS : i - RUBBISH;
	     k <= i + RUBBISH && k < MEET_REGS + MEET_STACK; k++)
		n += k != i && !has_changed(m, k) && of_two_kinds(m, a, b, k);
	return n >= 2;
}

/*
 * A word of the stack that has never been seen to change is left from earlier: the
 * environment lies at another distance than the rest of the first stack, other secrets
 * are not known here, and padding is not written.
 */
static bool left_over(const struct meeting *m, const struct meet_view *va,
		      const struct meet_view *vb, unsigned int i)
{
	uint64_t a = va->w[i], b = vb->w[i];

	if (i >= MEET_REGS + MEET_STACK || has_changed(m, i))
		return false;
	if (may_differ(m, a) && may_differ(m, b))
		return true;
	return i >= MEET_REGS && (overwritten(m, va, vb, i) ||
				  among_rubbish(m, va, vb, i));
}

bool meet_alike(const struct meeting *m, const struct meet_view *a,
		const struct meet_view *b)
{
	if (a->ip != b->ip || a->sp != b->sp || a->flags != b->flags)
		return false;
	for (unsigned int i = 0; i < MEET_WORDS; i++)
		if (!same(m, a, b, i) && !left_over(m, a, b, i))
			return false;
	return true;
}

static int64_t difference(uint64_t a, uint64_t b)
{
	return (int32_t)((uint32_t)b - (uint32_t)a);
}

void meet_distance(const struct meeting *m, const struct meet_view *a,
		   const struct meet_view *b, int64_t d[MEET_CHANNELS])
{
	for (unsigned int i = 0; i < MEET_WORDS; i++) {
		int64_t e = same(m, a, b, i) ? 0 :
			(int64_t)(b->w[i] - a->w[i]);
		bool one = e >= INT32_MIN && e <= INT32_MAX;

		d[2 * i] = one ? e : difference(a->w[i], b->w[i]);
		d[2 * i + 1] = one ? 0 :
			difference(a->w[i] >> 32, b->w[i] >> 32);
	}
}
