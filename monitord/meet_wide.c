// SPDX-License-Identifier: Apache-2.0
/*
 * The place of a wide loop, and what such a loop changes.
 *
 * Theory of operation
 * -------------------
 * A loop that calls functions which loop themselves is too wide to be stepped
 * through, and the inner ones say nothing of how often it has come round.  But
 * whatever it calls returns to it: the addresses to return to are on the stack, the
 * innermost first, and those of the frames that will stay do not see anybody return.
 * So breakpoints are put on them, four at a time as there are registers, and the
 * outermost to which the leader is seen to return again and again, with its stack
 * where it was, is the place.
 *
 * Where it goes on from there, counters are in registers that calls preserve or near
 * the top of the stack, which is looked at in any case (meet_view.c).  Others, as those
 * of an interpreted program, are found by comparing what most of the program's writable
 * memory is now and a little later: in pages that have changed, the words that go in
 * one direction only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

#include "event.h"
#include "fast.h"
#include "lap.h"
#include "meet_int.h"
#include "tracee.h"

#define FRAMES_MAX	24u	/* addresses to return to, */
#define SCAN_WORDS	1024u	/* ... in so much of the stack */
#define LOOKS_MAX	128u	/* of what may be some */
#define CALL_MAX	7u	/* bytes of a call instruction */
#define WATCHED		4u	/* registers of the processor */
#define TIMES		2u	/* returned to so often: it is one */
#define RETURN_NS	2000000u /* for one of four of them */
#define STOPS_MAX	(WATCHED * TIMES + 1u)

#define LOOK_MAX	(8u << 20) /* bytes that are compared */
#define AREA_MAX	(2u << 20) /* ... of one mapping */
#define UPPER_STACK	(16u << 10)
#define AREAS_MAX	128u
#define PAGES_MAX	256u
#define NEAR_LOOKS	3u
#define FAR_LOOKS	8u
#define FEW		3u
#define WORD		sizeof(uint64_t)
#define PAGE		4096u
#define PAGE_WORDS	(PAGE / WORD)

/* ---- places ---- */

/* Where a function returns to, and its caller's stack then. */
struct frame {
	uint64_t ip, sp;
	unsigned int times;
	bool elsewhere;		/* returned to with the stack at another place */
};

/* Is there a call in front of it?  (Intel SDM, CALL: E8 rel32, FF /2.) */
static bool behind_call(const unsigned char *end)
{
	static const unsigned char len[] = { 2, 3, 4, 6, 7 };

	if (end[-5] == 0xe8)
		return true;
	for (unsigned int i = 0; i < sizeof(len); i++)
		if (end[-len[i]] == 0xff && (end[1 - len[i]] & 0x38) == 0x10)
			return true;
	return false;
}

static unsigned int frames(struct meeting *m, struct frame *f)
{
	struct task *t = &m->s->t[LEADER];
	const struct user_regs_struct *r = task_regs(t);
	uint64_t word[SCAN_WORDS] = { 0 };
	unsigned int n = 0, looked = 0;
	size_t len;

	if (!r || meet_stack_left(m, r->rsp, &len))
		return 0;
	if (len > sizeof(word))
		len = sizeof(word);
	mem_read_some(t, word, r->rsp, len);
	for (unsigned int i = 0; i < len / WORD && n < FRAMES_MAX; i++) {
		unsigned char code[CALL_MAX + 1];

		if (!meet_is_code(m, word[i] - CALL_MAX) ||
		    looked++ >= LOOKS_MAX ||
		    mem_read(t, code, word[i] - CALL_MAX, sizeof(code)) < 0 ||
		    !behind_call(code + CALL_MAX) ||
		    lap_leaves(t, word[i]))
			continue;
		f[n++] = (struct frame) {
			.ip = word[i], .sp = r->rsp + (i + 1) * WORD,
		};
	}
	return n;
}

/* The leader has stopped: at one of these? */
static struct frame *returned(struct task *t, struct frame *f, unsigned int n)
{
	const struct user_regs_struct *r = task_regs(t);

	for (unsigned int i = 0; r && i < n; i++) {
		if (f[i].ip != r->rip)
			continue;
		f[i].elsewhere |= f[i].sp != r->rsp;
		f[i].times++;
		return &f[i];
	}
	return NULL;
}

