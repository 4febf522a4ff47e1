// SPDX-License-Identifier: Apache-2.0
/*
 * Gathering the facts of a divergence from live tasks.
 *
 * Tasks of the set are stopped, or dead, or could not be stopped in time;
 * nothing here waits for them.  Memory is read with mem_read_some only, in
 * bounded amounts, and may be gone.
 */
#include "report.h"
#include "fast_report.h"
#include "launch.h"
#include "rows.h"
#include "text.h"
#include "trace.h"
#include "tracee.h"

#include <ipmon/abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

/* ---- who deviates ---- */

/* Longest span compared again to tell the followers apart. */
#define VOTE_MAX (16u << 20)

static bool spans_equal(struct task *a, uint64_t aa, struct task *b,
			uint64_t ba, uint64_t len)
{
	static unsigned char x[65536], y[65536];

	if (len > VOTE_MAX)
		len = VOTE_MAX;
	for (uint64_t done = 0; done < len;) {
		size_t k = len - done < sizeof(x) ? (size_t)(len - done) :
			sizeof(x);
		ssize_t m = mem_read_some(a, x, aa + done, k);
		ssize_t n = mem_read_some(b, y, ba + done, k);

		if (m != n)
			return m <= 0 && n <= 0;
		if (m <= 0)
			return true;
		if (memcmp(x, y, (size_t)m))
			return false;
		done += (uint64_t)m;
	}
	return true;
}

/* The item the detector spoke about, by what it copied from it; -1. */
static int find_item(const struct divergence *d)
{
	const struct items *a = &d->set->t[LEADER].items;
	const struct items *b = &d->set->t[d->variant].items;

	for (unsigned int i = 0; i < a->n && i < b->n; i++) {
		const struct ipmon_item *x = &a->v[i], *y = &b->v[i];

		if (x->arg != d->arg || x->addr != d->addr[0] ||
		    y->addr != d->addr[1] || x->len != d->len[0] ||
		    y->len != d->len[1])
			continue;
		if (d->kind == DIV_PAYLOAD ||
		    (x->value == d->value[0] && y->value == d->value[1]))
			return (int)i;
	}
	return -1;
}

/* Do variants v and w of the set agree in the sense of d? */
static bool agree(const struct divergence *d, int item, unsigned int v,
		  unsigned int w)
{
	struct task *a = &d->set->t[v], *b = &d->set->t[w];
	const struct proc *p = d->set->proc;
	const struct ipmon_item *x, *y;
	siginfo_t si, sj;

	switch (d->kind) {
	case DIV_CALL:
		return a->call.nr == b->call.nr && a->call.arch == b->call.arch;
	case DIV_ARGUMENT:
	case DIV_PAYLOAD:
		if (item < 0 || (unsigned int)item >= a->items.n ||
		    (unsigned int)item >= b->items.n)
			return a->items.n == b->items.n &&
				v != d->variant && w != d->variant;
		x = &a->items.v[item];
		y = &b->items.v[item];
		if (x->type != y->type || x->len != y->len)
			return false;
		if (x->type == IT_SCALAR)
			return x->value == y->value;
		if (x->type == IT_IN || x->type == IT_STR)
			return spans_equal(a, x->addr, b, y->addr, x->len);
		return !x->addr == !y->addr;
	case DIV_CRASH:
		if (!a->fault || !b->fault)
			return a->fault == b->fault;
		if (ptrace(PTRACE_GETSIGINFO, a->tid, 0, &si) < 0 ||
		    ptrace(PTRACE_GETSIGINFO, b->tid, 0, &sj) < 0)
			return false;
		return si.si_signo == sj.si_signo && si.si_code == sj.si_code;
	case DIV_EXIT:
		return (p->dead >> v & 1) == (p->dead >> w & 1) &&
			p->exit_status[v] == p->exit_status[w];
	case DIV_STALL:
		return (d->set->arrived >> v & 1) == (d->set->arrived >> w & 1);
	default:
		return v != d->variant && w != d->variant;
	}
}

unsigned int report_deviating(const struct divergence *d, bool *leader_alone)
{
	unsigned int deviating = 0, followers = 0;
	bool united = true;
	int item;

	*leader_alone = false;
	if (d->variant == LEADER)
		return 0;
	if (d->in_ring) {
		*leader_alone = d->leader_alone;
		return d->deviating;
	}
	if (!d->set)
		return 1u << d->variant;
	item = find_item(d);
	for_each_follower(v) {
		followers++;
		if (v == d->variant || !agree(d, item, LEADER, v))
			deviating |= 1u << v;
		if (v != d->variant && !agree(d, item, v, d->variant))
			united = false;
	}
	*leader_alone = united && followers >= 2 &&
		deviating == (mon.live & ~(1u << LEADER));
	/* a leader that has not arrived is late whatever the others do */
	if (d->kind == DIV_STALL && !(d->set->arrived & 1u << LEADER))
		return 0;
	return deviating;
}

