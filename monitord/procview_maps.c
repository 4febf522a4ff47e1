// SPDX-License-Identifier: Apache-2.0
/*
 * The maps family of /proc/PID: maps, smaps, smaps_rollup, numa_maps.
 *
 * Theory of operation
 * -------------------
 * The leader's text is the template.  Its lines are the leader's mappings; a
 * follower has the same mappings at its own addresses (h_mmap.c), so its text
 * is the leader's with the addresses replaced: names, inodes and statistics
 * are the leader's, and a shadow shows as the file it stands for.  Mappings of
 * the monitor (gate, scratch, libipmon) are left out.
 *
 * The kernel does not always merge neighbouring mappings in the same way, so
 * lines are first aligned by what they describe.  Where one variant has a line
 * another has not, the other's previous line is padded by its length: from
 * there on both texts are at the same offset again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owned.h"
#include "procview_text.h"

#define PAGE 4096ull
#define LOOKAHEAD 64u

/* One mapping: a line of maps. */
struct vma {
	uint64_t start, end;
	const char *rest;		/* " r-xp ... path", no newline */
	size_t len;
	const char *path;		/* within rest; NULL: none */
	size_t path_len;
	uint64_t to[MAX_VARIANTS];	/* leader's: start in each follower,
					 * 0 = no counterpart */
	uint64_t to_end[MAX_VARIANTS];
};

struct vmas {
	struct text raw;
	struct vma *v;
	size_t n, cap;
};

/* "start-end perms offset dev inode   path"; false: not such a line. */
static bool parse_line(const char *line, size_t len, struct vma *m)
{
	unsigned long start, end, off, ino;
	unsigned int ma, mi;
	char perms[5];
	int at_rest = 0, at_path = 0;
	char buf[128];
	size_t n = len < sizeof(buf) - 1 ? len : sizeof(buf) - 1;

	/* the path may be long and anything; the rest is not */
	memcpy(buf, line, n);
	buf[n] = 0;
	if (sscanf(buf, "%lx-%lx%n %4s %lx %x:%x %lu %n", &start, &end,
		   &at_rest, perms, &off, &ma, &mi, &ino, &at_path) < 7)
		return false;
	memset(m, 0, sizeof(*m));
	m->start = start;
	m->end = end;
	m->rest = line + at_rest;
	m->len = len - (size_t)at_rest;
	if (at_path && (size_t)at_path < len) {
		m->path = line + at_path;
		m->path_len = len - (size_t)at_path;
	}
	return true;
}

static bool path_is(const struct vma *m, const char *path)
{
	return m->path && strlen(path) == m->path_len &&
	       !memcmp(m->path, path, m->path_len);
}

static bool path_begins(const struct vma *m, const char *path)
{
	return m->path && strlen(path) <= m->path_len &&
	       !memcmp(m->path, path, strlen(path));
}

/* libipmon.so or libipmon-compat.so, from where it was found. */
static bool is_ours(const struct vma *m)
{
	size_t n = strlen(mon.libipmon);

	if (n <= 3 || !m->path)
		return false;
	n -= 3;				/* ".so" */
	return path_is(m, mon.libipmon) ||
	       (m->path_len == n + 10 && !memcmp(m->path, mon.libipmon, n) &&
		!memcmp(m->path + n, "-compat.so", 10));
}

/* Is this one of the monitor's? *lib_end: where libipmon's last one ended. */
static bool hidden(const struct mm *mm, unsigned int v, const struct vma *m,
		   uint64_t *lib_end)
{
	uint64_t start, stop;

	if (owned_next(mm, v, m->start, m->end, &start, &stop))
		return true;
	if (path_is(m, "[vdso]") || path_begins(m, "[vvar"))
		return true;
	if (is_ours(m)) {
		*lib_end = m->end;
		return true;
	}
	/* its zero-initialised pages */
	if (*lib_end == m->start && !m->path) {
		*lib_end = 0;
		return true;
	}
	return false;
}

static int load(const struct proc *p, const struct taskset *s, unsigned int v,
		struct vmas *l)
{
	uint64_t lib_end = 0;
	char *at, *nl;
	int r = view_slurp(view_tid(p, s, v), "maps", &l->raw);

