// SPDX-License-Identifier: Apache-2.0
/*
 * When variants that handle calls in-process have parted.
 *
 * Theory of operation
 * -------------------
 * A follower has parted from its leader when
 *
 *	it says so (IPMON_NR_DIVERGED): another call or another argument than in
 *		the leader's record, or the leader stands at a rendezvous
 *	it stands at a rendezvous with records unread (fast_solo.c)
 *	it has a fault where the leader had none: the leader has made a call
 *		since (fast_passed), or is at a rendezvous (signal.c)
 *	the leader has a fault and it wants another call
 *	it does not come: the leader has passed the point where it is, and it
 *		neither waits nor moves for the time-out
 *
 * It waits, stopped, until it is known what the other followers do there, or
 * for GRACE_NS: three variants can vote.  The leader may go on meanwhile, as
 * far as the policy lets it.  Then one divergence is raised for all that have
 * parted, whose place in the order of calls is a position in the ring.
 *
 * What variants write (cursors, the ring) decides here when something is
 * called a divergence, and nothing else; a variant that lies there has been
 * taken over and cannot be believed to have not.  One that claims to be fine
 * and does not come is late.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <ipmon/abi.h>
#include "../libipmon/core/decide.h"
#include "divergence.h"
#include "event.h"
#include "fast.h"
#include "fast_fd.h"
#include "fast_report.h"
#include "fast_solo.h"
#include "newname.h"
#include "solo.h"
#include "tracee.h"
#include "turn.h"
#include "unread.h"

#define GRACE_NS	200000000u	/* for the other followers to come */
#define COMPARED	256u		/* bytes two followers are compared by */

static uint64_t head_of(const struct taskset *s)
{
	return __atomic_load_n(&fast_ring(s)->head, __ATOMIC_ACQUIRE);
}

static uint64_t tail_of(const struct taskset *s, unsigned int v)
{
	return __atomic_load_n(&fast_cursor(s, v)->tail, __ATOMIC_ACQUIRE);
}

static bool rings(const struct taskset *s)
{
	return s->live && s->slot >= 0;
}

bool fast_passed(const struct taskset *s, unsigned int v)
{
	uint32_t state = __atomic_load_n(&fast_ring(s)->state,
					 __ATOMIC_ACQUIRE);

	return fast_unread(s, v) || state == RING_BLOCKED;
}

/* ---- who has parted ---- */

static bool reports(const struct task *t)
{
	return t->at == AT_ENTRY && t->call.nr == IPMON_NR_DIVERGED;
}

static unsigned int parted(struct taskset *s)
{
	unsigned int mask = 0;

	for_each_follower(v) {
		struct task *t = &s->t[v];

		if ((s->parted >> v & 1 && t->at == AT_ENTRY) ||
		    (t->fault && fast_passed(s, v)))
			mask |= 1u << v;
	}
	s->parted &= mask;
	return mask;
}

/* Is it known what follower v does at this position? */
static bool known(const struct taskset *s, unsigned int v, uint64_t pos)
{
	const struct task *t = &s->t[v];

	return t->at == AT_DEAD || t->fault || s->arrived & 1u << v ||
		(int64_t)(tail_of(s, v) - pos) > 0;
}

static void describe_fault(struct task *t, struct divergence *d, unsigned int i)
{
	siginfo_t si;

	if (ptrace(PTRACE_GETSIGINFO, t->tid, 0, &si))
		return;
	d->sig[i] = si.si_signo;
	d->fault_addr[i] = (uintptr_t)si.si_addr;
}

/*
 * One handles the call in-process, the other has left it to the monitor: an
 * argument decides that (a descriptor, a command, a path).
 */
static void other_argument(struct divergence *d, uint64_t nr, unsigned int known,
			   const uint64_t leader[6], const uint64_t own[6])
{
	const struct ipmon_plan *plan = ipmon_plan(nr);

	for (int i = 0; i < 6; i++) {
		uint64_t mask = plan->mask[i];

		if (!(known >> i & 1) || !((leader[i] ^ own[i]) & mask))
			continue;
		d->kind = DIV_ARGUMENT;
		d->arg = i;
		d->value[0] = leader[i] & mask;
		d->value[1] = own[i] & mask;
		d->note[0] = '\0';
		return;
	}
}

