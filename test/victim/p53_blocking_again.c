// SPDX-License-Identifier: Apache-2.0
/*
 * Whether a read blocks is the open file's affair, and may change between one answer that
 * is held and the next: by another descriptor, by another process, by a descriptor's
 * number that is used again.
 */
#include <linux/close_range.h>

#include "victim.h"

#define ROUNDS 20

/* The peer: answers each byte with the next one, after a while. */
static void serve(int s)
{
	char c;

	while (read(s, &c, 1) == 1) {
		if (c == 'q')
			break;
		usleep(2000);
		c++;
		CHECK(write(s, &c, 1) == 1);
	}
	_exit(0);
}

static int peer(pid_t *pid)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0), s;

	CHECK(!bind(l, (struct sockaddr *)&a, sizeof(a)));
	CHECK(!listen(l, 1));
	CHECK(!getsockname(l, (struct sockaddr *)&a, &len));
	*pid = fork();
	if (!*pid)
		serve(accept(l, NULL, NULL));
	s = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!connect(s, (struct sockaddr *)&a, sizeof(a)));
	close(l);
	return s;
}

static int flags(int fd, int nonblock)
{
	return fcntl(fd, F_SETFL, nonblock ? O_NONBLOCK : 0);
}

static int by_ioctl(int fd, int nonblock)
{
	return ioctl(fd, FIONBIO, &nonblock);
}

static int by_child(int fd, int nonblock)
{
	pid_t pid = fork();

	if (!pid)
		_exit(flags(fd, nonblock) != 0);
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static ssize_t by_recv(int s, char *c)
{
	return recv(s, c, 1, 0);
}

static ssize_t by_read(int s, char *c)
{
	return read(s, c, 1);
}

/* Two questions in a row: the first answer is not there yet, the second is waited for. */
static int asks(int s, int d, int (*set)(int, int), ssize_t (*get)(int, char *))
{
	char c = 'a', c2 = 0;
	int again = 0, i;

	for (i = 0; i < ROUNDS; i++) {
		CHECK(!set(d, 1));
		CHECK(send(s, "a", 1, 0) == 1);
		if (get(s, &c) == 1)
			return -1;
		again += errno == EAGAIN;
		CHECK(!set(d, 0));
		CHECK(get(s, &c) == 1);
		CHECK(send(s, "c", 1, 0) == 1);
		if (get(s, &c2) != 1 || c != 'b' || c2 != 'd')
			return -1;
	}
	return again;
}

static void leaves(int s, pid_t pid)
{
	CHECK(send(s, "q", 1, 0) == 1);
	close(s);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

int main(void)
{
	int (*const set[])(int, int) = { flags, by_ioctl, by_child };
	ssize_t (*const get[])(int, char *) = { by_recv, by_read };
	pid_t pid, pid2;
	char c;
	int s, s2;

	for (unsigned int i = 0; i < 3; i++) {
		for (unsigned int k = 0; k < 2; k++) {
			s = peer(&pid);
			printf("%u %u: %d\n", i, k,
			       asks(s, dup(s), set[i], get[k]));
			leaves(s, pid);
		}
	}
	/* another one with the same number */
	s = peer(&pid);
	for (int i = 0; i < ROUNDS; i++) {
		flags(s, 1);
		CHECK(send(s, "a", 1, 0) == 1);
		while (recv(s, &c, 1, 0) != 1)
			;
	}
	CHECK(send(s, "q", 1, 0) == 1);
	CHECK(!close_range((unsigned int)s, ~0u, 0));
	s2 = peer(&pid2);
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(send(s2, "x", 1, 0) == 1);
		CHECK(recv(s2, &c, 1, 0) == 1 && c == 'y');
	}
	puts("another one");
	leaves(s2, pid2);
	CHECK(waitpid(pid, NULL, 0) == pid);
	return 0;
}
