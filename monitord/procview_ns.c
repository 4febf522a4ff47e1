// SPDX-License-Identifier: Apache-2.0
/*
 * The numbers in mounts of proc that belong to other pid namespaces.
 *
 * Theory of operation
 * -------------------
 * What the leader has opened is "/proc/7/maps", and 7 is a process as the pid
 * namespace knows it for which this proc has been mounted: a sandbox mounts one for
 * its own. A namespace and the number in it name a process, and the kernel tells
 * both of any process at any place where it can be seen: ns/pid says which the
 * namespace is that it lives in, and the last number of NSpid is its name there. So
 * the directory is looked up in the leader's root, where that mount is (that it is
 * the same one its device says), and the same is asked of the processes of the tree.
 *
 * Mounts of our own namespace need none of this; there may be several of these, too,
 * each with a device of its own.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "procview.h"
#include "procview_int.h"
#include "tracee.h"

/* What a process is called where it lives. */
struct name {
	char ns[64];			/* "pid:[4026531836]" */
	pid_t nr;
};

static bool read_ns(const char *dir, struct name *n)
{
	char path[PATH_MAX];
	ssize_t len;

	if ((size_t)snprintf(path, sizeof(path), "%s/ns/pid", dir) >=
	    sizeof(path))
		return false;
	len = readlink(path, n->ns, sizeof(n->ns) - 1);
	if (len <= 0)
		return false;
	n->ns[len] = '\0';
	return true;
}

static bool read_nr(const char *dir, struct name *n)
{
	char path[PATH_MAX], line[256], *last;
	FILE *f;

	if ((size_t)snprintf(path, sizeof(path), "%s/status", dir) >=
	    sizeof(path))
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	n->nr = 0;
	while (!n->nr && fgets(line, sizeof(line), f)) {
		last = strncmp(line, "NSpid:", 6) ? NULL : strrchr(line, '\t');
		if (last)
			n->nr = (pid_t)strtoul(last, NULL, 10);
	}
	fclose(f);
	return n->nr != 0;
}

static bool is_called(pid_t tid, const struct name *what)
{
	struct name n;
	char dir[32];

	snprintf(dir, sizeof(dir), "/proc/%d", (int)tid);
	return read_nr(dir, &n) && n.nr == what->nr && read_ns(dir, &n) &&
		!strcmp(n.ns, what->ns);
}

bool view_elsewhere(dev_t dev)
{
	struct stat st;

	return !stat("/proc/self", &st) && st.st_dev != dev;
}

/* `at` becomes the name under which we see the leader's `name`. */
static bool from_here(struct taskset *s, const char *name, dev_t dev,
		      char at[PATH_MAX])
{
	const char *part = name;
	struct stat st;

	/* the name begins at our root, or at that of the leader's mount namespace,
	 * and what it calls its own may be somewhere below */
	for (; part; part = strchr(part + 1, '/'))
		if (snprintf(at, PATH_MAX, "/proc/%d/root%s",
			     (int)s->t[LEADER].tid, part) < PATH_MAX &&
		    !stat(at, &st) && st.st_dev == dev)
			return true;
	return snprintf(at, PATH_MAX, "%s", name) < PATH_MAX &&
		!stat(at, &st) && st.st_dev == dev;
}

pid_t view_number_here(struct taskset *s, const char *dir, dev_t dev)
{
	struct name name, ours;
	const struct taskset *o;
	const struct proc *p;
	char at[PATH_MAX];

	if (!from_here(s, dir, dev, at) || !read_ns(at, &name) ||
	    !read_nr(at, &name))
		return 0;
	if (read_ns("/proc/self", &ours) && !strcmp(ours.ns, name.ns))
		return name.nr;
	LIST_FOREACH(p, &mon.procs, all) {
		for_each_variant(v)
			if (!(p->dead & (1u << v)) && p->pid[v] &&
			    is_called(p->pid[v], &name))
				return p->pid[v];
		LIST_FOREACH(o, &p->sets, in_proc)
			for_each_variant(v)
				if (o->t[v].tid && o->t[v].tid != p->pid[v] &&
				    is_called(o->t[v].tid, &name))
					return o->t[v].tid;
	}
	return -1;
}

int view_open_there(struct taskset *s, const char *name, dev_t dev)
{
	char at[PATH_MAX];

	return from_here(s, name, dev, at) ?
		open(at, O_RDONLY | O_CLOEXEC) : -1;
}

pid_t view_own_number(struct taskset *s)
{
	pid_t pid = s->proc->pid[LEADER];
	char path[64], line[256], *at, *w;
	struct stat st;
	pid_t nr = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/root/proc/.", (int)pid);
	if (stat(path, &st) || !view_elsewhere(st.st_dev))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (!nr && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "NSpid:", 6))
			continue;
		/* one number for each namespace it is in: ours first */
		for (at = line + 6; !nr && (w = strsep(&at, "\t\n"));) {
			pid_t n = (pid_t)strtoul(w, NULL, 10);

			snprintf(path, sizeof(path), "/proc/%d", (int)n);
			if (n && n != pid &&
			    view_number_here(s, path, st.st_dev) == pid)
				nr = n;
		}
	}
	fclose(f);
	return nr;
}

bool view_numbers_are_ours(struct taskset *s, const char *root, dev_t dev)
{
	char at[PATH_MAX], self[32], name[PATH_MAX];
	ssize_t n;

	if (!view_elsewhere(dev))
		return true;
	if ((size_t)snprintf(name, sizeof(name), "%s/self", root) >=
	    sizeof(name))
		return false;
	/* whoever looks there from outside has no number, and `self` leads nowhere */
	if (!from_here(s, root, dev, at) ||
	    strlen(at) + sizeof("/self") > sizeof(at))
		return false;
	strcat(at, "/self");
	n = readlink(at, self, sizeof(self) - 1);
	if (n <= 0)
		return false;
	self[n] = '\0';
	return strtol(self, NULL, 10) == getpid();
}
