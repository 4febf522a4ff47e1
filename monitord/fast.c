// SPDX-License-Identifier: Apache-2.0
/*
 * Letting a set handle its calls in-process.
 *
 * Theory of operation
 * -------------------
 * When libipmon registers, every variant gets one hidden region (contexts
 * with IP-MON's stacks, the epoll table, the bitmap of slow descriptors:
 * private memory, so a fork copies it) and the arenas of rings and cursors
 * (one memfd, shared by all variants and inherited by fork; followers map the
 * rings read-only).  Every task set has a context, because patched code goes
 * through it; the first IPMON_SLOTS at a time have a ring as well.
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
 *	at the gate, call completed	untouched: IP-MON publishes it
 *	between test and gate (window)	back to the test of ctx->pending
 *	elsewhere			it will come to the next test itself
 *
 * The memory of the region is the program's to corrupt if it finds it; what
 * monitord reads there (cursors, counters) is only ever a hint for wake-ups
 * and statistics, or compared against its own mapping of the rings.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ipmon/abi.h>
#include "calls.h"
#include "divergence.h"
#include "fast.h"
#include "fast_fd.h"
#include "fast_flush.h"
#include "fast_mem.h"
#include "fast_solo.h"
#include "launch.h"
#include "owned.h"
#include "patch.h"
#include "placement.h"
#include "see.h"
#include "shadow.h"
#include "signals.h"
#include "tracee.h"
#include "tsc.h"
#include "turn.h"

#define REGION_CTX	0u
#define REGION_SLOW	(IPMON_CTXS * IPMON_CTX_SIZE)
#define REGION_PLAIN	(REGION_SLOW + IPMON_SLOW_FDS / 8)
#define REGION_CHANNEL	(REGION_PLAIN + IPMON_SLOW_FDS / 8)
#define REGION_SPECIAL	(REGION_CHANNEL + IPMON_SLOW_FDS / 8)
#define REGION_CALLS	(REGION_SPECIAL + sizeof(struct ipmon_special))
#define REGION_EPOLL	(REGION_CALLS + IPMON_NR_MAX)
#define REGION_HOLD	((REGION_EPOLL + sizeof(struct ipmon_epoll) + 4095) & \
			 ~4095ull)
/* Looks of some 40 ns: longer than it takes to be woken on another core. */
#define SPIN_MAX	1000u
#define HOLD_SIZE	((sizeof(struct ipmon_hold) + 4095) & ~4095ull)
#define REGION_SIZE	(REGION_HOLD + IPMON_SLOTS * HOLD_SIZE)
#define TURNS_OFFSET	((uint64_t)IPMON_SLOTS * sizeof(struct ipmon_ring))
#define RINGS_SIZE	(TURNS_OFFSET + IPMON_TURNS * sizeof(struct ipmon_turn))
_Static_assert(RINGS_SIZE % 4096 == 0, "whole pages");
/* a page per slot: what a follower may write must not be a sibling's */
#define CURSORS_SIZE	((uint64_t)IPMON_SLOTS * 4096)

/* areas of stubs: a few objects have any (patch.c) */
#define STUB_BYTES	(4u * 65536u)

struct fast {
	unsigned int refs;
	int fd;				/* rings, then cursors */
	char *map;			/* monitord's mapping of it */
	uint64_t region[MAX_VARIANTS];
	uint64_t rings[MAX_VARIANTS];
	uint64_t cursors[MAX_VARIANTS];
	uint64_t used[IPMON_SLOTS / 64]; /* bit per slot */
	uint64_t base[IPMON_SLOTS];	/* where positions of its next user begin */
	uint64_t turns;			/* bit per turn in use */
	uint64_t ctx_used[IPMON_CTXS / 64];
	bool wishes;			/* of single calls: calls.c */
};

struct fast *fast_get(struct fast *f)
{
	if (f)
		f->refs++;
	return f;
}

void fast_put(struct fast *f)
{
	if (!f || --f->refs)
		return;
	munmap(f->map, RINGS_SIZE + CURSORS_SIZE);
	close(f->fd);
	free(f);
}

static struct ipmon_ring *ring_of(const struct taskset *s)
{
	struct fast *f = s->proc->mm->fast;

	return (void *)(f->map + (uint64_t)s->slot * sizeof(struct ipmon_ring));
}