	if (r < 0)
		return r;
	for (at = l->raw.p; (nl = memchr(at, '\n', l->raw.len -
					 (size_t)(at - l->raw.p)));
	     at = nl + 1) {
		struct vma m;

		if (!parse_line(at, (size_t)(nl - at), &m) ||
		    hidden(p->mm, v, &m, &lib_end))
			continue;
		if (l->n == l->cap) {
			size_t cap = l->cap ? l->cap * 2 : 128;
			struct vma *n = realloc(l->v, cap * sizeof(*n));

			if (!n)
				return -ENOMEM;
			l->v = n;
			l->cap = cap;
		}
		l->v[l->n++] = m;
	}
	return 0;
}

static void unload(struct vmas *l)
{
	free(l->raw.p);
	free(l->v);
	memset(l, 0, sizeof(*l));
}

/* Do these two describe the same thing? */
static bool alike(const struct vma *a, const struct vma *b)
{
	/* " rwxp": the first five characters are the permissions */
	if (a->len < 5 || b->len < 5 || memcmp(a->rest, b->rest, 5))
		return false;
	if (!a->path != !b->path)
		return false;
	/* the stack and the heap grow differently */
	if (path_begins(a, "[") || path_begins(b, "["))
		return a->path_len == b->path_len &&
		       !memcmp(a->path, b->path, a->path_len);
	return a->end - a->start == b->end - b->start;
}

/*
 * Align follower v's mappings with the leader's.  Both are sorted by address;
 * a greedy search with bounded lookahead is enough for lists that are equal up
 * to a few lines.
 */
static void align(struct vmas *a, const struct vmas *b, unsigned int v)
{
	size_t i = 0, j = 0;

	while (i < a->n && j < b->n) {
		unsigned int d;

		for (d = 0; d < LOOKAHEAD; d++) {
			if (i + d < a->n && alike(&a->v[i + d], &b->v[j])) {
				i += d;
				break;
			}
			if (j + d < b->n && alike(&a->v[i], &b->v[j + d])) {
				j += d;
				break;
			}
		}
		if (d < LOOKAHEAD) {
			a->v[i].to[v] = b->v[j].start;
			a->v[i].to_end[v] = b->v[j].end;
		}
		i++;
		j++;
	}
}

/* ---- putting texts together ---- */

/* Make all texts equally long again, by padding the last line of each. */
static int level(struct text out[MAX_VARIANTS])
{
	size_t max = 0;

	for_each_variant(v) {
		if (!out[v].len)
			return 0;	/* nothing to pad yet */
		if (out[v].len > max)
			max = out[v].len;
	}
	for_each_variant(v) {
		size_t n = max - out[v].len;
		int r = text_insert(&out[v], out[v].pad_at, n, ' ');

		if (r < 0)
			return r;
	}
	return 0;
}

/* Append a line of the leader's under other addresses. */
static int add_line(struct text *o, uint64_t start, uint64_t end,
		    const struct vma *m)
{
	char head[64];
	int n = snprintf(head, sizeof(head), "%08lx-%08lx",
			 (unsigned long)start, (unsigned long)end);
	int r = text_add(o, head, (size_t)n);

	if (!r)
		r = text_add(o, m->rest, m->len);
	o->pad_at = m->path ? o->len - m->path_len : o->len;
	return r ? r : text_add(o, "\n", 1);
}

static int make_maps(struct vmas l[MAX_VARIANTS],
		     struct text out[MAX_VARIANTS])
{
	size_t next[MAX_VARIANTS] = { 0 };
	int r = 0;

	for (size_t i = 0; i <= l[LEADER].n; i++) {
		const struct vma *m = i < l[LEADER].n ? &l[LEADER].v[i] : NULL;

		for_each_follower(v) {
			/* what only this follower has, up to its counterpart;
			 * at the end all that is left */
			while (next[v] < l[v].n && (!m || m->to[v]) &&
			       (!m || l[v].v[next[v]].start < m->to[v])) {
				const struct vma *own = &l[v].v[next[v]++];

				r = add_line(&out[v], own->start, own->end,
					     own);
				if (r)
					return r;
			}
			if (m && m->to[v]) {
				r = add_line(&out[v], m->to[v], m->to_end[v],
					     m);
				next[v]++;
				if (r)
					return r;
			}
		}
		if (m)
			r = add_line(&out[LEADER], m->start, m->end, m);
		if (!r)
			r = level(out);
		if (r)
			return r;
	}
	return 0;
}

