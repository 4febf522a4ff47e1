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

/* Which variant this is, told by the runner: --env K:VARIANT=K. */
static inline int variant(void)
{
	const char *v = getenv("VARIANT");

	return v ? atoi(v) : 0;
}

#endif
