/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A title longer than argv moves the environment away and is seen from
 * outside.
 */
#include "victim.h"
int main(int argc, char **argv)
{
	extern char **environ;
	char *end = argv[0], **copy, cmd[600], path[64];
	int n = 0, fd;

	for (int i = 0; i < argc; i++)
		end = argv[i] + strlen(argv[i]) + 1;
	while (environ[n])
		end = environ[n++], end += strlen(end) + 1;
	copy = calloc(n + 1, sizeof(char *));
	for (int i = 0; i < n; i++)
		copy[i] = strdup(environ[i]);
	environ = copy;
	memset(argv[0], 0, end - argv[0]);
	snprintf(argv[0], end - argv[0], "victim: a title that is a good deal longer than it was, ready");
	OK(prctl(PR_SET_NAME, "titled"));
	snprintf(path, sizeof(path), "/proc/%d/cmdline", getpid());
	REAP(CHILD({
		fd = OK(open(path, O_RDONLY));
		n = OK(read(fd, cmd, sizeof(cmd) - 1));
		cmd[n] = 0;
		CHECK(strncmp(cmd, "victim: a title", 15) == 0);
	}));
	CHECK(getenv("PATH") != NULL);
	REAP(CHILD(execlp("sh", "sh", "-c", "test -n \"$PATH\"", NULL); _exit(9)));
	puts("title ok");
	return 0;
}
