// SPDX-License-Identifier: Apache-2.0
/*
 * fanotify_mark: not for files of proc.
 *
 * Theory of operation
 * -------------------
 * Its events come with descriptors, which the kernel opens for whoever reads them,
 * whatever it was that somebody else has opened: `mem` of a variant by monitord, say.
 * So nothing in a proc may be watched: the call fails as where a file system cannot
 * be watched.  A name may mean something else to the kernel than it did to us:
 * what has been marked is told by the descriptor's fdinfo afterwards.  If a proc
 * is among it, or something that no process of the tree sees mounted, the marks
 * are taken back.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include <linux/openat2.h>

#include "handlers.h"
#include "procview.h"
#include "tracee.h"

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif
#define CACHED_TRIES 1000u
#define MARK_KINDS (FAN_MARK_MOUNT | FAN_MARK_FILESYSTEM)

/* A device as the kernel writes it here: 20 bits are the minor number. */
static dev_t device(unsigned int dev)
{
	return makedev(dev >> 20, dev & 0xfffff);
}

/* Is a proc among what this descriptor watches, or may one be? */
static bool watches_proc(struct taskset *s, int fd)
{
	char path[64], line[512];
	unsigned int dev, known = 0;
	bool found = false;
	unsigned long id;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d",
		 (int)s->t[LEADER].tid, fd);
	f = fopen(path, "re");
	if (!f)
		return true;
	while (!found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "fanotify ino:%*x sdev:%x", &dev) == 1 ||
		    sscanf(line, "fanotify sdev:%x", &dev) == 1) {
			/* there may be many, and in few file systems */
			found = dev != known &&
				!where_not_proc(s, 0, device(dev));
			known = dev;
		} else if (sscanf(line, "fanotify mnt_id:%lx", &id) == 1) {
			found = !where_not_proc(s, id, 0);
		}
	}
	fclose(f);
	return found;
}

/* Does this name lead to a proc? Nothing is waited for: the program may be what
 * serves a file system. */
static bool leads_to_proc(struct taskset *s, int dirfd, uint64_t name,
			  bool follow)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
		.resolve = RESOLVE_CACHED,
	};
	char at[64], path[PATH_MAX] = "";
	struct task *t = &s->t[LEADER];
	struct statfs fs;
	int base, fd;
	long n = name ? mem_strnlen(t, name, sizeof(path) - 1) : 0;
	bool yes;

	if (n < 0 || (n && mem_read(t, path, name, (size_t)n)))
		return false;
	if (*path == '/') {
		how.resolve |= RESOLVE_IN_ROOT;
		snprintf(at, sizeof(at), "/proc/%d/root", (int)t->tid);
	} else if (dirfd == AT_FDCWD) {
		snprintf(at, sizeof(at), "/proc/%d/cwd", (int)t->tid);
	} else {
		snprintf(at, sizeof(at), "/proc/%d/fd/%d", (int)t->tid, dirfd);
	}
	base = open(at, O_PATH | O_CLOEXEC);
	fd = base;
	/* whoever mounts or renames something anywhere is in its way for an instant */
	if (base >= 0 && *path)
		for (unsigned int i = 0; i < CACHED_TRIES; i++) {
			fd = (int)syscall(SYS_openat2, base, path, &how,
					  sizeof(how));
			if (fd >= 0 || errno != EAGAIN)
				break;
		}
	yes = fd >= 0 && !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
	if (fd >= 0 && fd != base)
		close(fd);
	if (base >= 0)
		close(base);
	return yes;
}

static void refuse_watch(struct taskset *s)
{
	refuse(s, "files of proc cannot be watched");
}

void fanotify_mark_start(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;

	if (a[1] & FAN_MARK_ADD &&
	    leads_to_proc(s, (int)a[3], a[4], !(a[1] & FAN_MARK_DONT_FOLLOW))) {
		refuse_watch(s);
		set_finish(s, -EINVAL);
		return;
	}
	set_leader_go(s);
}

void fanotify_mark_done(struct taskset *s, int64_t ret)
{
	struct task *t = &s->t[LEADER];
	const uint64_t *a = t->call.args;

	if (ret == 0 && a[1] & FAN_MARK_ADD &&
	    watches_proc(s, (int)a[0])) {
		refuse_watch(s);
		task_inject(t, SYS_fanotify_mark, a[0],
			    (a[1] & ~(uint64_t)FAN_MARK_ADD) | FAN_MARK_REMOVE,
			    a[2], a[3], a[4], 0);
		/* a name may mean something else by now */
		if (watches_proc(s, (int)a[0]))
			task_inject(t, SYS_fanotify_mark, a[0],
				    (a[1] & MARK_KINDS) | FAN_MARK_FLUSH, 0,
				    a[3], a[4], 0);
		ret = -EINVAL;
	}
	if (set_replicate(s, ret) == 0)
		set_finish(s, ret);
}
