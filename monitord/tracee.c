// SPDX-License-Identifier: Apache-2.0
/*
 * ptrace primitives on one task.
 *
 * Theory of operation
 * -------------------
 * Registers are cached per stop: fetched when first asked for, written back
 * once, at resume.  The hot path (a call that is skipped) does not touch them
 * at all; it reads the call with PTRACE_GET_SYSCALL_INFO and pokes two words.
 *
 * Skipping: at a seccomp stop, orig_rax = -1 makes the kernel skip the call
 * and leave rax as we set it (seccomp(2), SECCOMP_RET_TRACE).
 *
 * Injecting at an entry stop replaces number and arguments in place: the
 * kernel re-runs the filters on what we wrote, and a second RET_TRACE counts
 * as "allow" (kernel/seccomp.c, recheck_after_trace).  Injecting at an exit
 * stop uses the gate's syscall instruction: entry stop, seccomp stop unless
 * the filter allows the call there, exit stop.
 *
 * Stops are what an execve costs, and most calls are injected there, many in a
 * row.  The pad needs one each: from the seccomp stop of its second instruction
 * the call is made, as if the first had asked for it, and the second stops
 * again, with the result for a number.  All that is made there is traced.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <linux/elf.h>
#include <linux/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracee.h"
#include "launch.h"
#include "signals.h"
#include "event.h"

#define USER_RAX	offsetof(struct user_regs_struct, rax)
#define USER_ORIG_RAX	offsetof(struct user_regs_struct, orig_rax)

/* linux/ptrace.h of 5.3 and later; glibc's header clashes with it */
#ifndef PTRACE_GET_SYSCALL_INFO
#define PTRACE_GET_SYSCALL_INFO 0x420e
#endif

struct user_regs_struct *task_regs(struct task *t)
{
	if (!t->regs_valid) {
		if (ptrace(PTRACE_GETREGS, t->tid, 0, &t->regs) < 0)
			return NULL;
		t->regs_valid = true;
	}
	return &t->regs;
}

void task_regs_changed(struct task *t)
{
	t->regs_dirty = true;
}

/* wrfsbase and wrgsbase load bases that ptrace does not write back: all but
 * bases and selectors, which are what they were. */
static int regs_flush_nobase(struct task *t)
{
	struct iovec io = { &t->regs,
		offsetof(struct user_regs_struct, fs_base) };

	return ptrace(PTRACE_SETREGSET, t->tid, (void *)NT_PRSTATUS, &io) < 0 ?
		-ESRCH : 0;
}

static int regs_flush(struct task *t)
{
	if (t->regs_dirty) {
		t->regs_dirty = false;
		if (ptrace(PTRACE_SETREGS, t->tid, 0, &t->regs) == 0)
			return 0;
		return errno == EIO ? regs_flush_nobase(t) : -ESRCH;
	}
	return 0;
}

int task_fetch_call(struct task *t)
{
	struct __ptrace_syscall_info {
		uint8_t op;
		uint8_t pad[3];
		uint32_t arch;
		uint64_t ip, sp, nr, args[6];
		uint32_t ret_data;
	} info;
	long n = ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info);

	if (n < (long)offsetof(struct __ptrace_syscall_info, ret_data))
		return -ESRCH;
	t->call.nr = info.nr;
	t->call.no_tracer = info.op == PTRACE_SYSCALL_INFO_SECCOMP &&
		n >= (long)(offsetof(struct __ptrace_syscall_info, ret_data) +
			    sizeof(info.ret_data)) &&
		info.ret_data == TRACE_NO_TRACER;
	/* ours are told by what the kernel does not look at */
	if (info.nr == IPMON_NR_CARRIER && task_regs(t))
		t->call.nr = t->regs.orig_rax;
	memcpy(t->call.args, info.args, sizeof(info.args));
	t->call.ip = info.ip;
	t->call.sp = info.sp;
	t->call.arch = info.arch;
	return 0;
}

int task_resume(struct task *t, int how, int sig)
{
	if (regs_flush(t) < 0)
		return -ESRCH;
	t->regs_valid = false;
	t->want_exit = how == PTRACE_SYSCALL;
	t->at = AT_RUN;
	if (ptrace((enum __ptrace_request)how, t->tid, 0, (long)sig) < 0)
		return -ESRCH;
	return 0;
}

