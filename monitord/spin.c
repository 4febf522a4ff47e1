// SPDX-License-Identifier: Apache-2.0
/*
 * Threads that wait by going round a loop.
 *
 * Theory of operation
 * -------------------
 * Who waits for others by looking at memory again and again makes no call at which it
 * would give the turn away, so it has to be parked, at the same instant in all variants
 * (align.c, lap.c, meet.c), which takes some 30 ms each time.  When that has been done
 * once it is known where the loop is, and all variants stand in the same round of it:
 * so an instruction of the loop is replaced by a jump to a stub that calls IP-MON, as
 * rdtsc is (sites_own.c, libipmon/insn.c), in all of them at this instant.  From now
 * on all variants make the same visits there between two calls, and a visit is a call:
 * common to all, where the turn is handed on and signals come.
 *
 * All variants must have the same number of visits before them, then.  That is so if
 * nothing in the loop ends it but others (lap.c has proven it, and given all the
 * leader's counts); or if all that could count is in registers and in the frame, which
 * are compared once more here, more strictly: numbers are the same, addresses are not.
 * The latter is true of many loops that compute, which would only become slower; so
 * where variants have not come round to the same state, but met in the course of
 * something (meet.c), it must also read memory at a place that does not move.
 * A loop that waits may be given up after so many rounds, for a look at something else,
 * and begun again, its count with it.  Then there is no instant to meet at that could be
 * told from others by its count alone in reasonable time; but where the loop around it
 * begins its state is always the same.  There all variants are brought (spin_meet()), if
 * the leader has been seen to come round to the same state.
 *
 * Others of the process that are parked may be in that loop as well: the same holds for
 * them, or nothing is replaced.  Where each variant has an allocator of its own
 * (diverse) one alone may come to a loop: nothing is replaced; nor ever in an allocator,
 * which may do other things at other addresses.
 *
 * The jump has five bytes.  If that is more than the instruction, somebody might be
 * about to go on in the middle of it: a thread that is parked, which can be seen, or one
 * that returns to where it was when a signal came, or to an address from a signal's
 * frame (Go's pre-emption does that).  So several instructions are replaced only as long
 * as no signal has been taken in this address space.  Afterwards a frame never has an
 * address in the middle: signals come at the visit, which is before the first one.
 */
#include <errno.h>
#include <string.h>

#include "event.h"
#include "fast.h"
#include "lap.h"
#include "meet_int.h"
#include "patch_int.h"
#include "signals.h"
#include "spin.h"
#include "tracee.h"

#define LOOPS		3u	/* around a place */
#define VAIN_MAX	5u
#define FRAME_MOST	65536u
#define ADDRESS_LEAST	(1ull << 32)
#define ADDRESS_MOST	(1ull << 47)

static bool may_be_address(uint64_t x)
{
	return x >= ADDRESS_LEAST && x < ADDRESS_MOST;
}

/* In the program's code, with the numbers the leader has. */
static bool same_numbers(struct taskset *s)
{
	struct user_regs_struct *l = task_regs(&s->t[LEADER]);
	unsigned long long *a[LAP_REGS], *b[LAP_REGS];

	if (!l)
		return false;
	lap_regs(l, a);
	for_each_variant(v) {
		struct user_regs_struct *r = task_regs(&s->t[v]);

		/* one that comes back from a call has something to be restarted */
		if (!r || s->t[v].at != AT_STOP || (int64_t)r->orig_rax >= 0 ||
		    patch_inside(s->proc->mm, v, r->rip))
			return false;
		lap_regs(r, b);
		for (unsigned int i = 0; i < LAP_REGS; i++)
			if (*a[i] != *b[i] && !(may_be_address(*a[i]) &&
						may_be_address(*b[i])))
				return false;
	}
	return true;
}

