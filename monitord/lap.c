// SPDX-License-Identifier: Apache-2.0
/*
 * Loops that wait and count.
 *
 * Theory of operation
 * -------------------
 * A program that waits by looking at a flag again and again may count how often
 * it has looked, and print that, or decide by it.  Natively the number is as good
 * as any other, but variants that are stopped after different numbers of rounds
 * have different ones.  If it can be shown that the loop does nothing but wait,
 * the followers are given the leader's numbers: they are where they would be had
 * they gone round as often.
 *
 * It is shown by going round twice, in single steps.  Both times the same
 * instructions must have used the same addresses, and nothing but general
 * registers and these bytes of memory may be involved.  What differs from one
 * round to the next, and everything computed from it, moves; if no jump depends
 * on what moves then the next round takes the same way, and so does every other,
 * until somebody else changes memory, or a signal comes.  A variant that is at
 * the same place with everything else alike is in the same loop, then: there was
 * no way for it to get any further, and none to get there but the leader's.
 * A loop that ends by its own count, or that works on an array, is none of these.
 */
#include <errno.h>
#include <string.h>
#include <Zydis/Zydis.h>

#include "event.h"
#include "lap.h"
#include "owned.h"
#include "signals.h"
#include "tracee.h"

#define STEPS	48u		/* instructions in the loop */
#define SPREAD_MAX 32u		/* rounds */
#define OPS	ZYDIS_MAX_OPERAND_COUNT
#define FLAGS	0xcd5u		/* the arithmetic ones */
#define ALL_FLAGS (ZYDIS_CPUFLAG_CF | ZYDIS_CPUFLAG_ZF | ZYDIS_CPUFLAG_SF | \
		  ZYDIS_CPUFLAG_OF)

struct step {
	uint64_t ip;
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[OPS];
	uint64_t addr[OPS];	/* of operands in memory */
};

struct lap {
	unsigned int n;
	struct step step[STEPS];
};

/* Which registers, flags and cells depend on what moves. */
struct taint {
	uint32_t regs;
	bool flags;
	unsigned int cells;
	struct {
		uint64_t addr;
		unsigned int size;
	} cell[LAP_CELLS];
};

void lap_regs(struct user_regs_struct *r, unsigned long long *reg[LAP_REGS])
{
	unsigned long long *all[LAP_REGS] = {
		&r->rax, &r->rbx, &r->rcx, &r->rdx, &r->rsi, &r->rdi, &r->rbp,
		&r->r8, &r->r9, &r->r10, &r->r11, &r->r12, &r->r13, &r->r14,
		&r->r15,
	};

	memcpy(reg, all, sizeof(all));
}

/* Its place in that order; 15 is the stack pointer, -1 another kind. */
static int reg_index(ZydisRegister reg)
{
	switch (ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
						 reg)) {
	case ZYDIS_REGISTER_RAX: return 0;
	case ZYDIS_REGISTER_RBX: return 1;
	case ZYDIS_REGISTER_RCX: return 2;
	case ZYDIS_REGISTER_RDX: return 3;
	case ZYDIS_REGISTER_RSI: return 4;
	case ZYDIS_REGISTER_RDI: return 5;
	case ZYDIS_REGISTER_RBP: return 6;
	case ZYDIS_REGISTER_R8: return 7;
	case ZYDIS_REGISTER_R9: return 8;
	case ZYDIS_REGISTER_R10: return 9;
	case ZYDIS_REGISTER_R11: return 10;
	case ZYDIS_REGISTER_R12: return 11;
	case ZYDIS_REGISTER_R13: return 12;
	case ZYDIS_REGISTER_R14: return 13;
	case ZYDIS_REGISTER_R15: return 14;
	case ZYDIS_REGISTER_RSP: return 15;
	default: return -1;
	}
}

bool lap_leaves(struct task *t, uint64_t ip)
{
	unsigned char c[2] = { 0 };
	uint64_t from, to;

	if (mem_read_some(t, c, ip, sizeof(c)) != sizeof(c))
		return true;
	if ((c[0] == 0x0f && (c[1] == 0x05 || c[1] == 0x34)) || c[0] == 0xcd)
		return true;
	return owned_next(t->set->proc->mm, t->variant, ip, ip + 1, &from, &to);
}

