// SPDX-License-Identifier: Apache-2.0
/*
 * A function waits for an answer in a variable of its own, whose address it sends
 * through a pipe to whoever is to give it: here itself, and a thread.
 */
#include "victim.h"

static int p[2];

static void answer(void)
{
	long *where;

	if (read(p[0], &where, sizeof(where)) != sizeof(where))
		exit(1);
	*where = 42;
}

static void *thread(void *arg)
{
	answer();
	return arg;
}

static long ask(bool other, int depth)
{
	long here = 0, *where = &here;
	pthread_t t;

	if (depth)
		return ask(other, depth - 1) + 1;
	if (other)
		pthread_create(&t, NULL, thread, NULL);
	if (write(p[1], &where, sizeof(where)) != sizeof(where))
		exit(1);
	if (other)
		pthread_join(t, NULL);
	else
		answer();
	return *(volatile long *)where;
}

int main(void)
{
	if (pipe(p))
		return 1;
	for (int i = 0; i < 20; i++)
		printf("%ld %ld\n", ask(false, i), ask(true, i));
	return 0;
}
