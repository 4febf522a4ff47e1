// SPDX-License-Identifier: Apache-2.0
/*
 * Process identity and limits: set_tid_address, setpgid, rlimits,
 * personality, capset, robust futex lists.
 *
 * Theory of operation
 * -------------------
 * The leader's state is the real one.  Followers get what matters when they
 * themselves run: limits of their address space, capabilities, process group
 * (so that a terminal's signals find the same groups; best effort).
 *
 * Limits on descriptors, processes, file sizes, CPU time and core files are
 * the leader's alone: a follower has none of those resources for the
 * program, but needs a descriptor of its own (CTL_FD), and a second core
 * file would be a second side effect.
 *
 * RLIMIT_AS counts the monitor's own mappings too, so the kernel is given that
 * much more than the program asked for, and the program is told that much less
 * (launch.c does so with a limit it was started under).
 *
 * Robust lists.  At a thread's exit the kernel walks its list of held locks
 * and marks the words that contain its tid.  A follower's words contain the
 * leader's tid, so its kernel list is useless: it is not registered at all,
 * and robust_exit() does the kernel's work (futex(2), robust-futexes.rst).
 */
#include <errno.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <linux/capability.h>
#include <linux/futex.h>

#include "fast.h"
#include "h_misc.h"
#include "tracee.h"
#include "valuemap.h"

void settid_start(struct taskset *s)
{
	int64_t each[MAX_VARIANTS];

	if (exec_everywhere(s, each))
		set_finish(s, s->vtid);
}

void setpgid_done(struct taskset *s, int64_t ret)
{
	const uint64_t *a = s->t[LEADER].call.args;
	struct proc *who = (pid_t)a[0] ? proc_by_vpid((pid_t)a[0]) : NULL;
	struct proc *group = (pid_t)a[1] ? proc_by_vpid((pid_t)a[1]) : NULL;

	for_each_follower(v) {
		pid_t pid = who ? variant_pid(who, v) : 0;
		pid_t pgid = group ? variant_pid(group, v) : 0;

		/* a group whose first process is gone has no known name */
		if (ret < 0 || ((pid_t)a[0] && !pid) || ((pid_t)a[1] && !pgid))
			continue;
		task_inject(&s->t[v], SYS_setpgid, (uint64_t)pid,
			    (uint64_t)pgid, 0, 0, 0, 0);
	}
	set_finish(s, ret);
}

/* ---- limits ---- */

static bool follower_limit(uint64_t resource)
{
	switch ((unsigned int)resource) {
	case RLIMIT_STACK:
	case RLIMIT_AS:
	case RLIMIT_DATA:
	case RLIMIT_MEMLOCK:
		return true;
	default:
		return false;
	}
}

/* The leader's process `p` got a new limit: its copies as well. */
static void follow_limit(struct taskset *s, const struct proc *p, int arg)
{
	uint64_t resource = s->t[LEADER].call.args[arg - 1];

	if (!follower_limit(resource))
		return;
	for_each_follower(v) {
		pid_t pid = p == s->proc ? 0 : variant_pid(p, v);

		if (p != s->proc && !pid)
			continue;
		task_inject(&s->t[v], SYS_prlimit64, (uint64_t)pid, resource,
			    s->t[v].call.args[arg], 0, 0, 0);
	}
}

static uint64_t shifted(uint64_t limit, int64_t by)
{
	if (limit == RLIM_INFINITY)
		return limit;
	if (by < 0)
		return limit < (uint64_t)-by ? 0 : limit + (uint64_t)by;
	return limit > RLIM_INFINITY - 1 - (uint64_t)by ? RLIM_INFINITY - 1 :
		limit + (uint64_t)by;
}

/* RLIMIT_AS of process p of ours; `set` and `get` are the arguments with the
 * new and the old limits, -1: there is none. */
