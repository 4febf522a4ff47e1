/* SPDX-License-Identifier: Apache-2.0 */
/* Orphans go to the sub-reaper, a parent's death signals its child. */
#include "victim.h"
static void usr1(int sig)
{
	CHECK(write(1, "parent died\n", 12) == 12);
	_exit(0);
}

int main(void)
{
	int p[2], st, n = 0;
	char c;

	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	OK(pipe(p));
	CHILD({
		pid_t in = getpid();
		CHILD({
			handle(SIGUSR1, usr1, 0);
			OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
			CHECK(getppid() == in);
			CHECK(write(p[1], "r", 1) == 1);
			for (;;)
				pause();
		});
		CHECK(read(p[0], &c, 1) == 1);
	});
	while (wait(&st) > 0) {
		CHECK(st == 0);
		n++;
	}
	CHECK(errno == ECHILD);
	printf("reaped %d\n", n);
	return 0;
}
