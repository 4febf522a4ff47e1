// SPDX-License-Identifier: Apache-2.0
/*
 * AT_RANDOM: 16 bytes that the kernel gives a new program.
 *
 * Theory of operation
 * -------------------
 * libc makes the stack protector's canary and the pointer guard of them.
 * These differ between variants, so that a leak of one is noticed.  But programs
 * take the bytes for a source of randomness, too: the Go runtime seeds its
 * scheduler with them, libsystemd its hash tables.  Then all variants must
 * find the same.  Both are to be had, since libc is done with them early:
 *
 *	it sets them up directly after the thread pointer (arch_prctl(ARCH_SET_FS))
 *	and what belongs to it (set_tid_address, set_robust_list, rseq),
 *	glibc in ld.so or in a static program, musl in a static program.  At the
 *	next call, whatever it is, new bytes are written, common to all variants.
 *	(From the thread pointer on calls come to monitord until then.)
 *
 * Who reads them later learns nothing of any variant's canary.  A linker other
 * than glibc's does it later, and keeps the bytes it got.
 */
#include <asm/prctl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "at_random.h"
#include "tracee.h"

void at_random_begin(struct mm *mm, const uint64_t at[MAX_VARIANTS])
{
	memset(mm->at_random, 0, sizeof(mm->at_random));
	if (mon.n < 2)
		return;
	for_each_variant(v)
		if (!at[v])
			return;
	memcpy(mm->at_random, at, sizeof(mm->at_random));
	mm->has_tls = false;
}

void at_random_publish(struct taskset *s)
{
	struct mm *mm = s->proc->mm;
	unsigned char fresh[16];

	if (getrandom(fresh, sizeof(fresh), GRND_NONBLOCK) == sizeof(fresh))
		for_each_variant(v)
			mem_write(&s->t[v], mm->at_random[v], fresh,
				  sizeof(fresh));
	memset(mm->at_random, 0, sizeof(mm->at_random));
}

void at_random_call(struct taskset *s)
{
	struct mm *mm = s->proc->mm;
	const struct call *c = &s->t[LEADER].call;

	switch (c->nr) {
	case SYS_arch_prctl:
		if (c->args[0] == ARCH_SET_FS) {
			mm->has_tls = true;
			return;
		}
		break;
	case SYS_set_tid_address:
	case SYS_set_robust_list:
	case SYS_rseq:
		return;
	}
	if (mm->has_tls)
		at_random_publish(s);
}
