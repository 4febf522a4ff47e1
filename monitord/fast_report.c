// SPDX-License-Identifier: Apache-2.0
/*
 * What a report says about variants that handle calls in-process.
 *
 * Theory of operation
 * -------------------
 * A follower that finds a difference stops inside IP-MON, in a reserved call:
 * its program's call lies in the struct ipmon_frame at the top of IP-MON's
 * stack, the difference in a struct ipmon_difference of its memory.  The
 * leader may be anywhere: what it asked for is in the ring, at the position
 * the follower has come to, and what it has done since behind it.
 *
 * Trust.  Variants may have been taken over.  What is read of their memory is
 * read once, with fixed sizes; positions are taken modulo the ring, addresses
 * in the ring are used only as offsets that have been checked, and records go
 * through ringcall.c.  All of it is only told to people.
 */
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include <ipmon/abi.h>
#include "../libipmon/core/decide.h"
#include "../libipmon/core/ring.h"
#include "fast.h"
#include "fast_report.h"
#include "owned.h"
#include "patch.h"
#include "report.h"
#include "tracee.h"

/* ---- where the program is ---- */

static bool in(uint64_t x, uint64_t start, uint64_t end)
{
	return x >= start && x < end;
}

bool fast_where(struct task *t, struct fast_where *w)
{
	struct taskset *s = t->set;
	const struct mm *mm = s->proc ? s->proc->mm : NULL;
	unsigned int v = t->variant;
	const struct user_regs_struct *r;
	struct ipmon_frame f;
	struct patch_own own;
	uint64_t at, sp;
	uint32_t inside;

	memset(w, 0, sizeof(*w));
	if (!mm || !mm->fast || s->ctx < 0 || t->at == AT_DEAD ||
	    t->at == AT_RUN)
		return false;
	r = task_regs(t);
	at = fast_ctx(s, v);
	/* on IP-MON's stack? */
	if (!r || !in(r->rsp, at, at + IPMON_CTX_SIZE) ||
	    mem_read(t, &inside, at + offsetof(struct ipmon_ctx, inside),
		     sizeof(inside)) ||
	    mem_read(t, &sp, at + offsetof(struct ipmon_ctx, saved_sp),
		     sizeof(sp)))
		return false;
	w->frame = at + IPMON_CTX_SIZE - 64 - sizeof(f);
	w->entry = mm->ranges[v].entry;
	w->gate = mm->gate[v];
	w->call.sp = sp;
	w->call.ip = r->rcx;
	if (!inside || mem_read(t, &f, w->frame, sizeof(f)))
		return true;
	w->has_call = true;
	w->call.nr = (uint32_t)f.nr;
	memcpy(w->call.args, f.args, sizeof(w->call.args));
	w->call.ip = patch_own_at(mm, v, f.rcx, &own) ? own.back : f.rcx;
	w->call.arch = t->call.arch;
	return true;
}

/* ---- a follower's report ---- */

/* A string of libipmon's, as the variant shows it. */
static void read_text(struct task *t, uint64_t addr, char *dst, size_t cap)
{
	char raw[200];
	ssize_t n = addr ? mem_read_some(t, raw, addr, sizeof(raw) - 1) : 0;

	raw[n > 0 ? n : 0] = '\0';
	text_sanitize(dst, cap, raw);
}

const unsigned char *fast_leader_bytes(struct task *t,
				       const struct ipmon_difference *x,
				       uint64_t *n)
{
	const struct taskset *s = t->set;
	uint64_t start, stop, off;

	if (s->slot < 0 ||
	    !fast_range(s->proc->mm, t->variant, 1, &start, &stop))
		return NULL;
	start += (uint64_t)s->slot * sizeof(struct ipmon_ring) +
		offsetof(struct ipmon_ring, data);
	off = x->bytes - start;
	if (off >= IPMON_RING_BYTES || x->at > x->offset)
		return NULL;
	*n = x->n_bytes < IPMON_RING_BYTES - off ? x->n_bytes :
		IPMON_RING_BYTES - off;
	return fast_ring(s)->data + off;
}

/* The leader's bytes around the difference, out of the ring. */
static void ring_bytes(struct task *t, const struct ipmon_difference *x,
		       struct divergence *d)
{
	static unsigned char bytes[REPORT_WINDOW];
	const unsigned char *at;
	uint64_t from, n;

	at = fast_leader_bytes(t, x, &n);
	if (!at)
		return;
	/* as in report_gather.c, but not before what is there */
	from = x->offset > 64 ? (x->offset - 64) & ~15ull : 0;
	if (from < x->at)
		from = x->at;
	if (from - x->at >= n)
		return;
	at += from - x->at;
	n -= from - x->at;
	d->bytes_at = from;
	d->n_bytes = n < sizeof(bytes) ? (uint32_t)n : sizeof(bytes);
	memcpy(bytes, at, d->n_bytes);
	d->bytes = bytes;
}

