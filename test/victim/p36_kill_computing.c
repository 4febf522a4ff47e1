/* SPDX-License-Identifier: Apache-2.0 */
/* SIGKILL and SIGTERM to children that compute or block. */
#include "victim.h"
static void *block(void *arg)
{
	for (;;)
		pause();
	return NULL;
}
int main(void)
{
	pid_t a = CHILD(for (;;) burn(1000)), b = CHILD(for (;;) pause());
	pid_t c = CHILD({
		pthread_t t;
		pthread_create(&t, NULL, block, NULL);
		for (;;)
			burn(1000);
	});

	sleep_ms(20);
	OK(kill(a, SIGTERM));
	OK(kill(b, SIGKILL));
	OK(kill(c, SIGKILL));
	CHECK(WTERMSIG(reap(a)) == SIGTERM);
	CHECK(WTERMSIG(reap(b)) == SIGKILL);
	CHECK(WTERMSIG(reap(c)) == SIGKILL);
	puts("killed");
	return 0;
}
