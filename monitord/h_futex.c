// SPDX-License-Identifier: Apache-2.0
/*
 * futex.
 *
 * The leader alone sleeps and wakes; followers get its results.  Their words
 * have the same values as the leader's at the same point, because a domain
 * runs one set at a time, except where the kernel itself writes: what it
 * writes by the end of a call is an output of that call (the walker says so),
 * but FUTEX_LOCK_PI announces a waiter (FUTEX_WAITERS) before it sleeps, and
 * the owner must see that before it unlocks, in every variant.  So the bit is
 * set in the followers before the leader goes in, where the kernel sets it in the
 * next moment (kernel/futex/pi.c).  (Not here: the kernel may be about to write that
 * word for somebody else, and to write back what was read from it gives the lock to
 * whoever had it then.)  For the same reason nobody else runs until the leader
 * sleeps in the kernel or is back: an owner that unlocks in between would take the
 * bit away again, and the kernel would set it a second time, in the leader only.
 *
 * A leader that is interrupted there waits no longer, and the kernel gives the
 * word to nobody when the owner unlocks; then it calls again.  That is like the
 * first time: it has to be its turn, and the bit is set everywhere.  The lock may
 * be free by then: the leader gets it at once, and nobody else runs until the
 * followers have it, too.  Another set would find it taken in the leader only.
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "../libipmon/core/decide.h"
#include "handlers.h"
#include "h_misc.h"
#include "h_process.h"
#include "tracee.h"

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

/* A busy machine may not run it for long: 50 us at first, then 1 ms each. */
#define SETTLE_SHORT 400
#define SETTLE_TRIES 2400

/* Is the leader over with its call already?  Otherwise it sleeps. */
static bool settle(const struct task *t)
{
	for (int i = 0; i < SETTLE_TRIES; i++) {
		const struct timespec pause = {
			0, i < SETTLE_SHORT ? 50000 : 1000000
		};
		char path[64], buf[512], *p;
		siginfo_t si;
		FILE *f;

		memset(&si, 0, sizeof(si));
		if (waitid(P_PID, (id_t)t->tid, &si, WEXITED | WSTOPPED |
			   WNOHANG | WNOWAIT | __WALL) || si.si_pid)
			return true;
		snprintf(path, sizeof(path), "/proc/%d/stat", t->tid);
		f = fopen(path, "re");
		if (!f)
			return true;
		p = fgets(buf, sizeof(buf), f) ? strrchr(buf, ')') : NULL;
		fclose(f);
		if (!p || p[2] == 'S')
			return false;
		nanosleep(&pause, NULL);
	}
	return false;
}

bool futex_locks_pi(const struct taskset *s)
{
	unsigned int op = (unsigned int)s->t[LEADER].call.args[1] &
		FUTEX_CMD_MASK;

	return s->row->walker == W_FUTEX &&
	       (op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2);
}

void futex_start(struct taskset *s)
{
	struct task *lead = &s->t[LEADER];
	unsigned int op = (unsigned int)lead->call.args[1] & FUTEX_CMD_MASK;
	uint32_t word;

	/* only some commands sleep; the others change words others read */
	if (s->row->walker == W_FUTEX)
		s->blocking = op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET ||
			op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2 ||
			op == FUTEX_WAIT_REQUEUE_PI;
	if (!futex_locks_pi(s) ||
	    mem_read(lead, &word, lead->call.args[0], sizeof(word))) {
		set_leader_go(s);
		return;
	}
	if (word & FUTEX_TID_MASK && !(word & FUTEX_WAITERS) &&
	    (pid_t)(word & FUTEX_TID_MASK) != s->vtid) {
		word |= FUTEX_WAITERS;
		for_each_follower(v)
			mem_write(&s->t[v], s->t[v].call.args[0], &word,
				  sizeof(word));
	}
	s->state = SET_CALL;
	s->t_call = mon.now;
	task_resume(&s->t[LEADER], PTRACE_SYSCALL, 0);
	if (settle(lead))
		s->blocking = false;
	else
		sched_sleep(s);
}

void futex_done(struct taskset *s, int64_t ret)
{
	if ((s->blocking || futex_locks_pi(s)) && s->row->walker == W_FUTEX)
		robust_woken(s);
	if (ret == -ETIMEDOUT && s->row->walker == W_FUTEX &&
	    !set_replicate(s, ret)) {
		int64_t each[MAX_VARIANTS] = { 0 };

		for_each_variant(v)
			each[v] = ipmon_futex_result(s->t[v].call.args, ret);
		set_finish_each(s, each);
		return;
	}
	generic_done(s, ret);
}
