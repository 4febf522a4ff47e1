// SPDX-License-Identifier: Apache-2.0
/*
 * What monitord maps into variants for the in-process half.
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
 * The memory of the region is the program's to corrupt if it finds it; what
 * monitord reads there (cursors, counters) is only ever a hint for wake-ups
 * and statistics, or compared against its own mapping of the rings.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ipmon/abi.h>
#include "../libipmon/core/ring.h"
#include "calls.h"
#include "fast.h"
#include "fast_fd.h"
#include "fast_mem.h"
#include "h_misc.h"
#include "hidden.h"
#include "library.h"
#include "owned.h"
#include "patch.h"
#include "placement.h"
#include "see.h"
#include "shadow.h"
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
#define HOLD_SIZE	((sizeof(struct ipmon_hold) + 4095) & ~4095ull)
#define REGION_SIZE	(REGION_HOLD + IPMON_SLOTS * HOLD_SIZE)
#define TURNS_OFFSET	((uint64_t)IPMON_SLOTS * sizeof(struct ipmon_ring))
#define WORDS_OFFSET	(TURNS_OFFSET + IPMON_TURNS * sizeof(struct ipmon_turn))
#define HOT_OFFSET	(WORDS_OFFSET + sizeof(struct ipmon_words))
#define RINGS_SIZE	(HOT_OFFSET + sizeof(struct ipmon_hot))
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
	struct taskset *set[IPMON_SLOTS]; /* who has it, NULL: nobody (any more) */
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

struct ipmon_ring *fast_slot_ring(const struct fast *f, unsigned int slot)
{
	return (void *)(f->map + (uint64_t)slot * sizeof(struct ipmon_ring));
}

struct ipmon_ring *fast_ring(const struct taskset *s)
{
	return fast_slot_ring(s->proc->mm->fast, (unsigned int)s->slot);
}

struct taskset *fast_slot_set(const struct fast *f, int slot)
{
	return slot < 0 || slot >= (int)IPMON_SLOTS ? NULL : f->set[slot];
}

struct ipmon_cursor *fast_slot_cursor(const struct fast *f, unsigned int slot)
{
	return (void *)(f->map + RINGS_SIZE + (uint64_t)slot * 4096);
}

struct ipmon_cursor *fast_cursor(const struct taskset *s, unsigned int v)
{
	return fast_slot_cursor(s->proc->mm->fast, (unsigned int)s->slot) + v;
}

uint64_t fast_ctx(const struct taskset *s, unsigned int v)
{
	return s->proc->mm->fast->region[v] + REGION_CTX +
	       (uint64_t)s->ctx * IPMON_CTX_SIZE;
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

struct ipmon_words *fast_words(const struct fast *f)
{
	return (struct ipmon_words *)(void *)(f->map + WORDS_OFFSET);
}

struct ipmon_hot *fast_hot(const struct fast *f)
{
	return (struct ipmon_hot *)(void *)(f->map + HOT_OFFSET);
}

/* ---- mapping ---- */

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
		r = -errno;
		close(fd);
		return (int)r;
	}
	return fd;
}

static int map_variant(struct taskset *s, struct fast *f, unsigned int v,
		       int fd)
{
	struct task *t = &s->t[v];
	unsigned int prot = PROT_READ | (v == LEADER ? PROT_WRITE : 0);
	int64_t r;

	/* as a stack it does not count as data (RLIMIT_DATA); it never grows,
	 * because of the page below it */
	r = hidden_map(t, REGION_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
		       MAP_GROWSDOWN, -1, 0, true);
	if (r < 0)
		return -ENOMEM;
	f->region[v] = (uint64_t)r;
	r = hidden_map(t, RINGS_SIZE, prot, MAP_SHARED, fd, 0, false);
	if (r < 0)
		return -ENOMEM;
	f->rings[v] = (uint64_t)r;
	r = hidden_map(t, CURSORS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       RINGS_SIZE, false);
	if (r < 0)
		return -ENOMEM;
	f->cursors[v] = (uint64_t)r;
	return 0;
}

/* What could be mapped before something could not. */
static void unmap_variant(struct taskset *s, const struct fast *f,
			  unsigned int v)
{
	struct task *t = &s->t[v];

	if (f->region[v])
		task_inject(t, SYS_munmap, f->region[v] - 4096,
			    REGION_SIZE + 4096, 0, 0, 0, 0);
	if (f->rings[v])
		task_inject(t, SYS_munmap, f->rings[v], RINGS_SIZE, 0, 0, 0, 0);
	if (f->cursors[v])
		task_inject(t, SYS_munmap, f->cursors[v], CURSORS_SIZE, 0, 0, 0,
			    0);
}