void task_classify(struct task *t, int status)
{
	t->status = status;
	t->regs_valid = t->regs_dirty = t->padded = false;
	if (!WIFSTOPPED(status)) {
		t->at = AT_DEAD;
		return;
	}
	mon.count.stops++;
	/* any stop uses up a PTRACE_INTERRUPT (kernel/signal.c, ptrace_stop) */
	if (status >> 16 != PTRACE_EVENT_STOP)
		t->interrupted = false;
	switch (status >> 16) {
	case PTRACE_EVENT_SECCOMP:
		t->at = AT_ENTRY;
		return;
	case PTRACE_EVENT_STOP:
		t->at = WSTOPSIG(status) == SIGTRAP ? AT_STOP : AT_GROUP;
		return;
	case 0:
		t->at = WSTOPSIG(status) == (SIGTRAP | 0x80) ?
			AT_EXIT : AT_SIGNAL;
		return;
	default:
		t->at = AT_EVENT;
		return;
	}
}

int task_wait_for(struct task *t, uint64_t ns)
{
	uint64_t start = 0;
	int status;

	/* its death has been seen, and 0 would mean any child */
	if (!t->tid)
		return -ESRCH;
	for (;;) {
		pid_t r = waitpid(t->tid, &status, __WALL);

		if (r == t->tid)
			break;
		if (r < 0 && errno != EINTR) {
			/* reaped elsewhere: cannot happen, but never spin */
			t->at = AT_DEAD;
			return -ESRCH;
		}
		/* the monitor's ticker interrupts us: enforce the bound */
		if (!start)
			start = now_ns();
		else if (now_ns() - start > ns)
			return -ETIMEDOUT;
	}
	task_classify(t, status);
	if (t->at == AT_DEAD) {
		/* the event loop acts on it when this operation is over */
		event_defer_death(t);
		return -ESRCH;
	}
	return 0;
}

int task_wait(struct task *t)
{
	return task_wait_for(t, (uint64_t)mon.opt.timeout * 1000000000u);
}

/* SIGKILL is pending, or it is a zombie: what a running task still shows. */
static bool doomed(pid_t tid)
{
	char path[64], line[128];
	bool yes = true;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	f = fopen(path, "re");
	if (!f)
		return true;
	while (fgets(line, sizeof(line), f)) {
		unsigned long long set;
		char state;

		if (sscanf(line, "State: %c", &state) == 1)
			yes = state == 'Z' || state == 'X';
		else if (sscanf(line, "SigPnd: %llx", &set) == 1 ||
			 sscanf(line, "ShdPnd: %llx", &set) == 1)
			yes |= set >> (SIGKILL - 1) & 1;
	}
	fclose(f);
	return yes;
}

bool task_dying(const struct task *t)
{
	if (!t->tid || t->at == AT_DEAD || t->death_pending)
		return true;
	if (t->at == AT_RUN)
		return doomed(t->tid);
	errno = 0;
	return ptrace(PTRACE_PEEKUSER, t->tid, 0, 0) == -1 && errno == ESRCH;
}

/* A call faults on its way into the kernel only if there is no instruction where
 * it is made: then it always will. */
#define FAULTS_MAX 64

static bool is_fault(const struct task *t)
{
	siginfo_t si;

	return !ptrace(PTRACE_GETSIGINFO, t->tid, 0, &si) &&
		signal_synchronous(&si);
}

/*
 * Wait during a synchronous operation: signals are put aside (leader) or
 * swallowed (follower), stray stops are continued.
 */
static int wait_quiet(struct task *t, int how)
{
	unsigned int faults = 0;

	for (;;) {
		int r = task_wait(t);

		if (r < 0)
			return r;
		switch (t->at) {
		case AT_SIGNAL:
			if (is_fault(t) && ++faults == FAULTS_MAX)
				return -EFAULT;
			signal_put_aside(t);
			if (task_resume(t, how, 0) < 0)
				return -ESRCH;
			break;
		case AT_STOP:
		case AT_GROUP:
			t->interrupted = false;
			if (task_resume(t, how, 0) < 0)
				return -ESRCH;
			break;
		default:
			return 0;
		}
	}
}

/* ---- calls ---- */

static int save_regs(struct task *t)
{
	if (!task_regs(t))
		return -ESRCH;
	if (!t->saved_valid) {
		t->saved = t->regs;
		t->saved_valid = true;
	}
	return 0;
}

