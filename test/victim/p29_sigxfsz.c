/* SPDX-License-Identifier: Apache-2.0 */
/* SIGXFSZ at the file size limit, handled and ignored; short write up to it. */
#include "victim.h"
static volatile sig_atomic_t n;
static void on(int sig)
{
	n++;
}

int main(void)
{
	struct rlimit rl = { 1000, RLIM_INFINITY };
	int fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	char b[600] = { 0 };

	handle(SIGXFSZ, on, 0);
	OK(setrlimit(RLIMIT_FSIZE, &rl));
	CHECK(write(fd, b, 600) == 600);
	CHECK(write(fd, b, 600) == 400);
	FAILS(write(fd, b, 1), EFBIG);
	CHECK(n == 1);
	FAILS(ftruncate(fd, 2000), EFBIG);
	CHECK(n == 2);
	signal(SIGXFSZ, SIG_IGN);
	FAILS(pwrite(fd, b, 1, 5000), EFBIG);
	printf("handled %d\n", n);
	return 0;
}