static void limit_space(struct taskset *s, const struct proc *p, int set,
			int get)
{
	struct task *lead = &s->t[LEADER];
	int64_t ours = (int64_t)fast_hidden_bytes(), ret;
	uint64_t old = get < 0 ? 0 : lead->call.args[get];
	uint64_t args[6], limit[2];

	memcpy(args, lead->call.args, sizeof(args));
	/* what cannot be read is the kernel's EFAULT */
	if (set >= 0 && args[set] &&
	    !mem_read(lead, limit, args[set], sizeof(limit))) {
		limit[0] = shifted(limit[0], ours);
		limit[1] = shifted(limit[1], ours);
		for_each_variant(v)
			mem_write(&s->t[v], scratch_slot(s, v), limit,
				  sizeof(limit));
		args[set] = scratch_slot(s, LEADER);
	} else {
		set = -1;
	}
	ret = task_exec(lead, lead->call.nr, args);
	if (lead->at != AT_EXIT)
		return;
	if (!ret && old && !mem_read(lead, limit, old, sizeof(limit))) {
		limit[0] = shifted(limit[0], -ours);
		limit[1] = shifted(limit[1], -ours);
		mem_write(lead, old, limit, sizeof(limit));
	}
	for_each_follower(v) {
		pid_t pid = p == s->proc ? 0 : variant_pid(p, v);

		if (ret || set < 0 || (p != s->proc && !pid))
			continue;
		task_inject(&s->t[v], SYS_prlimit64, (uint64_t)pid, RLIMIT_AS,
			    scratch_slot(s, v), 0, 0, 0);
	}
	if (set_replicate(s, ret) == 0)
		set_finish(s, ret);
}

void rlimit_start(struct taskset *s)
{
	bool set = s->t[LEADER].call.nr == SYS_setrlimit;

	if ((uint32_t)s->t[LEADER].call.args[0] == RLIMIT_AS)
		limit_space(s, s->proc, set ? 1 : -1, set ? -1 : 1);
	else
		set_leader_go(s);
}

void prlimit_start(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	struct proc *p = (pid_t)a[0] ? proc_by_vpid((pid_t)a[0]) : s->proc;

	if (p && (uint32_t)a[1] == RLIMIT_AS)
		limit_space(s, p, 2, 3);
	else
		set_leader_go(s);
}

/* getrlimit and setrlimit */
void rlimit_done(struct taskset *s, int64_t ret)
{
	if (ret == 0 && s->t[LEADER].call.nr == SYS_setrlimit)
		follow_limit(s, s->proc, 1);
	if (set_replicate(s, ret) == 0)
		set_finish(s, ret);
}

void prlimit_done(struct taskset *s, int64_t ret)
{
	const uint64_t *a = s->t[LEADER].call.args;
	struct proc *p = (pid_t)a[0] ? proc_by_vpid((pid_t)a[0]) : s->proc;

	if (ret == 0 && a[2] && p)
		follow_limit(s, p, 2);
	if (set_replicate(s, ret) == 0)
		set_finish(s, ret);
}

/* ---- personality ---- */

/*
 * Under --layout same every variant runs with ADDR_NO_RANDOMIZE, which is
 * our business: the program sees the bit as it set it.  Under --layout
 * disjoint the leader may have it, followers may not (they would all get the
 * leader's addresses at the next exec).
 */
void personality_start(struct taskset *s)
{
	uint32_t want = (uint32_t)s->t[LEADER].call.args[0];
	bool query = want == 0xffffffff;
	int64_t ret = 0, shown;

	for_each_variant(v) {
		uint64_t args[6] = { want };
		int64_t r;

		if (query && v != LEADER)
			continue;
		if (!query && mon.opt.layout == LAYOUT_SAME)
			args[0] |= ADDR_NO_RANDOMIZE;
		else if (!query && v != LEADER)
			args[0] &= ~(uint64_t)ADDR_NO_RANDOMIZE;
		r = task_exec(&s->t[v], s->t[v].call.nr, args);
		if (v == LEADER) {
			if (s->t[v].at != AT_EXIT)
				return;
			ret = r;
		}
		if (ret < 0)
			break;
	}
	shown = ret;
	if (ret >= 0) {
		shown &= ~(int64_t)ADDR_NO_RANDOMIZE;
		if (s->proc->vno_random)
			shown |= ADDR_NO_RANDOMIZE;
		if (!query)
			s->proc->vno_random = want & ADDR_NO_RANDOMIZE;
	}
	set_finish(s, shown);
}

/* ---- capset ---- */

/* The header may name the caller's tid, which is another in a follower. */
void cap_done(struct taskset *s, int64_t ret)
{
	struct __user_cap_header_struct h;

	if (ret == 0 && mem_read(&s->t[LEADER], &h, s->t[LEADER].call.args[0],
				 sizeof(h)) == 0) {
		h.pid = 0;
		for_each_follower(v) {
			uint64_t slot = scratch_slot(s, v);
			int64_t r;

			if (mem_write(&s->t[v], slot, &h, sizeof(h)) < 0)
				continue;
			r = task_inject(&s->t[v], SYS_capset, slot,
					s->t[v].call.args[1], 0, 0, 0, 0);
			if (r < 0 && s->t[v].at == AT_EXIT &&
			    !result_differs(s, v, ret, r, NULL))
				return;
		}
	}
	if (set_replicate(s, ret) == 0)
		set_finish(s, ret);
}

