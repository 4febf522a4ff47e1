/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkstemp, mkdtemp, mkostemps, tempnam, tmpnam: every variant uses the same
 * name.
 */
#include "victim.h"
int main(void)
{
	char a[] = "fileXXXXXX", b[] = "dirXXXXXX", c[] = "cloXXXXXX.tmp", d[] = "bad", e[L_tmpnam];
	int fd;
	FILE *f;

	for (int i = 0; i < 10; i++) {
		strcpy(a, "fileXXXXXX");
		fd = OK(mkstemp(a));
		CHECK(strncmp(a, "file", 4) == 0 && strcmp(a + 4, "XXXXXX") != 0);
		CHECK(write(fd, a, 10) == 10);
		OK(access(a, F_OK));
		OK(unlink(a));
		close(fd);
	}
	CHECK(mkdtemp(b) == b);
	OK(rmdir(b));
	fd = OK(mkostemps(c, 4, O_CLOEXEC));
	CHECK(strcmp(c + 9, ".tmp") == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	OK(unlink(c));
	FAILS(mkstemp(d), EINVAL);
	CHECK(tmpnam(e) == e);
	fd = OK(open(e, O_CREAT | O_EXCL | O_RDWR, 0600));
	OK(unlink(e));
	char *t = tempnam(".", "pre");
	CHECK(t && strncmp(t, "./pre", 5) == 0);
	f = fopen(t, "w");
	CHECK(f);
	fclose(f);
	OK(unlink(t));
	strcpy(a, "fileXXXXXX");
	f = fopen(mktemp(a), "w");
	CHECK(f);
	fclose(f);
	OK(unlink(a));
	REAP(CHILD({
		char x[] = "childXXXXXX";
		OK(close(OK(mkstemp(x))));
		OK(unlink(x));
	}));
	puts("names ok");
	return 0;
}
