// SPDX-License-Identifier: Apache-2.0
/*
 * Letting a set handle its calls in-process.
 *
 * Theory of operation
 * -------------------
 * The region and the rings are fast_region.c's.
 *
 * Whether a set is `live` (handles calls itself) is decided at each release
 * (fast_release), and written to ctx->live in all variants while they are stopped.
 * Sets of a domain with others share a turn (turn.c); where there is none to be
 * had a set is live only while every other one waits in a call.  To have it come
 * back (fast_revoke), ctx->pending makes the leader leave its next call to
 * monitord, and a leader that sleeps in the gate is interrupted.
 *
 * Stops in IP-MON.  Nothing is ever delivered to the program there.
 *	at the gate, call interrupted	result becomes IPMON_KICKED, or, if
 *					nothing is to come of it, the kernel
 *					restarts it
 *	at the gate, call completed	untouched: IP-MON publishes it, but for one
 *					that was cut short (transfer.c)
 *	between test and gate (window)	back to the test of ctx->pending
 *	elsewhere			it will come to the next test itself
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ipmon/abi.h>
#include "at_random.h"
#include "fast.h"
#include "fast_flush.h"
#include "fast_report.h"
#include "fast_solo.h"
#include "h_misc.h"
#include "launch.h"
#include "patch.h"
#include "shadow.h"
#include "signals.h"
#include "tracee.h"
#include "transfer.h"
#include "tsc.h"
#include "turn.h"

void fast_leader_runs(struct taskset *s)
{
	if (s->slot >= 0 && s->live)
		__atomic_store_n(&fast_ring(s)->state, RING_RUNNING,
				 __ATOMIC_SEQ_CST);
}

bool fast_idle(const struct taskset *s, unsigned int v)
{
	const struct ipmon_cursor *c;

	if (s->slot < 0 || !s->live)
		return false;
	c = fast_cursor(s, v);
	return __atomic_load_n(&c->sleeping, __ATOMIC_RELAXED) &&
		__atomic_load_n(&c->tail, __ATOMIC_ACQUIRE) ==
		__atomic_load_n(&fast_ring(s)->head, __ATOMIC_ACQUIRE);
}

bool fast_says_waits(const struct taskset *s, unsigned int v)
{
	return __atomic_load_n(&fast_cursor(s, v)->waits_turn, __ATOMIC_RELAXED);
}

/*
 * It says so, and there is a sibling that has something to do and does not say the
 * same: that one is the late one, if any.  Or one of them has got on since this was
 * asked before: where many wait for each other it may be long until it is its turn.
 */
bool fast_waits_turn(struct taskset *s, unsigned int v)
{
	const struct taskset *o;
	bool busy = false;
	uint64_t sum = 0;

	if (v == LEADER || s->slot < 0 || !s->live || !s->proc->turn ||
	    !fast_says_waits(s, v))
		return false;
	LIST_FOREACH(o, &mon.sets, all) {
		const struct ipmon_cursor *c;

		if (o->proc->turn != s->proc->turn || o->slot < 0 || !o->live)
			continue;
		c = fast_cursor(o, v);
		sum += __atomic_load_n(&c->tail, __ATOMIC_RELAXED) +
			__atomic_load_n(&c->at, __ATOMIC_RELAXED);
		if (o != s && !fast_says_waits(o, v) && !fast_idle(o, v))
			busy = true;
	}
	if (sum != s->team_got_to[v]) {
		s->team_got_to[v] = sum;
		busy = true;
	}
	return busy;
}

/* ---- the turn ---- */

/* Is every other set of the domain asleep in a call of its own? */
static bool alone(const struct taskset *s)
{
	const struct domain *d = s->proc->domain;
	const struct taskset *o;

	if (!TAILQ_EMPTY(&d->ready))
		return false;
	LIST_FOREACH(o, &mon.sets, all) {
		if (o == s || o->proc->domain != d)
			continue;
		if (o->state != SET_CALL || !(o->blocking || o->vforking))
			return false;
	}
	return true;
}

static bool may_live(const struct taskset *s)
{
	const struct proc *p = s->proc;

	return p->mm->fast && !p->mm->no_fast && s->slot >= 0 &&
	       p->mm->patched && !p->has_filter && !p->vtsc_sigsegv &&
	       !p->vseccomp && !p->borrows && !p->execing && !p->exiting &&
	       STAILQ_EMPTY(&s->sigq) && p->domain->owner == s &&
	       !at_random_next(p->mm) &&
	       (p->turn || alone(s));
}

static bool shares_files(const struct taskset *s)
{
	const struct proc *p = s->proc;

	return LIST_NEXT(LIST_FIRST(&p->sets), in_proc) ||
		files_shared(p->files);
}

