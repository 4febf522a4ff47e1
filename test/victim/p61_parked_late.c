/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread computes and makes a call now and then, of which the leader waits for its
 * followers; another one comes back from a short sleep all the time and wants the turn.
 * The first one is interrupted again and again, and its variants are found at either
 * side of the call: who is stopped must not be waited for.
 */
#include "victim.h"

#define ROUNDS 20

static volatile int over;

static void *sleeper(void *arg)
{
	while (!over)
		poll(NULL, 0, 3);
	return NULL;
}

int main(void)
{
	char name[] = "parked-late";
	pthread_t t;
	int fd = OK(open(name, O_CREAT | O_WRONLY | O_APPEND, 0600));

	ZERO(pthread_create(&t, NULL, sleeper, NULL));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		burn(20000000 + i % 7 * 3000000);
		CHECK(write(fd, "x", 1) == 1);
	}
	over = 1;
	ZERO(pthread_join(t, NULL));
	CHECK(lseek(fd, 0, SEEK_END) == ROUNDS);
	OK(unlink(name));
	puts("nobody was waited for in vain");
	return 0;
}
