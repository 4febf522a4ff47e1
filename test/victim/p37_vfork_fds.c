/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a vfork child does with its descriptors is no affair of the parent's: a file
 * of /proc, and a pipe that addresses go through.
 */
#include "victim.h"

extern char **environ;
static int object;

/* Has it been mapped, as this file (read piece by piece) says? */
static int listed(int fd, unsigned long addr)
{
	static char text[1 << 17];
	unsigned long from, to;
	ssize_t n, have = 0;

	OK(lseek(fd, 0, SEEK_SET));
	while ((n = OK(read(fd, text + have, 1000))) > 0)
		have += n;
	text[have] = 0;
	for (char *p = text; p && *p; p = strchr(p, '\n'), p += p != NULL)
		if (sscanf(p, "%lx-%lx", &from, &to) == 2 && addr >= from &&
		    addr < to)
			return 1;
	return 0;
}

int main(void)
{
	int maps = OK(open("/proc/self/maps", O_RDONLY));
	int null = OK(open("/dev/null", O_RDWR)), p[2];
	char *argv[] = { "true", NULL };
	posix_spawn_file_actions_t fa;
	void *addr;
	pid_t pid;
	int st;

	OK(pipe(p));
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addclose(&fa, maps);
	posix_spawn_file_actions_adddup2(&fa, null, maps);
	posix_spawn_file_actions_addclose(&fa, p[0]);
	posix_spawn_file_actions_addclose(&fa, p[1]);
	posix_spawn_file_actions_adddup2(&fa, null, 0);
	for (int i = 0; i < 6; i++) {
		CHECK(!posix_spawn(&pid, "/bin/true", &fa, NULL, argv,
				   environ));
		CHECK(waitpid(pid, &st, 0) == pid && !st);
		CHECK(listed(maps, (unsigned long)&main));
		CHECK(!listed(maps, 0x1000));
		addr = &object;
		CHECK(write(p[1], &addr, sizeof(addr)) == sizeof(addr));
		addr = NULL;
		CHECK(read(p[0], &addr, sizeof(addr)) == sizeof(addr));
		CHECK(addr == &object);
	}
	puts("descriptors of the parent are the parent's");
	return 0;
}
