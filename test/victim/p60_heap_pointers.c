// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses of objects that allocators have put elsewhere in each variant, in a pipe of
 * the program's own: a heap is not in the same state everywhere when a program has
 * sized or aligned something by an address.  Who reads one finds its own object.
 */
#include <pthread.h>

#include "victim.h"

struct message {
	long before;
	char *object, *inside;
	long behind;
};

/* Under disjoint layouts the upper half of an address is another one in each variant. */
static char *moved_object(const char *text)
{
	unsigned int n = (unsigned int)((uintptr_t)&text >> 36) % 512u;
	char *p;

	/* kept: what follows must not get their place */
	for (unsigned int i = 0; i < n; i++)
		CHECK(malloc(24));
	p = malloc(64);
	CHECK(p);
	snprintf(p, 64, "%s", text);
	return p;
}

static void pass(const char *text)
{
	struct message m = { .before = 1, .behind = 2 }, got;
	char *p = moved_object(text);
	int fd[2];

	m.object = p;
	m.inside = p + 3;
	OK(pipe(fd));
	for (int i = 0; i < 5; i++) {
		CHECK(write(fd[1], &m, sizeof(m)) == sizeof(m));
		CHECK(read(fd[0], &got, sizeof(got)) == sizeof(got));
		CHECK(got.before == 1 && got.behind == 2);
		CHECK(got.object == p && got.inside == p + 3);
	}
	printf("%s %s\n", got.object, got.inside);
	close(fd[0]);
	close(fd[1]);
}

static void *in_an_arena(void *arg)
{
	pass(arg);
	return NULL;
}

int main(void)
{
	pthread_t t;
	int p[2];
	pid_t child;
	char *object = moved_object("a parent's");
	char *got;

	pass("on the heap");
	CHECK(!pthread_create(&t, NULL, in_an_arena, (void *)"in an arena"));
	pthread_join(t, NULL);

	OK(pipe(p));
	child = CHILD({
		CHECK(read(p[0], &got, sizeof(got)) == sizeof(got));
		CHECK(got == object && !strcmp(got, "a parent's"));
	});
	CHECK(write(p[1], &object, sizeof(object)) == sizeof(object));
	REAP(child);
	puts("heaps ok");
	return 0;
}
