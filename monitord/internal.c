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
 *     that lies at the follower's usual distance) at the same offset: the same
 *     object of the program.
 *
 * IP-MON leaves calls on such descriptors to us, in the image that made them
 * and its forks; a new image has no use for the pointers.  Writing what cannot
 * contain an address is the exception (has_address() in libipmon/broker.c).
 *
 * What was tolerated is remembered word by word, and when it is received
 * from an internal channel each follower gets its own: libuv, for one, tells its event loop
 * about signals by pointers through a pipe.  A word that comes in two parts is
 * not recognised: a follower then gets the leader's and will crash when it
 * follows it, and be reported.  Output to anything else is compared byte by
 * byte: an address there is a leak.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fast_fd.h"
#include "internal.h"
#include "launch.h"
#include "tracee.h"

#define CHANNELS_MAX	8192u	/* remembered, oldest forgotten first */
#define MAPS_MAX	1024u
#define WORDS_MAX	1024u	/* pointers under way, likewise */

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

/* The internal channel this call reads or writes, 0 if it does neither. */
static uint64_t internal_channel(const struct taskset *s)
{
	uint64_t ino;

	if (!n_channels || s->row->arg[0].kind != K_FD)
		return 0;
	ino = channel_inode(s, (int)s->t[LEADER].call.args[0]);
	if (!ino)
		return 0;
	for (unsigned int i = 0; i < CHANNELS_MAX; i++)
		if (channels[i] == ino)
			return ino;
	return 0;
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

static const struct map_entry *map_of(struct snapshot *p, const struct task *t,
				      uint64_t addr)
{
	if (p->seq != mon.seq || p->tid != t->tid) {
		p->seq = mon.seq;
		p->tid = t->tid;
		p->n = 0;
		maps_each(t->tid, add_map, p);
	}
	for (unsigned int i = 0; i < p->n; i++)
		if (addr >= p->e[i].start && addr < p->e[i].end)
			return &p->e[i];
	return NULL;
}

static bool equivalent(struct taskset *s, unsigned int v, uint64_t a,
		       uint64_t b)
{
	static struct snapshot *snap;
	const struct map_entry *x, *y;

	if (a >> 47 || b >> 47)
		return false;
	if (!snap)
		snap = calloc(2, sizeof(*snap));
	if (!snap)
		return false;
	x = map_of(&snap[0], &s->t[LEADER], a);
	y = x ? map_of(&snap[1], &s->t[v], b) : NULL;
	if (!x || !y || x->inode != y->inode || strcmp(x->path, y->path))
		return false;
	if (!x->path[0])
		return (int64_t)(b - a) == s->proc->mm->delta[v] ||
		       a - x->start == b - y->start;
	return a - x->start + x->offset == b - y->start + y->offset;
}

/* ---- the pointers ---- */

static struct word {
	uint64_t leader, own;
	unsigned int variant;
} words[WORDS_MAX];
static unsigned int n_words;

/* Leaders' words there have ever been, by hash: most data needs no search. */
#define SEEN_BITS	16u
static uint8_t seen[1u << SEEN_BITS];

static unsigned int seen_slot(uint64_t leader)
{
	return (unsigned int)(leader * 0x9e3779b97f4a7c15u >>
			      (64u - SEEN_BITS));
}

static struct word *word_find(unsigned int v, uint64_t leader)
{
	unsigned int have = n_words < WORDS_MAX ? n_words : WORDS_MAX;

	/* the latest one: memory is used again */
	for (unsigned int i = 1; i <= have; i++) {
		struct word *w = &words[(n_words - i) % WORDS_MAX];

		if (w->leader == leader && w->variant == v)
			return w;
	}
	return NULL;
}

static void word_add(unsigned int v, uint64_t leader, uint64_t own)
{
	struct word *w = word_find(v, leader);

	if (!w)
		w = &words[n_words++ % WORDS_MAX];
	seen[seen_slot(leader)] = 1;
	w->leader = leader;
	w->own = own;
	w->variant = v;
}

/*
 * A socket's other end has another inode, and who reads may have got the
 * descriptor by whatever way: words are looked up by value alone.
 */
bool internal_receives(const struct taskset *s)
{
	return n_words && internal_channel(s);
}

void internal_translate(struct taskset *s, unsigned int v, uint64_t addr,
			size_t n)
{
	static uint8_t buf[65536];

	while (n >= sizeof(uint64_t)) {
		size_t k = n < sizeof(buf) ? n : sizeof(buf);
		size_t i = 0;

		if (mem_read(&s->t[v], buf, addr, k))
			return;
		while (i + sizeof(uint64_t) <= k) {
			struct word *w = NULL;
			uint64_t x;

			memcpy(&x, buf + i, sizeof(x));
			if (seen[seen_slot(x)])
				w = word_find(v, x);
			if (w)
				mem_write(&s->t[v], addr + i, &w->own,
					  sizeof(w->own));
			i += w ? sizeof(x) : 1;
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
		word_add(v, a, b);
		return at + (int64_t)sizeof(a);
	}
	return -1;
}
