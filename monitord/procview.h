/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program sees of itself in /proc: see procview.c for the theory.
 */
#ifndef MONITORD_PROCVIEW_H
#define MONITORD_PROCVIEW_H

#include <sys/stat.h>
#include "monitor.h"

/* H_OPEN: open openat openat2 creat */
void open_start(struct taskset *s);
void open_done(struct taskset *s, int64_t ret);

/* Is any view open? (Cheap: asked for every call whose row has RF_VIEW.) */
bool view_active(void);
/*
 * The leader's call of a RF_VIEW row returned `ret` > 0.  If it read from a
 * view, every follower's buffers are filled from its own text and 1 is
 * returned; 0: not a view, replicate as usual; -errno on failure.
 */
int view_replicate(struct taskset *s, int64_t ret);

/*
 * The leader's call is one that a view does otherwise than a file of /proc, or that
 * this one cannot do: it has been answered as there (true).
 */
bool view_answers(struct taskset *s);

/*
 * The leader's call has returned `ret` >= 0.  If it describes a view, its outputs
 * are changed to what the file is in /proc; its result.
 */
int64_t view_describe(struct taskset *s, int64_t ret);

/* Is this the file of a view? */
bool view_is(const struct stat *st);

/* A file system is to be unmounted: no view that nobody has open any more keeps it. */
void view_let_go(void);

/*
 * The mount `id`, or (id 0) the file system `dev`, is seen by some process of the
 * tree, and is no proc. (procview_where.c)
 */
bool where_not_proc(struct taskset *s, uint64_t id, dev_t dev);

/* Is our own /proc, or what is in it of processes, covered by other mounts? */
bool where_covered(void);

/* Is this the real pid or tid of a follower? */
bool view_hidden_pid(pid_t pid);

/* H_FANOTIFY: fanotify_mark (h_fanotify.c) */
void fanotify_mark_start(struct taskset *s);
void fanotify_mark_done(struct taskset *s, int64_t ret);

/* H_GETDENTS: getdents getdents64 (procview_dir.c) */
void getdents_done(struct taskset *s, int64_t ret);

#endif