bool lap_sees_steps(struct task *t, uint64_t ip)
{
	unsigned char c[4] = { 0 };
	unsigned int i = 0;

	mem_read_some(t, c, ip, sizeof(c));
	while (i < 3 && (c[i] == 0x66 || (c[i] & 0xf0) == 0x40))
		i++;
	return c[i] == 0x9c || c[i] == 0x9d;
}

static bool reg_value(struct user_regs_struct *r, ZydisRegister name,
		      uint64_t *value)
{
	unsigned long long *reg[LAP_REGS];
	int i = reg_index(name);

	if (name == ZYDIS_REGISTER_NONE) {
		*value = 0;
		return true;
	}
	if (ZydisRegisterGetClass(name) != ZYDIS_REGCLASS_GPR64 || i < 0)
		return false;
	lap_regs(r, reg);
	*value = i == 15 ? r->rsp : *reg[i];
	return true;
}

static bool address(struct user_regs_struct *r, const struct step *p,
		    const ZydisDecodedOperand *op, uint64_t *addr)
{
	uint64_t base, index;

	if (op->mem.base == ZYDIS_REGISTER_RIP)
		base = r->rip + p->insn.length;
	else if (!reg_value(r, op->mem.base, &base))
		return false;
	if (!reg_value(r, op->mem.index, &index))
		return false;
	*addr = base + index * op->mem.scale +
		(op->mem.disp.has_displacement ?
		 (uint64_t)op->mem.disp.value : 0);
	if (op->mem.segment == ZYDIS_REGISTER_FS)
		*addr += r->fs_base;
	else if (op->mem.segment == ZYDIS_REGISTER_GS)
		*addr += r->gs_base;
	/* what is pushed comes below */
	if (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE &&
	    op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
	    op->mem.base == ZYDIS_REGISTER_RSP)
		*addr -= op->size / 8;
	return true;
}

/* One whose effect is what its operands say, on general registers and memory. */
static bool plain(struct user_regs_struct *r, struct step *p)
{
	switch (p->insn.meta.category) {
	case ZYDIS_CATEGORY_STRINGOP:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_IO:
	case ZYDIS_CATEGORY_IOSTRINGOP:
	case ZYDIS_CATEGORY_SYSTEM:
		return false;
	default:
		break;
	}
	switch (p->insn.mnemonic) {
	case ZYDIS_MNEMONIC_PUSHF:	/* sees that it is stepped */
	case ZYDIS_MNEMONIC_PUSHFQ:
	case ZYDIS_MNEMONIC_POPF:
	case ZYDIS_MNEMONIC_POPFQ:
		return false;
	default:
		break;
	}
	for (unsigned int k = 0; k < p->insn.operand_count; k++) {
		const ZydisDecodedOperand *op = &p->op[k];

		switch (op->type) {
		case ZYDIS_OPERAND_TYPE_REGISTER:
			if (op->reg.value != ZYDIS_REGISTER_RFLAGS &&
			    op->reg.value != ZYDIS_REGISTER_RIP &&
			    reg_index(op->reg.value) < 0)
				return false;
			break;
		case ZYDIS_OPERAND_TYPE_MEMORY:
			if (op->mem.type == ZYDIS_MEMOP_TYPE_AGEN)
				break;
			if (op->mem.type != ZYDIS_MEMOP_TYPE_MEM ||
			    !op->size || op->size > 64 ||
			    !address(r, p, op, &p->addr[k]))
				return false;
			break;
		case ZYDIS_OPERAND_TYPE_POINTER:
			return false;
		default:
			break;
		}
	}
	return true;
}

unsigned int lap_writes(struct task *t, uint64_t *addr, unsigned int n)
{
	struct user_regs_struct *r = task_regs(t);
	uint8_t code[ZYDIS_MAX_INSTRUCTION_LENGTH];
	ssize_t got = r ? mem_read_some(t, code, r->rip, sizeof(code)) : 0;
	unsigned int found = 0;
	ZydisDecoder dec;
	struct step p;

	ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	if (got <= 0 || ZYAN_FAILED(ZydisDecoderDecodeFull(&dec, code,
					(size_t)got, &p.insn, p.op)))
		return 0;
	for (unsigned int k = 0; k < p.insn.operand_count && found < n; k++)
		if (p.op[k].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    p.op[k].mem.type == ZYDIS_MEMOP_TYPE_MEM &&
		    p.op[k].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE &&
		    address(r, &p, &p.op[k], &addr[found]))
			found++;
	return found;
}

