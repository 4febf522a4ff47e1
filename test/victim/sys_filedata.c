/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be done to the content and the attributes of an open file: holes,
 * ranges, copies, maps of extents, flags, leases, hints, handles.
 */
#include "victim.h"
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

static unsigned int sum(int fd)
{
	static unsigned char b[65536];
	unsigned int h = 0;
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, b, sizeof(b), at)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			h = h * 31 + b[i];
		at += n;
	}
	printf("  %ld bytes, %08x\n", (long)at, h);
	return h;
}

int main(void)
{
	int f = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600)), g, v;
	static char b[40960];
	loff_t o1, o2;

	for (unsigned int i = 0; i < sizeof(b); i++)
		b[i] = (char)(i * 7 + i / 256);
	CHECK(write(f, b, sizeof(b)) == sizeof(b));
	SAYS(fallocate(f, 0, 0, 65536));
	sum(f);
	SAYS(fallocate(f, FALLOC_FL_KEEP_SIZE, 65536, 4096));
	SAYS(fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 8192));
	sum(f);
	SAYS(fallocate(f, FALLOC_FL_ZERO_RANGE, 100, 5000));
	sum(f);
	SAYS(fallocate(f, FALLOC_FL_COLLAPSE_RANGE, 0, 4096));
	sum(f);
	SAYS(fallocate(f, FALLOC_FL_INSERT_RANGE, 4096, 4096));
	sum(f);
	SAYS(fallocate(f, FALLOC_FL_UNSHARE_RANGE, 0, 4096));
	SAYS(fallocate(f, 0x4000, 0, 4096));
	SAYS(fallocate(f, 0, -1, 4096));
	SAYS(fallocate(-1, 0, 0, 4096));
	SAYS(posix_fallocate(f, 0, 10));
	SAYS(lseek(f, 0, SEEK_HOLE) >= 0);
	SAYS(lseek(f, 1 << 20, SEEK_DATA));
	SAYS(lseek(f, 0, 77));
	SAYS(lseek(f, -5, SEEK_SET));
	SAYS(lseek(f, -5, SEEK_END));
	SAYS(sync_file_range(f, 0, 0, SYNC_FILE_RANGE_WRITE));
	SAYS(sync_file_range(f, 0, 4096, 7));
	SAYS(sync_file_range(f, 0, 0, 0x100));
	SAYS(syscall(SYS_readahead, f, 0, 4096));
	SAYS(syscall(SYS_readahead, -1, 0, 4096));
	SAYS(posix_fadvise(f, 0, 4096, POSIX_FADV_DONTNEED));
	SAYS(posix_fadvise(f, 0, 4096, 99));
	SAYS(fsync(f));
	SAYS(fdatasync(f));
	SAYS(syncfs(f));
	SAYS(fsync(-1));
	struct {
		uint64_t off, len;
	} range = { 0, 0 };
	struct {
		uint64_t v[5];
	} cs;
	SAYS(syscall(SYS_cachestat, f, &range, &cs, 0));
	SAYS(syscall(SYS_cachestat, f, &range, &cs, 1));
	SAYS(syscall(SYS_cachestat, -1, &range, &cs, 0));
	g = OK(open("g", O_RDWR | O_CREAT | O_TRUNC, 0600));
	o1 = 10;
	o2 = 5;
	SAYS(copy_file_range(f, &o1, g, &o2, 10000, 0));
	printf("  %ld %ld\n", (long)o1, (long)o2);
	sum(g);
	SAYS(copy_file_range(f, &o1, g, &o2, 10, 1));
	o1 = 0;
	o2 = 5;
	SAYS(copy_file_range(g, &o1, g, &o2, 100, 0));
	SAYS(copy_file_range(f, NULL, -1, NULL, 10, 0));
	/* clones: most file systems refuse */
	SAYS(ioctl(g, FICLONE, f));
	SAYS(ioctl(g, FICLONE, -1));
	struct file_clone_range cr = { f, 0, 4096, 0 };
	SAYS(ioctl(g, FICLONERANGE, &cr));
	struct {
		struct file_dedupe_range h;
		struct file_dedupe_range_info i[1];
	} dd = { .h = { .src_length = 4096, .dest_count = 1 }, .i = { { .dest_fd = g } } };
	SAYS(ioctl(f, FIDEDUPERANGE, &dd));
	printf("  %d %lld\n", dd.i[0].status, (long long)dd.i[0].bytes_deduped);
	struct {
		struct fiemap m;
		struct fiemap_extent e[16];
	} fm;
	memset(&fm, 0x11, sizeof(fm));
	memset(&fm.m, 0, sizeof(fm.m));
	fm.m.fm_length = ~0ull;
	fm.m.fm_flags = FIEMAP_FLAG_SYNC;
	fm.m.fm_extent_count = 16;
	if (SAYS(ioctl(f, FS_IOC_FIEMAP, &fm)) == 0) {
		CHECK(fm.m.fm_mapped_extents <= 16);
		for (unsigned int i = 0; i < fm.m.fm_mapped_extents; i++)
			printf("  %s extent of %s\n", fm.e[i].fe_logical % 4096 ? "odd" : "even",
			       fm.e[i].fe_length ? "some" : "none");
	}
	fm.m.fm_extent_count = 0;
	SAYS(ioctl(f, FS_IOC_FIEMAP, &fm));
	SAYS(ioctl(f, FIGETBSZ, &v) || v <= 0);
	v = 0;
	DOES(ioctl(f, FIBMAP, &v));
	if (SAYS(ioctl(f, FS_IOC_GETFLAGS, &v)) == 0) {
		v |= FS_NOATIME_FL;
		SAYS(ioctl(f, FS_IOC_SETFLAGS, &v));
		v = 0;
		SAYS(ioctl(f, FS_IOC_GETFLAGS, &v));
		printf("  noatime %d\n", !!(v & FS_NOATIME_FL));
	}
	struct fsxattr fx;
	memset(&fx, 0x22, sizeof(fx));
	if (SAYS(ioctl(f, FS_IOC_FSGETXATTR, &fx)) == 0) {
		printf("  projid %u extsize %u\n", fx.fsx_projid, fx.fsx_extsize);
		SAYS(ioctl(f, FS_IOC_FSSETXATTR, &fx));
	}
	DOES(ioctl(f, FS_IOC_GETVERSION, &v));
	struct fstrim_range tr = { 0, 1, 1ull << 62 };
	SAYS(ioctl(-1, FITRIM, &tr));
	char label[256] = "";
	DOES(ioctl(f, FS_IOC_GETFSLABEL, label));
	SAYS(ioctl(f, FIONREAD, &v));
	printf("  %d\n", v);
	v = 1;
	SAYS(ioctl(f, FIONBIO, &v));
	SAYS(fcntl(f, F_GETFL) & O_NONBLOCK);
	SAYS(ioctl(f, FIOCLEX));
	SAYS(fcntl(f, F_GETFD));
	SAYS(ioctl(f, FIONCLEX));
	SAYS(fcntl(f, F_GETFD));
	SAYS(ioctl(f, TCGETS, b));
	SAYS(ioctl(-1, FIOCLEX));
	/* fcntl */
	uint64_t hint = 2;
	SAYS(fcntl(f, F_SETLEASE, F_RDLCK));
	SAYS(fcntl(g, F_SETLEASE, F_WRLCK));
	SAYS(fcntl(g, F_GETLEASE));
	SAYS(fcntl(g, F_SETLEASE, F_UNLCK));
	SAYS(fcntl(f, F_SET_RW_HINT, &hint));
	hint = 99;
	SAYS(fcntl(f, F_GET_RW_HINT, &hint));
	printf("  hint %d\n", (int)hint);
	SAYS(fcntl(f, F_SETOWN, getpid()));
	SAYS(fcntl(f, F_GETOWN) == getpid());
	SAYS(fcntl(f, F_SETSIG, SIGUSR1));
	SAYS(fcntl(f, F_GETSIG) == SIGUSR1);
	struct f_owner_ex ow = { F_OWNER_PID, getpid() };
	SAYS(fcntl(f, F_SETOWN_EX, &ow));
	memset(&ow, 0, sizeof(ow));
	SAYS(fcntl(f, F_GETOWN_EX, &ow));
	CHECK(ow.type == F_OWNER_PID && ow.pid == getpid());
	SAYS(fcntl(f, F_NOTIFY, DN_CREATE));
	SAYS(fcntl(f, F_GETPIPE_SZ));
	SAYS(fcntl(f, F_ADD_SEALS, F_SEAL_GROW));
	SAYS(fcntl(f, F_DUPFD, -1));
	SAYS(fcntl(9999, F_GETFD));
	int p[2];
	OK(pipe(p));
	SAYS(fcntl(p[1], F_SETPIPE_SZ, 8192));
	SAYS(fcntl(p[1], F_GETPIPE_SZ));
	SAYS(fcntl(p[1], F_SETPIPE_SZ, 0));
	/* handles */
	struct {
		struct file_handle h;
		unsigned char pad[128];
	} fh;
	int mnt = -1;
	memset(&fh, 0, sizeof(fh));
	SAYS(name_to_handle_at(AT_FDCWD, "f", &fh.h, &mnt, 0));
	unsigned int need = fh.h.handle_bytes;
	CHECK(need <= 128);
	if (SAYS(name_to_handle_at(AT_FDCWD, "f", &fh.h, &mnt, 0)) == 0) {
		int m = OK(open(".", O_RDONLY)), h;

		h = open_by_handle_at(m, &fh.h, O_RDONLY);
		if (h >= 0) {
			sum(h);
			close(h);
		} else {
			printf("  %s\n", strerrorname_np(errno));
		}
		SAYS(open_by_handle_at(-1, &fh.h, O_RDONLY));
		fh.h.handle_bytes = 200;
		SAYS(open_by_handle_at(m, &fh.h, O_RDONLY));
	}
	SAYS(name_to_handle_at(AT_FDCWD, "nosuch", &fh.h, &mnt, 0));
	SAYS(name_to_handle_at(AT_FDCWD, "f", &fh.h, &mnt, 0x800000));
	/* O_TMPFILE given a name, O_PATH, O_DIRECT */
	int t = open(".", O_TMPFILE | O_RDWR, 0600);
	if (t >= 0) {
		char path[64];

		CHECK(write(t, "tmp", 3) == 3);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", t);
		SAYS(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
		sum(OK(open("named", O_RDONLY)));
	}
	t = OK(open("f", O_PATH));
	SAYS(read(t, b, 1));
	SAYS(fchmod(t, 0600));
	SAYS(ioctl(t, FIONREAD, &v));
	puts("filedata ok");
	return 0;
}
