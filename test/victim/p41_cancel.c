/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cancellation: in blocked calls, deferred and asynchronous, with clean-up
 * handlers and states.
 */
#include "victim.h"
static int cleaned, p[2];
static void clean(void *arg)
{
	cleaned++;
}
static void *blocked(void *arg)
{
	char c;

	pthread_cleanup_push(clean, NULL);
	CHECK(read(p[0], &c, 1) == 55);
	pthread_cleanup_pop(0);
	return NULL;
}
static void *computing(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;)
		burn(1000);
	return NULL;
}
static void *testing(void *arg)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	sleep_ms(20);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	return NULL;
}
static void *sleeping(void *arg)
{
	pthread_cleanup_push(clean, NULL);
	sleep(100);
	pthread_cleanup_pop(0);
	return NULL;
}

int main(void)
{
	void *(*fn[])(void *) = { blocked, computing, testing, sleeping };
	void *v;

	OK(pipe(p));
	for (int i = 0; i < 4; i++) {
		pthread_t t;

		ZERO(pthread_create(&t, NULL, fn[i], NULL));
		sleep_ms(5);
		ZERO(pthread_cancel(t));
		ZERO(pthread_join(t, &v));
		CHECK(v == PTHREAD_CANCELED);
	}
	printf("cleaned %d\n", cleaned);
	return 0;
}
