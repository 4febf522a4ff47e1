// SPDX-License-Identifier: Apache-2.0
/*
 * The divergence report as text for people.
 *
 * The first line alone says what happened.  Then, in the order in which a
 * person decides: what it may mean, the call side by side, the differing
 * bytes, where each variant is, what is mapped there, what happened before.
 * Marks do not depend on colour: differing bytes are underlined with ^^.
 */
#include "report.h"

#include <stdio.h>
#include <string.h>

#define ROW 16

struct out {
	FILE *f;
	bool colour;
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
	fprintf(o->f, "  %s%s%s\n", bold(o), s, plain(o));
}

static const char *column(unsigned int v)
{
	static char name[24];

	if (v == LEADER)
		return "leader";
	snprintf(name, sizeof(name), "variant %u", v);
	return name;
}

/* Each line of `s`, indented and wrapped at about 76 columns. */
static void paragraph(const struct out *o, const char *s)
{
	const unsigned int width = 72;

	while (*s) {
		size_t line = strcspn(s, "\n");

		while (line) {
			size_t n = line;

			if (n > width) {
				n = width;
				while (n && s[n] != ' ')
					n--;
				if (!n)
					n = width;
			}
			fprintf(o->f, "    %.*s\n", (int)n, s);
			s += n;
			line -= n;
			while (line && *s == ' ') {
				s++;
				line--;
			}
		}
		if (*s)
			s++;
	}
}

static void print_calls(const struct out *o, const struct report *r)
{
	heading(o, "each variant");
	for (unsigned int v = 0; v < r->n && v < MAX_VARIANTS; v++) {
		const struct report_variant *x = &r->v[v];

		if (!x->present)
			continue;
		fprintf(o->f, "    %-10s ", column(v));
		if (x->has_call) {
			fprintf(o->f, "%s(", x->call_name);
			for (unsigned int i = 0; i < x->nargs; i++) {
				bool mark = r->arg == (int)i && x->deviates;

				fprintf(o->f, "%s%s%s%s", i ? ", " : "",
					mark ? red(o) : "", x->arg[i],
					mark ? plain(o) : "");
			}
			fprintf(o->f, ")\n    %-10s ", "");
		}
		fprintf(o->f, "%s (pid %d, tid %d%s%s)%s\n", x->state, x->pid,
			x->tid, x->comm[0] ? ", " : "", x->comm,
			x->deviates ? "  <- deviates" : "");
	}
}

static void print_argument(const struct out *o, const struct report *r)
{
	if (r->arg < 0)
		return;
	fprintf(o->f, "  %sargument %d%s%s%s%s\n", bold(o), r->arg + 1,
		r->label[0] ? " (" : "", r->label, r->label[0] ? ")" : "",
		plain(o));
	if (r->kind != DIV_ARGUMENT)
		return;
	fprintf(o->f, "    %-10s %#lx (%ld)\n", column(LEADER), r->value[0],
		(long)r->value[0]);
	fprintf(o->f, "    %-10s %#lx (%ld)\n", column(r->variant), r->value[1],
		(long)r->value[1]);
	if (r->len[0] != r->len[1])
		fprintf(o->f, "    lengths: %lu and %lu bytes\n", r->len[0],
			r->len[1]);
}

/* ---- hexdump ---- */

static bool differs(const struct report_variant *a,
		    const struct report_variant *b, uint32_t i)
{
	if (i >= a->window_len || i >= b->window_len)
		return i < a->window_len || i < b->window_len;
	return a->window[i] != b->window[i];
}

