// SPDX-License-Identifier: Apache-2.0
/*
 * A process of several threads is stopped and continued at any moment: while it
 * computes, waits for locks, forks, spawns (the child uses its memory), and waits for
 * them.  Whose turn it is does not change by that, nor is anything lost.
 */
#include "victim.h"

#define THREADS 3
#define STOPS 120

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int over;
static volatile unsigned long done, told;

static void *work(void *arg)
{
	unsigned int x = (unsigned int)(uintptr_t)arg;
	char *const argv[] = { (char *)"/bin/true", NULL };
	static volatile unsigned long sum;

	while (!over) {
		unsigned int r = x = x * 1103515245u + 12345u;
		pid_t p;

		ZERO(pthread_mutex_lock(&lock));
		done++;
		burn(r >> 4 & 32767);
		told++;
		ZERO(pthread_mutex_unlock(&lock));
		switch (r >> 16 & 7) {
		case 0:
			p = fork();
			CHECK(p >= 0);
			if (!p)
				_exit(3);
			CHECK(WEXITSTATUS(reap(p)) == 3);
			break;
		case 1:
		case 2:
			ZERO(posix_spawn(&p, argv[0], NULL, NULL, argv, environ));
			ZERO(reap(p));
			break;
		case 3:
			poll(NULL, 0, 1);
			break;
		case 4:
		case 5:
			burn(r >> 3 & 1048575);
			break;
		default:
			for (unsigned int i = 0; i < (r >> 20 & 63); i++) {
				getppid();
				sum += i;
			}
		}
	}
	return NULL;
}

static void stop_and_continue(pid_t whom)
{
	unsigned int x = 1;

	for (int i = 0; i < STOPS; i++) {
		x = x * 1103515245u + 12345u;
		OK(kill(whom, SIGSTOP));
		OK(usleep(x >> 16 & (x & 1u << 28 ? 511 : 16383)));
		OK(kill(whom, SIGCONT));
		OK(usleep(x >> 10 & 4095));
	}
}

int main(void)
{
	pthread_t t[THREADS];
	pid_t me = getpid(), p = CHILD({ stop_and_continue(me); });

	for (uintptr_t i = 0; i < THREADS; i++)
		ZERO(pthread_create(&t[i], NULL, work, (void *)(i + 1)));
	ZERO(reap(p));
	over = 1;
	for (int i = 0; i < THREADS; i++)
		ZERO(pthread_join(t[i], NULL));
	CHECK(done == told && done);
	printf("stopped %d times\n", STOPS);
	return 0;
}