/* Those that are to be watched yet: four of them at most. */
static int watch_some(struct meeting *m, const struct frame *f, unsigned int n)
{
	uint64_t at[WATCHED];
	unsigned int k = 0;

	for (unsigned int i = 0; i < n; i++)
		if (f[i].times < TIMES && !f[i].elsewhere)
			at[k++] = f[i].ip;
	return meet_points(m, at, k) ? -ENOENT : (int)k;
}

/* Run until all of them have been seen often enough, or time is over.  0, or an
 * error of meet_set()'s. */
static int watch_returns(struct meeting *m, struct frame *f, unsigned int n)
{
	struct task *t = &m->s->t[LEADER];
	int r = 0;

	for (unsigned int i = 0; i < STOPS_MAX; i++) {
		r = watch_some(m, f, n);
		if (r <= 0)
			break;
		r = meet_on(m, LEADER, RETURN_NS);
		if (r == -ETIME && !meet_late(m))
			return 0;
		if (r)
			return r;
		if (!returned(t, f, n))
			return -ENOENT;
	}
	return r < 0 ? r : 0;
}

int meet_find_frame(struct meeting *m)
{
	struct frame f[FRAMES_MAX];
	unsigned int n = frames(m, f), without = 0;
	const struct frame *best = NULL;
	int r = 0;

	m->place = m->cells = 0;
	for (unsigned int i = 0; i < n && !r; i += WATCHED) {
		unsigned int k = n - i < WATCHED ? n - i : WATCHED;
		bool any = false;

		r = watch_returns(m, f + i, k);
		for (unsigned int j = i; j < i + k; j++) {
			any |= f[j].times > 0;
			if (f[j].times >= TIMES && !f[j].elsewhere)
				best = &f[j];
		}
		/* who has not returned here does not return farther out, if these
		 * are such places */
		without = any ? 0 : without + 1;
		if (without == 2)
			break;
	}
	if (meet_points(m, NULL, 0) && !r)
		r = -ENOENT;
	if (r)
		return r;
	m->place = best ? best->ip : 0;
	return best ? 0 : -ENOENT;
}

/* ---- what changes ---- */

struct area {
	uint64_t start;
	size_t len;
};

struct change {
	signed char way;		/* +1, -1; 0: still; 2: both */
	unsigned char times;
};

/* A page of which something changes. */
struct page {
	uint64_t addr;
	uint64_t then[PAGE_WORDS], now[PAGE_WORDS];
	struct change change[PAGE_WORDS];
};

struct look {
	struct area area[AREAS_MAX];
	unsigned int n;
	size_t len;			/* of all */
	struct page *page;
	unsigned int pages;
};

/* Whole pages. */
static void add_area(struct look *l, uint64_t start, size_t len)
{
	size_t more = start & (PAGE - 1);

	start -= more;
	len = (len + more) & ~(size_t)(PAGE - 1);
	if (l->n < AREAS_MAX && len && len <= LOOK_MAX - l->len) {
		l->area[l->n++] = (struct area){ start, len };
		l->len += len;
	}
}

/* The upper stack; variables of the program and its libraries; other memory. */
static void choose_areas(struct meeting *m, struct look *l)
{
	const struct user_regs_struct *r = task_regs(&m->s->t[LEADER]);
	size_t left;

	if (r && !meet_stack_left(m, r->rsp, &left))
		add_area(l, r->rsp, left < UPPER_STACK ? left : UPPER_STACK);
	for (int kind = MEET_DATA; kind <= MEET_MEMORY; kind++)
		for (unsigned int i = 0; i < m->n[LEADER]; i++) {
			const struct meet_range *a = &m->r[LEADER][i];
			size_t len = a->end - a->start;

			if ((int)a->kind == kind)
				add_area(l, a->start, len < AREA_MAX ? len :
					 AREA_MAX);
		}
}

static void add_page(struct look *l, uint64_t addr, const uint64_t *now)
{
	struct page *p = &l->page[l->pages++];

	p->addr = addr;
	memcpy(p->then, now, PAGE);
}

/* Read all of it, let the leader run, read it again, and keep the pages that are not
 * what they were. */