/* Does `s` stand in the middle of these bytes? */
static bool stands_in(struct taskset *s, const struct site_plan *p,
		      const uint64_t bias[MAX_VARIANTS])
{
	for_each_variant(v) {
		struct user_regs_struct *r = task_regs(&s->t[v]);
		uint64_t ip = r ? r->rip - bias[v] : p->start + 1;

		if (ip > p->start && ip < p->end)
			return true;
	}
	return false;
}

/* Those that are parked are in order, and elsewhere; p NULL: anywhere. */
static bool others_fit(const struct taskset *s, const struct site_plan *p,
		       const uint64_t bias[MAX_VARIANTS])
{
	struct taskset *o;

	LIST_FOREACH(o, &mon.sets, all) {
		if (o == s || o->proc->mm != s->proc->mm ||
		    o->state != SET_PARKED)
			continue;
		if (p ? stands_in(o, p, bias) : !o->in_order)
			return false;
	}
	return true;
}

struct search {
	struct object *o;
	uint64_t vaddr;
	bool rbp;
	unsigned int n;
	struct site_loop loop[LOOPS];
};

/* Does rbp say where the function's frame is? */
static bool has_frame(struct taskset *s)
{
	for_each_variant(v) {
		struct user_regs_struct *r = task_regs(&s->t[v]);

		if (!r || r->rbp < r->rsp || r->rbp - r->rsp > FRAME_MOST)
			return false;
	}
	return true;
}

static void search(void *ctx)
{
	struct search *c = ctx;

	const struct elf_image *e = &c->o->elf;

	/* an allocator of its own: libc's has no such loops */
	if (elf_defines(e, "malloc") && !elf_defines(e, "__libc_start_main"))
		return;
	c->n = site_loops(e, c->vaddr, c->rbp, c->loop, LOOPS);
}

static bool patched_there(struct taskset *s, const struct site *p,
			  const uint64_t bias[MAX_VARIANTS])
{
	const struct patch_map *m = s->proc->mm->patches;

	for (unsigned int i = 0; i < m->n_done; i++)
		if (m->done[i].site == p && !m->done[i].gone &&
		    m->done[i].bias[LEADER] == bias[LEADER])
			return true;
	return false;
}

/* One of the instructions the loop begins with.  True: it has one now, or had. */
static bool replace(struct taskset *s, struct object *o, const struct site_loop *l,
		    const uint64_t bias[MAX_VARIANTS])
{
	for (unsigned int i = 0; i < l->n; i++) {
		const struct site_own own = { .len = l->len[i], .visit = true };
		struct site *p = patch_plan(o, l->first[i], &own);

		if (!p || !p->p.kind || !p->own.visit)
			continue;
		if (patched_there(s, p, bias))
			return true;
		if ((p->p.n > 1 && s->proc->mm->signalled) ||
		    stands_in(s, &p->p, bias) || !others_fit(s, &p->p, bias))
			continue;
		if (patch_apply(s, o, &p, 1, bias) == 1)
			return true;
	}
	return false;
}

/* The loops around this address of the leader's; false: it has no file, or none. */
static bool loops_at(struct taskset *s, uint64_t ip, struct search *c)
{
	struct task *lead = &s->t[LEADER];
	struct patch_find f = { .ip = ip };

	c->o = NULL;
	c->n = 0;
	if (maps_each(lead->tid, patch_find_ip, &f) == 1 &&
	    f.e.path[0] == '/' && !strcmp(f.e.perms, "r-xp"))
		c->o = object_open(lead->tid, &f.e);
	c->rbp = has_frame(s);
	return c->o && c->o->elf.data &&
	       elf_vaddr(&c->o->elf, f.e.offset + (ip - f.e.start), &c->vaddr) &&
	       object_safely(search, c) && c->n;
}