static const struct vma *by_start(const struct vmas *l, uint64_t start)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (l->v[mid].start < start)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->n && l->v[lo].start == start ? &l->v[lo] : NULL;
}

/* smaps: a maps line, then lines of statistics. */
static int make_smaps(const struct text *raw, const struct vmas *l,
		      struct text out[MAX_VARIANTS])
{
	const char *at = raw->p, *nl;
	bool skip = false;
	int r = 0;

	for (; !r && (nl = strchr(at, '\n')); at = nl + 1) {
		struct vma m;

		if (parse_line(at, (size_t)(nl - at), &m)) {
			const struct vma *k = by_start(l, m.start);

			skip = !k;
			if (skip)
				continue;
			for_each_variant(v) {
				/* a mapping the follower does not have shows
				 * as an empty one at its place in the list */
				r = add_line(&out[v],
					     v ? k->to[v] : m.start,
					     v ? k->to_end[v] : m.end, &m);
				if (r)
					return r;
			}
			r = level(out);
		} else if (!skip) {
			for_each_variant(v) {
				r = text_add(&out[v], at,
					     (size_t)(nl + 1 - at));
				if (r)
					return r;
			}
		}
	}
	return r;
}

/*
 * One line for the whole address space, then statistics.  The bounds are of use to
 * nobody, and everybody prints them: they are those of any program, the same in all
 * variants and whatever their layouts are.
 */
static int make_rollup(const struct text *raw, struct text out[MAX_VARIANTS])
{
	const char *nl = strchr(raw->p, '\n');
	struct vma m;
	int r = 0;

	if (!nl || !parse_line(raw->p, (size_t)(nl - raw->p), &m))
		return -EIO;
	for_each_variant(v) {
		r = add_line(&out[v], 0x400000, 0x7ffffffff000, &m);
		if (!r)
			r = text_add(&out[v], nl + 1, strlen(nl + 1));
		if (r)
			return r;
	}
	return 0;
}

/* "start policy file=... anon=..." */
static int make_numa(const struct text *raw, const struct vmas *l,
		     struct text out[MAX_VARIANTS])
{
	const char *at = raw->p, *nl;
	int r = 0;

	for (; !r && (nl = strchr(at, '\n')); at = nl + 1) {
		char *rest;
		uint64_t start = strtoul(at, &rest, 16);
		const struct vma *k = by_start(l, start);

		if (!k)
			continue;
		for_each_variant(v) {
			char head[32];
			int n = snprintf(head, sizeof(head), "%08lx",
					 (unsigned long)(v ? k->to[v] : start));

			r = text_add(&out[v], head, (size_t)n);
			if (!r)
				r = text_add(&out[v], rest,
					     (size_t)(nl - rest));
			out[v].pad_at = out[v].len;
			if (!r)
				r = text_add(&out[v], "\n", 1);
			if (r)
				return r;
		}
		r = level(out);
	}
	return r;
}

int view_maps(struct proc *p, struct taskset *s, enum view_kind kind,
	      struct text out[MAX_VARIANTS])
{
	static const char *const name[] = {
		[VIEW_SMAPS] = "smaps", [VIEW_ROLLUP] = "smaps_rollup",
		[VIEW_NUMA] = "numa_maps",
	};
	struct vmas l[MAX_VARIANTS] = { { .n = 0 } };
	struct text raw = { 0 };
	int r = 0;

	for_each_variant(v) {
		r = load(p, s, v, &l[v]);
		if (r < 0 && v == LEADER)
			goto out;
		if (v)
			align(&l[LEADER], &l[v], v);
	}
	if (kind == VIEW_MAPS) {
		r = make_maps(l, out);
		goto out;
	}
	r = view_slurp(view_tid(p, s, LEADER), name[kind], &raw);
	if (r < 0)
		goto out;
	if (kind == VIEW_SMAPS)
		r = make_smaps(&raw, &l[LEADER], out);
	else if (kind == VIEW_ROLLUP)
		r = make_rollup(&raw, out);
	else
		r = make_numa(&raw, &l[LEADER], out);
out:
	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		unload(&l[v]);
	free(raw.p);
	/* an address space with nothing in it (a zombie) */
	for_each_variant(v)
		if (!r && !out[v].p)
			r = text_add(&out[v], "", 0);
	return r;
}