/* ---- calls ---- */

static ssize_t read_task(void *ctx, void *dst, uint64_t src, size_t n)
{
	return mem_read_some(ctx, dst, src, n);
}

static ssize_t read_nothing(void *ctx, void *dst, uint64_t src, size_t n)
{
	return -1;
}

static void gather_call(struct report_variant *rv, struct task *t,
			const struct call *c)
{
	struct format f = {
		.row = call_row(c->nr), .nr = c->nr,
		.args = c->args, .strmax = 64, .read = read_task, .ctx = t,
	};
	struct text x;
	char name[32];

	rv->has_call = true;
	rv->nr = c->nr;
	memcpy(rv->raw, c->args, sizeof(rv->raw));
	snprintf(rv->call_name, sizeof(rv->call_name), "%s",
		 f.row->name[0] ? f.row->name : ipmon_name(c->nr, name));
	rv->nargs = format_nargs(&f);
	for (unsigned int i = 0; i < rv->nargs; i++) {
		text_init(&x, rv->arg[i], sizeof(rv->arg[i]));
		format_arg(&x, &f, i);
	}
}

/* The leader's call as it lies in the ring.  What has been consumed of it was
 * equal to the follower's. */
static void gather_ring_call(struct report *r, struct report_variant *rv,
			     const struct ring_call *c)
{
	struct format f = { .row = call_row(c->nr), .nr = c->nr, .args = c->arg };
	const struct report_variant *other = &r->v[r->variant];
	struct text x;
	char name[32];

	rv->has_call = true;
	rv->nr = c->nr;
	memcpy(rv->raw, c->arg, sizeof(rv->raw));
	snprintf(rv->call_name, sizeof(rv->call_name), "%s",
		 f.row->name[0] ? f.row->name : ipmon_name(c->nr, name));
	rv->nargs = format_nargs(&f);
	for (unsigned int i = 0; i < rv->nargs; i++) {
		text_init(&x, rv->arg[i], sizeof(rv->arg[i]));
		if (c->continued && other->has_call && other->nr == c->nr &&
		    i < other->nargs && (int)i != r->arg)
			text_puts(&x, other->arg[i]);
		else if (c->continued && (int)i == r->arg)
			text_puts(&x, "(see below)");
		else
			ring_call_arg(&x, c, i);
	}
}

static void gather_inproc(struct report *r, const struct fast_view *w)
{
	r->inproc = true;
	r->ahead = w->ahead;
	r->visible = w->visible;
	for (unsigned int i = 0; i < w->n_lines && i < REPORT_INPROC; i++) {
		struct report_inproc *o = &r->ring[r->n_ring++];

		o->when = w->line[i].when;
		o->visible = w->line[i].visible;
		memcpy(o->text, w->line[i].text, sizeof(o->text));
	}
}

static void gather_recent(struct report *r, const struct taskset *s)
{
	unsigned int have = s->recent_pos < RECENT_MAX ? s->recent_pos :
		RECENT_MAX;

	for (unsigned int i = 0; i < have; i++) {
		const struct recent *e =
			&s->recent[(s->recent_pos - have + i) % RECENT_MAX];
		struct report_recent *o = &r->recent[r->n_recent++];
		struct format f = {
			.row = call_row(e->nr), .nr = e->nr, .args = e->args,
			.ret = e->ret, .done = true, .strmax = 0,
			.read = read_nothing,
		};
		struct text x;

		o->seq = e->seq;
		text_init(&x, o->text, sizeof(o->text));
		if (e->signal > 0) {
			text_puts(&x, "--- ");
			format_signal(&x, e->signal);
			text_puts(&x, " ---");
			continue;
		}
		format_call(&x, &f);
		text_putc(&x, ' ');
		format_ret(&x, &f);
	}
}

/* ---- mappings ---- */

static void want_map(struct report_variant *rv, uint64_t addr, const char *what)
{
	struct report_map *m;

	if (rv->n_maps == REPORT_MAPS)
		return;
	m = &rv->map[rv->n_maps++];
	memset(m, 0, sizeof(*m));
	m->addr = addr;
	snprintf(m->what, sizeof(m->what), "%s", what);
}

