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
 * The receivers all get the leader's bytes, as always: a follower that follows
 * such a pointer will crash, and be reported.  Output to anything else is
 * compared byte by byte: an address there is a leak.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "launch.h"
#include "tracee.h"

#define CHANNELS_MAX	8192u	/* remembered, oldest forgotten first */
#define MAPS_MAX	1024u

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
			for (int k = 0; k < 2; k++)
				channels[n_channels++ % CHANNELS_MAX] =
					channel_inode(s, fd[k]);
		}
	}
	if (!set_replicate(s, ret))
		set_finish(s, ret);
}

static bool to_internal(const struct taskset *s)
{
	uint64_t ino;

	if (!n_channels || s->row->arg[0].kind != K_FD)
		return false;
	ino = channel_inode(s, (int)s->t[LEADER].call.args[0]);
	if (!ino)
		return false;
	for (unsigned int i = 0; i < CHANNELS_MAX; i++)
		if (channels[i] == ino)
			return true;
	return false;
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

int64_t internal_pointer(struct taskset *s, unsigned int v,
			 const struct ipmon_item *x,
			 const struct ipmon_item *y, int64_t off)
{
	if (mon.opt.layout == LAYOUT_SAME || x->len != y->len ||
	    !to_internal(s))
		return -1;
	/* structures may lie in the message at any alignment */
	for (int64_t at = off; at >= 0 && at > off - 8; at--) {
		uint64_t a, b;

		if ((uint64_t)at + sizeof(a) > x->len ||
		    mem_read(&s->t[LEADER], &a, x->addr + (uint64_t)at,
			     sizeof(a)) ||
		    mem_read(&s->t[v], &b, y->addr + (uint64_t)at, sizeof(b)))
			continue;
		if (equivalent(s, v, a, b))
			return at + (int64_t)sizeof(a);
	}
	return -1;
}
