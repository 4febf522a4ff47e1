/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall instructions of the program itself, of every shape: after one long
 * instruction, after short ones, with little before it in its function, with a
 * branch between the number and the instruction, through a jump table, in the
 * last byte of a page, without unwind information, and called through a pointer.
 */
#include "victim.h"

long site_long(long a), site_short(long a), site_first(long a);
long site_branch(long a, long nr), site_table(long which);
long site_page(long a), site_bare(long a);

__asm__(
"	.text\n"
"	.macro site name\n"
"	.globl \\name\n"
"	.type \\name, @function\n"
"	.p2align 4\n"
"\\name:\n"
"	.cfi_startproc\n"
"	.endm\n"
"	.macro done name\n"
"	.cfi_endproc\n"
"	.size \\name, . - \\name\n"
"	.endm\n"
"	site site_long\n"
"	mov $3, %eax\n"
"	syscall\n"
"	ret\n"
"	done site_long\n"
"	site site_short\n"
"	push %rbx\n"
"	.cfi_adjust_cfa_offset 8\n"
"	xor %ebx, %ebx\n"
"	mov $3, %bl\n"
"	mov %ebx, %eax\n"
"	syscall\n"
"	pop %rbx\n"
"	.cfi_adjust_cfa_offset -8\n"
"	ret\n"
"	done site_short\n"
/* read(a, NULL, 0) with rsi, rdx set by the caller's zeroes */
"	site site_first\n"
"	xor %eax, %eax\n"
"	syscall\n"
"	ret\n"
"	done site_first\n"
"	site site_branch\n"
"	mov %esi, %eax\n"
"	test %eax, %eax\n"
"	jnz 1f\n"
"	mov $3, %eax\n"
"1:	syscall\n"
"	ret\n"
"	done site_branch\n"
"	site site_table\n"
"	lea 9f(%rip), %rdx\n"
"	movslq (%rdx,%rdi,4), %rax\n"
"	add %rdx, %rax\n"
"	mov $-1, %edi\n"
"	jmp *%rax\n"
"2:	mov $3, %eax\n"
"	syscall\n"
"	ret\n"
"3:	mov $39, %eax\n"
"	syscall\n"
"	ret\n"
"	done site_table\n"
"	.section .rodata\n"
"	.p2align 2\n"
"9:	.long 2b - 9b, 3b - 9b\n"
"	.text\n"
/* the instruction straddles two pages */
"	.p2align 12\n"
"	.skip 4096 - 6 - 10, 0x90\n"
"	.globl site_page\n"
"	.type site_page, @function\n"
"	.cfi_startproc\n"
"	.skip 10, 0x90\n"
"site_page:\n"
"	mov $3, %eax\n"
"	syscall\n"
"	ret\n"
"	.cfi_endproc\n"
"	.size site_page, . - site_page\n"
"	.globl site_bare\n"
"	.type site_bare, @function\n"
"	.p2align 4\n"
"site_bare:\n"
"	mov $3, %eax\n"
"	syscall\n"
"	ret\n"
"	.size site_bare, . - site_bare\n");

int main(void)
{
	long (*volatile indirect)(long, ...) = syscall;
	long first = 0;
	int null = OK(open("/dev/null", O_RDWR));
	pid_t pid = getpid();

	for (int i = 0; i < 50; i++) {
		CHECK(site_long(-1) == -EBADF);
		CHECK(site_short(-1) == -EBADF);
		CHECK(site_branch(-1, 0) == -EBADF);
		CHECK(site_branch(-1, SYS_close) == -EBADF);
		CHECK(site_branch(0, SYS_getpid) == pid);
		CHECK(site_table(0) == -EBADF);
		CHECK(site_table(1) == pid);
		CHECK(site_page(-1) == -EBADF);
		CHECK(site_bare(-1) == -EBADF);
		CHECK(indirect(SYS_getpid) == pid);
		FAILS(indirect(SYS_close, -1L), EBADF);
		__asm__ volatile("xor %%esi, %%esi; xor %%edx, %%edx;"
				 "call site_first"
				 : "=a"(first) : "D"((long)null)
				 : "rcx", "rdx", "rsi", "r11", "memory");
		CHECK(first == 0);
	}
	/* descriptors opened by one way are closed by another */
	for (int i = 0; i < 20; i++)
		CHECK(site_page(OK(dup(null))) == 0 &&
		      site_short(OK(dup(null))) == 0);
	puts("sites ok");
	return 0;
}
