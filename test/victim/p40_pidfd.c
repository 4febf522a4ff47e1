/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfd: open, poll for the end, send a signal, get a descriptor out of a
 * child.
 */
#include "victim.h"
int main(void)
{
	pid_t p = CHILD(for (;;) pause());
	int fd = OK(syscall(SYS_pidfd_open, p, 0));
	struct pollfd pf = { fd, POLLIN, 0 };

	CHECK(poll(&pf, 1, 0) == 0);
	OK(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	OK(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
	CHECK(poll(&pf, 1, 10000) == 1 && (pf.revents & POLLIN));
	CHECK(WTERMSIG(reap(p)) == SIGTERM);
	FAILS(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
	FAILS(syscall(SYS_pidfd_open, -1, 0), EINVAL);
	FAILS(syscall(SYS_pidfd_open, getpid(), 0x12345), EINVAL);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	puts("pidfd ok");
	return 0;
}