static void dump_row(const struct out *o, const struct report_variant *me,
		     const struct report_variant *other, uint64_t at,
		     uint32_t from, const char *who)
{
	fprintf(o->f, "    %08lx  %-10s ", at + from, who);
	for (uint32_t i = from; i < from + ROW; i++) {
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
	fputs(" |", o->f);
	for (uint32_t i = from; i < from + ROW && i < me->window_len; i++) {
		unsigned char c = me->window[i];
		bool mark = differs(me, other, i);

		fprintf(o->f, "%s%c%s", mark ? red(o) : "",
			c >= 0x20 && c < 0x7f ? c : '.', mark ? plain(o) : "");
	}
	fputs("|\n", o->f);
}

static void dump_marks(const struct out *o, const struct report_variant *a,
		       const struct report_variant *b, uint32_t from)
{
	char line[64];
	size_t n = 0;

	for (uint32_t i = from; i < from + ROW; i++) {
		bool mark = differs(a, b, i);

		if (i == from + 8)
			line[n++] = ' ';
		line[n++] = mark ? '^' : ' ';
		line[n++] = mark ? '^' : ' ';
		line[n++] = ' ';
	}
	while (n && line[n - 1] == ' ')
		n--;
	fprintf(o->f, "    %20s %.*s\n", "", (int)n, line);
}

static void print_payload(const struct out *o, const struct report *r)
{
	const struct report_variant *a = &r->v[LEADER], *b = &r->v[r->variant];
	uint32_t len = a->window_len > b->window_len ? a->window_len :
		b->window_len;
	unsigned int quiet = 0;

	if (r->kind != DIV_PAYLOAD)
		return;
	fprintf(o->f, "    %lu bytes ", a->span_len);
	if (r->from_ring)
		fputs("from the leader", o->f);
	else
		fprintf(o->f, "at %#lx in the leader", a->span_addr);
	fprintf(o->f, ", %lu at %#lx in variant %u; first difference at byte "
		"%lu\n", b->span_len, b->span_addr, r->variant, r->offset);
	if (r->window_at)
		fprintf(o->f, "    ... %lu equal bytes before\n", r->window_at);
	for (uint32_t from = 0; from < len; from += ROW) {
		bool any = false;

		for (uint32_t i = from; i < from + ROW; i++)
			any = any || differs(a, b, i);
		/* past the difference, two equal rows are enough */
		quiet = any ? 0 : quiet + 1;
		if (!any && r->window_at + from > r->offset && quiet > 2)
			break;
		dump_row(o, a, b, r->window_at, from, column(LEADER));
		if (!any)
			continue;
		dump_row(o, b, a, r->window_at, from, column(r->variant));
		dump_marks(o, a, b, from);
	}
}

/* ---- the rest ---- */

static const char *base_name(const char *path)
{
	const char *s = strrchr(path, '/');

	return s && s[1] ? s + 1 : path;
}

static void print_backtraces(const struct out *o, const struct report *r)
{
	heading(o, "backtraces");
	for (unsigned int v = 0; v < r->n && v < MAX_VARIANTS; v++) {
		const struct report_variant *x = &r->v[v];

		if (!x->present)
			continue;
		fprintf(o->f, "    %s\n", column(v));
		if (!x->n_frames)
			fprintf(o->f, "      (none: %s)\n", x->state);
		for (int i = 0; i < x->n_frames; i++) {
			const struct frame *f = &x->frame[i];

			fprintf(o->f, "      #%-2d 0x%012lx ", i, f->pc);
			if (f->symbol[0])
				fprintf(o->f, "%s+%#lx ", f->symbol,
					f->sym_off);
			if (f->object[0])
				fprintf(o->f, "(%s+%#lx)", base_name(f->object),
					f->obj_off);
			if (f->source[0])
				fprintf(o->f, " at %s", f->source);
			fputc('\n', o->f);
		}
	}
}

static void print_maps(const struct out *o, const struct report *r)
{
	heading(o, "mappings involved");
	for (unsigned int v = 0; v < r->n && v < MAX_VARIANTS; v++) {
		const struct report_variant *x = &r->v[v];

		if (!x->present || !x->n_maps)
			continue;
		fprintf(o->f, "    %s\n", column(v));
		for (unsigned int i = 0; i < x->n_maps; i++) {
			const struct report_map *m = &x->map[i];

			fprintf(o->f, "      %-20s 0x%012lx  ", m->what, m->addr);
			if (m->mapped)
				fprintf(o->f, "%#lx-%#lx %s %s\n", m->start,
					m->end, m->perms,
					m->path[0] ? m->path : "[anonymous]");
			else
				fputs("not mapped\n", o->f);
		}
	}
}

static void print_inproc(const struct out *o, const struct report *r)
{
	if (!r->inproc)
		return;
	if (r->ahead)
		fprintf(o->f, "  %sthe leader has completed %lu call%s from this "
			"one on, %lu of %s visible to others%s\n", bold(o),
			r->ahead, r->ahead == 1 ? "" : "s", r->visible,
			r->ahead == 1 ? "it" : "them", plain(o));
	if (!r->n_ring)
		return;
	heading(o, "calls the leader made in-process (! visible to others)");
	for (unsigned int i = 0; i < r->n_ring; i++)
		fprintf(o->f, "    %s %c %s\n",
			r->ring[i].when == 1 ? "->" :
			r->ring[i].when == 2 ? " +" : "  ",
			r->ring[i].visible ? '!' : ' ', r->ring[i].text);
}

static void print_recent(const struct out *o, const struct report *r)
{
	if (!r->n_recent)
		return;
	heading(o, r->inproc ?
		"calls of this thread before through the monitor, newest last" :
		"calls of this thread before, newest last");
	for (unsigned int i = 0; i < r->n_recent; i++)
		fprintf(o->f, "    %8lu  %s\n", r->recent[i].seq,
			r->recent[i].text);
}

void report_print(FILE *f, const struct report *r, bool colour)
{
	struct out o = { f, colour };

	fprintf(f, "monitord: %sdivergence:%s %s\n", red(&o), plain(&o),
		r->summary);
	fprintf(f, "  program %s, %u variants, policy %s, layout %s, %s\n",
		r->program, r->n, r->policy, r->layout, r->time);
	fprintf(f, "  thread %d (number %u) of process %d\n", r->vtid, r->rank,
		r->vpid);
	if (r->note[0] && r->kind != DIV_STALL)
		fprintf(f, "  note: %s\n", r->note);
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
