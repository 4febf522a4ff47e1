// SPDX-License-Identifier: Apache-2.0
/*
 * epoll: the data of an event belongs to the variant.
 *
 * Theory of operation
 * -------------------
 * The program gives the kernel 64 bits with every registration and gets them
 * back with every event; usually they are a pointer, different in every
 * variant.  Only the leader has the epoll instance.  It registers a cookie of
 * ours instead, and the cookie stands for everybody's data:
 *
 *	epoll_ctl ADD/MOD	read every variant's event, make a cookie, run
 *				the leader's call with a copy of its event (in
 *				the scratch page) that holds the cookie
 *	epoll_wait done		replace every cookie the kernel returned: the
 *				leader's array and each follower's get the
 *				data which that variant had registered
 *
 * Processes that handle calls themselves have tables for this in their memory
 * (fast_fd.c): a tag from there takes the place of a cookie.
 *
 * A value that is no cookie (an epoll instance from outside the tree) is
 * passed on as it is.
 *
 * When a cookie dies.  Per descriptor table (struct files) we remember which
 * cookie was registered last for (epoll descriptor, descriptor).  MOD, DEL,
 * or ADD of a reused number drop that reference; so does the end of the last
 * process with that table.  A cookie without references is not freed but
 * retired: an epoll_wait that was under way may still return it, and an ADD
 * over a reused number proves nothing about the old file, which lives on
 * under a duplicate or in another process (epoll(7)).  The RETIRED_MAX
 * youngest retired cookies stay translatable.  A retired cookie that is
 * returned by the kernel becomes the youngest again.  Should one be
 * evicted and its event appear nevertheless, the event is dropped: no variant
 * may ever see a cookie.
 *
 * Cookies are a counter above a random base, so they index the hash table
 * perfectly and data from outside does not look like one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "fast_fd.h"
#include "h_misc.h"
#include "tracee.h"

#define RETIRED_MAX	65536u

struct cookie {
	uint64_t cookie;
	unsigned int refs;
	struct cookie *next;		/* in its bucket */
	TAILQ_ENTRY(cookie) retired;	/* when refs == 0 */
	uint64_t data[];		/* mon.n of them */
};

/* One registration: which cookie the kernel holds for (epfd, fd). */
struct reg {
	int epfd, fd;
	struct cookie *c;		/* NULL: free place */
};

struct files {
	unsigned int refs;
	struct reg *reg;		/* open addressing, linear probing */
	unsigned int cap;		/* power of two, or 0 */
	unsigned int used;
};

static struct {
	struct cookie **bucket;
	unsigned int n_buckets;
	unsigned int count;
	uint64_t base, next;		/* cookies issued: base .. next - 1 */
	TAILQ_HEAD(retired_list, cookie) retired;
	unsigned int n_retired;
	bool said;
} pool;

static void *must(void *p)
{
	if (!p)
		die("out of memory");
	return p;
}

/* ---- cookies ---- */

static void pool_init(void)
{
	if (pool.bucket)
		return;
	if (getrandom(&pool.base, sizeof(pool.base), 0) != sizeof(pool.base))
		die("getrandom: %s", strerror(errno));
	/* room above for every cookie that can ever be issued, and a top bit
	 * that no user address has */
	pool.base = (pool.base & ~(1ull << 62)) | 1ull << 63;
	pool.next = pool.base;
	pool.n_buckets = 1024;
	pool.bucket = must(calloc(pool.n_buckets, sizeof(*pool.bucket)));
	TAILQ_INIT(&pool.retired);
}

static struct cookie **bucket_of(uint64_t cookie)
{
	return &pool.bucket[(cookie - pool.base) & (pool.n_buckets - 1)];
}

static void pool_grow(void)
{
	struct cookie **old = pool.bucket;
	unsigned int n = pool.n_buckets;

	pool.n_buckets = n * 2;
	pool.bucket = must(calloc(pool.n_buckets, sizeof(*pool.bucket)));
	for (unsigned int i = 0; i < n; i++) {
		struct cookie *c, *next;

		for (c = old[i]; c; c = next) {
			struct cookie **b = bucket_of(c->cookie);

			next = c->next;
			c->next = *b;
			*b = c;
		}
	}
	free(old);
}

static struct cookie *cookie_new(const uint64_t data[MAX_VARIANTS])
{
	struct cookie *c = must(calloc(1, sizeof(*c) +
				       mon.n * sizeof(c->data[0])));
	struct cookie **b;

