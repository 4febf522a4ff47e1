// SPDX-License-Identifier: Apache-2.0
/*
 * libipmon.so: entry.
 *
 * What may not be done in this library: call a libc, touch errno or any
 * thread-local variable, use a vector register, take more than a few hundred
 * bytes of stack, export a symbol, need a relocation other than a relative
 * one.  It is mapped into programs of every kind, runs before any of their
 * code, and later runs inside their system calls; test/check holds the built
 * object against these rules.
 *
 * The constructor presents the library to monitord.  The linker is told to
 * run it before all others (-z initfirst).  Without a monitor the reserved
 * call fails with ENOSYS and the library stays inert; whatever monitord
 * answers, there is nothing to be done about it here.
 */
#include <elf.h>
#include <ipmon/abi.h>

#include "arch/entry.h"
#include "arch/syscall.h"
#include "table_hash.h"	/* generated */

/* The ELF header of this library as mapped; the linker defines it. */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

static void text_range(struct ipmon_register *r)
{
	uint64_t base = (uint64_t)&__ehdr_start;
	const Elf64_Phdr *ph = (const void *)(base + __ehdr_start.e_phoff);

	for (unsigned int i = 0; i < __ehdr_start.e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD || !(ph[i].p_flags & PF_X))
			continue;
		r->text_start = base + ph[i].p_vaddr;
		r->text_end = r->text_start + ph[i].p_memsz;
		/* as mapped: whole pages */
		r->text_end = (r->text_end + 4095) & ~4095ull;
	}
}

__attribute__((constructor)) static void init(void)
{
	struct ipmon_register r = {
		.size = sizeof(r),
		.abi = IPMON_ABI_VERSION,
		.table_hash = IPMON_TABLE_HASH,
		.ranges = {
			.entry = (uint64_t)ipmon_entry,
			.window_start = (uint64_t)ipmon_window_start,
			.window_end = (uint64_t)ipmon_window_end,
			.copy_start = (uint64_t)ipmon_copy_start,
			.copy_end = (uint64_t)ipmon_copy_end,
			.copy_fault = (uint64_t)ipmon_copy_fault,
			.flush = (uint64_t)ipmon_flush,
			.insn = (uint64_t)ipmon_insn,
		},
	};

	text_range(&r);
	raw_syscall2(IPMON_NR_REGISTER, (uint64_t)&r, sizeof(r));
}
