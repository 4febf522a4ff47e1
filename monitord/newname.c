// SPDX-License-Identifier: Apache-2.0
/*
 * Names that a call creates exclusively.
 *
 * Theory of operation
 * -------------------
 * Programs invent names for temporary files from whatever is random: under
 * disjoint layouts often an address.  libipmon-compat replaces libc's
 * functions, but many programs carry a copy of glibc's (gnulib's tempname.c:
 * mktemp(1) is one) and static ones cannot be given a library.
 *
 * A call that creates a file, directory or link *which must not exist yet* does not
 * depend on what the random part of the name is: any free name will do.  So
 * when the variants ask to create names which are equal except for one run of
 * at least three letters and digits in the last component, the leader's choice
 * is everybody's choice: it is written over the followers' strings, in the
 * very buffer the program will go on using, before the call is compared.
 *
 * A program may well keep the name in another form, too, and build the string
 * anew for the next call: CPython writes byte code to "x.pyc.<id of a string>"
 * and then renames that.  So the pairs of last components are remembered, and
 * a later path of which a component is a follower's name of such a pair
 * where the leader's has the leader's name gets it as well: at a rendezvous, or
 * when a follower that compares in-process reports the difference.
 *
 * Where the random parts are numbers (Ruby writes them in base 36) one is shorter
 * than another now and then, and there may be no room for the leader's.  Such a
 * name is taken: that is what a program that invents names expects of some, and it
 * invents another one.  Not for ever, should it always be the same.
 *
 * What this gives up: a difference between variants in such a run goes
 * unnoticed at this call.  Directory, prefix and suffix are compared
 * as ever, and what the program does with the name afterwards is equal in all
 * variants or a divergence.  It is stated in the threat model.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fast_report.h"
#include "monitor.h"
#include "newname.h"
#include "tracee.h"

#define PATH_BYTES 4096u
#define NAME_BYTES 256u
#define TRIES_MAX 16u		/* names of different lengths in a row */
#define KNOWN_MAX 256u		/* pairs; the oldest is forgotten */

/* What a variant called it, and what it is called. */
static struct known {
	unsigned int variant;
	char own[NAME_BYTES], name[NAME_BYTES];
} known[KNOWN_MAX];
static unsigned int known_n;

static bool alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

static bool all_alnum(const char *from, const char *to)
{
	while (from < to && alnum(*from))
		from++;
	return from == to;
}

/* mkdir takes slashes after the last component */
static size_t without_slashes(const char *name, size_t n)
{
	while (n && name[n - 1] == '/')
		n--;
	return n;
}

bool newname_differs(const char *a, size_t n, const char *b, size_t m)
{
	size_t first = 0, same = 0, run;

	n = without_slashes(a, n);
	m = without_slashes(b, m);
	while (first < n && first < m && a[first] == b[first])
		first++;
	while (same < n - first && same < m - first &&
	       a[n - same - 1] == b[m - same - 1])
		same++;
	/* what differs must be letters and digits ... */
	if ((n == m && first == n) ||
	    !all_alnum(a + first, a + n - same) ||
	    !all_alnum(b + first, b + m - same))
		return false;
	/* ... of the last component ... */
	if (memchr(a + n - same, '/', same))
		return false;
	/* ... in a run long enough, whose ends the variants may share */
	run = (n < m ? n : m) - same - first;
	while (first && alnum(a[--first]))
		run++;
	while (same && alnum(a[n - same--]))
		run++;
	return run >= NEWNAME_RUN;
}

/* The index of the path argument if this call must create it, or -1. */
static int created_path(const struct taskset *s)
{
	const struct ipmon_row *row = s->row;
	const uint64_t *args = s->t[LEADER].call.args;
	int path = -1;

	for (int i = 0; i < row->nargs; i++) {
		if (row->arg[i].kind == K_PATH)
			path = i;
		if (row->arg[i].kind == K_OPENMODE &&
		    (args[row->arg[i].a] & (O_CREAT | O_EXCL)) !=
		    (O_CREAT | O_EXCL))
			return -1;
	}
	return path;
}

static void remember(unsigned int v, const char *name, const char *own,
		     size_t n)
{
	struct known *k = &known[known_n % KNOWN_MAX];
	const char *slash;
	size_t dir;

	while (n && name[n - 1] == '/')
		n--;
	slash = memrchr(name, '/', n);
	dir = slash ? (size_t)(slash + 1 - name) : 0;
	if (n - dir >= NAME_BYTES)
		return;
	k->variant = v;
	memcpy(k->own, own + dir, n - dir);
	memcpy(k->name, name + dir, n - dir);
	k->own[n - dir] = k->name[n - dir] = '\0';
	known_n++;
}

