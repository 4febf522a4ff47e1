/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children are killed at whatever point of their lives: in execve, in the
 * dynamic linker, between calls, while they have children of their own.  They
 * died of SIGKILL or ended by themselves, nothing else.
 */
#include "victim.h"

static int child(const char *how)
{
	struct stat st;

	if (*how == 'e')
		return 7;
	for (int i = 0; i < 300; i++) {
		char buf[256];
		int fd = open("/proc/self/exe", O_RDONLY);

		stat("/", &st);
		read(fd, buf, sizeof(buf));
		close(fd);
		if (i % 50 == 49 && *how == 'f') {
			pid_t p = fork();

			if (!p)
				_exit(0);
			waitpid(p, NULL, 0);
		}
	}
	return 7;
}

int main(int argc, char **argv)
{
	static char *const how[] = { "exec", "calls", "fork" };

	if (argc > 1)
		return child(argv[1]);
	for (int i = 0; i < 90; i++) {
		int status;
		pid_t pid = OK(fork());

		if (!pid) {
			execl(argv[0], argv[0], how[i % 3], (char *)NULL);
			_exit(1);
		}
		poll(NULL, 0, i / 3);
		OK(kill(pid, SIGKILL));
		OK(waitpid(pid, &status, 0));
		CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
		      (WIFEXITED(status) && WEXITSTATUS(status) == 7));
	}
	puts("killed early ok");
	return 0;
}
