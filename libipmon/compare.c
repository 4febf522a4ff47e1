// SPDX-License-Identifier: Apache-2.0
/*
 * A follower's inputs against the leader's record.
 *
 * Theory of operation
 * -------------------
 * The own walk (or the lane's words, paths and span) says what comes next; the
 * record must say the same.  The first thing that does not ends the comparison
 * with fo->diff filled: what it was and, for bytes, where both sides have them.
 * Nothing of the program is touched here.
 *
 * Bytes that differ are reported at once (span_differs()): monitord may say that
 * some of them may, addresses of the same object for example; then the comparison
 * goes on behind them.
 */
#include "follower.h"

/* ---- differences ---- */

int differ(struct follower *fo, unsigned int kind, int arg, uint64_t leader,
	   uint64_t own, uint64_t label, const char *note)
{
	struct ipmon_difference *d = &fo->diff;

	d->kind = kind;
	d->arg = arg;
	d->value[0] = leader;
	d->value[1] = own;
	d->label = label;
	d->note = NOTE(note);
	return -1;
}

int nulls_differ(struct follower *fo, uint64_t leader, uint64_t own)
{
	unsigned int i = (unsigned int)__builtin_ctzll(leader ^ own);

	return differ(fo, IPMON_DIV_ARGUMENT, (int)i, leader >> i & 1,
		      own >> i & 1, 0, "one pointer is NULL, the other not");
}

int malformed(struct follower *fo)
{
	if (fo->r.status != READER_FORWARD && !fo->diff.kind)
		differ(fo, IPMON_DIV_ARGUMENT, -1, 0, 0, 0,
		       "a different number of arguments in memory");
	return -1;
}

int64_t report_difference(struct follower *fo, int have_record)
{
	struct ipmon_difference *d = &fo->diff;
	struct ipmon_call call = { IPMON_NR_DIVERGED, { 0 } };

	d->nr[0] = have_record ? fo->r.rec.nr : 0;
	d->nr[1] = (uint32_t)fo->nr;
	d->record = have_record ?
		(uint64_t)(uintptr_t)ring_at(fo->r.ring, fo->ctx->c.tail) : 0;
	call.args[0] = d->kind;
	call.args[1] = (uint64_t)(int64_t)d->arg;
	call.args[2] = d->offset;
	call.args[3] = d->record;
	call.args[4] = d->addr;
	call.args[5] = (uint64_t)(uintptr_t)d;
	return ipmon_gate_raw(&call);
}

/* ---- comparing ---- */

static int compare_words(struct follower *fo)
{
	const struct ipmon_plan *plan = fo->plan;
	const uint64_t *args = fo->f->args;
	unsigned int n = lane_words(plan), i;
	const uint64_t *at;
	uint64_t v, own;

	if (!n)
		return 0;
	at = (const void *)reader_bytes(&fo->r, n * 8);
	if (!at)
		return malformed(fo);
	for (i = 0; i < plan->nargs; i++) {
		v = __atomic_load_n(&at[i], __ATOMIC_RELAXED);
		own = lane_word(plan, args, i);
		if (v != own)
			return differ(fo, IPMON_DIV_ARGUMENT, (int)i, v, own, 0,
				      NULL);
	}
	v = __atomic_load_n(&at[i], __ATOMIC_RELAXED);
	own = lane_nulls(plan, args);
	return v == own ? 0 : nulls_differ(fo, v, own);
}

/* Bytes that differ.  How many of them may, from there on; -1: none. */
static int64_t span_differs(struct follower *fo, unsigned int arg,
			    uint64_t addr, uint64_t len, uint64_t offset,
			    uint64_t label, const char *note)
{
	struct ipmon_difference *d = &fo->diff;

	d->addr = addr;
	d->len[0] = d->len[1] = len;
	d->offset = offset;
	differ(fo, IPMON_DIV_PAYLOAD, (int)arg, 0, 0, label, note);
	fo->answer = report_difference(fo, 1);
	if (fo->answer > 0) {
		*d = (struct ipmon_difference){ 0 };
		return fo->answer;
	}
	fo->answered = 1;
	return -1;
}

/* An input span of our memory against its chunks. */
static int compare_span(struct follower *fo, unsigned int arg, uint64_t addr,
			uint64_t len, uint64_t label)
{
	uint64_t done = 0, allowed = 0;
	unsigned int flags;

	do {
		const unsigned char *at;
		uint32_t n, k = 0;
		int64_t more;
		char c;

		if (reader_chunk(&fo->r, len - done, 1, &at, &n, &flags))
			return malformed(fo);
		while (k < n) {
			struct ipmon_equal eq;

			if (allowed) {
				more = (int64_t)(allowed < n - k ? allowed :
						 n - k);
				k += (uint32_t)more;
				allowed -= (uint64_t)more;
				continue;
			}
			eq = ipmon_equal((const void *)(uintptr_t)(addr + done +
								   k),
					 at + k, n - k);
			k += (uint32_t)eq.n;
			if (k == n)
				break;
			fo->diff.bytes = (uint64_t)(uintptr_t)at;
			fo->diff.at = done;
			fo->diff.n_bytes = n;
			more = span_differs(fo, arg, addr, len, done + k,
					    label, eq.fault ?
					    "the leader's buffer is readable "
					    "here, this variant's is not" :
					    NULL);
			if (more < 0)
				return -1;
			allowed = (uint64_t)more;
		}
		done += n;
		/* ours must end at the same byte */
		if (flags == CHUNK_FAULT && done < len &&
		    !mem_get(&c, addr + done, 1) &&
		    span_differs(fo, arg, addr, len, done, label,
				 "this variant's buffer is readable here, the "
				 "leader's is not") < 0)
			return -1;
	} while (flags == CHUNK_MORE);
	return 0;
}

