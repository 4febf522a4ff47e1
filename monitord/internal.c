// SPDX-License-Identifier: Apache-2.0
/*
 * Pointers on internal channels.
 *
 * Theory of operation
 * -------------------
 * Programs that separate privileges send each other whole structures through
 * pipes and socket pairs, pointers included (sshd sends its options); the
 * receiver, a fork of the sender, ignores or overwrites those.  Under disjoint
 * layouts such messages differ between variants, correctly so.
 *
 * A difference is tolerated when both hold:
 *
 *   - the descriptor is one end of a pipe or socket pair that the program made
 *     itself (remembered by inode when it was made), so the bytes do not leave
 *     the process tree;
 *   - the eight bytes around the difference are, in each variant, an address
 *     in the same mapping (the same file, the heap, or an anonymous mapping
 *     that lies at the follower's usual distance) at the same offset, or as far
 *     down the first thread's stack: the same object of the program.  Of a file that
 *     is mapped writable and shared a follower has a copy in its place (shadow.c).
 *
 * What an allocator hands out need not be at the same offset: one string that is
 * longer in one variant, one block aligned differently, and whatever is allocated
 * after that is elsewhere (a Java VM's children get such pointers, from an arena in
 * which its compiler's threads allocate as well).  So in writable memory of the
 * program's own two addresses in the same mapping will do, if they are alike modulo
 * what every allocator aligns to.  Each variant goes on with its own.
 *
 * Six bytes may do instead of eight (packed_address()).
 * Half an address is what is left of one in the padding behind a field of four
 * bytes.  Such a half is tolerated where it is that of addresses in the same
 * mapping; nobody follows it, so it is not remembered.
 *
 * IP-MON leaves it to us to write what may contain an address, in the image that
 * made the channel and its forks.  A new image has no use for the pointers, but has
 * such padding as well: it does so where it inherits a channel as other than
 * standard input, output and error, which carry text, mostly.
 *
 * What was tolerated is remembered word by word (libipmon/core/channel.h), and when
 * it is received from an internal channel each follower gets its own, here or
 * in-process: libuv, for one, tells its event loop
 * about signals by pointers through a pipe.  A word that comes in two parts is
 * not recognised: a follower then gets the leader's and will crash when it
 * follows it, and be reported.  Output to anything else is compared byte by
 * byte: an address there is a leak.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../libipmon/core/channel.h"
#include "fast.h"
#include "fast_fd.h"
#include "internal.h"
#include "launch.h"
#include "tracee.h"

#define CHANNELS_MAX	8192u	/* remembered, oldest forgotten first */
#define MAPS_MAX	1024u
#define ALLOC_ALIGN	8u

/* ---- which channels are internal ---- */

static uint64_t channels[CHANNELS_MAX];
static unsigned int n_channels;

/* Inode of a pipe or socket of the leader, 0 for anything else. */
static uint64_t channel_inode(const struct taskset *s, int fd)
{
	char path[64], target[64];
	unsigned long ino;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", s->proc->pid[LEADER],
		 fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return 0;
	target[n] = 0;
	if (sscanf(target, "pipe:[%lu]", &ino) == 1 ||
	    sscanf(target, "socket:[%lu]", &ino) == 1)
		return ino;
	return 0;
}

void channel_done(struct taskset *s, int64_t ret)
{
	struct task *t = &s->t[LEADER];

	if (!ret && mon.live != 1u << LEADER) {
		int fd[2];

		/* the pair is the only output of these calls */
		for (unsigned int i = 0; i < t->items.n; i++) {
			const struct ipmon_item *it = &t->items.v[i];

			if (it->type != IT_OUT || it->len != sizeof(fd) ||
			    mem_read(t, fd, it->addr, sizeof(fd)))
				continue;
			for (int k = 0; k < 2; k++) {
				channels[n_channels++ % CHANNELS_MAX] =
					channel_inode(s, fd[k]);
				fast_fd_channel(s, fd[k]);
			}
		}
	}
	if (!set_replicate(s, ret))
		set_finish(s, ret);
}

bool internal_is(const struct taskset *s, int fd)
{
	uint64_t ino = n_channels ? channel_inode(s, fd) : 0;

	for (unsigned int i = 0; ino && i < n_channels && i < CHANNELS_MAX; i++)
		if (channels[i] == ino)
			return true;
	return false;
}

