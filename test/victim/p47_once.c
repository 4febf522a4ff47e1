/* SPDX-License-Identifier: Apache-2.0 */
/* Everything with an effect on names happens exactly once. */
#include "victim.h"
int main(void)
{
	int fd, d;
	char b[16];
	struct stat st;

	fd = OK(open("x", O_WRONLY | O_CREAT | O_EXCL, 0640));
	FAILS(open("x", O_WRONLY | O_CREAT | O_EXCL, 0640), EEXIST);
	CHECK(write(fd, "12345", 5) == 5);
	close(fd);
	fd = OK(open("x", O_WRONLY | O_APPEND));
	CHECK(write(fd, "67", 2) == 2);
	close(fd);
	OK(stat("x", &st));
	CHECK(st.st_size == 7 && (st.st_mode & 0777) == 0640 && st.st_nlink == 1);
	OK(mkdir("d", 0750));
	FAILS(mkdir("d", 0750), EEXIST);
	OK(rename("x", "d/y"));
	FAILS(rename("x", "d/y"), ENOENT);
	OK(link("d/y", "z"));
	FAILS(link("d/y", "z"), EEXIST);
	OK(stat("z", &st));
	CHECK(st.st_nlink == 2);
	OK(symlink("d/y", "s"));
	CHECK(readlink("s", b, sizeof(b)) == 3);
	fd = OK(open("s", O_RDONLY));
	CHECK(read(fd, b, 16) == 7);
	OK(unlink("z"));
	FAILS(unlink("z"), ENOENT);
	FAILS(rmdir("d"), ENOTEMPTY);
	OK(unlink("d/y"));
	OK(rmdir("d"));
	FAILS(rmdir("d"), ENOENT);
	CHECK(pread(fd, b, 16, 0) == 7);
	OK(fstat(fd, &st));
	CHECK(st.st_nlink == 0);
	fd = OK(open("t", O_RDWR | O_CREAT | O_TRUNC, 0600));
	CHECK(write(fd, "content", 7) == 7);
	d = OK(open("t", O_RDWR | O_TRUNC));
	OK(fstat(fd, &st));
	CHECK(st.st_size == 0);
	OK(mkfifo("fifo", 0600));
	OK(mknod("node", S_IFREG | 0600, 0));
	OK(mknod("sock", S_IFSOCK | 0600, 0));
	close(d);
	puts("once ok");
	return 0;
}
