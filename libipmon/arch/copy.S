/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's memory: copy, compare, measure.
 *
 * Theory of operation
 * -------------------
 * Addresses the program passes may be bad.  A fault between ipmon_copy_start
 * and ipmon_copy_end is moved by monitord to ipmon_copy_fault, all registers as
 * they were; r8 says what to do there:
 *
 *	0	copying by bytes: rcx are left
 *	1	copying by words: go on by bytes, which ends in a second fault at
 *		the very byte
 *	2	comparing by words: go on by bytes
 *	3	comparing by bytes: rcx are left
 *	4	measuring a string: unreadable
 *
 * The kernel copies up to the bad byte, so we have to know it as well.
 */
	.text
	.globl	ipmon_copy_start
	.hidden	ipmon_copy_start
	.p2align 5
ipmon_copy_start:

/*
 * size_t ipmon_copy(void *dst, const void *src, size_t n)
 * rep movsb has a long start-up: few bytes go by words.
 */
	.globl	ipmon_copy
	.hidden	ipmon_copy
	.type	ipmon_copy, @function
ipmon_copy:
	movq	%rdx, %rcx
	cmpq	$256, %rdx
	ja	.Lcopy_bytes
	movl	$1, %r8d
	subq	$8, %rcx
	jb	2f
1:	movq	(%rsi), %rax
	movq	%rax, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
	subq	$8, %rcx
	jae	1b
2:	xorl	%r8d, %r8d
	addq	$8, %rcx
	jz	4f
3:	movzbl	(%rsi), %eax
	movb	%al, (%rdi)
	incq	%rsi
	incq	%rdi
	decq	%rcx
	jnz	3b
4:	xorl	%eax, %eax
	ret
.Lcopy_bytes:
	xorl	%r8d, %r8d
	rep movsb
	movq	%rcx, %rax
	ret
	.size	ipmon_copy, . - ipmon_copy

/*
 * struct ipmon_equal ipmon_equal(const void *theirs, const void *ours,
 *				  size_t n)
 * rax = bytes equal, rdx = 1 if a byte of theirs could not be read.
 */
	.globl	ipmon_equal
	.hidden	ipmon_equal
	.type	ipmon_equal, @function
	.p2align 5
ipmon_equal:
	movq	%rdx, %rcx		/* left */
	movq	%rdx, %r9
	movl	$2, %r8d
	subq	$8, %rcx
	jb	2f
1:	movq	(%rdi), %rax
	cmpq	(%rsi), %rax
	jne	2f
	addq	$8, %rdi
	addq	$8, %rsi
	subq	$8, %rcx
	jae	1b
2:	addq	$8, %rcx
.Lequal_bytes:
	movl	$3, %r8d
	testq	%rcx, %rcx
	jz	4f
3:	movzbl	(%rdi), %eax
	cmpb	(%rsi), %al
	jne	4f
	incq	%rdi
	incq	%rsi
	decq	%rcx
	jnz	3b
4:	movq	%r9, %rax
	subq	%rcx, %rax
	xorl	%edx, %edx
	ret
	.size	ipmon_equal, . - ipmon_equal

/*
 * int64_t ipmon_strnlen(const char *s, size_t max)
 * By aligned words, which never reach into a page the string is not in; bytes
 * before the string count as non-zero.
 */
	.globl	ipmon_strnlen
	.hidden	ipmon_strnlen
	.type	ipmon_strnlen, @function
	.p2align 5
ipmon_strnlen:
	movl	$4, %r8d
	testq	%rsi, %rsi
	jz	4f
	movl	%edi, %ecx
	andl	$7, %ecx
	movq	%rcx, %r9
	negq	%r9			/* where the word begins in the string */
	shll	$3, %ecx
	movl	$1, %eax
	shlq	%cl, %rax
	decq	%rax			/* bytes before the string */
	orq	(%rdi,%r9), %rax
	movabsq	$0x0101010101010101, %r10
	movabsq	$0x8080808080808080, %r11
	jmp	2f
1:	movq	(%rdi,%r9), %rax
2:	movq	%rax, %rdx
	subq	%r10, %rdx
	notq	%rax
	andq	%rax, %rdx
	andq	%r11, %rdx
	jnz	3f
	addq	$8, %r9
	cmpq	%rsi, %r9
	jl	1b
	jmp	4f
3:	bsfq	%rdx, %rdx		/* the first zero byte */
	shrl	$3, %edx
	leaq	(%r9,%rdx), %rax
	cmpq	%rsi, %rax
	jl	5f
4:	movq	%rsi, %rax
5:	ret
	.size	ipmon_strnlen, . - ipmon_strnlen

	.globl	ipmon_copy_end
	.hidden	ipmon_copy_end
ipmon_copy_end:
	nop

	.globl	ipmon_copy_fault
	.hidden	ipmon_copy_fault
	.type	ipmon_copy_fault, @function
ipmon_copy_fault:
	cmpl	$1, %r8d
	jb	0f
	je	1f
	cmpl	$3, %r8d
	jb	2f
	je	3f
	movq	$-1, %rax
	ret
0:	movq	%rcx, %rax
	ret
1:	addq	$8, %rcx
	jmp	.Lcopy_bytes
2:	addq	$8, %rcx
	jmp	.Lequal_bytes
3:	movq	%r9, %rax
	subq	%rcx, %rax
	movl	$1, %edx
	ret
	.size	ipmon_copy_fault, . - ipmon_copy_fault

	.section .note.GNU-stack, "", @progbits