/* Once round, to where it is now. */
static int go_round(struct task *t, struct lap *l, bool may_end)
{
	struct user_regs_struct *r = task_regs(t);
	uint64_t sp = r ? r->rsp : 0;
	ZydisDecoder dec;

	ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	for (l->n = 0; (r = task_regs(t)); l->n++) {
		struct step *p = &l->step[l->n];
		uint8_t code[ZYDIS_MAX_INSTRUCTION_LENGTH];
		ssize_t got;

		if (l->n && r->rip == l->step[0].ip && r->rsp == sp)
			return 0;
		if (l->n == STEPS)
			return -ENOENT;
		memset(p->addr, 0, sizeof(p->addr));
		p->ip = r->rip;
		got = mem_read_some(t, code, p->ip, sizeof(code));
		if (lap_leaves(t, p->ip))
			return may_end ? -EAGAIN : -ENOENT;
		if (got <= 0 || ZYAN_FAILED(ZydisDecoderDecodeFull(&dec, code,
					(size_t)got, &p->insn, p->op)) ||
		    !plain(r, p))
			return -ENOENT;
		if (!event_step(t, 0))
			return -EAGAIN;
	}
	return -EAGAIN;
}

static bool same_way(const struct lap *a, const struct lap *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned int i = 0; i < a->n; i++)
		if (a->step[i].ip != b->step[i].ip ||
		    memcmp(a->step[i].addr, b->step[i].addr,
			   sizeof(a->step[i].addr)) != 0)
			return false;
	return true;
}

static bool overlap(const struct taint *x, unsigned int i, uint64_t addr,
		    unsigned int size)
{
	return x->cell[i].addr < addr + size &&
		addr < x->cell[i].addr + x->cell[i].size;
}

static bool cell_tainted(const struct taint *x, uint64_t addr, unsigned int size)
{
	for (unsigned int i = 0; i < x->cells; i++)
		if (overlap(x, i, addr, size))
			return true;
	return false;
}

static bool cell_taint(struct taint *x, uint64_t addr, unsigned int size,
		       bool set)
{
	for (unsigned int i = 0; i < x->cells; i++) {
		if (x->cell[i].addr != addr || x->cell[i].size != size)
			continue;
		if (!set)
			x->cell[i] = x->cell[--x->cells];
		return true;
	}
	if (!set)
		return true;
	if (x->cells == LAP_CELLS)
		return false;
	x->cell[x->cells].addr = addr;
	x->cell[x->cells++].size = size;
	return true;
}

static bool reg_tainted(const struct taint *x, ZydisRegister name)
{
	int i = name == ZYDIS_REGISTER_NONE ? -1 : reg_index(name);

	return i >= 0 && x->regs & 1u << i;
}

static bool reads_taint(const struct taint *x, const struct step *p)
{
	for (unsigned int k = 0; k < p->insn.operand_count; k++) {
		const ZydisDecodedOperand *op = &p->op[k];

		if (op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    (reg_tainted(x, op->mem.base) ||
		     reg_tainted(x, op->mem.index) ||
		     (op->mem.type == ZYDIS_MEMOP_TYPE_MEM &&
		      op->actions & ZYDIS_OPERAND_ACTION_MASK_READ &&
		      cell_tainted(x, p->addr[k], op->size / 8))))
			return true;
		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    op->actions & ZYDIS_OPERAND_ACTION_MASK_READ &&
		    (op->reg.value == ZYDIS_REGISTER_RFLAGS ? x->flags :
		     reg_tainted(x, op->reg.value)))
			return true;
	}
	return false;
}

/* Where the stack is after a push or pop says nothing of what has been pushed. */
static bool moves_stack(const struct step *p, const ZydisDecodedOperand *op)
{
	return (p->insn.meta.category == ZYDIS_CATEGORY_PUSH ||
		p->insn.meta.category == ZYDIS_CATEGORY_POP) &&
	       op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
	       op->reg.value == ZYDIS_REGISTER_RSP;
}

