// SPDX-License-Identifier: Apache-2.0
/*
 * A signal has interrupted a loop that waits, and while its handler has not returned
 * others wait in the same loop, for the first time.  Who was interrupted goes on where it
 * was, between two of the first instructions of the loop.
 *
 * Where in the loop a signal comes is not for the program to say, so the handler puts
 * each of the places into the frame in turn: those instructions do nothing.
 */
#include <sys/time.h>
#include <ucontext.h>

#include "victim.h"

#define PLACES 3
#define HANDOVERS 30

static int turn, quit, taken;

/* Waits until *p is `what`.  The first four instructions have a byte each: a jump would
 * cover them all. */
__asm__(".text\n\t.p2align 4\n"
	"\t.globl see\n\t.type see, @function\nsee:\n"
	"\t.cfi_startproc\n"
	"see_loop:\n\tnop\n\tnop\n\tnop\n\tnop\n"
	"\tcmp %esi, (%rdi)\n"
	"\tjne see_loop\n"
	"see_end:\n\tret\n"
	"\t.cfi_endproc\n\t.size see, . - see\n");
extern void see(const int *p, int what);
extern const char see_loop[], see_end[];

static void *wait_for(void *arg)
{
	for (int i = 0; i < HANDOVERS; i++) {
		see(&turn, 1);
		__atomic_store_n(&turn, 0, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void soon(void)
{
	struct itimerval ms = { .it_value = { 0, 20000 } };

	ZERO(setitimer(ITIMER_REAL, &ms, NULL));
}

static void handler(int sig, siginfo_t *si, void *uc)
{
	greg_t *at = &((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
	uintptr_t from = (uintptr_t)see_loop;
	pthread_t other;

	if ((uintptr_t)*at < from || (uintptr_t)*at >= (uintptr_t)see_end) {
		soon();
		return;
	}
	*at = (greg_t)from + 1 + taken++;
	if (taken == 1) {
		ZERO(pthread_create(&other, NULL, wait_for, NULL));
		for (int i = 0; i < HANDOVERS; i++) {
			__atomic_store_n(&turn, 1, __ATOMIC_RELEASE);
			see(&turn, 0);
		}
		ZERO(pthread_join(other, NULL));
	}
	__atomic_store_n(&quit, taken, __ATOMIC_RELEASE);
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	ZERO(sigaction(SIGALRM, &sa, NULL));
	for (int i = 1; i <= PLACES; i++) {
		soon();
		see(&quit, i);
	}
	printf("%d times\n", taken);
	return 0;
}
