// SPDX-License-Identifier: Apache-2.0
/*
 * Calls in a replication ring as text: see ringcall.h.
 *
 * Everything of a record that is used has been copied before it is looked at,
 * header included, and every position is checked against the copy's size.
 */
#include "ringcall.h"
#include "trace.h"

#include "../libipmon/core/clock.h"
#include "../libipmon/core/decide.h"
#include "../libipmon/core/stream.h"

#include <errno.h>
#include <string.h>

#define SHOWN	64u		/* bytes of a buffer */

/* ---- decoding ---- */

struct cut {
	struct ring_call *c;
	uint32_t pos, end;
};

static bool word(struct cut *k, uint64_t *v)
{
	if (k->end - k->pos < 8)
		return false;
	memcpy(v, k->c->copy + k->pos, 8);
	k->pos += 8;
	return true;
}

static struct ring_part *add(struct cut *k, unsigned int type, unsigned int arg)
{
	struct ring_part *p;

	if (k->c->n == RINGCALL_PARTS || arg > 5)
		return NULL;
	p = &k->c->part[k->c->n++];
	memset(p, 0, sizeof(*p));
	p->type = (uint8_t)type;
	p->arg = (uint8_t)arg;
	return p;
}

/* The bytes of one chunk, and that it is the last. */
static bool chunk(struct cut *k, struct ring_part *p)
{
	uint64_t head;
	uint32_t n, room;

	if (!word(k, &head))
		return false;
	n = (uint32_t)head;
	room = k->end - k->pos;
	if (n > room || head >> 32 > CHUNK_FAULT)
		return false;
	p->at = k->pos;
	p->have = n;
	p->cut = head >> 32 == CHUNK_MORE;
	n = ring_align(n);
	k->pos += n < room ? n : room;
	return !p->cut;
}

/* Arguments compared for null-ness only, or whose address nobody else knows. */
static bool null_only(unsigned int kind)
{
	return kind == K_PTR || kind == K_HINT || kind == K_ASIZE ||
		kind == K_WALK || format_is_pointer(kind);
}

static void scalar(struct ring_call *c, unsigned int i, uint64_t v)
{
	if (null_only(ipmon_row(c->nr)->arg[i].kind)) {
		c->null_known |= (uint8_t)(1u << i);
		if (v)
			c->not_null |= (uint8_t)(1u << i);
		return;
	}
	if (c->known & 1u << i)
		return;
	c->arg[i] = v;
	c->known |= (uint8_t)(1u << i);
}

/* Inputs with REC_LANE.  False: they end early, outputs cannot be told. */
static bool lane_inputs(struct cut *k, const struct ipmon_plan *plan)
{
	struct ring_call *c = k->c;
	unsigned int i, paths;
	struct ring_part *p;
	uint64_t v;

	for (i = 0; i < plan->nargs && i < 6; i++) {
		if (!word(k, &v))
			return false;
		if (!plan->mask[i])
			continue;
		c->arg[i] = v;
		c->known |= (uint8_t)(1u << i);
	}
	if (plan->nargs) {
		if (!word(k, &v))
			return false;
		c->null_known = plan->null_cmp | plan->null_need;
		c->not_null = (uint8_t)v & plan->null_cmp;
	}
	if ((plan->flags & PLAN_CLOCK) && !word(k, &v))
		return false;
	if (plan->flags & PLAN_EPOLL_CTL) {
		if (!word(k, &v))
			return false;
		p = add(k, v >> 32 ? IT_FAULT : IT_SCALAR, 3);
		if (p)
			p->value = (uint32_t)v;
	}
	for (i = 0, paths = plan->paths; paths; i++, paths >>= 1) {
		if (!(paths & 1) || !(c->not_null & 1u << i))
			continue;
		if (!word(k, &v))
			return false;
		p = add(k, v == ~0ull ? IT_FAULT : IT_STR, i);
		if (!p)
			return false;
		p->len = (uint32_t)v;
		if (v != ~0ull && !chunk(k, p))
			return false;
	}
	if (lane_has_in(plan->lane) && c->not_null & 1u << plan->mem) {
		p = add(k, IT_IN, plan->mem);
		if (!p)
			return false;
		if (!chunk(k, p)) {
			p->len = (uint32_t)ipmon_plan_len(plan, c->arg);
			return false;
		}
		p->len = p->have;
	}
	return true;
}

static void lane_outputs(struct cut *k, const struct ipmon_plan *plan)
{
	struct ring_call *c = k->c;
	struct ring_part *p = NULL;

	if (plan->flags & PLAN_EPOLL_WAIT)
		p = add(k, IT_OUT, 1);
	else if (lane_has_out(plan->lane) && c->not_null & 1u << plan->mem)
		p = add(k, IT_OUT, plan->mem);
	if (p) {
		chunk(k, p);
		p->len = p->have;
	}
}

