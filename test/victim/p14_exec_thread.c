/* SPDX-License-Identifier: Apache-2.0 */
/* exec from a thread: the process keeps its pid, the siblings vanish. */
#include "victim.h"
static char self[PATH_MAX], pidtext[32];
static void *idle(void *arg)
{
	for (;;)
		pause();
	return NULL;
}
static void *spin(void *arg)
{
	for (;;)
		burn(1000);
	return NULL;
}
static void *runner(void *arg)
{
	execl(self, self, "child", pidtext, NULL);
	victim_fail(__FILE_NAME__, __LINE__, "exec");
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t;
	ssize_t n;

	if (argc > 1) {
		DIR *d = opendir("/proc/self/task");
		int tasks = 0;

		while (readdir(d))
			tasks++;
		CHECK(tasks == 3);
		CHECK(getpid() == atoi(argv[2]));
		CHECK(syscall(SYS_gettid) == getpid());
		puts("one thread, same pid");
		return 0;
	}
	n = OK(readlink("/proc/self/exe", self, sizeof(self) - 1));
	self[n] = 0;
	snprintf(pidtext, sizeof(pidtext), "%d", getpid());
	ZERO(pthread_create(&t, NULL, idle, NULL));
	ZERO(pthread_create(&t, NULL, spin, NULL));
	ZERO(pthread_create(&t, NULL, runner, NULL));
	for (;;)
		pause();
}
