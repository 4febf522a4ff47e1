// SPDX-License-Identifier: Apache-2.0
/*
 * A small TCP server with a hole, for bench/demo.  Vulnerable on purpose.
 *
 * It greets whoever sends a name.  The name is copied into a 64-byte buffer
 * without looking at its length, and behind that buffer lies the pointer to
 * the function that greets.  A longer name therefore decides what the server
 * executes next: overwritten with the address of open_the_vault(), it makes
 * the server write a file nobody asked for and hand out a secret.
 *
 *	demo_victim FILE	serve on a free loopback port, which is printed;
 *				FILE is what the attack would create
 *	demo_victim --port	print a loopback port that is free now
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *loot;

static struct visitor {
	char name[64];
	void (*greet)(int fd, const char *name);
} visitor;

static void say_to(int fd, const char *text)
{
	/* one that is gone does not matter */
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		perror("send");
}

static void greet(int fd, const char *name)
{
	char line[128];

	snprintf(line, sizeof(line), "hello, %.64s\n", name);
	say_to(fd, line);
}

/* Nothing calls this. */
void open_the_vault(int fd, const char *name);
void open_the_vault(int fd, const char *name)
{
	int out = open(loot, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	(void)name;
	if (out < 0 || write(out, "pwned\n", 6) != 6)
		perror(loot);
	close(out);
	say_to(fd, "pwned: here is the secret, 42\n");
}

static void serve(int fd)
{
	char request[512];
	ssize_t n = recv(fd, request, sizeof(request), 0);

	if (n <= 0)
		return;
	memset(&visitor, 0, sizeof(visitor));
	visitor.greet = greet;
	/* The hole: nobody asked whether n is at most 64.  (A loop, so that no
	 * compiler sees through it and warns.) */
	for (ssize_t i = 0; i < n && i < (ssize_t)sizeof(visitor); i++)
		((volatile char *)&visitor)[i] = request[i];
	visitor.greet(fd, visitor.name);
}

static int listen_somewhere(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(addr, 0, sizeof(*addr));
	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (s < 0 || bind(s, (struct sockaddr *)addr, len) < 0 ||
	    listen(s, 8) < 0 ||
	    getsockname(s, (struct sockaddr *)addr, &len) < 0) {
		perror("demo_victim");
		exit(1);
	}
	return s;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr;
	int s;

	if (argc != 2) {
		fprintf(stderr, "usage: demo_victim FILE | --port\n");
		return 2;
	}
	loot = argv[1];
	s = listen_somewhere(&addr);
	printf("%d %d\n", ntohs(addr.sin_port), (int)getpid());
	fflush(stdout);
	if (!strcmp(argv[1], "--port"))
		return 0;
	for (;;) {
		int fd = accept4(s, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		serve(fd);
		close(fd);
	}
}
