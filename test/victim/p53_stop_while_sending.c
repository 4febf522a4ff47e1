/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that answers without a pause is stopped and continued, at once or a little
 * later, and sent a signal it handles in between: SIGCONT takes back a stop that has
 * not happened yet, and none is lost.
 */
#include "victim.h"

static volatile sig_atomic_t done;
static int acks[2];

static void on_usr1(int sig)
{
	(void)sig;
	CHECK(write(acks[1], "u", 1) == 1);
}

static void on_term(int sig)
{
	done = sig;
}

static void serve(int listener)
{
	char buf[64];
	ssize_t n;
	int fd;

	handle(SIGUSR1, on_usr1, SA_RESTART);
	fd = (int)OK(accept(listener, NULL, NULL));
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		CHECK(send(fd, buf, (size_t)n, 0) == n);
	_exit(3);
}

static void ask(const struct sockaddr_in *addr)
{
	int fd = (int)OK(socket(AF_INET, SOCK_STREAM, 0));
	char buf[8];

	handle(SIGTERM, on_term, SA_RESTART);
	OK(connect(fd, (const void *)addr, sizeof(*addr)));
	for (unsigned int i = 0; !done; i++) {
		CHECK(send(fd, &i, sizeof(i), 0) == sizeof(i));
		CHECK(recv(fd, buf, sizeof(i), MSG_WAITALL) == sizeof(i) &&
		      !memcmp(buf, &i, sizeof(i)));
		if (i == 50)
			CHECK(write(acks[1], "r", 1) == 1);
	}
	_exit(4);
}

int main(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(addr);
	int listener = (int)OK(socket(AF_INET, SOCK_STREAM, 0));
	pid_t server, client;
	char c;

	OK(bind(listener, (void *)&addr, len));
	OK(listen(listener, 1));
	OK(getsockname(listener, (void *)&addr, &len));
	OK(pipe(acks));
	server = CHILD(serve(listener));
	client = CHILD(ask(&addr));
	CHECK(read(acks[0], &c, 1) == 1 && c == 'r');
	for (unsigned int i = 0; i < 300; i++) {
		OK(kill(server, SIGSTOP));
		if (i % 3 == 1)
			OK(kill(server, SIGUSR1));
		burn(100 * (i % 50));
		OK(kill(server, SIGCONT));
		if (i % 3 == 1)
			CHECK(read(acks[0], &c, 1) == 1 && c == 'u');
		burn(300 * (i % 20));
	}
	OK(kill(client, SIGTERM));
	CHECK(WEXITSTATUS(reap(client)) == 4);
	CHECK(WEXITSTATUS(reap(server)) == 3);
	puts("stopped and continued");
	return 0;
}
