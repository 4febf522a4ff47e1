/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a stub into IP-MON and back, and from IP-MON into the kernel.
 *
 * Theory of operation
 * -------------------
 * A stub arrives here in place of a `syscall` instruction, on IP-MON's stack
 * (rsp = ctx->stack), the program's stack pointer in ctx->saved_sp, rcx = the
 * address after the syscall, everything else as the program had it.
 *
 * Handled: like the kernel, we return with rax = result, rcx = that address,
 * r11 = the flags, all other registers and the flags as they were.  The C
 * compiler preserves rbx, rbp and r12 to r15; the rest is in the frame.  The
 * flags come back through sahf and an addition that overflows or not, because
 * popf takes longer than the rest together; unusual ones (single step,
 * direction, alignment check) are the reason to leave the call to monitord.
 *
 * Left to monitord: everything as it was, and on to the intact syscall in
 * front of that address, whose native trap monitord sees.
 *
 * No unwind information: nobody ever sees a frame in here.
 */
#include "offsets.h"

/* The arguments' registers, as struct ipmon_frame has them. */
	.macro push_arguments
	pushq	%r9
	pushq	%r8
	pushq	%r10
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	.endm
	.macro pop_arguments
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%r10
	popq	%r8
	popq	%r9
	.endm

	.text

	.globl	ipmon_entry
	.hidden	ipmon_entry
	.type	ipmon_entry, @function
	.p2align 6
ipmon_entry:
	pushfq
	pushq	%rcx
	push_arguments
	pushq	%rax
	cmpl	$0, %gs:CTX_LIVE
	je	.Lleave
	cmpl	$0, %gs:CTX_INSIDE
	jne	.Lleave
	testl	$FLAGS_UNUSUAL, FRAME_FLAGS(%rsp)
	jnz	.Lleave
	movl	$1, %gs:CTX_INSIDE
	movq	%gs:CTX_SELF, %rdi
	movq	%rsp, %rsi
	subq	$8, %rsp		/* aligned for the call */
	call	ipmon_broker
	addq	$8, %rsp
	movl	$0, %gs:CTX_INSIDE
	testl	%edx, %edx
	jz	.Lleave
	movq	%rax, FRAME_NR(%rsp)
	movl	FRAME_FLAGS(%rsp), %eax
	movl	%eax, %ecx
	shrl	$11, %ecx
	andl	$1, %ecx		/* OF */
	movb	%al, %ah
	addb	$0x7f, %cl		/* overflows if it was set */
	sahf				/* SF ZF AF PF CF */
	popq	%rax
	pop_arguments
	popq	%rcx
	popq	%r11
	movq	%gs:CTX_SAVED_SP, %rsp
	jmp	*%rcx
.Lleave:
	popq	%rax
	pop_arguments
	popq	%rcx
	leaq	-2(%rcx), %rcx
	popfq
	movq	%gs:CTX_SAVED_SP, %rsp
	jmp	*%rcx
	.size	ipmon_entry, . - ipmon_entry

/*
 * From the stub of an instruction that is no syscall (monitord/sites_own.c), by a
 * call, on IP-MON's stack.  All registers and the flags go back as they came, but
 * for the results.  Not handled: two bytes further.
 */
#define INSN_RAX	16
#define INSN_FRAME	24
	.globl	ipmon_insn
	.hidden	ipmon_insn
	.type	ipmon_insn, @function
	.p2align 6
ipmon_insn:
	popq	%gs:CTX_INSN_BACK
	pushfq
	pushq	%gs:CTX_INSN_BACK
	push_arguments
	pushq	%gs:CTX_INSN
	pushq	%rax
	pushq	%rcx
	pushq	%r11
	cmpl	$0, %gs:CTX_LIVE
	je	.Linsn_leave
	cmpl	$0, %gs:CTX_INSIDE
	jne	.Linsn_leave
	testl	$FLAGS_UNUSUAL, INSN_FRAME+FRAME_FLAGS(%rsp)
	jnz	.Linsn_leave
	movl	$1, %gs:CTX_INSIDE
	movq	%gs:CTX_SELF, %rdi
	leaq	INSN_FRAME(%rsp), %rsi
	call	ipmon_instruction
	movl	$0, %gs:CTX_INSIDE
	testl	%edx, %edx
	jz	.Linsn_leave
	cmpl	$INSN_RANDOM, %gs:CTX_INSN
	je	1f
	cmpl	$INSN_VISIT, %gs:CTX_INSN
	je	3f
	movl	%eax, %ecx
	movq	%rcx, INSN_RAX(%rsp)
	shrq	$32, %rax
	movq	%rax, INSN_FRAME+FRAME_RDX(%rsp)