/* Inputs as items. */
static bool items(struct cut *k)
{
	struct ring_call *c = k->c;
	unsigned int type, arg;
	struct ring_part *p;
	uint64_t v;

	for (;;) {
		if (!word(k, &v))
			return false;
		type = (uint8_t)v;
		arg = (uint8_t)(v >> 8);
		if (type == STREAM_END)
			return true;
		if (arg > 5 || type < IT_SCALAR || type > IT_FAULT)
			return false;
		p = add(k, type, arg);
		if (!p)
			return false;
		p->len = (uint32_t)(v >> 32);
		if (type == IT_SCALAR) {
			if (!word(k, &p->value))
				return false;
			scalar(c, arg, p->value);
		} else if ((type == IT_IN || type == IT_STR) && !chunk(k, p)) {
			return false;
		}
	}
}

static void item_outputs(struct cut *k)
{
	struct ring_call *c = k->c;

	for (unsigned int i = 0; i < c->n; i++)
		if (c->part[i].type == IT_OUT && !chunk(k, &c->part[i]))
			return;
}

/* A clock in the short form: what it told is written out behind the header. */
static void decode_clock(struct ring_call *c, const struct ipmon_record *rec,
			 unsigned char *copy)
{
	const struct ipmon_plan *plan = ipmon_plan(c->nr);
	struct clock_reading told;
	struct ring_part *p;
	struct cut k = { c };

	if (clock_unpack(plan, rec, copy, &told)) {
		c->malformed = true;
		return;
	}
	c->ret = told.ret;
	if (plan->mask[0]) {
		c->arg[0] = told.word;
		c->known |= 1;
	}
	c->null_known = plan->null_cmp | plan->null_need;
	c->not_null = (uint8_t)told.nulls & plan->null_cmp;
	if (!(c->not_null & 1u << plan->mem))
		return;
	p = add(&k, IT_OUT, plan->mem);
	p->at = RING_HEADER;
	p->have = p->len = plan->len_fixed;
	memcpy(copy + RING_HEADER, told.time, p->have);
}

static void decode(struct ring_call *c, const struct ipmon_record *rec,
		   unsigned char *copy)
{
	const struct ipmon_plan *plan = ipmon_plan(c->nr);
	uint32_t out = RING_HEADER + ring_align(rec->in_len);
	struct cut k = { c, RING_HEADER, RING_HEADER + rec->in_len };
	bool whole;

	if (clock_is_short(rec)) {
		decode_clock(c, rec, copy);
		return;
	}
	whole = c->flags & REC_LANE ? lane_inputs(&k, plan) : items(&k);
	if (!whole) {
		/* a continued call may have its end in the next record */
		c->malformed = !(c->flags & REC_MORE);
		return;
	}
	k.pos = out;
	k.end = out + rec->out_len;
	if (c->flags & REC_INPUTS)
		return;
	if (c->flags & REC_LANE)
		lane_outputs(&k, plan);
	else
		item_outputs(&k);
}

int ring_call_read(const struct ipmon_ring *r, uint64_t pos, uint64_t head,
		   bool continued, struct ring_call *c, unsigned char *copy)
{
	struct ipmon_consumer at = { .tail = pos, .head = head };
	struct ipmon_cursor mine = { 0 };
	struct ipmon_record rec;

	memset(c, 0, sizeof(*c));
	c->copy = copy;
	if (pos == head)
		return 1;
	if (head - pos > IPMON_RING_BYTES || pos & 7 || head & 7)
		return -1;
	for (;;) {
		/* within what `head` says: never as far as the ring's own,
		 * which may be another by now */
		if (at.tail == head)
			return 1;
		switch (ring_next(r, &mine, &at, &rec)) {
		case RING_RECORD:
			if (rec.flags & REC_YIELD && rec.size <= head - at.tail) {
				ring_consume(&mine, &at, rec.size);
				continue;
			}
			break;
		default:
			return -1;
		}
		break;
	}
	/* a skip that led to `head` made ring_next() look for another head */
	if ((int64_t)(head - at.tail) <= 0)
		return 1;
	if (rec.size > head - at.tail)
		return -1;
	c->pos = at.tail;
	c->size = rec.size;
	c->nr = rec.nr;
	c->flags = rec.flags;
	c->ret = rec.ret;
	c->continued = continued;
	c->done = !(rec.flags & (REC_MORE | REC_FORWARD));
	memcpy(copy, ring_at(r, at.tail), rec.size);
	if (!continued && !(rec.flags & REC_FORWARD))
		decode(c, &rec, copy);
	return 0;
}

uint64_t ring_oldest(uint64_t tail, uint64_t head)
{
	uint64_t begun = tail & ~RING_MASK;

	return head - begun <= IPMON_RING_BYTES ? begun : tail;
}

/* ---- text ---- */