static void describe(struct taskset *s, unsigned int v, struct divergence *d)
{
	struct task *t = &s->t[v], *lead = &s->t[LEADER];
	static unsigned char copy[RINGCALL_COPY];
	static struct ring_call c;
	struct fast_where w;

	*d = (struct divergence){
		.kind = DIV_CALL, .set = s, .variant = v, .arg = -1,
		.in_ring = true, .ring_pos = tail_of(s, v),
	};
	if (t->fault) {
		d->kind = DIV_CRASH;
		describe_fault(t, d, 1);
		return;
	}
	if (reports(t)) {
		fast_difference(t, d);
		/* without a record: the leader is not at a call of IP-MON's */
		if (d->kind == DIV_CALL && !t->call.args[3] && lead->fault) {
			d->kind = DIV_CRASH;
			d->note[0] = '\0';
			describe_fault(lead, d, 0);
		} else if (d->kind == DIV_CALL && !t->call.args[3] &&
			   lead->at == AT_ENTRY && fast_where(t, &w) &&
			   w.has_call && w.call.nr == lead->call.nr) {
			other_argument(d, w.call.nr, 0x3f, lead->call.args,
				       w.call.args);
		}
		return;
	}
	d->ring_pos = fast_unread_at(s, v);
	snprintf(d->note, sizeof(d->note),
		 "the leader has made calls in-process which this variant has "
		 "not asked for");
	if (!ring_call_read(fast_ring(s), d->ring_pos, head_of(s), false, &c,
			    copy) && c.nr == t->call.nr)
		other_argument(d, c.nr, c.known, c.arg, t->call.args);
}

/* The call of the program a parted follower stands at. */
static uint64_t wants(struct task *t)
{
	struct fast_where w;

	if (!reports(t))
		return t->fault ? ~0ull : t->call.nr;
	return fast_where(t, &w) && w.has_call ? w.call.nr : ~1ull;
}

/* Do two parted followers agree with each other? */
static bool united(struct taskset *s, unsigned int v, unsigned int w)
{
	struct task *a = &s->t[v], *b = &s->t[w];
	unsigned char x[COMPARED] = { 0 }, y[COMPARED] = { 0 };
	struct divergence d, e;

	if (tail_of(s, v) != tail_of(s, w) || wants(a) != wants(b))
		return false;
	describe(s, v, &d);
	describe(s, w, &e);
	if (d.kind != e.kind || d.arg != e.arg || d.sig[1] != e.sig[1])
		return false;
	switch (d.kind) {
	case DIV_ARGUMENT:
		return d.value[1] == e.value[1];
	case DIV_PAYLOAD:
		return d.len[1] == e.len[1] && d.offset == e.offset &&
			mem_read_some(a, x, d.addr[1] + d.offset, sizeof(x)) ==
			mem_read_some(b, y, e.addr[1] + e.offset, sizeof(y)) &&
			!memcmp(x, y, sizeof(x));
	default:
		return true;
	}
}

enum decision { UNDECIDED, OVER, DROPPED };

static enum decision decide(struct taskset *s)
{
	unsigned int mask = parted(s), first = 0, followers = 0;
	struct divergence d;
	uint64_t head;

	if (!mask) {
		s->t_parted = 0;
		return UNDECIDED;
	}
	if (!s->t_parted)
		s->t_parted = mon.now;
	/* the one that is furthest behind stands for all */
	head = head_of(s);
	for_each_follower(v)
		if (mask & 1u << v &&
		    (!first || head - tail_of(s, v) > head - tail_of(s, first)))
			first = v;
	for_each_follower(v) {
		followers++;
		if (!(mask & 1u << v) && !known(s, v, tail_of(s, first)) &&
		    mon.now - s->t_parted < GRACE_NS) {
			fast_wake(s);
			return UNDECIDED;
		}
	}
	describe(s, first, &d);
	d.deviating = mask;
	d.leader_alone = followers >= 2 &&
		mask == (mon.live & ~(1u << LEADER));
	for_each_follower(v)
		if (v != first && d.leader_alone && !united(s, first, v))
			d.leader_alone = false;
	/* label and bytes are in static memory, which united() has used */
	if (followers >= 2) {
		bool alone = d.leader_alone;

		describe(s, first, &d);
		d.deviating = mask;
		d.leader_alone = alone;
	}
	s->parted = 0;
	s->t_parted = 0;
	return diverge(&d) ? DROPPED : OVER;
}

