/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake.h"

struct fake *fake_new(uint64_t base)
{
	struct fake *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->next = base;
	return f;
}

void fake_free(struct fake *f)
{
	for (unsigned int i = 0; i < f->regions; i++)
		free(f->region[i].p);
	free(f);
}

uint64_t fake_put(struct fake *f, const void *data, size_t n)
{
	uint64_t addr = f->next;

	if (f->regions == FAKE_REGIONS)
		abort();
	f->region[f->regions].addr = addr;
	f->region[f->regions].len = n;
	f->region[f->regions].p = malloc(n ? n : 1);
	if (data)
		memcpy(f->region[f->regions].p, data, n);
	else
		memset(f->region[f->regions].p, 0xa5, n);
	f->regions++;
	f->next += (n + 0x1fff) & ~0xfffull;
	return addr;
}

uint64_t fake_str(struct fake *f, const char *s)
{
	return fake_put(f, s, strlen(s) + 1);
}

/* Readable bytes from addr on, and where they are. */
static size_t readable(struct fake *f, uint64_t addr, unsigned char **p)
{
	for (unsigned int i = 0; i < f->regions; i++) {
		uint64_t off = addr - f->region[i].addr;

		if (addr >= f->region[i].addr && off < f->region[i].len) {
			*p = f->region[i].p + off;
			return f->region[i].len - (size_t)off;
		}
	}
	return 0;
}

void *fake_at(struct fake *f, uint64_t addr)
{
	unsigned char *p = NULL;

	if (!readable(f, addr, &p))
		abort();
	return p;
}

uint64_t fake_hole(struct fake *f)
{
	f->next += 0x2000;
	return f->next - 0x1000;
}

static int fake_read(void *ctx, void *dst, uint64_t src, size_t n)
{
	unsigned char *p;

	if (!n)
		return 0;
	if (readable(ctx, src, &p) < n)
		return -EFAULT;
	memcpy(dst, p, n);
	return 0;
}

static long fake_strnlen(void *ctx, uint64_t src, size_t max)
{
	unsigned char *p = NULL;
	size_t have = readable(ctx, src, &p), n;

	for (n = 0; n < have && n < max; n++) {
		if (!p[n])
			return (long)n;
	}
	return n == max ? -ENAMETOOLONG : -EFAULT;
}

static int fake_emit(void *ctx, const struct ipmon_item *item)
{
	struct fake *f = ctx;

	if (f->items == FAKE_ITEMS)
		return -E2BIG;
	f->item[f->items++] = *item;
	return 0;
}

static long fake_nsems(void *ctx, int semid)
{
	return semid < 0 ? -1 : ((struct fake *)ctx)->nsems;
}

static int fake_pipe_mode(void *ctx, int fd)
{
	return fd < 0 ? -EBADF : ((struct fake *)ctx)->pipe_mode;
}

uint64_t fake_nr(const char *name)
{
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		if (!strcmp(ipmon_row(nr)->name, name))
			return nr;
	}
	fprintf(stderr, "no call %s\n", name);
	abort();
}

int fake_walk(struct fake *f, const char *name, const uint64_t args[6])
{
	struct ipmon_walk w = {
		.read = fake_read,
		.strnlen = fake_strnlen,
		.emit = fake_emit,
		.sem_nsems = f->nsems ? fake_nsems : NULL,
		.pipe_mode = fake_pipe_mode,
		.ctx = f,
		.nr = fake_nr(name),
	};

	w.row = ipmon_row(w.nr);
	memcpy(w.args, args, sizeof(w.args));
	f->items = 0;
	return ipmon_walk(&w);
}

static bool item_equal(struct fake *a, const struct ipmon_item *x,
		       struct fake *b, const struct ipmon_item *y)
{
	unsigned char *p = NULL, *q = NULL;
	size_t m, n;

	if (x->type != y->type || x->arg != y->arg || x->rule != y->rule ||
	    x->len != y->len)
		return false;
	switch (x->type) {
	case IT_SCALAR:
		return x->value == y->value;
	case IT_IN:
	case IT_STR:
		m = readable(a, x->addr, &p);
		n = readable(b, y->addr, &q);
		m = m < x->len ? m : x->len;
		n = n < y->len ? n : y->len;
		return m == n && (!m || !memcmp(p, q, m));
	default:
		return true;
	}
}

bool fake_equal(struct fake *a, struct fake *b)
{
	if (a->items != b->items)
		return false;
	for (unsigned int i = 0; i < a->items; i++) {
		if (!item_equal(a, &a->item[i], b, &b->item[i]))
			return false;
	}
	return true;
}

const struct ipmon_item *fake_item(const struct fake *f, unsigned int type,
				   unsigned int arg, unsigned int n)
{
	for (unsigned int i = 0; i < f->items; i++) {
		if (f->item[i].type == type && f->item[i].arg == arg && !n--)
			return &f->item[i];
	}
	return NULL;
}

unsigned int fake_count(const struct fake *f, unsigned int type)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < f->items; i++)
		n += f->item[i].type == type;
	return n;
}

bool fake_scalar(const struct fake *f, unsigned int arg, uint64_t value)
{
	for (unsigned int i = 0; i < f->items; i++) {
		if (f->item[i].type == IT_SCALAR && f->item[i].arg == arg &&
		    f->item[i].value == value)
			return true;
	}
	return false;
}
