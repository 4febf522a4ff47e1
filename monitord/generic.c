// SPDX-License-Identifier: Apache-2.0
/*
 * Calls whose execution follows from their table row alone.
 *
 * Theory of operation
 * -------------------
 * EXEC_LEADER: the leader executes, followers receive result and outputs and
 * never enter the kernel.  EXEC_ALL: everybody executes, leader first; when
 * it failed, nobody else tries (so that a failure leaves all variants alike),
 * unless with EFAULT, which may follow upon an effect.
 * Refused calls return the row's errno in all variants; so do commands that the
 * walkers do not know, where the kernel does not know them either.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/audit.h>

#include "divergence.h"
#include "fast_fd.h"
#include "handlers.h"
#include "h_memory.h"
#include "h_misc.h"
#include "launch.h"
#include "procview.h"
#include "shadow.h"
#include "signals.h"
#include "solo.h"
#include "tracee.h"

/* ---- commands the walkers do not know ---- */

/* No address, and as a number of whatever size hardly a valid one. */
#define NOWHERE (1ull << 63 | 1ull << 31 | 1)
/* No address either: nothing can be mapped there (vm.mmap_min_addr). */
#define SMALL 4096u
/* The kernel whose commands and structures the table has. */
#define TABLE_MAJOR 6u
#define TABLE_MINOR 18u

/* Nothing can be done with this number, whatever the command: it is not open, or
 * was opened with O_PATH. */
static bool bad_descriptor(struct taskset *s)
{
	int fd = leader_getfd(s, (int)s->t[LEADER].call.args[0]);
	bool bad = fd == -EBADF ||
		   (fd >= 0 && (fcntl(fd, F_GETFL) & O_PATH));

	if (fd >= 0)
		close(fd);
	return bad;
}

bool unknown_alone(const struct taskset *s)
{
	return s->row->walker == W_IOCTL && mon.live == 1u << LEADER;
}

/*
 * All variants ask for the same, of something that has few commands, which do
 * nothing that takes time.  Devices are not asked: they may do what the command
 * says, and with a number that nobody has given.
 */
static bool askable(struct taskset *s)
{
	static const char *const few[] = {
		"anon_inode:[eventpoll]", "anon_inode:[eventfd]",
		"anon_inode:[signalfd]", "anon_inode:[timerfd]",
		"anon_inode:inotify",
	};
	const uint64_t *a = s->t[LEADER].call.args;
	char path[32], name[32] = "";
	struct stat st;
	bool plain;
	int fd;

	for_each_follower(v) {
		const uint64_t *b = s->t[v].call.args;

		if ((int)b[0] != (int)a[0] ||
		    (uint32_t)b[1] != (uint32_t)a[1])
			return false;
	}
	fd = leader_getfd(s, (int)a[0]);
	if (fd < 0)
		return false;
	plain = !fstat(fd, &st) &&
		(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ||
		 S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
		 /* null, zero, full, the random numbers: their few are known */
		 (S_ISCHR(st.st_mode) && major(st.st_rdev) == 1));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!plain && readlink(path, name, sizeof(name) - 1) > 0)
		for (size_t i = 0; i < sizeof(few) / sizeof(few[0]); i++)
			plain |= !strcmp(name, few[i]);
	close(fd);
	return plain;
}

/*
 * What the kernel says to this ioctl when its argument points nowhere; a number
 * that cannot be an address is passed as it is, if all variants have the same.
 * -EFAULT: it wants a pointer, or they have not.
 */
static int64_t ask_nowhere(struct taskset *s, bool *number)
{
	const uint64_t *a = s->t[LEADER].call.args;

	*number = false;
	if (!askable(s))
		return -EFAULT;
	*number = a[2] < SMALL;
	for_each_follower(v) {
		uint64_t its = s->t[v].call.args[2];

		if (its != a[2] && (*number || its < SMALL)) {
			*number = false;
			return -EFAULT;
		}
	}
	return task_inject(&s->t[LEADER], SYS_ioctl, a[0], a[1],
			   *number ? a[2] : NOWHERE, 0, 0, 0);
}

bool unknown_unread(struct taskset *s)
{
	bool number;
	int64_t r;

	if (s->row->walker != W_IOCTL)
		return false;
	r = ask_nowhere(s, &number);
	if (r == -EFAULT || r == -ESRCH || r == -ETIMEDOUT || r < -511)
		return false;
	/* an error that comes first; or nobody looks there, and it is done */
	set_finish(s, r);
	return true;
}

