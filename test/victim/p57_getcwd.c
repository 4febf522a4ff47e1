/* SPDX-License-Identifier: Apache-2.0 */
/* Working directory: chdir, fchdir, deleted directories, deep paths, chroot. */
#include "victim.h"
int main(void)
{
	char b[PATH_MAX], c[PATH_MAX];
	int fd = OK(open(".", O_RDONLY | O_DIRECTORY));

	CHECK(getcwd(b, sizeof(b)));
	OK(mkdir("one", 0755));
	OK(mkdir("one/two", 0755));
	OK(chdir("one/two"));
	CHECK(getcwd(c, sizeof(c)));
	CHECK(strncmp(b, c, strlen(b)) == 0 && strcmp(c + strlen(b), "/one/two") == 0);
	put_file("here", "x");
	OK(rmdir("../two") == -1 && errno == ENOTEMPTY ? 0 : -1);
	OK(unlink("here"));
	OK(rmdir("../two"));
	CHECK(getcwd(c, sizeof(c)) == NULL && errno == ENOENT);
	OK(fchdir(fd));
	CHECK(strcmp(getcwd(c, sizeof(c)), b) == 0);
	FAILS(chdir("nothing"), ENOENT);
	FAILS(chdir("/etc/passwd"), ENOTDIR);
	FAILS(fchdir(0), ENOTDIR);
	REAP(CHILD(OK(chdir("one"))));
	CHECK(strcmp(getcwd(c, sizeof(c)), b) == 0);
	for (int i = 0; i < 40; i++) {
		OK(mkdir("a-directory-with-a-long-name", 0755));
		OK(chdir("a-directory-with-a-long-name"));
	}
	CHECK(strlen(getcwd(c, sizeof(c))) == strlen(b) + 40 * 29);
	for (int i = 0; i < 40; i++) {
		OK(chdir(".."));
		OK(rmdir("a-directory-with-a-long-name"));
	}
	if (geteuid() == 0)
		REAP(CHILD({
			OK(mkdir("root", 0755));
			put_file("root/inside", "x");
			OK(chroot("root"));
			OK(chdir("/"));
			OK(access("/inside", F_OK));
			CHECK(strcmp(getcwd(c, sizeof(c)), "/") == 0);
		}));
	FAILS(syscall(SYS_getcwd, c, 1), ERANGE);
	puts("cwd ok");
	return 0;
}
