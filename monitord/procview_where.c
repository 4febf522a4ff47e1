// SPDX-License-Identifier: Apache-2.0
/*
 * Which file of proc a descriptor of the leader's is of.
 *
 * Theory of operation
 * -------------------
 * A proc can be mounted anywhere, several times, and in parts: what was opened may
 * be called "/x/mem", or whatever somebody called the file it was mounted on. So
 * no name is believed.  What is true of a descriptor is the file system (device),
 * the inode, the mount, and, unless it is the root of that mount, the last
 * component of its link: nobody can rename what is in a proc.
 *
 * If that component is not one of those we care for, that is enough.  Otherwise the
 * file's path within its proc is found: by the place where that proc is usually
 * mounted, or by the mount's root (mountinfo) followed by as many of the last
 * components of the link as it takes.  Each guess is looked up from the root of
 * that proc, without following links or crossing mounts, and holds only if the
 * same inode is found there.  So names can hide a file from us, but not pass for
 * another one; what is hidden is refused.
 *
 * Numbers belong to the pid namespace a proc was mounted for.  In another one than
 * ours a process is told by what its own files there say: the namespace it
 * lives in, and its number in that one. Both are asked of the processes of the
 * tree as well.
 *
 * All of this, and most of what else is known of the program, is read in our own
 * /proc.  A program that may mount things in our mount namespace could cover what
 * is there: it is ended.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include <linux/openat2.h>

#include "procview.h"
#include "procview_int.h"
#include "tracee.h"

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif
#define PROC_ROOT_INO	1
#define DELETED		" (deleted)"
#define DEPTH		8u	/* components of a file of a process, and more */

/* What the kernel says of a descriptor. */
struct place {
	dev_t dev;
	ino_t ino;
	uint64_t mnt;			/* 0: not known */
	mode_t mode;
	bool root;			/* of its mount, or perhaps */
};

/* Descriptor `fd` of task `of`, 0: our own. */
static bool place_of(pid_t of, int fd, struct place *p)
{
	char path[64] = "", line[64];
	struct statx x;
	FILE *f;

	if (of)
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)of, fd);
	if (statx(of ? AT_FDCWD : fd, path, of ? 0 : AT_EMPTY_PATH,
		  STATX_TYPE | STATX_MODE | STATX_INO | STATX_MNT_ID, &x) < 0)
		return false;
	p->dev = makedev(x.stx_dev_major, x.stx_dev_minor);
	p->ino = x.stx_ino;
	p->mode = x.stx_mode;
	p->root = !(x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) ||
		x.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	p->mnt = x.stx_mask & STATX_MNT_ID ? x.stx_mnt_id : 0;
	if (p->mnt)
		return true;
	/* before Linux 5.8 */
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d",
		 (int)(of ? of : getpid()), fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "mnt_id: %lu", &p->mnt) == 1)
			break;
	if (f)
		fclose(f);
	return p->mnt != 0;
}

/* ---- mounts ---- */

struct mount {
	uint64_t id;
	dev_t dev;
	char *root, *at;		/* at: where, from the reader's root */
	bool proc;
};

