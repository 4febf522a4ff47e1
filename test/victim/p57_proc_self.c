/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc about oneself: exe, cwd, fd, status, stat, comm, task, cmdline agree
 * with the calls.
 */
#include "victim.h"
static char text[65536];
static char *slurp(const char *path)
{
	int fd = OK(open(path, O_RDONLY)), n = 0, k;

	while ((k = OK(read(fd, text + n, sizeof(text) - 1 - n))) > 0)
		n += k;
	text[n] = 0;
	close(fd);
	return text;
}
static long field(const char *name)
{
	char *p = strstr(slurp("/proc/self/status"), name);

	CHECK(p);
	return atol(p + strlen(name));
}

int main(int argc, char **argv)
{
	char path[PATH_MAX], link[PATH_MAX], cwd[PATH_MAX];
	ssize_t n;
	DIR *d;
	struct dirent *e;
	int count = 0, fd = OK(open("f", O_RDWR | O_CREAT, 0600));

	CHECK(field("\nPid:\t") == getpid());
	CHECK(field("\nPPid:\t") == getppid());
	CHECK(field("\nTgid:\t") == getpid());
	CHECK(field("\nUid:\t") == getuid());
	CHECK(field("\nTracerPid:\t") == 0);
	CHECK(field("\nThreads:\t") == 1);
	CHECK(atol(slurp("/proc/self/stat")) == getpid());
	CHECK(strstr(text, "(p57_proc_self)"));
	snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
	CHECK(atol(slurp(path)) == getpid());
	CHECK(strcmp(slurp("/proc/self/comm"), "p57_proc_self\n") == 0);
	slurp("/proc/self/cmdline");
	CHECK(strcmp(text, argv[0]) == 0);
	n = OK(readlink("/proc/self/exe", link, sizeof(link) - 1));
	link[n] = 0;
	CHECK(strcmp(strrchr(link, '/'), "/p57_proc_self") == 0);
	snprintf(path, sizeof(path), "/proc/%d/exe", getpid());
	CHECK(readlink(path, link, sizeof(link)) == n);
	n = OK(readlink("/proc/self/cwd", link, sizeof(link) - 1));
	link[n] = 0;
	CHECK(strcmp(link, getcwd(cwd, sizeof(cwd))) == 0);
	n = OK(readlink("/proc/self", link, sizeof(link) - 1));
	link[n] = 0;
	CHECK(atoi(link) == getpid());
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = OK(readlink(path, link, sizeof(link) - 1));
	link[n] = 0;
	CHECK(strcmp(strrchr(link, '/'), "/f") == 0);
	d = opendir("/proc/self/fd");
	while ((e = readdir(d)))
		count++;
	closedir(d);
	/* less . and .. and the directory's own */
	for (int i = 0; i < 1100; i++)
		count -= fcntl(i, F_GETFD) >= 0;
	CHECK(count == 3);
	d = opendir("/proc/self/task");
	count = 0;
	while ((e = readdir(d)))
		if (atoi(e->d_name) == getpid())
			count++;
	closedir(d);
	CHECK(count == 1);
	fd = open("/proc/self/comm", O_WRONLY);
	CHECK(write(fd, "changed", 7) == 7);
	CHECK(strcmp(slurp("/proc/self/comm"), "changed\n") == 0);
	CHECK(strstr(slurp("/proc/self/limits"), "Max open files"));
	CHECK(strstr(slurp("/proc/self/mountinfo"), " / "));
	CHECK(strstr(slurp("/proc/self/io"), "rchar:"));
	CHECK(atoi(slurp("/proc/self/oom_score_adj")) >= -1000);
	CHECK(strstr(slurp("/proc/meminfo"), "MemTotal"));
	CHECK(strstr(slurp("/proc/stat"), "cpu "));
	CHECK(strstr(slurp("/proc/cpuinfo"), "processor"));
	puts("proc ok");
	return 0;
}
