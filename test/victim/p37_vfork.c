/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vfork: the parent waits, memory is shared, exec or _exit lets it go;
 * failing exec in it.
 */
#include "victim.h"
int main(void)
{
	volatile int shared = 1;
	pid_t p;
	int st;

	for (int i = 0; i < 10; i++) {
		p = vfork();
		if (p == 0) {
			shared += 1;
			_exit(shared);
		}
		CHECK(shared == i + 2);
		CHECK(WEXITSTATUS(reap(p)) == i + 2);
	}
	p = vfork();
	if (p == 0) {
		execlp("echo", "echo", "from vfork", NULL);
		_exit(9);
	}
	REAP(p);
	p = vfork();
	if (p == 0) {
		execl("/nonexistent", "x", NULL);
		shared = errno;
		_exit(0);
	}
	CHECK(waitpid(p, &st, 0) == p && shared == ENOENT);
	puts("vfork ok");
	return 0;
}