/* Spaces and the like are written as "\040". */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		unsigned int c = 0;

		if (*s == '\\' && sscanf(s + 1, "%3o", &c) == 1 && c) {
			*to++ = (char)c;
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* A line of mountinfo, which is taken apart. */
static bool mount_parse(char *line, struct mount *m)
{
	char *word[5], *type = strstr(line, " - ");
	unsigned int major, minor;

	for (int i = 0; i < 5; i++) {
		word[i] = strsep(&line, " ");
		if (!word[i])
			return false;
	}
	if (!type || sscanf(word[2], "%u:%u", &major, &minor) != 2)
		return false;
	m->id = strtoul(word[0], NULL, 10);
	m->dev = makedev(major, minor);
	m->root = word[3];
	m->at = word[4];
	m->proc = !strncmp(type, " - proc ", 8);
	unescape(m->root);
	unescape(m->at);
	return true;
}

typedef bool mount_fn(const struct mount *m, pid_t seen_by, void *arg);

/* Until `fn` says true of one. */
static bool each_mount(pid_t pid, mount_fn *fn, void *arg)
{
	char path[64], *line = NULL;
	bool done = false;
	size_t room = 0;
	struct mount m;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	f = fopen(path, "re");
	while (f && !done && getline(&line, &room, f) > 0)
		done = mount_parse(line, &m) && fn(&m, pid, arg);
	if (f)
		fclose(f);
	free(line);
	return done;
}

/* Those the leader sees, else ours, else those of any process: it may have left
 * behind what it came from (chroot). */
static bool any_mount(struct taskset *s, mount_fn *fn, void *arg)
{
	const struct proc *p;

	if (each_mount(s->t[LEADER].tid, fn, arg) ||
	    each_mount(getpid(), fn, arg))
		return true;
	LIST_FOREACH(p, &mon.procs, all)
		if (!p->zombie && p->pid[LEADER] != s->t[LEADER].tid &&
		    each_mount(p->pid[LEADER], fn, arg))
			return true;
	return false;
}

struct root_of {
	uint64_t id;
	char root[PATH_MAX];
};

static bool root_of(const struct mount *m, pid_t seen_by, void *arg)
{
	struct root_of *r = arg;

	(void)seen_by;
	if (m->id != r->id || strlen(m->root) >= sizeof(r->root))
		return false;
	strcpy(r->root, m->root);
	return true;
}

struct which {
	uint64_t id;			/* or */
	dev_t dev;
};

static bool not_proc(const struct mount *m, pid_t seen_by, void *arg)
{
	const struct which *w = arg;

	(void)seen_by;
	return (w->id ? m->id == w->id : m->dev == w->dev) && !m->proc;
}

bool where_not_proc(struct taskset *s, uint64_t id, dev_t dev)
{
	struct which w = { id, dev };

	return any_mount(s, not_proc, &w);
}

/* ---- our own proc ---- */

static bool covers(const struct mount *m, pid_t seen_by, void *arg)
{
	const char *name = m->at + strlen("/proc/");

	(void)seen_by;
	(void)arg;
	return !strncmp(m->at, "/proc/", strlen("/proc/")) &&
		(isdigit((unsigned char)*name) || !strncmp(name, "self", 4) ||
		 !strncmp(name, "thread-self", 11));
}

bool where_covered(void)
{
	char nr[32] = "";
	struct statfs fs;

	return statfs("/proc", &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC ||
		readlink("/proc/self", nr, sizeof(nr) - 1) <= 0 ||
		strtol(nr, NULL, 10) != getpid() ||
		each_mount(getpid(), covers, NULL);
}

/* ---- the root of a proc ---- */

/* A directory on which everything is mounted or nothing: what is found is checked
 * by whoever asks. Nothing is waited for: the program may serve a file system. */
static int open_seen_by(pid_t pid, const char *at)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_CACHED | RESOLVE_NO_SYMLINKS |
			RESOLVE_IN_ROOT,
	};
	char path[64];
	int root, fd;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	at += strspn(at, "/");
	if (!*at)
		at = ".";
	fd = (int)syscall(SYS_openat2, root, at, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EINVAL))
		fd = openat(root, at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	close(root);
	return fd;
}

struct proc_root {
	dev_t dev;
	int fd;
	struct place at;
};

static bool is_root(struct proc_root *r)
{
	if (r->fd < 0)
		return false;
	if (place_of(0, r->fd, &r->at) && r->at.dev == r->dev &&
	    r->at.ino == PROC_ROOT_INO)
		return true;
	close(r->fd);
	r->fd = -1;
	return false;
}

static bool whole(const struct mount *m, pid_t seen_by, void *arg)
{
	struct proc_root *r = arg;

	if (m->dev != r->dev || strcmp(m->root, "/"))
		return false;
	r->fd = open_seen_by(seen_by, m->at);
	return is_root(r);
}

/* Is it the one we have our numbers from? */
static bool our_root(struct proc_root *r)
{
	r->fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return is_root(r);
}

