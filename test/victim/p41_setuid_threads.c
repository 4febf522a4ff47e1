/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setuid in a program with threads changes all of them (libc signals every
 * thread).
 */
#include "victim.h"
static int go[2];
static void *wait_thread(void *arg)
{
	char c;

	CHECK(read(go[0], &c, 1) == 1);
	return (void *)(uintptr_t)syscall(SYS_getuid);
}

int main(void)
{
	pthread_t t[3];
	void *v;

	if (getuid() == 0) {
		OK(pipe(go));
		for (int i = 0; i < 3; i++)
			ZERO(pthread_create(&t[i], NULL, wait_thread, NULL));
		sleep_ms(5);
		OK(setuid(1234));
		CHECK(write(go[1], "abc", 3) == 3);
		for (int i = 0; i < 3; i++) {
			ZERO(pthread_join(t[i], &v));
			CHECK((uintptr_t)v == 1234);
		}
	}
	puts("setuid ok");
	return 0;
}
