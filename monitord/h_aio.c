// SPDX-License-Identifier: Apache-2.0
/*
 * Kernel asynchronous I/O (io_setup and friends).
 *
 * Theory of operation
 * -------------------
 * The leader has the context and does the I/O.  Three things in this
 * interface are addresses:
 *
 *   context	is the address of a ring page the kernel maps.  Followers get
 *		an anonymous page at the corresponding address.  libaio peeks
 *		into the ring to save a call when it is empty, provided that
 *		the magic number is right; only the leader's ring is alive,
 *		so the magic is cleared in all variants (the kernel never
 *		looks at it) and everybody makes the call.  A program that
 *		reads the ring without checking the magic (qemu does) diverges.
 *   data, obj	come back with every event: every variant gets its own, from a
 *		list of the requests in flight.
 *   buffers	a finished read has filled the leader's buffer: when the event
 *		is fetched the bytes are copied to each follower's.
 *
 * Requests are listed before the leader enters io_submit: a completion may
 * be fetched by another thread before io_submit itself has returned.
 * Requests whose event nobody fetches go with their context or their
 * address space.  Buffers of reads cut off by io_destroy are not replicated.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <linux/aio_abi.h>

#include "h_misc.h"
#include "tracee.h"

/* fs/aio.c; user space has its own copies too */
struct aio_ring_header {
	uint32_t id, nr, head, tail;
	uint32_t magic, compat, incompat, header_length;
};
#define RING_MAGIC_OFFSET offsetof(struct aio_ring_header, magic)

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define AIO_IOV_MAX 1024u

struct aio_ctx {
	const struct mm *mm;
	uint64_t addr[MAX_VARIANTS];
	uint64_t size;
	uint32_t nr;
	LIST_ENTRY(aio_ctx) link;
};

struct aio_req {
	const struct mm *mm;
	uint64_t ctx;			/* the leader's */
	uint64_t obj[MAX_VARIANTS];
	uint64_t data[MAX_VARIANTS];
	uint64_t buf[MAX_VARIANTS];
	uint64_t nbytes;		/* or vectors */
	uint16_t opcode;
	struct iovec *iov[MAX_VARIANTS];/* IOCB_CMD_PREADV */
	uint64_t serial;		/* of the io_submit that made it */
	int64_t index;			/* in its array */
	TAILQ_ENTRY(aio_req) link;
	LIST_ENTRY(aio_req) bucket;
};

#define BUCKETS 1024u
static LIST_HEAD(, aio_ctx) contexts;
static TAILQ_HEAD(, aio_req) requests = TAILQ_HEAD_INITIALIZER(requests);
static LIST_HEAD(, aio_req) by_obj[BUCKETS];
static uint64_t serial;

static unsigned int bucket(uint64_t obj)
{
	return (unsigned int)(obj * 0x9e3779b97f4a7c15ull >> 54);
}
_Static_assert(BUCKETS == 1u << 10, "bucket() yields 10 bits");

static struct aio_ctx *ctx_find(const struct mm *mm, uint64_t ctx)
{
	struct aio_ctx *c;

	LIST_FOREACH(c, &contexts, link)
		if (c->mm == mm && c->addr[LEADER] == ctx)
			return c;
	return NULL;
}

static void req_free(struct aio_req *r)
{
	TAILQ_REMOVE(&requests, r, link);
	LIST_REMOVE(r, bucket);
	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		free(r->iov[v]);
	free(r);
}

/* The oldest request with this control block. */
static struct aio_req *req_find(const struct mm *mm, uint64_t ctx,
				uint64_t obj)
{
	struct aio_req *r, *oldest = NULL;

	LIST_FOREACH(r, &by_obj[bucket(obj)], bucket)
		if (r->mm == mm && r->ctx == ctx && r->obj[LEADER] == obj)
			oldest = r;	/* inserted at the head */
	return oldest;
}

/* Forget requests of an address space, or of one context of it. */
static void reqs_drop(const struct mm *mm, const uint64_t *ctx)
{
	struct aio_req *r = TAILQ_FIRST(&requests), *next;

	for (; r; r = next) {
		next = TAILQ_NEXT(r, link);
		if (r->mm == mm && (!ctx || r->ctx == *ctx))
			req_free(r);
	}
}

void aio_mm_free(struct mm *m)
{
	struct aio_ctx *c = LIST_FIRST(&contexts), *next;

	if (!c)
		return;
	for (; c; c = next) {
		next = LIST_NEXT(c, link);
		if (c->mm != m)
			continue;
		LIST_REMOVE(c, link);
		free(c);
	}
	reqs_drop(m, NULL);
}

