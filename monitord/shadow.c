// SPDX-License-Identifier: Apache-2.0
/*
 * Shadows: what followers map instead of a file that is mapped shared.
 *
 * Theory of operation
 * -------------------
 * A writable shared mapping is memory and file at once.  The file exists once
 * and belongs to the leader; the memory must exist per variant, because each
 * variant stores its own values (pointers, lock words) at its own time.  So a
 * follower maps a shadow: a memfd of monitord's with a copy of the content, one
 * per inode and variant, shared by all processes of that variant.
 *
 * A shadow is *cold* as long as nobody may write through a mapping: it only
 * remembers who maps the inode, and followers map the real file read-only.
 * It becomes *hot* when some process maps the inode writable, or makes an
 * earlier mapping writable (mprotect): then content is copied, and mappings of
 * the real file that the process has are replaced by mappings of the shadow.
 * (Big databases map read-only and write by pwrite: they stay cold.)
 * Mappings of the real file in *other* processes stay; they show the leader's
 * stores instead of the follower's, which differ only in addresses.
 *
 * What is written to a hot file by a call (write, ftruncate, ...) is copied
 * from the file into all shadows, so file and memory agree as they do
 * natively, and accesses beyond the end of file fault alike.  What processes
 * outside the tree store into the file is not seen by followers.
 *
 * Regions record every shared mapping by the leader's address, with the
 * follower's addresses alongside.  They follow munmap, mremap, fork and exec;
 * a shadow without a region is dropped: the next mapping starts from the
 * file's content again.  A mapped inode cannot be freed, so (st_dev, st_ino)
 * identifies it for as long as a region exists.
 *
 * SysV segments work the same, with (namespace, shmid, creator) as identity
 * and the leader's memory as the source of the content.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"
#include "shadow_int.h"
#include "tracee.h"

#define PAGE 4096ull
#define CHUNK (1u << 18)
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* What this file keeps per address space. */
struct shadow_map {
	LIST_HEAD(, shadow_region) regions;
};

struct shadow_list shadows = LIST_HEAD_INITIALIZER(shadows);
unsigned int shadows_hot;

/* ---- life of a shadow ---- */

static struct shadow *shadow_new(void)
{
	struct shadow *sh = calloc(1, sizeof(*sh));

	if (!sh)
		return NULL;
	sh->pin = sh->place = -1;
	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		sh->memfd[v] = -1;
	LIST_INIT(&sh->regions);
	LIST_INSERT_HEAD(&shadows, sh, all);
	return sh;
}

static void shadow_drop(struct shadow *sh)
{
	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		if (sh->memfd[v] >= 0)
			close(sh->memfd[v]);
	if (sh->pin >= 0)
		close(sh->pin);
	shadows_hot -= sh->hot;
	shadow_hot_remove(sh);
	LIST_REMOVE(sh, all);
	free(sh);
}

static void drop_if_unused(struct shadow *sh)
{
	if (!sh->held && LIST_EMPTY(&sh->regions))
		shadow_drop(sh);
}

struct shadow *shadow_lookup(dev_t dev, ino_t ino)
{
	struct shadow *sh;

	LIST_FOREACH(sh, &shadows, all)
		if (!sh->shm && sh->dev == dev && sh->ino == ino)
			return sh;
	return NULL;
}

struct shadow *shadow_find(const struct stat *st, bool make)
{
	struct shadow *sh = shadow_lookup(st->st_dev, st->st_ino);

	if (!sh && make) {
		sh = shadow_new();
		if (sh) {
			sh->dev = st->st_dev;
			sh->ino = st->st_ino;
		}
	}
	if (sh)
		sh->held++;
	return sh;
}

struct shadow *shadow_find_shm(ino_t ns, int id, int cpid)
{
	struct shadow *sh;

	LIST_FOREACH(sh, &shadows, all)
		if (sh->shm && sh->ns == ns && sh->id == id &&
		    sh->cpid == cpid)
			break;
	if (!sh) {
		sh = shadow_new();
		if (!sh)
			return NULL;
		sh->shm = true;
		sh->id = id;
		sh->ns = ns;
		sh->cpid = cpid;
	}
	sh->held++;
	return sh;
}

void shadow_release(struct shadow *sh)
{
	sh->held--;
	drop_if_unused(sh);
}

bool shadow_is_hot(const struct shadow *sh)
{
	return sh->hot;
}

/* ---- content ---- */

static int own_fd(int fd, int flags)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return r < 0 ? -errno : r;
}

