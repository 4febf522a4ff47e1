// SPDX-License-Identifier: Apache-2.0
/*
 * A signal comes while the processor's counter is being read; its handler reads it at the
 * same place, so often that the place is changed, and returns there.
 */
#include "victim.h"

#define PLACES 24

static volatile sig_atomic_t place, handled;
static volatile uint64_t sink;

#define NOW(n)								\
	static __attribute__((noinline)) uint64_t now##n(void)		\
	{								\
		uint32_t lo, hi;					\
									\
		__asm__ volatile("rdtsc\n\tshl $32, %%rdx\n\tor %%rdx, %%rax" \
				 : "=a"(lo), "=d"(hi));			\
		return lo + (uint64_t)hi * 0;				\
	}
NOW(0) NOW(1) NOW(2) NOW(3) NOW(4) NOW(5) NOW(6) NOW(7) NOW(8) NOW(9) NOW(10) NOW(11)
NOW(12) NOW(13) NOW(14) NOW(15) NOW(16) NOW(17) NOW(18) NOW(19) NOW(20) NOW(21) NOW(22)
NOW(23)

static uint64_t (*const now[PLACES])(void) = {
	now0, now1, now2, now3, now4, now5, now6, now7, now8, now9, now10, now11,
	now12, now13, now14, now15, now16, now17, now18, now19, now20, now21, now22,
	now23,
};

static void on_alarm(int sig)
{
	(void)sig;
	for (int i = 0; i < 8; i++)
		sink += now[place]();
	handled++;
}

int main(void)
{
	const struct itimerval soon = { .it_value.tv_usec = 20 };
	struct sigaction sa = { .sa_handler = on_alarm };

	CHECK(!sigaction(SIGALRM, &sa, NULL));
	for (place = 0; place < PLACES; place++) {
		int want = handled + 1;

		CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
		for (int i = 0; i < 40000 * (place % 4); i++)
			sink++;
		for (int i = 0; i < 3; i++)
			sink += now[place]();
		while (handled != want)
			sink += now[place]();
	}
	printf("%d alarms\n", (int)handled);
	return 0;
}
