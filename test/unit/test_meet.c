// SPDX-License-Identifier: Apache-2.0
/*
 * Bringing variants to the same instant (meet.c), and finding what to look at
 * (meet_wide.c), on a computation that is a function of how far each variant has got:
 * time, runs that are never as long as asked for, and memory are made up here.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "lap.h"
#include "meet.h"
#include "meet_int.h"
#include "signals.h"
#include "tracee.h"

#define VISIT_NS	100u	/* one takes so long */
#define STARTS		1000000u
#define WORDS		6u

struct monitor mon;

/* ---- the computation ---- */

static uint64_t at[MAX_VARIANTS];	/* the visit each is at */
static uint64_t now, most;		/* ns; when it is late */
static unsigned int n_visits, n_runs, n_starts, n_ends;
static uint64_t leaves_at;		/* where somebody makes a call, 0: nowhere */
static bool no_steps, frames, calls_nothing;
static uint32_t seed;
/* The words of the state at that visit. */
static void (*state)(unsigned int v, uint64_t i, uint64_t *w);
/* Memory, as a function of the same; NULL: there is none. */
static void (*memory)(uint64_t i);

static uint32_t number(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static int move(struct meeting *m, unsigned int v, uint64_t visits,
		struct meet_view *to)
{
	uint64_t before = at[v];

	at[v] += visits;
	now += visits * VISIT_NS;
	if (leaves_at && before < leaves_at && at[v] >= leaves_at)
		return -EAGAIN;
	if (memory)
		memory(at[v]);
	if (meet_late(m))
		return -ETIME;
	return meet_look(m, v, to) ? 0 : -EAGAIN;
}

uint64_t now_ns(void)
{
	return now;
}

bool meet_late(const struct meeting *m)
{
	return now >= most;
}

bool meet_look(struct meeting *m, unsigned int v, struct meet_view *to)
{
	memset(to, 0, sizeof(*to));
	to->v = v;
	to->ip = to->sp = 4096;
	state(v, at[v], to->w);
	memcpy(to->raw, to->w, sizeof(to->raw));
	return true;
}

bool meet_alike(const struct meeting *m, const struct meet_view *a,
		const struct meet_view *b)
{
	return !memcmp(a->w, b->w, sizeof(a->w));
}

void meet_distance(const struct meeting *m, const struct meet_view *a,
		   const struct meet_view *b, int64_t d[MEET_CHANNELS])
{
	memset(d, 0, MEET_CHANNELS * sizeof(*d));
	for (unsigned int i = 0; i < MEET_WORDS; i++)
		d[2 * i] = (int64_t)(b->w[i] - a->w[i]);
}

int meet_visit(struct meeting *m, unsigned int v, struct meet_view *to)
{
	n_visits++;
	return move(m, v, 1, to);
}

/* Up to a fifth longer, or a tenth shorter. */
int meet_run(struct meeting *m, unsigned int v, uint64_t ns, uint64_t *used,
	     struct meet_view *to)
{
	uint64_t visits = ns * (90 + number(30)) / 100 / VISIT_NS + 1;

	n_runs++;
	*used = visits * VISIT_NS;
	return move(m, v, visits, to);
}

int meet_ahead(struct meeting *m, unsigned int v, uint64_t ns)
{
	struct meet_view view;
	uint64_t used;

	return meet_run(m, v, ns, &used, &view);
}

void meet_move_start(struct meeting *m)
{
	n_starts++;
	m->start = now;
}

void meet_move_end(struct meeting *m)
{
	n_ends++;
}

int meet_view_start(struct meeting *m)
{
	return 0;
}

void meet_view_end(struct meeting *m)
{
}

void meet_same_frame(struct meeting *m, unsigned int v)
{
}

int meet_find_place(struct meeting *m, bool far)
{
	m->place = 4096;
	return calls_nothing && !far ? 0 : -ENOENT;
}

void ticker_want(bool fine)
{
}

bool signal_may_step(const struct task *t)
{
	return !no_steps;
}

/* ---- the stack and memory of meet_wide.c ---- */

#define PAGE 4096u
#define STACK_AT 0x7f0000000000ull
#define CODE_AT 0x400000ull

static uint64_t stack[64];
static unsigned char code[256];
static uint64_t data[4 * PAGE / 8] __attribute__((aligned(PAGE)));
/* The functions that return, in turn, to there, with the stack so many words up. */
static struct {
	unsigned int to, sp;
} returns[16];
static unsigned int n_returns, next_return, n_points, most_points;
static uint64_t points[8];

struct user_regs_struct *task_regs(struct task *t)
{
	return &t->regs;
}

ssize_t mem_read_some(struct task *t, void *dst, uint64_t src, size_t n)
{
	const struct {
		uint64_t start;
		const void *p;
		size_t n;
	} part[] = {
		{ STACK_AT, stack, sizeof(stack) }, { CODE_AT, code, sizeof(code) },
		{ (uintptr_t)data, data, sizeof(data) },
	};

	for (unsigned int i = 0; i < 3; i++) {
		if (src < part[i].start || src - part[i].start > part[i].n)
			continue;
		if (n > part[i].n - (src - part[i].start))
			n = part[i].n - (src - part[i].start);
		memcpy(dst, (const char *)part[i].p + (src - part[i].start), n);
		return (ssize_t)n;
	}
	return -EFAULT;
}

int mem_read(struct task *t, void *dst, uint64_t src, size_t n)
{
	return mem_read_some(t, dst, src, n) == (ssize_t)n ? 0 : -EFAULT;
}

bool lap_leaves(struct task *t, uint64_t ip)
{
	return false;
}

int meet_stack_left(const struct meeting *m, uint64_t sp, size_t *len)
{
	*len = sizeof(stack) - (sp - STACK_AT);
	return frames ? 0 : -1;
}

bool meet_is_code(const struct meeting *m, uint64_t addr)
{
	return addr >= CODE_AT && addr < CODE_AT + sizeof(code);
}

uint64_t meet_there(const struct meeting *m, unsigned int v, uint64_t addr)
{
	/* the followers have no third page */
	return v && addr / PAGE == (uintptr_t)data / PAGE + 2 ? 0 : addr + v * 65536;
}

int meet_points(struct meeting *m, const uint64_t *p, unsigned int n)
{
	cr_assert(n <= 4);
	for (unsigned int i = 0; i < n; i++)
		points[i] = p[i];
	n_points = n;
	if (n > most_points)
		most_points = n;
	return 0;
}

int meet_on(struct meeting *m, unsigned int v, uint64_t ns)
{
	for (unsigned int k = 0; k < n_returns; k++) {
		unsigned int i = next_return++ % n_returns;

		for (unsigned int j = 0; j < n_points; j++)
			if (points[j] == CODE_AT + returns[i].to) {
				m->s->t[v].regs.rip = points[j];
				m->s->t[v].regs.rsp = STACK_AT + 8 * returns[i].sp;
				return 0;
			}
	}
	return -ETIME;
}

/* ---- meeting ---- */

static struct taskset set;

static void prepare(unsigned int n, void (*s)(unsigned int, uint64_t, uint64_t *))
{
	memset(&set, 0, sizeof(set));
	mon.n = n;
	mon.live = (1u << n) - 1;
	state = s;
	calls_nothing = true;
	most = now + 2000000000;
	for (unsigned int v = 0; v < n; v++)
		at[v] = STARTS;
}

static bool together(void)
{
	for_each_follower(v)
		if (at[v] != at[LEADER])
			return false;
	return true;
}

static void one_counter(unsigned int v, uint64_t i, uint64_t *w)
{
	w[0] = 77;
	w[1] = i;
}

static void downwards(unsigned int v, uint64_t i, uint64_t *w)
{
	w[2] = 5000000000 - 3 * i;
}

/* The inner loop's goes up and down, and is what changes from visit to visit. */
static void nested(unsigned int v, uint64_t i, uint64_t *w)
{
	w[0] = i % 500;
	w[1] = i / 500;
	w[3] = 500 - i % 500;
}

static void still(unsigned int v, uint64_t i, uint64_t *w)
{
	w[0] = 1;
}

static void noise(unsigned int v, uint64_t i, uint64_t *w)
{
	w[0] = i & 1;
	w[1] = ~(i & 1);
}

static void never_alike(unsigned int v, uint64_t i, uint64_t *w)
{
	w[0] = i;
	w[1] = v;
}

Test(meet, all_come_to_one_instant)
{
	void (*const what[])(unsigned int, uint64_t, uint64_t *) = {
		one_counter, downwards, nested,
	};
	/* how far each is behind the one in front */
	static const uint32_t lag[][3] = {
		{ 0, 0, 0 }, { 0, 1, 0 }, { 1, 0, 0 }, { 0, 0, 7 }, { 350, 20, 0 },
		{ 0, 90000, 3 }, { 2000000, 0, 2000000 }, { 0, 700000, 123456 },
	};

	for (unsigned int k = 0; k < 3; k++)
		for (unsigned int n = 2; n <= 3; n++)
			for (size_t i = 0; i < sizeof(lag) / sizeof(lag[0]); i++) {
				prepare(n, what[k]);
				for (unsigned int v = 0; v < n; v++)
					at[v] += 2000000 - lag[i][v];
				cr_expect_eq(meet_set(&set), 0, "%u %u %zu", k, n, i);
				cr_expect(together(), "%u %u %zu", k, n, i);
				cr_expect_eq(set.meet_ns, set.t_met - (now - set.meet_ns));
			}
	cr_expect_eq(n_starts, n_ends);
}

/* Visits cost a stop each: the way is run. */
Test(meet, from_afar_it_runs)
{
	prepare(2, one_counter);
	at[1] -= 900000;
	n_visits = n_runs = 0;
	cr_expect_eq(meet_set(&set), 0);
	cr_expect(together());
	cr_expect(n_visits < 1000, "%u visits", n_visits);
	cr_expect(n_runs < 60, "%u runs", n_runs);
}

/* One that is dead is not waited for. */
Test(meet, without_the_dead)
{
	prepare(3, one_counter);
	mon.live = 5;
	at[1] -= 100000;
	at[2] -= 500;
	cr_expect_eq(meet_set(&set), 0);
	cr_expect_eq(at[2], at[LEADER]);
	cr_expect_eq(at[1], STARTS - 100000);
}

Test(meet, nothing_to_go_by)
{
	prepare(2, still);
	cr_expect_eq(meet_set(&set), -ENOENT);
	prepare(2, noise);
	cr_expect_eq(meet_set(&set), -ENOENT);
	prepare(2, one_counter);
	calls_nothing = false;
	cr_expect_eq(meet_set(&set), -ENOENT);
	cr_expect(set.meet_flat);
	cr_expect_eq(n_starts, n_ends);
}

Test(meet, an_end_to_it)
{
	prepare(2, never_alike);
	cr_expect_eq(meet_set(&set), -ETIME);
	prepare(2, one_counter);
	at[1] -= 100000;
	most = now + 1000000;
	cr_expect_eq(meet_set(&set), -ETIME);
	cr_expect_eq(n_starts, n_ends);
}

Test(meet, somebody_leaves)
{
	for (unsigned int k = 1; k < 200000; k += 17000) {
		prepare(2, one_counter);
		at[1] -= 150000;
		leaves_at = at[1] + k;
		cr_expect_eq(meet_set(&set), -EAGAIN, "%u", k);
	}
	cr_expect_eq(n_starts, n_ends);
}

Test(meet, nobody_is_stepped_who_sees_it)
{
	prepare(2, one_counter);
	at[1] -= 100;
	no_steps = true;
	cr_expect_eq(meet_set(&set), -ENOENT);
	cr_expect_eq(at[1], STARTS - 100);
	cr_expect_eq(n_starts, 0);
}

/* ---- the place ---- */

static void on_stack(unsigned int word, unsigned int to)
{
	stack[word] = CODE_AT + to;
	code[to - 5] = 0xe8;
}

static void prepare_frames(struct meeting *m)
{
	prepare(2, one_counter);
	memset(m, 0, sizeof(*m));
	m->s = &set;
	frames = true;
	set.t[LEADER].regs.rsp = STACK_AT;
	on_stack(3, 40);
	on_stack(9, 80);
	on_stack(20, 120);
	/* something that points into code, but behind no call */
	stack[5] = CODE_AT + 60;
	n_returns = 0;
}

static void returns_to(unsigned int to, unsigned int sp)
{
	returns[n_returns].to = to;
	returns[n_returns++].sp = sp;
}

Test(meet_wide, the_outermost_that_is_returned_to)
{
	struct meeting m;

	prepare_frames(&m);
	returns_to(40, 4);
	returns_to(40, 4);
	returns_to(80, 10);
	cr_expect_eq(meet_find_frame(&m), 0);
	cr_expect_eq(m.place, CODE_AT + 80);
	cr_expect_eq(n_points, 0);
	cr_expect_eq(most_points, 3);
}

Test(meet_wide, not_with_the_stack_elsewhere)
{
	struct meeting m;

	prepare_frames(&m);
	returns_to(40, 4);
	returns_to(80, 14);
	returns_to(60, 6);
	cr_expect_eq(meet_find_frame(&m), 0);
	cr_expect_eq(m.place, CODE_AT + 40);
}

Test(meet_wide, no_frame)
{
	struct meeting m;

	prepare_frames(&m);
	cr_expect_eq(meet_find_frame(&m), -ENOENT);
	cr_expect_eq(m.place, 0);
	/* behind no call */
	returns_to(60, 6);
	cr_expect_eq(meet_find_frame(&m), -ENOENT);
	/* on no stack */
	returns_to(80, 10);
	frames = false;
	cr_expect_eq(meet_find_frame(&m), -ENOENT);
	cr_expect_eq(n_points, 0);
}

/* ---- what changes ---- */

static void words(uint64_t i)
{
	data[3] = i;			/* up, down, in both directions */
	data[5] = ~i;
	data[7] = i & 1 ? i : ~i;
	data[PAGE / 8 + 1] = i / 100000;	/* now and then */
	data[2 * PAGE / 8] = i;			/* not to be found in followers */
}

static void many_words(uint64_t i)
{
	for (unsigned int k = 0; k < PAGE / 8; k++)
		data[k] = i * k;
}

static void prepare_memory(struct meeting *m, struct meet_range *r,
			   void (*what)(uint64_t))
{
	prepare(2, one_counter);
	memset(m, 0, sizeof(*m));
	m->s = &set;
	memory = what;
	*r = (struct meet_range){ .start = (uintptr_t)data, .kind = MEET_DATA,
				  .end = (uintptr_t)data + sizeof(data) };
	m->r[LEADER] = r;
	m->n[LEADER] = 1;
}

static unsigned int chosen(const struct meeting *m, const uint64_t *word)
{
	for (unsigned int i = 0; i < m->cells; i++)
		if (m->cell[LEADER][i] == (uintptr_t)word) {
			cr_expect_eq(m->cell[1][i], (uintptr_t)word + 65536);
			return i + 1;
		}
	return 0;
}

Test(meet_wide, words_that_change)
{
	struct meet_range r;
	struct meeting m;

	prepare_memory(&m, &r, words);
	cr_expect_eq(meet_find_cells(&m, 300000), 0);
	cr_expect(chosen(&m, &data[3]));
	cr_expect(chosen(&m, &data[5]));
	/* nothing goes by it: it comes behind those */
	cr_expect(!chosen(&m, &data[7]) || (chosen(&m, &data[7]) > chosen(&m, &data[3]) &&
					    chosen(&m, &data[7]) > chosen(&m, &data[5])));
	cr_expect(!chosen(&m, &data[2 * PAGE / 8]));
	cr_expect(!chosen(&m, &data[100]));
}

Test(meet_wide, no_more_than_there_is_room_for)
{
	struct meet_range r;
	struct meeting m;

	prepare_memory(&m, &r, many_words);
	cr_expect_eq(meet_find_cells(&m, 300000), 0);
	cr_expect_eq(m.cells, MEET_CELLS);
}

Test(meet_wide, memory_that_is_not_there)
{
	struct meet_range r;
	struct meeting m;

	prepare_memory(&m, &r, words);
	/* whole pages of something that is gone: left out */
	r.start = 0x1000;
	r.end = 0x100000;
	cr_expect_eq(meet_find_cells(&m, 300000), 0);
	cr_expect_eq(m.cells, 0);
	most = 0;
	cr_expect_eq(meet_find_cells(&m, 300000), -ETIME);
}
