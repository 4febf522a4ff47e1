// SPDX-License-Identifier: Apache-2.0
/*
 * Keeping shadows up to date with files that are changed by calls.
 *
 * Theory of operation
 * -------------------
 * What write and its relatives put into a file is seen by everyone who maps
 * it.  The leader's kernel does that for the real file; here the range that
 * was written is copied from the file into the followers' copies (all variants
 * wrote the same bytes: they were compared).  Sizes are asked of the file and
 * set in the copies, so an access beyond the end faults in all variants.
 *
 * All of it costs one comparison while no shadow is hot.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/fs.h>

#include "shadow_int.h"
#include "tracee.h"

#ifndef RWF_APPEND
#define RWF_APPEND 0x10
#endif

static void check_sizes(void)
{
	struct shadow *sh;
	struct stat st;

	LIST_FOREACH(sh, &shadows, all)
		if (sh->hot && sh->pin >= 0 && !fstat(sh->pin, &st) &&
		    (uint64_t)st.st_size != sh->size)
			shadow_set_size(sh, (uint64_t)st.st_size);
}

static bool fd_position(struct taskset *s, int fd, int64_t *pos, int *flags)
{
	char path[64], line[64];
	bool ok = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d",
		 (int)s->t[LEADER].tid, fd);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fgets(line, sizeof(line), f) && sscanf(line, "pos: %ld", pos) == 1 &&
	    fgets(line, sizeof(line), f) && sscanf(line, "flags: %o",
						   (unsigned int *)flags) == 1)
		ok = true;
	fclose(f);
	return ok;
}

static struct shadow *shadow_of_fd(struct taskset *s, int fd)
{
	struct shadow *sh;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d",
		 (int)s->t[LEADER].tid, fd);
	if (stat(path, &st) < 0)
		return NULL;
	sh = shadow_lookup(st.st_dev, st.st_ino);
	return sh && sh->hot ? sh : NULL;
}

static void refresh(struct taskset *s, struct shadow *sh, int fd,
		    uint64_t off, uint64_t len)
{
	int from = sh->pin_reads ? sh->pin : leader_getfd(s, fd), r;

	if (off >= sh->size)
		return;
	if (len > sh->size - off)
		len = sh->size - off;
	r = from < 0 ? from : shadow_copy_in(sh, from, off, len, false);
	if (r < 0)
		say("a shared mapping could not be brought up to date: %s; %s",
		    strerror(-r), remedy(-r));
	if (from >= 0 && from != sh->pin)
		close(from);
}

/*
 * Followers of who has it mapped may be far behind their leader.  What they have still
 * to store there comes before, as the leader's has: the copy is made when this set has
 * the turn (sched_take()).  Opens that truncate, and truncate(2), are not looked at.
 */
void shadow_will_change(struct taskset *s)
{
	const struct call *c = &s->t[LEADER].call;
	unsigned int arg;

	if (!shadows_hot || !(s->row->flags & RF_FILEDATA) || s->proc->domain->shared)
		return;
	switch (c->nr) {
	case SYS_write:
	case SYS_writev:
	case SYS_pwrite64:
	case SYS_pwritev:
	case SYS_pwritev2:
	case SYS_sendfile:
	case SYS_ftruncate:
	case SYS_fallocate:
		arg = 0;
		break;
	case SYS_splice:
	case SYS_copy_file_range:
		arg = 2;
		break;
	default:
		return;
	}
	if (shadow_of_fd(s, (int)c->args[arg]))
		sched_share(s->proc);
}

void shadow_written(struct taskset *s, int fd, int64_t off, uint64_t len)
{
	struct shadow *sh;
	int64_t pos;
	int flags;

	if (!shadows_hot)
		return;
	check_sizes();
	sh = shadow_of_fd(s, fd);
	if (!sh || !len)
		return;
	if (off < 0 || !fd_position(s, fd, &pos, &flags)) {
		if (!fd_position(s, fd, &pos, &flags))
			return;
		off = pos - (int64_t)len;
	} else if (flags & O_APPEND) {
		/* pwrite appends, whatever the offset (pwrite(2), BUGS) */
		off = (int64_t)sh->size - (int64_t)len;
	}
	if (off >= 0)
		refresh(s, sh, fd, (uint64_t)off, len);
}

/* The same change to the copies as the leader made to the file. */
static void allocated(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	int mode = (int)a[1];
	struct shadow *sh = shadow_of_fd(s, (int)a[0]);

	if (!sh)
		return;
	if (mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)) {
		refresh(s, sh, (int)a[0], a[2], sh->size);
	} else if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		for_each_follower(v)
			if (sh->memfd[v] >= 0)
				(void)!fallocate(sh->memfd[v],
						 FALLOC_FL_PUNCH_HOLE |
						 FALLOC_FL_KEEP_SIZE,
						 (off_t)a[2], (off_t)a[3]);
	}
}

/* Blocks shared with another file. */
static void cloned(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	struct file_clone_range r;

	if ((uint32_t)a[1] == FICLONE) {
		struct shadow *sh = shadow_of_fd(s, (int)a[0]);

		if (sh)
			refresh(s, sh, (int)a[0], 0, sh->size);
	} else if ((uint32_t)a[1] == FICLONERANGE &&
		   !mem_read(&s->t[LEADER], &r, a[2], sizeof(r))) {
		struct shadow *sh = shadow_of_fd(s, (int)a[0]);

		/* length 0: up to the end */
		if (sh)
			refresh(s, sh, (int)a[0], r.dest_offset,
				r.src_length ? r.src_length : sh->size);
	}
}

static int64_t offset_after(struct taskset *s, uint64_t ptr, int64_t ret)
{
	int64_t off;

	if (!ptr || mem_read(&s->t[LEADER], &off, ptr, sizeof(off)))
		return -1;
	return off - ret;
}

void shadow_file_changed(struct taskset *s, int64_t ret)
{
	const struct call *c = &s->t[LEADER].call;
	const uint64_t *a = c->args;

	if (!shadows_hot || ret < 0)
		return;
	switch (c->nr) {
	case SYS_write:
	case SYS_writev:
	case SYS_sendfile:
		shadow_written(s, (int)a[0], -1, (uint64_t)ret);
		break;
	case SYS_pwrite64:
	case SYS_pwritev:
		shadow_written(s, (int)a[0], (int64_t)a[3], (uint64_t)ret);
		break;
	case SYS_pwritev2:
		if (a[5] & RWF_APPEND) {
			struct shadow *sh;

			check_sizes();
			sh = shadow_of_fd(s, (int)a[0]);
			if (sh && sh->size >= (uint64_t)ret)
				refresh(s, sh, (int)a[0],
					sh->size - (uint64_t)ret,
					(uint64_t)ret);
			break;
		}
		shadow_written(s, (int)a[0], (int64_t)a[3], (uint64_t)ret);
		break;
	case SYS_splice:
	case SYS_copy_file_range:
		shadow_written(s, (int)a[2], offset_after(s, a[3], ret),
			       (uint64_t)ret);
		break;
	case SYS_fallocate:
		check_sizes();
		allocated(s);
		break;
	case SYS_ioctl:
		if ((uint32_t)a[1] == FICLONE || (uint32_t)a[1] == FICLONERANGE) {
			check_sizes();
			cloned(s);
		}
		break;
	default:
		/* by path, or a size only */
		check_sizes();
		break;
	}
}
