/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that share memory and are busy at the same time, one of them with
 * threads of its own; they race, and tell what they saw.  One has execed: what it
 * shares it has opened itself.
 */
#include "victim.h"

#define PROCS	3
#define ROUNDS	300

struct shared {
	volatile unsigned int counter;
	pthread_mutex_t lock;
	sem_t sem;
	unsigned int rounds;
};
static struct shared *sh;
static int null;

static void tell(unsigned int v)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "%u\n", v);

	CHECK(write(null, line, (size_t)n) == n);
}

static void *race(void *arg)
{
	struct timespec nap = { 0, 1000 };

	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned int seen = sh->counter;

		sh->counter = seen + 1;
		tell(seen);
		if (i % 5 == 0)
			nanosleep(&nap, NULL);
		if (i % 3 == 0) {
			ZERO(pthread_mutex_lock(&sh->lock));
			sh->rounds++;
			ZERO(pthread_mutex_unlock(&sh->lock));
		}
		if (i % 50 == 0) {
			ZERO(sem_post(&sh->sem));
			while (sem_wait(&sh->sem))
				;
		}
	}
	return NULL;
}

static void map(int fd)
{
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(sh != MAP_FAILED);
}

int main(int argc, char **argv)
{
	pthread_mutexattr_t ma;
	pid_t pid[PROCS];
	pthread_t t;
	int fd, st;

	OK(null = open("/dev/null", O_WRONLY));
	if (argc > 1) {
		map(atoi(argv[1]));
		race(NULL);
		return 0;
	}
	OK(fd = memfd_create("shared", 0));
	OK(ftruncate(fd, sizeof(*sh)));
	map(fd);
	ZERO(pthread_mutexattr_init(&ma));
	ZERO(pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED));
	ZERO(pthread_mutex_init(&sh->lock, &ma));
	ZERO(sem_init(&sh->sem, 1, 1));
	for (int i = 0; i < PROCS; i++) {
		OK(pid[i] = fork());
		if (pid[i])
			continue;
		if (i == 0) {
			char n[16];

			snprintf(n, sizeof(n), "%d", fd);
			execl("/proc/self/exe", argv[0], n, NULL);
			_exit(1);
		}
		if (i == 1)
			ZERO(pthread_create(&t, NULL, race, NULL));
		race(NULL);
		if (i == 1)
			ZERO(pthread_join(t, NULL));
		_exit(0);
	}
	race(NULL);
	for (int i = 0; i < PROCS; i++) {
		CHECK(waitpid(pid[i], &st, 0) == pid[i]);
		printf("%d\n", st);
	}
	printf("%u\n", sh->rounds);
	return 0;
}
