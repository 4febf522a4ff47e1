/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes by path, link and descriptor: set, get, list, remove,
 * flags, sizes.
 */
#include "victim.h"
int main(void)
{
	int fd = OK(open("f", O_RDWR | O_CREAT, 0600));
	char b[256];
	ssize_t n;

	if (setxattr("f", "user.one", "1", 1, 0) < 0) {
		CHECK(errno == EOPNOTSUPP);
		puts("xattr ok");
		return 0;
	}
	OK(fsetxattr(fd, "user.two", "twotwo", 6, XATTR_CREATE));
	FAILS(setxattr("f", "user.two", "x", 1, XATTR_CREATE), EEXIST);
	FAILS(setxattr("f", "user.three", "x", 1, XATTR_REPLACE), ENODATA);
	CHECK(getxattr("f", "user.two", b, sizeof(b)) == 6 && memcmp(b, "twotwo", 6) == 0);
	CHECK(fgetxattr(fd, "user.two", NULL, 0) == 6);
	FAILS(getxattr("f", "user.two", b, 3), ERANGE);
	FAILS(getxattr("f", "user.none", b, 3), ENODATA);
	n = OK(listxattr("f", b, sizeof(b)));
	CHECK(n >= 18);
	CHECK(flistxattr(fd, NULL, 0) == n);
	OK(removexattr("f", "user.one"));
	FAILS(fremovexattr(fd, "user.one"), ENODATA);
	OK(symlink("f", "s"));
	CHECK(lgetxattr("s", "user.two", b, sizeof(b)) == -1);
	CHECK(getxattr("s", "user.two", b, sizeof(b)) == 6);
	puts("xattr ok");
	return 0;
}
