/* SPDX-License-Identifier: Apache-2.0 */
/* openat2: resolve flags, mode checks, sizes of the structure. */
#include "victim.h"
#include <linux/openat2.h>
static long o2(int d, const char *p, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how h = { flags, mode, resolve };

	return syscall(SYS_openat2, d, p, &h, sizeof(h));
}

int main(void)
{
	int d;
	long fd;

	OK(mkdir("d", 0755));
	OK(symlink("/etc", "d/out"));
	put_file("d/in", "inside");
	d = OK(open("d", O_RDONLY | O_DIRECTORY));
	fd = OK(o2(d, "in", O_RDONLY, 0, RESOLVE_BENEATH));
	close(fd);
	FAILS(o2(d, "../d/in", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
	FAILS(o2(d, "out/passwd", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
	FAILS(o2(d, "out/passwd", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
	OK(o2(d, "/in", O_RDONLY, 0, RESOLVE_IN_ROOT));
	FAILS(o2(d, "in", O_RDONLY, 0600, 0), EINVAL);
	FAILS(o2(d, "in", O_RDONLY, 0, 1ull << 40), EINVAL);
	OK(o2(d, "new", O_RDWR | O_CREAT, 0600, 0));
	FAILS(syscall(SYS_openat2, d, "in", &fd, 3), EINVAL);
	FAILS(syscall(SYS_openat2, d, "in", (void *)8, 24), EFAULT);
	puts("openat2 ok");
	return 0;
}
