/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults on protected, unmapped and past-the-end pages reach handlers that
 * repair and continue.
 */
#include "victim.h"
static char *page;
static int faults;
static void fix(int sig, siginfo_t *si, void *uc)
{
	CHECK(sig == SIGSEGV && si->si_code == SEGV_ACCERR);
	CHECK((char *)si->si_addr >= page && (char *)si->si_addr < page + 16 * 4096);
	faults++;
	OK(mprotect((void *)((uintptr_t)si->si_addr & ~4095ul), 4096,
		    PROT_READ | PROT_WRITE));
}
static sigjmp_buf back;
static int code;
static void jump(int sig, siginfo_t *si, void *uc)
{
	code = si->si_code;
	siglongjmp(back, sig);
}
static volatile int zero;

int main(void)
{
	int fd;
	char *m;

	handle_info(SIGSEGV, fix, 0);
	page = OK(mmap(NULL, 16 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < 16; i++)
		page[i * 4096 + 100] = i;
	for (int i = 0; i < 16; i++)
		CHECK(page[i * 4096 + 100] == i);
	printf("repaired %d\n", faults);
	handle_info(SIGSEGV, jump, 0);
	handle_info(SIGBUS, jump, 0);
	handle_info(SIGFPE, jump, 0);
	handle_info(SIGILL, jump, 0);
	handle_info(SIGTRAP, jump, 0);
	switch (sigsetjmp(back, 1)) {
	case 0:
		*(volatile int *)8 = 1;
		_exit(2);
	case SIGSEGV:
		printf("null %d\n", code == SEGV_MAPERR);
	}
	fd = OK(open("short", O_RDWR | O_CREAT | O_TRUNC, 0600));
	OK(ftruncate(fd, 100));
	m = OK(mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 0));
	switch (sigsetjmp(back, 1)) {
	case 0:
		CHECK(*(volatile char *)(m + 200) == 0);
		(void)*(volatile char *)(m + 5000);
		_exit(2);
	case SIGBUS:
		printf("beyond the end %d\n", code == BUS_ADRERR);
	}
	switch (sigsetjmp(back, 1)) {
	case 0:
		printf("%d\n", 5 / zero);
		_exit(2);
	case SIGFPE:
		printf("division %d\n", code == FPE_INTDIV);
	}
	switch (sigsetjmp(back, 1)) {
	case 0:
		__asm__ volatile("ud2");
		_exit(2);
	case SIGILL:
		printf("ud2 %d\n", code == ILL_ILLOPN);
	}
	switch (sigsetjmp(back, 1)) {
	case 0:
		__asm__ volatile("int3");
		_exit(2);
	case SIGTRAP:
		printf("int3 %d\n", code == SI_KERNEL);
	}
	return 0;
}
