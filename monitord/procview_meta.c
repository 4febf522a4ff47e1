// SPDX-License-Identifier: Apache-2.0
/*
 * What a view is, other than its text.
 *
 * Theory of operation
 * -------------------
 * The descriptor of a view is one of a memfd: it has a size, can be mapped, and is
 * called memfd.  A file of /proc has none, and cannot do most of what a file can.
 * What the file was that the program has opened is noted before its descriptor is
 * replaced.  Calls that a file of /proc refuses get its error; calls that describe
 * a file are made, and if it was a view that is described (by descriptor, or by its
 * name in /proc/PID/fd), the answer is changed to what has been noted.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/fs.h>
#include <linux/magic.h>

#include "procview.h"
#include "procview_int.h"
#include "tracee.h"

#define MEMFD_LINK	"/memfd:proc (deleted)"

void view_note_file(struct taskset *s, int fd, struct view *w)
{
	static const int whence[3] = { SEEK_END, SEEK_DATA, SEEK_HOLE };
	char path[64];
	ssize_t n;
	int own;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d",
		 (int)s->t[LEADER].tid, fd);
	if (stat(path, &w->st) < 0)
		memset(&w->st, 0, sizeof(w->st));
	if (statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &w->stx) < 0)
		memset(&w->stx, 0, sizeof(w->stx));
	n = readlink(path, w->link, sizeof(w->link));
	/* a name that is cut off is none */
	w->link[n > 0 && (size_t)n < sizeof(w->link) ? n : 0] = '\0';
	own = leader_getfd(s, fd);
	/* the position moves: nobody will read there any more */
	for (int i = 0; own >= 0 && i < 3; i++)
		w->no_seek[i] = lseek(own, 0, whence[i]) < 0 ? errno : 0;
	if (own >= 0)
		close(own);
}

/* ---- what a file of /proc cannot do ---- */

static struct view *view_of(const struct taskset *s, unsigned int arg)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d",
		 (int)s->t[LEADER].tid, (int)s->t[LEADER].call.args[arg]);
	return stat(path, &st) ? NULL : view_find(&st);
}

/* Could something be moved to this descriptor?  Otherwise the kernel has an
 * answer of its own. */
