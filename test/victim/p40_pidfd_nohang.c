/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pidfd that is readable says that its process has ended: a wait call with
 * WNOHANG then has its status.  GLib, libuv and systemd rely on that.  A traced
 * child is shown to its parent only after the tracer has collected it.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "victim.h"

#define ROUNDS 150

int main(void)
{
	int missed = 0, wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		siginfo_t si = { 0 };
		int status = 0, got;
		pid_t pid = fork();
		struct pollfd p = { .events = POLLIN };

		if (!pid)
			_exit(i % 7 + 1);
		p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
		poll(&p, 1, -1);
		if (i & 1) {
			got = waitpid(pid, &status, WNOHANG);
			status = WEXITSTATUS(status);
		} else {
			waitid(P_PIDFD, (id_t)p.fd, &si,
			       WEXITED | WNOHANG);
			got = si.si_pid;
			status = si.si_status;
		}
		missed += got != pid;
		wrong += status != i % 7 + 1;
		if (got != pid)
			waitpid(pid, NULL, 0);
		close(p.fd);
	}
	printf("missed %d, wrong %d\n", missed, wrong);
	return 0;
}
