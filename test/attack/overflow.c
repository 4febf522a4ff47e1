/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An overflow that overwrites a function pointer, exploited with an address
 * of one layout: the attacker knows where the leader has its code (he is told
 * through a file, standing for a leak) and sends it over. In the leader the
 * exploit works; in every other variant the same bytes point nowhere.
 *
 * Without an argument it is the victim: reads a request from standard input
 * into a buffer that is too small. With the argument "native" it exploits
 * itself, to show that the hole is real.
 */
#include "attack.h"

struct session {
	char name[16];
	void (*greet)(struct session *);
};

static void hello(struct session *s)
{
	(void)s;
	(void)!write(1, "hello\n", 6);
}

static void __attribute__((used, noinline)) secret(struct session *s)
{
	(void)s;
	effect();
	(void)!write(1, "owned\n", 6);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct session s = { "", hello };
	uintptr_t target = 0;
	char request[64];
	ssize_t n;

	if (argc > 1 && strcmp(argv[1], "native") == 0) {
		target = (uintptr_t)secret;
		memset(request, 'A', sizeof(request));
		memcpy(request + 16, &target, sizeof(target));
		n = 24;
	} else {
		/* the runner reads where the leader's code lies and answers
		 * with the request an attacker would send */
		n = read(0, request, sizeof(request));
	}
	if (n > 0) {
		volatile char *to = s.name;

		for (ssize_t i = 0; i < n; i++)	/* no check of the length */
			to[i] = request[i];
	}
	s.greet(&s);
	return 0;
}
