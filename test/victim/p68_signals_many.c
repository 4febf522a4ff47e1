/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many processes that share memory and are in the middle of calls of their own when
 * each gets a signal: whose turn it is must come by it.
 */
#include "victim.h"

#define CHILDREN 100

int main(void)
{
	pid_t p[CHILDREN];
	int st, killed = 0;
	int *m;

	m = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < CHILDREN; i++)
		p[i] = CHILD({
			for (int k = 0; k < 100000; k++) {
				usleep(k % 5 ? 10 : 2000);
				__atomic_add_fetch(m, 1, __ATOMIC_SEQ_CST);
			}
		});
	for (int i = 0; i < CHILDREN; i++)
		OK(kill(p[i], SIGTERM));
	for (int i = 0; i < CHILDREN; i++) {
		OK(waitpid(p[i], &st, 0));
		killed += WIFSIGNALED(st) && WTERMSIG(st) == SIGTERM;
	}
	printf("%d\n", killed);
	return 0;
}
