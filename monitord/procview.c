// SPDX-License-Identifier: Apache-2.0
/*
 * What the program sees of itself in /proc.
 *
 * Theory of operation
 * -------------------
 * The leader opens and reads files, so a program that looks at its own maps
 * would see the leader's addresses in all variants, and the monitor's traces.
 * Hence the views: after the leader has opened such a file of a process of
 * the tree, its descriptor is replaced (dup3 onto the same number, by injected
 * calls) by a memfd with the text the leader shall see.  The descriptor is
 * an ordinary one of the leader from then on: dup, fork, exec, lseek, poll
 * and SCM_RIGHTS need no attention.  The texts of followers are kept here,
 * under the memfd's inode.  When the leader reads from that inode, followers
 * get the same number of bytes from the same position of their own text.
 *
 * Which file was opened is asked of the kernel (procview_where.c), not of the path
 * the program used: symbolic links, relative paths, /proc/self/fd/N and mounts of
 * whole procs or parts of them are all the same.
 *
 * A file of another pid namespace's proc is kept, if it has numbers of processes
 * in its text: that is where they come from.
 *
 * A program that keeps such a file open and reads it again from the start
 * expects fresh content: the texts are then made anew.
 *
 * Refused: mem, pagemap and map_files of the program's processes, and of the
 * monitor's (EACCES).  Not there: processes of followers (ENOENT).
 *
 * What is not text, its size and the like, and what such a file cannot do:
 * procview_meta.c.
 *
 * monitord holds each memfd, so an inode is never taken for another.  Closing is
 * not tracked; views no leader process has open any more are found by looking,
 * once there are many, or when many reads missed.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include "fast_fd.h"
#include "procview.h"
#include "procview_int.h"
#include "procview_text.h"
#include "shadow.h"
#include "tracee.h"

#define MISSES 256u

static LIST_HEAD(, view) views = LIST_HEAD_INITIALIZER(views);
static unsigned int n_views, threshold = 32, misses;

bool view_active(void)
{
	return !LIST_EMPTY(&views);
}

struct view *view_find(const struct stat *st)
{
	struct view *w;

	LIST_FOREACH(w, &views, all)
		if (w->ino == st->st_ino && w->dev == st->st_dev)
			return w;
	return NULL;
}

bool view_is(const struct stat *st)
{
	return view_find(st) != NULL;
}

/* ---- collecting closed ones ---- */

static void mark(const struct proc *p)
{
	char path[64];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)p->pid[LEADER]);
	d = opendir(path);
	if (!d)
		return;
	while ((e = readdir(d))) {
		struct stat st;
		struct view *w;

		if (!isdigit((unsigned char)e->d_name[0]) ||
		    fstatat(dirfd(d), e->d_name, &st, 0) < 0)
			continue;
		w = view_find(&st);
		if (w)
			w->used = true;
	}
	closedir(d);
}

static void view_free(struct view *w)
{
	LIST_REMOVE(w, all);
	n_views--;
	close(w->fd);
	if (w->real >= 0)
		close(w->real);
	text_free(w->text);
	free(w);
}

static void collect(void)
{
	struct view *w, *next;
	struct proc *p;

	LIST_FOREACH(w, &views, all)
		w->used = false;
	LIST_FOREACH(p, &mon.procs, all)
		if (!p->zombie)
			mark(p);
	for (w = LIST_FIRST(&views); w; w = next) {
		next = LIST_NEXT(w, all);
		if (!w->used)
			view_free(w);
	}
	misses = 0;
	threshold = n_views < 16 ? 32 : n_views * 2;
}

void view_let_go(void)
{
	struct view *w;

	LIST_FOREACH(w, &views, all)
		if (w->real >= 0)
			break;
	if (w)
		collect();
}

/* ---- whose ---- */

static struct proc *proc_by_pid(pid_t pid, unsigned int *variant)
{
	struct task *t = task_find(pid);
	struct proc *p;

	if (t) {
		*variant = t->variant;
		return t->set->proc;
	}
	LIST_FOREACH(p, &mon.procs, all)
		for (unsigned int v = 0; v < mon.n; v++)
			if (p->pid[v] == pid && !(p->dead & (1u << v))) {
				*variant = v;
				return p;
			}
	return NULL;
}

