// SPDX-License-Identifier: Apache-2.0
/*
 * The content of /proc/PID files as a variant shall see it.
 *
 * Theory of operation
 * -------------------
 * Everything is the leader's, as natively, except what describes the address
 * space, which is each variant's own, and except the traces of the monitor
 * (tracer, filters, stops, hidden pages), which are removed.  All variants'
 * texts have the same length at every line, because the program reads its
 * text in pieces and stops at what it was looking for: variants must stop at
 * the same piece.  Numbers are padded with zeroes, lines of the maps family with
 * blanks before the path (procview_maps.c), binary files with zeroes at the
 * end.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "placement.h"
#include "procview_text.h"
#include "stack.h"

/* More than any of these files has; a variant cannot make us take more. */
#define TEXT_MAX (64u << 20)

/* ---- strings that grow ---- */

static int text_room(struct text *t, size_t n)
{
	size_t cap = t->cap ? t->cap : 4096;
	char *p;

	if (n > TEXT_MAX || t->len + n + 1 > TEXT_MAX)
		return -EFBIG;
	while (cap < t->len + n + 1)
		cap *= 2;
	if (cap == t->cap)
		return 0;
	p = realloc(t->p, cap);
	if (!p)
		return -ENOMEM;
	t->p = p;
	t->cap = cap;
	return 0;
}

int text_add(struct text *t, const char *p, size_t n)
{
	int r = text_room(t, n);

	if (r < 0)
		return r;
	memcpy(t->p + t->len, p, n);
	t->len += n;
	t->p[t->len] = 0;
	return 0;
}

int text_insert(struct text *t, size_t at, size_t n, char c)
{
	int r = text_room(t, n);

	if (r < 0)
		return r;
	memmove(t->p + at + n, t->p + at, t->len - at);
	memset(t->p + at, c, n);
	t->len += n;
	t->p[t->len] = 0;
	return 0;
}

void text_free(struct text out[MAX_VARIANTS])
{
	for (unsigned int v = 0; v < MAX_VARIANTS; v++) {
		free(out[v].p);
		memset(&out[v], 0, sizeof(out[v]));
	}
}

static int slurp_fd(int fd, struct text *t)
{
	int r;

	t->len = 0;
	for (;;) {
		ssize_t n;

		r = text_room(t, 65536);
		if (r < 0)
			break;
		n = pread(fd, t->p + t->len, 65536, (off_t)t->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			r = n < 0 ? -errno : 0;
			break;
		}
		t->len += (size_t)n;
	}
	if (!r)
		t->p[t->len] = 0;
	return r;
}

int view_slurp(pid_t tid, const char *name, struct text *t)
{
	char path[64];
	int fd, r;

	t->len = 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = slurp_fd(fd, t);
	close(fd);
	return r;
}

pid_t view_tid(const struct proc *p, const struct taskset *s, unsigned int v)
{
	return s ? s->t[v].tid : p->pid[v];
}

/* ---- kinds ---- */

enum view_kind view_kind(const char *name)
{
	static const struct {
		const char *name;
		enum view_kind kind;
	} kinds[] = {
		{ "maps", VIEW_MAPS }, { "smaps", VIEW_SMAPS },
		{ "smaps_rollup", VIEW_ROLLUP }, { "numa_maps", VIEW_NUMA },
		{ "stat", VIEW_STAT }, { "status", VIEW_STATUS },
		{ "auxv", VIEW_AUXV }, { "environ", VIEW_ENVIRON },
		{ "syscall", VIEW_SYSCALL }, { "wchan", VIEW_WCHAN },
		{ "personality", VIEW_PERSONALITY },
		{ "mem", VIEW_REFUSED }, { "pagemap", VIEW_REFUSED },
		{ "map_files", VIEW_REFUSED },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(name, kinds[i].name))
			return kinds[i].kind;
	return VIEW_NONE;
}

/* ---- state ---- */

/*
 * A stopped tracee shows as 't'.  What it would be without us: stopped by job
 * control, or running (it waits for nothing but the monitor).
 */
static char true_state(char seen, const struct proc *p,
		       const struct taskset *s)
{
	const struct taskset *o;

	if (seen != 't')
		return seen;
	LIST_FOREACH(o, &p->sets, in_proc)
		if ((!s || o == s) && o->t[LEADER].at == AT_GROUP)
			return 'T';
	return 'R';
}

/* ---- stat: one line of numbers ---- */

#define STAT_FIELDS 64

struct fields {
	char *tail;			/* after the command name */
	char *at[STAT_FIELDS];		/* field 3 is at[3] */
	unsigned int n;			/* highest field number + 1 */
};

