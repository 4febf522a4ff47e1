/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signal on the way to pause() ends it, as good as always: what little time
 * there is natively between the test and the call is not made longer.
 */
#include "victim.h"

static volatile sig_atomic_t n;

static void on(int sig)
{
	n++;
}

int main(void)
{
	int a[2], b[2];
	char c;
	pid_t p;

	handle(SIGUSR1, on, 0);
	OK(pipe(a));
	OK(pipe(b));
	p = CHILD({
		for (int i = 0; i < 50; i++) {
			n = 0;
			CHECK(write(a[1], "r", 1) == 1);
			while (!n)
				CHECK(pause() == -1 && errno == EINTR);
			CHECK(n == 1);
			CHECK(read(b[0], &c, 1) == 1);
		}
		_exit(5);
	});
	for (int i = 0; i < 50; i++) {
		CHECK(read(a[0], &c, 1) == 1);
		usleep(i % 5 * 50);
		OK(kill(p, SIGUSR1));
		CHECK(write(b[1], "w", 1) == 1);
	}
	CHECK(WEXITSTATUS(reap(p)) == 5);
	printf("paused\n");
	return 0;
}