static void set_args(struct user_regs_struct *r, const uint64_t a[6])
{
	r->rdi = a[0];
	r->rsi = a[1];
	r->rdx = a[2];
	r->r10 = a[3];
	r->r8 = a[4];
	r->r9 = a[5];
}

static int64_t exit_value(struct task *t)
{
	struct user_regs_struct *r = task_regs(t);

	return r ? (int64_t)r->rax : -ESRCH;
}

/* Calls were injected at the pad: at the entry of the program's own again. */
static void unpad(struct task *t)
{
	t->regs = t->saved;
	t->regs.orig_rax = t->call.nr;
	t->regs_valid = t->regs_dirty = true;
	t->padded = false;
}

int task_rewrite(struct task *t, uint64_t nr, const uint64_t args[6])
{
	if (save_regs(t) < 0)
		return -ESRCH;
	t->regs.orig_rax = nr;
	set_args(&t->regs, args);
	/* the program's own filters let the gate through */
	if (t->set->proc->has_filter)
		t->regs.rip = t->set->proc->mm->gate[t->variant] + 2;
	t->regs_dirty = true;
	return 0;
}

int task_unrewrite(struct task *t, int64_t ret)
{
	if (t->at != AT_EXIT || !t->saved_valid || !task_regs(t))
		return -ESRCH;
	t->regs = t->saved;
	t->saved_valid = false;
	t->regs.orig_rax = t->call.nr;
	t->regs.rax = (uint64_t)ret;
	t->regs_dirty = true;
	return 0;
}

int64_t task_exec(struct task *t, uint64_t nr, const uint64_t args[6])
{
	int r;

	if (t->at != AT_ENTRY)
		return -ESRCH;
	if (t->padded)
		unpad(t);
	if ((nr != t->call.nr ||
	     memcmp(args, t->call.args, sizeof(t->call.args))) &&
	    task_rewrite(t, nr, args) < 0)
		return -ESRCH;
	mon.count.injected++;
	if (task_resume(t, PTRACE_SYSCALL, 0) < 0)
		return -ESRCH;
	r = wait_quiet(t, PTRACE_SYSCALL);
	if (r < 0)
		return r;
	return t->at == AT_EXIT ? exit_value(t) : -EIO;
}

int64_t task_inject_at(struct task *t, uint64_t ip, uint64_t nr,
		       const uint64_t args[6])
{
	int stops = 0;

	if (!between_calls(t) || !task_regs(t))
		return -ESRCH;
	t->regs.rip = ip;
	t->regs.rax = nr;
	t->regs.orig_rax = (uint64_t)-1;	/* nothing to restart */
	set_args(&t->regs, args);
	t->regs_dirty = true;
	mon.count.injected++;
	for (;;) {
		int r;

		if (task_resume(t, PTRACE_SYSCALL, 0) < 0)
			return -ESRCH;
		r = wait_quiet(t, PTRACE_SYSCALL);
		if (r < 0)
			return r;
		if (t->at == AT_EXIT && ++stops == 2)
			return exit_value(t);
		if (t->at == AT_EVENT)		/* exec: its own business */
			return 0;
	}
}

int64_t task_pad(struct task *t, uint64_t pad, uint64_t nr,
		 const uint64_t args[6])
{
	uint64_t at = pad + 2;

	if ((t->at != AT_EXIT && t->at != AT_ENTRY) || !task_regs(t))
		return -ESRCH;
	mon.count.injected++;
	/* from the exit of another call: first to the first one's entry */
	if (t->at == AT_EXIT)
		at = pad;
	for (;;) {
		int r;

		t->regs.rip = at;
		t->regs.rax = nr;
		/* -1: nothing to restart */
		t->regs.orig_rax = at == pad ? (uint64_t)-1 : nr;
		set_args(&t->regs, args);
		t->regs_dirty = true;
		if (task_resume(t, PTRACE_CONT, 0) < 0)
			return -ESRCH;
		r = wait_quiet(t, PTRACE_CONT);
		if (r < 0)
			return r;
		if (t->at != AT_ENTRY)
			return -EIO;
		if (!task_regs(t))
			return -ESRCH;
		t->padded = true;
		if (t->regs.rip == pad + 4)
			return (int64_t)t->regs.orig_rax;
		/* at the first one; or there once more, as the kernel repeats
		 * a call that a signal has come into */
		if (t->regs.rip != pad + 2)
			return -EIO;
		at = pad + 2;
	}
}

