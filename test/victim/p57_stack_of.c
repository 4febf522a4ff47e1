/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pthread_getattr_np: for the main thread glibc looks for the stack in
 * /proc/self/maps, for others in its own records.
 */
#include "victim.h"

static void check(void)
{
	pthread_attr_t a;
	void *addr;
	size_t size;
	char here;

	ZERO(pthread_getattr_np(pthread_self(), &a));
	ZERO(pthread_attr_getstack(&a, &addr, &size));
	CHECK(&here >= (char *)addr && &here < (char *)addr + size);
	ZERO(pthread_attr_destroy(&a));
}

static void *run(void *arg)
{
	check();
	return arg;
}

static void deep(int n)
{
	volatile char use[4096];

	use[0] = use[4095] = (char)n;
	if (n)
		deep(n - 1);
	else
		check();
}

int main(void)
{
	struct rlimit l;
	pthread_t t;

	check();
	deep(100);
	ZERO(pthread_create(&t, NULL, run, NULL));
	ZERO(pthread_join(t, NULL));
	OK(getrlimit(RLIMIT_STACK, &l));
	l.rlim_cur = 4 << 20;
	OK(setrlimit(RLIMIT_STACK, &l));
	check();
	puts("stack ok");
	return 0;
}
