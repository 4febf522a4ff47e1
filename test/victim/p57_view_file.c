/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of /proc that shows the process itself is a file of /proc: without a size,
 * a position at its end or a mapping, under its name.
 */
#include "victim.h"
#include <sys/stat.h>
#include <sys/statfs.h>

static void same(const struct stat *a, const struct stat *b)
{
	CHECK(a->st_ino == b->st_ino && a->st_dev == b->st_dev);
	CHECK(a->st_size == b->st_size && a->st_mode == b->st_mode);
	CHECK(a->st_nlink == b->st_nlink && a->st_blocks == b->st_blocks);
}

static void look(const char *path, int f)
{
	struct stat by_name, by_fd, at, through;
	char name[64], link[128];
	struct statx x;
	struct statfs fs;
	ssize_t n;

	OK(stat(path, &by_name));
	OK(fstat(f, &by_fd));
	same(&by_name, &by_fd);
	OK(fstatat(f, "", &at, AT_EMPTY_PATH));
	same(&by_fd, &at);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", f);
	OK(stat(name, &through));
	same(&by_fd, &through);
	OK(statx(f, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x));
	CHECK(x.stx_ino == by_fd.st_ino && x.stx_size == 0 &&
	      x.stx_mode == by_fd.st_mode);
	OK(fstatfs(f, &fs));
	CHECK(fs.f_type == 0x9fa0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", f);
	n = OK(readlink(name, link, sizeof(link) - 1));
	link[n] = '\0';
	CHECK(!strncmp(link, "/proc/", 6));
	printf("%s: size %ld mode %o nlink %ld blksize %ld, %s\n", path,
	       (long)by_fd.st_size, by_fd.st_mode, (long)by_fd.st_nlink,
	       (long)by_fd.st_blksize, strrchr(link, '/'));
	snprintf(name, sizeof(name), "/proc/%d/fd/%d", getpid(), f);
	CHECK(readlinkat(AT_FDCWD, name, link, 5) == 5);
	CHECK(!memcmp(link, "/proc", 5));
}

static void cannot(int f)
{
	char c;

	FAILS(lseek(f, 0, SEEK_END), EINVAL);
	FAILS(lseek(f, 0, SEEK_DATA), EINVAL);
	FAILS(lseek(f, 0, SEEK_HOLE), EINVAL);
	CHECK(OK(lseek(f, 7, SEEK_SET)) == 7);
	CHECK(OK(lseek(f, 1, SEEK_CUR)) == 8);
	CHECK(OK(read(f, &c, 1)) == 1);
	FAILS(fcntl(f, F_GET_SEALS), EINVAL);
	FAILS(pwrite(f, "x", 1, 0), ESPIPE);
	FAILS(write(f, "x", 1), EBADF);
}

int main(void)
{
	static const char *const path[] = {
		"/proc/self/status", "/proc/self/maps", "/proc/self/stat",
		"/proc/thread-self/stat", "/proc/self/smaps",
	};

	/* often: IP-MON has them soon */
	for (int k = 0; k < 3; k++)
		for (unsigned int i = 0; i < sizeof(path) / sizeof(*path); i++) {
			int f = OK(open(path[i], O_RDONLY)), d = OK(dup(f));

			look(path[i], f);
			cannot(d);
			close(d);
			close(f);
		}
	REAP(CHILD({
		int f = OK(open(path[0], O_RDONLY));

		look(path[0], f);
		cannot(f);
	}));
	return 0;
}
