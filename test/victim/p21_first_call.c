/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that share memory: what a child does before its first system call is
 * done before its parent looks, which was told by the child's call.  The child
 * computes for a while, so that variants are not equally fast with it.
 */
#include "victim.h"

#define ROUNDS 20
#define STEPS 3000000

static volatile unsigned int *count;

int main(void)
{
	volatile unsigned int *mem = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					     MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	int up[2], down[2];
	unsigned int sum = 0;
	char c;

	count = mem;
	OK(pipe(up));
	OK(pipe(down));
	/* the calls' places become known before there is a child */
	for (int i = 0; i < 20; i++) {
		CHECK(write(up[1], "x", 1) == 1);
		CHECK(read(up[0], &c, 1) == 1);
	}
	for (int i = 0; i < ROUNDS; i++) {
		struct pollfd wait = { .fd = down[0], .events = POLLIN };
		pid_t p = CHILD({
			for (unsigned int k = 0; k < STEPS; k++)
				++*count;
			/* nobody writes before the parent has seen */
			OK(poll(&wait, 1, -1));
			CHECK(read(down[0], &c, 1) == 1);
		});
		struct pollfd none = { .fd = -1 };

		/* the child's turn is over when it waits: then this one's ends */
		while (*count != STEPS)
			OK(poll(&none, 1, 1));
		sum += *count;
		*count = 0;
		CHECK(write(down[1], "x", 1) == 1);
		REAP(p);
	}
	printf("%u\n", sum);
	return 0;
}
