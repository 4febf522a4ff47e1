/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork, exec and threads in the middle of many calls.  With SLOW in the
 * environment (of one variant, as a test) it computes between them, so that the
 * others are far ahead when they fork.
 */
#include "victim.h"

static int slow;

static void calls(int fd, int n)
{
	char b[200];

	for (int i = 0; i < n; i++) {
		CHECK(pread(fd, b, sizeof(b), i % 50) == sizeof(b));
		if (slow && i % 8 == 0)
			for (volatile int k = 0; k < 20000; k++)
				;
	}
}

static void *thread(void *arg)
{
	calls(*(int *)arg, 500);
	return NULL;
}

int main(int argc, char **argv)
{
	char text[1000];
	int fd, p[2];
	pthread_t t;
	pid_t pid;

	slow = getenv("SLOW") != NULL;
	if (argc > 1) {
		fd = atoi(argv[1]);
		calls(fd, 1000);
		puts("after exec");
		return 0;
	}
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	put_file("f", text);
	fd = OK(open("f", O_RDWR));
	for (int i = 0; i < 5; i++) {
		calls(fd, 1500);
		pid = CHILD({
			calls(fd, 700);
			CHECK(pwrite(fd, "c", 1, i) == 1);
		});
		calls(fd, 700);
		REAP(pid);
	}
	/* children at the same time, each with many calls */
	OK(pipe(p));
	for (int i = 0; i < 8; i++) {
		calls(fd, 200);
		CHILD({ calls(fd, 600); CHECK(write(p[1], "d", 1) == 1); });
	}
	OK(close(p[1]));
	calls(fd, 1000);
	while (read(p[0], text, 1) == 1)
		;
	for (int i = 0; i < 8; i++)
		REAP(-1);
	ZERO(pthread_create(&t, NULL, thread, &fd));
	ZERO(pthread_join(t, NULL));
	CHECK(pread(fd, text, 6, 0) == 6);
	printf("%.6s\n", text);
	fflush(stdout);
	snprintf(text, sizeof(text), "%d", fd);
	calls(fd, 1500);
	execl("/proc/self/exe", "again", text, NULL);
	return 1;
}