static void split(struct text *t, struct fields *f)
{
	char *p = strrchr(t->p, ')');

	memset(f, 0, sizeof(*f));
	if (!p)
		return;
	f->tail = ++p;
	f->n = 3;
	for (char *w; f->n < STAT_FIELDS && (w = strsep(&p, " \n"));)
		if (*w)
			f->at[f->n++] = w;
}

/* Addresses: startcode, endcode, startstack, kstkesp, kstkeip, wchan, data,
 * brk, arguments, environment (proc(5)). */
static bool is_address(unsigned int field)
{
	return (field >= 26 && field <= 30) || field == 35 ||
	       (field >= 45 && field <= 51);
}

/* What stands there for those who may not trace the process (proc(5)): the first
 * two say whether it has memory at all. */
static const char *masked_address(unsigned int field, const char *seen)
{
	return field <= 27 && strcmp(seen, "0") ? "1" : "0";
}

static int make_stat(struct proc *p, struct taskset *s, int real, bool masked,
		     struct text out[MAX_VARIANTS])
{
	struct text raw[MAX_VARIANTS] = { { 0 } };
	struct fields f[MAX_VARIANTS] = { { 0 } };
	int r = 0;

	for_each_variant(v) {
		char name[64];
		pid_t tid = view_tid(p, s, v);

		snprintf(name, sizeof(name), s ? "task/%d/stat" : "stat",
			 (int)tid);
		if (v == LEADER && real >= 0)
			r = slurp_fd(real, &raw[v]);
		else
			r = view_slurp(s ? p->pid[v] : tid, name, &raw[v]);
		if (r < 0 && v == LEADER)
			goto out;
		if (r >= 0)
			split(&raw[v], &f[v]);
	}
	r = 0;
	if (!f[LEADER].tail || f[LEADER].n < 4) {
		r = -EIO;
		goto out;
	}
	*f[LEADER].at[3] = true_state(*f[LEADER].at[3], p, s);
	for_each_variant(v) {
		/* "pid (comm)" */
		r = text_add(&out[v], raw[LEADER].p,
			     (size_t)(f[LEADER].tail - raw[LEADER].p));
		for (unsigned int i = 3; i < f[LEADER].n && !r; i++) {
			const char *w = f[LEADER].at[i];
			size_t width = strlen(w), n;

			if (is_address(i) && masked) {
				w = masked_address(i, w);
				width = strlen(w);
			} else if (is_address(i)) {
				for_each_follower(u)
					if (i < f[u].n &&
					    strlen(f[u].at[i]) > width)
						width = strlen(f[u].at[i]);
				/* a variant that is gone has no addresses */
				w = i < f[v].n ? f[v].at[i] : "0";
				if (i == 35)
					w = "0";
			}
			n = strlen(w);
			r = text_add(&out[v], " ", 1);
			if (!r && n < width)
				r = text_insert(&out[v], out[v].len, width - n,
						'0');
			if (!r)
				r = text_add(&out[v], w, n);
		}
		if (!r)
			r = text_add(&out[v], "\n", 1);
		if (r)
			break;
	}
out:
	text_free(raw);
	return r;
}

/* ---- status: "Key:\tvalue" lines, the same for all ---- */

static int make_status(struct proc *p, struct taskset *s, int real,
		       struct text out[MAX_VARIANTS])
{
	struct text raw[MAX_VARIANTS] = { { 0 } };
	char name[64] = "status";
	char *at, *line, list[1024];
	bool listed = false;
	int r;

	if (s)
		snprintf(name, sizeof(name), "task/%d/status",
			 (int)s->t[LEADER].tid);
	r = real >= 0 ? slurp_fd(real, &raw[LEADER]) :
		view_slurp(p->pid[LEADER], name, &raw[LEADER]);
	at = raw[LEADER].p;
	while (!r && at && (line = strsep(&at, "\n")) && at) {
		struct text *o = &out[LEADER];
		char buf[64];
		unsigned int n;

		if (!strncmp(line, "TracerPid:", 10)) {
			line = buf;
			strcpy(buf, "TracerPid:\t0");
		} else if (!strncmp(line, "State:\tt", 8)) {
			line = buf;
			strcpy(buf, true_state('t', p, s) == 'T' ?
			       "State:\tT (stopped)" : "State:\tR (running)");
		} else if (!strncmp(line, "NoNewPrivs:", 11)) {
			line = buf;
			snprintf(buf, sizeof(buf), "NoNewPrivs:\t%d", p->vnnp);
		} else if (!strncmp(line, "Seccomp:", 8)) {
			line = buf;
			snprintf(buf, sizeof(buf), "Seccomp:\t%u",
				 (unsigned int)p->vseccomp);
		} else if (sscanf(line, "Seccomp_filters: %u", &n) == 1 && n) {
			line = buf;
			snprintf(buf, sizeof(buf), "Seccomp_filters:\t%u",
				 n - 1);
		} else if (!strncmp(line, "Cpus_allowed:", 13)) {
			listed = placement_status(line);
		} else if (!strncmp(line, "Cpus_allowed_list:", 18) &&
			   listed) {
			placement_list(list, sizeof(list));
			line[18] = '\0';
			r = text_add(o, line, 18);
			if (!r)
				r = text_add(o, "\t", 1);
			line = list;
		}
		if (!r)
			r = text_add(o, line, strlen(line));
		if (!r)
			r = text_add(o, "\n", 1);
	}
	text_free(raw);
	return r;
}