void shadow_pin(struct shadow *sh, int fd)
{
	if (sh->pin >= 0)
		return;
	sh->pin = own_fd(fd, O_RDONLY);
	sh->pin_reads = sh->pin >= 0;
	/* no permission to read it anew: at least its size can be asked */
	if (sh->pin < 0)
		sh->pin = own_fd(fd, O_PATH);
}

int shadow_fd(const struct shadow *sh, unsigned int v, bool writable)
{
	return own_fd(sh->memfd[v], writable ? O_RDWR : O_RDONLY);
}

static bool all_zero(const char *p, size_t n)
{
	return !n || (!p[0] && !memcmp(p, p + 1, n - 1));
}

static int put(struct shadow *sh, const char *p, uint64_t off, size_t n)
{
	for_each_follower(v) {
		size_t done = 0;

		while (sh->memfd[v] >= 0 && done < n) {
			ssize_t w = pwrite(sh->memfd[v], p + done, n - done,
					   (off_t)(off + done));

			if (w <= 0)
				return w < 0 ? -errno : -EIO;
			done += (size_t)w;
		}
	}
	return 0;
}

int shadow_copy_in(struct shadow *sh, int fd, uint64_t off, uint64_t len,
		   bool fresh)
{
	static char buf[CHUNK];
	uint64_t end = off + len;

	while (off < end) {
		size_t want = end - off < CHUNK ? (size_t)(end - off) : CHUNK;
		ssize_t n;
		int r;

		if (fresh && sh->pin_reads && fd == sh->pin) {
			off_t data = lseek(fd, (off_t)off, SEEK_DATA);

			if (data < 0 && errno == ENXIO)
				return 0;	/* a hole up to the end */
			if (data > 0 && (uint64_t)data > off) {
				off = (uint64_t)data;
				continue;
			}
		}
		n = pread(fd, buf, want, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return 0;
		if (!fresh || !all_zero(buf, (size_t)n)) {
			r = put(sh, buf, off, (size_t)n);
			if (r < 0)
				return r;
		}
		off += (uint64_t)n;
	}
	return 0;
}

/* The same from the leader's memory at `addr`. */
static int copy_in_mem(struct shadow *sh, struct task *t, uint64_t addr,
		       uint64_t off, uint64_t len)
{
	static char buf[CHUNK];
	uint64_t done = 0;

	while (done < len) {
		size_t want = len - done < CHUNK ? (size_t)(len - done) : CHUNK;
		ssize_t n = mem_read_some(t, buf, addr + done, want);
		int r = 0;

		if (n <= 0)
			return 0;	/* not readable: beyond the end */
		if (!all_zero(buf, (size_t)n))
			r = put(sh, buf, off + done, (size_t)n);
		if (r < 0)
			return r;
		done += (uint64_t)n;
	}
	return 0;
}

int shadow_set_size(struct shadow *sh, uint64_t size)
{
	for_each_follower(v)
		if (sh->memfd[v] >= 0 &&
		    ftruncate(sh->memfd[v], (off_t)size) < 0)
			return -errno;
	sh->size = size;
	return 0;
}

/* Descriptors are few: two per variant and file that is mapped writable. */
static void raise_limit(void)
{
	static bool done;
	struct rlimit l;

	if (done)
		return;
	done = true;
	if (!getrlimit(RLIMIT_NOFILE, &l) && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int make_memfds(struct shadow *sh)
{
	raise_limit();
	for_each_follower(v) {
		int fd;

		if (sh->memfd[v] >= 0)
			continue;
		fd = memfd_create("shared", MFD_CLOEXEC | MFD_EXEC);
		if (fd < 0 && errno == EINVAL)
			fd = memfd_create("shared", MFD_CLOEXEC);
		if (fd < 0)
			return -errno;
		sh->memfd[v] = fd;
	}
	return 0;
}

static void give_up(struct shadow *sh)
{
	shadow_hot_remove(sh);
	for (unsigned int v = 0; v < MAX_VARIANTS; v++) {
		if (sh->memfd[v] >= 0)
			close(sh->memfd[v]);
		sh->memfd[v] = -1;
	}
}

/* ---- turning mappings of the real file over ---- */

struct turn_over {
	uint64_t start, end;		/* to be looked at, in follower v */
	struct piece {
		uint64_t start, end;
		int prot;
	} piece[64];
	unsigned int n;
};
#define PIECES (sizeof(((struct turn_over *)0)->piece) / sizeof(struct piece))

static int find_pieces(void *ctx, const struct map_entry *e)
{
	struct turn_over *o = ctx;
	struct piece *p = &o->piece[o->n];

	if (e->end <= o->start || e->start >= o->end)
		return 0;
	p->start = e->start > o->start ? e->start : o->start;
	p->end = e->end < o->end ? e->end : o->end;
	p->prot = (e->perms[0] == 'r' ? PROT_READ : 0) |
		  (e->perms[1] == 'w' ? PROT_WRITE : 0) |
		  (e->perms[2] == 'x' ? PROT_EXEC : 0);
	return ++o->n == PIECES;
}

static int turn_over(struct taskset *s, const struct shadow_region *r,
		     unsigned int v)
{
	struct turn_over o = {
		.start = r->addr[v], .end = r->addr[v] + r->len,
	};
	struct task *t = &s->t[v];
	int64_t ret = 0;
	int fd, there;

	fd = shadow_fd(r->sh, v, r->writable);
	if (fd < 0)
		return fd;
	there = task_send_fd(t, fd);
	close(fd);
	if (there < 0)
		return there;
	do {
		o.n = 0;
		if (maps_each(t->tid, find_pieces, &o) < 0)
			return -ESRCH;
		for (unsigned int i = 0; i < o.n && ret >= 0; i++) {
			const struct piece *p = &o.piece[i];

			ret = task_inject(t, SYS_mmap, p->start,
					  p->end - p->start, (uint64_t)p->prot,
					  MAP_SHARED | MAP_FIXED,
					  (uint64_t)there, r->offset +
					  (p->start - r->addr[v]));
			o.start = p->end;
		}
	} while (o.n == PIECES && ret >= 0);
	task_inject(t, SYS_close, (uint64_t)there, 0, 0, 0, 0, 0);
	return ret < 0 && ret >= -4095 ? (int)ret : 0;
}

int shadow_turn_over(struct taskset *s, struct shadow *sh)
{
	struct shadow_region *r;

	/* a program may have tens of thousands of regions, hardly ever such */
	if (!sh->reals)
		return 0;
	LIST_FOREACH(r, &sh->regions, in_shadow) {
		if (r->mm != s->proc->mm || !r->real)
			continue;
		r->real = false;
		sh->reals--;
		for_each_follower(v) {
			int e = turn_over(s, r, v);

			if (e < 0 && e != -ESRCH)
				return e;
		}
	}
	return 0;
}

/* The shadow has just become hot, on behalf of `s`. */
static int heated(struct taskset *s, struct shadow *sh)
{
	struct shadow_region *r;
	struct proc *p;

	sh->hot = true;
	shadows_hot++;
again:
	LIST_FOREACH(r, &sh->regions, in_shadow) {
		if (r->mm == s->proc->mm)
			continue;
		LIST_FOREACH(p, &mon.procs, all) {
			if (p->mm != r->mm || !p->domain || p->domain->shared)
				continue;
			/* somebody may go on there and end, or unmap it */
			sched_share(p);
			goto again;
		}
	}
	return shadow_turn_over(s, sh);
}

int shadow_heat(struct taskset *s, struct shadow *sh, int fd)
{
	struct stat st;
	int r;

	if (sh->hot)
		return 0;
	shadow_pin(sh, fd);
	if (fstat(fd, &st) < 0)
		return -errno;
	/* what is written from now on comes to us, what was before is copied */
	shadow_hot_add(sh);
	r = make_memfds(sh);
	if (!r)
		r = shadow_set_size(sh, (uint64_t)st.st_size);
	if (!r)
		r = shadow_copy_in(sh, sh->pin_reads ? sh->pin : fd, 0,
			    (uint64_t)st.st_size, true);
	if (r < 0) {
		give_up(sh);
		return r;
	}
	return heated(s, sh);
}

int shadow_heat_shm(struct taskset *s, struct shadow *sh, uint64_t addr,
		    uint64_t size)
{
	int r;

	if (sh->hot)
		return 0;
	r = make_memfds(sh);
	if (!r)
		r = shadow_set_size(sh, size);
	if (!r)
		r = copy_in_mem(sh, &s->t[LEADER], addr, 0, size);
	if (r < 0) {
		give_up(sh);
		return r;
	}
	return heated(s, sh);
}

/* Heat through a mapping of the leader's: all there is when the file itself
 * may not be read by us. */
static int heat_from_memory(struct taskset *s, const struct shadow_region *r)
{
	struct shadow *sh = r->sh;
	struct stat st;
	int e;

	shadow_hot_add(sh);
	e = fstat(sh->pin, &st) < 0 ? -errno : make_memfds(sh);
	if (!e)
		e = copy_in_mem(sh, &s->t[LEADER], r->addr[LEADER], r->offset,
				r->len);
	if (!e)
		e = shadow_set_size(sh, (uint64_t)st.st_size);
	if (e < 0)
		give_up(sh);
	return e < 0 ? e : heated(s, sh);
}

int shadow_make_writable(struct taskset *s, uint64_t start, uint64_t len)
{
	struct shadow_region *r;

	if (!s->proc->mm->shadows || mon.live == 1u << LEADER)
		return 0;
	LIST_FOREACH(r, &s->proc->mm->shadows->regions, in_mm) {
		struct shadow *sh = r->sh;
		int e;

		if (!r->real || !r->writable ||
		    r->addr[LEADER] >= start + len ||
		    r->addr[LEADER] + r->len <= start)
			continue;
		if (sh->hot)
			e = shadow_turn_over(s, sh);
		else if (sh->pin < 0)
			e = -EACCES;
		else if (sh->pin_reads)
			e = shadow_heat(s, sh, sh->pin);
		else
			e = heat_from_memory(s, r);
		if (e < 0)
			return e;
		sched_share(s->proc);
	}
	return 0;
}

/* ---- regions ---- */

static struct shadow_map *map_of(struct mm *m)
{
	if (!m->shadows) {
		m->shadows = calloc(1, sizeof(*m->shadows));
		if (!m->shadows)
			die("out of memory");
		LIST_INIT(&m->shadows->regions);
	}
	return m->shadows;
}

int shadow_map(struct mm *m, const struct shadow_region *r)
{
	struct shadow_region *n = malloc(sizeof(*n));

	if (!n)
		return -ENOMEM;
	*n = *r;
	n->mm = m;
	n->sh->reals += n->real;
	LIST_INSERT_HEAD(&map_of(m)->regions, n, in_mm);
	LIST_INSERT_HEAD(&n->sh->regions, n, in_shadow);
	return 0;
}

static void region_free(struct shadow_region *r)
{
	struct shadow *sh = r->sh;

	LIST_REMOVE(r, in_mm);
	LIST_REMOVE(r, in_shadow);
	sh->reals -= r->real;
	free(r);
	drop_if_unused(sh);
}

/* Cut `n` bytes off the front. */
static void advance(struct shadow_region *r, uint64_t n)
{
	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		r->addr[v] += n;
	r->offset += n;
	r->len -= n;
}

void shadow_unmap(struct mm *m, uint64_t start, uint64_t len)
{
	struct shadow_region *r, *next;
	uint64_t end;

	if (!m->shadows || !len)
		return;
	start &= ~(PAGE - 1);
	if (__builtin_add_overflow(start, (len + PAGE - 1) & ~(PAGE - 1), &end))
		return;
	for (r = LIST_FIRST(&m->shadows->regions); r; r = next) {
		uint64_t rs = r->addr[LEADER], re = rs + r->len;

		next = LIST_NEXT(r, in_mm);
		if (re <= start || rs >= end)
			continue;
		if (rs < start && re > end) {
			struct shadow_region tail = *r;

			advance(&tail, end - rs);
			r->len = start - rs;
			if (shadow_map(m, &tail) < 0)
				die("out of memory");
		} else if (rs < start) {
			r->len = start - rs;
		} else if (re > end) {
			advance(r, end - rs);
		} else {
			region_free(r);
		}
	}
}

const struct shadow_region *shadow_at(const struct mm *m, uint64_t addr)
{
	struct shadow_region *r;

	if (m->shadows)
		LIST_FOREACH(r, &m->shadows->regions, in_mm)
			if (addr >= r->addr[LEADER] &&
			    addr < r->addr[LEADER] + r->len)
				return r;
	return NULL;
}

bool shadow_touches(const struct mm *m, unsigned int v, uint64_t start,
		    uint64_t len)
{
	struct shadow_region *r;
	uint64_t end;

	if (!m->shadows)
		return false;
	if (__builtin_add_overflow(start, len, &end))
		return true;
	LIST_FOREACH(r, &m->shadows->regions, in_mm)
		if (start < r->addr[v] + r->len && end > r->addr[v])
			return true;
	return false;
}

const struct shadow_region *shadow_attached(const struct mm *m, uint64_t base)
{
	struct shadow_region *r;

	if (m->shadows)
		LIST_FOREACH(r, &m->shadows->regions, in_mm)
			if (r->sh->shm && r->base == base)
				return r;
	return NULL;
}

void shadow_mm_fork(struct mm *child, const struct mm *parent)
{
	struct shadow_region *r;

	if (!parent->shadows)
		return;
	LIST_FOREACH(r, &parent->shadows->regions, in_mm)
		if (shadow_map(child, r) < 0)
			die("out of memory");
}

void shadow_mm_free(struct mm *m)
{
	struct shadow_region *r;

	if (!m->shadows)
		return;
	while ((r = LIST_FIRST(&m->shadows->regions)))
		region_free(r);
	free(m->shadows);
	m->shadows = NULL;
}
