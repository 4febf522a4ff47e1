/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaks: addresses and memory that was never written go out by every way
 * there is. The first argument says what, the second how.
 */
#include <netinet/in.h>
#include "attack.h"

static int how_fd = 1;
static const char *how = "write";

/* To somebody outside of the monitored tree: the test's own server. */
static int port, connected;

static void connect_out(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	connected = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(connected, (struct sockaddr *)&a, sizeof(a)))
		exit(3);
	(void)!write(connected, "hello", 5);
}

/* Both ends of a TCP connection over loopback. */
static void outside(int s[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	s[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(l, (struct sockaddr *)&a, len) || listen(l, 1) ||
	    getsockname(l, (struct sockaddr *)&a, &len) ||
	    connect(s[0], (struct sockaddr *)&a, len))
		exit(3);
	s[1] = accept(l, NULL, NULL);
}

static void out(const void *p, size_t n)
{
	struct iovec v[2] = { { (void *)(uintptr_t)"", 0 }, { (void *)(uintptr_t)p, n } };
	struct msghdr h = { .msg_iov = v, .msg_iovlen = 2 };
	int s[2], fd;

	if (port) {
		(void)!write(connected, p, n);
	} else if (strcmp(how, "write") == 0) {
		(void)!write(how_fd, p, n);
	} else if (strcmp(how, "writev") == 0) {
		(void)!writev(how_fd, v, 2);
	} else if (strcmp(how, "pwrite") == 0) {
		fd = open("out", O_RDWR | O_CREAT, 0600);
		(void)!pwrite(fd, p, n, 0);
	} else if (strcmp(how, "open") == 0) {
		char name[64];

		/* not exclusively: then any name would do (newname.c) */
		snprintf(name, sizeof(name), "d%lx", *(const unsigned long *)p);
		fd = open(name, O_WRONLY | O_CREAT, 0600);
	} else {
		/* a socket pair of its own does not lead out: a real one */
		outside(s);
		if (strcmp(how, "sendmsg") == 0)
			sendmsg(s[0], &h, 0);
		else if (strcmp(how, "send") == 0)
			send(s[0], p, n, 0);
	}
}

static void __attribute__((noinline)) fill(void)
{
	volatile uintptr_t a[64];

	for (int i = 0; i < 64; i++)
		a[i] = (uintptr_t)&a[i];
}

static void __attribute__((noinline)) stack_garbage(void)
{
	char b[512];

	__asm__ volatile("" : : "r"(b) : "memory");
	out(b, sizeof(b));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "stack";
	char text[64];
	uintptr_t v;
	void *p;

	if (argc > 2)
		how = argv[2];
	warm();
	if (strncmp(how, "port:", 5) == 0) {
		port = atoi(how + 5);
		connect_out();
	}
	if (strcmp(what, "stack") == 0) {
		v = (uintptr_t)&v;
		out(&v, sizeof(v));
	} else if (strcmp(what, "function") == 0) {
		snprintf(text, sizeof(text), "%p\n", (void *)(uintptr_t)main);
		out(text, strlen(text));
	} else if (strcmp(what, "heap") == 0) {
		snprintf(text, sizeof(text), "%p\n", malloc(16));
		out(text, strlen(text));
	} else if (strcmp(what, "libc") == 0) {
		v = (uintptr_t)&printf;
		out(&v, sizeof(v));
	} else if (strcmp(what, "mmap") == 0) {
		v = (uintptr_t)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		out(&v, sizeof(v));
	} else if (strcmp(what, "stack-garbage") == 0) {
		fill();
		stack_garbage();
	} else if (strcmp(what, "heap-garbage") == 0) {
		/* what an earlier use left in a block */
		volatile uintptr_t *old = malloc(2000);

		for (int i = 0; i < 250; i++)
			old[i] = (uintptr_t)&old[i];
		free((void *)(uintptr_t)old);
		p = malloc(2000);
		out(p, 2000);
	} else if (strcmp(what, "canary") == 0) {
		__asm__("mov %%fs:0x28, %0" : "=r"(v));
		out(&v, sizeof(v));
	} else if (strcmp(what, "random") == 0) {
		extern char **environ;
		unsigned long *a;
		char **e = environ;

		while (*e++)
			;
		for (a = (unsigned long *)e; a[0] && a[0] != 25; a += 2)
			;
		/* libc made the canary of these bytes; do they still tell it? */
		__asm__("mov %%fs:0x28, %0" : "=r"(v));
		v ^= *(unsigned long *)a[1];
		out(v & ~0xfful ? "no canary" : "canary", v & ~0xfful ? 9 : 6);
	}
	effect();
	return 0;
}
