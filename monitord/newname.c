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
 * A call that creates a file or directory *which must not exist yet* does not
 * depend on what the random part of the name is: any free name will do.  So
 * when the variants ask to create names which are equal except for one run of
 * at least six letters and digits in the last component, the leader's choice
 * is everybody's choice: it is written over the followers' strings, in the
 * very buffer the program will go on using, before the call is compared.
 *
 * What this gives up: a difference between variants in such a run goes
 * unnoticed at this call.  Directory, prefix, suffix and length are compared
 * as ever, and what the program does with the name afterwards is equal in all
 * variants or a divergence.  It is stated in the threat model.
 */
#include <fcntl.h>
#include <string.h>

#include "monitor.h"
#include "newname.h"
#include "tracee.h"

#define PATH_BYTES 4096u

static bool alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

bool newname_differs(const char *a, const char *b, size_t n)
{
	size_t first = 0, end = n;

	while (first < n && a[first] == b[first])
		first++;
	if (first == n)
		return false;
	while (a[end - 1] == b[end - 1])
		end--;
	/* [first, end) differs: all of it must be letters and digits ... */
	for (size_t i = first; i < end; i++)
		if (!alnum(a[i]) || !alnum(b[i]))
			return false;
	/* ... of the last component ... */
	if (memchr(a + end, '/', n - end))
		return false;
	/* ... in a run long enough, whose ends the variants may share */
	while (first && alnum(a[first - 1]))
		first--;
	while (end < n && alnum(a[end]))
		end++;
	return end - first >= NEWNAME_RUN;
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

static void adopt(struct taskset *s, unsigned int v, uint64_t addr,
		  const char *name, size_t n)
{
	static bool said;
	char own[PATH_BYTES];
	struct task *t = &s->t[v];

	/* the terminator is part of what must be equal */
	if (mem_read(t, own, addr, n + 1) < 0 || own[n] ||
	    !newname_differs(name, own, n) ||
	    mem_write(t, addr, name, n) < 0)
		return;
	mon.count.newnames++;
	if (!said)
		verbose("process %d: variants invented different names for a new file; they get the leader's",
			(int)s->proc->vpid);
	said = true;
}

bool newname_compare(struct taskset *s)
{
	int arg = created_path(s);
	char name[PATH_BYTES];

	if (arg >= 0 && mon.live != 1u << LEADER) {
		struct task *lead = &s->t[LEADER];
		uint64_t addr = lead->call.args[arg];
		long n = mem_strnlen(lead, addr, sizeof(name) - 1);

		if (n >= (long)NEWNAME_RUN &&
		    !mem_read(lead, name, addr, (size_t)n))
			for_each_follower(v)
				adopt(s, v, s->t[v].call.args[arg], name,
				      (size_t)n);
	}
	return set_compare(s);
}