static int match_map(void *ctx, const struct map_entry *e)
{
	struct report_variant *rv = ctx;

	for (unsigned int i = 0; i < rv->n_maps; i++) {
		struct report_map *m = &rv->map[i];

		if (m->mapped || m->addr < e->start || m->addr >= e->end)
			continue;
		m->mapped = true;
		m->start = e->start;
		m->end = e->end;
		m->offset = e->offset;
		memcpy(m->perms, e->perms, sizeof(m->perms));
		text_sanitize(m->path, sizeof(m->path), e->path);
	}
	return 0;
}

struct probe {
	uint64_t addr;
	bool mapped;
};

static int match_probe(void *ctx, const struct map_entry *e)
{
	struct probe *p = ctx;

	p->mapped = p->addr >= e->start && p->addr < e->end;
	return p->mapped;
}

static bool is_mapped(pid_t tid, uint64_t addr)
{
	struct probe p = { .addr = addr };

	if (tid > 0 && addr >= 4096)
		maps_each(tid, match_probe, &p);
	return p.mapped;
}

static void want_arguments(struct report_variant *rv)
{
	const struct ipmon_row *row = call_row(rv->nr);

	for (unsigned int i = 0; rv->has_call && i < rv->nargs; i++) {
		char what[32];

		if (!format_is_pointer(row->arg[i].kind) || !rv->raw[i])
			continue;
		snprintf(what, sizeof(what), "argument %u", i + 1);
		want_map(rv, rv->raw[i], what);
	}
}

/* ---- addresses that became data ---- */