/* ---- replacing the leader's descriptor ---- */

static void leader_close(struct taskset *s, int64_t fd)
{
	if (fd >= 0)
		task_inject(&s->t[LEADER], SYS_close, (uint64_t)fd, 0, 0, 0, 0,
			    0);
}

/* 0, or -errno with the descriptor closed */
static int refuse_open(struct taskset *s, int64_t fd, int err)
{
	leader_close(s, fd);
	return -err;
}

static int put_text(int fd, const struct text *t)
{
	size_t done = 0;

	if (ftruncate(fd, (off_t)t->len) < 0)
		return -errno;
	while (done < t->len) {
		ssize_t n = pwrite(fd, t->p + done, t->len - done, (off_t)done);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

/*
 * Make descriptor `fd` of the leader a view. `flags` are its present ones, as
 * in fdinfo. 0 or -errno (then the descriptor is as before).
 */
static int substitute(struct taskset *s, int fd, int flags, struct view *w)
{
	struct task *t = &s->t[LEADER];
	uint64_t at = s->proc->mm->scratch[LEADER] + SCRATCH_BIG_OFFSET;
	int64_t made, ro, r;
	char path[64] = "proc";
	struct stat st;

	if (mem_write(t, at, path, sizeof(path)) < 0)
		return -EFAULT;
	made = task_inject(t, SYS_memfd_create, at, MFD_CLOEXEC, 0, 0, 0, 0);
	if (made == -EMFILE) {
		/* its last number went to this open: take that */
		leader_close(s, fd);
		made = task_inject(t, SYS_memfd_create, at, MFD_CLOEXEC, 0, 0,
				   0, 0);
	}
	if (made < 0)
		return (int)made;
	w->fd = leader_getfd(s, (int)made);
	r = w->fd < 0 ? w->fd : put_text(w->fd, &w->text[LEADER]);
	if (!r && fstat(w->fd, &st) < 0)
		r = -errno;
	if (r < 0)
		goto out;
	w->dev = st.st_dev;
	w->ino = st.st_ino;
	/* a read-only description, as the program's is; without /proc in its
	 * root, or a number to spare, the writable one has to do */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", (int)made);
	ro = -1;
	if (!mem_write(t, at, path, sizeof(path)))
		ro = task_inject(t, SYS_open, at,
				 O_RDONLY | O_CLOEXEC | (flags & O_NONBLOCK),
				 0, 0, 0, 0);
	fchmod(w->fd, 0444);
	if (made == fd)
		return task_inject(t, SYS_fcntl, (uint64_t)fd, F_SETFD,
				   flags & O_CLOEXEC ? FD_CLOEXEC : 0, 0, 0, 0)
			< 0 ? -EIO : 0;
	r = task_inject(t, SYS_dup3, (uint64_t)(ro >= 0 ? ro : made),
			(uint64_t)fd, (uint64_t)(flags & O_CLOEXEC), 0, 0, 0);
	leader_close(s, ro);
	if (r > 0)
		r = 0;
out:
	leader_close(s, made);
	if (r < 0 && w->fd >= 0)
		close(w->fd);
	return (int)r;
}

/* ---- open ---- */

void open_start(struct taskset *s)
{
	set_leader_go(s);
}

/* Do all variants see just what the real file shows? */
static bool nothing_to_change(pid_t pid, const struct text text[MAX_VARIANTS])
{
	struct text real = { 0 };
	bool same = view_slurp(pid, "environ", &real) == 0;

	for_each_variant(v)
		if (text[v].len != real.len ||
		    memcmp(text[v].p, real.p, real.len))
			same = false;
	free(real.p);
	return same;
}

static struct taskset *set_of(struct proc *p, pid_t tid)
{
	struct task *t = tid ? task_find(tid) : NULL;

	return t && t->set->proc == p && t->variant == LEADER ? t->set : NULL;
}

static int fd_flags(struct taskset *s, int fd)
{
	char path[64], line[64];
	int flags = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d",
		 (int)s->t[LEADER].tid, fd);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "flags: %o", (unsigned int *)&flags) == 1)
			break;
	fclose(f);
	return flags;
}

