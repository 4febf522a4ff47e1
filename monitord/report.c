// SPDX-License-Identifier: Apache-2.0
/*
 * The divergence report as text for people.
 *
 * The first line alone says what happened.  Then, in the order in which a
 * person decides: what it may mean, the calls side by side, the differing
 * bytes, where each variant is, what is mapped there, what happened before.
 * Marks do not depend on colour: what differs has a "!" before it, differing
 * bytes are underlined with ^^.
 *
 * Lines are broken at the width of the terminal.  All text in a struct report
 * is printable ASCII, so that a byte is a column.
 */
#include "report.h"
#include "text.h"
#include "trace.h"

#include <stdio.h>
#include <string.h>

struct out {
	FILE *f;
	bool colour;
	unsigned int width;
};

static const char *bold(const struct out *o)
{
	return o->colour ? "\033[1m" : "";
}

static const char *red(const struct out *o)
{
	return o->colour ? "\033[1;31m" : "";
}

static const char *plain(const struct out *o)
{
	return o->colour ? "\033[0m" : "";
}

static void heading(const struct out *o, const char *s)
{
	fprintf(o->f, "\n  %s%s%s\n", bold(o), s, plain(o));
}

static const char *column(unsigned int v)
{
	static char name[24];

	if (v == LEADER)
		return "leader";
	snprintf(name, sizeof(name), "variant %u", v);
	return name;
}

/* How much of s fits into n columns, up to a blank if there is one. */
static size_t fit(const char *s, size_t len, size_t n)
{
	size_t cut;

	if (len <= n)
		return len;
	for (cut = n; cut && s[cut] != ' '; cut--)
		;
	/* words longer than half a line are broken */
	return cut > n / 2 ? cut : n;
}

/* `used` columns are taken already; further lines begin at `hang`. */
static void wrapped(const struct out *o, size_t used, size_t hang,
		    const char *s)
{
	size_t len = strlen(s);

	for (;;) {
		size_t n = fit(s, len, o->width > used + 10 ? o->width - used :
			       10);

		fprintf(o->f, "%.*s\n", (int)n, s);
		s += n;
		len -= n;
		while (len && *s == ' ') {
			s++;
			len--;
		}
		if (!len)
			return;
		fprintf(o->f, "%*s", (int)hang, "");
		used = hang;
	}
}

static void entry(const struct out *o, size_t indent, size_t hang,
		  const char *s)
{
	fprintf(o->f, "%*s", (int)indent, "");
	wrapped(o, indent, hang, s);
}

/* Each line of `s` by itself. */
static void paragraph(const struct out *o, const char *s)
{
	char line[2048];

	while (*s) {
		size_t n = strcspn(s, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)n, s);
		entry(o, 4, 4, line);
		s += n + (s[n] == '\n');
	}
}

/* ---- the calls, side by side ---- */

#define LABEL		16u	/* "  ! argument 1  " */
#define CELL_MIN	20u	/* columns that can be read */
#define GAP		2u

struct table {
	unsigned int col[MAX_VARIANTS];	/* variants shown */
	unsigned int n;
	unsigned int width;		/* of a cell */
};

/*
 * Does an argument differ in a way that counts?  Addresses differ by design:
 * of a pointer only what was shown of the memory there is compared.
 */
static bool arg_differs(const struct report *r, unsigned int v, unsigned int i)
{
	const struct report_variant *a = &r->v[LEADER], *b = &r->v[v];

	if (v == LEADER || !a->has_call || !b->has_call || a->nr != b->nr)
		return false;
	if (b->deviates && r->arg == (int)i)
		return true;
	if (i >= a->nargs || i >= b->nargs || !strcmp(a->arg[i], b->arg[i]))
		return false;
	return !format_is_pointer(ipmon_row(a->nr)->arg[i].kind) ||
		(strncmp(a->arg[i], "0x", 2) && a->arg[i][0] != '(' &&
		 strncmp(b->arg[i], "0x", 2));
}

