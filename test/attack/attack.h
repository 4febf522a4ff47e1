/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the programs that must not get away with it: each behaves well
 * natively and differently in one variant, or attacks the monitor. What they
 * must not achieve is a file called "effect" or bytes on standard output.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a caught attack must not reach. */
static inline void effect(void)
{
	int fd = open("effect", O_WRONLY | O_CREAT, 0600);

	if (fd >= 0)
		close(fd);
}

/*
 * The calls the attacks are made of, often enough that the monitor handles them
 * in-process from then on (monitord/patch.c), if the policy is one that does.
 */
static inline void warm(void)
{
	struct iovec v = { (void *)(uintptr_t)"x", 1 };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };
	int fd = memfd_create("warm", 0), s[2];
	char b[8];

	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		exit(4);
	for (int i = 0; i < 6; i++) {
		(void)!write(fd, "x", 1);
		(void)!writev(fd, &v, 1);
		(void)!pwrite(fd, "x", 1, 0);
		(void)!read(fd, b, sizeof(b));
		send(s[0], "x", 1, 0);
		sendmsg(s[0], &h, 0);
		recv(s[1], b, sizeof(b), 0);
		getppid();
		getpgrp();
		getuid();
		lseek(fd, 0, SEEK_SET);
		close(open("/dev/null", O_RDONLY));
	}
	close(fd);
	close(s[0]);
	close(s[1]);
}

/* Which variant this is, told by the runner: --env K:VARIANT=K. */
static inline int variant(void)
{
	const char *v = getenv("VARIANT");

	return v ? atoi(v) : 0;
}

#endif