/* ---- robust lists ---- */

void robust_start(struct taskset *s)
{
	struct task *lead = &s->t[LEADER];
	const uint64_t *a = lead->call.args;
	struct taskset *who;
	int64_t ret;

	ret = set_follower_exec(s, LEADER);
	if (lead->at != AT_EXIT)
		return;
	if (ret == 0 && lead->call.nr == SYS_set_robust_list) {
		for_each_variant(v)
			s->robust_head[v] = s->t[v].call.args[0];
	} else if (ret == 0) {
		/* get_robust_list(pid, &head, &len) */
		uint64_t len = 0, head = 0;

		who = (pid_t)a[0] ? set_by_vtid((pid_t)a[0]) : s;
		mem_read(lead, &head, a[1], sizeof(head));
		mem_read(lead, &len, a[2], sizeof(len));
		for_each_follower(v) {
			const uint64_t *b = s->t[v].call.args;

			if (!follower_write(s, v, 1, b[1], who ?
					    &who->robust_head[v] : &head,
					    sizeof(head)) ||
			    !follower_write(s, v, 2, b[2], &len, sizeof(len)))
				return;
		}
	} else if (ret == -EFAULT && lead->call.nr == SYS_get_robust_list) {
		uint64_t len;

		/* the length is stored before the head */
		for_each_follower(v)
			if (!mem_read(lead, &len, a[2], sizeof(len)))
				mem_write(&s->t[v], s->t[v].call.args[2], &len,
					  sizeof(len));
	}
	set_finish(s, ret);
}

#define ROBUST_LIST_LIMIT 2048		/* linux/futex.h */

/* handle_futex_death() of the kernel, without the wake-up: only the leader
 * ever waits. */
static void mark_dead(struct task *t, uint64_t word_at, uint32_t vtid)
{
	uint32_t word;

	if (word_at % sizeof(word) || mem_read(t, &word, word_at, sizeof(word)))
		return;
	if ((word & FUTEX_TID_MASK) != vtid)
		return;
	word = (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	mem_write(t, word_at, &word, sizeof(word));
}

static void robust_walk(struct task *t, uint64_t head_at, uint32_t vtid)
{
	struct {
		uint64_t next;
		int64_t offset;
		uint64_t pending;
	} head;
	uint64_t entry;

	if (mem_read(t, &head, head_at, sizeof(head)))
		return;
	/* bit 0 of an entry pointer means "priority inheriting" */
	head.pending &= ~1ull;
	entry = head.next & ~1ull;
	for (int i = 0; entry != head_at && i < ROBUST_LIST_LIMIT; i++) {
		uint64_t next = 0;
		int err = mem_read(t, &next, entry, sizeof(next));

		if (entry != head.pending)
			mark_dead(t, entry + (uint64_t)head.offset, vtid);
		if (err)
			break;
		entry = next & ~1ull;
	}
	if (head.pending)
		mark_dead(t, head.pending + (uint64_t)head.offset, vtid);
}

void robust_exit(struct taskset *s)
{
	for_each_follower(v)
		if (s->robust_head[v] && s->t[v].tid && s->t[v].at != AT_DEAD)
			robust_walk(&s->t[v], s->robust_head[v],
				    (uint32_t)s->vtid);
}

void robust_exit_all(struct proc *p)
{
	struct taskset *s;

	LIST_FOREACH(s, &p->sets, in_proc)
		robust_exit(s);
}

void robust_woken(struct taskset *s)
{
	uint32_t word, own;

	if (mem_read(&s->t[LEADER], &word, s->t[LEADER].call.args[0],
		     sizeof(word)) || !(word & FUTEX_OWNER_DIED))
		return;
	for_each_follower(v) {
		uint64_t at = s->t[v].call.args[0];

		if (!mem_read(&s->t[v], &own, at, sizeof(own)) &&
		    !(own & FUTEX_OWNER_DIED))
			mem_write(&s->t[v], at, &word, sizeof(word));
	}
}
