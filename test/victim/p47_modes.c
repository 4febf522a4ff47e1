/* SPDX-License-Identifier: Apache-2.0 */
/*
 * umask, chmod, chown, access, utimes, statx, statfs: what is set is what is
 * read.
 */
#include "victim.h"
int main(void)
{
	struct stat st;
	struct statx sx;
	struct statfs sf;
	struct statvfs sv;
	struct timespec ts[2] = { { 1000, 5 }, { 2000, 7 } };
	int fd;

	CHECK(umask(027) == 022 || 1);
	fd = OK(open("f", O_RDWR | O_CREAT, 0666));
	OK(fstat(fd, &st));
	CHECK((st.st_mode & 07777) == 0640);
	CHECK(umask(022) == 027);
	OK(fchmod(fd, 04711));
	OK(stat("f", &st));
	CHECK((st.st_mode & 07777) == 04711);
	OK(chmod("f", 0600));
	if (geteuid() == 0) {
		OK(chown("f", 1234, 5678));
		OK(stat("f", &st));
		CHECK(st.st_uid == 1234 && st.st_gid == 5678);
		OK(fchown(fd, 0, -1));
		OK(lchown("f", -1, 0));
	}
	OK(utimensat(AT_FDCWD, "f", ts, 0));
	OK(stat("f", &st));
	CHECK(st.st_atim.tv_sec == 1000 && st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 7);
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_sec = 3000;
	OK(futimens(fd, ts));
	OK(statx(fd, "", AT_EMPTY_PATH, STATX_ALL, &sx));
	CHECK(sx.stx_atime.tv_sec == 1000 && sx.stx_mtime.tv_sec == 3000 && sx.stx_size == 0);
	OK(utime("f", &(struct utimbuf){ 1, 2 }));
	OK(utimes("f", (struct timeval[2]){ { 3, 4 }, { 5, 6 } }));
	OK(stat("f", &st));
	CHECK(st.st_mtim.tv_sec == 5 && st.st_mtim.tv_nsec == 6000);
	FAILS(statx(AT_FDCWD, "none", 0, STATX_ALL, &sx), ENOENT);
	OK(access("f", R_OK | W_OK));
	CHECK(access("f", X_OK) == -1 && errno == EACCES);
	OK(statfs(".", &sf));
	OK(fstatfs(fd, &sf));
	CHECK(sf.f_bsize > 0);
	OK(statvfs(".", &sv));
	FAILS(chmod("none", 0600), ENOENT);
	FAILS(chmod("f", 0600) ? 0 : -1, 0);
	OK(symlink("f", "s"));
	OK(lstat("s", &st));
	CHECK(S_ISLNK(st.st_mode) && st.st_size == 1);
	puts("modes ok");
	return 0;
}
