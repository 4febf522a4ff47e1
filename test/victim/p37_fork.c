/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of forks: copies of memory, descriptors and handlers; many children;
 * the first to exit.
 */
#include "victim.h"
static int depth;
static int tree(int n)
{
	int sum = 1;

	if (n == 0)
		return 1;
	for (int i = 0; i < 2; i++) {
		depth = n * 10 + i;
		pid_t p = fork();
		if (p == 0) {
			if (depth != n * 10 + i)
				_exit(255);
			_exit(tree(n - 1));
		}
		sum += WEXITSTATUS(reap(p));
	}
	return sum;
}

int main(void)
{
	pid_t p[40];
	int st, sum = 0;

	printf("tree %d\n", tree(4));
	for (int i = 0; i < 40; i++)
		p[i] = CHILD(_exit(i));
	for (int i = 39; i >= 0; i--) {
		CHECK(waitpid(p[i], &st, 0) == p[i] && WEXITSTATUS(st) == i);
		sum += WEXITSTATUS(st);
	}
	printf("sum %d\n", sum);
	/* pid arithmetic seen from both sides */
	int a[2];
	pid_t told, k;
	OK(pipe(a));
	k = CHILD({
		pid_t me = getpid();
		CHECK(getppid() > 0 && syscall(SYS_gettid) == me);
		CHECK(write(a[1], &me, sizeof(me)) == sizeof(me));
	});
	CHECK(read(a[0], &told, sizeof(told)) == sizeof(told) && told == k);
	REAP(k);
	return 0;
}