/* What this instruction makes of it; false: it matters to where it goes. */
static bool spread(struct taint *x, const struct step *p)
{
	bool in = reads_taint(x, p);

	switch (p->insn.meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_RET:
		if (in)
			return false;
		break;
	default:
		break;
	}
	for (unsigned int k = 0; k < p->insn.operand_count; k++) {
		const ZydisDecodedOperand *op = &p->op[k];
		bool all = !(op->actions & ZYDIS_OPERAND_ACTION_CONDWRITE);

		if (!(op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		if (op->type == ZYDIS_OPERAND_TYPE_MEMORY) {
			if ((in || all) &&
			    !cell_taint(x, p->addr[k], op->size / 8, in))
				return false;
		} else if (op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
			   op->reg.value == ZYDIS_REGISTER_RFLAGS) {
			const ZydisAccessedFlags *f = p->insn.cpu_flags;
			uint32_t w = f ? f->modified | f->set_0 | f->set_1 |
				f->undefined : 0;

			if (in || (w & ALL_FLAGS) == ALL_FLAGS)
				x->flags = in;
		} else if (op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
			   reg_index(op->reg.value) >= 0 &&
			   !moves_stack(p, op)) {
			uint32_t bit = 1u << reg_index(op->reg.value);

			if (in)
				x->regs |= bit;
			else if (all && op->size >= 32)
				x->regs &= ~bit;
		}
	}
	return !(x->regs & 1u << 15);
}

/* Bytes of memory that the loop writes, and what is there now. */
static bool written(struct task *t, const struct lap *l, struct lap_moving *m)
{
	m->cells = 0;
	for (unsigned int i = 0; i < l->n; i++)
		for (unsigned int k = 0; k < l->step[i].insn.operand_count; k++) {
			const ZydisDecodedOperand *op = &l->step[i].op[k];
			unsigned int c;

			if (op->type != ZYDIS_OPERAND_TYPE_MEMORY ||
			    !(op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
				continue;
			for (c = 0; c < m->cells; c++)
				if (m->cell[c].addr == l->step[i].addr[k] &&
				    m->cell[c].size == op->size / 8)
					break;
			if (c < m->cells)
				continue;
			if (c == LAP_CELLS)
				return false;
			m->cell[c].addr = l->step[i].addr[k];
			m->cell[c].size = (uint8_t)(op->size / 8);
			m->cell[c].step = (uint8_t)i;
			m->cell[c].operand = (uint8_t)k;
			m->cell[c].value = 0;
			m->cells++;
			if (mem_read(t, &m->cell[c].value, m->cell[c].addr,
				     m->cell[c].size))
				return false;
		}
	return true;
}

static struct lap leader_lap, other_lap;

static int two_rounds(struct taskset *s, struct lap_moving *m)
{
	struct task *t = &s->t[LEADER];
	struct user_regs_struct one, *two;
	unsigned long long *a[LAP_REGS], *b[LAP_REGS];
	struct lap_moving now;
	struct taint x = { 0 };
	int r;

	r = go_round(t, &leader_lap, true);
	if (r < 0)
		return r;
	if (!task_regs(t))
		return -EAGAIN;
	one = *task_regs(t);
	if (!written(t, &leader_lap, m))
		goto none;
	r = go_round(t, &other_lap, true);
	if (r < 0)
		goto none_if_stopped;
	two = task_regs(t);
	if (!two)
		return -EAGAIN;
	if (!same_way(&leader_lap, &other_lap) ||
	    !written(t, &other_lap, &now) || now.cells != m->cells)
		goto none;
	lap_regs(&one, a);
	lap_regs(two, b);
	for (unsigned int i = 0; i < LAP_REGS; i++)
		if (*a[i] != *b[i])
			m->regs |= 1u << i;
	m->flags = ((one.eflags ^ two->eflags) & FLAGS) != 0;
	x.regs = m->regs;
	x.flags = m->flags;
	for (unsigned int i = 0; i < now.cells; i++)
		if (now.cell[i].value != m->cell[i].value &&
		    !cell_taint(&x, now.cell[i].addr, now.cell[i].size, true))
			goto none;
	/* until nothing more depends on what moves */
	for (unsigned int round = 0; round < SPREAD_MAX; round++) {
		struct taint before = x;

		for (unsigned int i = 0; i < leader_lap.n; i++)
			if (!spread(&x, &leader_lap.step[i]))
				goto none;
		if (!memcmp(&before, &x, sizeof(x)))
			break;
		if (round == SPREAD_MAX - 1)
			goto none;
	}
	/* those that stay what they are need nothing done to them */
	m->cells = 0;
	for (unsigned int i = 0; i < now.cells; i++)
		if (cell_tainted(&x, now.cell[i].addr, now.cell[i].size))
			m->cell[m->cells++] = now.cell[i];
	m->flags |= x.flags;
	m->regs |= x.regs & ((1u << LAP_REGS) - 1);
	return 0;

none_if_stopped:
	if (r == -EAGAIN)
		return r;
none:
	return -ENOENT;
}

/* Steps cost much where others want the processors: one that is stopped at the
 * same few places again and again is not tried at each of them again. */
int lap_of_leader(struct taskset *s, struct lap_moving *m)
{
	struct task *t = &s->t[LEADER];
	const struct user_regs_struct *regs = task_regs(t);
	uint64_t place;
	int r;

	memset(m, 0, sizeof(*m));
	if (!regs)
		return -EAGAIN;
	place = (uint64_t)1 << (regs->rip >> 4 & 63);
	if (s->no_lap & place || !signal_may_step(t))
		return -ENOENT;
	r = two_rounds(s, m);
	if (r == -ENOENT)
		s->no_lap |= place;
	if (r)
		memset(m, 0, sizeof(*m));
	if (__builtin_popcountll(s->no_lap) > 32)
		s->no_lap = 0;
	return r;
}

/* Does the follower execute there what the leader does? */
static bool same_step(const struct step *a, const struct step *b)
{
	return !((a->ip ^ b->ip) & 4095) && a->insn.length == b->insn.length &&
	       a->insn.mnemonic == b->insn.mnemonic &&
	       a->insn.operand_count == b->insn.operand_count;
}

/* A number, that is, and no address of the leader's. */
static bool count(uint64_t leader, uint64_t own)
{
	return leader == own ||
	       (int64_t)leader == (int32_t)leader || leader >> 32 == 0;
}

/* What would be written there, all of it, before any of it is. */
static bool may_follow(struct task *t, const struct lap_moving *m,
		       unsigned long long *const a[LAP_REGS],
		       unsigned long long *const b[LAP_REGS])
{
	for (unsigned int i = 0; i < leader_lap.n; i++)
		if (!same_step(&leader_lap.step[i], &other_lap.step[i]))
			return false;
	for (unsigned int i = 0; i < m->cells; i++) {
		const struct step *p = &other_lap.step[m->cell[i].step];
		const ZydisDecodedOperand *op = &p->op[m->cell[i].operand];
		uint64_t own = 0;

		if (op->type != ZYDIS_OPERAND_TYPE_MEMORY ||
		    !(op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) ||
		    op->size != m->cell[i].size * 8u ||
		    m->cell[i].size > sizeof(own) ||
		    mem_read(t, &own, p->addr[m->cell[i].operand],
			     m->cell[i].size) ||
		    !count(m->cell[i].value, own))
			return false;
	}
	for (unsigned int i = 0; i < LAP_REGS; i++)
		if (m->regs & 1u << i && !count(*a[i], *b[i]))
			return false;
	return true;
}

int lap_follow(struct task *t, const struct lap_moving *m)
{
	struct user_regs_struct *l = task_regs(&t->set->t[LEADER]), *r;
	unsigned long long *a[LAP_REGS], *b[LAP_REGS];
	int e;

	if (!m->regs && !m->flags && !m->cells)
		return 0;
	e = go_round(t, &other_lap, false);
	r = task_regs(t);
	if (e == -EAGAIN || !l || !r)
		return -EAGAIN;
	if (e < 0 || other_lap.n != leader_lap.n)
		return -ENOENT;
	lap_regs(l, a);
	lap_regs(r, b);
	if (!may_follow(t, m, a, b))
		return -ENOENT;
	for (unsigned int i = 0; i < m->cells; i++)
		if (mem_write(t, other_lap.step[m->cell[i].step]
			      .addr[m->cell[i].operand],
			      &m->cell[i].value, m->cell[i].size))
			return -ENOENT;
	for (unsigned int i = 0; i < LAP_REGS; i++)
		if (m->regs & 1u << i)
			*b[i] = *a[i];
	if (m->flags)
		r->eflags = (r->eflags & ~(uint64_t)FLAGS) | (l->eflags & FLAGS);
	task_regs_changed(t);
	return 0;
}
