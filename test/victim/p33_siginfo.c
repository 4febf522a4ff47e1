/* SPDX-License-Identifier: Apache-2.0 */
/*
 * siginfo tells who sent, why and where; a handler may change the context it
 * returns to.
 */
#include "victim.h"
static volatile siginfo_t last;
static void on(int sig, siginfo_t *si, void *uc)
{
	last = *si;
}
static void skip(int sig, siginfo_t *si, void *uc)
{
	ucontext_t *u = uc;

	last = *si;
	u->uc_mcontext.gregs[REG_RIP] += 2;	/* ud2 */
	u->uc_mcontext.gregs[REG_RBX] = 0x1234;
}

int main(void)
{
	uint64_t rbx = 0;
	pid_t p;

	handle_info(SIGUSR1, on, 0);
	handle_info(SIGCHLD, on, 0);
	handle_info(SIGILL, skip, 0);
	OK(kill(getpid(), SIGUSR1));
	CHECK(last.si_signo == SIGUSR1 && last.si_code == SI_USER &&
	      last.si_pid == getpid() && last.si_uid == getuid());
	OK(raise(SIGUSR1));
	CHECK(last.si_code == SI_TKILL && last.si_pid == getpid());
	p = CHILD({
		OK(kill(getppid(), SIGUSR1));
		sleep_ms(20);
		_exit(42);
	});
	while (last.si_pid != p)
		sleep_ms(1);
	CHECK(last.si_signo == SIGUSR1);
	while (last.si_signo != SIGCHLD)
		sleep_ms(1);
	CHECK(last.si_code == CLD_EXITED && last.si_pid == p && last.si_status == 42);
	CHECK(WEXITSTATUS(reap(p)) == 42);
	for (int i = 0; i < 3; i++) {
		__asm__ volatile("ud2" : "=b"(rbx) : : "memory");
		CHECK(rbx == 0x1234 && last.si_signo == SIGILL);
		CHECK(last.si_addr != NULL);
	}
	puts("siginfo ok");
	return 0;
}