static void adopt(struct taskset *s, unsigned int v, uint64_t addr,
		  const char *name, size_t n)
{
	static bool said;
	char own[PATH_BYTES];
	struct task *t = &s->t[v];

	/* the terminator is part of what must be equal */
	if (mem_read(t, own, addr, n + 1) < 0 || own[n] ||
	    !newname_differs(name, n, own, n) ||
	    mem_write(t, addr, name, n) < 0)
		return;
	remember(v, name, own, n);
	mon.count.newnames++;
	if (!said)
		verbose("process %d: variants invented different names for a new file; they get the leader's",
			(int)s->proc->vpid);
	said = true;
}

/* A follower's name has another length, and is one that could be the leader's. */
static bool of_another_length(struct taskset *s, int arg, const char *name,
			      size_t n)
{
	bool any = false;

	for_each_follower(v) {
		struct task *t = &s->t[v];
		char own[PATH_BYTES];
		long m = mem_strnlen(t, t->call.args[arg], sizeof(own) - 1);

		if (m == (long)n)
			continue;
		if (m < (long)NEWNAME_RUN ||
		    mem_read(t, own, t->call.args[arg], (size_t)m) < 0 ||
		    !newname_differs(name, n, own, (size_t)m))
			return false;
		any = true;
	}
	return any;
}

bool newname_compare(struct taskset *s)
{
	int arg = created_path(s);
	char name[PATH_BYTES];

	if (arg >= 0 && mon.live != 1u << LEADER) {
		struct task *lead = &s->t[LEADER];
		uint64_t addr = lead->call.args[arg];
		long n = mem_strnlen(lead, addr, sizeof(name) - 1);
		bool read = n >= (long)NEWNAME_RUN &&
			!mem_read(lead, name, addr, (size_t)n);

		if (read && !s->kick_ret && s->newnames < TRIES_MAX &&
		    of_another_length(s, arg, name, (size_t)n)) {
			s->newnames++;
			set_finish(s, -EEXIST);
			return false;
		}
		s->newnames = 0;
		if (read)
			for_each_follower(v)
				adopt(s, v, s->t[v].call.args[arg], name,
				      (size_t)n);
	}
	return set_compare(s);
}

/* Does the component at `p`, of which the path has `n` bytes, equal `name`? */
static bool component_is(const char *p, size_t n, const char *name)
{
	size_t len = strlen(name);

	return n >= len && !memcmp(p, name, len) && (n == len || p[len] == '/');
}

bool newname_translate(const char *name, char *own, size_t n, unsigned int v)
{
	size_t i = 0;
	unsigned int have = known_n < KNOWN_MAX ? known_n : KNOWN_MAX;

	while (i < n) {
		const char *slash;
		bool found = false;

		if (name[i] == own[i]) {
			i++;
			continue;
		}
		slash = memrchr(name, '/', i);
		i = slash ? (size_t)(slash + 1 - name) : 0;
		for (unsigned int j = 1; j <= have && !found; j++) {
			const struct known *k =
				&known[(known_n - j) % KNOWN_MAX];

			found = k->variant == v &&
				component_is(own + i, n - i, k->own) &&
				component_is(name + i, n - i, k->name);
			if (found) {
				memcpy(own + i, k->name, strlen(k->name));
				i += strlen(k->name);
			}
		}
		if (!found)
			return false;
	}
	return true;
}

bool newname_known(struct taskset *s, unsigned int v,
		   const struct ipmon_item *a, const struct ipmon_item *b)
{
	char name[PATH_BYTES], own[PATH_BYTES];

	return known_n && s->row->arg[a->arg].kind == K_PATH &&
	       a->len == b->len && a->len < sizeof(name) &&
	       !mem_read(&s->t[LEADER], name, a->addr, a->len) &&
	       !mem_read(&s->t[v], own, b->addr, b->len) &&
	       newname_translate(name, own, a->len, v) &&
	       !mem_write(&s->t[v], b->addr, own, a->len);
}

uint64_t newname_reported(struct task *t)
{
	const uint64_t *a = t->call.args;
	char name[PATH_BYTES], own[PATH_BYTES];
	struct ipmon_difference x;
	const unsigned char *at;
	const struct ipmon_row *row;
	uint64_t n;

	if (!known_n || mem_read(t, &x, a[5], sizeof(x)))
		return 0;
	row = ipmon_row(x.nr[1]);
	if (!row || x.arg < 0 || x.arg >= row->nargs ||
	    row->arg[x.arg].kind != K_PATH || x.len[0] != x.len[1] ||
	    x.len[1] > sizeof(own) || x.offset >= x.len[1])
		return 0;
	at = fast_leader_bytes(t, &x, &n);
	if (!at || x.at || n < x.len[1])
		return 0;
	n = x.len[1];
	memcpy(name, at, n);
	if (mem_read(t, own, x.addr, n) ||
	    !newname_translate(name, own, n, t->variant) ||
	    mem_write(t, x.addr, own, n) < 0)
		return 0;
	return n - x.offset;
}
