// SPDX-License-Identifier: Apache-2.0
/*
 * The tracer's half of seeing inside: a snapshot, taken when one is wanted.
 *
 * Theory of operation
 * -------------------
 * Nothing is kept up to date for those who might look.  Events count what they
 * always count (mon.count); libipmon's leader counts by call in its ring, which
 * outlives it.  When the server wants a snapshot it says so in shared memory;
 * the ticker, which looks every 20 ms anyway, finds that and puts everything
 * together.  That is work done at most 50 times a second, and it is bounded:
 * SEE_SETS sets, WALK_MAX records.
 *
 * How long calls take that are handled in-process nobody measures.  For some
 * seconds after somebody has looked, the ticker notes in which call each thread
 * is: the share of the samples is the share of the time.
 *
 * Rings, cursors and contexts are the variants' memory.  What is read there is
 * shown to people and nothing else; every value is read once and bounded before
 * it is an index.
 */
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fast.h"
#include "see.h"
#include "see_int.h"
#include "tracee.h"

struct see_share *see_share;
int see_event = -1;

#define LEAST_NS	19000000u	/* between two snapshots */
#define WALK_MAX	65536u		/* records looked at in one */
#define SAMPLE_NS	9000000u	/* between two samples, at least */
#define SAMPLE_GAP_NS	100000000u	/* ... at most: nobody watched */
#define SAMPLE_SETS	128u

static uint64_t watched_ns, sampled_ns[IPMON_NR_MAX];

static unsigned int walk_left;

static void fold(const struct ipmon_ring *r)
{
	/* nothing published, nothing counted: spare the pages */
	if (!__atomic_load_n(&r->head, __ATOMIC_RELAXED) && mon.n > 1)
		return;
	mon.count.bytes += r->head;
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		struct ipmon_count *sum = &mon.count.in[nr];

		sum->calls += r->count[nr].calls;
		sum->verified += r->count[nr].verified;
		sum->held += r->count[nr].held;
		sum->forwarded += r->count[nr].forwarded;
	}
}

void see_gone(struct taskset *s)
{
	if (s->slot >= 0)
		fold(fast_ring(s));
	if (!s->accounted) {
		/* killed: what was last seen of it, lest sums go down */
		mon.count.wakes += s->seen_wakes;
		mon.count.waits += s->seen_waits;
	}
	s->accounted = false;
	s->seen_wakes = s->seen_waits = 0;
}

/* Calls in the ring from pos on.  The leader may be writing behind head. */
static uint32_t records(const struct ipmon_ring *r, uint64_t pos, uint64_t head)
{
	uint32_t n = 0;

	while (pos != head && walk_left) {
		uint64_t at = pos % IPMON_RING_BYTES, word;
		uint32_t size;

		/* size, nr and flags are its first eight bytes */
		word = __atomic_load_n((const uint64_t *)(const void *)
				       (r->data + at), __ATOMIC_RELAXED);
		size = (uint32_t)word;
		if (size < 8 || size % 8 || size > IPMON_RING_BYTES - at ||
		    size > head - pos)
			break;
		n += !(word >> 48 & (REC_SKIP | REC_MORE));
		pos += size;
		walk_left--;
	}
	return n;
}

static void see_ring(const struct taskset *s, struct see_set *o)
{
	const struct ipmon_ring *r = fast_ring(s);
	uint64_t head, most = 0;

	head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
	o->bytes = head;
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		struct ipmon_count *sum = &see_share->s.call[nr].in;
		struct ipmon_count c = r->count[nr];

		if (!(c.calls | c.forwarded))
			continue;
		sum->calls += c.calls;
		sum->verified += c.verified;
		sum->held += c.held;
		sum->forwarded += c.forwarded;
		o->in.calls += c.calls;
		o->in.verified += c.verified;
		o->in.held += c.held;
		o->in.forwarded += c.forwarded;
	}
	if (!s->live)
		return;
	for_each_follower(v) {
		uint64_t lag = head - __atomic_load_n(&fast_cursor(s, v)->tail,
						      __ATOMIC_ACQUIRE);

		if (lag > IPMON_RING_BYTES || lag % 8)
			continue;
		o->lag_bytes[v] = lag;
		if (lag > most)
			most = lag;
	}
	if (head % 8 == 0)
		o->lag_records = records(r, head - most, head);
	o->asleep = __atomic_load_n(&r->state, __ATOMIC_RELAXED) ==
		RING_BLOCKED;
}

/* The call a leader that is inside IP-MON is making; the frame lies at the top of
 * the stack, whose place monitord chose. */
static bool call_inside(struct taskset *s, uint32_t *nr)
{
	uint64_t word;

	if (mem_read(&s->t[LEADER], &word, fast_ctx(s, LEADER) +
		     IPMON_CTX_SIZE - 64 - sizeof(struct ipmon_frame),
		     sizeof(word)))
		return false;
	*nr = (uint32_t)word;
	return true;
}

static void see_ctx(struct taskset *s, struct see_set *o)
{
	struct task *t = &s->t[LEADER];
	uint64_t at = fast_ctx(s, LEADER);
	struct ipmon_ctx c;

	if (!t->tid || mem_read(t, &c, at, sizeof(c)))
		return;
	o->wakes = s->seen_wakes = c.n_wakes;
	o->waits = s->seen_waits = c.n_waits;
	if (!s->live || s->state != SET_RUN || !c.inside)
		return;
	if (!call_inside(s, &o->nr))
		return;
	o->has_call = 1;
	if (o->asleep && s->t_blocked)
		o->ns = mon.now - s->t_blocked;
}

