// SPDX-License-Identifier: Apache-2.0
/*
 * Patching sites of instructions that are no syscalls.
 *
 * Theory of operation
 * -------------------
 * tsc.c has put a ud2 in the place of each.  One that has been emulated several
 * times gets a jump over it, to a stub that leads into IP-MON (sites_own.c), as
 * system calls do (patch.c): in all variants while they stand at that very
 * instruction.  Below the jump the ud2 remains, and comes back with the program's
 * text; there is another one in the stub, for what IP-MON does not handle.
 */
#include <string.h>

#include "patch_int.h"
#include "tracee.h"

void patch_own_text(struct site *p)
{
	if (p->own.visit)
		return;
	p->text[p->own.pre] = 0x0f;
	p->text[p->own.pre + 1] = 0x0b;
}

bool patch_own_at(const struct mm *mm, unsigned int v, uint64_t ip,
		  struct patch_own *own)
{
	const struct patch_map *m = mm->patches;

	for (unsigned int i = 0; m && i < m->n_done; i++) {
		const struct done *d = &m->done[i];
		const struct site_plan *p = &d->site->p;
		uint64_t stub = d->stub + d->bias[v];

		if (!p->own.len || ip < stub || ip >= stub + p->next)
			continue;
		own->insn = p->own;
		own->trap = stub + p->trap;
		own->next = stub + p->next;
		own->back = p->start + d->bias[v];
		return true;
	}
	return false;
}

/* Registers as they were, if anything has been injected. */
static void put_back(struct task *t)
{
	if (!t->saved_valid || !task_regs(t))
		return;
	t->regs = t->saved;
	t->saved_valid = false;
	task_regs_changed(t);
}

/* The instruction at these addresses, where all variants stand. */
static void put(struct taskset *s, const struct site_own *own,
		const uint64_t at[MAX_VARIANTS])
{
	struct task *lead = &s->t[LEADER];
	struct patch_find f = { .ip = at[LEADER] };
	uint64_t bias[MAX_VARIANTS] = { 0 }, vaddr;
	struct object *o;
	struct site *p;

	if (maps_each(lead->tid, patch_find_ip, &f) != 1 ||
	    f.e.path[0] != '/' || strcmp(f.e.perms, "r-xp"))
		return;
	o = object_open(lead->tid, &f.e);
	if (!o || !o->elf.data ||
	    !elf_vaddr(&o->elf, f.e.offset + (f.ip - f.e.start), &vaddr))
		return;
	p = patch_plan(o, vaddr, own);
	if (!p || !p->p.kind || !p->own.len)
		return;
	for_each_variant(v)
		bias[v] = at[v] - vaddr;
	patch_apply(s, o, &p, 1, bias);
}

void patch_own(struct taskset *s, const struct site_own *own,
	       const uint64_t at[MAX_VARIANTS])
{
	const struct mm *mm = s->proc->mm;

	if (s->slot < 0 || !mm->patches || mm->no_fast ||
	    !patch_nobody_parked(s))
		return;
	for_each_variant(v)
		if (!task_regs(&s->t[v]) || s->t[v].regs.rip != at[v])
			return;
	put(s, own, at);
	for_each_variant(v)
		put_back(&s->t[v]);
}

void patch_own_off(struct taskset *s, uint64_t at)
{
	struct patch_map *m = s->proc->mm->patches;

	for (unsigned int i = 0; m && i < m->n_done; i++) {
		struct done *d = &m->done[i];

		if (d->site->p.own.len &&
		    d->site->p.start + d->bias[LEADER] == at)
			patch_take_off(s, d);
	}
}
