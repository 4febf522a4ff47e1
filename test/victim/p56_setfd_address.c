/* SPDX-License-Identifier: Apache-2.0 */
/*
 * F_SETFD looks at one bit of its argument; who passes an address clears the flag,
 * or sets it. (perl: fcntl($fh, F_SETFD, my $flags = ''))
 */
#include "victim.h"

int main(void)
{
	int fd = OK(open("/dev/null", O_RDONLY | O_CLOEXEC));
	char local[8] __attribute__((aligned(8)));
	char *heap = malloc(100);

	ZERO(fcntl(fd, F_SETFD, local));
	printf("%d\n", OK(fcntl(fd, F_GETFD)));
	ZERO(fcntl(fd, F_SETFD, local + 1));
	printf("%d\n", OK(fcntl(fd, F_GETFD)));
	ZERO(fcntl(fd, F_SETFD, heap));
	printf("%d\n", OK(fcntl(fd, F_GETFD)));
	free(heap);
	return 0;
}
