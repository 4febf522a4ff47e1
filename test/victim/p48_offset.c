/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The offset is shared by duplicates and children, untouched by pread; seeks
 * of every kind.
 */
#include "victim.h"
int main(void)
{
	int fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600)), i;
	char b[16];

	for (i = 0; i < 100; i++)
		CHECK(write(fd, "0123456789", 10) == 10);
	CHECK(lseek(fd, 0, SEEK_CUR) == 1000 && lseek(fd, -10, SEEK_END) == 990);
	CHECK(pread(fd, b, 3, 5) == 3 && b[0] == '5' && lseek(fd, 0, SEEK_CUR) == 990);
	CHECK(pwrite(fd, "xy", 2, 0) == 2 && lseek(fd, 0, SEEK_CUR) == 990);
	REAP(CHILD(CHECK(read(fd, b, 4) == 4); OK(lseek(fd, 2, SEEK_CUR))));
	CHECK(lseek(fd, 0, SEEK_CUR) == 996);
	CHECK(read(fd, b, 16) == 4 && read(fd, b, 16) == 0);
	FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
	FAILS(lseek(fd, 0, 99), EINVAL);
	OK(lseek(fd, 100000, SEEK_SET));
	CHECK(write(fd, "end", 3) == 3);
	CHECK(lseek(fd, 2000, SEEK_HOLE) >= 1000);
	CHECK(lseek(fd, 0, SEEK_DATA) == 0);
	FAILS(lseek(fd, 200000, SEEK_DATA), ENXIO);
	int p[2];
	OK(pipe(p));
	FAILS(lseek(p[0], 0, SEEK_SET), ESPIPE);
	FAILS(pread(p[0], b, 1, 0), ESPIPE);
	FAILS(pread(fd, b, 1, -1), EINVAL);
	OK(ftruncate(fd, 50));
	CHECK(read(fd, b, 1) == 1 && lseek(fd, 60, SEEK_SET) == 60 && read(fd, b, 1) == 0);
	OK(truncate("f", 20));
	OK(posix_fallocate(fd, 0, 100));
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 10) + 0);
	CHECK(pread(fd, b, 1, 2) == 1 && b[0] == 0);
	OK(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
	OK(fsync(fd));
	OK(fdatasync(fd));
	OK(syncfs(fd));
	OK(readahead(fd, 0, 10));
	OK(sync_file_range(fd, 0, 10, SYNC_FILE_RANGE_WRITE));
	puts("offset ok");
	return 0;
}
