/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dynamic program runs static, static-PIE and non-PIE programs and is run
 * by them.
 */
#include "victim.h"
int main(int argc, char **argv)
{
	static const char *const kind[] = { "v_static", "v_static_pie", "v_nopie" };

	for (int i = 0; i < 3; i++) {
		const char *path = sibling(argv[0], kind[i]);

		if (access(path, X_OK) == 0)
			REAP(CHILD(execl(path, kind[i], "from", "dynamic", NULL); _exit(9)));
		else
			puts("absent");
	}
	return 0;
}