static void see_set(struct taskset *s, struct see_set *o)
{
	memset(o, 0, sizeof(*o));
	o->proc = s->proc->id;
	o->vtid = s->vtid;
	o->state = (uint8_t)s->state;
	o->live = s->live;
	for (unsigned int v = 0; v < mon.n; v++)
		o->tid[v] = s->t[v].tid;
	if (s->state == SET_CALL || s->state == SET_DONE) {
		o->has_call = 1;
		o->nr = (uint32_t)s->t[LEADER].call.nr;
		o->ns = s->t_call ? mon.now - s->t_call : 0;
	}
	if (s->slot >= 0 && s->proc->mm && s->proc->mm->fast)
		see_ring(s, o);
	if (s->ctx >= 0 && s->proc->mm && s->proc->mm->fast && !s->accounted)
		see_ctx(s, o);
}

static void see_procs(struct snapshot *d)
{
	struct taskset *s;
	struct proc *p;

	LIST_FOREACH(p, &mon.procs, all) {
		struct see_proc *o = &d->proc[d->n_procs];

		d->procs += !p->zombie;
		if (d->n_procs == SEE_PROCS) {
			d->truncated = 1;
			continue;
		}
		d->n_procs++;
		memset(o, 0, sizeof(*o));
		o->id = p->id;
		o->parent = p->parent ? p->parent->id : 0;
		o->vpid = p->vpid;
		o->zombie = p->zombie;
		o->in_process = p->mm && p->mm->fast && !p->mm->no_fast &&
			p->mm->patched;
		memcpy(o->pid, p->pid, sizeof(o->pid));
		LIST_FOREACH(s, &p->sets, in_proc)
			o->threads++;
	}
}

/* ---- samples ---- */

/* In which call is this thread?  false: in none. */
static bool call_now(struct taskset *s, uint32_t *nr)
{
	uint32_t inside;

	switch (s->state) {
	case SET_CALL:
	case SET_DONE:
	case SET_READY:
		*nr = (uint32_t)s->t[LEADER].call.nr;
		return true;
	case SET_RUN:
		break;
	default:
		return false;
	}
	if (s->arrived & 1u << LEADER) {
		*nr = (uint32_t)s->t[LEADER].call.nr;
		return true;
	}
	return s->live && s->ctx >= 0 && s->t[LEADER].tid &&
	       s->proc->mm && s->proc->mm->fast &&
	       !mem_read(&s->t[LEADER], &inside, fast_ctx(s, LEADER) +
			 offsetof(struct ipmon_ctx, inside), sizeof(inside)) &&
	       inside && call_inside(s, nr);
}

static void sample(void)
{
	static uint64_t last;
	uint64_t ns = mon.now - last;
	unsigned int n = 0;
	struct taskset *s;
	uint32_t nr;

	if (ns < SAMPLE_NS)
		return;
	last = mon.now;
	if (ns > SAMPLE_GAP_NS)
		return;
	watched_ns += ns;
	LIST_FOREACH(s, &mon.sets, all) {
		if (n++ == SAMPLE_SETS)
			break;
		if (call_now(s, &nr) && nr < IPMON_NR_MAX)
			sampled_ns[nr] += ns;
	}
}

static void fill(void)
{
	static uint64_t last;
	static struct see_set spare;
	const struct counters *c = &mon.count;
	struct snapshot *d = &see_share->s;
	uint32_t want = atomic_load(&see_share->want);
	uint64_t one = 1;
	struct taskset *s;

	if (last && mon.now - last < LEAST_NS)
		return;
	last = mon.now;
	walk_left = WALK_MAX;
	memset(d, 0, offsetof(struct snapshot, proc));
	d->now = mon.now;
	d->live = mon.live;
	d->rendezvous = c->rendezvous;
	d->signals = c->signals;
	d->divergences = c->divergences;
	d->forks = c->forks;
	d->execs = c->execs;
	d->parked = c->parked;
	d->solo = c->solo;
	d->wakes = c->wakes;
	d->waits = c->waits;
	d->bytes = c->bytes;
	d->watched_ns = watched_ns;
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		d->call[nr].in = c->in[nr];
		d->call[nr].trapped = c->per_nr[nr];
		d->call[nr].refused = c->refused[nr];
		d->call[nr].ns = c->per_nr_ns[nr];
		d->call[nr].max_ns = c->per_nr_max[nr];
		d->call[nr].sampled_ns = sampled_ns[nr];
	}
	see_procs(d);
	LIST_FOREACH(s, &mon.sets, all) {
		/* counted in any case */
		struct see_set *o = d->n_sets < SEE_SETS ?
			&d->set[d->n_sets] : &spare;

		d->threads++;
		see_set(s, o);
		d->wakes += o->wakes;
		d->waits += o->waits;
		d->bytes += o->bytes;
		if (o == &spare)
			d->truncated = 1;
		else
			d->n_sets++;
	}
	atomic_store(&see_share->done, want);
	/* full (nobody reads): it has been told already */
	if (write(see_event, &one, sizeof(one)) < 0)
		return;
}

void see_work(void)
{
	if (atomic_load(&see_share->watch) > mon.now)
		sample();
	if (atomic_load(&see_share->want) != atomic_load(&see_share->done))
		fill();
}
