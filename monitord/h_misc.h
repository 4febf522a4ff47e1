/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers for calls which keep per-process kernel state: epoll data,
 * timers, credentials, namespaces, prctl, seccomp, asynchronous I/O, memory
 * of other processes, robust lists.  One file per subject, h_*.c.
 *
 * X_start and X_done are for handlers.c (see handlers.h).  Where only one of
 * them is declared the other is the generic one: start = set_leader_go by
 * leader_start(), done unused because start finishes the call itself.
 */
#ifndef MONITORD_H_MISC_H
#define MONITORD_H_MISC_H

#include "monitor.h"
#include "valuemap.h"

/* start of every handler below that has only a `done` */
void leader_start(struct taskset *s);

/* h_epoll.c */
void epoll_ctl_start(struct taskset *s);
void epoll_wait_done(struct taskset *s, int64_t ret);
/* What variant v attached to the registration with this cookie. */
bool epoll_cookie_data(uint64_t cookie, unsigned int v, uint64_t *data);

/*
 * What monitord remembers per descriptor table (epoll registrations).
 * A process has one from its creation; CLONE_FILES shares it.
 */
struct files *files_new(void);
struct files *files_get(struct files *f);
void files_put(struct files *f);
/* Have several processes the same? */
bool files_shared(const struct files *f);
/* The copy a forked child (or unshare(CLONE_FILES)) gets; NULL: a new one. */
struct files *files_fork(const struct files *f);

/* h_timer.c: H_TIMER_CREATE, H_SIGTIMEDWAIT */
void timer_create_start(struct taskset *s);
void sigtimedwait_done(struct taskset *s, int64_t ret);

/*
 * A message was received and replicated: is it perhaps the notification of a
 * message queue by a thread (cheap question), and if so, put every
 * follower's own bytes into its buffer.  False: everything is being killed.
 */
bool notify_expected(int64_t ret);
bool notify_received(struct taskset *s);

/* h_cred.c */
void settid_start(struct taskset *s);
void setpgid_done(struct taskset *s, int64_t ret);
void rlimit_start(struct taskset *s);
void rlimit_done(struct taskset *s, int64_t ret);
void prlimit_start(struct taskset *s);
void prlimit_done(struct taskset *s, int64_t ret);
void personality_start(struct taskset *s);
void cap_done(struct taskset *s, int64_t ret);
void robust_start(struct taskset *s);

/*
 * A thread exits or is killed: do to the followers' robust futexes what the
 * kernel did to the leader's (their words name the leader's thread, so the
 * kernel does not recognise them).  Call it when the leader's task is gone
 * and the followers' are still stopped; harmless to call when not needed.
 */
void robust_exit(struct taskset *s);
/* The same for all threads of a process about to be killed: before followers
 * get their SIGKILL. */
void robust_exit_all(struct proc *p);
/*
 * A wait for the futex at argument 0 is over.  If it ended because the owner
 * died (OWNER_DIED in the leader's word), the owner's death may not have been
 * seen by monitord yet: mark the followers' words now.
 */
void robust_woken(struct taskset *s);

/*
 * Number by which a call made inside variant v names process `p` (vpid is
 * the leader's name for it); 0 when that variant's process is unknown.
 */
pid_t variant_pid(const struct proc *p, unsigned int v);
/* What the leader calls itself; its creator in another pid namespace does not. */
pid_t own_pid(const struct taskset *s);
pid_t own_tid(const struct taskset *s);
/* The same for a thread. */
pid_t variant_tid(const struct taskset *s, unsigned int v);
/* Effective capability of the leader's task, in its own user namespace. */
bool leader_has_cap(const struct taskset *s, int cap);

/* h_fdmisc.c: H_CHDIR, H_FCHDIR, H_UNSHARE, H_SETNS, H_MOUNT */
void chdir_done(struct taskset *s, int64_t ret);
void fchdir_done(struct taskset *s, int64_t ret);
void unshare_done(struct taskset *s, int64_t ret);
void setns_done(struct taskset *s, int64_t ret);
void mount_start(struct taskset *s);
void mount_done(struct taskset *s, int64_t ret);
/*
 * Take follower v (AT_ENTRY or AT_EXIT) into the leader's new namespaces of
 * the kinds in `flags` (CLONE_NEWUSER and CLONE_NEWNS, others are ignored).
 * For unshare, and for clone with such flags: there the followers' clone is
 * made without namespaces_alone(flags), and the new process is taken along
 * with flags & NAMESPACES_JOINED at its first entry stop.  0 or -errno.
 */
#define NAMESPACES_JOINED 0x10020000u	/* CLONE_NEWUSER | CLONE_NEWNS */
uint64_t namespaces_alone(uint64_t flags);
int namespaces_follow(struct taskset *s, unsigned int v, uint64_t flags);

/* h_prctl.c */
void prctl_start(struct taskset *s);
void prctl_done(struct taskset *s, int64_t ret);
void arch_prctl_start(struct taskset *s);
void arch_prctl_done(struct taskset *s, int64_t ret);

/*
 * Attributes which the program has set and monitord keeps virtual.
 * misc_proc_new: from proc_new(), after the fields of the parent are there.
 * misc_proc_exec: after a successful exec.
 * misc_mm_free: when an address space is freed.
 */
void misc_proc_new(struct proc *p, const struct proc *parent);
void misc_proc_exec(struct proc *p);
void misc_mm_free(struct mm *m);

/* h_seccomp.c */
void seccomp_start(struct taskset *s);
void landlock_start(struct taskset *s);
/* prctl(PR_SET_SECCOMP) ends here as well */
void seccomp_install(struct taskset *s, uint64_t op, uint64_t flags,
		     unsigned int arg);
/*
 * In strict mode (SECCOMP_MODE_STRICT) the process may only read, write,
 * exit and sigreturn.  The kernel's own strict mode would kill our injected
 * calls and cannot be combined with our filter, so monitord enforces it: to
 * be asked at every rendezvous of a process with vseccomp == 1, and when
 * true the set dies as by SIGKILL.
 */
bool seccomp_strict_forbids(const struct taskset *s);

/* h_vmsplice.c */
void vmsplice_start(struct taskset *s);
/* Access mode of the pipe behind the program's descriptor, or -errno. */
int pipe_mode(struct taskset *s, int fd);

/* h_pvm.c */
void pidfd_start(struct taskset *s);
void process_vm_start(struct taskset *s);
void process_vm_done(struct taskset *s, int64_t ret);

/* h_aio.c */
void aio_start(struct taskset *s);
void aio_done(struct taskset *s, int64_t ret);
void aio_mm_free(struct mm *m);

/*
 * Shared by these files.
 */
/* Write an output of follower v; an unwritable one is a divergence. False:
 * stop working on this set (everything is being killed). */
bool follower_write(struct taskset *s, unsigned int v, unsigned int arg,
		    uint64_t to, const void *src, size_t n);
/* A call all execute succeeded in the leader and gave `got` in v. False as
 * above. */
bool result_differs(struct taskset *s, unsigned int v, int64_t ret,
		    int64_t got, const char *note);
/*
 * Execute the call as it is in every variant, one after the other, leader
 * first; the others only if it succeeded.  each[] are the results.  For calls
 * that cannot sleep.  False: the leader died, or everything is being killed.
 */
bool exec_everywhere(struct taskset *s, int64_t each[MAX_VARIANTS]);

#endif