static ssize_t read_nothing(void *ctx, void *dst, uint64_t src, size_t n)
{
	return -EFAULT;
}

static struct format format_of(const struct ring_call *c)
{
	return (struct format){
		.row = ipmon_row(c->nr), .nr = c->nr, .args = c->arg,
		.ret = c->ret, .done = c->done, .strmax = SHOWN,
		.read = read_nothing,
	};
}

/* Kinds whose output is bytes of the program's, not a structure. */
static bool bytes_kind(unsigned int kind)
{
	return kind == K_BUFOUT || kind == K_BUFOUTOK || kind == K_IOVOUT ||
		kind == K_MSGOUT || kind == K_PATH || kind == K_STR ||
		kind == K_MMSGOUT;
}

static void put_part(struct text *t, const struct ring_call *c,
		     const struct ring_part *p)
{
	uint32_t n = p->have < SHOWN ? p->have : SHOWN;

	switch (p->type) {
	case IT_SCALAR:
		text_printf(t, p->value < 65536 ? "%lu" : "%#lx", p->value);
		break;
	case IT_FAULT:
		text_puts(t, "(unreadable)");
		break;
	case IT_OUT:
		if (c->done && p->have &&
		    bytes_kind(ipmon_row(c->nr)->arg[p->arg].kind)) {
			text_quote(t, c->copy + p->at, n,
				   p->have > n || p->cut);
			break;
		}
		text_printf(t, "[%u bytes]", c->done ? p->have : p->len);
		break;
	default:
		text_quote(t, c->copy + p->at, n,
			   p->have > n || p->cut || p->len > p->have);
		break;
	}
}

bool ring_call_has_arg(const struct ring_call *c, unsigned int i)
{
	if (i > 5)
		return false;
	for (unsigned int k = 0; k < c->n; k++)
		if (c->part[k].arg == i)
			return true;
	return (c->known | c->null_known) >> i & 1;
}

void ring_call_arg(struct text *t, const struct ring_call *c, unsigned int i)
{
	const struct format f = format_of(c);
	unsigned int parts = 0, shown = 0;

	if (i > 5)
		return;
	for (unsigned int k = 0; k < c->n; k++)
		parts += c->part[k].arg == i;
	if ((c->known >> i & 1) && parts <= 1) {
		format_arg(t, &f, i);
		return;
	}
	if ((c->null_known & ~c->not_null) >> i & 1) {
		text_puts(t, "NULL");
		return;
	}
	if (!parts) {
		text_puts(t, c->null_known >> i & 1 ? "(address)" : "?");
		return;
	}
	if (parts > 1)
		text_putc(t, '{');
	for (unsigned int k = 0; k < c->n; k++) {
		const struct ring_part *p = &c->part[k];

		if (p->arg != i)
			continue;
		/* the mere fact that it is not NULL */
		if (p->type == IT_SCALAR && p->value == 1 &&
		    (c->not_null >> i & 1) && parts > 1) {
			parts--;
			continue;
		}
		if (shown++)
			text_puts(t, ", ");
		if (p->type == IT_SCALAR && p->value == 1 &&
		    (c->not_null >> i & 1))
			text_puts(t, "(address)");
		else
			put_part(t, c, p);
		if (shown == 8 && shown < parts) {
			text_puts(t, ", ...");
			break;
		}
	}
	if (parts > 1 || shown > 1)
		text_putc(t, '}');
}

void ring_call_text(struct text *t, const struct ring_call *c)
{
	struct format f = format_of(c);
	unsigned int n = format_nargs(&f);
	char name[32];

	text_puts(t, f.row->name[0] ? f.row->name : ipmon_name(c->nr, name));
	text_putc(t, '(');
	if (c->flags & REC_FORWARD) {
		text_puts(t, "...) left to the monitor");
		return;
	}
	if (c->nr == IPMON_INSN_COUNTER || c->nr == IPMON_INSN_RANDOM ||
	    c->nr == IPMON_INSN_VISIT) {
		text_printf(t, ") = %#lx", (unsigned long)c->ret);
		return;
	}
	if (c->continued) {
		text_puts(t, "... continued");
		n = 0;
	}
	for (unsigned int i = 0; i < n; i++) {
		if (i)
			text_puts(t, ", ");
		ring_call_arg(t, c, i);
	}
	text_puts(t, ") ");
	if (c->flags & REC_MORE)
		text_puts(t, c->flags & REC_INPUTS ? "..." : "= ...");
	else
		format_ret(t, &f);
}

bool ring_call_visible(const struct ring_call *c)
{
	const struct ipmon_row *row = ipmon_row(c->nr);

	if (c->flags & REC_FORWARD || row->flags & RF_OWNSTATE ||
	    (c->done && c->ret < 0))
		return false;
	return ipmon_row_path(row) == PATH_INPROC_WAIT ||
		ipmon_call_class(row, c->arg) == CLASS_EFFECT;
}
