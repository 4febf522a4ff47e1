/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first process of a pid namespace does not die of signals it has no
 * handler for when they come from inside, nor of SIGKILL, and SIGSTOP does not
 * stop it.
 */
#include "victim.h"

int main(void)
{
	int st;
	pid_t p;

	NEEDS(unshare(CLONE_NEWPID));
	p = CHILD({
		CHECK(getpid() == 1);
		OK(kill(1, SIGTERM));
		OK(kill(1, SIGTSTP));
		OK(kill(1, SIGSTOP));
		OK(kill(1, SIGKILL));
		REAP(CHILD(OK(kill(1, SIGINT)); OK(kill(1, SIGSTOP));
			   OK(kill(1, SIGKILL))));
		_exit(3);
	});
	st = reap(p);
	CHECK(WIFEXITED(st));
	printf("no init, %d\n", WEXITSTATUS(st));
	return 0;
}
