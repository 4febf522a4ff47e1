/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's own LD_PRELOAD for its children still works and is seen
 * unchanged.
 */
#include "victim.h"
int main(int argc, char **argv)
{
	char *av[] = { "env", NULL };
	char *ev[] = { "LD_PRELOAD=libm.so.6", "Z=1", NULL };
	char *ev2[] = { "LD_LIBRARY_PATH=/nonexistent:/tmp", "LD_BIND_NOW=1", NULL };

	REAP(CHILD(execve("/usr/bin/env", av, ev); _exit(9)));
	REAP(CHILD(execve("/usr/bin/env", av, ev2); _exit(9)));
	return 0;
}
