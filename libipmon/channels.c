// SPDX-License-Identifier: Apache-2.0
/*
 * Data of channels of the program's own: see core/channel.h.
 *
 * Addresses lie in it at whatever alignment, in eight bytes or in six.  One that comes
 * in two pieces is not recognised: monitord/internal.c.
 */
#include "channels.h"
#include "core/channel.h"

#define NR_READ		0
#define NR_WRITE	1
#define NR_READV	19
#define NR_WRITEV	20
#define NR_SENDTO	44
#define NR_RECVFROM	45

#define LOOK_AT		4096u	/* bytes; more than that monitord looks at */
#define IOV_MAX_	1024u

/* The pieces of a call's data. */
struct pieces {
	uint64_t iov, n, i;		/* iovecs still to come; or, n 0, ... */
	uint64_t addr, len;		/* ... this piece */
};

static int pieces_of(struct pieces *p, uint64_t nr, const uint64_t args[6])
{
	uint64_t msg[4];	/* name, namelen, iov, iovlen */

	*p = (struct pieces){ 0 };
	switch (nr) {
	case NR_READ:
	case NR_WRITE:
	case NR_SENDTO:
	case NR_RECVFROM:
		p->addr = args[1];
		p->len = args[2];
		return 0;
	case NR_READV:
	case NR_WRITEV:
		p->iov = args[1];
		p->n = (uint32_t)args[2];	/* as the kernel */
		break;
	default:	/* sendmsg, recvmsg */
		if (mem_get(msg, args[1], sizeof(msg)))
			return -1;
		p->iov = msg[2];
		p->n = msg[3];
		break;
	}
	return p->n > IOV_MAX_ ? -1 : 0;
}

/* 1: there is another one; 0: no; -1: it cannot be read. */
static int next_piece(struct pieces *p)
{
	uint64_t iov[2];

	if (!p->iov)
		return !p->i++;
	if (p->i >= p->n)
		return 0;
	if (mem_get(iov, p->iov + p->i++ * sizeof(iov), sizeof(iov)))
		return -1;
	p->addr = iov[0];
	p->len = iov[1];
	return 1;
}

static int has_address(const struct ipmon_special *sp, uint64_t v)
{
	return is_address(sp, v) || is_packed_address(sp, packed_address(v));
}

static int span_has_address(const struct ipmon_special *sp, uint64_t addr,
			    uint64_t n)
{
	const unsigned char *at = (const void *)(uintptr_t)addr;
	unsigned char buf[256];
	uint32_t have, i, least;

	/* pieces overlap by what an address may have in the one before */
	while (at && n >= PACKED_SIZE) {
		have = n < sizeof(buf) ? (uint32_t)n : (uint32_t)sizeof(buf);
		least = have == n ? PACKED_SIZE : (uint32_t)sizeof(uint64_t);
		if (ipmon_copy(buf, at, have))
			return 1;
		for (i = 0; i + least <= have; i++)
			if (has_address(sp, word_at(buf + i, have - i)))
				return 1;
		at += i;
		n -= i;
	}
	return 0;
}

int channel_has_address(const struct ipmon_ctx *ctx, uint64_t nr,
			const uint64_t args[6])
{
	const struct ipmon_special *sp = (const void *)(uintptr_t)ctx->special;
	struct pieces p;
	uint64_t all = 0;
	int r;

	if (channel_use(nr) != CHANNEL_WRITES)
		return 0;
	if (pieces_of(&p, nr, args))
		return 1;
	while ((r = next_piece(&p)) > 0) {
		all += p.len;
		if (p.len > LOOK_AT || all > LOOK_AT ||
		    span_has_address(sp, p.addr, p.len))
			return 1;
	}
	return r < 0;
}

static void translate(const struct ipmon_ctx *ctx, uint64_t addr, uint64_t n)
{
	const struct ipmon_words *w = (const void *)(uintptr_t)ctx->words;
	unsigned char buf[256];
	uint32_t have, i, least;
	uint64_t own;

	while (addr && n >= PACKED_SIZE) {
		have = n < sizeof(buf) ? (uint32_t)n : (uint32_t)sizeof(buf);
		least = have == n ? PACKED_SIZE : (uint32_t)sizeof(own);
		if (mem_get(buf, addr, have))
			return;
		for (i = 0; i + least <= have; ) {
			uint64_t v = word_at(buf + i, have - i);
			uint32_t size = words_match(w, ctx->variant, v, &own);

			if (size)
				mem_put(addr + i, &own, size);
			i += size ? size : 1;
		}
		addr += i;
		n -= i;
	}
}

void channel_translate(const struct ipmon_ctx *ctx, uint64_t nr,
		       const uint64_t args[6], int64_t ret)
{
	const struct ipmon_words *w = (const void *)(uintptr_t)ctx->words;
	uint64_t left = (uint64_t)ret;
	struct pieces p;

	if (ret <= 0 || !w || channel_use(nr) != CHANNEL_READS ||
	    !words_any(w) || pieces_of(&p, nr, args))
		return;
	while (left && next_piece(&p) > 0) {
		/* MSG_TRUNC: more than there is room for */
		if (p.len > left)
			p.len = left;
		translate(ctx, p.addr, p.len);
		left -= p.len;
	}
}