/*
 * What the kernel says to this socket option when its value lies nowhere.
 * -EFAULT: it wants the value.  The length of what is got is stored before that by
 * some, so it is another one.
 */
static int64_t ask_option(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	uint64_t len = a[4];
	uint32_t most;

	for_each_follower(v) {
		const uint64_t *b = s->t[v].call.args;

		if ((int)b[0] != (int)a[0] || (int)b[1] != (int)a[1] ||
		    (int)b[2] != (int)a[2])
			return -EFAULT;
	}
	if (s->row->walker == W_SOCKOPT_GET) {
		len = scratch_slot(s, LEADER);
		if (mem_read(&s->t[LEADER], &most, a[4], sizeof(most)) < 0 ||
		    mem_write(&s->t[LEADER], len, &most, sizeof(most)) < 0)
			len = NOWHERE;
	}
	return task_inject(&s->t[LEADER], s->t[LEADER].call.nr, a[0], a[1], a[2],
			   NOWHERE, len, 0);
}

/*
 * What the kernel says to commands, and to members of structures, it does not
 * know.  The table knows those of Linux 6.18: up to then this is the kernel's own
 * answer; on a younger one we say that we do not know it.  Sockets and file systems have commands of their own: they are asked with
 * an argument that points nowhere, so that nothing is read or stored.
 */
static int64_t unknown_answer(struct taskset *s, bool *known)
{
	const uint64_t *a = s->t[LEADER].call.args;
	bool number;
	int64_t r;

	*known = false;
	switch (s->row->walker) {
	case W_IOCTL:
		r = ask_nowhere(s, &number);
		if (r == -ENOTTY || r == -EINVAL || r == -EOPNOTSUPP ||
		    r == -ENODEV || r == -EPERM || r == -ENOSYS || r >= 0 ||
		    (number && r == -EFAULT))
			return r;
		*known = true;
		return -ENOTTY;
	case W_QUOTACTL:
		/* what it is about is looked up first */
		r = task_inject(&s->t[LEADER], s->t[LEADER].call.nr, a[0], a[1],
				a[2], NOWHERE, 0, 0);
		*known = r == -EFAULT || r >= 0;
		return *known ? -EINVAL : r;
	case W_SOCKOPT_GET: case W_SOCKOPT_SET:
		r = ask_option(s);
		*known = r == -EFAULT || r >= 0;
		return *known ? -EINVAL : r;
	case W_KEYCTL:
		return -EOPNOTSUPP;
	case W_CLONE3: case W_OPENAT2: case W_LANDLOCK_ATTR:
		return -E2BIG;
	default:
		return -EINVAL;
	}
}

/* A kernel younger than the table may know what we do not. */
static bool newer_kernel(void)
{
	unsigned int major, minor;
	struct utsname u;

	return uname(&u) < 0 ||
		sscanf(u.release, "%u.%u", &major, &minor) != 2 ||
		major > TABLE_MAJOR ||
		(major == TABLE_MAJOR && minor > TABLE_MINOR);
}

void refuse_unknown(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	bool first = s->row->arg[0].kind != K_FD, known;
	char what[64];
	int64_t r;

	if (!first && bad_descriptor(s)) {
		set_finish(s, -EBADF);
		return;
	}
	r = unknown_answer(s, &known);
	snprintf(what, sizeof(what),
		 "command 0x%x not known to the syscall table",
		 (unsigned int)a[!first]);
	if (known || mon.opt.verbose || newer_kernel())
		refuse(s, what);
	set_finish(s, r);
}

void generic_start(struct taskset *s)
{
	if (view_active() && view_answers(s))
		return;
	if (s->row->exec == EXEC_LEADER || s->row->exec == EXEC_ALL) {
		set_leader_go(s);
		return;
	}
	refuse_start(s);
}

static void done_all(struct taskset *s, int64_t ret)
{
	int64_t each[MAX_VARIANTS];

	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		each[v] = ret;
	/* EFAULT may come when all is done but the last output */
	if (ret >= 0 || ret == -EFAULT || s->row->result == RES_OWN) {
		for_each_follower(v) {
			int64_t r = set_follower_exec(s, v);

			if (s->row->result == RES_OWN) {
				each[v] = r;
			} else if ((r < 0) != (ret < 0)) {
				struct divergence d = {
					.kind = DIV_RESULT, .set = s,
					.variant = v, .arg = -1,
					.ret = { ret, r },
				};

				if (!diverge(&d))
					return;
			}
		}
	}
	set_finish_each(s, each);
}