static void row(const struct out *o, const struct table *t, const char *label,
		const char *const *cell, const bool *mark)
{
	const char *rest[MAX_VARIANTS];
	bool any = false, more = true;

	for (unsigned int i = 0; i < t->n; i++) {
		rest[i] = cell[i];
		any = any || mark[i];
	}
	for (bool first = true; more; first = false) {
		size_t pad = 0;		/* nothing at the end of a line */

		fprintf(o->f, "  %s%s%s %-11s ", any ? red(o) : "",
			any && first ? "!" : " ", any ? plain(o) : "",
			first ? label : "");
		more = false;
		for (unsigned int i = 0; i < t->n; i++) {
			size_t len = strlen(rest[i]);
			size_t n = fit(rest[i], len, t->width);

			if (n) {
				fprintf(o->f, "%*s%s%.*s%s", (int)pad, "",
					mark[i] ? red(o) : "", (int)n, rest[i],
					mark[i] ? plain(o) : "");
				pad = 0;
			}
			rest[i] += n;
			while (*rest[i] == ' ')
				rest[i]++;
			more = more || *rest[i];
			pad += t->width - n + GAP;
		}
		fputc('\n', o->f);
	}
}

static void print_table(const struct out *o, const struct report *r,
			const struct table *t)
{
	char head[MAX_VARIANTS][40], who[MAX_VARIANTS][128], label[24];
	const char *cell[MAX_VARIANTS];
	bool mark[MAX_VARIANTS] = { false };
	const struct report_variant *v;
	unsigned int nargs = 0, calls = 0;

	for (unsigned int i = 0; i < t->n; i++) {
		v = &r->v[t->col[i]];
		snprintf(head[i], sizeof(head[i]), "%s%s", column(t->col[i]),
			 v->deviates ? ", deviates" : "");
		cell[i] = head[i];
		calls += v->has_call;
		if (v->nargs > nargs)
			nargs = v->nargs;
	}
	fputs(bold(o), o->f);
	row(o, t, "", cell, mark);
	fputs(plain(o), o->f);
	for (unsigned int i = 0; i < t->n; i++) {
		v = &r->v[t->col[i]];
		cell[i] = v->has_call ? v->call_name : "-";
		mark[i] = i && v->has_call && r->v[LEADER].has_call &&
			v->nr != r->v[LEADER].nr;
	}
	if (calls)
		row(o, t, "call", cell, mark);
	for (unsigned int k = 0; calls && k < nargs; k++) {
		for (unsigned int i = 0; i < t->n; i++) {
			v = &r->v[t->col[i]];
			cell[i] = v->has_call && k < v->nargs ? v->arg[k] : "";
			mark[i] = arg_differs(r, t->col[i], k);
		}
		snprintf(label, sizeof(label), "argument %u", k + 1);
		row(o, t, label, cell, mark);
	}
	memset(mark, 0, sizeof(mark));
	for (unsigned int i = 0; i < t->n; i++)
		cell[i] = r->v[t->col[i]].state;
	row(o, t, "state", cell, mark);
	for (unsigned int i = 0; i < t->n; i++) {
		v = &r->v[t->col[i]];
		snprintf(who[i], sizeof(who[i]), "pid %d, tid %d%s%s", v->pid,
			 v->tid, v->comm[0] ? ", " : "", v->comm);
		cell[i] = who[i];
	}
	row(o, t, "process", cell, mark);
}

/* As many variants at a time as fit, the leader always. */
static void print_calls(const struct out *o, const struct report *r)
{
	unsigned int most = (o->width - LABEL + GAP) / (CELL_MIN + GAP);
	struct table t = { .n = 0 };
	unsigned int left = 0;

	heading(o, "side by side (! differs)");
	for (unsigned int v = 0; v < r->n && v < MAX_VARIANTS; v++)
		left += r->v[v].present;
	if (!r->v[LEADER].present)
		most = 1;
	for (unsigned int v = 0; v < r->n && v < MAX_VARIANTS; v++) {
		if (!r->v[v].present)
			continue;
		t.col[t.n++] = v;
		left--;
		if (t.n < most && left)
			continue;
		t.width = (o->width - LABEL - (t.n - 1) * GAP) / t.n;
		print_table(o, r, &t);
		if (!left)
			return;
		t.n = r->v[LEADER].present;
		fputc('\n', o->f);
	}
}

