/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptrace primitives on one task: registers, memory, resuming, waiting,
 * injected calls.
 *
 * Rules
 *   - A function that talks to a task which turns out to be dead returns
 *     -ESRCH and leaves the bookkeeping to the event loop (the death is
 *     still reported by waitpid).
 *   - Memory of a variant is hostile: every length is the caller's to bound.
 *   - Synchronous waits are bounded (see task_wait).
 */
#ifndef MONITORD_TRACEE_H
#define MONITORD_TRACEE_H

#include "monitor.h"

/* Registers, fetched on demand.  task_regs() returns NULL when dead. */
struct user_regs_struct *task_regs(struct task *t);
void task_regs_changed(struct task *t);
/* Fetch the call at an entry stop into t->call (PTRACE_GET_SYSCALL_INFO). */
int task_fetch_call(struct task *t);

/* Resume.  how: PTRACE_CONT, PTRACE_SYSCALL or PTRACE_LISTEN. */
int task_resume(struct task *t, int how, int sig);
/*
 * Wait for this one task's next stop, classify it into t->at.  Bounded by
 * the run's time-out.  Returns 0, -ESRCH (died) or -ETIMEDOUT.
 */
int task_wait(struct task *t);
/* The same within this many ns: -ETIMEDOUT. */
int task_wait_for(struct task *t, uint64_t ns);
/*
 * Is the task dead, or has SIGKILL ended its stop?  Then everything asked of it
 * fails although nothing is wrong: its death is what counts, and will be
 * reported.
 */
bool task_dying(const struct task *t);

/* Memory.  0 or -EFAULT / -ESRCH; the *_some forms return bytes done. */
int mem_read(struct task *t, void *dst, uint64_t src, size_t n);
int mem_write(struct task *t, uint64_t dst, const void *src, size_t n);
ssize_t mem_read_some(struct task *t, void *dst, uint64_t src, size_t n);
/* Write even to read-only private pages (PTRACE_POKE semantics). */
int mem_poke(struct task *t, uint64_t dst, const void *src, size_t n);
/* Length of a string; -EFAULT, or -ENAMETOOLONG when longer than max. */
long mem_strnlen(struct task *t, uint64_t src, size_t max);
/* Copy between two variants, in bounded pieces. 0 or -EFAULT. */
int mem_copy(struct task *dst, uint64_t da, struct task *src, uint64_t sa,
	     size_t n);

/* Behind one, or at a fault that is to be emulated. */
static inline bool between_calls(const struct task *t)
{
	return t->at == AT_EXIT || (t->at == AT_SIGNAL && t->fault);
}

/*
 * Execute one syscall inside the task, synchronously, and return its result
 * (or -ESRCH).  The task must be AT_ENTRY, AT_EXIT, or AT_SIGNAL for a fault that
 * it is not to get; it is one of the first two after.  The program's registers are kept
 * in t->saved and come back with task_finish(), or, after such a fault, by hand
 * (patch_own.c).  Must not block for long: mmap, close, recvmsg of a queued
 * message, rt_sigsuspend with a pending signal.
 */
int64_t task_inject(struct task *t, uint64_t nr, uint64_t a0, uint64_t a1,
		    uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);
/*
 * The same for a task that is AT_EXIT, or AT_SIGNAL, using the syscall instruction at `ip`
 * (used before the gate page exists: poke 0f 05 somewhere first). Registers are
 * not saved or restored: the caller keeps them.
 */
int64_t task_inject_at(struct task *t, uint64_t ip, uint64_t nr,
		       const uint64_t args[6]);
/*
 * The same in one stop instead of three, for a task that is AT_ENTRY or AT_EXIT,
 * and without registers being kept either: by the pad, two syscall instructions
 * in a row that are not the gate's, so that the second one always stops.  The
 * task is AT_ENTRY after, at that one: the call it stands at is nobody's.  For calls
 * that are over at once, and only where no filters but ours are asked
 * (task_pad_fits()).
 */
bool task_pad_fits(const struct task *t);
#define PAD_OFFSET	16u		/* in the gate's page */
#define PAD_BYTES	0x0f, 0x05, 0x0f, 0x05
int64_t task_pad(struct task *t, uint64_t pad, uint64_t nr,
		 const uint64_t args[6]);
/*
 * Execute the task's own call, at AT_ENTRY, with (possibly other) number and
 * arguments, synchronously; AT_EXIT after.  Returns the result.
 */
int64_t task_exec(struct task *t, uint64_t nr, const uint64_t args[6]);

/* Make the next resumption execute another call than the program's, at
 * AT_ENTRY.  task_finish() brings the program's registers back. */
int task_rewrite(struct task *t, uint64_t nr, const uint64_t args[6]);
/* The rewritten call ended with `ret`: registers as if it had been the
 * program's own (AT_EXIT). */
int task_unrewrite(struct task *t, int64_t ret);

/*
 * Make the task look as if its call had returned `ret`, all other registers
 * as at entry.  AT_ENTRY (the call is skipped) or AT_EXIT.  Not resumed.
 */
int task_finish(struct task *t, int64_t ret);
/*
 * Bring a task from AT_ENTRY to AT_EXIT without executing its call, showing
 * `ret` and the original number, so that the kernel's own restart logic
 * (ERESTARTSYS and friends) applies to the signal that follows.
 */
int task_skip_to_exit(struct task *t, int64_t ret);
int task_enter_again(struct task *t);

/* Give descriptor `fd` of monitord to follower process `t` (AT_ENTRY or
 * AT_EXIT): returns its number there (CLOEXEC set), or -errno. */
int task_send_fd(struct task *t, int fd);
/* The same for a leader, through a pair of sockets that it makes for this. */
int leader_send_fd(struct taskset *s, int fd);
/* A copy, in monitord, of the leader's descriptor. -errno on failure. */
int leader_getfd(struct taskset *s, int fd);
/* The same, passed on into follower v; returns the number there. */
int follower_getfd(struct taskset *s, unsigned int v, int leader_fd);

#endif
