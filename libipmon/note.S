/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libipmon.so: what monitord has to know of it (struct ipmon_note).
 *
 * monitord maps the library's text and constants into every new program before its
 * first instruction, static ones too, and finds by this note where to send stubs and
 * stopped tasks.  Nothing of the library runs to set it up.  Loaded by a dynamic
 * linker, it does nothing at all.
 *
 * What may not be done in this library: call a libc, touch errno or any
 * thread-local variable, use a vector register, take more than a few hundred
 * bytes of stack, export a symbol, need a relocation, have data that is written.
 * It is mapped into programs of every kind, runs before any of their
 * code, and later runs inside their system calls; test/check holds the built
 * object against these rules.
 */
#include "table_hash.h"		/* generated */

	.section .note.ipmon, "a", @note
	.balign 4
	.long	6			/* of the name, and its end */
	.long	NOTE_SIZE
	.long	NOTE_TYPE
	.asciz	"ipmon"
	.balign 4
	/* struct ipmon_note, aligned to four like all notes */
	.long	NOTE_SIZE
	.long	NOTE_ABI
	.quad	NOTE_TABLE_HASH
	/* struct ipmon_ranges */
	.quad	ipmon_entry - .
	.quad	ipmon_window_start - .
	.quad	ipmon_window_end - .
	.quad	ipmon_copy_start - .
	.quad	ipmon_copy_end - .
	.quad	ipmon_copy_fault - .
	.quad	ipmon_flush - .
	.quad	ipmon_insn - .

	.section .note.GNU-stack, "", @progbits
