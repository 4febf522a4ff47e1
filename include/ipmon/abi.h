/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boundary between libipmon and monitord: the reserved call and the
 * registration it carries.
 *
 * libipmon's constructor issues syscall IPMON_NR_REGISTER with
 *   rdi = address of struct ipmon_register (in its own memory)
 *   rsi = sizeof(struct ipmon_register)
 * No kernel has this number: without a monitor the call returns -ENOSYS and
 * libipmon stays inert.  monitord answers 0, or a negative errno and one line
 * of explanation on its own stderr; the program runs on under CP-MON alone.
 */
#ifndef IPMON_ABI_H
#define IPMON_ABI_H

#include <stdint.h>

#define IPMON_NR_REGISTER	0x49504dul	/* "IPM" */
#define IPMON_ABI_VERSION	1u

struct ipmon_register {
	uint32_t size;		/* sizeof(struct ipmon_register) */
	uint32_t abi;		/* IPMON_ABI_VERSION */
	uint64_t table_hash;	/* ipmon_table_hash() of the library */
	uint64_t text_start;	/* the library's executable segment as mapped */
	uint64_t text_end;
};
_Static_assert(sizeof(struct ipmon_register) == 32, "registration ABI");

#endif