/* `s` begins: who is given its descriptors, or gave it his, may not come to us for
 * long.  Only the leader asks for this flag. */
void fast_files_shared(struct taskset *s)
{
	struct taskset *o;

	LIST_FOREACH(o, &mon.sets, all) {
		if (o == s || o->slot < 0 ||
		    o->proc->files != s->proc->files ||
		    o->ctx_flags & IPMON_CTX_FDS_SHARED)
			continue;
		o->ctx_flags |= IPMON_CTX_FDS_SHARED;
		CTX_SET(o, LEADER, flags, o->ctx_flags);
	}
}

/* The same for memory: its process has joined those that share some. */
void fast_shares(struct taskset *s)
{
	if (s->slot < 0)
		return;
	s->ctx_flags |= IPMON_CTX_SHARES;
	CTX_SET(s, LEADER, flags, s->ctx_flags);
}

static bool follower_runs(const struct taskset *s)
{
	for_each_follower(v)
		if (s->state == SET_PARKED && s->t[v].at == AT_RUN)
			return true;
	return false;
}

void fast_release(struct taskset *s)
{
	uint32_t flags = (mon.opt.diverse ? IPMON_CTX_DIVERSE : 0) |
		(filter_opens(NULL) && !mon.no_opens ? 0 : IPMON_CTX_NO_OPEN);
	bool live, inside;

	if (s->slot < 0)
		return;
	if (s->proc->mm->maps_live_file)
		flags |= IPMON_CTX_WAIT;
	if (shares_files(s))
		flags |= IPMON_CTX_FDS_SHARED;
	if (s->proc->domain->shared)
		flags |= IPMON_CTX_SHARES;
	turn_assign(s);
	/*
	 * One that was parked stands anywhere: some variants perhaps at their
	 * next call, or on the way from IP-MON to it.  Calls that were left to
	 * monitord in one are so in all.
	 */
	live = may_live(s) && (s->live || s->state != SET_PARKED);
	/* nor the other way round: a follower may have come to its next call, and
	 * wait in IP-MON for a leader that was stopped with its process (sched.c) */
	inside = !live && s->live && follower_runs(s);
	live |= inside;
	if (__atomic_load_n(&fast_cursor(s, LEADER)->apart, __ATOMIC_RELAXED))
		s->proc->mm->clocks_apart = true;
	if (live)
		fast_clocks_give(s);
	fast_ring(s)->state = RING_RUNNING;
	fast_ring(s)->releases++;
	if (s->pending) {
		s->pending = false;
		CTX_SET(s, LEADER, pending, 0);
	}
	if (live != s->live || flags != s->ctx_flags) {
		s->live = live;
		s->ctx_flags = flags;
		for_each_variant(v) {
			CTX_SET(s, v, flags, flags);
			CTX_SET(s, v, live, live);
		}
	}
	for_each_follower(v)
		fast_clocks_hand_over(s, v);
	/* from now on others may see it run */
	if (live)
		turn_give(s);
	if (inside)
		fast_want(s);
}

/* The other threads of `s` are told as well: they may not come to us for long.
 * Only the leader asks for this flag, so there is no order to keep. */
void fast_live_file(struct taskset *s)
{
	struct taskset *o;

	if (s->proc->mm->maps_live_file)
		return;
	s->proc->mm->maps_live_file = true;
	LIST_FOREACH(o, &mon.sets, all)
		if (o != s && o->proc->mm == s->proc->mm && o->slot >= 0)
			CTX_SET(o, LEADER, flags,
				o->ctx_flags | IPMON_CTX_WAIT);
}

/* Everybody comes to us first, and is told when it is released. */
void fast_no_opens(void)
{
	struct taskset *o;

	mon.no_opens = true;
	LIST_FOREACH(o, &mon.sets, all)
		fast_revoke(o);
}

void fast_want(struct taskset *s)
{
	if (s->slot < 0 || !s->live || s->pending)
		return;
	s->pending = true;
	CTX_SET(s, LEADER, pending, 1);
}

void fast_revoke(struct taskset *s)
{
	struct task *t = &s->t[LEADER];

	if (s->slot < 0 || !s->live || s->pending)
		return;
	fast_want(s);
	/*
	 * Interrupt it wherever it is: in the gate that ends a sleeping call,
	 * in user code it costs a stop.  Asking first whether it sleeps would
	 * be a race.  Not in a call of monitord's, which would only be
	 * repeated: it is over when its set is released.
	 */
	if (s->state == SET_RUN && t->at == AT_RUN && !t->interrupted) {
		t->interrupted = true;
		ptrace(PTRACE_INTERRUPT, t->tid, 0, 0);
	}
}

/* ---- rendezvous ---- */