void generic_done(struct taskset *s, int64_t ret)
{
	int viewed = 0;

	if (s->row->exec == EXEC_ALL) {
		done_all(s, ret);
		return;
	}
	if (s->row->flags & RF_FILEDATA)
		shadow_file_changed(s, ret);
	if (ret >= 0 && view_active()) {
		ret = view_describe(s, ret);
		if (s->row->flags & RF_VIEW)
			viewed = view_replicate(s, ret);
	}
	if (!viewed && set_replicate(s, ret) < 0)
		return;
	if (notify_expected(ret) && !notify_received(s))
		return;
	if (s->row->flags & RF_PRIVATE)
		solo_note_clock(s, ret);
	fast_fd_done(s, ret);
	set_finish(s, ret);
}

/*
 * Some kernels have been built without what we refuse.  These questions can only
 * be answered by an error.
 */
static bool kernel_lacks(uint64_t nr)
{
	long r = 0;

	switch (nr) {
	case SYS_init_module:
		r = syscall(nr, NULL, 0l, NULL);
		break;
	case SYS_delete_module:
		r = syscall(nr, NULL, 0);
		break;
	case SYS_finit_module:
		r = syscall(nr, -1, NULL, 0);
		break;
	case SYS_kexec_load:
		r = syscall(nr, 0l, ~0ul, NULL, 0l);
		break;
	case SYS_kexec_file_load:
		r = syscall(nr, -1, -1, 0l, NULL, ~0ul);
		break;
	case SYS_iopl:
		r = syscall(nr, 4);
		break;
	case SYS_ioperm:
		r = syscall(nr, 65536l, 1l, 1);
		break;
	default:
		break;
	}
	return r < 0 && errno == ENOSYS;
}

/* Nobody has a tracee, as nobody may get one. */
static bool of_a_tracer(const struct taskset *s)
{
	uint64_t request = s->t[LEADER].call.args[0];

	return request != PTRACE_TRACEME && request != PTRACE_ATTACH &&
	       request != PTRACE_SEIZE;
}

/* Attach to nobody. */
static bool of_nobody(const struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	pid_t pid = (pid_t)a[1];

	if (a[0] == PTRACE_TRACEME)
		return false;
	return pid <= 0 || (!proc_by_vpid(pid) && !set_by_vtid(pid) &&
			    kill(pid, 0) < 0 && errno == ESRCH);
}

void refuse_start(struct taskset *s)
{
	const struct ipmon_row *r = s->row;
	uint64_t nr = s->t[LEADER].call.nr;

	if (nr == SYS_ptrace && (of_a_tracer(s) || of_nobody(s))) {
		set_finish(s, -ESRCH);
		return;
	}
	if (r->cls == CLASS_REFUSED && kernel_lacks(nr)) {
		mon.count.refused[nr]++;
		set_finish(s, -ENOSYS);
		return;
	}
	/* numbers no kernel has ever used need no comment */
	if (r->cls == CLASS_UNKNOWN &&
	    ((nr > 334 && nr < 424) || nr >= IPMON_NR_MAX))
		verbose("process %d asks for syscall %lld", s->proc->vpid,
			(long long)nr);
	else if (!(r->flags & RF_QUIET))
		refuse(s, r->reason[0] ? r->reason : NULL);
	if (nr < IPMON_NR_MAX)
		mon.count.refused[nr]++;
	set_finish(s, -(int64_t)(r->error ? r->error : ENOSYS));
}

/*
 * Numbers of another ABI mean other calls, so they are named by its table.  Who
 * makes one makes many (a program that probes them, a 32-bit one): said once.
 */
void refuse_foreign(struct taskset *s)
{
	const struct call *c = &s->t[LEADER].call;
	bool x32 = c->arch == AUDIT_ARCH_X86_64;
	static bool said[2];
	char name[32];

	if (!said[x32]) {
		said[x32] = true;
		say("refused %s of the %s ABI in process %d: 32-bit and x32 entries are not supported",
		    filter_foreign_name(x32, c->nr, name, sizeof(name)),
		    x32 ? "x32" : "32-bit", (int)s->proc->vpid);
	}
	s->row = ipmon_row(IPMON_NR_MAX);
	set_finish(s, -ENOSYS);
}
