/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call that takes a path, in its old and its *at form, successful and
 * not.
 */
#include "victim.h"
#include <linux/fs.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_getxattrat 464
#define SYS_listxattrat 465
#define SYS_removexattrat 466
#endif

struct xargs {
	uint64_t value;
	uint32_t size, flags;
};

static void show(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		printf("  %s: %s\n", path, strerrorname_np(errno));
	else
		printf("  %s: mode %o size %ld uid %d gid %d links %d times %ld %ld\n",
		       path, st.st_mode, S_ISDIR(st.st_mode) ? 0L : (long)st.st_size,
		       st.st_uid, st.st_gid, S_ISDIR(st.st_mode) ? 0 : (int)st.st_nlink,
		       st.st_atime < 2000 ? (long)st.st_atime : -1,
		       st.st_mtime < 2000 ? (long)st.st_mtime : -1);
}

int main(void)
{
	int d, f;
	char b[4096], longname[5000];
	struct utimbuf ub = { 100, 200 };
	struct timeval tv[2] = { { 300, 1 }, { 400, 2 } };
	struct timespec ts[2] = { { 500, 3 }, { 77, UTIME_OMIT } };
	struct stat st;
	struct statfs sf;
	struct statx sx;

	umask(022);
	memset(longname, 'n', sizeof(longname) - 1);
	longname[sizeof(longname) - 1] = 0;
	f = DOES(syscall(SYS_creat, "f", 0640));
	CHECK(write(f, "content", 7) == 7);
	SAYS(syscall(SYS_creat, "nodir/f", 0640));
	SAYS(syscall(SYS_creat, longname, 0640));
	d = DOES(open(".", O_RDONLY | O_DIRECTORY));
	SAYS(mkdirat(d, "sub", 0777));
	SAYS(mkdirat(d, "sub", 0777));
	SAYS(mkdirat(f, "sub2", 0777));
	SAYS(mkdirat(d, NULL, 0777));
	SAYS(symlinkat("f", d, "sym"));
	SAYS(symlinkat("f", d, "sym"));
	SAYS(symlink("loop", "loop"));
	memset(b, 0, sizeof(b));
	SAYS(readlinkat(d, "sym", b, sizeof(b)));
	CHECK(!strcmp(b, "f"));
	SAYS(syscall(SYS_readlink, "sym", b, 0));
	SAYS(readlinkat(d, "f", b, sizeof(b)));
	SAYS(readlink("loop/x", b, sizeof(b)));
	SAYS(linkat(d, "f", d, "hard", 0));
	SAYS(linkat(d, "sym", d, "hard2", AT_SYMLINK_FOLLOW));
	SAYS(linkat(d, "sub", d, "hard3", 0));
	SAYS(renameat(d, "hard2", d, "sub/hard3"));
	SAYS(rename("sub", "sub/in"));
	SAYS(rename("nosuch", "x"));
	SAYS(syscall(SYS_renameat2, d, "hard", d, "sub/hard3", 1));
	SAYS(syscall(SYS_renameat2, d, "hard", d, "sub/hard3", 2));
	SAYS(fchmodat(d, "f", 0604, 0));
	SAYS(fchmodat(d, "sym", 0600, AT_SYMLINK_NOFOLLOW));
	SAYS(syscall(SYS_fchmodat2, d, "f", 0644, 0));
	SAYS(syscall(SYS_fchmodat2, f, "", 0600, AT_EMPTY_PATH));
	SAYS(syscall(SYS_fchmodat2, d, "f", 0644, 0x8000000));
	SAYS(chmod("nosuch", 0));
	SAYS(chmod("f", 04755));
	SAYS(fchownat(d, "f", getuid(), getgid(), 0));
	SAYS(fchownat(d, "", -1, -1, AT_EMPTY_PATH));
	SAYS(lchown("sym", getuid(), -1));
	SAYS(lchown("loop/x", -1, -1));
	SAYS(chown("loop", -1, -1));
	show("f");
	SAYS(syscall(SYS_utime, "f", &ub));
	show("f");
	SAYS(syscall(SYS_utimes, "f", tv));
	show("f");
	SAYS(syscall(SYS_futimesat, d, "hard", tv));
	SAYS(syscall(SYS_futimesat, d, "nosuch", NULL));
	SAYS(utimensat(d, "f", ts, 0));
	show("f");
	SAYS(futimens(f, ts));
	ts[0].tv_nsec = 1000000000;
	SAYS(utimensat(d, "f", ts, 0));
	SAYS(syscall(SYS_utimensat, f, NULL, NULL, 0));
	SAYS(syscall(SYS_utime, (void *)8, &ub));
	SAYS(syscall(SYS_utimes, "f", (void *)8));
	SAYS(mknod("fifo", S_IFIFO | 0600, 0));
	SAYS(mknodat(d, "sock", S_IFSOCK | 0600, 0));
	SAYS(mknodat(d, "reg", S_IFREG | 0600, 0));
	SAYS(mknodat(d, "reg", S_IFREG | 0600, 0));
	SAYS(mknodat(d, "bad", S_IFDIR | 0600, 0));
	SAYS(syscall(SYS_faccessat, d, "f", R_OK));
	SAYS(syscall(SYS_faccessat, d, "nosuch", F_OK));
	SAYS(syscall(SYS_faccessat2, d, "sym", F_OK, AT_SYMLINK_NOFOLLOW));
	SAYS(syscall(SYS_faccessat2, d, "f", W_OK, AT_EACCESS));
	SAYS(syscall(SYS_faccessat2, d, "f", W_OK, 1));
	SAYS(access("f", 99));
	SAYS(syscall(SYS_lstat, "sym", &st));
	CHECK(S_ISLNK(st.st_mode));
	SAYS(syscall(SYS_stat, "loop", &st));
	SAYS(syscall(SYS_stat, "f", (void *)8));
	SAYS(fstatfs(f, &sf));
	CHECK(sf.f_bsize > 0);
	SAYS(statfs("nosuch", &sf));
	SAYS(fstatfs(-1, &sf));
	SAYS(syscall(SYS_ustat, (unsigned int)st.st_dev, (void *)8));
	SAYS(syscall(SYS_ustat, 0xfffff, b));
	SAYS(statx(d, "f", 0, STATX_ALL, &sx));
	CHECK(sx.stx_size == 7);
	SAYS(statx(f, "", AT_EMPTY_PATH, STATX_MODE, &sx));
	SAYS(statx(d, "f", 0x10000, STATX_ALL, &sx));
	SAYS(statx(d, "f", 0, 0x80000000u, &sx));
	SAYS(truncate("f", 3));
	SAYS(truncate("f", -1));
	SAYS(truncate("sub", 0));
	SAYS(ftruncate(d, 0));
	show("f");
	/* extended attributes: path, link, descriptor, at */
	if (setxattr("f", "user.one", "1", 1, 0) < 0) {
		puts("no user attributes here");
	} else {
		struct xargs xa = { (uintptr_t)"three", 5, 0 };

		SAYS(setxattr("f", "user.one", "2", 1, XATTR_CREATE));
		SAYS(setxattr("f", "user.nosuch", "2", 1, XATTR_REPLACE));
		SAYS(setxattr("f", "bad", "2", 1, 0));
		SAYS(setxattr("f", "user.big", b, 70000, 0));
		SAYS(lsetxattr("sym", "user.one", "2", 1, 0));
		SAYS(lsetxattr("f", "user.two", "22", 2, 0));
		SAYS(fsetxattr(f, "user.empty", NULL, 0, 0));
		SAYS(getxattr("f", "user.two", b, sizeof(b)));
		SAYS(getxattr("f", "user.two", b, 1));
		SAYS(getxattr("f", "user.two", NULL, 0));
		SAYS(lgetxattr("sym", "user.two", b, 10));
		SAYS(fgetxattr(f, "user.nosuch", b, 10));
		SAYS(syscall(SYS_setxattrat, d, "f", 0, "user.three", &xa, sizeof(xa)));
		memset(b, 0, 10);
		xa = (struct xargs){ (uintptr_t)b, 10, 0 };
		SAYS(syscall(SYS_getxattrat, d, "f", 0, "user.three", &xa, sizeof(xa)));
		printf("%s\n", b);
		SAYS(listxattr("f", b, sizeof(b)));
		SAYS(llistxattr("sym", b, sizeof(b)));
		SAYS(flistxattr(f, NULL, 0));
		SAYS(flistxattr(f, b, 1));
		SAYS(syscall(SYS_listxattrat, d, "f", 0, b, sizeof(b)));
		SAYS(lremovexattr("f", "user.one"));
		SAYS(lremovexattr("f", "user.one"));
		SAYS(removexattr("f", "user.two"));
		SAYS(fremovexattr(f, "user.empty"));
		SAYS(syscall(SYS_removexattrat, d, "f", 0, "user.three"));
	}
	/* old getdents: count entries by type */
	{
		long n, total = 0, at = 0;
		char *p;
		static char buf[4096];

		CHECK(lseek(d, 0, SEEK_SET) == 0);
		while ((n = syscall(SYS_getdents, d, buf, sizeof(buf))) > 0)
			for (p = buf; p < buf + n; p += *(unsigned short *)(p + 16))
				total++, at |= 1 << p[*(unsigned short *)(p + 16) - 1];
		printf("%ld entries, types %lx\n", total, at);
		CHECK(n == 0);
		lseek(d, 0, SEEK_SET);
		SAYS(syscall(SYS_getdents, d, buf, 1));
		SAYS(syscall(SYS_getdents, f, buf, 100));
		SAYS(syscall(SYS_getdents64, d, (void *)8, 100));
	}
	SAYS(unlinkat(d, "sub", 0));
	SAYS(unlinkat(d, "sub", AT_REMOVEDIR));
	SAYS(unlinkat(d, "sub/hard3", 0));
	SAYS(unlinkat(d, "sub", AT_REMOVEDIR));
	SAYS(rmdir("f"));
	SAYS(unlink("sub"));
	SAYS(chdir("f"));
	SAYS(fchdir(f));
	SAYS(fchdir(d));
	SAYS(syscall(SYS_getcwd, b, 1));
	puts("paths ok");
	return 0;
}
