/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constructors and destructors run in their order, before and after main,
 * with system calls in them.
 */
#include "victim.h"
static int step;
__attribute__((constructor(201))) static void one(void)
{
	CHECK(write(1, "one\n", 4) == 4 && step++ == 0);
}
__attribute__((constructor(202))) static void two(void)
{
	CHECK(step++ == 1);
	put_file("made", "by a constructor");
}
__attribute__((destructor(202))) static void last(void)
{
	CHECK(write(1, "last\n", 5) == 5);
}
static void at(void)
{
	puts("atexit");
}
static void on(int st, void *arg)
{
	printf("on_exit %d\n", st);
}

int main(void)
{
	CHECK(step == 2);
	atexit(at);
	on_exit(on, NULL);
	puts("main");
	return 0;
}