static void find(struct taskset *s)
{
	uint64_t lead = task_regs(&s->t[LEADER])->rip;
	uint64_t ip = s->spin_at ? s->spin_at : lead;
	bool others = mon.live & ~(1u << LEADER);
	uint64_t bias[MAX_VARIANTS] = { 0 };
	struct search c;

	if (!loops_at(s, ip, &c))
		return;
	/* all are at the same place of one file */
	for_each_variant(v)
		bias[v] = task_regs(&s->t[v])->rip - lead + ip - c.vaddr;
	for (unsigned int i = 0; i < c.n; i++)
		if ((s->waits || (others && s->spins && c.loop[i].pure) ||
		     c.loop[i].watches) && replace(s, c.o, &c.loop[i], bias))
			return;
}

/* As if it stood at a fault, for injected calls; and back. */
static void between(struct taskset *s, bool on)
{
	for_each_variant(v) {
		struct task *t = &s->t[v];

		if (on && t->at == AT_STOP) {
			t->at = AT_SIGNAL;
			t->fault = true;
			continue;
		}
		t->fault = false;
		if (t->at == AT_DEAD || !task_regs(t))
			continue;
		t->at = AT_STOP;
		if (!t->saved_valid)
			continue;
		t->regs = t->saved;
		t->saved_valid = false;
		task_regs_changed(t);
	}
}

bool spin_may_replace(const struct taskset *s)
{
	const struct mm *mm = s->proc->mm;

	return s->slot >= 0 && mm->patches && !mm->no_fast && !mon.opt.diverse;
}

/* Everybody to where this loop begins, if the leader's state is the same there in each
 * round. */
static int gather(struct meeting *m, uint64_t place)
{
	struct meet_view before;
	int r;

	m->place = place;
	r = meet_visit(m, LEADER, &before);
	if (!r)
		r = meet_visit(m, LEADER, &m->view[LEADER]);
	if (!r && !meet_alike(m, &before, &m->view[LEADER]))
		r = -ENOENT;
	for_each_follower(v) {
		if (!r)
			r = meet_visit(m, v, &m->view[v]);
		if (!r)
			meet_same_frame(m, v);
		if (!r && !meet_look(m, v, &m->view[v]))
			r = -EAGAIN;
		if (!r && !meet_alike(m, &m->view[v], &m->view[LEADER]))
			r = -ENOENT;
	}
	return r;
}

int spin_meet(struct taskset *s)
{
	struct user_regs_struct *regs = task_regs(&s->t[LEADER]);
	struct meeting m = { .s = s };
	uint64_t ip;
	struct search c;
	int r;

	s->spin_at = 0;
	if (!regs || !spin_may_replace(s))
		return -ENOENT;
	ip = regs->rip;
	if (!loops_at(s, ip, &c) || !c.loop[0].watches)
		return -ENOENT;
	/* where it was in vain, or at a bad time, it is not tried every time */
	if (s->spin_skip) {
		s->spin_skip--;
		return -ENOENT;
	}
	for_each_variant(v)
		if (!signal_may_step(&s->t[v]))
			return -ENOENT;
	ticker_want(true);
	meet_move_start(&m);
	r = meet_view_start(&m) ? -ENOENT : 0;
	for (unsigned int i = 1; i < c.n; i++) {
		if (r || c.loop[i].start == c.loop[0].start)
			continue;
		r = gather(&m, ip - c.vaddr + c.loop[i].start);
		if (!r)
			s->spin_at = ip;
		break;
	}
	meet_move_end(&m);
	meet_view_end(&m);
	if (!r && !s->spin_at)
		r = -ENOENT;
	if (!r)
		s->spin_vain = 0;
	else if (r != -EAGAIN && s->spin_vain < VAIN_MAX)
		s->spin_vain++;
	s->spin_skip = s->spin_vain ? (1u << (s->spin_vain - 1)) - 1 : 0;
	return r == -ETIME ? -ENOENT : r;
}

void spin_found(struct taskset *s)
{
	s->in_order = (s->spins || s->met) && same_numbers(s);
	if (!s->in_order || !spin_may_replace(s) || !others_fit(s, NULL, NULL))
		return;
	between(s, true);
	find(s);
	between(s, false);
}
