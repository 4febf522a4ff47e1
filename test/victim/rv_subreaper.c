/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zombies nobody is told of: orphans that come to a subreaper, and children of
 * a parent that ignores SIGCHLD.  With a small limit of processes they may
 * not pile up in any variant.
 */
#include "victim.h"

int main(void)
{
	int st, n = 0;

	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int i = 0; i < 40; i++) {
		REAP(CHILD(CHILD(_exit(i)); _exit(0)));
		CHECK(wait(&st) > 0 && WEXITSTATUS(st) == i);
		n++;
	}
	FAILS(wait(&st), ECHILD);
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 40; i++) {
		CHILD(_exit(0));
		if (i % 8 == 7)
			FAILS(wait(&st), ECHILD);
	}
	FAILS(wait(&st), ECHILD);
	printf("adopted %d\n", n);
	return 0;
}
