/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ioctl and fcntl with commands nobody knows, on a descriptor that is not open or
 * good for nothing (O_PATH): the descriptor is looked at first, so the error is
 * EBADF.
 */
#include <sys/ioctl.h>
#include "victim.h"

#define UNKNOWN_IOCTL	0x9ab1	/* neither direction nor size */
#define UNKNOWN_FCNTL	9999

static char memory[64];

static void try(const char *what, int fd)
{
	errno = 0;
	CHECK(ioctl(fd, UNKNOWN_IOCTL, memory) == -1);
	printf("%s: ioctl %s\n", what, strerror(errno));
	errno = 0;
	CHECK(fcntl(fd, UNKNOWN_FCNTL, memory) == -1);
	printf("%s: fcntl %s\n", what, strerror(errno));
}

int main(void)
{
	int path = OK(open(".", O_PATH));
	int closed = OK(dup(path));

	close(closed);
	try("not open", closed);
	try("negative", -1);
	try("huge", INT_MAX);
	try("path only", path);
	return 0;
}