void fast_difference(struct task *t, struct divergence *d)
{
	static char label[64];
	const uint64_t *a = t->call.args;
	struct ipmon_difference x;

	if (mem_read(t, &x, a[5], sizeof(x)))
		memset(&x, 0, sizeof(x));
	d->kind = (enum div_kind)a[0];
	if (a[0] != IPMON_DIV_ARGUMENT && a[0] != IPMON_DIV_PAYLOAD &&
	    a[0] != IPMON_DIV_RESULT)
		d->kind = DIV_CALL;
	d->arg = (int)a[1] >= -1 && (int)a[1] <= 5 ? (int)a[1] : -1;
	if (d->kind == DIV_CALL)
		d->arg = -1;
	d->offset = a[2];
	read_text(t, x.label, label, sizeof(label));
	d->label = label[0] ? label : NULL;
	read_text(t, x.note, d->note, sizeof(d->note));
	d->addr[1] = a[4];
	memcpy(d->value, x.value, sizeof(d->value));
	memcpy(d->len, x.len, sizeof(d->len));
	if (d->kind == DIV_RESULT)
		d->ret[1] = (int64_t)x.value[1];
	if (d->kind == DIV_PAYLOAD)
		ring_bytes(t, &x, d);
}

/* ---- the ring ---- */

static unsigned char copy[RINGCALL_COPY];

static struct fast_line *line(struct fast_view *w, enum fast_when when)
{
	struct fast_line *l;

	if (when == FAST_BEFORE && w->n_lines == FAST_BEFORE_MAX) {
		/* the oldest makes room */
		memmove(w->line, w->line + 1,
			(FAST_BEFORE_MAX - 1) * sizeof(w->line[0]));
		w->n_lines--;
	}
	if (w->n_lines == FAST_LINES)
		return NULL;
	l = &w->line[w->n_lines++];
	l->when = when;
	return l;
}

/*
 * From the call that differs on, `verified` lets nothing out: what the leader
 * has been told it sent is held back (libipmon/hold.c).
 */
static bool left_us(const struct ring_call *c, enum fast_when when)
{
	return ring_call_visible(c) && (when == FAST_BEFORE ||
					mon.opt.policy != POLICY_VERIFIED);
}

static void put_line(struct fast_view *w, enum fast_when when,
		     const struct ring_call *c)
{
	struct fast_line *l = line(w, when);
	struct text t;

	if (!l)
		return;
	l->visible = left_us(c, when);
	text_init(&t, l->text, sizeof(l->text));
	ring_call_text(&t, c);
	if (!l->visible && c->done && ring_call_visible(c))
		text_puts(&t, " (held back)");
}

/* Calls before `pos`, as far as they are still there. */
static void gather_before(struct fast_view *w, const struct ipmon_ring *r,
			  uint64_t pos, uint64_t head, bool *continued)
{
	static struct ring_call c;
	uint64_t at = ring_oldest(pos, head);

	*continued = false;
	while (at != pos) {
		if (ring_call_read(r, at, pos, *continued, &c, copy)) {
			/* a skip leads to pos, or this is no chain of ours */
			if ((pos & RING_MASK) != 0)
				w->n_lines = 0;
			return;
		}
		if (!*continued)
			put_line(w, FAST_BEFORE, &c);
		*continued = c.flags & REC_MORE;
		at = c.pos + c.size;
	}
}

/*
 * Records that lead to `pos` may have been overwritten, and then it is not known
 * whether the one there begins a call.  A difference in a payload comes after
 * all scalars have been found equal: if they are not, they are none.
 */
static bool begins(const struct ring_call *c, const struct divergence *d)
{
	const struct ipmon_plan *plan = ipmon_plan(c->nr);
	struct fast_where w;

	if ((d->kind != DIV_PAYLOAD && d->kind != DIV_RESULT) ||
	    !fast_where(&d->set->t[d->variant], &w) || !w.has_call)
		return true;
	if (c->malformed || w.call.nr != c->nr)
		return false;
	for (unsigned int i = 0; i < 6; i++)
		if (c->flags & REC_LANE && c->known >> i & 1 &&
		    plan->mask[i] != 07777 &&
		    (w.call.args[i] & plan->mask[i]) != c->arg[i])
			return false;
	return true;
}

/* The call at `pos` and what the leader did after it. */
static void gather_ahead(struct fast_view *w, const struct ipmon_ring *r,
			 const struct divergence *d, uint64_t pos,
			 uint64_t head, bool continued)
{
	static struct ring_call c;
	static unsigned char here[RINGCALL_COPY];
	enum fast_when when = FAST_HERE;

	if (ring_call_read(r, pos, head, continued, &w->here, here))
		return;
	if (!continued && !begins(&w->here, d)) {
		continued = true;
		ring_call_read(r, pos, head, continued, &w->here, here);
	}
	w->has_here = true;
	for (;;) {
		if (ring_call_read(r, pos, head, continued, &c, copy))
			return;
		if (c.done) {
			w->ahead++;
			w->visible += left_us(&c, FAST_AHEAD);
		}
		if (!continued || when == FAST_HERE)
			put_line(w, when, &c);
		when = FAST_AHEAD;
		continued = c.flags & REC_MORE;
		pos = c.pos + c.size;
	}
}

