/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a table row to a plan.
 *
 * Runs at build time (mkplan.c) and in tests; libipmon has the result.
 */
#include <ipmon/gate_rules.h>
#include <ipmon/items.h>

#include "decide.h"

/* Bits of a register that count; 0: decided otherwise. */
static uint64_t mask_of(const struct ipmon_arg *a)
{
	switch (a->kind) {
	case K_INT:
	case K_FD:
	case K_DIRFD:
	case K_PID:
	case K_SIG:
	case K_UINT:
	case K_FLAGS:
		return 0xffffffffu;
	case K_MODE:
		return 0xffff;
	case K_LONG:
	case K_LFLAGS:
	case K_OFF:
	case K_SIZE:
		return ~0ull;
	default:
		return 0;
	}
}

static int is_scalar(unsigned int kind)
{
	switch (kind) {
	case K_NONE:
	case K_IGN:
	case K_PTR:
	case K_HINT:
	case K_ASIZE:
	case K_WALK:	/* with a walker: epoll only, see below */
		return 1;
	default:
		return 0;
	}
}

/* Spans a lane can carry. */
static int span(struct ipmon_plan *p, const struct ipmon_row *row,
		unsigned int i)
{
	const struct ipmon_arg *a = &row->arg[i];

	p->len_kind = LEN_FIXED;
	p->len_fixed = a->b;
	p->rule = R_SUCCESS;
	switch (a->kind) {
	case K_BUFIN:
	case K_BUFOUT:
	case K_BUFOUTOK:
		p->len_arg = a->a;
		switch (row->arg[a->a].kind) {
		case K_INT:
			p->len_kind = LEN_INT;
			break;
		case K_UINT:
		case K_FLAGS:
			p->len_kind = LEN_UINT;
			break;
		default:
			p->len_kind = LEN_SIZE;
			break;
		}
		if (a->kind == K_BUFOUT)
			p->rule = R_RET;
		break;
	case K_OFFPTR:
		p->len_fixed = 8;
		__attribute__((fallthrough));
	case K_INOUTALWAYS:
		p->rule = R_ALWAYS;
		break;
	case K_IN:
	case K_OUT:
	case K_INOUT:
		break;
	case K_OUTNZ:
		p->rule = R_RETOK_NZ;
		break;
	case K_OUTALWAYS:
		p->rule = R_ALWAYS;
		break;
	default:
		return 0;
	}
	p->mem = (uint8_t)i;
	switch (a->kind) {
	case K_BUFIN:
	case K_IN:
		p->lane = LANE_IN;
		break;
	case K_INOUT:
	case K_INOUTALWAYS:
	case K_OFFPTR:
		p->lane = LANE_INOUT;
		break;
	default:
		p->lane = LANE_OUT;
		break;
	}
	return 1;
}

/* Memory that counts as the scalar 0 when its pointer is null. */
static int nullable(unsigned int kind)
{
	switch (kind) {
	case K_SADDRIN:
	case K_SADDROUT:
	case K_IN:
	case K_OUT:
	case K_OUTNZ:
	case K_OUTALWAYS:
	case K_INOUT:
	case K_INOUTALWAYS:
	case K_OFFPTR:
	case K_SIGSET:
	case K_BUFIN:
	case K_BUFOUT:
	case K_BUFOUTOK:
		return 1;
	default:
		return 0;
	}
}

static void lane(struct ipmon_plan *p, const struct ipmon_row *row)
{
	unsigned int i;
	int have = 0;

	p->lane = LANE_SCALAR;
	for (i = 0; i < row->nargs; i++) {
		const struct ipmon_arg *a = &row->arg[i];

		p->mask[i] = mask_of(a);
		if (p->mask[i])
			continue;
		if (a->kind == K_PATH) {
			p->null_cmp |= (uint8_t)(1u << i);
			continue;
		}
		/* masked by flags that say whether it counts */
		if (a->kind == K_OPENMODE && a->a + 1u == i) {
			p->mask[i] = 07777;
			p->flags |= PLAN_MODE;
			p->flag_arg = a->a;
			continue;
		}
		if (is_scalar(a->kind)) {
			if (a->kind != K_NONE && a->kind != K_IGN)
				p->null_cmp |= (uint8_t)(1u << i);
			continue;
		}
		/* the length of a buffer that must be absent */
		if (a->kind == K_LENPTR && p->null_need & 1u << a->a)
			continue;
		/* anonymous memory has no file */
		if (a->kind == K_WALKV && row->walker == W_MMAP)
			continue;
		/* the event of epoll_ctl has a word of its own */
		if (a->kind == K_WALKV && row->walker == W_EPOLL_CTL)
			continue;
		p->null_cmp |= (uint8_t)(1u << i);
		if (!have && span(p, row, i)) {
			have = 1;
		} else if (nullable(a->kind)) {
			p->null_need |= (uint8_t)(1u << i);
		} else {
			p->lane = LANE_WALK;
			return;
		}
	}
}

