// SPDX-License-Identifier: Apache-2.0
/*
 * What different allocators do differently: much memory with few calls, sizes
 * around their thresholds, growing and shrinking, many small pieces freed in
 * another order, memory of a child, of threads one after the other, and files
 * that allocators read as well.
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/wait.h>

#include "victim.h"

static unsigned long sum;

static void touch(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i += 512)
		c[i] = (unsigned char)i;
	sum += n + c[0];
}

static void sizes(void)
{
	for (size_t n = 1; n < (64u << 20); n *= 3) {
		void *p = malloc(n), *q;

		CHECK(p);
		touch(p, n);
		q = realloc(p, n * 2);
		CHECK(q);
		touch(q, n * 2);
		q = realloc(q, n / 2 + 1);
		CHECK(q);
		free(q);
	}
}

static void pieces(void)
{
	static void *p[20000];

	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < 20000; i++) {
			p[i] = malloc(i % 700 + 1);
			CHECK(p[i]);
			touch(p[i], i % 700 + 1);
		}
		for (unsigned int i = 0; i < 20000; i++)
			free(p[i * 7919u % 20000]);
		write(1, "round\n", 6);
	}
}

static void *thread(void *arg)
{
	void *p = calloc(1000, 300);

	CHECK(p);
	touch(p, 300000);
	free(p);
	return NULL;
}

static void threads(void)
{
	for (int i = 0; i < 8; i++) {
		pthread_t t;

		CHECK(!pthread_create(&t, NULL, thread, NULL));
		CHECK(!pthread_join(t, NULL));
	}
}

static void child(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		sizes();
		_exit(sum % 251);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	printf("child %d\n", WEXITSTATUS(status));
}

/* The same questions as an allocator's, from the program. */
static void look(void)
{
	char buf[64] = "";
	unsigned char random[32];
	cpu_set_t set;
	int fd = open("/proc/sys/vm/overcommit_memory", O_RDONLY);

	CHECK(fd >= 0 && read(fd, buf, sizeof(buf) - 1) > 0 && !close(fd));
	printf("overcommit %s", buf);
	fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, buf, sizeof(buf) - 1) > 0 && !close(fd));
	printf("descriptor %d\n", fd);
	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	printf("%d processors\n", CPU_COUNT(&set));
	CHECK(getrandom(random, sizeof(random), 0) == sizeof(random));
	CHECK(readlink("/etc/malloc.conf", buf, sizeof(buf)) < 0);
	CHECK(access("/sys/devices/system/node/node999", R_OK) < 0);
}

int main(void)
{
	sizes();
	pieces();
	look();
	threads();
	child();
	printf("%lu\n", sum);
	return 0;
}
