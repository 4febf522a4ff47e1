/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shared mapping of a file that has no name any more, and of one that was
 * replaced by rename.
 */
#include "victim.h"
int main(void)
{
	int fd = OK(open("gone", O_RDWR | O_CREAT | O_EXCL, 0600)), fd2;
	char *m, *m2, b[8];

	OK(ftruncate(fd, 4096));
	m = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	OK(unlink("gone"));
	strcpy(m, "alive");
	CHECK(pread(fd, b, 6, 0) == 6 && strcmp(b, "alive") == 0);
	fd2 = OK(open("new", O_RDWR | O_CREAT | O_EXCL, 0600));
	OK(ftruncate(fd2, 4096));
	m2 = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd2, 0));
	OK(rename("new", "gone"));
	strcpy(m2, "other");
	CHECK(strcmp(m, "alive") == 0 && strcmp(m2, "other") == 0);
	REAP(CHILD({
		CHECK(strcmp(m, "alive") == 0);
		strcpy(m, "child");
	}));
	CHECK(strcmp(m, "child") == 0);
	puts("unlinked ok");
	return 0;
}
