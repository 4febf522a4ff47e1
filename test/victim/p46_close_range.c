/* SPDX-License-Identifier: Apache-2.0 */
/* close_range, FIOCLEX, O_CLOEXEC over exec, the lowest free number. */
#include "victim.h"
#include <linux/close_range.h>

int main(int argc, char **argv)
{
	int null = OK(open("/dev/null", O_RDWR));
	char num[64];

	if (argc > 1) {
		printf("open after exec:");
		for (int i = 3; i < 70; i++)
			if (i != null && fcntl(i, F_GETFD) >= 0)
				printf(" %d", i);
		puts("");
		return 0;
	}
	for (int i = 10; i < 30; i++)
		CHECK(dup2(null, i) == i);
	OK(close_range(12, 15, 0));
	for (int i = 10; i < 30; i++)
		CHECK((fcntl(i, F_GETFD) >= 0) == (i < 12 || i > 15));
	OK(close_range(20, 25, CLOSE_RANGE_CLOEXEC));
	CHECK(fcntl(20, F_GETFD) == FD_CLOEXEC && fcntl(19, F_GETFD) == 0);
	OK(ioctl(16, FIOCLEX));
	OK(ioctl(21, FIONCLEX));
	OK(fcntl(17, F_SETFD, FD_CLOEXEC));
	FAILS(close_range(5, 4, 0), EINVAL);
	FAILS(close_range(3, 4, 1 << 20), EINVAL);
	REAP(CHILD(OK(close_range(28, ~0u, CLOSE_RANGE_UNSHARE)); CHECK(fcntl(29, F_GETFD) == -1)));
	CHECK(fcntl(29, F_GETFD) == 0);
	close(4);
	close(3);
	CHECK(open("/dev/null", O_RDONLY | O_CLOEXEC) == 3);
	FAILS(close(12), EBADF);
	FAILS(close(-1), EBADF);
	fflush(stdout);
	snprintf(num, sizeof(num), "x");
	execl("/proc/self/exe", "x", num, NULL);
	return 9;
}