	if (pool.count >= pool.n_buckets)
		pool_grow();
	c->cookie = pool.next++;
	c->refs = 1;
	memcpy(c->data, data, mon.n * sizeof(c->data[0]));
	b = bucket_of(c->cookie);
	c->next = *b;
	*b = c;
	pool.count++;
	return c;
}

static struct cookie *cookie_find(uint64_t cookie)
{
	struct cookie *c;

	if (!pool.bucket)
		return NULL;
	for (c = *bucket_of(cookie); c; c = c->next)
		if (c->cookie == cookie)
			return c;
	return NULL;
}

static bool cookie_issued(uint64_t cookie)
{
	return pool.bucket && cookie >= pool.base && cookie < pool.next;
}

static void cookie_free(struct cookie *c)
{
	struct cookie **p = bucket_of(c->cookie);

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	pool.count--;
	free(c);
}

static void cookie_put(struct cookie *c)
{
	if (--c->refs)
		return;
	TAILQ_INSERT_TAIL(&pool.retired, c, retired);
	if (++pool.n_retired > RETIRED_MAX) {
		c = TAILQ_FIRST(&pool.retired);
		TAILQ_REMOVE(&pool.retired, c, retired);
		pool.n_retired--;
		cookie_free(c);
	}
}

/* ---- registrations per descriptor table ---- */

static unsigned int reg_hash(const struct files *f, int epfd, int fd)
{
	uint64_t h = (uint64_t)(uint32_t)epfd << 32 | (uint32_t)fd;

	return (unsigned int)(h * 0x9e3779b97f4a7c15ull >> 32) & (f->cap - 1);
}

/* The place of (epfd, fd), or the free place where it would be. */
static struct reg *reg_find(struct files *f, int epfd, int fd)
{
	unsigned int i = reg_hash(f, epfd, fd);

	while (f->reg[i].c && (f->reg[i].epfd != epfd || f->reg[i].fd != fd))
		i = (i + 1) & (f->cap - 1);
	return &f->reg[i];
}

static void reg_grow(struct files *f)
{
	struct reg *old = f->reg;
	unsigned int cap = f->cap;

	f->cap = cap ? cap * 2 : 16;
	f->reg = must(calloc(f->cap, sizeof(*f->reg)));
	for (unsigned int i = 0; i < cap; i++)
		if (old[i].c)
			*reg_find(f, old[i].epfd, old[i].fd) = old[i];
	free(old);
}

/* The kernel now holds `c` for (epfd, fd); takes over the reference. */
static void reg_set(struct files *f, int epfd, int fd, struct cookie *c)
{
	struct reg *r;

	if (f->used >= f->cap - f->cap / 4)
		reg_grow(f);
	r = reg_find(f, epfd, fd);
	if (r->c)
		cookie_put(r->c);
	else
		f->used++;
	r->epfd = epfd;
	r->fd = fd;
	r->c = c;
}

static void reg_del(struct files *f, int epfd, int fd)
{
	unsigned int mask = f->cap - 1, hole, i;
	struct reg *r;

	if (!f->cap)
		return;
	r = reg_find(f, epfd, fd);
	if (!r->c)
		return;
	cookie_put(r->c);
	f->used--;
	/* close the gap: move back whatever had been pushed past it */
	hole = (unsigned int)(r - f->reg);
	for (i = (hole + 1) & mask; f->reg[i].c; i = (i + 1) & mask) {
		unsigned int home = reg_hash(f, f->reg[i].epfd, f->reg[i].fd);

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			f->reg[hole] = f->reg[i];
			hole = i;
		}
	}
	f->reg[hole].c = NULL;
}

struct files *files_new(void)
{
	struct files *f = must(calloc(1, sizeof(*f)));

	f->refs = 1;
	return f;
}

struct files *files_get(struct files *f)
{
	f->refs++;
	return f;
}

bool files_shared(const struct files *f)
{
	return f && f->refs > 1;
}

void files_put(struct files *f)
{
	if (--f->refs)
		return;
	for (unsigned int i = 0; i < f->cap; i++)
		if (f->reg[i].c)
			cookie_put(f->reg[i].c);
	free(f->reg);
	free(f);
}

struct files *files_fork(const struct files *from)
{
	struct files *f = files_new();

	if (!from || !from->used)
		return f;
	f->cap = from->cap;
	f->used = from->used;
	f->reg = must(calloc(f->cap, sizeof(*f->reg)));
	memcpy(f->reg, from->reg, f->cap * sizeof(*f->reg));
	for (unsigned int i = 0; i < f->cap; i++)
		if (f->reg[i].c)
			f->reg[i].c->refs++;
	return f;
}