/* ---- in words ---- */

/* Calls in the ring from a position on. */
static uint64_t count_calls(const struct ipmon_ring *r, uint64_t pos,
			    uint64_t head)
{
	static struct ring_call c;
	uint64_t n = 0;

	/* `continued` spares the decoding */
	while (!ring_call_read(r, pos, head, true, &c, copy)) {
		n += !(c.flags & (REC_MORE | REC_FORWARD));
		pos = c.pos + c.size;
	}
	return n;
}

static const char *name_of(uint64_t nr, char buf[32])
{
	const struct ipmon_row *row = ipmon_row(nr);

	return row->name[0] ? row->name : ipmon_name(nr, buf);
}

/* Is it IP-MON's own sleep? */
static bool waits(const struct task *t, const struct user_regs_struct *r)
{
	const struct mm *mm = t->set->proc->mm;
	uint64_t start, stop;

	if (r->orig_rax != SYS_futex)
		return false;
	for (unsigned int i = 1; i <= 2; i++)
		if (fast_range(mm, t->variant, i, &start, &stop) &&
		    in(r->rdi, start, stop))
			return true;
	return false;
}

static void words(struct fast_view *w, const struct divergence *d,
		  unsigned int v, uint64_t head)
{
	struct taskset *s = d->set;
	struct task *t = &s->t[v];
	const struct user_regs_struct *r;
	struct fast_where at;
	uint64_t behind;
	struct text x;
	char name[32];

	text_init(&x, w->v[v].state, sizeof(w->v[v].state));
	if (t->at == AT_DEAD || t->at == AT_RUN)
		return;
	r = task_regs(t);
	if (!r)
		return;
	w->v[v].inside = fast_where(t, &at);
	if (w->v[v].inside) {
		w->v[v].has_call = at.has_call;
		w->v[v].call = at.call;
		w->v[v].ip = at.call.ip;
		w->v[v].sp = at.call.sp;
	}
	if (t->at == AT_ENTRY && t->call.ip == s->proc->mm->gate[v] + 2 &&
	    t->call.nr != IPMON_NR_DIVERGED) {
		text_puts(&x, "at the gate, call not executed");
	} else if (t->at == AT_ENTRY) {
		text_puts(&x, v == LEADER ? "at " : "at its call, not answered");
		if (v == LEADER)
			text_printf(&x, "%s, a call for the monitor, not executed",
				    name_of(t->call.nr, name));
	} else if (t->at == AT_SIGNAL) {
		return;		/* which signal is what counts */
	} else if (!w->v[v].inside) {
		text_puts(&x, "computing");
	} else if (!at.has_call) {
		text_puts(&x, "on its way into or out of a call");
	} else if (waits(t, r)) {
		text_printf(&x, v == LEADER ?
			    "waiting for the followers, at %s" :
			    "waiting for the leader, at %s",
			    name_of(at.call.nr, name));
	} else if (v == LEADER && r->orig_rax == at.call.nr &&
		   r->rip == at.gate + 2) {
		text_printf(&x, "inside %s", name_of(at.call.nr, name));
	} else {
		text_printf(&x, "on its way through %s",
			    name_of(at.call.nr, name));
	}
	if (v == LEADER) {
		if (w->ahead)
			text_printf(&x, ", having completed %lu call%s from "
				    "there on", w->ahead,
				    w->ahead == 1 ? "" : "s");
		return;
	}
	behind = count_calls(fast_ring(s),
			     __atomic_load_n(&fast_cursor(s, v)->tail,
					     __ATOMIC_ACQUIRE), head);
	if (behind && v != d->variant)
		text_printf(&x, ", %lu call%s behind the leader", behind,
			    behind == 1 ? "" : "s");
}

/* ---- all ---- */

void fast_view_fill(struct fast_view *w, const struct divergence *d)
{
	const struct taskset *s = d->set;
	const struct ipmon_ring *r;
	uint64_t head, pos;
	bool continued;

	memset(w, 0, sizeof(*w));
	if (s->slot < 0 || !s->proc->mm || !s->proc->mm->fast)
		return;
	r = fast_ring(s);
	head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
	pos = d->in_ring ? d->ring_pos : head;
	/* what a follower wrote there may lead nowhere */
	if (head - pos > IPMON_RING_BYTES)
		pos = head;
	gather_before(w, r, pos, head, &continued);
	if (d->in_ring)
		gather_ahead(w, r, d, pos, head, continued);
	for_each_variant(v)
		words(w, d, v, head);
}