/* Does this call read or write an internal channel? */
static bool internal_channel(const struct taskset *s)
{
	return s->row->arg[0].kind == K_FD &&
		internal_is(s, (int)s->t[LEADER].call.args[0]);
}

/* ---- equivalent addresses ---- */

/* The mappings of one task as of one rendezvous. */
struct snapshot {
	uint64_t seq;
	pid_t tid;
	unsigned int n;
	struct map_entry e[MAPS_MAX];
};

static int add_map(void *ctx, const struct map_entry *e)
{
	struct snapshot *p = ctx;

	if (p->n == MAPS_MAX)
		return 1;
	p->e[p->n++] = *e;
	return 0;
}

static void snapshot(struct snapshot *p, const struct task *t)
{
	if (p->seq == mon.seq && p->tid == t->tid)
		return;
	p->seq = mon.seq;
	p->tid = t->tid;
	p->n = 0;
	maps_each(t->tid, add_map, p);
}

static struct snapshot *snapshots(void)
{
	static struct snapshot *snap;

	if (!snap)
		snap = calloc(2, sizeof(*snap));
	return snap;
}

static const struct map_entry *map_of(struct snapshot *p, const struct task *t,
				      uint64_t addr)
{
	snapshot(p, t);
	for (unsigned int i = 0; i < p->n; i++)
		if (addr >= p->e[i].start && addr < p->e[i].end)
			return &p->e[i];
	return NULL;
}

static bool equivalent(struct taskset *s, unsigned int v, uint64_t a,
		       uint64_t b)
{
	const struct mm *mm = s->proc->mm;
	struct snapshot *snap = snapshots();
	const struct map_entry *x, *y;

	if (!snap || a >> 47 || b >> 47)
		return false;
	x = map_of(&snap[0], &s->t[LEADER], a);
	y = x ? map_of(&snap[1], &s->t[v], b) : NULL;
	if (!x || !y)
		return false;
	if (x->inode != y->inode || strcmp(x->path, y->path))
		return x->perms[3] == 's' && y->perms[3] == 's' &&
			(int64_t)(b - a) == mm->delta[v] &&
			(int64_t)(y->start - x->start) == mm->delta[v];
	if (!x->path[0])
		return (int64_t)(b - a) == mm->delta[v] ||
		       a - x->start == b - y->start;
	/* it begins somewhere within a page or two of where the mapping ends, where
	 * the strings of arguments and environment are */
	if (!strcmp(x->path, "[stack]"))
		return a - mm->auxv[LEADER] == b - mm->auxv[v] ||
		       (a > mm->auxv[LEADER] && x->end - a == y->end - b);
	return a - x->start + x->offset == b - y->start + y->offset;
}

/* Memory that an allocator may have got from the kernel. */
static bool for_objects(const struct map_entry *e)
{
	return e->perms[1] == 'w' && e->perms[3] == 'p' &&
		(!e->path[0] || !strcmp(e->path, "[heap]"));
}

/* Two that need not be the same object, but in the same memory for such. */
static bool in_same_heap(struct taskset *s, unsigned int v, uint64_t a,
			 uint64_t b)
{
	const uint64_t delta = (uint64_t)s->proc->mm->delta[v];
	struct snapshot *snap = snapshots();
	const struct map_entry *x, *y;

	if (!snap || a >> 47 || b >> 47 || (a ^ b) % ALLOC_ALIGN)
		return false;
	x = map_of(&snap[0], &s->t[LEADER], a);
	y = x && for_objects(x) ? map_of(&snap[1], &s->t[v], b) : NULL;
	if (!y || !for_objects(y) || strcmp(x->path, y->path))
		return false;
	if (x->path[0])
		return true;
	return b - delta - x->start < x->end - x->start &&
		a + delta - y->start < y->end - y->start;
}

/* May this be the upper half of an address in [start, end)? */
static bool upper_half(uint64_t start, uint64_t end, uint32_t half)
{
	return start >> 32 <= half && half <= (end - 1) >> 32;
}

static bool equivalent_halves(struct taskset *s, unsigned int v, uint32_t a,
			      uint32_t b)
{
	const uint64_t delta = (uint64_t)s->proc->mm->delta[v];
	struct snapshot *p = snapshots();
	const struct map_entry *x, *y;

	if (!p || !a || !b)
		return false;
	snapshot(&p[0], &s->t[LEADER]);
	snapshot(&p[1], &s->t[v]);
	for (x = p[0].e; x < p[0].e + p[0].n; x++) {
		if (!upper_half(x->start, x->end, a))
			continue;
		for (y = p[1].e; y < p[1].e + p[1].n; y++)
			if (upper_half(y->start, y->end, b) &&
			    x->inode == y->inode && !strcmp(x->path, y->path) &&
			    (x->path[0] || upper_half(x->start + delta,
						      x->end + delta, b)))
				return true;
	}
	return false;
}

