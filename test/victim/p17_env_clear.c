/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that clear the environment, here and for their children; nothing
 * of the monitor's shows in it.
 */
#include "victim.h"
static void show(void)
{
	extern char **environ;
	static char text[65536];
	int fd = OK(open("/proc/self/environ", O_RDONLY)), n = 0, k;

	while ((k = OK(read(fd, text + n, sizeof(text) - n))) > 0)
		n += k;
	close(fd);
	for (int i = 0; i < n; i += strlen(text + i) + 1)
		if (strncmp(text + i, "LD_", 3) == 0 || strstr(text + i, "ipmon"))
			CHECK(strncmp(text + i, "PATH=", 5) == 0 ||
			      strncmp(text + i, "PWD=", 4) == 0 ||
			      strncmp(text + i, "_=", 2) == 0 ||
			      strncmp(text + i, "OLDPWD=", 7) == 0);
	for (char **e = environ; e && *e; e++)
		CHECK(strncmp(*e, "LD_", 3) != 0);
}

int main(int argc, char **argv)
{
	char self[PATH_MAX];
	char *av[] = { "x", "bare", NULL }, *ev[] = { NULL };
	extern char **environ;
	ssize_t n = OK(readlink("/proc/self/exe", self, sizeof(self) - 1));

	self[n] = 0;
	if (argc > 1) {
		CHECK(environ[0] == NULL);
		FILE *f = fopen("/proc/self/environ", "r");
		CHECK(f && fgetc(f) == EOF);
		puts("bare child");
		return 0;
	}
	show();
	REAP(CHILD(execve(self, av, ev); _exit(9)));
	REAP(CHILD(execve(self, av, NULL); _exit(9)));
	REAP(CHILD(execl("/usr/bin/env", "env", "-i", "/usr/bin/env", NULL); _exit(9)));
	clearenv();
	REAP(CHILD(execl(self, "x", "bare", NULL); _exit(9)));
	OK(setenv("ONLY", "this", 1));
	REAP(CHILD(execl("/usr/bin/env", "env", NULL); _exit(9)));
	return 0;
}