/* Does it usually come back at once (data is there), or is it the call in
 * which an idle program sleeps? */
static int transfers(const struct ipmon_row *row)
{
	unsigned int i;

	for (i = 0; i < row->nargs; i++) {
		switch (row->arg[i].kind) {
		case K_BUFIN:
		case K_BUFOUT:
		case K_IOVIN:
		case K_IOVOUT:
		case K_MSGIN:
		case K_MSGOUT:
		case K_MMSGIN:
		case K_MMSGOUT:
		case K_OFFPTR:
		case K_PATH:
		/* accept: servers with events to wait for do not sleep here */
		case K_SADDROUT:
			return 1;
		default:
			break;
		}
	}
	return 0;
}

static void open_plan(struct ipmon_plan *p, const struct ipmon_row *row)
{
	unsigned int i;

	p->flags |= PLAN_OPEN;
	for (i = 0; i < row->nargs; i++)
		if (row->arg[i].kind == K_OPENMODE)
			p->flag_arg = row->arg[i].a;
}

void ipmon_plan_make(uint64_t nr, struct ipmon_plan *p)
{
	const struct ipmon_row *row = ipmon_row(nr);
	unsigned int i;

	*p = (struct ipmon_plan){ 0 };
	if (!ipmon_gate_row(row) && !ipmon_memory_row(row) &&
	    !ipmon_open_row(row))
		return;
	p->action = DECIDE_RELAXED;
	p->level = ipmon_row_level(row) & 7u;
	p->nargs = row->nargs;
	for (i = 0; i < row->nargs; i++) {
		if (row->arg[i].kind == K_FD || row->arg[i].kind == K_DIRFD)
			p->fds |= (uint8_t)(1u << i);
		if (row->arg[i].kind == K_PATH)
			p->paths |= (uint8_t)(1u << i);
	}
	if (row->walker == W_NONE || row->walker == W_EPOLL_CTL ||
	    row->walker == W_EPOLL_WAIT || row->walker == W_MMAP ||
	    row->walker == W_SIGACTION)
		lane(p, row);
	if (ipmon_row_path(row) == PATH_INPROC_WAIT &&
	    !(row->flags & RF_OWNSTATE))
		p->flags |= PLAN_WAIT;
	if (row->flags & (RF_BLOCK | RF_YIELD))
		p->flags |= transfers(row) ? PLAN_TRANSFER : PLAN_BLOCK;
	if ((row->handler == H_EPOLL_WAIT && row->arg[3].kind == K_INT) ||
	    (row->arg[0].kind == K_POLLFD && row->arg[2].kind == K_INT)) {
		p->flags |= PLAN_TRY;
		p->flag_arg = row->handler == H_EPOLL_WAIT ? 3 : 2;
	}
	if (p->paths && p->lane == LANE_OUT)
		p->flags |= PLAN_NAMES;
	if (row->flags & RF_FILEDATA)
		p->flags |= PLAN_FILEDATA;
	if (ipmon_gate_by_rule(nr))
		p->flags |= PLAN_RULES;
	p->each = (row->flags & RF_EACH) != 0;
	if (ipmon_memory_row(row))
		p->flags |= row->flags & RF_PRIVATE ?
			PLAN_MEMORY | PLAN_ALONE : PLAN_MEMORY;
	/* other private rows that come here fill in a time or a buffer */
	else if (row->flags & RF_PRIVATE)
		p->flags |= p->len_kind == LEN_FIXED ? PLAN_CLOCK : PLAN_DRAW;
	if (row->handler == H_FUTEX)
		p->flags |= PLAN_FUTEX;
	if (row->handler == H_OPEN)
		open_plan(p, row);
	if (row->walker == W_EPOLL_CTL)
		p->flags |= PLAN_EPOLL_CTL;
	if (row->walker == W_EPOLL_WAIT)
		p->flags |= PLAN_EPOLL_WAIT;
	/* One descriptor at most, the first argument; one span at most; nothing that
	 * makes, ends or changes a descriptor (more_note()). */
	p->quick = !p->each && !p->paths && !(p->fds & ~1u) && !p->null_need &&
		(p->lane == LANE_SCALAR || p->lane == LANE_IN ||
		 p->lane == LANE_OUT) && !(row->flags & RF_CLOSE) &&
		row->result != RES_FD && row->handler != H_SELF_PID &&
		row->handler != H_SELF_TID &&
		!(p->flags & ~(PLAN_WAIT | PLAN_BLOCK | PLAN_TRANSFER |
			       PLAN_FILEDATA));
	if (row->handler == H_SELF_PID)
		p->action = DECIDE_PID;
	if (row->handler == H_SELF_TID)
		p->action = DECIDE_TID;
}