/* ---- contexts ---- */

static int64_t setup_follower(struct taskset *s, unsigned int v,
			      struct aio_ctx *c,
			      const struct aio_ring_header *h)
{
	struct task *t = &s->t[v];
	uint64_t want = c->addr[LEADER] + (uint64_t)s->proc->mm->delta[v];
	const uint64_t prot = PROT_READ | PROT_WRITE;
	const uint64_t flags = MAP_PRIVATE | MAP_ANONYMOUS;
	int64_t at;

	at = task_inject(t, SYS_mmap, want, c->size, prot,
			 flags | MAP_FIXED_NOREPLACE, (uint64_t)-1, 0);
	if (at == -EEXIST)
		at = task_inject(t, SYS_mmap, 0, c->size, prot, flags,
				 (uint64_t)-1, 0);
	if (at < 0)
		return at;
	c->addr[v] = (uint64_t)at;
	/* a child does not inherit the ring */
	task_inject(t, SYS_madvise, (uint64_t)at, c->size, MADV_DONTFORK,
		    0, 0, 0);
	if (mem_write(t, (uint64_t)at, h, sizeof(*h)) < 0)
		return -EFAULT;
	return mem_write(t, t->call.args[1], &c->addr[v],
			 sizeof(c->addr[v]));
}

static void setup(struct taskset *s)
{
	struct task *lead = &s->t[LEADER];
	struct aio_ring_header h;
	struct aio_ctx *c;
	int64_t ret = set_follower_exec(s, LEADER);

	if (lead->at != AT_EXIT)
		return;
	if (ret < 0) {
		set_finish(s, ret);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		die("out of memory");
	c->mm = s->proc->mm;
	if (mem_read(lead, &c->addr[LEADER], lead->call.args[1],
		     sizeof(c->addr[LEADER])) < 0 ||
	    mem_read(lead, &h, c->addr[LEADER], sizeof(h)) < 0) {
		free(c);
		return;
	}
	h.magic = 0;
	mem_write(lead, c->addr[LEADER] + RING_MAGIC_OFFSET, &h.magic,
		  sizeof(h.magic));
	c->nr = h.nr;
	c->size = (sizeof(h) + (uint64_t)h.nr * sizeof(struct io_event) +
		   4095) & ~4095ull;
	for_each_follower(v) {
		int64_t r = setup_follower(s, v, c, &h);

		if (r < 0 && r != -ESRCH &&
		    !result_differs(s, v, ret, r, "no place for the context")) {
			free(c);
			return;
		}
	}
	LIST_INSERT_HEAD(&contexts, c, link);
	set_finish(s, ret);
}

static void destroyed(struct taskset *s, int64_t ret)
{
	uint64_t ctx = s->t[LEADER].call.args[0];
	struct aio_ctx *c = ctx_find(s->proc->mm, ctx);

	if (ret == 0 && c) {
		for_each_follower(v)
			task_inject(&s->t[v], SYS_munmap, c->addr[v], c->size,
				    0, 0, 0, 0);
		reqs_drop(c->mm, &ctx);
		LIST_REMOVE(c, link);
		free(c);
	}
	set_finish(s, ret);
}

/* ---- requests ---- */

static struct iovec *read_iov(struct task *t, uint64_t at, uint64_t n)
{
	struct iovec *iov;

	if (!n || n > AIO_IOV_MAX)
		return NULL;
	iov = calloc(n, sizeof(*iov));
	if (iov && mem_read(t, iov, at, n * sizeof(*iov)) < 0) {
		free(iov);
		iov = NULL;
	}
	return iov;
}

static void submit(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	struct aio_ctx *c = ctx_find(s->proc->mm, a[0]);
	uint64_t *mark = calloc(1, sizeof(*mark));
	int64_t n = (int64_t)a[1];

	if (!mark)
		die("out of memory");
	*mark = ++serial;
	s->handler_data = mark;
	for (int64_t i = 0; c && i < n && i < (int64_t)c->nr; i++) {
		struct aio_req *r = calloc(1, sizeof(*r));
		bool ok = true;

		if (!r)
			die("out of memory");
		r->mm = c->mm;
		r->ctx = a[0];
		r->serial = serial;
		r->index = i;
		for_each_variant(v) {
			struct task *t = &s->t[v];
			uint64_t p = t->call.args[2] +
				(uint64_t)i * sizeof(uint64_t);
			struct iocb cb;

			if (mem_read(t, &r->obj[v], p, sizeof(uint64_t)) < 0 ||
			    mem_read(t, &cb, r->obj[v], sizeof(cb)) < 0) {
				ok = false;
				break;
			}
			r->data[v] = cb.aio_data;
			r->buf[v] = cb.aio_buf;
			if (v == LEADER) {
				r->opcode = cb.aio_lio_opcode;
				r->nbytes = cb.aio_nbytes;
				/* vectors, as import_iovec() counts them */
				if (r->opcode == IOCB_CMD_PREADV ||
				    r->opcode == IOCB_CMD_PWRITEV)
					r->nbytes = (uint32_t)r->nbytes;
			}
			if (r->opcode == IOCB_CMD_PREADV)
				r->iov[v] = read_iov(t, cb.aio_buf, r->nbytes);
		}
		LIST_INSERT_HEAD(&by_obj[bucket(r->obj[LEADER])], r, bucket);
		TAILQ_INSERT_TAIL(&requests, r, link);
		/* the kernel stops at the first bad one as well */
		if (!ok) {
			req_free(r);
			break;
		}
	}
	set_leader_go(s);
}

static void submitted(struct taskset *s, int64_t ret)
{
	uint64_t *mark = s->handler_data;
	int64_t taken = ret > 0 ? ret : 0;
	struct aio_req *r, *next;

	s->handler_data = NULL;
	for (int64_t i = 0; i < taken; i++) {
		const uint32_t key = 0;

		/* the kernel clears aio_key of what it took */
		for_each_follower(v) {
			uint64_t p;

			if (mem_read(&s->t[v], &p, s->t[v].call.args[2] +
				     (uint64_t)i * sizeof(p), sizeof(p)) == 0)
				mem_write(&s->t[v],
					  p + offsetof(struct iocb, aio_key),
					  &key, sizeof(key));
		}
	}
	for (r = TAILQ_FIRST(&requests); r; r = next) {
		next = TAILQ_NEXT(r, link);
		if (r->serial == *mark && r->index >= taken)
			req_free(r);
	}
	free(mark);
	set_finish(s, ret);
}

static int fill(struct taskset *s, unsigned int v, const struct aio_req *r,
		uint64_t n)
{
	struct task *lead = &s->t[LEADER], *t = &s->t[v];

	if (r->opcode == IOCB_CMD_PREAD)
		return mem_copy(t, r->buf[v], lead, r->buf[LEADER],
				n < r->nbytes ? n : r->nbytes);
	if (r->opcode != IOCB_CMD_PREADV || !r->iov[v] || !r->iov[LEADER])
		return 0;
	for (uint64_t i = 0; i < r->nbytes && n; i++) {
		const struct iovec *from = &r->iov[LEADER][i];
		uint64_t k = from->iov_len < n ? from->iov_len : n;
		int e = mem_copy(t, (uint64_t)(uintptr_t)r->iov[v][i].iov_base,
				 lead, (uint64_t)(uintptr_t)from->iov_base, k);

		if (e)
			return e;
		n -= k;
	}
	return 0;
}

static void got_events(struct taskset *s, int64_t ret)
{
	struct task *lead = &s->t[LEADER];
	uint64_t ctx = lead->call.args[0];

	for (int64_t i = 0; i < ret; i++) {
		uint64_t off = (uint64_t)i * sizeof(struct io_event);
		struct io_event e;
		struct aio_req *r;

		if (mem_read(lead, &e, lead->call.args[3] + off,
			     sizeof(e)) < 0)
			break;
		r = req_find(s->proc->mm, ctx, e.obj);
		for_each_follower(v) {
			struct io_event own = e;

			if (r) {
				own.data = r->data[v];
				own.obj = r->obj[v];
			}
			if (r && e.res > 0 &&
			    fill(s, v, r, (uint64_t)e.res) == -EFAULT &&
			    !result_differs(s, v, e.res, -EFAULT,
					    "a read buffer is not writable in "
					    "this variant"))
				return;
			if (!follower_write(s, v, 3, s->t[v].call.args[3] + off,
					    &own, sizeof(own)))
				return;
		}
		if (r)
			req_free(r);
	}
	set_finish(s, ret);
}

void aio_start(struct taskset *s)
{
	switch (s->t[LEADER].call.nr) {
	case SYS_io_setup:
		setup(s);
		return;
	case SYS_io_submit:
		submit(s);
		return;
	default:
		set_leader_go(s);
		return;
	}
}

void aio_done(struct taskset *s, int64_t ret)
{
	switch (s->t[LEADER].call.nr) {
	case SYS_io_destroy:
		destroyed(s, ret);
		return;
	case SYS_io_submit:
		submitted(s, ret);
		return;
	case SYS_io_cancel:
		set_finish(s, ret);
		return;
	default:
		got_events(s, ret);
		return;
	}
}