static void print_argument(const struct out *o, const struct report *r)
{
	char line[160];

	if (r->arg < 0)
		return;
	snprintf(line, sizeof(line), "argument %d%s%s%s", r->arg + 1,
		 r->label[0] ? " (" : "", r->label, r->label[0] ? ")" : "");
	fprintf(o->f, "\n%s", bold(o));
	entry(o, 2, 4, line);
	fputs(plain(o), o->f);
	if (r->kind != DIV_ARGUMENT)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		snprintf(line, sizeof(line), "%-10s %#lx (%ld)",
			 column(i ? r->variant : LEADER), r->value[i],
			 (long)r->value[i]);
		entry(o, 4, 15, line);
	}
	if (r->len[0] != r->len[1]) {
		snprintf(line, sizeof(line), "lengths: %lu and %lu bytes",
			 r->len[0], r->len[1]);
		entry(o, 4, 4, line);
	}
}

/* ---- hexdump ---- */

static bool differs(const struct report_variant *a,
		    const struct report_variant *b, uint32_t i)
{
	if (i >= a->window_len || i >= b->window_len)
		return i < a->window_len || i < b->window_len;
	return a->window[i] != b->window[i];
}

/* One row: `per` bytes from `from` on; `sign` says whose they are. */
static void dump_row(const struct out *o, const struct report_variant *me,
		     const struct report_variant *other, uint64_t at,
		     uint32_t from, uint32_t per, char sign)
{
	fprintf(o->f, "  %08lx %c ", at + from, sign);
	for (uint32_t i = from; i < from + per; i++) {
		if (i == from + 8)
			fputc(' ', o->f);
		if (i >= me->window_len)
			fputs("   ", o->f);
		else if (differs(me, other, i))
			fprintf(o->f, "%s%02x%s ", red(o), me->window[i],
				plain(o));
		else
			fprintf(o->f, "%02x ", me->window[i]);
	}
	fputc('|', o->f);
	for (uint32_t i = from; i < from + per && i < me->window_len; i++) {
		unsigned char c = me->window[i];
		bool mark = differs(me, other, i);

		fprintf(o->f, "%s%c%s", mark ? red(o) : "",
			c >= 0x20 && c < 0x7f ? c : '.', mark ? plain(o) : "");
	}
	fputs("|\n", o->f);
}

static void dump_marks(const struct out *o, const struct report_variant *a,
		       const struct report_variant *b, uint32_t from,
		       uint32_t per)
{
	char line[64];
	size_t n = 0;

	for (uint32_t i = from; i < from + per; i++) {
		bool mark = differs(a, b, i);

		if (i == from + 8)
			line[n++] = ' ';
		line[n++] = mark ? '^' : ' ';
		line[n++] = mark ? '^' : ' ';
		line[n++] = ' ';
	}
	while (n && line[n - 1] == ' ')
		n--;
	fprintf(o->f, "  %10s %.*s\n", "", (int)n, line);
}

