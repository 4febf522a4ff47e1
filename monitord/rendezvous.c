// SPDX-License-Identifier: Apache-2.0
/*
 * Rendezvous: the life of one call of a task set.
 *
 * Theory of operation
 * -------------------
 *	set_arrive		a task is AT_ENTRY; when it is the last one:
 *	  rendezvous		same number?  deliver deferred signals first
 *	    compare		walk every variant's arguments, compare items
 *	    handler start	decides; usually set_leader_go
 *	  (leader executes)	the event loop serves other sets meanwhile
 *	  set_leader_done	interrupted? (signal.c)
 *	    handler done	replicate outputs, let followers do their part
 *	  set_finish		results into registers, trace, pending signals
 *	    sched_ready		the set's turn?
 *	  set_release		resume everybody
 *
 * The walk is the only fetch of lengths and pointers: what was compared is
 * what is replicated.  Followers are stopped all the while; the leader's
 * buffers could be changed by a sibling only if it ran, which the domain
 * scheduler prevents as long as the call does not block.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <linux/audit.h>

#include <ipmon/abi.h>
#include "event.h"
#include "at_random.h"
#include "calls.h"
#include "fast.h"
#include "fast_fd.h"
#include "fast_flush.h"
#include "fast_report.h"
#include "fast_solo.h"
#include "glance.h"
#include "h_misc.h"
#include "h_process.h"
#include "handlers.h"
#include "internal.h"
#include "newname.h"
#include "own.h"
#include "patch.h"
#include "rows.h"
#include "shadow.h"
#include "signals.h"
#include "solo.h"
#include "tracee.h"
#include "transfer.h"
#include "tsc.h"
#include "unread.h"
#include "vsyscall.h"

#define ITEMS_MAX (1u << 20)
#define ITEMS_KEPT 4096u	/* room for so many from call to call */
#define SENT_NS 1000000000u	/* a signal that was sent longer ago has come */

/* x32 numbers are 0x40000000 to 0x400003ff (asm/unistd_x32.h) */
#define X32_SYSCALLS 0x40000000u

/* ---- walking ---- */

static int walk_read(void *ctx, void *dst, uint64_t src, size_t n)
{
	return glance_read(ctx, dst, src, n) ? -EFAULT : 0;
}

static long walk_strnlen(void *ctx, uint64_t src, size_t max)
{
	return glance_strnlen(ctx, src, max);
}

