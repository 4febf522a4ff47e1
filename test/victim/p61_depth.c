/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock is read right after calls which only the leader knows to be the
 * monitor's (a mapping of a file is moved, a pointer written to a pipe of one's
 * own, a pending signal unblocked), made from another depth of the stack than the
 * calls before: every variant sees the same times.
 */
#include <sys/mman.h>
#include "victim.h"

static char *map;
static int size = 1;
static int fd, pipe_fd[2];

static int64_t clock_ns(void)
{
	struct timespec ts;

	OK(syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts));
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static __attribute__((noinline)) void deep(int n)
{
	volatile char frame[512];

	frame[0] = (char)n;
	if (n) {
		deep(n - 1);
	} else {
		int next = size == 1 ? 3 : 1;

		map = OK(mremap(map, size * 4096, next * 4096, MREMAP_MAYMOVE));
		size = next;
	}
	(void)frame[0];
}

static __attribute__((noinline)) void deep_seek(void)
{
	volatile char frame[2048];

	frame[0] = 1;
	OK(lseek(fd, 0, SEEK_CUR));
	(void)frame[0];
}

static void handler(int sig)
{
}

int main(void)
{
	int null = OK(open("/dev/null", O_WRONLY));
	int *pointer = &size;
	sigset_t set;

	fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	OK(pipe(pipe_fd));
	signal(SIGUSR1, handler);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	OK(ftruncate(fd, 16384));
	map = OK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
	for (int i = 0; i < 60; i++) {
		int64_t t[3];

		deep(i % 9);
		t[0] = clock_ns();
		deep(i % 4);
		t[1] = clock_ns();
		t[2] = clock_ns();
		CHECK(t[0] <= t[1] && t[1] <= t[2]);
		CHECK(write(null, t, sizeof(t)) == sizeof(t));
	}
	for (int i = 0; i < 30; i++) {
		int64_t t[2];

		deep_seek();
		CHECK(write(pipe_fd[1], &pointer, sizeof(pointer)) ==
		      sizeof(pointer));
		t[0] = clock_ns();
		CHECK(read(pipe_fd[0], &pointer, sizeof(pointer)) ==
		      sizeof(pointer) && pointer == &size);
		OK(sigprocmask(SIG_BLOCK, &set, NULL));
		raise(SIGUSR1);
		deep_seek();
		OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
		t[1] = clock_ns();
		CHECK(t[0] <= t[1]);
		CHECK(write(null, t, sizeof(t)) == sizeof(t));
	}
	puts("same times");
	return 0;
}