static void print_payload(const struct out *o, const struct report *r)
{
	const struct report_variant *a = &r->v[LEADER], *b = &r->v[r->variant];
	uint32_t len = a->window_len > b->window_len ? a->window_len :
		b->window_len;
	/* offset, sign, hexadecimal in two halves, text: 80 columns for 16 */
	uint32_t per = o->width >= 80 &&
		r->window_at < UINT32_MAX - REPORT_WINDOW ? 16 : 8;
	unsigned int quiet = 0;
	char where[64], line[256];

	if (r->kind != DIV_PAYLOAD)
		return;
	if (r->from_ring)
		snprintf(where, sizeof(where), "from the leader (-)");
	else
		snprintf(where, sizeof(where), "at %#lx in the leader (-)",
			 a->span_addr);
	snprintf(line, sizeof(line), "%lu bytes %s, %lu at %#lx in variant %u "
		 "(+); first difference at byte %lu", a->span_len, where,
		 b->span_len, b->span_addr, r->variant, r->offset);
	entry(o, 4, 4, line);
	if (r->window_at)
		fprintf(o->f, "    ... %lu equal bytes before\n", r->window_at);
	for (uint32_t from = 0; from < len; from += per) {
		bool any = false;

		for (uint32_t i = from; i < from + per; i++)
			any = any || differs(a, b, i);
		/* past the difference, two equal rows are enough */
		quiet = any ? 0 : quiet + 1;
		if (!any && r->window_at + from > r->offset && quiet > 2)
			break;
		if (any) {
			if (from < a->window_len)
				dump_row(o, a, b, r->window_at, from, per, '-');
			if (from < b->window_len)
				dump_row(o, b, a, r->window_at, from, per, '+');
			dump_marks(o, a, b, from, per);
		} else {
			dump_row(o, a, b, r->window_at, from, per, ' ');
		}
	}
}

/* ---- backtraces ---- */

static const char *base_name(const char *path)
{
	const char *s = strrchr(path, '/');

	return s && s[1] ? s + 1 : path;
}

/* The same place in the program, wherever that is mapped. */
static bool same_place(const struct frame *a, const struct frame *b)
{
	return a->obj_off == b->obj_off && a->object[0] &&
		!strcmp(base_name(a->object), base_name(b->object));
}

/* How many of the outermost frames are the same. */
static int common_callers(const struct report_variant *a,
			  const struct report_variant *b)
{
	int n = 0;

	while (n < a->n_frames && n < b->n_frames &&
	       same_place(&a->frame[a->n_frames - 1 - n],
			  &b->frame[b->n_frames - 1 - n]))
		n++;
	return n;
}

static void print_frame(const struct out *o, const struct frame *f, int i,
			bool mark)
{
	char line[1024];
	struct text t;

	text_init(&t, line, sizeof(line));
	text_printf(&t, "#%-2d 0x%012lx ", i, f->pc);
	if (f->symbol[0])
		text_printf(&t, "%s+%#lx ", f->symbol, f->sym_off);
	if (f->object[0])
		text_printf(&t, "(%s+%#lx)", base_name(f->object), f->obj_off);
	if (f->source[0])
		text_printf(&t, " at %s", f->source);
	fprintf(o->f, "    %s%s%s ", mark ? red(o) : "", mark ? "!" : " ",
		mark ? plain(o) : "");
	wrapped(o, 6, 10, line);
}

static void print_backtraces(const struct out *o, const struct report *r)
{
	const struct report_variant *leader = &r->v[LEADER];
	char line[160];

	/* a leader that has gone on is elsewhere for that reason alone */
	heading(o, r->ahead ? "backtraces, as things are now" :
		"backtraces (! where variants parted)");
	for (unsigned int v = 0; v < r->n && v < MAX_VARIANTS; v++) {
		const struct report_variant *x = &r->v[v];
		int common = v == LEADER ? 0 : common_callers(leader, x);

		if (!x->present)
			continue;
		if (v != LEADER && common && common == x->n_frames &&
		    common == leader->n_frames) {
			fprintf(o->f, "    %s: the same places\n", column(v));
			continue;
		}
		fprintf(o->f, "    %s\n", column(v));
		if (!x->n_frames) {
			snprintf(line, sizeof(line), "(none: %s)", x->state);
			entry(o, 6, 6, line);
		}
		for (int i = 0; i < x->n_frames; i++)
			print_frame(o, &x->frame[i], i, v != LEADER &&
				    !r->ahead && i == x->n_frames - 1 - common);
	}
}

