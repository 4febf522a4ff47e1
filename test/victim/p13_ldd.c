/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dynamic linker asked for a list of libraries (ldd) prints the program's own
 * and where they would be.  The addresses are other ones in each run, natively
 * as well, and are cut off here.
 */
#include "victim.h"

#define LINKER "/lib64/ld-linux-x86-64.so.2"

static void list(char *const av[], char *const ev[])
{
	char line[512];
	int fd[2], st;
	FILE *f;
	pid_t p;

	if (pipe(fd))
		return;
	p = fork();
	if (!p) {
		dup2(fd[1], 1);
		execve(av[0], av, ev);
		_exit(9);
	}
	close(fd[1]);
	f = fdopen(fd[0], "r");
	while (fgets(line, sizeof(line), f)) {
		char *at = strstr(line, " (0x");

		if (at)
			*at = 0;
		printf("%s: %s%s\n", av[0], line, at ? " (address)" : "");
	}
	fclose(f);
	waitpid(p, &st, 0);
	printf("status %x\n", st);
	fflush(stdout);
}

int main(void)
{
	char *none[] = { NULL };
	char *trace[] = { "LD_TRACE_LOADED_OBJECTS=1", NULL };
	char *direct[] = { "/bin/true", NULL };
	char *by_option[] = {
		LINKER, "--library-path", "/nonexistent", "--list", "/bin/true",
		NULL
	};
	char *by_env[] = { LINKER, "/bin/true", NULL };
	char *later[] = { LINKER, "/bin/echo", "--list", NULL };

	list(direct, trace);
	list(by_env, trace);
	list(by_option, none);
	/* the program's option, not the linker's */
	list(later, none);
	return 0;
}