/* ---- auxv and environ: binary ---- */

/* As on the stack. */
static void edit_auxv(struct text *t)
{
	uint64_t entry[2];

	for (size_t i = 0; i + sizeof(entry) <= t->len; i += sizeof(entry)) {
		memcpy(entry, t->p + i, sizeof(entry));
		stack_aux_shown(entry);
		memcpy(t->p + i, entry, sizeof(entry));
	}
}

static int make_binary(struct proc *p, enum view_kind kind,
		       struct text out[MAX_VARIANTS])
{
	for_each_variant(v) {
		int r = view_slurp(p->pid[v], kind == VIEW_AUXV ? "auxv" :
				   "environ", &out[v]);

		if (r < 0 && v == LEADER)
			return r;
		if (r < 0)
			out[v].len = 0;
		if (kind == VIEW_AUXV)
			edit_auxv(&out[v]);
	}
	return 0;
}

char view_fill(enum view_kind kind)
{
	return kind == VIEW_AUXV || kind == VIEW_ENVIRON ? 0 : ' ';
}

/* ---- personality ---- */

/* --layout same switches randomisation off; the program need not know. */
static int make_personality(struct proc *p, struct taskset *s, struct text *o)
{
	struct text raw = { 0 };
	char line[16];
	unsigned int value;
	int r = view_slurp(view_tid(p, s, LEADER), "personality", &raw);

	if (!r && sscanf(raw.p, "%x", &value) == 1) {
		value &= ~(unsigned int)ADDR_NO_RANDOMIZE;
		if (p->vno_random)
			value |= ADDR_NO_RANDOMIZE;
		snprintf(line, sizeof(line), "%08x\n", value);
		r = text_add(o, line, strlen(line));
	}
	free(raw.p);
	return r;
}

/* ---- all ---- */

/* The same length for all, whatever happened on the way: a follower that is
 * dying has no text of its own. */
static int same_length(struct text out[MAX_VARIANTS], char fill)
{
	size_t max = 0;

	for_each_variant(v)
		if (out[v].len > max)
			max = out[v].len;
	for_each_variant(v) {
		size_t at = out[v].len;
		int r;

		if (at && fill == ' ' && out[v].p[at - 1] == '\n')
			at--;
		r = text_insert(&out[v], at, max - out[v].len, fill);
		if (r < 0)
			return r;
	}
	return 0;
}

int view_texts(struct proc *p, struct taskset *s, int real,
	       enum view_kind kind, struct text out[MAX_VARIANTS])
{
	int r;

	memset(out, 0, MAX_VARIANTS * sizeof(*out));
	switch (kind) {
	case VIEW_MAPS:
	case VIEW_SMAPS:
	case VIEW_ROLLUP:
	case VIEW_NUMA:
		r = view_maps(p, s, kind, out);
		break;
	case VIEW_STAT:
	case VIEW_STAT_MASKED:
		r = make_stat(p, s, real, kind == VIEW_STAT_MASKED, out);
		break;
	case VIEW_STATUS:
		r = make_status(p, s, real, out);
		break;
	case VIEW_AUXV:
	case VIEW_ENVIRON:
		r = make_binary(p, kind, out);
		break;
	case VIEW_SYSCALL:
		/* what a thread that is not in a call shows */
		r = text_add(&out[LEADER], "running\n", 8);
		break;
	case VIEW_WCHAN:
		r = text_add(&out[LEADER], "0", 1);
		break;
	case VIEW_PERSONALITY:
		r = make_personality(p, s, &out[LEADER]);
		break;
	default:
		r = -EINVAL;
		break;
	}
	/* one text for all */
	for_each_follower(v)
		if (!r && !out[v].p)
			r = text_add(&out[v], out[LEADER].p, out[LEADER].len);
	if (!r)
		r = same_length(out, view_fill(kind));
	if (r < 0)
		text_free(out);
	return r;
}
