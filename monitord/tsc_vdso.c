// SPDX-License-Identifier: Apache-2.0
/*
 * The leader's vDSO, which reads the time stamp counter: theory of operation in
 * tsc.c.
 */
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

/* auxv names that are also ours */
#undef AT_ENTRY
#include "fast.h"
#include "sites.h"
#include "tracee.h"
#include "tsc.h"

/* Does the function use general registers only?  IP-MON keeps no others. */
static bool plain_code(const uint8_t *code, size_t n)
{
	const struct elf_image e = { code, n };

	return site_plain_code(&e);
}

uint64_t tsc_vdso_offset(void)
{
	static uint64_t offset;
	static bool known;
	const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
	const ElfW(Ehdr) *eh = (const void *)base;
	const ElfW(Phdr) *ph;
	const ElfW(Dyn) *d = NULL;
	const ElfW(Sym) *sym = NULL;
	const char *str = NULL;
	const uint32_t *hash = NULL;

	if (known || !base)
		return offset;
	known = true;
	ph = (const void *)(base + eh->e_phoff);
	for (unsigned int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			d = (const void *)(base + ph[i].p_offset);
	for (; d && d->d_tag; d++) {
		const void *p = base + d->d_un.d_ptr;

		if (d->d_tag == DT_SYMTAB)
			sym = p;
		else if (d->d_tag == DT_STRTAB)
			str = p;
		else if (d->d_tag == DT_HASH)
			hash = p;
	}
	for (uint32_t i = 0; sym && str && hash && i < hash[1]; i++)
		if (sym[i].st_shndx &&
		    !strcmp(str + sym[i].st_name, "__vdso_clock_gettime") &&
		    plain_code((const uint8_t *)base + sym[i].st_value,
			       sym[i].st_size))
			offset = sym[i].st_value;
	return offset;
}

bool tsc_inside(const struct mm *mm, unsigned int v, uint64_t ip)
{
	return v == LEADER && ip >= mm->vdso[0] && ip < mm->vdso[1];
}

uint64_t tsc_clock(const struct taskset *s)
{
	const struct mm *mm = s->proc->mm;

	return s->tsd & 1u << LEADER ? 0 : mm->vdso_clock;
}

/*
 * The clock source has changed to one the vDSO cannot read: it makes the call
 * itself, not at the gate.  It is IP-MON's, the result goes its way; nothing
 * else may be called from there.
 */
bool tsc_fallback(struct task *t)
{
	struct taskset *s = t->set;

	if (!tsc_inside(s->proc->mm, t->variant, t->call.ip) ||
	    t->call.nr != SYS_clock_gettime)
		return false;
	s->proc->mm->vdso_clock = 0;
	fast_clock(s, 0);
	task_resume(t, PTRACE_CONT, 0);
	return true;
}