/* Does the leader's file hide the addresses from it? They are read with our rights. */
static bool stat_masked(struct taskset *s, int fd)
{
	uint64_t at = s->proc->mm->scratch[LEADER] + SCRATCH_BIG_OFFSET;
	struct task *t = &s->t[LEADER];
	char text[2048], *field;
	int64_t n = task_inject(t, SYS_pread64, (uint64_t)fd, at,
				sizeof(text) - 1, 0, 0, 0);

	if (n <= 0 || n >= (int64_t)sizeof(text) ||
	    mem_read(t, text, at, (size_t)n) < 0)
		return true;
	text[n] = '\0';
	/* "PID (NAME) STATE ...": the 26th is 0 for one without memory */
	field = strrchr(text, ')');
	for (int i = 2; field && i < 26; i++)
		field = strchr(field + 1, ' ');
	return !field || strtoul(field, NULL, 10) == 1;
}

/* One that has not come into the list. */
static void view_drop(struct view *w)
{
	if (w->real >= 0)
		close(w->real);
	text_free(w->text);
	free(w);
}

/* A file of process p has been opened: the result the program shall see. */
static int64_t view_open(struct taskset *s, int fd, struct proc *p,
			 const struct opened *o)
{
	struct taskset *of = set_of(p, o->tid);
	struct view *w;
	int flags = fd_flags(s, fd), r;

	if (flags < 0 || flags & O_PATH)
		return fd;
	if (n_views >= threshold)
		collect();
	w = calloc(1, sizeof(*w));
	if (!w)
		return fd;
	w->kind = o->kind == VIEW_STAT && stat_masked(s, fd) ?
		VIEW_STAT_MASKED : o->kind;
	w->proc = p->id;
	w->set = of ? of->id : 0;
	w->real = -1;
	if (o->elsewhere &&
	    (o->kind == VIEW_STAT || o->kind == VIEW_STATUS)) {
		w->real = leader_getfd(s, fd);
		if (w->real < 0) {
			r = w->real;
			view_drop(w);
			return refuse_open(s, fd, -r);
		}
	}
	r = view_texts(p, of, w->real, w->kind, w->text);
	if (r < 0) {
		/* it has just ended: what the kernel has to say is enough */
		view_drop(w);
		return fd;
	}
	if (o->kind == VIEW_ENVIRON &&
	    nothing_to_change(p->pid[LEADER], w->text)) {
		view_drop(w);
		return fd;
	}
	view_note_file(s, fd, w);
	r = substitute(s, fd, flags, w);
	if (r < 0) {
		view_drop(w);
		return refuse_open(s, fd, -r);
	}
	LIST_INSERT_HEAD(&views, w, all);
	n_views++;
	return fd;
}

/* A process that has ended leaves files in which there is nothing. */
static bool reads_nothing(struct taskset *s, int fd)
{
	int own = leader_getfd(s, fd);
	ssize_t n;
	char c;

	if (own < 0)
		return false;
	n = pread(own, &c, 1, 0);
	close(own);
	return n <= 0;
}

static int64_t check_open(struct taskset *s, int fd)
{
	unsigned int variant = 0;
	char path[64];
	struct opened o;
	struct statfs fs;
	struct proc *p;
	enum where where;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d",
		 (int)s->t[LEADER].tid, fd);
	if (statfs(path, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC) {
		fast_fd_set(s, fd, false);
		return fd;
	}
	fast_fd_set(s, fd, true);
	where = where_opened(s, fd, &o);
	if (where == WHERE_PLAIN)
		return fd;
	if (where == WHERE_UNKNOWN) {
		if (o.kind != VIEW_REFUSED && reads_nothing(s, fd))
			return fd;
		refuse(s, "a file of proc in a mount that cannot be found, which may be of the program's own processes");
		return refuse_open(s, fd, EACCES);
	}
	p = proc_by_pid(o.pid, &variant);
	if (p && variant != LEADER)
		return refuse_open(s, fd, ENOENT);
	if (o.kind == VIEW_REFUSED) {
		if (!p && o.pid != getpid() && o.pid != getppid())
			return fd;
		refuse(s, "memory of the program's own processes");
		return refuse_open(s, fd, EACCES);
	}
	if (!p || o.kind == VIEW_NONE)
		return fd;
	return view_open(s, fd, p, &o);
}

