/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argv and environment strings lie contiguous on the stack as programs that
 * rewrite their title expect.
 */
#include "victim.h"
int main(int argc, char **argv)
{
	extern char **environ;
	char *end = argv[0];
	char cmd[512];
	int fd, n;

	for (int i = 0; i < argc; i++) {
		CHECK(argv[i] == end);
		end = argv[i] + strlen(argv[i]) + 1;
	}
	for (int i = 0; environ[i]; i++) {
		CHECK(environ[i] == end);
		end = environ[i] + strlen(environ[i]) + 1;
	}
	/* overwrite the title the traditional way */
	memset(argv[0], 0, strlen(argv[0]));
	strcpy(argv[0], "new");
	fd = OK(open("/proc/self/cmdline", O_RDONLY));
	n = OK(read(fd, cmd, sizeof(cmd)));
	CHECK(n >= 4 && strcmp(cmd, "new") == 0);
	CHECK(getenv("LD_PRELOAD") == NULL);
	printf("%s\n", cmd);
	return 0;
}
