/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers on an alternate stack; stack overflow survived; SS flags. */
#include "victim.h"
static char alt[65536] __attribute__((aligned(16)));
static sigjmp_buf env;
static volatile bool on_alt;
static void on(int sig)
{
	char here;
	stack_t ss;

	on_alt = &here >= alt && &here < alt + sizeof(alt);
	sigaltstack(NULL, &ss);
	CHECK((ss.ss_flags & SS_ONSTACK) == (on_alt ? SS_ONSTACK : 0));
	if (sig == SIGSEGV)
		siglongjmp(env, 1);
}
static volatile int endless = 1;
static int __attribute__((noinline)) overflow(volatile char *p)
{
	volatile char big[8192];

	if (!endless)
		return 0;

	big[0] = *p;
	big[8191] = 1;
	return overflow(big) + big[8191];
}

int main(void)
{
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) }, old;
	char c = 0;
	struct rlimit rl = { 1 << 20, 1 << 20 };

	OK(setrlimit(RLIMIT_STACK, &rl));
	OK(sigaltstack(&ss, NULL));
	handle(SIGUSR1, on, SA_ONSTACK);
	raise(SIGUSR1);
	printf("on alternate %d\n", on_alt);
	handle(SIGUSR1, on, 0);
	raise(SIGUSR1);
	printf("on alternate %d\n", on_alt);
	handle(SIGSEGV, on, SA_ONSTACK);
	for (int i = 0; i < 3; i++)
		if (!sigsetjmp(env, 1))
			printf("%d\n", overflow(&c));
	printf("overflow survived %d\n", on_alt);
	OK(sigaltstack(NULL, &old));
	CHECK(old.ss_sp == alt && old.ss_size == sizeof(alt));
	ss.ss_flags = SS_DISABLE;
	OK(sigaltstack(&ss, NULL));
	OK(sigaltstack(NULL, &old));
	CHECK(old.ss_flags & SS_DISABLE);
	ss = (stack_t){ .ss_sp = alt, .ss_size = 100 };
	FAILS(sigaltstack(&ss, NULL), ENOMEM);
	ss = (stack_t){ .ss_sp = alt, .ss_size = 65536, .ss_flags = 77 };
	FAILS(sigaltstack(&ss, NULL), EINVAL);
	return 0;
}