struct ipmon_cursor *fast_slot_cursor(const struct fast *f, unsigned int slot)
{
	return (void *)(f->map + RINGS_SIZE + (uint64_t)slot * 4096);
}

static struct ipmon_cursor *cursor_of(const struct taskset *s, unsigned int v)
{
	return fast_slot_cursor(s->proc->mm->fast, (unsigned int)s->slot) + v;
}

static uint64_t ctx_addr(const struct taskset *s, unsigned int v)
{
	return s->proc->mm->fast->region[v] + REGION_CTX +
	       (uint64_t)s->ctx * IPMON_CTX_SIZE;
}

#define CTX_SET(s, v, field, value) do { \
	typeof(((struct ipmon_ctx *)0)->field) val_ = (value); \
	mem_write(&(s)->t[v], ctx_addr(s, v) + \
		  offsetof(struct ipmon_ctx, field), &val_, sizeof(val_)); \
} while (0)

struct ipmon_ring *fast_ring(const struct taskset *s)
{
	return ring_of(s);
}

struct ipmon_cursor *fast_cursor(const struct taskset *s, unsigned int v)
{
	return cursor_of(s, v);
}

uint64_t fast_ctx(const struct taskset *s, unsigned int v)
{
	return ctx_addr(s, v);
}

/* ---- turns ---- */

struct ipmon_turn *fast_turn(const struct fast *f, unsigned int idx)
{
	return (struct ipmon_turn *)(void *)(f->map + TURNS_OFFSET) + idx;
}

int fast_turn_alloc(struct fast *f)
{
	int idx;

	/* an allocator's lock may be held in some variants only: own.c */
	if (f->turns == ~0ull || mon.opt.diverse)
		return -1;
	idx = __builtin_ctzll(~f->turns);
	f->turns |= 1ull << idx;
	memset(fast_turn(f, (unsigned int)idx), 0, sizeof(struct ipmon_turn));
	return idx;
}

void fast_turn_release(struct fast *f, unsigned int idx)
{
	f->turns &= ~(1ull << idx);
}

static uint64_t turn_addr(const struct fast *f, unsigned int v, unsigned int idx)
{
	return f->rings[v] + TURNS_OFFSET + idx * sizeof(struct ipmon_turn);
}

void fast_set_turn(struct taskset *s, unsigned int idx)
{
	for_each_variant(v)
		if (s->slot >= 0)
			CTX_SET(s, v, turn,
				turn_addr(s->proc->mm->fast, v, idx));
}

static bool says_waits(const struct taskset *s, unsigned int v)
{
	return __atomic_load_n(&cursor_of(s, v)->waits_turn, __ATOMIC_RELAXED);
}

/* It says so, and there is a sibling that has something to do and does not say
 * the same: that one is the late one, if any. */
bool fast_waits_turn(const struct taskset *s, unsigned int v)
{
	const struct taskset *o;

	if (v == LEADER || s->slot < 0 || !s->live || !s->proc->turn ||
	    !says_waits(s, v))
		return false;
	LIST_FOREACH(o, &mon.sets, all) {
		const struct ipmon_cursor *c;

		if (o == s || o->proc->turn != s->proc->turn || o->slot < 0 ||
		    !o->live || says_waits(o, v))
			continue;
		c = cursor_of(o, v);
		if (!__atomic_load_n(&c->sleeping, __ATOMIC_RELAXED) ||
		    __atomic_load_n(&c->tail, __ATOMIC_ACQUIRE) !=
		    __atomic_load_n(&ring_of(o)->head, __ATOMIC_ACQUIRE))
			return true;
	}
	return false;
}

void fast_leader_runs(struct taskset *s)
{
	if (s->slot >= 0 && s->live)
		__atomic_store_n(&ring_of(s)->state, RING_RUNNING,
				 __ATOMIC_SEQ_CST);
}

/* ---- mapping ---- */

static int64_t inject_map(struct task *t, uint64_t addr, uint64_t len,
			  unsigned int prot, unsigned int flags, int fd,
			  uint64_t off)
{
	return task_inject(t, SYS_mmap, addr, len, prot,
			   flags | (addr ? MAP_FIXED_NOREPLACE : 0),
			   (uint64_t)(int64_t)fd, off);
}

/* The memfd is created inside the leader, which has no other way to be given
 * a descriptor, and taken from there. */
