/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of the strings of arguments and environment, above where the stack begins,
 * sent through a socket pair the program made: socat's messages have them in members
 * that it does not set.  What lies in these depends on where signal frames, which are
 * aligned, have been: the same in all variants.
 */
#include "victim.h"

struct message {
	int kind;
	const char *text[2];
};

int main(int argc, char **argv)
{
	char *again[] = { argv[0], "an argument", NULL };
	char *env[] = { "VAR=a value", NULL };
	struct message m, got;
	unsigned char low;
	int fd[2], null;

	if (argc < 2) {
		execve("/proc/self/exe", again, env);
		return 1;
	}
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
	memset(&m, 0, sizeof(m));
	m.text[0] = argv[1];
	m.text[1] = environ[0];
	CHECK(send(fd[0], &m, sizeof(m), 0) == sizeof(m));
	CHECK(recv(fd[1], &got, sizeof(got), 0) == sizeof(got));
	puts(got.text[0]);
	puts(got.text[1]);
	null = open("/dev/null", O_WRONLY);
	low = (uintptr_t)argv & 63;
	CHECK(null >= 0 && write(null, &low, 1) == 1);
	return 0;
}
