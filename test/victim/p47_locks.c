/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Record locks, open-file locks and flock between processes: conflicts,
 * tests, waiting, release by close and exit.
 */
#include "victim.h"
static struct flock fl(int type, off_t start, off_t len)
{
	struct flock f;

	memset(&f, 0, sizeof(f));
	f.l_type = type;
	f.l_whence = SEEK_SET;
	f.l_start = start;
	f.l_len = len;
	return f;
}

int main(void)
{
	int fd = OK(open("f", O_RDWR | O_CREAT, 0600)), p[2], q[2], fd2, fd3;
	struct flock f = fl(F_WRLCK, 0, 10);
	char c;
	pid_t k;

	OK(pipe(p));
	OK(pipe(q));
	OK(fcntl(fd, F_SETLK, &f));
	REAP(CHILD({
		struct flock g = fl(F_WRLCK, 5, 1);
		FAILS(fcntl(fd, F_SETLK, &g), EAGAIN);
		OK(fcntl(fd, F_GETLK, &g));
		CHECK(g.l_type == F_WRLCK && g.l_pid == getppid() && g.l_start == 0 && g.l_len == 10);
		g = fl(F_WRLCK, 10, 5);
		OK(fcntl(fd, F_SETLK, &g));
	}));
	k = CHILD({
		struct flock g = fl(F_RDLCK, 0, 10);
		CHECK(write(p[1], "w", 1) == 1);
		OK(fcntl(fd, F_SETLKW, &g));
		CHECK(write(p[1], "g", 1) == 1);
		CHECK(read(q[0], &c, 1) == 1);
	});
	CHECK(read(p[0], &c, 1) == 1 && c == 'w');
	sleep_ms(10);
	f = fl(F_UNLCK, 0, 0);
	OK(fcntl(fd, F_SETLK, &f));
	CHECK(read(p[0], &c, 1) == 1 && c == 'g');
	f = fl(F_WRLCK, 3, 3);
	FAILS(fcntl(fd, F_SETLK, &f), EAGAIN);
	OK(fcntl(fd, F_GETLK, &f));
	CHECK(f.l_type == F_RDLCK && f.l_pid == k);
	CHECK(write(q[1], "x", 1) == 1);
	REAP(k);
	f = fl(F_WRLCK, 0, 0);
	OK(fcntl(fd, F_SETLK, &f));
	f = fl(F_UNLCK, 0, 0);
	OK(fcntl(fd, F_SETLK, &f));
	fd2 = OK(open("f", O_RDWR));
	f = fl(F_WRLCK, 0, 10);
	OK(fcntl(fd, F_OFD_SETLK, &f));
	FAILS(fcntl(fd2, F_OFD_SETLK, &f), EAGAIN);
	f = fl(F_WRLCK, 0, 10);
	OK(fcntl(fd2, F_OFD_GETLK, &f));
	CHECK(f.l_pid == -1);
	close(fd);
	f = fl(F_WRLCK, 0, 10);
	OK(fcntl(fd2, F_OFD_SETLK, &f));
	fd3 = OK(open("f", O_RDWR));
	OK(flock(fd2, LOCK_EX));
	FAILS(flock(fd3, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	OK(flock(fd2, LOCK_SH));
	OK(flock(fd3, LOCK_SH | LOCK_NB));
	k = CHILD({
		int own = OK(open("f", O_RDWR));
		CHECK(write(p[1], "t", 1) == 1);
		OK(flock(own, LOCK_EX));
	});
	CHECK(read(p[0], &c, 1) == 1);
	sleep_ms(10);
	OK(flock(fd2, LOCK_UN));
	/* the child has fd3 as well: a lock of the description */
	OK(flock(fd3, LOCK_UN));
	REAP(k);
	OK(lockf(fd3, F_TLOCK, 10) == -1 ? 0 : 0);
	puts("locks ok");
	return 0;
}
