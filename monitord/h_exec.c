// SPDX-License-Identifier: Apache-2.0
/*
 * execve and execveat.
 *
 * Theory of operation
 * -------------------
 * Path, argv and envp are compared by content (the walker does it).  Names
 * given with --env are left out of the comparison; the launching exec is not
 * compared at all, since --variant and --env make it differ on purpose.
 *
 * The leader goes first.  If it fails (PATH search, ENOEXEC, ...) the same
 * error is given to everybody and nobody else tries.  If it succeeds every
 * follower must; a descriptor the path leads through (execveat, /dev/fd/N) is
 * first given to the follower under the same number, because the kernel
 * writes that number into a script interpreter's argv.
 *
 * In a multi-threaded process execve waits for the death of the siblings, and
 * traced siblings stay until monitord has collected them: the synchronous
 * wait therefore collects them as well.
 *
 * Then the fresh images are prepared (exec_setup) and the set, alone in its
 * process and in a domain of its own, goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "divergence.h"
#include "event.h"
#include "fast.h"
#include "h_misc.h"
#include "h_process.h"
#include "handlers.h"
#include "launch.h"
#include "library.h"
#include "signals.h"
#include "tracee.h"
#include "turn.h"

/* ---- comparing environments with --env names left out ---- */

static bool overridden(const char *s, size_t n)
{
	for (size_t i = 0; i < mon.opt.n_env; i++) {
		const char *a = mon.opt.env[i].assignment;
		size_t k = strcspn(a, "=") + 1;

		if (n >= k && !strncmp(a, s, k))
			return true;
	}
	return false;
}

/* Drop the string items of argument `arg` that --env makes differ. */
static void drop_overridden(struct task *t, unsigned int arg)
{
	unsigned int out = 0;

	for (unsigned int i = 0; i < t->items.n; i++) {
		struct ipmon_item *it = &t->items.v[i];
		char name[256];
		size_t k = it->len < sizeof(name) ? it->len : sizeof(name);

		if (it->type == IT_STR && it->arg == arg &&
		    !mem_read(t, name, it->addr, k) && overridden(name, k))
			continue;
		/* the count of strings differs along with them */
		if (it->type == IT_SCALAR && it->arg == arg)
			continue;
		t->items.v[out++] = *it;
	}
	t->items.n = out;
}

bool exec_compare(struct taskset *s)
{
	unsigned int env_arg = s->row->nargs == 5 ? 3 : 2;

	if (s->proc->launching)
		return true;
	if (!mon.opt.n_env)
		return set_compare(s);
	return set_compare_filtered(s, drop_overridden, env_arg);
}

/* ---- descriptors a follower needs to resolve the path ---- */

/* The descriptor number in /proc/self/fd/N or /dev/fd/N, or -1. */
static int fd_in_path(const char *path)
{
	static const char *const prefix[] = {
		"/proc/self/fd/", "/dev/fd/", "/proc/thread-self/fd/",
	};

	for (size_t i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++) {
		size_t k = strlen(prefix[i]);
		char *end;
		long fd;

		if (strncmp(path, prefix[i], k))
			continue;
		fd = strtol(path + k, &end, 10);
		if (end != path + k && fd >= 0 && fd < CTL_FD)
			return (int)fd;
	}
	return -1;
}

static void give_fd(struct taskset *s, int fd)
{
	int flags = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d",
		 s->proc->pid[LEADER], fd);
	f = fopen(path, "re");
	if (f) {
		char line[128];

		while (fgets(line, sizeof(line), f))
			sscanf(line, "flags: %o", (unsigned int *)&flags);
		fclose(f);
	}
	for_each_follower(v) {
		struct task *t = &s->t[v];
		int got = follower_getfd(s, v, fd);

		if (got < 0)
			continue;
		if (got != fd) {
			task_inject(t, SYS_dup3, (uint64_t)got, (uint64_t)fd,
				    flags & O_CLOEXEC, 0, 0, 0);
			task_inject(t, SYS_close, (uint64_t)got, 0, 0, 0, 0, 0);
		} else if (!(flags & O_CLOEXEC)) {
			task_inject(t, SYS_fcntl, (uint64_t)got, F_SETFD, 0,
				    0, 0, 0);
		}
		if (task_enter_again(t))
			return;
	}
}

void exec_start(struct taskset *s)
{
	struct task *t = &s->t[LEADER];
	bool at = s->row->nargs == 5;
	uint64_t addr = t->call.args[at ? 1 : 0];
	char path[256] = "";
	long n = mem_strnlen(t, addr, sizeof(path) - 1);
	int fd = -1;

	if (n > 0 && mem_read(t, path, addr, (size_t)n + 1))
		path[0] = 0;
	if (path[0] == '/')
		fd = fd_in_path(path);
	else if (at && (int)t->call.args[0] != AT_FDCWD)
		fd = (int)t->call.args[0];
	if (exec_is_foreign(s->proc->pid[LEADER],
			    at ? (int)t->call.args[0] : AT_FDCWD, path)) {
		refuse(s, "not a program for 64-bit x86");
		set_finish(s, -ENOEXEC);
		return;
	}
	if (fd >= 0)
		give_fd(s, fd);
	/* a dynamic linker that leaves a static program to the kernel */
	linked_hide_preload(s);
	s->proc->execing = true;
	set_leader_go(s);
}

