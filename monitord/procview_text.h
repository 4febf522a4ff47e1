/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of /proc views, per variant: see procview_text.c for the theory.
 */
#ifndef MONITORD_PROCVIEW_TEXT_H
#define MONITORD_PROCVIEW_TEXT_H

#include "monitor.h"

enum view_kind {
	VIEW_NONE = 0,
	VIEW_MAPS, VIEW_SMAPS, VIEW_ROLLUP, VIEW_NUMA, VIEW_STAT, VIEW_STATUS,
	VIEW_STAT_MASKED,	/* stat of whom the reader may not trace */
	VIEW_AUXV, VIEW_ENVIRON, VIEW_SYSCALL, VIEW_WCHAN, VIEW_PERSONALITY,
	VIEW_REFUSED,		/* may not be opened: mem, pagemap, map_files */
};

/* What the last component of /proc/PID/NAME means. */
enum view_kind view_kind(const char *name);

struct text {
	char *p;			/* allocated */
	size_t len, cap;
	size_t pad_at;			/* where the last line may be padded */
};

/*
 * The content of view `kind` of the thread `s` of process `p` (or of the
 * process: s NULL) as each live variant shall see it, all of the same length.
 * `real` is the file itself if its numbers of processes are other ones than ours
 * (stat, status), else -1. The texts are allocated (text_free).  0 or -errno.
 */
int view_texts(struct proc *p, struct taskset *s, int real,
	       enum view_kind kind, struct text out[MAX_VARIANTS]);
/* What may be added to a text of this kind without changing its meaning. */
char view_fill(enum view_kind kind);
void text_free(struct text out[MAX_VARIANTS]);

/* ---- between procview_text.c and procview_maps.c ---- */

/* Real tid of variant v of the target. */
pid_t view_tid(const struct proc *p, const struct taskset *s, unsigned int v);
/* Whole content of /proc/TID/NAME, NUL-terminated. 0 or -errno. */
int view_slurp(pid_t tid, const char *name, struct text *t);
int text_add(struct text *t, const char *p, size_t n);
/* Insert n characters `c` at `at`. */
int text_insert(struct text *t, size_t at, size_t n, char c);
int view_maps(struct proc *p, struct taskset *s, enum view_kind kind,
	      struct text out[MAX_VARIANTS]);

#endif
