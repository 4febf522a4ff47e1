/* SPDX-License-Identifier: Apache-2.0 */
/* O_TMPFILE and giving it a name; tmpfile; unlinked files. */
#include "victim.h"
int main(void)
{
	char p[64], b[8];
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	FILE *f;

	if (fd < 0) {
		CHECK(errno == EOPNOTSUPP);
		put_file("named", "temporary");
	} else {
		CHECK(write(fd, "temporary", 9) == 9);
		snprintf(p, sizeof(p), "/proc/self/fd/%d", fd);
		OK(linkat(AT_FDCWD, p, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
		FAILS(linkat(AT_FDCWD, p, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), EEXIST);
	}
	f = tmpfile();
	CHECK(f);
	fprintf(f, "line %d\n", 7);
	rewind(f);
	CHECK(fgets(b, 8, f) && strcmp(b, "line 7\n") == 0);
	fclose(f);
	puts("tmpfile ok");
	return 0;
}