/* What lies there in that very mount, as O_PATH; -1. */
static int walk(const struct proc_root *r, const char *name)
{
	char path[PATH_MAX], *at = path, *w;
	struct place p;
	int fd, next;

	if (strlen(name) >= sizeof(path))
		return -1;
	strcpy(path, name);
	fd = fcntl(r->fd, F_DUPFD_CLOEXEC, 0);
	while (fd >= 0 && (w = strsep(&at, "/"))) {
		next = *w && strcmp(w, ".") && strcmp(w, "..") ?
			openat(fd, w, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
		close(fd);
		fd = next;
	}
	if (fd >= 0 && (!place_of(0, fd, &p) || p.mnt != r->at.mnt ||
			p.dev != r->at.dev)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool lies_at(const struct proc_root *r, const char *name,
		    const struct place *what)
{
	int fd = walk(r, name);
	struct place p;
	bool same;

	if (fd < 0)
		return false;
	same = place_of(0, fd, &p) && p.ino == what->ino &&
		(p.mode & S_IFMT) == (what->mode & S_IFMT);
	close(fd);
	return same;
}

/* ---- names ---- */

/* Where the last n components of a path begin; NULL: it has not so many. */
static const char *last(const char *path, unsigned int n)
{
	const char *at = path + strlen(path);

	for (; n; n--) {
		while (at > path && at[-1] != '/')
			at--;
		if (at == path)
			return NULL;
		if (n > 1)
			at--;
	}
	return at;
}

static bool number(const char *w, pid_t *n)
{
	const char *at = w;

	if (!w || !*w)
		return false;
	while (isdigit((unsigned char)*at))
		at++;
	*n = (pid_t)strtoul(w, NULL, 10);
	return !*at;
}

/* "PID/NAME", "PID/task/TID/NAME", or such without the NAME. */
static bool of_process(const char *name, struct opened *o)
{
	char path[PATH_MAX], *at = path, *w;

	strcpy(path, name);
	if (!number(strsep(&at, "/"), &o->pid))
		return false;
	w = strsep(&at, "/");
	if (w && !strcmp(w, "task")) {
		w = strsep(&at, "/");
		if (w && number(w, &o->tid))
			w = strsep(&at, "/");
	}
	o->kind = w && !at ? view_kind(w) : VIEW_NONE;
	return true;
}

/* ---- numbers of other pid namespaces ---- */

/* What a process is called where it lives. */
struct inner {
	uint64_t ns;
	pid_t nr;
};

static bool inner_nr(const char *status, struct inner *n)
{
	FILE *f = fopen(status, "re");
	char line[512], *tab;

	n->nr = 0;
	while (f && !n->nr && fgets(line, sizeof(line), f)) {
		tab = strncmp(line, "NSpid:", 6) ? NULL : strrchr(line, '\t');
		if (tab)
			n->nr = (pid_t)strtoul(tab, NULL, 10);
	}
	if (f)
		fclose(f);
	return n->nr != 0;
}

static bool inner_ns(int dir, const char *name, struct inner *n)
{
	char link[64];
	ssize_t len = readlinkat(dir, name, link, sizeof(link) - 1);

	if (len <= 0)
		return false;
	link[len] = '\0';
	return sscanf(link, "pid:[%lu]", &n->ns) == 1;
}

static bool inner_here(pid_t tid, struct inner *n)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)tid);
	if (!inner_ns(AT_FDCWD, path, n))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	return inner_nr(path, n);
}

/* They do not change as long as the task lives. */
static bool inner_task(struct task *t, struct inner *n)
{
	if (t->inner_of != t->tid) {
		if (!inner_here(t->tid, n))
			return false;
		t->inner_of = t->tid;
		t->inner_ns = n->ns;
		t->inner_nr = n->nr;
	}
	n->ns = t->inner_ns;
	n->nr = t->inner_nr;
	return true;
}

/* The process or thread whose directory is `name`, as we number it; -1: none of ours
 * or the tree's, 0: not known. */
static pid_t number_here(const struct proc_root *r, const char *name)
{
	char path[64], at[64];
	struct inner there, n;
	struct taskset *o;
	struct proc *p;
	bool known;
	int fd;

	snprintf(path, sizeof(path), "%s/ns/pid", name);
	fd = walk(r, path);
	known = fd >= 0 && inner_ns(fd, "", &there);
	if (fd >= 0)
		close(fd);
	if (!known)
		return 0;
	snprintf(path, sizeof(path), "%s/status", name);
	fd = walk(r, path);
	snprintf(at, sizeof(at), "/proc/self/fd/%d", fd);
	known = fd >= 0 && inner_nr(at, &there);
	if (fd >= 0)
		close(fd);
	if (!known)
		return 0;
	if (inner_ns(AT_FDCWD, "/proc/self/ns/pid", &n) && n.ns == there.ns)
		return there.nr;
	LIST_FOREACH(p, &mon.procs, all) {
		LIST_FOREACH(o, &p->sets, in_proc)
			for_each_variant(v)
				if (o->t[v].tid &&
				    inner_task(&o->t[v], &n) &&
				    n.ns == there.ns && n.nr == there.nr)
					return o->t[v].tid;
		/* one whose first thread has ended */
		for_each_variant(v)
			if (!(p->dead & (1u << v)) && !task_find(p->pid[v]) &&
			    inner_here(p->pid[v], &n) && n.ns == there.ns &&
			    n.nr == there.nr)
				return p->pid[v];
	}
	return -1;
}

static void numbers_here(const struct proc_root *r, struct opened *o)
{
	pid_t pid = o->pid;
	char name[64];

	snprintf(name, sizeof(name), "%d", (int)pid);
	o->pid = number_here(r, name);
	if (o->tid) {
		snprintf(name, sizeof(name), "%d/task/%d", (int)pid,
			 (int)o->tid);
		o->tid = number_here(r, name);
		if (!o->tid)
			o->pid = 0;
	}
	/* a thread that has just ended */
	if (o->tid < 0)
		o->pid = 0;
	o->elsewhere = true;
}