/*
 * Too late to fail: the kernel had given up the old image when it found that
 * it cannot make the new one, and has sent SIGSEGV, which nothing can handle
 * any more (bprm_execve).
 */
static bool image_lost(struct task *t)
{
	char c;

	return mem_read(t, &c, t->call.sp, 1) < 0 &&
	       signal_pending_for(t, SIGSEGV);
}

void exec_done(struct taskset *s, int64_t ret)
{
	s->proc->execing = false;
	if (image_lost(&s->t[LEADER])) {
		set_note_call(s, ret);
		signal_fatal(s);
		task_resume(&s->t[LEADER], PTRACE_CONT, 0);
		return;
	}
	set_finish(s, ret);
}

/* ---- success ---- */

/*
 * Run follower v's execve to its event.  Siblings that die on the way are
 * collected, which is what the kernel waits for.
 */
static int follower_exec(struct taskset *s, unsigned int v)
{
	struct task *t = &s->t[v];
	pid_t tgid = s->proc->pid[v];
	uint64_t start = now_ns();

	if (task_resume(t, PTRACE_SYSCALL, 0) < 0)
		return -ESRCH;
	for (;;) {
		const struct timespec pause = { 0, 100000 };
		int status;
		pid_t r = waitpid(tgid, &status, __WALL | WNOHANG);

		if (r == tgid && WIFSTOPPED(status) &&
		    status >> 16 == PTRACE_EVENT_EXEC) {
			if (t->tid != tgid) {
				struct task *m = task_find(tgid);

				if (m) {
					m->at = AT_DEAD;
					m->status = STATUS_REPLACED;
					event_defer_death(m);
				}
				task_unbind(t);
				task_bind(t, tgid);
			}
			task_classify(t, status);
			return 0;
		}
		if (r == tgid) {
			struct task *m = task_find(tgid);

			if (!m)
				return -ESRCH;
			task_classify(m, status);
			if (m->at == AT_DEAD) {
				event_defer_death(m);
				if (m == t)
					return -ESRCH;
			} else if (m == t && m->at == AT_EXIT) {
				return -EIO;
			} else {
				event_continue(m);
			}
			continue;
		}
		if (t->tid != tgid) {
			r = waitpid(t->tid, &status, __WALL | WNOHANG);
			if (r == t->tid) {
				task_classify(t, status);
				if (t->at == AT_EXIT)
					return -EIO;
				if (t->at == AT_DEAD) {
					event_defer_death(t);
					return -ESRCH;
				}
				event_continue(t);
			}
		}
		event_reap_siblings(s->proc, v, t);
		if (now_ns() - start >
		    (uint64_t)mon.opt.timeout * 1000000000u)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
}

static void new_image(struct taskset *s)
{
	struct proc *p = s->proc;
	struct domain *old = p->domain;

	fast_detach(s);
	mm_put(p->mm);
	p->mm = mm_new();
	p->borrows = false;
	sched_leave(s);
	turn_put(p);
	p->domain = domain_new();
	domain_put(old);
	s->vtid = p->vpid;
	memset(s->robust_head, 0, sizeof(s->robust_head));
	misc_proc_exec(p);
	mon.count.execs++;
}

/* SIGKILL came in the middle: what is left to do is bury it. */
static bool exec_killed(struct taskset *s)
{
	if (!task_dying(&s->t[LEADER]))
		return false;
	s->pinned = false;
	s->proc->execing = false;
	return true;
}

void exec_event(struct task *t)
{
	struct taskset *s = t->set;
	struct proc *p = s->proc;

	if (t->variant != LEADER || s->state != SET_CALL) {
		task_resume(t, PTRACE_SYSCALL, 0);
		return;
	}
	s->pinned = true;
	/* the kernel has marked the leader's locks: those of all threads */
	robust_exit_all(p);
	event_flush_deaths();
	for_each_follower(v) {
		int r = follower_exec(s, v);

		if (r == -EIO && s->t[v].at == AT_EXIT && !exec_again(s, v))
			r = follower_exec(s, v);
		if (r < 0) {
			struct divergence d = {
				.kind = DIV_RESULT, .set = s, .variant = v,
				.arg = -1, .ret = { 0, r },
				.note = "execve succeeded in the leader only",
			};

			if (!diverge(&d)) {
				exec_killed(s);
				return;
			}
		}
	}
	event_flush_deaths();	/* of the siblings, while still expected */
	for_each_variant(v) {
		struct task *x = &s->t[v];

		x->saved_valid = false;
		if (task_resume(x, PTRACE_SYSCALL, 0) < 0 ||
		    task_wait(x) < 0 || x->at != AT_EXIT) {
			if (exec_killed(s))
				return;
			say("process %d vanished during exec; all variants are ended; %s",
			    p->vpid, remedy(0));
			kill_all(EXIT_MONITOR);
			return;
		}
	}
	s->pinned = false;
	new_image(s);
	if (exec_setup(s) < 0) {
		if (exec_killed(s))
			return;
		kill_all(EXIT_MONITOR);
		return;
	}
	p->launching = false;
	p->execing = false;
	set_finish_raw(s, 0);
}
