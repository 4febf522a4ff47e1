/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front process: what the caller of `monitord run` started, and what the
 * tracer tells it.  See front.c for the theory of operation.
 */
#ifndef MONITORD_FRONT_H
#define MONITORD_FRONT_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * What main() found when it started, before anything was changed: restored
 * in every variant, so that the program starts as if called directly.
 */
void inherit_save(void);
/* In the tracer: no limits but those that nobody may lift. */
void inherit_lift(void);
/* In a new variant: original signal dispositions and mask, limits, and no
 * descriptor in 0..2 that the caller had closed. */
void inherit_restore(bool leader);
/* Close every descriptor the caller passed in, except stderr; 0 and 1 become
 * /dev/null. A pipe's end held here would keep its reader from seeing EOF. */
void inherit_drop(void);

/*
 * /dev/null for reading and writing, or what does for it where there is none
 * or it may not be opened (a root directory without /dev, a device's mode):
 * end of file when read, an error when written. `flags` may be O_CLOEXEC. The
 * lowest free descriptor, or -1 and errno.
 */
int null_open(int flags);

/*
 * Fork the tracer, which runs tracer() and exits with nothing further to
 * say; in the front process wait and return the exit status for the caller.
 */
int front_start(void (*tracer)(void));

/* In a child: end when that parent does, now if it has. */
void front_end_with(pid_t parent);
/* A process group for this process (0: the caller) that it does not lead.
 * 0, or -1 and errno. */
int front_own_group(pid_t pid);

/* ---- in the tracer ---- */

/* The leader is forked: leave the caller's process group. */
void front_leave(void);
/* The leader's root process: signals sent to the front process go there. */
void front_root(pid_t pid);
/* The root program was ended by a signal; before front_exited(). */
void front_died(int sig);
/* The root program ended: `status` is the exit status for our caller.  Only
 * the first report counts. The front process exits with it as soon as the
 * tracer exits or front_detach() is called. */
void front_exited(int status);
/* The root program has ended but other processes live on: let the caller go
 * on, and do not die with the front process any more. */
void front_detach(void);
/* The root's leader stopped (job control) with `sig`, or continued. */
void front_stopped(int sig);
void front_continued(void);
/* Now and then: has somebody stopped the front process?  Then the program is to. */
void front_tick(void);
/*
 * A signal with si_pid == the front process was forwarded by it: put the
 * original sender in.  True if it was one.
 */
bool front_origin(siginfo_t *info);

#endif
