// SPDX-License-Identifier: Apache-2.0
/*
 * A process is killed while it creates others.  What it has just created must not be
 * left behind: a pipe that all of them hold comes to its end.
 */
#include "victim.h"

static void __attribute__((noreturn)) create(void)
{
	for (;;) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 150;

	signal(SIGALRM, SIG_DFL);
	for (int i = 0; i < rounds; i++) {
		int p[2], status;
		char c;
		pid_t pid;

		alarm(20);
		if (pipe(p))
			return 1;
		pid = fork();
		if (!pid) {
			close(p[0]);
			if (write(p[1], "", 1) != 1)
				_exit(1);
			create();
		}
		close(p[1]);
		if (read(p[0], &c, 1) != 1)
			return 1;
		usleep((useconds_t)(i * 37 % 1500));
		if (kill(pid, SIGKILL) || waitpid(pid, &status, 0) != pid ||
		    !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			return 1;
		/* nobody has the other end any more */
		if (read(p[0], &c, 1) != 0)
			return 1;
		close(p[0]);
	}
	puts("nobody is left");
	return 0;
}