static int find_pages(struct meeting *m, struct look *l, uint64_t ns)
{
	struct task *t = &m->s->t[LEADER];
	unsigned char *was = malloc(l->len + 1), *at = was;
	uint64_t now[PAGE_WORDS], used;
	struct meet_view view;
	int r = was ? 0 : -ENOMEM;

	for (unsigned int a = 0; a < l->n && !r; at += l->area[a++].len)
		if (mem_read_some(t, at, l->area[a].start, l->area[a].len) !=
		    (ssize_t)l->area[a].len)
			l->area[a].len = 0;
	if (!r)
		r = meet_run(m, LEADER, ns, &used, &view);
	at = was;
	for (unsigned int a = 0; a < l->n && !r; a++)
		for (size_t k = 0; k < l->area[a].len; k += PAGE, at += PAGE)
			if (l->pages < PAGES_MAX &&
			    mem_read_some(t, now, l->area[a].start + k, PAGE) ==
			    (ssize_t)PAGE && memcmp(now, at, PAGE) != 0)
				add_page(l, l->area[a].start + k, now);
	free(was);
	return r;
}

static void note_changes(struct meeting *m, struct look *l)
{
	for (unsigned int i = 0; i < l->pages; i++) {
		struct page *p = &l->page[i];

		mem_read_some(&m->s->t[LEADER], p->now, p->addr, PAGE);
		for (unsigned int k = 0; k < PAGE_WORDS; k++) {
			struct change *c = &p->change[k];
			int way = p->now[k] == p->then[k] ? 0 :
				(int64_t)(p->now[k] - p->then[k]) > 0 ? 1 : -1;

			if (way && c->way != way)
				c->way = c->way ? 2 : (signed char)way;
			c->times += way != 0;
		}
		memcpy(p->then, p->now, PAGE);
	}
}

static void choose_word(struct meeting *m, uint64_t addr)
{
	const struct user_regs_struct *r = task_regs(&m->s->t[LEADER]);

	for (unsigned int i = 0; i < m->cells; i++)
		if (m->cell[LEADER][i] == addr)
			return;
	/* the top of the stack is looked at in any case */
	if (m->cells == MEET_CELLS ||
	    (r && addr >= r->rsp - PAGE && addr < r->rsp + MEET_STACK * WORD))
		return;
	for_each_variant(v) {
		m->cell[v][m->cells] = meet_there(m, v, addr);
		if (!m->cell[v][m->cells])
			return;
	}
	m->cells++;
}

/* Those that have changed so often, in one direction or in both. */
static void choose_words(struct meeting *m, const struct look *l,
			 unsigned int times, bool both)
{
	for (unsigned int i = 0; i < l->pages && m->cells < MEET_CELLS; i++)
		for (unsigned int k = 0; k < PAGE_WORDS; k++) {
			const struct change *c = &l->page[i].change[k];

			if (c->times == times && (c->way == 2) == both)
				choose_word(m, l->page[i].addr + k * WORD);
		}
}

int meet_find_cells(struct meeting *m, uint64_t far_ns)
{
	struct look l = { 0 };
	struct meet_view view;
	uint64_t used;
	int r = meet_visit(m, LEADER, &view);

	l.page = r ? NULL : calloc(PAGES_MAX, sizeof(*l.page));
	if (!l.page)
		return r ? r : -ENOMEM;
	choose_areas(m, &l);
	r = find_pages(m, &l, far_ns);
	for (unsigned int i = 0; i < NEAR_LOOKS + FAR_LOOKS && !r && l.pages; i++) {
		r = i < NEAR_LOOKS ? meet_visit(m, LEADER, &view) :
			meet_run(m, LEADER, far_ns, &used, &view);
		if (!r)
			note_changes(m, &l);
	}
	for (unsigned int n = NEAR_LOOKS + FAR_LOOKS; n > 0 && !r; n--)
		choose_words(m, &l, n, false);
	/* nothing goes by them, but they must be alike */
	for (unsigned int i = 0; i < FEW && !r; i++)
		choose_words(m, &l, NEAR_LOOKS + FAR_LOOKS - i, true);
	free(l.page);
	return r;
}