static int arena_create(struct taskset *s, int *leader_fd)
{
	struct task *t = &s->t[LEADER];
	uint64_t name = s->proc->mm->scratch[LEADER] + SCRATCH_FD_OFFSET;
	int64_t r;
	int fd;

	if (mem_write(t, name, "ipmon", 6))
		return -EFAULT;
	r = task_inject(t, SYS_memfd_create, name,
			MFD_CLOEXEC | MFD_ALLOW_SEALING, 0, 0, 0, 0);
	if (r < 0)
		return (int)r;
	*leader_fd = (int)r;
	fd = leader_getfd(s, *leader_fd);
	if (fd >= 0 && ftruncate(fd, (off_t)(RINGS_SIZE + CURSORS_SIZE)) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

static int map_variant(struct taskset *s, struct fast *f, unsigned int v,
		       int fd)
{
	struct task *t = &s->t[v];
	unsigned int prot = PROT_READ | (v == LEADER ? PROT_WRITE : 0);
	/* as a stack it does not count as data (RLIMIT_DATA); it never grows,
	 * because of the page below it */
	const unsigned int flags = MAP_PRIVATE | MAP_ANONYMOUS |
		MAP_NORESERVE;

	f->region[v] = hidden_address();
	f->rings[v] = hidden_address();
	f->cursors[v] = hidden_address();
	if (inject_map(t, f->region[v] - 4096, 4096, PROT_NONE, flags, -1,
		       0) < 0 ||
	    inject_map(t, f->region[v], REGION_SIZE, PROT_READ | PROT_WRITE,
		       flags | MAP_GROWSDOWN, -1, 0) < 0 ||
	    inject_map(t, f->rings[v], RINGS_SIZE, prot, MAP_SHARED, fd,
		       0) < 0 ||
	    inject_map(t, f->cursors[v], CURSORS_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, RINGS_SIZE) < 0)
		return -ENOMEM;
	task_inject(t, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	return 0;
}

/* What the user wants of single calls, in the region as all that variants decide
 * by. */
static void put_wishes(struct taskset *s, struct fast *f)
{
	uint8_t table[IPMON_NR_MAX];

	f->wishes = calls_table(table);
	for_each_variant(v)
		if (f->wishes)
			mem_write(&s->t[v], f->region[v] + REGION_CALLS, table,
				  sizeof(table));
}

int fast_setup(struct taskset *s)
{
	struct fast *f;
	int leader_fd = -1, r;

	if (mon.opt.policy == POLICY_STRICT || s->proc->has_filter)
		return -EPERM;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->refs = 1;
	f->fd = arena_create(s, &leader_fd);
	if (f->fd < 0) {
		r = f->fd;
		free(f);
		return r;
	}
	f->map = mmap(NULL, RINGS_SIZE + CURSORS_SIZE, PROT_READ | PROT_WRITE,
		      MAP_SHARED, f->fd, 0);
	if (f->map == MAP_FAILED) {
		close(f->fd);
		free(f);
		return -ENOMEM;
	}
	r = map_variant(s, f, LEADER, leader_fd);
	for_each_follower(v) {
		int fd = r ? -1 : task_send_fd(&s->t[v], f->fd);

		if (!r)
			r = fd < 0 ? fd : map_variant(s, f, v, fd);
	}
	if (r < 0) {
		fast_put(f);
		return r;
	}
	put_wishes(s, f);
	s->proc->mm->fast = f;
	fast_attach(s);
	fast_mem_setup(s);
	fast_fd_setup(s);
	return 0;
}

uint64_t fast_hidden_bytes(void)
{
	/* gate, scratch pages */
	uint64_t n = 4096 + SCRATCH_SIZE;

	/* the same for a process that has no arenas: the limit is inherited */
	if (mon.opt.policy != POLICY_STRICT)
		n += 4096 + REGION_SIZE + RINGS_SIZE + CURSORS_SIZE +
			STUB_BYTES;
	return n;
}

bool fast_range(const struct mm *m, unsigned int v, unsigned int i,
		uint64_t *start, uint64_t *stop)
{
	const struct fast *f = m->fast;

	if (!f || i > 2)
		return false;
	*start = i == 0 ? f->region[v] - 4096 : i == 1 ? f->rings[v] :
		f->cursors[v];
	*stop = *start + (i == 0 ? REGION_SIZE + 4096 : i == 1 ? RINGS_SIZE :
			  CURSORS_SIZE);
	return true;
}

/* ---- contexts ---- */

static uint32_t policy_of(void)
{
	return mon.opt.policy == POLICY_VERIFIED ? IPMON_VERIFIED :
		IPMON_RELAXED;
}

/* The lowest of `n` numbers that is free in this bitmap; -1: none. */
static int number_take(uint64_t *map, unsigned int n)
{
	for (unsigned int i = 0; i < n / 64; i++) {
		int bit;

		if (map[i] == ~0ull)
			continue;
		bit = __builtin_ctzll(~map[i]);
		map[i] |= 1ull << bit;
		return (int)(i * 64) + bit;
	}
	return -1;
}

static void number_give(uint64_t *map, int i)
{
	map[i / 64] &= ~(1ull << i % 64);
}

bool fast_room(const struct proc *p)
{
	const struct fast *f = p->mm->fast;

	if (!f)
		return true;
	for (unsigned int i = 0; i < IPMON_CTXS / 64; i++)
		if (f->ctx_used[i] != ~0ull)
			return true;
	return false;
}

/* The tables of a new process are its own from now on. */
static void take_tables(struct taskset *s)
{
	uint32_t owner = fast_epoll_owner(s->proc->mm), old;

	for_each_variant(v) {
		uint64_t at = fast_epoll_table(s, v) +
			offsetof(struct ipmon_epoll, owner);

		if (mem_read(&s->t[v], &old, at, sizeof(old)) || old == owner)
			continue;
		mem_write(&s->t[v], at, &owner, sizeof(owner));
		if (old && v == LEADER)
			fast_fd_forked(s);
	}
}

/* Outputs are held by a leader that has somebody to wait for. */
static uint64_t hold_addr(struct taskset *s, unsigned int v)
{
	static const char none[offsetof(struct ipmon_hold, op)];
	uint64_t at;

	if (v != LEADER || s->slot < 0 || policy_of() != IPMON_VERIFIED)
		return 0;
	at = s->proc->mm->fast->region[v] + REGION_HOLD +
		(uint64_t)s->slot * HOLD_SIZE;
	/* what the last user of the slot left */
	return mem_write(&s->t[v], at, none, sizeof(none)) ? 0 : at;
}

bool fast_is_ctx(const struct mm *m, unsigned int v, uint64_t base)
{
	const struct fast *f = m->fast;

	return f && base >= f->region[v] && base < f->region[v] + REGION_SLOW;
}

/* A new thread of an address space that goes on without IP-MON: GS is its
 * creator's, who may never have set it. */
static void plain_gs(struct taskset *s)
{
	for_each_variant(v) {
		struct task *t = &s->t[v];
		struct user_regs_struct *r = task_regs(t);

		if (!r || !fast_is_ctx(s->proc->mm, v, r->gs_base))
			continue;
		r->gs_base = 0;
		if (t->saved_valid)
			t->saved.gs_base = 0;
		task_regs_changed(t);
	}
}

/* Positions only grow, whoever uses the slot: one that its last user's followers
 * had still to come to has been passed (turn.c). */
static void fresh_ring(struct taskset *s)
{
	uint64_t base = s->proc->mm->fast->base[s->slot];

	memset(ring_of(s), 0, offsetof(struct ipmon_ring, data));
	memset(cursor_of(s, 0), 0, 4096);
	ring_of(s)->head = base;
	for (unsigned int v = 0; v < IPMON_MAX_VARIANTS; v++)
		cursor_of(s, v)->tail = cursor_of(s, v)->at = base;
	cursor_of(s, LEADER)->apart = s->proc->mm->clocks_apart;
}

/* The slot is left: where the next one begins, at the start of the buffer. */
static void leave_ring(struct taskset *s)
{
	uint64_t *base = &s->proc->mm->fast->base[s->slot];
	uint64_t head = __atomic_load_n(&ring_of(s)->head, __ATOMIC_ACQUIRE);

	/* the leader's to write: not backwards, not beyond RECORD_TURN_POS */
	if (head < *base || head - *base > 1ull << 44)
		head = *base;
	*base = (head + IPMON_RING_BYTES - 1) &
		~((uint64_t)IPMON_RING_BYTES - 1);
	for (unsigned int v = 0; v < IPMON_MAX_VARIANTS; v++)
		__atomic_store_n(&cursor_of(s, v)->at, *base, __ATOMIC_SEQ_CST);
}

void fast_attach(struct taskset *s)
{
	struct fast *f = s->proc->mm->fast;
	uint64_t base;

	s->slot = s->ctx = -1;
	s->live = false;
	if (!f)
		return;
	if (s->proc->mm->no_fast) {
		plain_gs(s);
		return;
	}
	s->ctx = number_take(f->ctx_used, IPMON_CTXS);
	if (s->ctx < 0)
		die("no context left for a new thread");
	s->slot = number_take(f->used, IPMON_SLOTS);
	if (s->slot >= 0)
		fresh_ring(s);
	base = s->slot < 0 ? 0 : f->base[s->slot];
	for_each_variant(v) {
		struct task *t = &s->t[v];
		uint64_t at = ctx_addr(s, v);
		struct ipmon_ctx c = {
			.self = at, .gate = s->proc->mm->gate[v],
			.stack = at + IPMON_CTX_SIZE - 64,
			.entry = s->proc->mm->ranges[v].entry,
			.variant = v,
			.n_variants = (uint32_t)__builtin_popcount(mon.live),
			.policy = policy_of(),
			.ring = s->slot < 0 ? 0 : f->rings[v] +
				(uint64_t)s->slot * sizeof(struct ipmon_ring),
			.cursors = s->slot < 0 ? 0 : f->cursors[v] +
				(uint64_t)s->slot * 4096,
			.followers = mon.live & ~(1u << LEADER),
			.slow_fds = f->region[v] + REGION_SLOW,
			.time = v == LEADER ? tsc_clock(s) : 0,
			.epoll = f->region[v] + REGION_EPOLL,
			.vpid = s->proc->vpid, .vtid = s->vtid,
			.channel_fds = f->region[v] + REGION_CHANNEL,
			.delta = s->proc->mm->delta[v],
			.special = v == LEADER ? fast_special(s) : 0,
			.level = mon.opt.level,
			.plain_fds = f->region[v] + REGION_PLAIN,
			.hold = hold_addr(s, v),
			.max_lag_records = mon.opt.lag_records,
			.max_lag_bytes = mon.opt.lag_bytes,
			.spin_max = placement_cpus() > 1 ? SPIN_MAX : 0,
			.p = { .head = base, .limit = base, .wake_at = base },
			.c = { .tail = base, .head = base },
			.lag_mark = base, .lag_wake_at = base,
			.slot = (uint32_t)s->slot,
			.turn = s->proc->turn && s->slot >= 0 ?
				turn_addr(f, v, turn_index(s->proc)) : 0,
			.calls = f->wishes ? f->region[v] + REGION_CALLS : 0,
		};
		struct user_regs_struct *r = task_regs(t);

		if (r)
			c.base_sp = r->rsp;
		if (mem_write(t, at, &c, sizeof(c)))
			continue;
		if (!r)
			continue;
		r->gs_base = at;
		if (t->saved_valid)
			t->saved.gs_base = at;
		task_regs_changed(t);
	}
	take_tables(s);
}

void fast_detach(struct taskset *s)
{
	struct fast *f = s->proc->mm ? s->proc->mm->fast : NULL;

	if (f)
		see_gone(s);
	if (f && s->slot >= 0) {
		turn_forget(s);
		leave_ring(s);
		number_give(f->used, s->slot);
	}
	if (f && s->ctx >= 0)
		number_give(f->ctx_used, s->ctx);
	s->slot = s->ctx = -1;
	s->live = false;
}

void fast_account(struct taskset *s)
{
	struct ipmon_ctx c;

	if (s->ctx < 0 || !s->proc->mm ||
	    mem_read(&s->t[LEADER], &c, ctx_addr(s, LEADER), sizeof(c)))
		return;
	s->accounted = true;
	mon.count.inproc += c.n_calls;
	mon.count.verified += c.n_verified;
	mon.count.held += c.n_held;
	mon.count.forwarded += c.n_forwarded;
	mon.count.wakes += c.n_wakes;
	mon.count.waits += c.n_waits;
}

void fast_clocks_apart(struct taskset *s)
{
	s->proc->mm->clocks_apart = true;
	if (s->slot >= 0)
		__atomic_store_n(&cursor_of(s, LEADER)->apart, 1,
				 __ATOMIC_RELAXED);
}

void fast_clock(struct taskset *s, uint64_t clock)
{
	if (s->ctx >= 0 && s->proc->mm->fast)
		CTX_SET(s, LEADER, time, clock);
}

void fast_forbid(struct taskset *s)
{
	struct mm *mm = s->proc->mm;

	if (!mm->fast || mm->no_fast)
		return;
	mm->no_fast = true;
	patch_undo(s);
}

uint64_t fast_slow_map(const struct taskset *s, unsigned int v)
{
	const struct fast *f = s->proc->mm ? s->proc->mm->fast : NULL;

	return f ? f->region[v] + REGION_SLOW : 0;
}

uint64_t fast_plain_map(const struct taskset *s, unsigned int v)
{
	const struct fast *f = s->proc->mm ? s->proc->mm->fast : NULL;

	return f ? f->region[v] + REGION_PLAIN : 0;
}

uint64_t fast_channel_map(const struct taskset *s, unsigned int v)
{
	const struct fast *f = s->proc->mm ? s->proc->mm->fast : NULL;

	return f ? f->region[v] + REGION_CHANNEL : 0;
}

uint64_t fast_special(const struct taskset *s)
{
	const struct fast *f = s->proc->mm ? s->proc->mm->fast : NULL;

	return f ? f->region[LEADER] + REGION_SPECIAL : 0;
}

uint64_t fast_epoll_table(const struct taskset *s, unsigned int v)
{
	const struct fast *f = s->proc->mm ? s->proc->mm->fast : NULL;

	return f ? f->region[v] + REGION_EPOLL : 0;
}

uint32_t fast_epoll_owner(const struct mm *mm)
{
	return mm->id % IPMON_EPOLL_OWNERS;
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
	       !p->vseccomp && !p->execing && !p->exiting &&
	       STAILQ_EMPTY(&s->sigq) && p->domain->owner == s &&
	       (p->turn || alone(s));
}

void fast_release(struct taskset *s)
{
	uint32_t flags = (shadow_any() ? IPMON_CTX_FILEDATA : 0) |
		(mon.opt.diverse ? IPMON_CTX_DIVERSE : 0);
	bool live;

	if (s->slot < 0)
		return;
	turn_assign(s);
	live = may_live(s);
	if (__atomic_load_n(&cursor_of(s, LEADER)->apart, __ATOMIC_RELAXED))
		s->proc->mm->clocks_apart = true;
	if (live)
		fast_clocks_give(s);
	ring_of(s)->state = RING_RUNNING;
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
	/* from now on others may see it run */
	if (live)
		turn_give(s);
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
	struct ipmon_ring *r = ring_of(s);
	bool sleeping = false;

	for_each_follower(v)
		if (__atomic_load_n(&cursor_of(s, v)->sleeping,
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
		uint32_t *space = &cursor_of(s, v)->space;

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
	__atomic_store_n(&ring_of(s)->state, RING_TRAPPED, __ATOMIC_SEQ_CST);
	wake_followers(s);
}

/* Have all followers come to this position? */
static bool all_reached(const struct taskset *s, uint64_t pos)
{
	for_each_follower(v)
		if ((int64_t)(__atomic_load_n(&cursor_of(s, v)->tail,
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
		s->lag_pos = __atomic_load_n(&ring_of(s)->head,
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

	mem_read(&s->t[LEADER], &n, ctx_addr(s, LEADER) +
		 offsetof(struct ipmon_ctx, n_calls), sizeof(n));
	return n;
}

/* Since when does the leader sleep in the gate? To the ticker's precision. */
static void note_blocked(struct taskset *s)
{
	uint64_t n;

	if (__atomic_load_n(&ring_of(s)->state, __ATOMIC_RELAXED) !=
	    RING_BLOCKED) {
		s->t_blocked = 0;
		return;
	}
	n = calls_made(s);
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
	head = __atomic_load_n(&ring_of(s)->head, __ATOMIC_ACQUIRE);
	for_each_follower(v)
		if (__atomic_load_n(&cursor_of(s, v)->tail,
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
		if (!interrupted((int64_t)r->rax))
			return true;
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
		if (wanted && v == LEADER) {
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
