// SPDX-License-Identifier: Apache-2.0
/*
 * Where a process is: working directory, namespaces, mounts.
 *
 * Theory of operation
 * -------------------
 * Followers resolve few paths themselves (execve, chdir, chroot), but those
 * must lead to the same files, so a follower's working directory, root and
 * mount namespace follow the leader's.
 *
 *   chdir, chroot	everybody executes it.  Where the path means something
 *		else in a follower (/proc/self/fd/N) it is moved to the
 *		leader's new directory through a passed descriptor.
 *   fchdir	a passed descriptor.
 *   unshare	the leader makes the new namespaces; followers join its user
 *		and mount namespaces (setns), so id maps, capabilities over
 *		them and mounts exist once.  Followers make pid namespaces of
 *		their own: when an init dies its whole namespace is
 *		killed, which must happen at the same rank in every variant.
 *		Network, IPC, UTS, cgroup and time namespaces matter only to
 *		calls that the leader executes: followers stay where they are.
 *   clone	with such flags: likewise, see namespaces_follow().
 *   setns	likewise.
 *   mount	the leader alone, as the mount namespace is common.  Processes
 *		marked own_mntns (nobody could join) execute it themselves,
 *		as far as they can.
 *
 * pivot_root moves every process of the mount namespace that had the old
 * root, followers included; no call of theirs is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>

#include "divergence.h"
#include "fast.h"
#include "h_misc.h"
#include "objects.h"
#include "procview.h"
#include "tracee.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* Open /proc/LEADER/what here. */
static int leader_link(const struct taskset *s, const char *what, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", s->t[LEADER].tid, what);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Run nr(fd, arg) in follower v on a descriptor of monitord, then close the
 * copy there. */
static int64_t with_fd(struct taskset *s, unsigned int v, int fd, uint64_t nr,
		       uint64_t arg)
{
	struct task *t = &s->t[v];
	int there;
	int64_t r;

	if (fd < 0)
		return fd;
	there = task_send_fd(t, fd);
	if (there < 0)
		return there;
	r = task_inject(t, nr, (uint64_t)there, arg, 0, 0, 0, 0);
	task_inject(t, SYS_close, (uint64_t)there, 0, 0, 0, 0, 0);
	return r;
}

/* ---- working directory ---- */

static int64_t follow_cwd(struct taskset *s, unsigned int v)
{
	int fd = leader_link(s, "cwd", O_PATH | O_DIRECTORY);
	int64_t r = with_fd(s, v, fd, SYS_fchdir, 0);

	if (fd >= 0)
		close(fd);
	return r;
}

/* Root and working directory; setns() to a mount namespace has moved both. */
static int64_t follow_root(struct taskset *s, unsigned int v)
{
	struct task *t = &s->t[v];
	uint64_t slot = scratch_slot(s, v);
	int fd = leader_link(s, "root", O_PATH | O_DIRECTORY);
	int64_t r = with_fd(s, v, fd, SYS_fchdir, 0);

	if (fd >= 0)
		close(fd);
	if (r == 0 && mem_write(t, slot, ".", 2) == 0)
		r = task_inject(t, SYS_chroot, slot, 0, 0, 0, 0, 0);
	return r ? r : follow_cwd(s, v);
}

/* The gate opens what is on the file system of the root directory (gate_rules.h), which
 * must not be a proc. */
static void root_moved(const struct taskset *s)
{
	struct statfs fs;
	int fd;

	if (mon.no_opens)
		return;
	fd = leader_link(s, "root", O_PATH | O_DIRECTORY);
	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC)
		fast_no_opens();
	if (fd >= 0)
		close(fd);
}