static int walk_emit(void *ctx, const struct ipmon_item *item)
{
	struct items *it = &((struct task *)ctx)->items;

	if (it->n == it->cap) {
		unsigned int cap = it->cap ? it->cap * 2 : 16;
		struct ipmon_item *v;

		if (cap > ITEMS_MAX)
			return -E2BIG;
		v = realloc(it->v, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		it->v = v;
		it->cap = cap;
	}
	it->v[it->n++] = *item;
	return 0;
}

/* System V semaphores are not per process: ask the kernel ourselves. */
static long walk_nsems(void *ctx, int semid)
{
	struct semid_ds ds;
	union semun {
		struct semid_ds *buf;
	} arg = { &ds };

	return semctl(semid, 0, IPC_STAT, arg) < 0 ? -1 : (long)ds.sem_nsems;
}

/* Descriptors are the leader's, whoever asks. */
static int walk_pipe_mode(void *ctx, int fd)
{
	return pipe_mode(((struct task *)ctx)->set, fd);
}

static int walk(struct taskset *s, unsigned int v)
{
	struct task *t = &s->t[v];
	struct ipmon_walk w = {
		.read = walk_read, .strnlen = walk_strnlen, .emit = walk_emit,
		.sem_nsems = walk_nsems, .pipe_mode = walk_pipe_mode,
		.ctx = t, .row = s->row, .nr = t->call.nr,
	};

	memcpy(w.args, t->call.args, sizeof(w.args));
	if (t->items.cap > ITEMS_KEPT) {
		/* a long call: not each thread shall keep as much */
		free(t->items.v);
		t->items.v = NULL;
		t->items.cap = 0;
	}
	t->items.n = 0;
	return ipmon_walk(&w);
}

/* ---- comparing ---- */

/* What the last comparison found. */
static struct divergence found;

static bool differ(struct taskset *s, unsigned int v, enum div_kind kind,
		   unsigned int i, const char *note)
{
	struct divergence d = {
		.kind = kind, .set = s, .variant = v, .arg = -1,
	};
	const struct ipmon_item *a = i < s->t[LEADER].items.n ?
		&s->t[LEADER].items.v[i] : NULL;
	const struct ipmon_item *b = i < s->t[v].items.n ?
		&s->t[v].items.v[i] : NULL;

	if (a) {
		d.arg = a->arg;
		d.label = a->label;
		d.value[0] = a->value;
		d.addr[0] = a->addr;
		d.len[0] = a->len;
	}
	if (b) {
		d.value[1] = b->value;
		d.addr[1] = b->addr;
		d.len[1] = b->len;
	}
	if (note)
		strncpy(d.note, note, sizeof(d.note) - 1);
	found = d;
	return false;
}

/* Compare one input span; -1 when equal, else the first differing offset. */
static int64_t compare_span(struct taskset *s, unsigned int v,
			    const struct ipmon_item *a,
			    const struct ipmon_item *b)
{
	static char x[65536], y[65536];
	uint64_t done = 0;

	while (done < a->len) {
		size_t k = a->len - done < sizeof(x) ?
			(size_t)(a->len - done) : sizeof(x);
		ssize_t m = glance_some(&s->t[LEADER], x, a->addr + done, k);
		ssize_t n = glance_some(&s->t[v], y, b->addr + done, k);

		/*
		 * Partly mapped buffers are legal; process_vm_readv stops at
		 * the first bad page, as far into the span in each variant.
		 */
		if (m < 0)
			m = 0;
		if (n < 0)
			n = 0;
		if (m != n || memcmp(x, y, (size_t)m)) {
			ssize_t i = 0;

			while (i < m && i < n && x[i] == y[i])
				i++;
			return (int64_t)done + i;
		}
		if ((size_t)m < k)
			break;
		done += k;
	}
	return -1;
}

/* The same, passing over equivalent pointers on internal channels, and over what
 * nobody reads. */
static int64_t compare_internal(struct taskset *s, unsigned int v,
				const struct ipmon_item *a,
				const struct ipmon_item *b)
{
	int64_t off = compare_span(s, v, a, b);

	while (off >= 0) {
		int64_t next = internal_pointer(s, v, a, b, off);
		struct ipmon_item p = *a, q = *b;

		if (next < 0) {
			uint64_t n = unread_bytes(s, s->t[v].call.nr,
						  s->t[v].call.args, b->arg,
						  b->len, (uint64_t)off);

			if (!n)
				return off;
			next = off + (int64_t)n;
		}
		p.addr += (uint64_t)next;
		q.addr += (uint64_t)next;
		p.len -= (uint32_t)next;
		q.len -= (uint32_t)next;
		off = compare_span(s, v, &p, &q);
		if (off >= 0)
			off += next;
	}
	return -1;
}

/*
 * The leader's call has been in the kernel and was interrupted there.  Time-outs
 * are then overwritten with what is left of them, so nothing can be said about
 * an input that is an output as well.
 */
static bool overwritten(const struct taskset *s, const struct ipmon_item *in)
{
	const struct items *a = &s->t[LEADER].items;

	for (unsigned int i = 0; s->kick_ret && i < a->n; i++)
		if (a->v[i].type == IT_OUT &&
		    a->v[i].addr < in->addr + in->len &&
		    in->addr < a->v[i].addr + a->v[i].len)
			return true;
	return false;
}

/* Compare variant v with the leader; what differs is left in `found`. */
static bool compare_variant(struct taskset *s, unsigned int v)
{
	const struct items *a = &s->t[LEADER].items, *b = &s->t[v].items;

	for (unsigned int i = 0; i < a->n && i < b->n; i++) {
		const struct ipmon_item *x = &a->v[i], *y = &b->v[i];

		if (x->type != y->type)
			return differ(s, v, DIV_ARGUMENT, i,
				      x->type == IT_FAULT ||
				      y->type == IT_FAULT ?
				      "one pointer is readable, the other not" :
				      "one pointer is NULL, the other not");
		switch (x->type) {
		case IT_SCALAR:
			if (x->value != y->value)
				return differ(s, v, DIV_ARGUMENT, i, NULL);
			break;
		case IT_IN:
		case IT_STR: {
			int64_t off = x->len != y->len ? 0 : -1;

			if (off < 0 && !overwritten(s, x))
				off = compare_internal(s, v, x, y);
			if (off >= 0 && x->type == IT_STR &&
			    newname_known(s, v, x, y))
				off = -1;
			if (off >= 0) {
				struct divergence d = {
					.kind = DIV_PAYLOAD, .set = s,
					.variant = v, .arg = x->arg,
					.label = x->label,
					.addr = { x->addr, y->addr },
					.len = { x->len, y->len },
				};

				if (x->len != y->len) {
					struct ipmon_item p = *x, q = *y;

					if (q.len < p.len)
						p.len = q.len;
					else
						q.len = p.len;
					off = compare_span(s, v, &p, &q);
					if (off < 0)
						off = p.len;
				}
				d.offset = (uint64_t)off;
				found = d;
				return false;
			}
			break;
		}
		case IT_OUT:
			if (x->len != y->len || x->rule != y->rule)
				return differ(s, v, DIV_ARGUMENT, i,
					      "output buffers differ in size");
			break;
		default:
			break;
		}
	}
	if (a->n != b->n)
		return differ(s, v, DIV_ARGUMENT, a->n < b->n ? a->n : b->n,
			      "a different number of arguments in memory");
	return true;
}

bool set_compare(struct taskset *s)
{
	return set_compare_filtered(s, NULL, 0);
}

static bool compare(struct taskset *s,
		    void (*filter)(struct task *t, unsigned int arg),
		    unsigned int arg)
{
	for_each_variant(v) {
		int r = walk(s, v);

		/* others may do something about it */
		if (r < 0)
			glance_end();
		if (r == -ENOSYS) {
			/* the walker does not know this command */
			if (unknown_alone(s))
				continue;
			refuse_unknown(s);
			return false;
		}
		if (r < 0) {
			refuse(s, "arguments too large to compare");
			set_finish(s, -ENOMEM);
			return false;
		}
		if (filter)
			filter(&s->t[v], arg);
	}
	for_each_follower(v) {
		if (compare_variant(s, v))
			continue;
		glance_end();
		if (solo(s))
			return false;
		if (found.kind == DIV_PAYLOAD && unknown_unread(s))
			return false;
		if (!diverge(&found))
			return false;
	}
	return !mon.ending;
}

bool set_compare_filtered(struct taskset *s,
			  void (*filter)(struct task *t, unsigned int arg),
			  unsigned int arg)
{
	bool same;

	glance_begin();
	same = compare(s, filter, arg);
	glance_end();
	return same;
}

/* ---- replicating ---- */

/* What cannot be written in a follower was not written in the leader either, if it
 * is equal: a time-out in read-only memory. */
static bool leader_wrote(struct taskset *s, unsigned int v, unsigned int i,
			 uint32_t n)
{
	struct ipmon_item a = s->t[LEADER].items.v[i];
	struct ipmon_item b = s->t[v].items.v[i];
	char c;

	a.len = b.len = n;
	return !mem_read(&s->t[LEADER], &c, a.addr, 1) &&
	       !mem_read(&s->t[LEADER], &c, a.addr + n - 1, 1) &&
	       compare_span(s, v, &a, &b) >= 0;
}

int set_replicate(struct taskset *s, int64_t ret)
{
	struct task *lead = &s->t[LEADER];
	uint64_t left = 0;
	unsigned int group = 0;
	bool pointers;

	if (mon.live == 1u << LEADER)
		return 0;
	pointers = ret > 0 && internal_receives(s);
	for (unsigned int i = 0; i < lead->items.n; i++) {
		const struct ipmon_item *it = &lead->items.v[i];
		uint64_t word = 0;
		uint32_t n;

		if (it->type != IT_OUT || !it->addr)
			continue;
		if (it->aux)
			mem_read(lead, &word, it->aux,
				 ipmon_rule_word(it->rule));
		if (it->rule == R_VEC || it->rule == R_VEC_U32) {
			if (it->group != group) {
				group = it->group;
				left = ipmon_vec_total(it, ret, word);
			}
		} else {
			group = 0;
		}
		n = ipmon_actual(it, ret, word, &left);
		if (ret == -EFAULT) {
			replicate_faulted(s, i);
			continue;
		}
		if (!n)
			continue;
		for_each_follower(v) {
			uint64_t to;
			int r;

			if (i >= s->t[v].items.n)
				continue;
			to = s->t[v].items.v[i].addr;
			if (!to)
				continue;
			r = mem_copy(&s->t[v], to, lead, it->addr, n);
			mon.count.bytes += n;
			if (!r && pointers)
				internal_translate(s, v, to, n);
			if (r == -EFAULT && leader_wrote(s, v, i, n)) {
				struct divergence d = {
					.kind = DIV_RESULT, .set = s,
					.variant = v, .arg = it->arg,
					.label = it->label,
					.addr = { it->addr, to },
					.ret = { ret, -EFAULT },
					.note = "the leader's output buffer is "
						"writable, this variant's is "
						"not",
				};

				if (!diverge(&d))
					return -1;
			}
		}
	}
	return 0;
}

/* ---- the leader's part ---- */

void set_leader_go(struct taskset *s)
{
	struct task *t = &s->t[LEADER];

	s->state = SET_CALL;
	s->t_call = mon.now;
	if (s->kick_ret < 0)
		signal_go_on(s);
	s->partial = s->kick_ret > 0 ? (uint64_t)s->kick_ret : 0;
	s->kick_ret = 0;
	if (s->partial)
		transfer_go_on(s);
	else
		task_resume(t, PTRACE_SYSCALL, 0);
	if (s->blocking)
		sched_sleep(s);
}

void set_leader_again(struct taskset *s)
{
	s->redo = s->rewound = false;
	if (s->row->handler == H_VMSPLICE) {
		/* rewritten each time */
		vmsplice_start(s);
		return;
	}
	if (futex_locks_pi(s)) {
		futex_start(s);
		return;
	}
	s->state = SET_CALL;
	if (s->partial)
		transfer_go_on(s);
	else
		task_resume(&s->t[LEADER], PTRACE_SYSCALL, 0);
	/* it was given the turn to see what had interrupted it */
	if (s->blocking && !TAILQ_EMPTY(&s->proc->domain->ready))
		sched_leave(s);
}

int64_t set_follower_exec(struct taskset *s, unsigned int v)
{
	struct task *t = &s->t[v];

	return task_exec(t, t->call.nr, t->call.args);
}

/* ---- the end of a call ---- */

void set_note_call(struct taskset *s, int64_t ret)
{
	struct recent *r = &s->recent[s->recent_pos++ % RECENT_MAX];

	s->kick_ret = 0;
	s->partial = s->piece = s->t_deadline = 0;
	r->seq = ++mon.seq;
	r->nr = s->t[LEADER].call.nr;
	memcpy(r->args, s->t[LEADER].call.args, sizeof(r->args));
	r->ret = ret;
	r->signal = 0;
	s->ret = ret;
	mon.count.rendezvous++;
	if (r->nr < IPMON_NR_MAX) {
		uint64_t ns = s->t_arrived ? mon.now - s->t_arrived : 0;

		mon.count.per_nr[r->nr]++;
		mon.count.per_nr_ns[r->nr] += ns;
		if (ns > mon.count.per_nr_max[r->nr])
			mon.count.per_nr_max[r->nr] = ns;
	}
	if (mon.trace)
		trace_call(s, ret);
}

void set_finish_raw(struct taskset *s, int64_t ret)
{
	set_note_call(s, ret);
	for_each_variant(v)
		s->t[v].saved_valid = false;
	s->arrived = 0;
	s->t_arrived = 0;
	s->redo = s->rewound = false;
	sched_ready(s);
}

void set_finish_each(struct taskset *s, const int64_t ret[MAX_VARIANTS])
{
	if (mon.ending)
		return;
	set_note_call(s, ret[LEADER]);
	patch_site(s);
	tsc_apply(s);
	fast_fd_kinds(s, ret[LEADER]);
	for_each_variant(v)
		task_finish(&s->t[v], ret[v]);
	s->arrived = 0;
	s->t_arrived = 0;
	s->redo = s->rewound = false;
	/* asking costs two system calls, much for one nobody executes */
	if (!(s->row->flags & RF_PURE) || mon.now - mon.t_sent < SENT_NS)
		signal_deliver_at_exit(s);
	s->undelivered = !s->early && s->t[LEADER].at != AT_SIGNAL &&
		!s->t[LEADER].resume_sig;
	if (!mon.ending)
		sched_ready(s);
}

void set_finish(struct taskset *s, int64_t ret)
{
	int64_t each[MAX_VARIANTS];

	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		each[v] = ret;
	set_finish_each(s, each);
}

void set_release(struct taskset *s)
{
	bool parked = s->state == SET_PARKED;

	if (!s->early)
		fast_release(s);
	s->state = SET_RUN;
	s->park = s->undelivered = s->idle = false;
	s->t_run = mon.now;
	for_each_variant(v) {
		struct task *t = &s->t[v];
		int sig = t->resume_sig;

		if (parked && t->at != AT_STOP)
			continue;
		if (s->early && v == LEADER)
			continue;
		if (t->at == AT_RUN || t->at == AT_DEAD || t->at == AT_GROUP)
			continue;
		t->resume_sig = 0;
		task_resume(t, PTRACE_CONT, sig);
	}
	if (s->early) {
		s->early = false;
		dispatch(&s->t[LEADER]);
	}
}

/* ---- arrival ---- */

/* Does the leader's call wait for as long as nothing happens, and is over when a
 * handler has run?  pause, poll and the like without a time-out. */
static bool waits_endlessly(const struct call *c)
{
	switch (c->nr) {
	case SYS_pause:
		return true;
	case SYS_poll:
		return (int32_t)c->args[2] < 0;
	case SYS_ppoll:
		return !c->args[2];
	case SYS_select:
	case SYS_pselect6:
		return !c->args[4];
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
		return (int32_t)c->args[3] < 0;
	case SYS_epoll_pwait2:
		return !c->args[3];
	default:
		return false;
	}
}

/*
 * All are at such a call.  A signal that came since the last call ends it.
 * Delivered before it, as elsewhere, it would leave `while (!flag) pause();` asleep
 * for ever; the window between test and call is a few instructions natively, and
 * here all the way between two calls.
 */
static bool waits_for_signal(const struct taskset *s)
{
	for_each_variant(v)
		if (s->t[v].call.nr != s->t[LEADER].call.nr ||
		    s->t[v].call.arch != AUDIT_ARCH_X86_64)
			return false;
	return waits_endlessly(&s->t[LEADER].call);
}

static void rendezvous(struct taskset *s)
{
	const struct handler *h;

	if (s->redo) {
		/* followers never left their entry stop */
		s->redo = false;
		if (!STAILQ_EMPTY(&s->sigq)) {
			/* caught: the call was interrupted already */
			s->kick_ret = s->ret;
			if (signal_deliver_kicked(s))
				return;
			s->kick_ret = 0;
			if (signal_deliver_before(s, s->ret)) {
				s->redo = s->state == SET_CALL;
				return;
			}
		}
		/* others have run meanwhile; call_ended() otherwise */
		if (!futex_locks_pi(s) || sched_take(s))
			set_leader_again(s);
		return;
	}
	if (fast_early(s))
		return;
	if (!STAILQ_EMPTY(&s->sigq) && !s->kick_ret && waits_for_signal(s))
		s->kick_ret = -ERESTARTNOHAND;
	/* ... at the end of its call, not in front of it */
	if (!s->kick_ret && !STAILQ_EMPTY(&s->sigq) &&
	    s->t[LEADER].call.nr != IPMON_NR_AFTER &&
	    signal_deliver_at_entry(s))
		return;
	if (s->t[LEADER].call.arch != AUDIT_ARCH_X86_64 ||
	    s->t[LEADER].call.nr >> 10 == X32_SYSCALLS >> 10) {
		refuse_foreign(s);
		return;
	}
	s->row = call_row(s->t[LEADER].call.nr);
	if (s->proc->mm->at_random[LEADER])
		at_random_call(s);
	if ((s->clocks.n_gone || s->proc->mm->clocks_apart) && solo_behind(s))
		return;
	for_each_follower(v) {
		if (s->t[v].call.nr != s->t[LEADER].call.nr ||
		    s->t[v].call.arch != s->t[LEADER].call.arch) {
			struct divergence d = {
				.kind = DIV_CALL, .set = s, .variant = v,
				.arg = -1,
			};

			if (solo(s) || !diverge(&d))
				return;
		}
	}
	if (mon.opt.any_calls && calls_denied_start(s))
		return;
	if (s->join_ns) {
		/* it may be an exit, which is not made in this one's place */
		for_each_follower(v) {
			namespaces_follow(s, v, s->join_ns);
			task_enter_again(&s->t[v]);
		}
		s->join_ns = 0;
	}
	if (!(s->row->flags & RF_PRIVATE) && !fast_catch_up(s))
		return;
	if (s->t[LEADER].call.no_tracer) {
		set_finish(s, -ENOSYS);
		return;
	}
	if (is_vsyscall(s)) {
		vsyscall(s);
		return;
	}
	if (seccomp_strict_forbids(s)) {
		kill(s->proc->pid[LEADER], SIGKILL);
		return;
	}
	if (s->row->cls == CLASS_UNKNOWN || s->row->cls == CLASS_REFUSED) {
		refuse_start(s);
		return;
	}
	if (!(s->row->flags & RF_PRIVATE)) {
		solo_reset(s);
	} else {
		fast_clocks_take(s);
		if (solo_apart(s))
			return;
	}
	s->blocking = s->row->flags & (RF_BLOCK | RF_YIELD);
	h = &handlers[s->row->handler];
	if (h->compare ? !h->compare(s) : !set_compare(s))
		return;
	if (s->row->flags & RF_PRIVATE && solo_frozen(s))
		return;
	if (s->kick_ret && !STAILQ_EMPTY(&s->sigq) &&
	    (signal_deliver_kicked(s) || signal_deliver_before(s, s->kick_ret)))
		return;
	if (mon.trace)
		trace_begin(s);
	shadow_will_change(s);
	(h->start ? h->start : generic_start)(s);
}

void set_check_complete(struct taskset *s)
{
	if (s->state != SET_RUN && !(s->state == SET_CALL && s->redo))
		return;
	if (!s->arrived || (s->arrived & mon.live) != mon.live) {
		signal_fault_check(s);
		signal_interrupt_check(s);
		return;
	}
	rendezvous(s);
}

void set_arrive(struct task *t)
{
	struct taskset *s = t->set;

	if (s->flushing && fast_flushed(t))
		return;
	if (fast_flush_entry(t))
		return;
	/*
	 * A leader that comes back to repeat its interrupted call may do so
	 * as restart_syscall; for everybody else it is still the same call.
	 */
	if (!s->redo && task_fetch_call(t) < 0)
		return;
	if (!s->redo)
		t->saved_valid = false;
	if (tsc_fallback(t))
		return;
	if (fast_gate_misused(t))
		return;
	if (own_link(t) || own_at_once(t))
		return;
	if (fast_asked(t))
		return;
	s->arrived |= 1u << t->variant;
	fast_arrived(t);
	if (!s->t_arrived)
		s->t_arrived = mon.now;
	if (t->variant != LEADER && !(s->arrived & 1u << LEADER) &&
	    fast_follower_early(s, t->variant))
		return;
	set_check_complete(s);
}
