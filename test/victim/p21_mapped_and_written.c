/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that is read through a mapping and written by calls, as databases do:
 * alone, by a thread that was there before, by a process that holds a lock, and
 * after a fork.  Under relaxed the leader is ahead: what it has written must not be
 * seen in followers' mappings too early.
 */
#include "victim.h"

#define ROUNDS 300

static volatile uint64_t *map;
static int file;
static int go[2];

static void step(unsigned int at)
{
	uint64_t next = map[at] * 3 + 1;

	OK(pwrite(file, &next, sizeof(next), (off_t)(at * sizeof(next))));
}

static void *thread(void *arg)
{
	char c;

	/* the mapping comes while this one sleeps in its read */
	OK(read(go[0], &c, 1));
	for (unsigned int i = 0; i < ROUNDS; i++)
		step(1);
	return arg;
}

static void lock(short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_len = 8 };

	OK(fcntl(file, F_SETLKW, &l));
}

static void locked_steps(unsigned int rounds)
{
	for (unsigned int i = 0; i < rounds; i++) {
		lock(F_WRLCK);
		step(2);
		lock(F_UNLCK);
	}
}

int main(void)
{
	char name[] = "mapped.XXXXXX";
	int private;
	uint64_t *copy;
	pthread_t t;
	pid_t pid;

	OK(pipe(go));
	file = OK(mkstemp(name));
	OK(unlink(name));
	OK(ftruncate(file, 8192));
	CHECK(!pthread_create(&t, NULL, thread, NULL));
	usleep(10000);
	map = mmap(NULL, 8192, PROT_READ, MAP_SHARED, file, 0);
	CHECK(map != MAP_FAILED);
	for (unsigned int i = 0; i < ROUNDS; i++)
		step(0);
	OK(write(go[1], "", 1));
	CHECK(!pthread_join(t, NULL));
	pid = OK(fork());
	locked_steps(ROUNDS / 3);
	if (!pid)
		_exit(0);
	OK(waitpid(pid, NULL, 0));
	printf("%llx %llx %llx\n", (unsigned long long)map[0],
	       (unsigned long long)map[1], (unsigned long long)map[2]);

	/* untouched pages of a private mapping are the file's, too */
	private = OK(open(".", O_TMPFILE | O_RDWR, 0600));
	OK(ftruncate(private, 4096));
	copy = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, private, 0);
	CHECK(copy != MAP_FAILED);
	file = private;
	map = copy;
	for (unsigned int i = 0; i < ROUNDS; i++)
		step(3);
	printf("%llx\n", (unsigned long long)map[3]);
	return 0;
}
