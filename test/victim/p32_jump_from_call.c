/* SPDX-License-Identifier: Apache-2.0 */
/*
 * siglongjmp out of calls that are handled where they are made: blocked,
 * ending at once, in a nest of handlers, on an alternate stack; the calls
 * after it work, and nothing is left behind.
 */
#include "victim.h"
static sigjmp_buf env;
static volatile int depth;
static char alt[65536];

static void jump(int sig)
{
	getppid();
	siglongjmp(env, sig);
}

static void nest(int sig)
{
	if (depth++ < 5)
		raise(SIGUSR2);
	siglongjmp(env, sig);
}

static void timer(long us)
{
	struct itimerval it = { .it_value.tv_usec = us };

	OK(setitimer(ITIMER_REAL, &it, NULL));
}

int main(void)
{
	const stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) };
	const stack_t off = { .ss_flags = SS_DISABLE };
	volatile int rounds = 0;
	struct timespec ts;
	int p[2];
	char c;

	OK(pipe(p));
	for (int i = 0; i < 20; i++) {
		CHECK(write(p[1], "x", 1) == 1);
		CHECK(read(p[0], &c, 1) == 1);
	}
	handle(SIGALRM, jump, 0);
	handle(SIGUSR2, nest, SA_NODEFER);
	for (rounds = 0; rounds < 30; rounds++) {
		if (rounds == 15) {
			OK(sigaltstack(&ss, NULL));
			handle(SIGALRM, jump, SA_ONSTACK);
		}
		if (!sigsetjmp(env, 1)) {
			timer(2000);
			read(p[0], &c, 1);
			CHECK(!"read returned");
		}
		CHECK(write(p[1], "y", 1) == 1);
		CHECK(read(p[0], &c, 1) == 1 && c == 'y');
	}
	/* out of a loop of calls that never block */
	for (rounds = 0; rounds < 20; rounds++) {
		if (!sigsetjmp(env, 1)) {
			timer(1000);
			for (;;) {
				getppid();
				clock_gettime(CLOCK_MONOTONIC, &ts);
			}
		}
	}
	for (rounds = 0; rounds < 20; rounds++) {
		depth = 0;
		if (!sigsetjmp(env, 1))
			raise(SIGUSR2);
		CHECK(depth == 6);
		FAILS(close(-1), EBADF);
	}
	OK(sigaltstack(&off, NULL));
	puts("jumps ok");
	return 0;
}
