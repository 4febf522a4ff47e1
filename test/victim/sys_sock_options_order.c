// SPDX-License-Identifier: Apache-2.0
/*
 * Options of a TCP socket keep their place among outputs, and their results: what
 * `verified` holds back (libipmon/hold_opt.c) must not be told apart.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int listener, bound;
static struct sockaddr_in addr;

static void set(int fd, int level, int name, int value, socklen_t len)
{
	int r = setsockopt(fd, level, name, &value, len);

	printf("set %d/%d=%d len %d: %d %s\n", level, name, value, (int)len, r,
	       r ? strerror(errno) : "");
}

static void get(int fd, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);
	int r = getsockopt(fd, IPPROTO_TCP, name, &v, &len);

	printf("get %d: %d %d %d\n", name, r, !!v, (int)len);
}

static unsigned long sum(const unsigned char *p, size_t n)
{
	unsigned long s = 5381;

	while (n--)
		s = s * 33 + *p++;
	return s;
}

/* The peer: says what came until the end of each connection. */
static void peer(int conns)
{
	for (int c = 0; c < conns; c++) {
		int s = socket(AF_INET, SOCK_STREAM, 0);
		size_t n = 0;
		unsigned char *buf = malloc(1 << 20);
		ssize_t r;

		if (connect(s, (void *)&addr, sizeof(addr)))
			_exit(3);
		while ((r = read(s, buf + n, (1 << 20) - n)) > 0)
			n += (size_t)r;
		printf("peer %d: %zu bytes, %lx\n", c, n, sum(buf, n));
		free(buf);
		close(s);
	}
	/* before the parent's, which is waiting for our end */
	fflush(stdout);
	_exit(0);
}

static void answers(int fd, int file, size_t size)
{
	char head[] = "HTTP/1.1 200 OK\r\n\r\n";
	struct iovec v = { head, sizeof(head) - 1 };

	for (int i = 0; i < 4; i++) {
		off_t off = 0;

		set(fd, IPPROTO_TCP, TCP_CORK, 1, 4);
		printf("writev %zd\n", writev(fd, &v, 1));
		printf("sendfile %zd", sendfile(fd, file, &off, size));
		printf(" off %ld\n", (long)off);
		set(fd, IPPROTO_TCP, TCP_CORK, 0, 4);
	}
	get(fd, TCP_CORK);
}

int main(void)
{
	static char out[65536];
	socklen_t len = sizeof(addr);
	int file = memfd_create("f", 0), fd, st;
	char *data = malloc(65536);
	pid_t pid;

	setvbuf(stdout, out, _IOFBF, sizeof(out));
	for (int i = 0; i < 65536; i++)
		data[i] = (char)(i * 7 + i / 251);
	if (write(file, data, 65536) != 65536)
		return 1;
	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	set(listener, SOL_SOCKET, SO_REUSEADDR, 1, 4);
	set(listener, IPPROTO_TCP, TCP_NODELAY, 1, 4);
	set(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0, 4);
	bound = bind(listener, (void *)&addr, sizeof(addr)) ||
		listen(listener, 4) ||
		getsockname(listener, (void *)&addr, &len);
	printf("bound %d\n", bound);
	fflush(stdout);
	pid = fork();
	if (!pid)
		peer(3);

	/* answers, as servers write them */
	fd = accept(listener, NULL, NULL);
	get(fd, TCP_NODELAY);
	answers(fd, file, 4096);
	answers(fd, file, 65536);
	set(fd, IPPROTO_TCP, TCP_NODELAY, 0, 4);
	get(fd, TCP_NODELAY);
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1, 4);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1, 4);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 7, 4);
	close(fd);

	/* what the kernel refuses, in between */
	fd = accept(listener, NULL, NULL);
	printf("write %zd\n", write(fd, "abc", 3));
	set(fd, IPPROTO_TCP, TCP_CORK, 1, 2);
	set(fd, IPPROTO_TCP, TCP_CORK, 1, 0);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, 100000, 4);
	printf("fault %d", setsockopt(fd, IPPROTO_TCP, TCP_CORK, (void *)8, 4));
	printf(" %s\n", strerror(errno));
	set(fd, IPPROTO_TCP, TCP_CORK, 1, 4);
	printf("write %zd\n", write(fd, "def", 3));
	get(fd, TCP_CORK);
	set(fd, IPPROTO_TCP, TCP_CORK, 0, 4);
	printf("shutdown %d\n", shutdown(fd, SHUT_WR));
	set(fd, IPPROTO_TCP, TCP_CORK, 1, 4);
	get(fd, TCP_CORK);
	close(fd);
	set(fd, IPPROTO_TCP, TCP_CORK, 1, 4);

	/* eight bytes of value: the first four count */
	fd = accept(listener, NULL, NULL);
	{
		int two[2] = { 1, 9 };

		printf("write %zd\n", write(fd, "ghi", 3));
		printf("long %d\n", setsockopt(fd, IPPROTO_TCP, TCP_CORK, two,
					       sizeof(two)));
	}
	printf("write %zd\n", write(fd, data, 30000));
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1, 4);
	printf("write %zd\n", write(fd, data, 20000));
	close(fd);
	printf("wait %d", waitpid(pid, &st, 0) == pid);
	printf(" %d\n", st);
	return 0;
}