static bool digit_of(unsigned char c, int base)
{
	return (c >= '0' && c <= '9') ||
		(base == 16 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
}

/* The number written around position `at`. */
static uint64_t number_text(const unsigned char *p, uint32_t len, uint64_t at,
			    int base)
{
	uint64_t from = at, to = at;
	char digits[24];
	size_t n;

	while (from > 0 && digit_of(p[from - 1], base))
		from--;
	while (to < len && digit_of(p[to], base))
		to++;
	n = (size_t)(to - from);
	if (n < 4 || n > (base == 16 ? 16 : 19))
		return 0;
	memcpy(digits, p + from, n);
	digits[n] = '\0';
	return strtoull(digits, NULL, base);
}

static void found_pointer(struct report *r, const char *how, uint64_t a,
			  uint64_t b)
{
	char what[64];

	snprintf(r->pointer, sizeof(r->pointer), "%s", how);
	snprintf(what, sizeof(what), "the differing value");
	want_map(&r->v[LEADER], a, what);
	want_map(&r->v[r->variant], b, what);
}

/*
 * Addresses are printed in hexadecimal, in decimal (Python's id()), and without the
 * bits that are always zero (its hash()).  What such bits would make an address of by
 * chance is not taken for one: its lower half is the same in both variants.
 */
static bool find_in_text(struct report *r, uint64_t at)
{
	static const int bases[] = { 16, 10 };
	struct report_variant *a = &r->v[LEADER], *b = &r->v[r->variant];

	for (unsigned int i = 0; i < 2; i++) {
		uint64_t x = number_text(a->window, a->window_len, at, bases[i]);
		uint64_t y = number_text(b->window, b->window_len, at, bases[i]);

		/* one before the difference is equal in both */
		for (unsigned int k = 0; x && y && x != y && k <= 12; k++) {
			uint64_t u = x << k, w = y << k;

			if (u >> k != x || w >> k != y ||
			    (k && (uint32_t)u != (uint32_t)w) ||
			    !is_mapped(a->tid, u) || !is_mapped(b->tid, w))
				continue;
			found_pointer(r, k ? "shifted text" : bases[i] == 10 ?
				      "decimal text" : "text", u, w);
			return true;
		}
	}
	return false;
}

static void find_pointers(struct report *r, const struct divergence *d)
{
	struct report_variant *a = &r->v[LEADER], *b = &r->v[r->variant];
	uint64_t at = r->offset - r->window_at;

	if (r->kind == DIV_ARGUMENT) {
		if (is_mapped(a->tid, r->value[0]) &&
		    is_mapped(b->tid, r->value[1]))
			found_pointer(r, "argument", r->value[0], r->value[1]);
		return;
	}
	if (r->kind != DIV_PAYLOAD || at >= a->window_len ||
	    at >= b->window_len)
		return;
	if (find_in_text(r, at))
		return;
	for (uint64_t back = 0; back < 8 && back <= at; back++) {
		uint64_t x, y;

		if (at - back + 8 > a->window_len ||
		    at - back + 8 > b->window_len)
			continue;
		memcpy(&x, a->window + at - back, sizeof(x));
		memcpy(&y, b->window + at - back, sizeof(y));
		if (x != y && is_mapped(a->tid, x) && is_mapped(b->tid, y)) {
			found_pointer(r, "binary", x, y);
			return;
		}
	}
}

static void gather_window(struct report *r, const struct divergence *d)
{
	unsigned int who[2] = { LEADER, r->variant };

	r->window_at = r->offset > 64 ? (r->offset - 64) & ~15ull : 0;
	r->from_ring = d->in_ring;
	if (d->bytes)
		r->window_at = d->bytes_at;
	for (unsigned int i = 0; i < 2; i++) {
		struct report_variant *rv = &r->v[who[i]];
		uint64_t want;
		ssize_t n;

		rv->span_addr = d->addr[i];
		rv->span_len = d->len[i];
		if (rv->span_len <= r->window_at)
			continue;
		if (i == 0 && d->in_ring) {
			rv->window_len = d->n_bytes < REPORT_WINDOW ?
				d->n_bytes : REPORT_WINDOW;
			if (d->bytes)
				memcpy(rv->window, d->bytes, rv->window_len);
			else
				rv->window_len = 0;
			continue;
		}
		want = rv->span_len - r->window_at;
		if (want > REPORT_WINDOW)
			want = REPORT_WINDOW;
		n = mem_read_some(&d->set->t[who[i]], rv->window,
				  rv->span_addr + r->window_at, (size_t)want);
		rv->window_len = n > 0 ? (uint32_t)n : 0;
	}
}

/* ---- one variant ---- */

static void read_comm(pid_t tid, char *dst, size_t cap)
{
	char name[64], raw[64] = "";
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/comm", (int)tid);
	f = fopen(name, "re");
	if (f) {
		if (fgets(raw, sizeof(raw), f))
			raw[strcspn(raw, "\n")] = '\0';
		fclose(f);
	}
	text_sanitize(dst, cap, raw);
}

static void describe_state(struct report_variant *rv, struct task *t)
{
	const struct user_regs_struct *u;
	struct text x;
	siginfo_t si;
	char name[32];

	text_init(&x, rv->state, sizeof(rv->state));
	switch (t->at) {
	case AT_RUN:
		text_puts(&x, "running, could not be stopped in time");
		break;
	case AT_ENTRY:
		text_puts(&x, t->padded ? "its call has been executed" :
			  "at its call, not executed");
		break;
	case AT_EXIT:
		u = task_regs(t);
		/* the kernel's own restart codes, -512 to -516 */
		if (u && (int64_t)u->rax <= -512 && (int64_t)u->rax >= -516)
			text_puts(&x, "interrupted inside its call");
		else
			text_puts(&x, "its call has been executed");
		break;
	case AT_SIGNAL:
		text_puts(&x, "stopped by ");
		format_signal(&x, WSTOPSIG(t->status));
		if (!ptrace(PTRACE_GETSIGINFO, t->tid, 0, &si) &&
		    si.si_code > 0 &&
		    (si.si_signo == SIGSEGV || si.si_signo == SIGBUS))
			text_printf(&x, " at address 0x%lx",
				    (unsigned long)si.si_addr);
		break;
	case AT_STOP:
		u = task_regs(t);
		if (u && (int64_t)u->orig_rax >= 0) {
			text_puts(&x, "interrupted inside ");
			text_puts(&x, ipmon_name(u->orig_rax, name));
		} else {
			text_puts(&x, "interrupted while computing");
		}
		break;
	case AT_GROUP:
		text_puts(&x, "stopped by job control");
		break;
	case AT_EVENT:
		text_puts(&x, "inside its call");
		break;
	case AT_DEAD:
		if (t->status && !WIFSTOPPED(t->status)) {
			format_status(&x, t->status);
		} else {
			text_puts(&x, "dead");
		}
		break;
	}
}

static void gather_variant(struct report *r, const struct divergence *d,
			   unsigned int v)
{
	struct report_variant *rv = &r->v[v];
	struct task *t = &d->set->t[v];
	const struct user_regs_struct *u = NULL;
	const struct fast_view *w = d->view;

	rv->present = true;
	rv->pid = d->set->proc->pid[v];
	rv->tid = t->tid ? t->tid : t->was_tid;
	rv->deviates = r->deviating >> v & 1;
	read_comm(t->tid, rv->comm, sizeof(rv->comm));
	describe_state(rv, t);
	if (w && w->v[v].state[0])
		snprintf(rv->state, sizeof(rv->state), "%s", w->v[v].state);
	if (t->at != AT_DEAD && t->at != AT_RUN)
		u = task_regs(t);
	if (u) {
		rv->ip = u->rip;
		rv->sp = u->rsp;
	}
	if (w && w->v[v].inside) {
		rv->ip = w->v[v].ip;
		rv->sp = w->v[v].sp;
	}
	if (w && v == LEADER && w->has_here)
		gather_ring_call(r, rv, &w->here);
	else if (w && w->v[v].has_call)
		gather_call(rv, t, &w->v[v].call);
	else if (t->at == AT_ENTRY || t->at == AT_EXIT || t->at == AT_EVENT)
		gather_call(rv, t, &t->call);
	rv->n_frames = backtrace_task(t, rv->frame, REPORT_FRAMES);
	if (rv->ip)
		want_map(rv, rv->ip, "instruction pointer");
	want_arguments(rv);
}

static void gather_faults(struct report *r, const struct divergence *d)
{
	unsigned int who[2] = { LEADER, r->variant };

	for (unsigned int i = 0; i < 2; i++) {
		struct report_variant *me = &r->v[who[i]];
		struct report_variant *other = &r->v[who[!i]];

		if (!d->sig[i])
			continue;
		want_map(me, d->fault_addr[i], "fault address");
		if (!is_mapped(me->tid, d->fault_addr[i]) &&
		    is_mapped(other->tid, d->fault_addr[i])) {
			r->fault_is_foreign = true;
			want_map(other, d->fault_addr[i],
				 "the other's fault address");
		}
	}
}

/* Are variants different on purpose? */
static bool configured(void)
{
	for (unsigned int v = 0; v < mon.n; v++)
		if (mon.opt.variant_path[v] || mon.opt.preload[v])
			return true;
	return mon.opt.n_env > 0;
}

void report_gather(struct report *r, const struct divergence *d,
		   unsigned int deviating, bool leader_alone)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	memset(r, 0, sizeof(*r));
	r->kind = d->kind;
	text_sanitize(r->note, sizeof(r->note), d->note);
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(r->time, sizeof(r->time), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(r->time + n, sizeof(r->time) - n, ".%03ldZ",
		 ts.tv_nsec / 1000000);
	text_sanitize(r->program, sizeof(r->program),
		      mon.opt.argv && mon.opt.argv[0] ? mon.opt.argv[0] : "");
	r->policy = mon.opt.policy == POLICY_VERIFIED ? "verified" :
		mon.opt.policy == POLICY_RELAXED ? "relaxed" : "strict";
	r->layout = layout_name(mon.opt.layout);
	r->configured = configured();
	r->n = mon.n;
	r->variant = d->variant && d->variant < MAX_VARIANTS ? d->variant : 1;
	r->deviating = deviating;
	r->leader_alone = leader_alone;
	r->arg = d->arg;
	if (d->label)
		snprintf(r->label, sizeof(r->label), "%s", d->label);
	memcpy(r->value, d->value, sizeof(r->value));
	memcpy(r->len, d->len, sizeof(r->len));
	r->offset = d->offset;
	memcpy(r->sig, d->sig, sizeof(r->sig));
	memcpy(r->fault_addr, d->fault_addr, sizeof(r->fault_addr));
	memcpy(r->status, d->status, sizeof(r->status));
	memcpy(r->ret, d->ret, sizeof(r->ret));
	if (!d->set)
		return;

	r->vtid = d->set->vtid;
	r->rank = d->set->id;
	r->vpid = d->set->proc->vpid;
	gather_recent(r, d->set);
	if (d->view)
		gather_inproc(r, d->view);
	/* the leader last: a record of it may refer to what the other asked */
	for (unsigned int v = mon.n; v-- > 0;)
		if (variant_live(v) || v == d->variant)
			gather_variant(r, d, v);
	if (d->kind == DIV_RESULT && d->view && d->view->has_here &&
	    d->view->here.done)
		r->ret[0] = d->view->here.ret;
	/* the call: the leader's, or that of whoever has one */
	for (unsigned int v = 0; v < mon.n && !r->syscall[0]; v++)
		if (r->v[v].has_call) {
			r->nr = r->v[v].nr;
			memcpy(r->syscall, r->v[v].call_name,
			       sizeof(r->syscall));
		}
	if (d->kind == DIV_PAYLOAD)
		gather_window(r, d);
	if (d->kind == DIV_CRASH)
		gather_faults(r, d);
	find_pointers(r, d);
	for (unsigned int v = 0; v < mon.n; v++)
		if (r->v[v].present && r->v[v].n_maps && d->set->t[v].tid)
			maps_each(d->set->t[v].tid, match_map, &r->v[v]);
}