/* ---- the pointers ---- */

/* All there are; followers of the processes that share an arena see those of it. */
static struct ipmon_words words;

static void word_add(const struct taskset *s, unsigned int v, uint64_t leader,
		     uint64_t own)
{
	words_add(&words, v, leader, own);
	if (s->proc->mm->fast)
		words_add(fast_words(s->proc->mm->fast), v, leader, own);
}

/*
 * A socket's other end has another inode, and who reads may have got the
 * descriptor by whatever way: words are looked up by value alone.
 */
bool internal_receives(const struct taskset *s)
{
	return words_any(&words) && internal_channel(s);
}

void internal_translate(struct taskset *s, unsigned int v, uint64_t addr,
			size_t n)
{
	static uint8_t buf[65536];

	while (n >= PACKED_SIZE) {
		size_t k = n < sizeof(buf) ? n : sizeof(buf);
		size_t least = k == n ? PACKED_SIZE : sizeof(uint64_t);
		size_t i = 0;

		if (mem_read(&s->t[v], buf, addr, k))
			return;
		while (i + least <= k) {
			uint64_t own;
			unsigned int size =
				words_match(&words, v, word_at(buf + i, k - i), &own);

			if (size)
				mem_write(&s->t[v], addr + i, &own, size);
			i += size ? size : 1;
		}
		/* what is left may be the start of a word */
		addr += i;
		n -= i;
	}
}

int64_t internal_pointer(struct taskset *s, unsigned int v,
			 const struct ipmon_item *x,
			 const struct ipmon_item *y, int64_t off)
{
	if (mon.opt.layout == LAYOUT_SAME || x->len != y->len ||
	    !internal_channel(s))
		return -1;
	/* structures may lie in the message at any alignment */
	for (int64_t at = off; at >= 0 && at > off - 8; at--) {
		uint64_t a, b;

		if ((uint64_t)at + sizeof(a) > x->len ||
		    mem_read(&s->t[LEADER], &a, x->addr + (uint64_t)at,
			     sizeof(a)) ||
		    mem_read(&s->t[v], &b, y->addr + (uint64_t)at, sizeof(b)))
			continue;
		if (!equivalent(s, v, a, b))
			continue;
		word_add(s, v, a, b);
		return at + (int64_t)sizeof(a);
	}
	for (int64_t at = off; at >= 0 && at > off - PACKED_SIZE; at--) {
		uint64_t a = 0, b = 0;

		if ((uint64_t)at + PACKED_SIZE > x->len ||
		    mem_read(&s->t[LEADER], &a, x->addr + (uint64_t)at,
			     PACKED_SIZE) ||
		    mem_read(&s->t[v], &b, y->addr + (uint64_t)at, PACKED_SIZE) ||
		    a < PACKED_LEAST || b < PACKED_LEAST ||
		    !equivalent(s, v, a, b))
			continue;
		word_add(s, v, a, b);
		return at + PACKED_SIZE;
	}
	for (int64_t at = off; at >= 0 && at > off - 4; at--) {
		uint32_t a, b;

		if ((uint64_t)at + sizeof(a) <= x->len &&
		    !mem_read(&s->t[LEADER], &a, x->addr + (uint64_t)at,
			      sizeof(a)) &&
		    !mem_read(&s->t[v], &b, y->addr + (uint64_t)at,
			      sizeof(b)) && equivalent_halves(s, v, a, b))
			return at + (int64_t)sizeof(a);
	}
	for (int64_t at = off; at >= 0 && at > off - 8; at--) {
		uint64_t a, b;

		if ((uint64_t)at + sizeof(a) > x->len ||
		    mem_read(&s->t[LEADER], &a, x->addr + (uint64_t)at,
			     sizeof(a)) ||
		    mem_read(&s->t[v], &b, y->addr + (uint64_t)at, sizeof(b)) ||
		    !in_same_heap(s, v, a, b))
			continue;
		word_add(s, v, a, b);
		return at + (int64_t)sizeof(a);
	}
	return -1;
}