/* chdir, chroot */
void chdir_done(struct taskset *s, int64_t ret)
{
	if (ret == 0 && s->t[LEADER].call.nr == SYS_chroot)
		root_moved(s);
	if (ret == 0) {
		for_each_follower(v) {
			int64_t r = set_follower_exec(s, v);

			if (s->t[v].at != AT_EXIT)
				continue;
			if (r < 0 && s->t[LEADER].call.nr == SYS_chroot)
				r = follow_root(s, v);
			else if (r < 0)
				r = follow_cwd(s, v);
			if (r < 0 && !result_differs(s, v, ret, r,
					"the variant cannot follow the leader "
					"into its directory"))
				return;
		}
	}
	set_finish(s, ret);
}

void fchdir_done(struct taskset *s, int64_t ret)
{
	if (ret == 0) {
		for_each_follower(v) {
			int64_t r = follow_cwd(s, v);

			if (r < 0 && s->t[v].at != AT_DEAD &&
			    !result_differs(s, v, ret, r,
					"the variant cannot follow the leader "
					"into its directory"))
				return;
		}
	}
	set_finish(s, ret);
}

/* ---- namespaces ---- */

_Static_assert(NAMESPACES_JOINED == (CLONE_NEWUSER | CLONE_NEWNS),
	       "h_misc.h does without sched.h");

uint64_t namespaces_alone(uint64_t flags)
{
	/* where clone may have all of them, 0x80 belongs to CSIGNAL unless
	 * the call is clone3 */
	return flags & (NAMESPACES_JOINED | CLONE_NEWUTS | CLONE_NEWIPC |
			CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWPID |
			CLONE_NEWTIME);
}

/* capget and capset of a follower's own */
static int64_t follower_caps(struct taskset *s, unsigned int v, uint64_t nr,
			     struct __user_cap_data_struct *data)
{
	struct {
		struct __user_cap_header_struct h;
		struct __user_cap_data_struct data[2];
	} c = { .h = { .version = _LINUX_CAPABILITY_VERSION_3 } };
	uint64_t slot = scratch_slot(s, v);
	struct task *t = &s->t[v];
	int64_t r;

	memcpy(c.data, data, sizeof(c.data));
	if (mem_write(t, slot, &c, sizeof(c)) < 0)
		return -EFAULT;
	r = task_inject(t, nr, slot, slot + sizeof(c.h), 0, 0, 0, 0);
	if (r == 0 && mem_read(t, &c, slot, sizeof(c)) < 0)
		r = -EFAULT;
	memcpy(data, c.data, sizeof(c.data));
	return r;
}

/* Into the leader's mount namespace. That takes more capabilities than the
 * leader needed to make it; those the program has put aside are taken up. */
static int64_t follow_mntns(struct taskset *s, unsigned int v, int fd)
{
	const uint32_t need = 1u << CAP_SYS_ADMIN | 1u << CAP_SYS_CHROOT;
	struct __user_cap_data_struct has[2] = { { 0 } }, more[2];
	bool raised = false;
	int64_t r;

	if (follower_caps(s, v, SYS_capget, has) == 0 &&
	    need & has[0].permitted & ~has[0].effective) {
		memcpy(more, has, sizeof(more));
		more[0].effective |= need & has[0].permitted;
		raised = follower_caps(s, v, SYS_capset, more) == 0;
	}
	r = with_fd(s, v, fd, SYS_setns, CLONE_NEWNS);
	if (r == 0)
		r = follow_root(s, v);
	if (raised && s->t[v].at != AT_DEAD) {
		int64_t back = follower_caps(s, v, SYS_capset, has);

		r = r ? r : back;
	}
	return r;
}

int namespaces_follow(struct taskset *s, unsigned int v, uint64_t flags)
{
	struct task *t = &s->t[v];
	int64_t r = 0;
	int fd;

	if (flags & CLONE_NEWUSER) {
		fd = leader_link(s, "ns/user", O_RDONLY);
		r = with_fd(s, v, fd, SYS_setns, CLONE_NEWUSER);
		if (fd >= 0)
			close(fd);
	}
	if (r == 0 && flags & CLONE_NEWNS) {
		fd = leader_link(s, "ns/mnt", O_RDONLY);
		r = follow_mntns(s, v, fd);
		if (fd >= 0)
			close(fd);
		if (r == -EPERM && !(flags & CLONE_NEWUSER)) {
			/* a follower in a user namespace of its own */
			s->proc->own_mntns = true;
			r = task_inject(t, SYS_unshare, CLONE_NEWNS,
					0, 0, 0, 0, 0);
		}
	}
	return (int)r;
}

