/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several processes append to one file and one pipe, one after the other and
 * at once.
 */
#include "victim.h"
int main(void)
{
	int f = OK(open("log", O_WRONLY | O_CREAT | O_APPEND, 0644)), p[2], n = 0;
	pid_t k[4];
	char b[64], line[32];
	int seen[4] = { 0 };
	FILE *in;

	for (int i = 0; i < 4; i++)
		REAP(CHILD({
			for (int j = 0; j < 5; j++)
				dprintf(f, "child %d line %d\n", i, j);
		}));
	OK(pipe(p));
	for (int i = 0; i < 4; i++)
		k[i] = CHILD({
			for (int j = 0; j < 50; j++) {
				snprintf(line, 32, "%d %d\n", i, j);
				CHECK(write(p[1], line, strlen(line)) > 0);
			}
		});
	close(p[1]);
	in = fdopen(p[0], "r");
	while (fgets(b, sizeof(b), in)) {
		int i, j;

		CHECK(sscanf(b, "%d %d", &i, &j) == 2 && seen[i] == j);
		seen[i]++;
		n++;
	}
	for (int i = 0; i < 4; i++)
		REAP(k[i]);
	printf("%d lines, each writer's in order\n", n);
	return 0;
}
