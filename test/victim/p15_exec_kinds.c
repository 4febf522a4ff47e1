/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts with and without an argument, nested scripts, fexecve, execveat on
 * a descriptor and relative to a directory.
 */
#include "victim.h"
int main(int argc, char **argv)
{
	char self[PATH_MAX], text[PATH_MAX + 64];
	char *av[] = { "zero", "by-fd", NULL }, *ev[] = { "K=V", NULL };
	ssize_t n;
	int fd, dir;

	n = OK(readlink("/proc/self/exe", self, sizeof(self) - 1));
	self[n] = 0;
	if (argc > 1) {
		printf("child:");
		for (int i = 1; i < argc; i++)
			printf(" [%s]", argv[i]);
		printf(" K=%s\n", getenv("K") ? getenv("K") : "(none)");
		return 0;
	}
	put_file("s1", "#!/bin/sh\necho s1 \"$0\" \"$@\"\n");
	put_file("s2", "#!/bin/sh -e\necho s2 \"$0\" \"$@\"; false; echo no\n");
	put_file("s3", "#! ./s1 extra arg\nignored\n");
	snprintf(text, sizeof(text), "#!%s one two\n", self);
	put_file("s4", text);
	for (int i = 1; i <= 4; i++) {
		snprintf(text, sizeof(text), "s%d", i);
		OK(chmod(text, 0755));
	}
	REAP(CHILD(execl("./s1", "ignored", "a", "b c", NULL); _exit(9)));
	CHECK(WEXITSTATUS(reap(CHILD(execl("./s2", "ignored", "a", NULL); _exit(9)))) == 1);
	REAP(CHILD(execl("./s3", "ignored", "tail", NULL); _exit(9)));
	REAP(CHILD(execl("./s4", "ignored", "tail", NULL); _exit(9)));
	fd = OK(open(self, O_RDONLY | O_CLOEXEC));
	REAP(CHILD(fexecve(fd, av, ev); _exit(9)));
	close(fd);
	fd = OK(open(self, O_PATH | O_CLOEXEC));
	REAP(CHILD(execveat(fd, "", av, ev, AT_EMPTY_PATH); _exit(9)));
	*strrchr(self, '/') = 0;
	dir = OK(open(self, O_RDONLY | O_DIRECTORY));
	REAP(CHILD(execveat(dir, self + strlen(self) + 1, av, ev, 0); _exit(9)));
	OK(symlink("s1", "link"));
	REAP(CHILD(execl("./link", "ignored", "via link", NULL); _exit(9)));
	FAILS(execveat(AT_FDCWD, "link", av, ev, AT_SYMLINK_NOFOLLOW), ELOOP);
	return 0;
}
