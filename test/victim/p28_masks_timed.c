/* SPDX-License-Identifier: Apache-2.0 */
/* A signal sent by another process while waiting with a temporary mask. */
#include "victim.h"
static volatile sig_atomic_t n;
static void on(int sig)
{
	n++;
}

int main(void)
{
	sigset_t block, old;
	pid_t me = getpid();
	int p[2];
	char c;

	handle(SIGUSR1, on, SA_RESTART);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &block, &old));
	OK(pipe(p));
	pid_t k = CHILD({
		for (int i = 0; i < 20; i++) {
			CHECK(read(p[0], &c, 1) == 1);
			if (i & 1)
				sleep_ms(3);
			OK(kill(me, SIGUSR1));
		}
	});
	for (int i = 0; i < 20; i++) {
		CHECK(write(p[1], "g", 1) == 1);
		FAILS(i % 3 == 0 ? sigsuspend(&old) : i % 3 == 1 ?
		      ppoll(NULL, 0, NULL, &old) :
		      pselect(0, NULL, NULL, NULL, NULL, &old), EINTR);
		CHECK(n == i + 1);
	}
	REAP(k);
	puts("twenty signals, each waited for");
	return 0;
}