/* The pad's second instruction makes a call of any number: other filters may know
 * another answer to that than ours. */
bool task_pad_fits(const struct task *t)
{
	return !t->set->proc->has_filter && !mon.filtered;
}

/* Is it over at once, and is there nothing about it but its result? */
static bool pad_call(const struct task *t, uint64_t nr)
{
	if (!t->set->proc->mm->pad || !task_pad_fits(t))
		return false;
	switch (nr) {
	case SYS_mmap:
	case SYS_munmap:
	case SYS_mremap:
	case SYS_mprotect:
	case SYS_madvise:
	case SYS_brk:
	case SYS_close:
	case SYS_recvmsg:
	case SYS_dup3:
	case SYS_memfd_create:
		return true;
	default:
		return false;
	}
}

int64_t task_inject(struct task *t, uint64_t nr, uint64_t a0, uint64_t a1,
		    uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	const uint64_t args[6] = { a0, a1, a2, a3, a4, a5 };

	if (save_regs(t) < 0)
		return -ESRCH;
	if (pad_call(t, nr) && (t->at == AT_ENTRY || t->at == AT_EXIT))
		return task_pad(t, t->set->proc->mm->gate[t->variant] +
				PAD_OFFSET, nr, args);
	if (between_calls(t))
		return task_inject_at(t, t->set->proc->mm->gate[t->variant],
				      nr, args);
	return task_exec(t, nr, args);
}

int task_finish(struct task *t, int64_t ret)
{
	if (t->saved_valid || t->regs_dirty) {
		if (!task_regs(t))
			return -ESRCH;
		if (t->saved_valid)
			t->regs = t->saved;
		t->regs.rax = (uint64_t)ret;
		if (t->at == AT_ENTRY)
			t->regs.orig_rax = (uint64_t)-1;
		t->regs_dirty = true;
		t->saved_valid = false;
		return 0;
	}
	/* the leader's own result is there already */
	if (t->at == AT_EXIT && t->regs_valid && (int64_t)t->regs.rax == ret)
		return 0;
	t->regs_valid = false;
	if (t->at == AT_ENTRY &&
	    ptrace(PTRACE_POKEUSER, t->tid, USER_ORIG_RAX, -1L) < 0)
		return -ESRCH;
	if (ptrace(PTRACE_POKEUSER, t->tid, USER_RAX, (long)ret) < 0)
		return -ESRCH;
	return 0;
}

int task_skip_to_exit(struct task *t, int64_t ret)
{
	uint64_t nr = t->call.nr;
	int r;

	if (t->at == AT_ENTRY) {
		if (save_regs(t) < 0)
			return -ESRCH;
		t->regs.orig_rax = (uint64_t)-1;
		t->regs_dirty = true;
		if (task_resume(t, PTRACE_SYSCALL, 0) < 0)
			return -ESRCH;
		r = wait_quiet(t, PTRACE_SYSCALL);
		if (r < 0)
			return r;
	}
	if (t->at != AT_EXIT || !task_regs(t))
		return -ESRCH;
	if (t->saved_valid)
		t->regs = t->saved;
	t->saved_valid = false;
	t->regs.orig_rax = nr;
	t->regs.rax = (uint64_t)ret;
	t->regs_dirty = true;
	return 0;
}

/* From the exit of a call that was made in the place of the program's own, back to
 * the entry of that one. */
int task_enter_again(struct task *t)
{
	int r;

	if (t->padded && t->saved_valid) {
		unpad(t);
		t->saved_valid = false;
		return 0;
	}
	if (t->at != AT_EXIT || !t->saved_valid)
		return t->at == AT_ENTRY ? 0 : -ESRCH;
	t->regs = t->saved;
	t->regs.rip -= 2;
	t->regs.rax = t->call.nr;
	t->regs.orig_rax = (uint64_t)-1;
	t->regs_valid = true;
	task_regs_changed(t);
	t->saved_valid = false;
	if (task_resume(t, PTRACE_CONT, 0) < 0)
		return -ESRCH;
	r = wait_quiet(t, PTRACE_CONT);
	if (r < 0)
		return r;
	return t->at == AT_ENTRY ? 0 : -ESRCH;
}