/* ---- the calls ---- */

void epoll_ctl_start(struct taskset *s)
{
	struct task *lead = &s->t[LEADER];
	const uint64_t *a = lead->call.args;
	int epfd = (int)a[0], op = (int)a[1], fd = (int)a[2];
	struct epoll_event ev = { 0 };
	uint64_t data[MAX_VARIANTS] = { 0 };
	struct cookie *c = NULL;
	uint64_t args[6], tag = 0;
	int64_t ret;
	int place = -1;

	if (!s->proc->files)
		s->proc->files = files_new();
	memcpy(args, a, sizeof(args));
	/* an event that cannot be read is the kernel's EFAULT */
	if ((op == EPOLL_CTL_ADD || op == EPOLL_CTL_MOD) &&
	    mem_read(lead, &ev, a[3], sizeof(ev)) == 0) {
		uint64_t slot = scratch_slot(s, LEADER);

		data[LEADER] = ev.data.u64;
		for_each_follower(v) {
			struct epoll_event own;

			/* compared readable a moment ago */
			if (mem_read(&s->t[v], &own, s->t[v].call.args[3],
				     sizeof(own)) == 0)
				data[v] = own.data.u64;
			else
				data[v] = data[LEADER];
		}
		place = fast_epoll_slot(s, op, epfd, fd, &tag);
		if (place < 0) {
			pool_init();
			c = cookie_new(data);
			tag = c->cookie;
		}
		ev.data.u64 = tag;
		if (mem_write(lead, slot, &ev, sizeof(ev)) < 0) {
			if (c)
				cookie_put(c);
			return;		/* died */
		}
		args[3] = slot;
	}
	ret = task_exec(lead, lead->call.nr, args);
	if (ret == 0 && c)
		reg_set(s->proc->files, epfd, fd, c);
	else if (c)
		cookie_put(c);
	if (ret == 0 && !c)
		reg_del(s->proc->files, epfd, fd);
	if (ret == 0)
		fast_epoll_done(s, op, place, epfd, fd, data);
	if (lead->at == AT_EXIT)
		set_finish(s, ret);
}

bool epoll_cookie_data(uint64_t cookie, unsigned int v, uint64_t *data)
{
	struct cookie *c = cookie_find(cookie);

	if (!c)
		return false;
	*data = c->data[v];
	return true;
}

/*
 * Translate events from `from` to variant v.  Events whose cookie is no
 * longer known are left out; returns how many are left.
 */
static unsigned int translate(struct taskset *s, struct epoll_event *to,
			      const struct epoll_event *from, unsigned int n,
			      unsigned int v)
{
	unsigned int k = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct cookie *c = cookie_find(from[i].data.u64);
		uint64_t own;

		to[k] = from[i];
		if (fast_epoll_data(s, v, from[i].data.u64, &own)) {
			to[k].data.u64 = own;
		} else if (c) {
			to[k].data.u64 = c->data[v];
			if (!c->refs) {
				TAILQ_REMOVE(&pool.retired, c, retired);
				TAILQ_INSERT_TAIL(&pool.retired, c, retired);
			}
		} else if (cookie_issued(from[i].data.u64) ||
			   fast_epoll_is_tag(from[i].data.u64)) {
			if (!pool.said)
				say("epoll: an event of a long replaced registration was dropped");
			pool.said = true;
			continue;
		}
		k++;
	}
	return k;
}

void epoll_wait_done(struct taskset *s, int64_t ret)
{
	struct task *lead = &s->t[LEADER];
	struct epoll_event *from, *to;
	unsigned int n = ret > 0 ? (unsigned int)ret : 0, k = 0;

	if (!n) {
		set_finish(s, ret);
		return;
	}
	from = must(malloc(2 * n * sizeof(*from)));
	to = from + n;
	if (mem_read(lead, from, lead->call.args[1], n * sizeof(*from)) == 0) {
		for_each_follower(v) {
			k = translate(s, to, from, n, v);
			if (!follower_write(s, v, 1, s->t[v].call.args[1], to,
					    k * sizeof(*to))) {
				free(from);
				return;
			}
		}
		k = translate(s, to, from, n, LEADER);
		mem_write(lead, lead->call.args[1], to, k * sizeof(*to));
		ret = k;
	}
	free(from);
	set_finish(s, ret);
}
