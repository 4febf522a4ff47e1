/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of arguments and environment strings; also as many as end wherever a page does. */
#include "victim.h"

#define LEAST	18000
#define MOST	(LEAST + 40 * 37)

/* Pointers alone are more here than what the kernel gives a new stack: it ends right
 * where they do. */
static void again(int n, char *self)
{
	static char *av[MOST + 64], *ev[] = { NULL };

	n = n < LEAST ? LEAST : n;
	av[0] = self;
	av[1] = "again";
	for (int i = 0; i < n; i++)
		av[i + 2] = "a1";
	execve(self, av, ev);
	victim_fail(__FILE_NAME__, __LINE__, "exec");
}

int main(int argc, char **argv)
{
	static char *av[5004], *ev[2001], text[7001][12];
	char self[PATH_MAX];
	ssize_t n;
	extern char **environ;

	if (argc > 2) {
		long sum = 0;
		int e = 0;

		for (int i = 2; i < argc; i++)
			sum += atoi(argv[i] + 1);
		while (environ[e])
			e++;
		printf("argc %d sum %ld env %d\n", argc, sum, e);
		fflush(stdout);
		if (!strcmp(argv[1], "child"))
			again(0, argv[0]);
		if (argc - 2 < MOST)
			again(argc - 2 + 37, argv[0]);
		return 0;
	}
	n = OK(readlink("/proc/self/exe", self, sizeof(self) - 1));
	self[n] = 0;
	av[0] = self;
	av[1] = "child";
	for (int i = 0; i < 5000; i++) {
		snprintf(text[i], 12, "a%d", i);
		av[i + 2] = text[i];
	}
	for (int i = 0; i < 2000; i++) {
		snprintf(text[5000 + i], 12, "E%d=%d", i, i);
		ev[i] = text[5000 + i];
	}
	execve(self, av, ev);
	victim_fail(__FILE_NAME__, __LINE__, "exec");
}