void unshare_done(struct taskset *s, int64_t ret)
{
	const uint64_t common = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM |
		CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
	uint64_t flags = s->t[LEADER].call.args[0];

	if (ret < 0) {
		set_finish(s, ret);
		return;
	}
	if (flags & CLONE_NEWPID)
		mon.pid_namespaces = true;
	for_each_follower(v) {
		uint64_t own = flags & common;
		int64_t r = 0;

		/* these two imply it, and setns() insists on it */
		if (flags & (CLONE_NEWNS | CLONE_NEWUSER))
			own |= CLONE_FS;
		if (own)
			r = task_inject(&s->t[v], SYS_unshare, own,
					0, 0, 0, 0, 0);
		if (r == 0)
			r = namespaces_follow(s, v, flags);
		if (r < 0 && s->t[v].at != AT_DEAD &&
		    !result_differs(s, v, ret, r,
				    "the variant cannot follow the leader "
				    "into its namespaces"))
			return;
	}
	if (flags & CLONE_FILES && s->proc->files) {
		struct files *f = files_fork(s->proc->files);

		files_put(s->proc->files);
		s->proc->files = f;
	}
	set_finish(s, ret);
}

void setns_done(struct taskset *s, int64_t ret)
{
	const uint64_t known = NAMESPACES_JOINED;
	uint64_t flags = (uint32_t)s->t[LEADER].call.args[1];
	int fd = -1, type;

	if (ret < 0) {
		set_finish(s, ret);
		return;
	}
	root_moved(s);
	fd = leader_getfd(s, (int)s->t[LEADER].call.args[0]);
	/* a namespace descriptor says what it is; a pidfd needs flags */
	type = fd < 0 ? fd : ioctl(fd, NS_GET_NSTYPE);
	if (type > 0)
		flags = (uint64_t)type;
	if (!flags || flags & CLONE_NEWPID)
		mon.pid_namespaces = true;
	for_each_follower(v) {
		int64_t r = fd;

		if (!(flags & known))
			break;
		if (fd >= 0 && (flags & known) == CLONE_NEWNS)
			r = follow_mntns(s, v, fd);
		else if (fd >= 0)
			r = with_fd(s, v, fd, SYS_setns, flags & known);
		if (r == 0 && (flags & known) == known)
			r = follow_root(s, v);
		if (r < 0 && s->t[v].at != AT_DEAD &&
		    !result_differs(s, v, ret, r,
				    "the variant cannot follow the leader "
				    "into its namespaces")) {
			close(fd);
			return;
		}
	}
	if (fd >= 0)
		close(fd);
	set_finish(s, ret);
}

/* ---- mounts ---- */

void mount_start(struct taskset *s)
{
	if (s->t[LEADER].call.nr == SYS_umount2) {
		objects_let_go();
		view_let_go();
	}
	set_leader_go(s);
}

void mount_done(struct taskset *s, int64_t ret)
{
	if (ret >= 0 && where_covered()) {
		say("process %d has mounted something over /proc, where the monitor looks; all variants are ended; let it have a mount namespace of its own (unshare -m)",
		    s->proc->vpid);
		kill_all(EXIT_MONITOR);
		return;
	}
	/* What is mounted on may be in a file system of which the leader has
	 * the only filled one: as well as it goes. */
	if (ret >= 0)
		root_moved(s);
	if (ret >= 0 && s->proc->own_mntns)
		for_each_follower(v)
			set_follower_exec(s, v);
	if (set_replicate(s, ret) == 0)
		set_finish(s, ret);
}
