/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structures with holes, sent through a socket pair the program made: what is in
 * the padding behind a field of four bytes is half an address.  First by a fork,
 * then by the image that it executes with the socket as descriptor 3.
 */
#include "victim.h"

#define ROUNDS 300
#define FD 3

struct message {
	int kind;
	long number;
	int last;
};

static int some_data;

static void send_one(int fd, uint64_t junk, int i)
{
	struct message m;

	for (size_t k = 0; k < sizeof(m) / sizeof(junk); k++)
		memcpy((char *)&m + k * sizeof(junk), &junk, sizeof(junk));
	m.kind = i;
	m.number = i * 3;
	m.last = -i;
	CHECK(write(fd, &m, sizeof(m)) == sizeof(m));
}

static void send_all(int fd)
{
	uint64_t junk[4] = {
		(uintptr_t)&some_data, (uintptr_t)send_one, (uintptr_t)&junk,
		(uintptr_t)getpid,
	};

	for (int i = 0; i < ROUNDS; i++)
		send_one(fd, junk[i % 4], i);
}

static void receive_all(int fd)
{
	struct message m;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK(recv(fd, &m, sizeof(m), MSG_WAITALL) == sizeof(m));
		CHECK(m.kind == i && m.number == i * 3 && m.last == -i);
	}
}

int main(int argc, char **argv)
{
	pid_t child;
	int s[2];

	if (argc > 1) {
		send_all(FD);
		return 0;
	}
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	child = CHILD({
		close(s[0]);
		send_all(s[1]);
		if (s[1] != FD)
			OK(dup2(s[1], FD));
		execl("/proc/self/exe", argv[0], "again", (char *)NULL);
		_exit(1);
	});
	close(s[1]);
	receive_all(s[0]);
	receive_all(s[0]);
	REAP(child);
	printf("padding ok\n");
	return 0;
}
