/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vfork children make the calls their parent makes all the time, on its
 * stack, then exec or leave; so do children of posix_spawn and of threads.
 */
#include "victim.h"
extern char **environ;

static void calls(void)
{
	struct timespec ts;

	for (int i = 0; i < 10; i++) {
		getppid();
		clock_gettime(CLOCK_REALTIME, &ts);
		close(-1);
	}
}

static void spawn(int exec)
{
	char *const argv[] = { "true", NULL };
	int p[2], status;
	char c = 0;
	pid_t pid;

	OK(pipe(p));
	pid = vfork();
	if (!pid) {
		calls();
		close(p[0]);
		dup2(p[1], 9);
		if (write(9, "c", 1) != 1)
			_exit(1);
		close(9);
		if (!exec)
			_exit(0);
		execv("/bin/nonexistent", argv);
		execv("/bin/true", argv);
		_exit(2);
	}
	CHECK(pid > 0);
	calls();
	OK(close(p[1]));
	CHECK(read(p[0], &c, 1) == 1 && c == 'c');
	CHECK(read(p[0], &c, 1) == 0);
	OK(close(p[0]));
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	ZERO(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ));
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	calls();
}

static void *thread(void *arg)
{
	for (int i = 0; i < 3; i++)
		spawn(i & 1);
	return NULL;
}

int main(void)
{
	pthread_t t;

	calls();
	for (int i = 0; i < 6; i++)
		spawn(i & 1);
	ZERO(pthread_create(&t, NULL, thread, NULL));
	ZERO(pthread_join(t, NULL));
	puts("vfork ok");
	return 0;
}