3:	movl	INSN_FRAME+FRAME_FLAGS(%rsp), %eax
	jmp	2f
1:	movq	%rax, %gs:CTX_INSN_VALUE
	movl	$FLAGS_CARRY, %eax
2:	movl	%eax, %ecx
	shrl	$11, %ecx
	andl	$1, %ecx		/* OF */
	movb	%al, %ah
	addb	$0x7f, %cl		/* as above */
	sahf
	popq	%r11
	popq	%rcx
	popq	%rax
	leaq	8(%rsp), %rsp
	pop_arguments
	leaq	16(%rsp), %rsp
	pushq	%gs:CTX_INSN_BACK
	ret
.Linsn_leave:
	addq	$2, %gs:CTX_INSN_BACK
	popq	%r11
	popq	%rcx
	popq	%rax
	leaq	8(%rsp), %rsp
	pop_arguments
	leaq	8(%rsp), %rsp
	popfq
	pushq	%gs:CTX_INSN_BACK
	ret
	.size	ipmon_insn, . - ipmon_insn

/*
 * int64_t ipmon_gate_call(const struct ipmon_call *call)
 *
 * Between the test of ctx->pending and the kernel entry lies the window:
 * monitord takes a task that stops in it back to window_start, so that a pending
 * set by monitord meanwhile is not missed.  Every value the call needs is in a
 * register from there on, and nothing in the window changes one.
 */
	.globl	ipmon_gate_call
	.hidden	ipmon_gate_call
	.type	ipmon_gate_call, @function
	.p2align 5
ipmon_gate_call:
	movq	%rdi, %r11
	movq	(%r11), %rax
	movq	8(%r11), %rdi
	movq	16(%r11), %rsi
	movq	24(%r11), %rdx
	movq	32(%r11), %r10
	movq	40(%r11), %r8
	movq	48(%r11), %r9
	.globl	ipmon_window_start
	.hidden	ipmon_window_start
ipmon_window_start:
	cmpl	$0, %gs:CTX_PENDING
	jne	.Lkicked
	call	*%gs:CTX_GATE
	.globl	ipmon_window_end
	.hidden	ipmon_window_end
ipmon_window_end:
	ret
.Lkicked:
	movq	$KICKED, %rax
	ret
	.size	ipmon_gate_call, . - ipmon_gate_call

	.globl	ipmon_gate_raw
	.hidden	ipmon_gate_raw
	.type	ipmon_gate_raw, @function
	.p2align 5
ipmon_gate_raw:
	movq	%rdi, %r11
	movq	(%r11), %rax
	movq	8(%r11), %rdi
	movq	16(%r11), %rsi
	movq	24(%r11), %rdx
	movq	32(%r11), %r10
	movq	40(%r11), %r8
	movq	48(%r11), %r9
	call	*%gs:CTX_GATE
	ret
	.size	ipmon_gate_raw, . - ipmon_gate_raw

/*
 * monitord comes here between two instructions of the program, on IP-MON's
 * stack, to have sent what is held (hold.c).  The last call is its way to take
 * over again: it puts back all registers.
 */
	.globl	ipmon_flush
	.hidden	ipmon_flush
	.type	ipmon_flush, @function
	.p2align 5
ipmon_flush:
	movl	$1, %gs:CTX_INSIDE
	movq	%gs:CTX_SELF, %rdi
	call	hold_drain
	movl	$0, %gs:CTX_INSIDE
	movabsq	$NR_FLUSHED, %rax
	call	*%gs:CTX_GATE
	ud2
	.size	ipmon_flush, . - ipmon_flush

	.section .note.GNU-stack, "", @progbits
