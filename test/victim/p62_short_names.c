/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names with three or four random characters behind a dot, drawn from an address
 * without libc: what mktemp(1) does with a template of so few X. And all calls that
 * create a name: ln -f makes its link under such a name and renames it.
 */
#include "victim.h"

static void draw(char *to, unsigned int n, unsigned int i)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	uint64_t x = ((uint64_t)(uintptr_t)&n ^ i) * 0x9e3779b97f4a7c15ull;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ull;
	for (x >>= 16; n; n--, x /= 62)
		*to++ = chars[x % 62];
}

static void link_over(const char *how, unsigned int i)
{
	char name[] = "CuXXXXXX";

	do
		draw(name + 2, 6, i);
	while ((how[0] == 'l' ? link("file", name) :
		how[0] == 'L' ? linkat(AT_FDCWD, "file", AT_FDCWD, name, 0) :
		how[0] == 's' ? symlink("file", name) :
		how[0] == 'S' ? symlinkat("file", AT_FDCWD, name) :
		how[0] == 'f' ? mknod(name, S_IFIFO | 0600, 0) :
		mkfifoat(AT_FDCWD, name, 0600)) < 0 && errno == EEXIST);
	OK(rename(name, "target"));
	OK(unlink("target"));
	FAILS(access(name, F_OK), ENOENT);
}

int main(void)
{
	close(OK(open("file", O_CREAT | O_WRONLY, 0600)));
	for (unsigned int i = 0; i < 6; i++)
		link_over(&"lLsSfF"[i], i);
	OK(unlink("file"));

	for (unsigned int i = 0; i < 20; i++) {
		char dir[] = "gt-dir.XXXX", file[] = "gt-dir.XXXX/f.XXX";
		int fd;

		do
			draw(dir + 7, 4, i);
		while (mkdir(dir, 0700) < 0 && errno == EEXIST);
		memcpy(file, dir, strlen(dir));
		draw(file + 14, 3, i);
		fd = OK(open(file, O_RDWR | O_CREAT | O_EXCL, 0600));
		OK(write(fd, file, sizeof(file)));
		close(fd);
		OK(access(file, R_OK));
		OK(unlink(file));
		OK(rmdir(dir));
	}
	puts("short names ok");
	return 0;
}
