/* SPDX-License-Identifier: Apache-2.0 */
/* argv and envp arrive as arrays of strings, whatever is in them. */
#include "victim.h"
static char big[100000];

int main(int argc, char **argv)
{
	extern char **environ;
	char self[PATH_MAX];
	ssize_t n;

	if (argc > 1 && strcmp(argv[1], "child") == 0) {
		uint64_t h = 5381;

		for (int i = 1; i < argc; i++) {
			for (char *c = argv[i]; *c; c++)
				h = h * 33 + (unsigned char)*c;
			printf("arg %d length %zu\n", i, strlen(argv[i]));
		}
		for (char **e = environ; *e; e++)
			printf("env [%s]\n", *e);
		printf("argc %d hash %016" PRIx64 "\n", argc, h);
		return 0;
	}
	n = OK(readlink("/proc/self/exe", self, sizeof(self) - 1));
	self[n] = 0;
	memset(big, 'b', sizeof(big) - 1);
	char *av[] = { self, "child", "", "with space", "new\nline", "\xff\xfe\x01",
		       "", big, "--", NULL };
	char *ev[] = { "A=1", "EMPTY=", "NOEQUALS", "A=again", "", "U=\xc3\xa4", NULL };
	execve(self, av, ev);
	victim_fail(__FILE_NAME__, __LINE__, "exec");
}
