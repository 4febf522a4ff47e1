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

#endif