bool fast_parted(struct taskset *s, unsigned int v)
{
	s->parted |= 1u << v;
	return decide(s) != DROPPED;
}

static void diverged(struct task *t)
{
	struct taskset *s = t->set;
	const uint64_t *a = t->call.args;

	if (!a[0] || (a[0] == IPMON_DIV_CALL && !a[3])) {
		/* the rendezvous it saw may be over, and the leader on its way
		 * or at the next one */
		bool again = tail_of(s, t->variant) != head_of(s) ||
			(!s->t[LEADER].fault && fast_leader_alone(s, !a[0]));

		if (again || !a[0]) {
			task_finish(t, again ? 0 : 1);
			task_resume(t, PTRACE_CONT, 0);
			return;
		}
	}
	if (a[0] == IPMON_DIV_PAYLOAD) {
		static unsigned char copy[RINGCALL_COPY];
		static struct ring_call c;
		uint64_t equal = newname_reported(t);

		if (!equal && !ring_call_read(fast_ring(s),
					      tail_of(s, t->variant),
					      head_of(s), false, &c, copy))
			equal = unread_reported(t, &c);
		if (equal) {
			task_finish(t, (int64_t)equal);
			task_resume(t, PTRACE_CONT, 0);
			return;
		}
	}
	fast_parted(s, t->variant);
}

void fast_fault(struct task *t)
{
	struct taskset *s = t->set;

	if (!rings(s))
		return;
	/* a leader with a fault does not make the call others wait for */
	fast_arrived(t);
	if (t->variant != LEADER)
		decide(s);
}

bool fast_asked(struct task *t)
{
	struct taskset *s = t->set;

	if (!s->live || t->call.ip != s->proc->mm->gate[t->variant] + 2)
		return false;
	switch (t->call.nr) {
	case IPMON_NR_DIVERGED:
		if (t->variant == LEADER)
			return false;
		diverged(t);
		return true;
	case IPMON_NR_TURN:
		turn_told(t);
		return true;
	case IPMON_NR_CUT:
		if (t->variant != LEADER)
			return false;
		fast_cut(t);
		return true;
	case IPMON_NR_EPOLL_DATA:
		fast_epoll_ask(t);
		return true;
	default:
		return false;
	}
}

bool fast_gate_misused(struct task *t)
{
	struct taskset *s = t->set;
	struct divergence d = {
		.kind = DIV_CALL, .set = s, .variant = t->variant, .arg = -1,
		.note = "the program has jumped to the gate, which only IP-MON "
			"may use",
	};
	bool mine = s->live && (t->call.nr == IPMON_NR_EPOLL_DATA ||
				(t->call.nr == IPMON_NR_CUT &&
				 t->variant == LEADER) ||
				t->call.nr == IPMON_NR_TURN ||
				(t->call.nr == IPMON_NR_DIVERGED &&
				 t->variant != LEADER));

	if (mon.live == 1u << LEADER || s->state != SET_RUN || s->redo ||
	    s->rewritten || mine ||
	    t->call.ip != s->proc->mm->gate[t->variant] + 2)
		return false;
	if (t->variant != LEADER) {
		d.in_ring = rings(s);
		d.ring_pos = d.in_ring ? tail_of(s, t->variant) : 0;
		d.deviating = 1u << t->variant;
	}
	diverge(&d);
	return true;
}

/* ---- who does not come ---- */