/* ---- descriptors ---- */

/* What is passed: a descriptor, and which message of this variant's it is. */
struct fd_message {
	struct msghdr h;
	struct iovec iov;
	uint64_t serial;
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} c;
};

/* The addresses in *m as where it is going to lie at `at`. */
static void fd_message(struct fd_message *m, uint64_t at)
{
	memset(m, 0, sizeof(*m));
	m->iov.iov_base = (void *)(uintptr_t)(at + offsetof(typeof(*m), serial));
	m->iov.iov_len = sizeof(m->serial);
	m->h.msg_iov = (void *)(uintptr_t)(at + offsetof(typeof(*m), iov));
	m->h.msg_iovlen = 1;
	m->h.msg_control = (void *)(uintptr_t)(at + offsetof(typeof(*m), c));
	m->h.msg_controllen = sizeof(m->c.buf);
}

/*
 * By the task's descriptor `from`, what is written to ours `to`.  What was left there for
 * somebody who was killed in that very moment comes first: hence the serial number.
 */
static int send_fd_by(struct task *t, int to, uint64_t from, int fd)
{
	static uint64_t serial;
	struct mm *mm = t->set->proc->mm;
	uint64_t at = mm->scratch[t->variant] + SCRATCH_FD_OFFSET;
	struct fd_message m;
	struct cmsghdr *c;
	int64_t r;
	int got;

	fd_message(&m, (uint64_t)(uintptr_t)&m);
	m.serial = ++serial;
	c = CMSG_FIRSTHDR(&m.h);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (sendmsg(to, &m.h, MSG_DONTWAIT) < 0)
		return -errno;
	for (;;) {
		fd_message(&m, at);
		if (mem_write(t, at, &m, sizeof(m)) < 0)
			return -EFAULT;
		r = task_inject(t, SYS_recvmsg, from, at,
				MSG_CMSG_CLOEXEC | MSG_DONTWAIT, 0, 0, 0);
		if (r < 0)
			return (int)r;
		if (mem_read(t, &m, at, sizeof(m)) < 0)
			return -EFAULT;
		/* there was no number for it */
		got = -EMFILE;
		if (m.h.msg_controllen >= CMSG_LEN(sizeof(int)) &&
		    !(m.h.msg_flags & MSG_CTRUNC))
			memcpy(&got, m.c.buf + CMSG_LEN(0), sizeof(got));
		if (m.serial == serial)
			return got;
		if (got >= 0)
			task_inject(t, SYS_close, (uint64_t)got, 0, 0, 0, 0, 0);
	}
}

/* All processes of a variant take their descriptors from the same socket. */
int task_send_fd(struct task *t, int fd)
{
	return send_fd_by(t, mon.v[t->variant].ctl, CTL_FD, fd);
}

int leader_send_fd(struct taskset *s, int fd)
{
	struct task *t = &s->t[LEADER];
	uint64_t at = s->proc->mm->scratch[LEADER] + SCRATCH_PAIR_OFFSET;
	int pair[2], to, got;
	int64_t r;

	r = task_inject(t, SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
			at, 0, 0);
	if (r < 0)
		return (int)r;
	if (mem_read(t, pair, at, sizeof(pair)) < 0)
		return -EFAULT;
	got = to = leader_getfd(s, pair[0]);
	if (to >= 0) {
		got = send_fd_by(t, to, (uint64_t)pair[1], fd);
		close(to);
	}
	for (unsigned int i = 0; i < 2; i++)
		task_inject(t, SYS_close, (uint64_t)pair[i], 0, 0, 0, 0, 0);
	return got;
}

int leader_getfd(struct taskset *s, int fd)
{
	pid_t pid = s->proc->pid[LEADER];
	int pfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int got;

	if (pfd < 0)
		return -errno;
	got = (int)syscall(SYS_pidfd_getfd, pfd, fd, 0);
	if (got < 0)
		got = -errno;
	close(pfd);
	return got;
}

int follower_getfd(struct taskset *s, unsigned int v, int leader_fd)
{
	int fd = leader_getfd(s, leader_fd);
	int got;

	if (fd < 0)
		return fd;
	got = task_send_fd(&s->t[v], fd);
	close(fd);
	return got;
}
