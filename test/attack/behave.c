/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Behaviour that depends on the variant: on an address, on an environment
 * value, a fault, an exit status, an endless loop.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>
#include "attack.h"

static volatile int zero;

/* A follower dies while the leader sleeps in a call of its own. */
static void asleep(void)
{
	struct epoll_event ev;
	int e = epoll_create1(0), r = 0;

	for (int i = 0; i < 6; i++)
		r |= epoll_wait(e, &ev, 1, 0);
	if (variant()) {
		for (volatile long i = 0; i < 50000000; i++)
			;
		*(volatile int *)8 = 1;
	}
	r |= epoll_wait(e, &ev, 1, 1000);
	if (!r)
		(void)!write(1, "slept\n", 6);
}

/* A pipe that was the program's own is somebody else's now. */
static void given(int sent)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, c;
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	int u[2], p[2], warm[2], st, r = socketpair(AF_UNIX, SOCK_STREAM, 0, u);

	if (!sent)
		r |= pipe(p);
	if (!r && fork() == 0) {
		close(u[1]);
		if (!sent)
			close(p[1]);
		else if (recvmsg(u[0], &m, 0) == 1)
			memcpy(p, CMSG_DATA(h), sizeof(p[0]));
		if (read(p[0], &c, 1) == 1)
			effect();
		_exit(0);
	}
	if (sent)
		r |= pipe(p);
	/* writes to such a pipe are IP-MON's by now */
	r |= pipe(warm);
	for (int i = 0; i < 60; i++)
		r |= write(warm[1], "w", 1) != 1 || read(warm[0], &c, 1) != 1;
	if (sent) {
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(p[0]));
		memcpy(CMSG_DATA(h), p, sizeof(p[0]));
		r |= sendmsg(u[1], &m, 0) != 1;
	}
	if (r)
		exit(1);
	if (variant()) {
		for (volatile long i = 0; i < 100000000; i++)
			;
		getpgrp();
	} else {
		(void)!write(p[1], "x", 1);
	}
	wait(&st);
}

static void *in_thread(void *arg)
{
	char b[32];

	warm();
	snprintf(b, sizeof(b), "thread of %d\n", variant());
	(void)!write(1, b, strlen(b));
	return arg;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char b[32];

	warm();
	if (strcmp(what, "branch") == 0) {
		/* some bit of it differs between two disjoint layouts */
		uintptr_t a = (uintptr_t)mmap(NULL, 4096, PROT_READ,
					      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (int i = 12; i < 47; i++)
			if (a >> i & 1)
				getppid();
			else
				getpgrp();
	} else if (strcmp(what, "argument") == 0) {
		close((int)((uintptr_t)&argc >> 32));
	} else if (strcmp(what, "path") == 0) {
		snprintf(b, sizeof(b), "effect-%d", variant());
		mkdir(b, 0700);
	} else if (strcmp(what, "env") == 0) {
		snprintf(b, sizeof(b), "variant %d\n", variant());
		(void)!write(1, b, strlen(b));
	} else if (strcmp(what, "crash") == 0) {
		if (variant())
			*(volatile int *)8 = 1;
	} else if (strcmp(what, "leader-crash") == 0) {
		if (!variant())
			*(volatile int *)8 = 1;
	} else if (strcmp(what, "asleep") == 0) {
		asleep();
	} else if (strcmp(what, "thread") == 0) {
		pthread_t t;

		pthread_create(&t, NULL, in_thread, NULL);
		pthread_join(t, NULL);
	} else if (strcmp(what, "divide") == 0) {
		if (variant())
			zero = 100 / zero;
	} else if (strcmp(what, "abort") == 0) {
		if (variant())
			abort();
	} else if (strcmp(what, "exit") == 0) {
		_exit(variant() ? 4 : 0);
	} else if (strcmp(what, "return") == 0) {
		return variant() ? 4 : 0;
	} else if (strcmp(what, "loop") == 0) {
		if (variant())
			for (;;)
				__asm__ volatile("pause");
	} else if (strcmp(what, "leader-loop") == 0) {
		if (!variant())
			for (;;)
				__asm__ volatile("pause");
	} else if (strcmp(what, "exec") == 0) {
		snprintf(b, sizeof(b), "echo %d > effect", variant());
		execl("/bin/sh", "sh", "-c", b, NULL);
	} else if (strcmp(what, "extra") == 0) {
		if (variant())
			getppid();
	} else if (strcmp(what, "fork") == 0) {
		if (variant())
			fork();
		else
			getppid();
	} else if (strcmp(what, "child") == 0) {
		int st;

		if (fork() == 0) {
			snprintf(b, sizeof(b), "child %d\n", variant());
			(void)!write(1, b, strlen(b));
			_exit(0);
		}
		wait(&st);
	} else if (strcmp(what, "given") == 0) {
		given(0);
	} else if (strcmp(what, "sent") == 0) {
		given(1);
	} else if (strcmp(what, "address") == 0) {
		/* TCP does not look at it, others do */
		struct sockaddr_in to = { .sin_family = AF_INET };
		int s = socket(AF_INET, SOCK_DGRAM, 0);

		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		to.sin_port = htons(variant() ? 9 : 19);
		sendto(s, "x", 1, 0, (void *)&to, sizeof(to));
	} else if (strcmp(what, "signal") == 0) {
		kill(getpid(), variant() ? SIGTERM : SIGUSR1);
	} else if (strcmp(what, "fault-in") == 0 ||
		   strcmp(what, "fault-out") == 0 ||
		   strcmp(what, "fault-vector") == 0) {
		/* the second page of a buffer is missing in one variant */
		char *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		char *at = p + (variant() ? 4096 : 0) + 4000;
		int fd = open("/dev/zero", O_RDWR);
		struct iovec v[2] = { { p, 50 }, { at, 200 } };

		mprotect(p + 8192, 8192, PROT_NONE);
		if (what[6] == 'i')
			(void)!write(fd, at, 200);
		else if (what[6] == 'o')
			(void)!read(fd, at, 200);
		else
			(void)!readv(fd, v, 2);
	} else if (strcmp(what, "kill-other") == 0) {
		pid_t me = getpid();

		kill(variant() ? 1 : me, 0);
	}
	effect();
	return 0;
}
