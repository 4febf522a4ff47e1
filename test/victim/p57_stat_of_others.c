/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/stat shows addresses to those only who may trace the process: not to one
 * that has put its rights aside, of its parent; of itself and to root they are there.
 */
#include "victim.h"

static char *field(char *line, int n)
{
	char *at = strrchr(line, ')');

	CHECK(at);
	for (int i = 2; i < n; i++) {
		at = strchr(at + 1, ' ');
		CHECK(at);
	}
	return at + 1;
}

static void look(const char *who, pid_t pid)
{
	static const int fields[] = { 26, 27, 28, 45, 46, 47, 48, 49, 50, 51 };
	char name[40], line[2048];
	int fd;
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	fd = OK(open(name, O_RDONLY));
	/* again from the start as well */
	for (int round = 0; round < 2; round++) {
		n = OK(pread(fd, line, sizeof(line) - 1, 0));
		line[n] = '\0';
		CHECK(atoi(line) == pid);
		printf("%s:", who);
		for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
			unsigned long v = strtoul(field(line, fields[i]), NULL, 10);

			printf(" %s", v == 0 ? "0" : v == 1 ? "1" : "x");
		}
		puts("");
	}
	close(fd);
}

int main(void)
{
	pid_t parent = getpid();

	look("own", parent);
	REAP(CHILD(look("the parent's", parent)));
	NEEDS(geteuid() ? (errno = EPERM, -1) : 0);
	REAP(CHILD(OK(setresgid(65534, 65534, 65534));
		   OK(setresuid(65534, 65534, 65534));
		   look("root's", parent)));
	return 0;
}