/* What a task has computed itself, outside the kernel, in ns. */
static uint64_t user_time(const struct task *t)
{
	char path[64], buf[1024], *p;
	unsigned long ticks = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", t->tid, t->tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	p = fgets(buf, sizeof(buf), f) ? strrchr(buf, ')') : NULL;
	if (p)
		sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
		       "%lu", &ticks);
	fclose(f);
	return ticks * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

static bool inside_kernel(const struct task *t)
{
	char path[64], c = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", t->tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fread(&c, 1, 1, f) != 1)
		c = 0;
	fclose(f);
	return c >= '0' && c <= '9';
}

/* Has v been where it is (a position, or any other number that changes when it
 * gets on) for longer than the time-out, and computed or slept all the while?
 * A leader that sleeps is in a call. */
static bool late(struct taskset *s, unsigned int v, uint64_t where, bool is_idle)
{
	uint64_t limit = (uint64_t)mon.opt.timeout * 1000000000u, cpu;
	struct task *t = &s->t[v];
	char state;

	if (is_idle || t->at != AT_RUN || !t->tid ||
	    s->late[v].where != where || !s->late[v].since) {
		s->late[v].where = where;
		s->late[v].since = is_idle ? 0 : mon.now;
		s->late[v].cpu = 0;
		return false;
	}
	if (mon.now - s->late[v].since < limit)
		return false;
	cpu = task_cpu(t, &state) + 1;
	/* a single call may take the kernel long */
	if (v == LEADER)
		cpu = user_time(t) + 1;
	if (!s->late[v].cpu) {
		s->late[v].cpu = cpu;
		return false;
	}
	if (v == LEADER && inside_kernel(t)) {
		s->late[v].since = mon.now;
		s->late[v].cpu = 0;
		return false;
	}
	return cpu - s->late[v].cpu >= limit / 2 ||
		(v != LEADER && state != 'R' &&
		 mon.now - s->late[v].since > 2 * limit);
}

static void stalled(struct taskset *s, unsigned int v)
{
	struct divergence d = {
		.kind = DIV_STALL, .set = s, .variant = v, .arg = -1,
		.in_ring = true, .ring_pos = head_of(s),
	};
	unsigned long long sec = (mon.now - s->late[v].since) / 1000000000u;

	if (v == LEADER) {
		snprintf(d.note, sizeof(d.note), "the leader has made no call "
			 "for %llu s, while the others have come to their next "
			 "one", sec);
	} else {
		d.ring_pos = tail_of(s, v);
		d.deviating = 1u << v;
		snprintf(d.note, sizeof(d.note), "variant %u has asked for "
			 "nothing for %llu s, while the leader has gone on", v,
			 sec);
	}
	diverge(&d);
}

/* Who waits in vain for somebody?  A rendezvous has its own time-out. */
static void look_for_late(struct taskset *s)
{
	uint64_t head = head_of(s);
	bool waiting = false;

	if (s->t_arrived) {
		memset(s->late, 0, sizeof(s->late));
		return;
	}
	for_each_follower(v) {
		const struct ipmon_cursor *c = fast_cursor(s, v);
		uint64_t tail = tail_of(s, v);
		bool idle = tail == head &&
			__atomic_load_n(&c->sleeping, __ATOMIC_RELAXED);
		/* for a thread that has a ring of its own, and is late there */
		bool waits = fast_waits_turn(s, v);
		/* clocks that the leader alone has read are no reason to worry, but
		 * a set is neither parked nor given a signal before a follower has
		 * passed them: computing for ever is not then */
		bool passed = fast_passed(s, v) || (tail != head &&
			(s->park || !STAILQ_EMPTY(&s->sigq)));

		waiting |= idle;
		if (late(s, v, tail, idle || waits || !passed)) {
			stalled(s, v);
			return;
		}
	}
	if (late(s, LEADER, head, !waiting ||
		 __atomic_load_n(&fast_ring(s)->state, __ATOMIC_RELAXED) !=
		 RING_RUNNING))
		stalled(s, LEADER);
}

void fast_watch(struct taskset *s)
{
	if (!rings(s) || s->state != SET_RUN || mon.live == 1u << LEADER)
		return;
	if (decide(s) == OVER)
		return;
	look_for_late(s);
}