static bool can_take(struct taskset *s, unsigned int arg, mode_t type)
{
	int fd = leader_getfd(s, (int)s->t[LEADER].call.args[arg]);
	struct stat st;
	bool can;

	if (fd < 0)
		return false;
	can = (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY && !fstat(fd, &st) &&
		(!type || (st.st_mode & S_IFMT) == type);
	close(fd);
	return can;
}

static int refuses(struct taskset *s, int64_t *ret)
{
	const uint64_t *a = s->t[LEADER].call.args;
	const struct view *w;
	char name;
	int err;

	switch (s->t[LEADER].call.nr) {
	case SYS_splice:
		if (!view_of(s, 0) || !a[4] || a[3] || !can_take(s, 2, S_IFIFO))
			return 0;
		return EINVAL;
	case SYS_copy_file_range:
		/* a view lies in the file system of memfds */
		if (!view_of(s, 0) || a[5] || !can_take(s, 2, S_IFREG))
			return 0;
		return EXDEV;
	case SYS_sendfile:
		if (!view_of(s, 1) || !a[3] || !can_take(s, 0, 0))
			return 0;
		return EINVAL;
	case SYS_fsync:
	case SYS_fdatasync:
		err = EINVAL;
		break;
	case SYS_fchmod:
		err = EPERM;
		break;
	case SYS_fsetxattr:
	case SYS_fgetxattr:
	case SYS_fremovexattr:
		err = EOPNOTSUPP;
		break;
	case SYS_lseek:
		/* SEEK_END, SEEK_DATA, SEEK_HOLE */
		if ((uint32_t)a[2] - SEEK_END > SEEK_HOLE - SEEK_END)
			return 0;
		w = view_of(s, 0);
		if (!w || w->no_seek[(uint32_t)a[2] - SEEK_END])
			return w ? w->no_seek[(uint32_t)a[2] - SEEK_END] : 0;
		/* it ends where it begins, like all files of /proc */
		if ((uint32_t)a[2] != SEEK_END)
			return 0;
		*ret = task_inject(&s->t[LEADER], SYS_lseek, a[0], a[1],
				   SEEK_SET, 0, 0, 0);
		return 0;
	case SYS_fcntl:
		if ((uint32_t)a[1] != F_GET_SEALS &&
		    ((uint32_t)a[1] != F_SETFL || !(a[2] & O_DIRECT)))
			return 0;
		err = EINVAL;
		break;
	case SYS_ioctl:
		switch ((uint32_t)a[1]) {
		case FS_IOC_GETFLAGS: case FS_IOC_SETFLAGS:
		case FS_IOC_FSGETXATTR: case FS_IOC_FSSETXATTR:
			break;
		default:
			return 0;
		}
		err = ENOTTY;
		break;
	case SYS_name_to_handle_at:
		if (!(a[4] & AT_EMPTY_PATH) ||
		    mem_read(&s->t[LEADER], &name, a[1], 1) || name)
			return 0;
		err = EOPNOTSUPP;
		break;
	case SYS_pwrite64:
	case SYS_pwritev:
	case SYS_pwritev2:
		/* a text that is made as it is read has no positions */
		if ((int64_t)a[3] < 0)
			return 0;
		w = view_of(s, 0);
		return w && w->no_seek[0] ? ESPIPE : 0;
	default:
		return 0;
	}
	return view_of(s, 0) ? err : 0;
}

bool view_answers(struct taskset *s)
{
	int64_t ret = INT64_MIN;
	int err = refuses(s, &ret);

	if (err)
		ret = -err;
	if (ret == INT64_MIN)
		return false;
	set_finish(s, ret);
	return true;
}

/* ---- descriptions ---- */

static void describe(struct taskset *s, uint64_t at)
{
	struct task *t = &s->t[LEADER];
	const struct view *w;
	struct stat st;

	if (mem_read(t, &st, at, sizeof(st)))
		return;
	w = view_find(&st);
	if (w && w->st.st_ino)
		mem_write(t, at, &w->st, sizeof(st));
}

static void describe_x(struct taskset *s, uint64_t at)
{
	struct task *t = &s->t[LEADER];
	const struct view *w;
	struct statx x;
	struct stat st = { 0 };

	if (mem_read(t, &x, at, sizeof(x)) || !(x.stx_mask & STATX_INO))
		return;
	st.st_dev = makedev(x.stx_dev_major, x.stx_dev_minor);
	st.st_ino = x.stx_ino;
	w = view_find(&st);
	if (!w || !w->stx.stx_ino)
		return;
	mem_write(t, at, &w->stx, sizeof(w->stx));
}

static void describe_fs(struct taskset *s, uint64_t at)
{
	struct statfs fs;

	if (view_of(s, 0) && !statfs("/proc", &fs) &&
	    fs.f_type == PROC_SUPER_MAGIC)
		mem_write(&s->t[LEADER], at, &fs, sizeof(fs));
}

/* The view that this name of the leader's, ".../fd/N" or /proc/PID/fd/N, is of. */
static struct view *named(struct taskset *s, uint64_t at)
{
	pid_t pid = s->t[LEADER].tid;
	char name[64], path[64], *fd, *who;
	const struct proc *p;
	struct stat st;
	long n;

	n = mem_strnlen(&s->t[LEADER], at, sizeof(name));
	if (n <= 0 || n >= (long)sizeof(name) ||
	    mem_read(&s->t[LEADER], name, at, (size_t)n + 1))
		return NULL;
	name[n] = '\0';		/* it may have changed meanwhile */
	fd = strrchr(name, '/');
	if (!fd || !isdigit((unsigned char)fd[1]))
		return NULL;
	*fd++ = '\0';
	if (!strncmp(name, "/proc/", 6) && isdigit((unsigned char)name[6])) {
		who = name + 6;
		p = proc_by_vpid((pid_t)strtoul(who, NULL, 10));
		if (!p)
			return NULL;
		pid = p->pid[LEADER];
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid, fd);
	return stat(path, &st) ? NULL : view_find(&st);
}

static int64_t describe_link(struct taskset *s, uint64_t name, uint64_t at,
			     uint64_t size, int64_t ret)
{
	char link[sizeof(MEMFD_LINK) - 1];
	const struct view *w;
	uint64_t n;

	if (ret > (int64_t)sizeof(link) ||
	    mem_read(&s->t[LEADER], link, at, (size_t)ret) ||
	    memcmp(link, MEMFD_LINK, (size_t)ret))
		return ret;
	w = named(s, name);
	if (!w || !*w->link)
		return ret;
	n = strlen(w->link);
	if (n > (uint32_t)size)
		n = (uint32_t)size;
	return mem_write(&s->t[LEADER], at, w->link, n) ? ret : (int64_t)n;
}

int64_t view_describe(struct taskset *s, int64_t ret)
{
	const struct call *c = &s->t[LEADER].call;

	switch (c->nr) {
	case SYS_stat:
	case SYS_lstat:
	case SYS_fstat:
		describe(s, c->args[1]);
		break;
	case SYS_newfstatat:
		describe(s, c->args[2]);
		break;
	case SYS_statx:
		describe_x(s, c->args[4]);
		break;
	case SYS_fstatfs:
		describe_fs(s, c->args[1]);
		break;
	case SYS_readlink:
		return describe_link(s, c->args[0], c->args[1], c->args[2],
				     ret);
	case SYS_readlinkat:
		return describe_link(s, c->args[1], c->args[2], c->args[3],
				     ret);
	default:
		break;
	}
	return ret;
}