/* ---- the rest ---- */

static void print_maps(const struct out *o, const struct report *r)
{
	char line[512];

	heading(o, "mappings involved");
	for (unsigned int v = 0; v < r->n && v < MAX_VARIANTS; v++) {
		const struct report_variant *x = &r->v[v];

		if (!x->present || !x->n_maps)
			continue;
		fprintf(o->f, "    %s\n", column(v));
		for (unsigned int i = 0; i < x->n_maps; i++) {
			const struct report_map *m = &x->map[i];

			if (m->mapped)
				snprintf(line, sizeof(line), "%-19s 0x%012lx "
					 "%s+%#lx %s %#lx-%#lx", m->what,
					 m->addr,
					 m->path[0] ? base_name(m->path) :
					 "[anonymous]",
					 m->addr - m->start + m->offset,
					 m->perms, m->start, m->end);
			else
				snprintf(line, sizeof(line),
					 "%-19s 0x%012lx not mapped", m->what,
					 m->addr);
			entry(o, 6, 26, line);
		}
	}
}

static void print_inproc(const struct out *o, const struct report *r)
{
	char line[320];

	if (!r->inproc)
		return;
	if (r->ahead) {
		snprintf(line, sizeof(line), "the leader has completed %lu "
			 "call%s from this one on, %lu of %s visible to others",
			 r->ahead, r->ahead == 1 ? "" : "s", r->visible,
			 r->ahead == 1 ? "it" : "them");
		fprintf(o->f, "\n%s", bold(o));
		entry(o, 2, 2, line);
		fputs(plain(o), o->f);
	}
	if (!r->n_ring)
		return;
	heading(o, "calls the leader made in-process (* visible to others)");
	for (unsigned int i = 0; i < r->n_ring; i++) {
		snprintf(line, sizeof(line), "%s %c %s",
			 r->ring[i].when == 1 ? "->" :
			 r->ring[i].when == 2 ? " +" : "  ",
			 r->ring[i].visible ? '*' : ' ', r->ring[i].text);
		entry(o, 4, 13, line);
	}
}

static void print_recent(const struct out *o, const struct report *r)
{
	char line[320];

	if (!r->n_recent)
		return;
	heading(o, r->inproc ?
		"calls before, through the monitor, newest last" :
		"calls before, newest last");
	for (unsigned int i = 0; i < r->n_recent; i++) {
		snprintf(line, sizeof(line), "%8lu  %s", r->recent[i].seq,
			 r->recent[i].text);
		entry(o, 4, 18, line);
	}
}

void report_print(FILE *f, const struct report *r, const struct style *style)
{
	struct out o = { f, style->colour, style->width };
	char line[1200];

	fprintf(f, "monitord: %sdivergence:%s ", red(&o), plain(&o));
	if (style->whole_headline)
		fprintf(f, "%s\n", r->summary);
	else
		wrapped(&o, strlen("monitord: divergence: "), 4, r->summary);
	snprintf(line, sizeof(line), "program %s, %u variant%s, policy %s, "
		 "layout %s, %s", r->program, r->n, r->n == 1 ? "" : "s",
		 r->policy, r->layout, r->time);
	entry(&o, 2, 4, line);
	snprintf(line, sizeof(line), "thread %d (number %u) of process %d",
		 r->vtid, r->rank, r->vpid);
	entry(&o, 2, 4, line);
	if (r->note[0] && r->kind != DIV_STALL) {
		snprintf(line, sizeof(line), "note: %s", r->note);
		entry(&o, 2, 4, line);
	}
	heading(&o, "what it may mean");
	paragraph(&o, r->guess);
	print_calls(&o, r);
	print_argument(&o, r);
	print_payload(&o, r);
	print_backtraces(&o, r);
	print_maps(&o, r);
	print_inproc(&o, r);
	print_recent(&o, r);
}