void open_done(struct taskset *s, int64_t ret)
{
	if (ret >= 0) {
		shadow_file_changed(s, 0);
		ret = check_open(s, (int)ret);
	}
	set_finish(s, ret);
}

/* ---- reading ---- */

static bool position(struct taskset *s, int fd, int64_t *pos)
{
	char path[64], line[64];
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d",
		 (int)s->t[LEADER].tid, fd);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(line, sizeof(line), f) && sscanf(line, "pos: %ld", pos) == 1;
	fclose(f);
	return ok;
}

/* Fill variant v's output spans with `n` bytes of its text at `off`. */
static int fill(struct taskset *s, unsigned int v, const struct text *text,
		uint64_t off, uint64_t n)
{
	const struct items *it = &s->t[v].items;

	for (unsigned int i = 0; i < it->n && n; i++) {
		const struct ipmon_item *k = &it->v[i];
		uint64_t len = k->len < n ? k->len : n;

		if (k->type != IT_OUT || !k->addr)
			continue;
		if (off + len > text->len)
			return -EIO;
		if (mem_write(&s->t[v], k->addr, text->p + off, len) < 0)
			return -EFAULT;
		off += len;
		n -= len;
	}
	return 0;
}

/*
 * Read again from the start: make the texts anew.  The bytes the leader just
 * got are replaced too; their number stays, so a text that has become shorter
 * is padded.
 */
static void renew(struct taskset *s, struct view *w, uint64_t n)
{
	struct text text[MAX_VARIANTS];
	struct taskset *of = NULL, *t;
	struct proc *p;

	LIST_FOREACH(p, &mon.procs, all)
		if (p->id == w->proc)
			break;
	if (!p || p->zombie)
		return;
	if (w->set) {
		LIST_FOREACH(t, &p->sets, in_proc)
			if (t->id == w->set)
				of = t;
		if (!of)
			return;
	}
	if (view_texts(p, of, w->real, w->kind, text) < 0)
		return;
	for_each_variant(v) {
		size_t at = text[v].len;

		/* blanks go before the last newline */
		if (at && view_fill(w->kind) == ' ' &&
		    text[v].p[at - 1] == '\n')
			at--;
		if (text[v].len < n &&
		    text_insert(&text[v], at, n - text[v].len,
				view_fill(w->kind)) < 0) {
			text_free(text);
			return;
		}
	}
	if (put_text(w->fd, &text[LEADER]) < 0 ||
	    fill(s, LEADER, &text[LEADER], 0, n) < 0) {
		text_free(text);
		return;
	}
	text_free(w->text);
	memcpy(w->text, text, sizeof(text));
}

int view_replicate(struct taskset *s, int64_t ret)
{
	const struct call *c = &s->t[LEADER].call;
	int fd = (int)c->args[0];
	struct view *w;
	char path[64];
	struct stat st;
	int64_t off;

	if (ret <= 0)
		return 0;
	switch (c->nr) {
	case SYS_pread64:
	case SYS_preadv:
		off = (int64_t)c->args[3];
		break;
	case SYS_preadv2:
		off = (int64_t)c->args[3] == -1 ? -1 : (int64_t)c->args[3];
		break;
	case SYS_read:
	case SYS_readv:
		off = -1;
		break;
	default:
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/%d",
		 (int)s->t[LEADER].tid, fd);
	w = stat(path, &st) < 0 ? NULL : view_find(&st);
	if (!w) {
		if (++misses >= MISSES)
			collect();
		return 0;
	}
	if (off < 0) {
		if (!position(s, fd, &off) || off < ret)
			return 0;
		off -= ret;
	}
	if (!off && w->read)
		renew(s, w, (uint64_t)ret);
	w->read = true;
	for_each_follower(v) {
		int r = fill(s, v, &w->text[v], (uint64_t)off, (uint64_t)ret);

		if (r < 0)
			return r;
	}
	return 1;
}

/* ---- hiding followers ---- */

bool view_hidden_pid(pid_t pid)
{
	unsigned int variant = LEADER;

	return proc_by_pid(pid, &variant) && variant != LEADER;
}