static void wake_followers(struct taskset *s)
{
	struct ipmon_ring *r = fast_ring(s);
	bool sleeping = false;

	for_each_follower(v)
		if (__atomic_load_n(&fast_cursor(s, v)->sleeping,
				    __ATOMIC_SEQ_CST))
			sleeping = true;
	if (!sleeping)
		return;
	__atomic_add_fetch(&r->wake, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &r->wake, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void fast_wake(struct taskset *s)
{
	wake_followers(s);
}

/* A follower has been dropped: nobody waits for it any more. */
void fast_dropped(struct taskset *s, unsigned int mask)
{
	const struct fast *f = s->proc->mm ? s->proc->mm->fast : NULL;

	if (!f || s->ctx < 0)
		return;
	CTX_SET(s, LEADER, followers, mon.live & ~(1u << LEADER));
	CTX_SET(s, LEADER, n_variants,
		(uint32_t)__builtin_popcount(mon.live));
	if (s->slot < 0)
		return;
	s->parted &= ~mask;
	for (unsigned int v = 1; v < mon.n; v++) {
		uint32_t *space = &fast_cursor(s, v)->space;

		if (!(mask & 1u << v))
			continue;
		__atomic_add_fetch(space, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, space, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	}
}

void fast_arrived(struct task *t)
{
	struct taskset *s = t->set;

	if (s->slot < 0 || !s->live || t->variant != LEADER)
		return;
	__atomic_store_n(&fast_ring(s)->state, RING_TRAPPED, __ATOMIC_SEQ_CST);
	wake_followers(s);
}

/* Have all followers come to this position? */
static bool all_reached(const struct taskset *s, uint64_t pos)
{
	for_each_follower(v)
		if ((int64_t)(__atomic_load_n(&fast_cursor(s, v)->tail,
					      __ATOMIC_ACQUIRE) - pos) < 0)
			return false;
	return true;
}

/*
 * A call of the leader's that some follower has not come to for longer than the
 * user allows: the leader's next one is a rendezvous.
 */
static void lag_tick(struct taskset *s)
{
	if (!s->t_lag || all_reached(s, s->lag_pos)) {
		s->lag_pos = __atomic_load_n(&fast_ring(s)->head,
					     __ATOMIC_ACQUIRE);
		s->t_lag = mon.now;
	} else if (mon.opt.lag_ms && mon.now - s->t_lag >
		   (uint64_t)mon.opt.lag_ms * 1000000u) {
		fast_want(s);
	}
}

/* The number of calls the leader has handled so far. */
static uint64_t calls_made(struct taskset *s)
{
	uint64_t n = 0;

	mem_read(&s->t[LEADER], &n, fast_ctx(s, LEADER) +
		 offsetof(struct ipmon_ctx, n_calls), sizeof(n));
	return n;
}

/* Since when is the leader in its last call, if it is in one?  To the ticker's
 * precision.  The ring does not say so of all that may sleep (before_block()). */
static void note_blocked(struct taskset *s)
{
	uint64_t n = calls_made(s);

	if (!s->t_blocked || s->blocked_call != n)
		s->t_blocked = mon.now;
	s->blocked_call = n;
}

/*
 * The leader wakes sleeping followers only when it is about to sleep itself or
 * far ahead.  If it computes instead, time is the bound, and the ticker its
 * measure.
 */
void fast_tick(struct taskset *s)
{
	fast_flush_tick(s);
	if (s->live)
		note_blocked(s);
	if (s->live && s->arrived && fast_early_asleep(s))
		return;
	if (!s->live || fast_behind(s) < 0) {
		s->t_lag = 0;
		return;
	}
	wake_followers(s);
	lag_tick(s);
	for_each_follower(v)
		if (s->arrived & 1u << v && fast_follower_early(s, v))
			return;
}

int fast_behind(const struct taskset *s)
{
	uint64_t head;

	if (s->slot < 0 || !s->live)
		return -1;
	head = __atomic_load_n(&fast_ring(s)->head, __ATOMIC_ACQUIRE);
	for_each_follower(v)
		if (__atomic_load_n(&fast_cursor(s, v)->tail,
				    __ATOMIC_ACQUIRE) != head)
			return (int)v;
	return -1;
}

/* ---- stops inside IP-MON ---- */

static bool in_range(uint64_t ip, uint64_t start, uint64_t end)
{
	return ip >= start && ip < end;
}

/* Kernel codes of an interrupted call, as seen at a stop. */
static bool interrupted(int64_t rax)
{
	return rax == -EINTR || rax == -ERESTARTSYS ||
	       rax == -ERESTARTNOINTR || rax == -ERESTARTNOHAND ||
	       rax == -ERESTART_RESTARTBLOCK;
}

/* Has the gate been called for the program, or for IP-MON itself? */
static bool program_call(struct task *t, const struct user_regs_struct *r,
			 const struct ipmon_ranges *g)
{
	uint64_t back;

	return !mem_read(t, &back, r->rsp, sizeof(back)) &&
		back == g->window_end;
}

/* The program's call was to end with `ret` because of a stop. */
static void kick(struct taskset *s, struct user_regs_struct *r)
{
	struct task *t = &s->t[LEADER];

	s->kick_ret = (int64_t)r->rax;
	s->t_kicked = s->t_blocked && s->blocked_call == calls_made(s) ?
		s->t_blocked : mon.now;
	r->rax = (uint64_t)(int64_t)IPMON_KICKED;
	r->orig_rax = (uint64_t)-1;
	task_regs_changed(t);
}

/* The program's call has come back with a part of what it was to transfer; no
 * signal is meant for it. */
static bool cut_short(struct task *t, const struct user_regs_struct *r,
		      const struct ipmon_ranges *g, enum fast_stop why)
{
	const uint64_t a[6] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };

	return why != FAST_PASS && t->variant == LEADER &&
		(int64_t)r->rax > 0 && STAILQ_EMPTY(&t->set->sigq) &&
		program_call(t, r, g) &&
		transfer_is_short(t->set, r->orig_rax, a, r->rax);
}

void fast_cut(struct task *t)
{
	struct taskset *s = t->set;
	int64_t done = (int64_t)t->call.args[0];
	struct fast_where w;
	bool cut = done > 0 && STAILQ_EMPTY(&s->sigq) && fast_where(t, &w) &&
		w.has_call && transfer_is_short(s, w.call.nr, w.call.args,
						(uint64_t)done);

	if (cut) {
		s->kick_ret = done;
		s->t_kicked = mon.now;
	}
	task_finish(t, !cut);
	task_resume(t, PTRACE_CONT, 0);
}

/*
 * Does the kernel write what is left of a time-out over it, also before it repeats the
 * call?  Such a one may have been in the kernel even if it is to enter it.
 */
static bool writes_time(uint64_t nr)
{
	return nr == SYS_select || nr == SYS_pselect6 || nr == SYS_ppoll;
}

bool fast_stop(struct task *t, enum fast_stop why)
{
	struct taskset *s = t->set;
	const struct mm *mm = s->proc->mm;
	const struct ipmon_ranges *g;
	struct user_regs_struct *r;
	unsigned int v = t->variant;
	bool wanted = why == FAST_WANTED;

	if (s->ctx < 0 || !mm->fast)
		return false;
	r = task_regs(t);
	if (!r)
		return true;
	g = &mm->ranges[v];
	if (r->rip == mm->gate[v] + 2 && (int64_t)r->orig_rax >= 0) {
		if (!interrupted((int64_t)r->rax)) {
			if (cut_short(t, r, g, why))
				kick(s, r);
			return true;
		}
		/* a wait of IP-MON's own: its loop does it again */
		if (v != LEADER || !program_call(t, r, g)) {
			/* the kernel remembers only the last one */
			if (v == LEADER && s->kick_ret ==
			    -ERESTART_RESTARTBLOCK)
				s->kick_ret = -EINTR;
			return true;
		}
		/* codes other than EINTR make the kernel go on by itself */
		if (wanted || (why == FAST_UNSEEN && (int64_t)r->rax == -EINTR))
			kick(s, r);
		return true;
	}
	if (r->rip == mm->gate[v]) {
		/* called, not entered: as if it had not been called */
		if (wanted && v == LEADER && writes_time(r->rax) &&
		    program_call(t, r, g)) {
			r->rip += 2;
			r->rax = (uint64_t)(int64_t)-ERESTARTNOHAND;
			kick(s, r);
		} else if (wanted && v == LEADER) {
			r->rsp += 8;
			r->rip = g->window_start;
			task_regs_changed(t);
		}
		return true;
	}
	if (in_range(r->rip, g->window_start, g->window_end)) {
		if (wanted && v == LEADER) {
			r->rip = g->window_start;
			task_regs_changed(t);
		}
		return true;
	}
	return in_range(r->rip, mm->gate[v], mm->gate[v] + 4096) ||
	       in_range(r->rip, mm->ipmon_text[v][0], mm->ipmon_text[v][1]) ||
	       patch_inside(mm, v, r->rip) || tsc_inside(mm, v, r->rip);
}

bool fast_fixup(struct task *t)
{
	struct taskset *s = t->set;
	const struct mm *mm = s->proc->mm;
	const struct ipmon_ranges *g = &mm->ranges[t->variant];
	struct user_regs_struct *r;

	if (s->ctx < 0)
		return false;
	r = task_regs(t);
	if (!r || !in_range(r->rip, g->copy_start, g->copy_end))
		return false;
	r->rip = g->copy_fault;
	task_regs_changed(t);
	task_resume(t, PTRACE_CONT, 0);
	return true;
}