/* Strings or spans of different lengths: the first byte that differs, as far
 * as this record goes. */
static int lengths_differ(struct follower *fo, unsigned int arg, uint64_t addr,
			  uint64_t leader, uint64_t own, uint64_t label)
{
	struct ipmon_difference *d = &fo->diff;
	const unsigned char *at;
	uint64_t v, n;

	d->addr = addr;
	d->len[0] = leader;
	d->len[1] = own;
	if (!reader_word(&fo->r, &v) &&
	    (uint32_t)v <= fo->r.end - fo->r.pos) {
		n = (uint32_t)v < own ? (uint32_t)v : own;
		at = ring_at(fo->r.ring, fo->ctx->c.tail) + fo->r.pos;
		d->bytes = (uint64_t)(uintptr_t)at;
		d->n_bytes = (uint32_t)v;
		d->offset = ipmon_equal((const void *)(uintptr_t)addr, at, n).n;
	}
	return differ(fo, IPMON_DIV_PAYLOAD, (int)arg, 0, 0, label, NULL);
}

/* The paths of a lane. */
static int compare_paths(struct follower *fo)
{
	unsigned int paths = fo->plan->paths, i;
	uint64_t addr, len, v;

	for (i = 0; paths; i++, paths >>= 1) {
		addr = fo->f->args[i];
		if (!(paths & 1) || !addr)
			continue;
		len = path_len(addr);
		if (reader_word(&fo->r, &v))
			return malformed(fo);
		if (v != len && (v == ~0ull || len == ~0ull))
			return differ(fo, IPMON_DIV_ARGUMENT, (int)i, 0, 0, 0,
				      "one pointer is readable, the other not");
		if (v != len)
			return lengths_differ(fo, i, addr, v, len, 0);
		if (len != ~0ull && compare_span(fo, i, addr, len, 0))
			return -1;
	}
	return 0;
}

static int emit(void *ctx, const struct ipmon_item *it)
{
	struct follower *fo = ctx;
	uint64_t label = NOTE(it->label), v;
	uint64_t own = stream_item(it->type, it->arg, it->rule, it->len);
	unsigned int type;

	if (reader_word(&fo->r, &v))
		return malformed(fo);
	if (v != own) {
		type = (uint8_t)v;
		if (type != it->type || (uint8_t)(v >> 8) != it->arg)
			return differ(fo, IPMON_DIV_ARGUMENT, it->arg, 0, 0,
				      label, type == IT_FAULT ||
				      it->type == IT_FAULT ?
				      "one pointer is readable, the other not" :
				      "one pointer is NULL, the other not");
		if (type != IT_IN && type != IT_STR)
			return differ(fo, IPMON_DIV_ARGUMENT, it->arg, v >> 32,
				      it->len, label,
				      "output buffers differ in size");
		return lengths_differ(fo, it->arg, it->addr, v >> 32, it->len,
				      label);
	}
	switch (it->type) {
	case IT_SCALAR:
		if (reader_word(&fo->r, &v))
			return malformed(fo);
		if (v != it->value)
			return differ(fo, IPMON_DIV_ARGUMENT, it->arg, v,
				      it->value, label, NULL);
		return 0;
	case IT_IN:
	case IT_STR:
		return compare_span(fo, it->arg, it->addr, it->len, label);
	case IT_OUT:
		/* the leader keeps track of no more */
		if (fo->n_out == sizeof(fo->out) / sizeof(fo->out[0]))
			return -1;
		fo->out[fo->n_out].addr = it->addr;
		fo->out[fo->n_out].len = it->len;
		fo->out[fo->n_out].arg = it->arg;
		fo->out[fo->n_out].label = label;
		fo->n_out++;
		return 0;
	default:
		return 0;
	}
}

/* The walk ended early: the leader must have left the call to monitord. */
static int expect_forward(struct follower *fo)
{
	uint64_t v;

	while (fo->r.status == READER_OK && !fo->diff.kind)
		if (reader_word(&fo->r, &v))
			break;
	return malformed(fo);
}

int compare_inputs(struct follower *fo, unsigned int lane, uint64_t ctl_word)
{
	const uint64_t *args = fo->f->args;
	const struct ipmon_plan *plan = fo->plan;
	struct ipmon_walk w;
	uint64_t v;

	if (!(fo->r.rec.flags & REC_LANE) != (lane == LANE_WALK)) {
		/* which form it takes depends on null-ness */
		return differ(fo, IPMON_DIV_ARGUMENT, -1, 0, 0, 0,
			      "one pointer is NULL, the other not");
	}
	if (lane == LANE_WALK) {
		walk_init(&w, fo->nr, args);
		w.emit = emit;
		w.ctx = fo;
		if (ipmon_walk(&w)) {
			if (fo->diff.kind || fo->r.status != READER_OK)
				return -1;
			return expect_forward(fo);
		}
		if (reader_word(&fo->r, &v) || v != STREAM_END)
			return malformed(fo);
		return 0;
	}
	if (compare_words(fo))
		return -1;
	/* how deep the leader's stack was has been looked at: find_record() */
	if ((plan->flags & PLAN_CLOCK) && reader_word(&fo->r, &v))
		return malformed(fo);
	if (plan->flags & PLAN_EPOLL_CTL) {
		if (reader_word(&fo->r, &v))
			return malformed(fo);
		if (v != ctl_word)
			return differ(fo, IPMON_DIV_ARGUMENT, 3, v, ctl_word, 0,
				      NULL);
	}
	if (plan->paths && compare_paths(fo))
		return -1;
	if (lane_has_in(lane) && args[plan->mem])
		return compare_span(fo, plan->mem, args[plan->mem],
				    ipmon_plan_len(plan, args), 0);
	return 0;
}