/* ---- all of it ---- */

/* Its path within its proc goes to `name`: some components of `link` behind `root`. */
static bool path_within(const struct proc_root *r, const struct place *p,
			const char *root, const char *link,
			char name[PATH_MAX])
{
	root += strspn(root, "/");
	for (unsigned int n = 0; n < DEPTH; n++) {
		const char *rest = last(link, n);
		int len;

		if (!rest)
			break;
		len = snprintf(name, PATH_MAX, "%s%s%s", root,
			       *root && *rest ? "/" : "", rest);
		if (len > 0 && len < PATH_MAX && lies_at(r, name, p))
			return true;
	}
	return false;
}

static enum where found(const struct proc_root *r, const char *name, bool ours,
			struct opened *o)
{
	if (!of_process(name, o))
		return WHERE_PLAIN;
	if (!ours && o->kind)
		numbers_here(r, o);
	return o->pid && (ours || o->kind) ? WHERE_PROCESS :
		o->kind ? WHERE_UNKNOWN : WHERE_PLAIN;
}

static enum where look(struct taskset *s, const struct place *p,
		       const char *link, struct proc_root *r, bool ours,
		       struct opened *o)
{
	bool usual = ours && !strncmp(link, "/proc/", 6);
	const char *leaf = *link ? last(link, 1) : NULL;
	struct root_of mnt = { .id = p->mnt };
	char name[PATH_MAX];

	if (p->ino == PROC_ROOT_INO && S_ISDIR(p->mode))
		return WHERE_PLAIN;
	if (usual && !p->root && leaf && !view_kind(leaf))
		return found(r, link + 6, true, o);
	if (usual && lies_at(r, link + 6, p))
		return found(r, link + 6, true, o);
	if (p->root || ours || !leaf || view_kind(leaf))
		any_mount(s, root_of, &mnt);
	if (p->root)
		leaf = *mnt.root ? last(mnt.root, 1) : NULL;
	/* a directory without a name is that of the mapped files if anything */
	o->kind = leaf ? view_kind(leaf) :
		S_ISREG(p->mode) || (p->mode & 07777) == 0500 ?
		VIEW_REFUSED : VIEW_NONE;
	if (!o->kind && !ours)
		return WHERE_PLAIN;
	if (r->fd < 0)
		any_mount(s, whole, r);
	if (r->fd >= 0 && *mnt.root &&
	    path_within(r, p, mnt.root, link, name))
		return found(r, name, ours, o);
	return o->kind ? WHERE_UNKNOWN : WHERE_PLAIN;
}

enum where where_opened(struct taskset *s, int fd, struct opened *o)
{
	pid_t tid = s->t[LEADER].tid;
	struct proc_root r = { .fd = -1 };
	char path[64], link[PATH_MAX];
	enum where w;
	struct place p;
	ssize_t n;
	bool ours;

	memset(o, 0, sizeof(*o));
	o->kind = VIEW_REFUSED;
	if (!place_of(tid, fd, &p))
		return WHERE_UNKNOWN;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)tid, fd);
	n = readlink(path, link, sizeof(link));
	/* one that is too long says nothing: as if it had no name */
	if (n <= 0 || n == sizeof(link)) {
		n = 0;
		p.root = true;
	}
	link[n] = '\0';
	/* its process has ended, which need not be all of it */
	if ((size_t)n > strlen(DELETED) &&
	    !strcmp(link + n - strlen(DELETED), DELETED))
		link[(size_t)n - strlen(DELETED)] = '\0';
	r.dev = p.dev;
	ours = our_root(&r);
	o->kind = VIEW_NONE;
	w = look(s, &p, link, &r, ours, o);
	if (r.fd >= 0)
		close(r.fd);
	return w;
}

bool where_numbers_ours(struct taskset *s, int fd)
{
	struct proc_root r = { .fd = leader_getfd(s, fd) };
	struct place p;
	char nr[32];
	ssize_t n;
	int self;

	if (r.fd < 0)
		return false;
	if (!place_of(0, r.fd, &p))
		p.ino = 0;
	r.dev = p.dev;
	self = p.ino == PROC_ROOT_INO && is_root(&r) ? walk(&r, "self") : -1;
	if (r.fd >= 0)
		close(r.fd);
	if (self < 0)
		return false;
	n = readlinkat(self, "", nr, sizeof(nr) - 1);
	close(self);
	if (n <= 0)
		return false;
	nr[n] = '\0';
	return strtol(nr, NULL, 10) == getpid();
}
