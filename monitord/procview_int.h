/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view of a file in /proc, between procview.c and procview_meta.c.
 */
#ifndef MONITORD_PROCVIEW_INT_H
#define MONITORD_PROCVIEW_INT_H

#include <sys/queue.h>
#include <sys/stat.h>

#include "procview_text.h"

struct view {
	dev_t dev;
	ino_t ino;
	int fd;				/* the memfd, writable */
	int real;			/* the file, if its numbers are not ours; -1 */
	enum view_kind kind;
	unsigned int proc;		/* id of the target */
	unsigned int set;		/* id of the target thread, 0 = none */
	bool read;			/* something has been read already */
	bool used;			/* collect: found open */
	struct text text[MAX_VARIANTS];
	/* the file it is in place of: procview_meta.c */
	struct stat st;			/* of inode 0: not known */
	struct statx stx;
	char link[96];			/* of its descriptor */
	int no_seek[3];			/* errno of lseek to SEEK_END, SEEK_DATA,
					 * SEEK_HOLE; 0: it can */
	LIST_ENTRY(view) all;
};

/* The view whose memfd this is, or NULL. */
struct view *view_find(const struct stat *st);
/* Fill in what is known of the leader's `fd`, which is about to be replaced. */
void view_note_file(struct taskset *s, int fd, struct view *w);

/* ---- which file of proc it is: procview_where.c ---- */

struct opened {
	enum view_kind kind;
	pid_t pid, tid;			/* as we number them; pid -1: not one of
					 * the tree's; tid 0: not a thread's */
	bool elsewhere;			/* in another mount than /proc, which may
					 * have other numbers */
};

enum where {
	WHERE_PLAIN = 0,		/* no process's, or of no interest */
	WHERE_PROCESS,
	WHERE_UNKNOWN,			/* may be any process's: only the kind is
					 * known */
};

/* What the leader's `fd`, which is in some proc, is of. */
enum where where_opened(struct taskset *s, int fd, struct opened *o);
/* Is `fd` the root of a proc that numbers processes as we do? */
bool where_numbers_ours(struct taskset *s, int fd);

#endif