static void close_in(struct task *t, int fd)
{
	if (fd >= 0)
		task_inject(t, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
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
		close_in(&s->t[LEADER], leader_fd);
		r = f->fd;
		free(f);
		return r;
	}
	f->map = mmap(NULL, RINGS_SIZE + CURSORS_SIZE, PROT_READ | PROT_WRITE,
		      MAP_SHARED, f->fd, 0);
	if (f->map == MAP_FAILED) {
		close_in(&s->t[LEADER], leader_fd);
		close(f->fd);
		free(f);
		return -ENOMEM;
	}
	r = map_variant(s, f, LEADER, leader_fd);
	close_in(&s->t[LEADER], leader_fd);
	for_each_follower(v) {
		int fd = r ? -1 : task_send_fd(&s->t[v], f->fd);

		if (!r)
			r = fd < 0 ? fd : map_variant(s, f, v, fd);
		close_in(&s->t[v], fd);
	}
	if (r < 0) {
		for_each_variant(v)
			unmap_variant(s, f, v);
		fast_put(f);
		return r;
	}
	put_wishes(s, f);
	shadow_hot_list(fast_hot(f));
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
			STUB_BYTES + library_size();
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
 * had still to come to has been passed (turn.c), one of its new user's has not,
 * the first neither. */
static void fresh_ring(struct taskset *s)
{
	uint64_t base = s->proc->mm->fast->base[s->slot];

	memset(fast_ring(s), 0, offsetof(struct ipmon_ring, data));
	memset(fast_cursor(s, 0), 0, 4096);
	fast_ring(s)->head = base;
	for (unsigned int v = 0; v < IPMON_MAX_VARIANTS; v++)
		cursor_begin(fast_cursor(s, v), base);
	fast_cursor(s, LEADER)->apart = s->proc->mm->clocks_apart;
}

/* The slot is left: where the next one begins, at the start of the buffer and
 * behind all positions of this one's. */
void fast_slot_leave(struct fast *f, unsigned int slot)
{
	uint64_t *base = &f->base[slot];
	uint64_t head = __atomic_load_n(&fast_slot_ring(f, slot)->head,
					__ATOMIC_ACQUIRE);

	/* the leader's to write: not backwards, not beyond RECORD_TURN_POS */
	if (head < *base || head - *base > 1ull << 44)
		head = *base;
	*base = (head + IPMON_RING_BYTES) & ~((uint64_t)IPMON_RING_BYTES - 1);
	for (unsigned int v = 0; v < IPMON_MAX_VARIANTS; v++)
		turn_rested(fast_slot_cursor(f, slot) + v, *base);
	number_give(f->used, (int)slot);
}

void fast_attach(struct taskset *s)
{
	struct fast *f = s->proc->mm->fast;
	pid_t pid, tid;
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
	if (s->ctx < 0) {
		/* more than there is room for: they go on without IP-MON, a new
		 * process alone */
		fast_forbid(s);
		plain_gs(s);
		return;
	}
	s->slot = number_take(f->used, IPMON_SLOTS);
	if (s->slot >= 0) {
		f->set[s->slot] = s;
		fresh_ring(s);
	}
	base = s->slot < 0 ? 0 : f->base[s->slot];
	pid = own_pid(s);
	tid = own_tid(s);
	for_each_variant(v) {
		struct task *t = &s->t[v];
		uint64_t at = fast_ctx(s, v);
		struct ipmon_ctx c = {
			.self = at, .gate = s->proc->mm->gate[v],
			.stack = at + IPMON_CTX_SIZE - 64,
			.entry = s->proc->mm->ranges[v].entry,
			.insn_entry = s->proc->mm->ranges[v].insn,
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
			.vpid = pid, .vtid = tid,
			.channel_fds = f->region[v] + REGION_CHANNEL,
			.words = f->rings[v] + WORDS_OFFSET,
			.delta = s->proc->mm->delta[v],
			.special = v == LEADER ? fast_special(s) : 0,
			.hot = v == LEADER && mon.live != 1u << LEADER ?
				f->rings[v] + HOT_OFFSET : 0,
			.level = mon.opt.level,
			.plain_fds = f->region[v] + REGION_PLAIN,
			.hold = hold_addr(s, v),
			.max_lag_records = mon.opt.lag_records,
			.max_lag_bytes = mon.opt.lag_bytes,
			.spin_max = placement_spin(),
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
		f->set[s->slot] = NULL;
		if (turn_forget(s))
			fast_slot_leave(f, (unsigned int)s->slot);
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
	    mem_read(&s->t[LEADER], &c, fast_ctx(s, LEADER), sizeof(c)))
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
		__atomic_store_n(&fast_cursor(s, LEADER)->apart, 1,
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
