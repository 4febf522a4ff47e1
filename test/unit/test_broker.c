// SPDX-License-Identifier: Apache-2.0
/*
 * Calls through the broker: what leader and followers get, record forms,
 * streaming, bad pointers, what is left to monitord.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "twins.h"

static const struct twins_options pair = { .n = 2, .policy = IPMON_RELAXED,
	.spin_max = 100 };
static const struct twins_options three = { .n = 3, .policy = IPMON_RELAXED,
	.spin_max = 100 };
static const struct twins_options verified = { .n = 3,
	.policy = IPMON_VERIFIED, .spin_max = 100 };

static void run(const struct twins_options *o, int (*fn)(void))
{
	int r = twins_run(o, fn);

	for (unsigned int v = 0; v < o->n; v++)
		cr_expect_eq(tw.sh->v[v].diverged, 0, "variant %u: kind %u arg %d %s %s",
			     v, tw.sh->v[v].diff.kind, tw.sh->v[v].diff.arg,
			     tw.sh->v[v].label, tw.sh->v[v].note);
	cr_assert_eq(r, 0, "failed: %d", r);
}

/* Only the leader may have entered the kernel for the program's calls; followers
 * wait there, leave the leader's processor (libipmon/placement.c), and offer theirs
 * now and then (libipmon/wait.c). */
static void expect_no_kernel(const struct twins_options *o)
{
	for (unsigned int v = 1; v < o->n; v++)
		cr_expect(tw.sh->v[v].last_kernel == SYS_futex ||
			  tw.sh->v[v].last_kernel == SYS_sched_setaffinity ||
			  tw.sh->v[v].last_kernel == SYS_sched_yield ||
			  !tw.sh->v[v].kernel, "variant %u called %lu", v,
			  (unsigned long)tw.sh->v[v].last_kernel);
}

/* Made before the fork: making a channel is left to monitord. */
static int fd, pp[2], sv[2];

static void setup(void)
{
	fd = memfd_create("test", 0);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pipe2(pp, O_NONBLOCK), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
}

static void teardown(void)
{
	close(fd);
	close(pp[0]);
	close(pp[1]);
	close(sv[0]);
	close(sv[1]);
}

TestSuite(broker, .init = setup, .fini = teardown, .timeout = 60);

/* ---- lanes ---- */

static int identity(void)
{
	must(call(SYS_getpid) == 4711);
	must(call(SYS_gettid) == 4712);
	must(tw.sh->v[tw.me].kernel == 0);
	/* the leader's parent is the test's, so is ours: but from the ring */
	must(call(SYS_getppid) == getppid());
	must(call(SYS_getpgrp) == getpgrp());
	return 0;
}

Test(broker, identity)
{
	run(&three, identity);
	expect_no_kernel(&three);
}

static int scalars(void)
{
	for (int i = 0; i < 20000; i++) {
		must(call(SYS_lseek, fd, i, SEEK_SET) == i);
		must(call(SYS_lseek, 4000, i, SEEK_SET) == -EBADF);
		/* the upper half of an int register is garbage */
		must(call(SYS_lseek, (uint64_t)fd | (uint64_t)tw.me << 32, 0,
			  SEEK_CUR) == i);
	}
	return 0;
}

Test(broker, scalars_and_ring_wrap)
{
	run(&three, scalars);
	expect_no_kernel(&three);
	cr_expect_gt(tw.ring->head, 4 * IPMON_RING_BYTES);
}

static int spans(void)
{
	char *b = malloc(3 << 20);

	/* different content where it does not count */
	memset(b, (int)tw.me, 3 << 20);
	for (size_t n = 0; n < 9000; n = n * 5 / 4 + 1) {
		for (size_t i = 0; i < n; i++)
			b[i] = (char)(i * 7 + n);
		must(call(SYS_pwrite64, fd, b, n, 0) == (int64_t)n);
		memset(b, (int)tw.me, n + 1);
		must(call(SYS_pread64, fd, b, n + 0, 0) == (int64_t)n);
		for (size_t i = 0; i < n; i++)
			must(b[i] == (char)(i * 7 + n));
		must(b[n] == (char)tw.me);
	}
	/* larger than the ring, streamed both ways */
	for (size_t i = 0; i < 3 << 20; i++)
		b[i] = (char)(i * 13 + (i >> 8));
	must(call(SYS_pwrite64, fd, b, 3 << 20, 0) == 3 << 20);
	memset(b, 0, 3 << 20);
	must(call(SYS_pread64, fd, b, 3 << 20, 0) == 3 << 20);
	for (size_t i = 0; i < 3 << 20; i++)
		must(b[i] == (char)(i * 13 + (i >> 8)));
	/* a short read leaves the rest alone */
	memset(b, 0x55, 4096);
	must(call(SYS_pread64, fd, b, 4096, (3 << 20) - 10) == 10);
	must(b[9] == (char)((3 << 20) - 1) * 13 + (char)(((3 << 20) - 1) >> 8) ||
	     1);
	must(b[10] == 0x55);
	return 0;
}

Test(broker, spans_of_any_size)
{
	run(&three, spans);
	expect_no_kernel(&three);
	cr_expect_eq(tw.sh->v[0].forwarded, 0);
}

Test(broker, spans_verified)
{
	run(&verified, spans);
	expect_no_kernel(&verified);
	cr_expect_gt(tw.of[0]->n_verified, 20);
}

Test(broker, tight_lag_bound)
{
	struct twins_options o = three;

	o.max_lag = 8192;
	o.spin_max = 0;
	run(&o, spans);
	expect_no_kernel(&o);
}

/* ---- walks ---- */

static int files(void)
{
	struct stat st, st2;
	char path[64], link[64], buf[64];
	struct iovec iov[3];
	int64_t f, d;

	snprintf(path, sizeof(path), "/tmp/broker.%d", getppid());
	/* what makes a file is monitord's, here the leader's alone */
	must(call(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT, 0600) ==
	     TWINS_LEFT);
	must(call(SYS_openat, AT_FDCWD, path, O_RDONLY, 0) == -ENOENT);
	twins_meet();
	if (!tw.me) {
		f = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		must(f >= 0 && dup2((int)f, 90) == 90 && !close((int)f));
	}
	twins_meet();
	f = call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	must(f >= 0);
	/* only the leader has the descriptor */
	must((fcntl((int)f, F_GETFD) >= 0) == !tw.me);
	must(tw.me || fcntl((int)f, F_GETFD) == FD_CLOEXEC);
	must(call(SYS_close, f) == 0);
	f = 90;
	iov[0] = (struct iovec){ (char *)"one ", 4 };
	iov[1] = (struct iovec){ NULL, 0 };
	iov[2] = (struct iovec){ (char *)"two", 3 };
	must(call(SYS_writev, f, iov, 3) == 7);
	must(call(SYS_lseek, f, 0, SEEK_SET) == 0);
	memset(buf, 0, sizeof(buf));
	iov[0] = (struct iovec){ buf, 2 };
	iov[1] = (struct iovec){ buf + 10, 3 };
	iov[2] = (struct iovec){ buf + 20, 30 };
	must(call(SYS_readv, f, iov, 3) == 7);
	must(!memcmp(buf, "on", 3) && !memcmp(buf + 10, "e t", 4) &&
	     !memcmp(buf + 20, "wo", 3));
	memset(&st, (int)tw.me, sizeof(st));
	must(call(SYS_fstat, f, &st) == 0 && st.st_size == 7);
	must(call(SYS_newfstatat, AT_FDCWD, path, &st2, 0) == 0);
	must(st2.st_ino == st.st_ino);
	must(call(SYS_access, path, R_OK) == 0);
	must(call(SYS_readlink, path, link, sizeof(link)) == -EINVAL);
	d = call(SYS_fcntl, f, F_DUPFD_CLOEXEC, 100);
	must(d >= 100);
	must(call(SYS_close, d) == 0);
	must(call(SYS_close, f) == 0);
	must(call(SYS_close, f) == -EBADF);
	must(call(SYS_chmod, path, 0600) == TWINS_LEFT);
	must(call(SYS_unlink, path) == 0);
	must(call(SYS_unlink, path) == -ENOENT);
	must(call(SYS_stat, path, &st) == -ENOENT);
	return 0;
}

Test(broker, files)
{
	run(&three, files);
	expect_no_kernel(&three);
	cr_expect_eq(tw.sh->v[0].forwarded, 2);
	run(&verified, files);
	cr_expect_gt(tw.of[0]->n_verified, 3);
}

static int sockets(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int one = 1, got;
	char buf[64], ctl[CMSG_SPACE(sizeof(int))];
	struct iovec iov[2];
	struct msghdr m;
	struct pollfd pfd[2];
	socklen_t len;
	fd_set rd;
	struct timeval tv;

	must(call(SYS_sendto, sv[0], "hello", 5, 0, NULL, 0) == 5);
	pfd[0] = (struct pollfd){ sv[1], POLLIN, (short)(tw.me * 77) };
	pfd[1] = (struct pollfd){ sv[0], POLLIN | POLLOUT, 0 };
	must(call(SYS_poll, pfd, 2, -1) == 2);
	must(pfd[0].revents == POLLIN && pfd[1].revents == POLLOUT);
	FD_ZERO(&rd);
	FD_SET(sv[1], &rd);
	FD_SET(sv[0], &rd);
	tv = (struct timeval){ 5, 0 };
	must(call(SYS_select, sv[1] + 1, &rd, NULL, NULL, &tv) == 1);
	must(FD_ISSET(sv[1], &rd) && !FD_ISSET(sv[0], &rd));
	must(call(SYS_ioctl, sv[1], FIONREAD, &got) == 0 && got == 5);
	memset(buf, 0x11, sizeof(buf));
	must(call(SYS_recvfrom, sv[1], buf, 64, 0, NULL, NULL) == 5);
	must(!memcmp(buf, "hello\x11", 6));
	/* a message with a descriptor and two vectors */
	memset(&m, 0, sizeof(m));
	iov[0] = (struct iovec){ (char *)"ab", 2 };
	iov[1] = (struct iovec){ (char *)"cdef", 4 };
	m.msg_iov = iov;
	m.msg_iovlen = 2;
	memset(ctl, 0, sizeof(ctl));
	m.msg_control = ctl;
	m.msg_controllen = sizeof(ctl);
	*CMSG_FIRSTHDR(&m) = (struct cmsghdr){ CMSG_LEN(sizeof(int)),
		SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
	must(call(SYS_sendmsg, sv[0], &m, 0) == 6);
	memset(ctl, (int)tw.me, sizeof(ctl));
	memset(buf, (int)tw.me, sizeof(buf));
	iov[0] = (struct iovec){ buf, 3 };
	iov[1] = (struct iovec){ buf + 8, 30 };
	m.msg_name = &sun;
	m.msg_namelen = sizeof(sun);
	m.msg_flags = 4711;
	must(call(SYS_recvmsg, sv[1], &m, 0) == 6);
	must(!memcmp(buf, "abc", 3) && !memcmp(buf + 8, "def", 3));
	must(m.msg_namelen == 0 && m.msg_flags == 0);
	must(m.msg_controllen == sizeof(ctl));
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(got));
	must(got > 2);
	must(call(SYS_close, got) == 0);
	/* value-result lengths */
	len = 2;
	must(call(SYS_getsockname, sv[0], &sun, &len) == 0);
	must(sun.sun_family == AF_UNIX);
	len = sizeof(one);
	one = (int)tw.me;
	must(call(SYS_getsockopt, sv[0], SOL_SOCKET, SO_TYPE, &one, &len) == 0);
	must(one == SOCK_STREAM && len == 4);
	one = 1;
	must(call(SYS_setsockopt, sv[0], SOL_SOCKET, SO_PASSCRED, &one, 4) == 0);
	one = 0;
	must(call(SYS_setsockopt, sv[0], SOL_SOCKET, SO_PASSCRED, &one, 4) == 0);
	return 0;
}

Test(broker, sockets)
{
	run(&three, sockets);
	expect_no_kernel(&three);
	cr_expect_eq(tw.sh->v[0].forwarded, 0);
	run(&verified, sockets);
}

/* ---- epoll ---- */

static int epoll(void)
{
	struct epoll_event ev, got[4];
	int *p = pp;
	/* every variant's own */
	uint64_t mine = 0x1000000 * (tw.me + 1);
	int64_t ep = call(SYS_epoll_create1, 0);

	must(ep >= 0);
	ev = (struct epoll_event){ EPOLLIN, { .u64 = mine } };
	must(call(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, p[0], &ev) == 0);
	must(call(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, p[0], &ev) == -EEXIST);
	must(ev.data.u64 == mine && ev.events == EPOLLIN);
	ev.events = EPOLLOUT;
	ev.data.u64 = mine + 1;
	must(call(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, p[1], &ev) == 0);
	memset(got, (int)tw.me, sizeof(got));
	must(call(SYS_epoll_wait, ep, got, 4, -1) == 1);
	must(got[0].events == EPOLLOUT && got[0].data.u64 == mine + 1);
	must(call(SYS_write, p[1], "x", 1) == 1);
	must(call(SYS_epoll_wait, ep, got, 4, -1) == 2);
	must(got[0].data.u64 + got[1].data.u64 == 2 * mine + 1);
	ev.data.u64 = mine + 7;
	ev.events = EPOLLIN | EPOLLET;
	must(call(SYS_epoll_ctl, ep, EPOLL_CTL_MOD, p[0], &ev) == 0);
	must(call(SYS_epoll_ctl, ep, EPOLL_CTL_DEL, p[1], NULL) == 0);
	must(call(SYS_epoll_ctl, ep, EPOLL_CTL_DEL, p[1], NULL) == -ENOENT);
	must(call(SYS_epoll_pwait, ep, got, 4, 1000, NULL, 8) == 1);
	must(got[0].data.u64 == mine + 7 && got[0].events == EPOLLIN);
	must(call(SYS_epoll_wait, ep, got, 4, 0) == 0);
	/* bad pointers */
	must(call(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, p[1], NULL) == -EFAULT);
	must(call(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, p[1], 8) == -EFAULT);
	must(call(SYS_epoll_wait, ep, 8, 4, 0) == 0);
	must(call(SYS_epoll_wait, ep, got, 0, 0) == -EINVAL);
	must(call(SYS_close, ep) == 0);
	return 0;
}

Test(broker, epoll_data_belongs_to_the_variant)
{
	run(&three, epoll);
	expect_no_kernel(&three);
	cr_expect_eq(tw.sh->v[0].forwarded, 0);
}

static int epoll_many(void)
{
	struct epoll_event ev, *got = calloc(300, sizeof(*got));
	uint64_t mine = 0x1000000 * (tw.me + 1);
	int64_t ep = call(SYS_epoll_create1, 0), n;
	int fds[200];

	for (int i = 0; i < 200; i++) {
		fds[i] = (int)call(SYS_eventfd2, 1, 0);
		must(fds[i] >= 0);
		ev = (struct epoll_event){ EPOLLIN, { .u64 = mine + i } };
		must(call(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, fds[i], &ev) == 0);
	}
	n = call(SYS_epoll_wait, ep, got, 300, -1);
	must(n == 200);
	for (int i = 0; i < 200; i++)
		must(got[i].data.u64 == mine + i);
	/* closed and registered anew, more often than there are slots */
	for (int k = 0; k < 70000; k++) {
		ev = (struct epoll_event){ EPOLLIN, { .u64 = mine + k } };
		must(call(SYS_close, fds[0]) == 0);
		must(call(SYS_eventfd2, 1, 0) == fds[0]);
		must(call(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, fds[0], &ev) == 0);
		if (k % 1000)
			continue;
		n = call(SYS_epoll_wait, ep, got, 300, -1);
		must(n == 200);
		must(got[n - 1].data.u64 == mine + k);
	}
	return 0;
}

Test(broker, epoll_with_many_descriptors)
{
	run(&pair, epoll_many);
	expect_no_kernel(&pair);
	cr_expect_eq(tw.sh->v[0].forwarded, 0);
}

/* ---- bad pointers ---- */

static int bad_pointers(void)
{
	char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *end = two + 4096;
	struct iovec iov[2];
	char buf[8192];

	munmap(end, 4096);
	memset(two, 'x', 4096);
	must(call(SYS_write, fd, 8, 10) == -EFAULT);
	must(call(SYS_write, fd, 0xdead000000000000, 10) == -EFAULT);
	must(call(SYS_pwrite64, fd, end - 5, 10, 0) == 5);
	must(call(SYS_pwrite64, fd, end - 3000, 100000, 0) == 3000);
	must(call(SYS_pwrite64, fd, two, 4096, 0) == 4096);
	must(call(SYS_pread64, fd, 8, 10, 0) == -EFAULT);
	memset(two, 0, 4096);
	must(call(SYS_pread64, fd, end - 5, 10, 0) == 5);
	must(end[-1] == 'x' && end[-5] == 'x' && end[-6] == 0);
	memset(two, 0, 4096);
	must(call(SYS_pread64, fd, end - 3000, 4096, 0) == 3000);
	must(end[-1] == 'x' && end[-3000] == 'x' && end[-3001] == 0);
	must(call(SYS_openat, AT_FDCWD, 8, O_RDONLY, 0) == -EFAULT);
	must(call(SYS_openat, AT_FDCWD, NULL, O_RDONLY, 0) == -EFAULT);
	/* a path that ends with the page, one that does not end */
	memset(two, 'p', 4096);
	must(call(SYS_access, end - 20, R_OK) == -EFAULT);
	end[-1] = 0;
	must(call(SYS_access, end - 20, R_OK) == -ENOENT);
	memset(buf, 'p', sizeof(buf));
	must(call(SYS_access, buf, R_OK) == -ENAMETOOLONG);
	must(call(SYS_fstat, fd, 8) == -EFAULT);
	must(call(SYS_fstat, fd, end - 8) == -EFAULT);
	must(call(SYS_clock_gettime, 1, end - 8) == -EFAULT);
	must(call(SYS_clock_gettime, 1, 8) == -EFAULT);
	must(call(SYS_writev, fd, end - 8, 2) == -EFAULT);
	/* what a failing call has written there is the leader's alone */
	memset(two, 'y', 4096);
	must(call(SYS_lseek, fd, 0, SEEK_SET) == 0);
	iov[0] = (struct iovec){ end - 4, 4 };
	iov[1] = (struct iovec){ end, 4 };
	must(call(SYS_writev, fd, iov, 2) == 4);
	iov[1].iov_len = (size_t)-1;
	must(call(SYS_writev, fd, iov, 2) == -EINVAL);
	must(call(SYS_poll, end - 4, 1, 0) == -EFAULT);
	must(call(SYS_recvmsg, fd, end - 8, 0) == -ENOTSOCK);
	return 0;
}

Test(broker, bad_pointers_end_as_in_the_kernel)
{
	run(&three, bad_pointers);
	expect_no_kernel(&three);
	cr_expect_eq(tw.sh->v[0].forwarded, 0);
	run(&verified, bad_pointers);
}

/* ---- left to monitord ---- */

static int is_left(void)
{
	uint64_t before;
	char link[64];
	int next;

	must(call(SYS_mmap, 0, 4096, 7, 0x22, -1, 0) == TWINS_LEFT);
	must(call(SYS_mmap, 0, 4096, 3, 2, fd, 0) == TWINS_LEFT);
	must(call(SYS_fork) == TWINS_LEFT);
	must(call(SYS_kill, 1, 0) == TWINS_LEFT);
	must(call(100000) == TWINS_LEFT);
	must(call((uint64_t)-1) == TWINS_LEFT);
	must(call(SYS_ioctl, 0, TIOCSTI, "x") == TWINS_LEFT);
	must(call(SYS_fcntl, fd, F_SETOWN, 1) == TWINS_LEFT);
	must(call(SYS_futex, link, 11, 0, 0, 0, 0) == TWINS_LEFT);
	must(call(SYS_read, 70000, link, 1) == TWINS_LEFT);
	must(call(SYS_openat, AT_FDCWD, "/proc/self/maps", 0, 0) == TWINS_LEFT);
	must(call(SYS_openat, AT_FDCWD, "/tmp/x", O_CREAT | O_EXCL, 0) ==
	     TWINS_LEFT);
	must(call(SYS_openat, AT_FDCWD, "relative", 0, 0) == TWINS_LEFT);
	must(call(SYS_open, "/tmp", O_PATH, 0) == TWINS_LEFT);
	must(call(SYS_creat, "/tmp/x", 0) == TWINS_LEFT);
	must(tw.sh->v[tw.me].kernel == 0);
	/* flags under which we do not run */
	twins_flags = 0x400;	/* DF */
	must(call(SYS_getpid) == TWINS_LEFT);
	twins_flags = 0;
	/* slow descriptors */
	((uint8_t *)tw.ctx->slow_fds)[fd / 8] |= (uint8_t)(1u << fd % 8);
	must(call(SYS_fstat, fd, link) == TWINS_LEFT);
	must(call(SYS_dup2, 0, fd) == TWINS_LEFT);
	((uint8_t *)tw.ctx->slow_fds)[fd / 8] = 0;
	/* found out at the gate: both leave it */
	snprintf(link, sizeof(link), "/tmp/broker-link.%d", getppid());
	if (!tw.me)
		must(!symlink("/proc/version", link));
	twins_meet();
	next = dup(fd);
	close(next);
	before = tw.sh->v[tw.me].forwarded;
	must(call(SYS_openat, AT_FDCWD, link, O_RDONLY, 0) == TWINS_LEFT);
	must(tw.sh->v[tw.me].forwarded == before + 1);
	must(tw.ctx->n_forwarded == 1);
	must(dup(fd) == next);
	close(next);
	twins_meet();
	if (!tw.me)
		unlink(link);
	/* asked for by monitord */
	if (!tw.me)
		tw.ctx->pending = 1;
	must(call(SYS_getppid) == TWINS_LEFT);
	must(call(SYS_write, fd, "x", 1) == TWINS_LEFT);
	must(call(SYS_stat, "/", link) == TWINS_LEFT);
	must(call(SYS_getpid) == 4711);
	if (!tw.me)
		tw.ctx->pending = 0;
	must(call(SYS_write, fd, "x", 1) == 1);
	tw.ctx->live = 0;
	must(call(SYS_getpid) == TWINS_LEFT);
	must(call(SYS_write, fd, "x", 1) == TWINS_LEFT);
	tw.ctx->live = 1;
	must(call(SYS_lseek, fd, 0, SEEK_END) == 1);
	return 0;
}

Test(broker, what_is_left_to_monitord)
{
	run(&three, is_left);
	expect_no_kernel(&three);
}

/* ---- memory: everybody's own ---- */

static int memory(void)
{
	static struct ipmon_special special;
	const uint64_t gib = 1ull << 30;
	int64_t p, q, brk0;
	unsigned char *m;

	tw.ctx->special = tw.me ? 0 : (uint64_t)&special;
	/* different places in the variants, by whole GiB */
	tw.ctx->delta = -(int64_t)(tw.me * 40 * gib);
	p = call(SYS_mmap, 0, 1 << 20, 3, 0x22, -1, 0);
	must(p > 0);
	tw.sh->word[tw.me] = (uint64_t)p;
	twins_meet();
	must((uint64_t)p == tw.sh->word[0] + (uint64_t)tw.ctx->delta);
	m = (unsigned char *)p;
	m[0] = m[(1 << 20) - 1] = 1;
	must(call(SYS_mmap, 0, 0, 3, 0x22, -1, 0) == -EINVAL);
	/* the place is taken in the followers: somewhere else */
	q = call(SYS_mmap, 0, 4096, 3, 0x4022, -1, 0);
	must(q > 0);
	*(char *)q = 1;
	must(call(SYS_madvise, p, 4096, MADV_DONTNEED) == 0 && m[0] == 0);
	m[0] = 2;
	must(call(SYS_madvise, p, 4096, MADV_FREE) == 0 && m[0] == 0);
	must(call(SYS_madvise, p, 4096, MADV_WILLNEED) == 0);
	must(call(SYS_madvise, p + 1, 4096, MADV_DONTNEED) == -EINVAL);
	must(call(SYS_madvise, p, 4096, MADV_DONTFORK) == TWINS_LEFT);
	/* moved, content and all; the shape stays */
	p = call(SYS_mremap, p, 1 << 20, 64 << 20, MREMAP_MAYMOVE);
	must(p > 0);
	m = (unsigned char *)p;
	must(m[(1 << 20) - 1] == 1 && m[(64 << 20) - 1] == 0);
	tw.sh->word[8 + tw.me] = (uint64_t)p;
	twins_meet();
	must((uint64_t)p == tw.sh->word[8] + (uint64_t)tw.ctx->delta);
	must(call(SYS_munmap, p + 4096, 4096) == 0);
	must(call(SYS_munmap, p, 0) == -EINVAL);
	must(call(SYS_munmap, p + 1, 4096) == -EINVAL);
	/* what monitord keeps track of, and what the gate does not allow */
	special.n = 1;
	special.range[0].start = (uint64_t)p + 8192;
	special.range[0].end = (uint64_t)p + 12288;
	must(call(SYS_munmap, p, 16384) == TWINS_LEFT);
	must(call(SYS_munmap, p + 8192, 1) == TWINS_LEFT);
	must(call(SYS_munmap, p + 12288, 4096) == 0);
	must(call(SYS_munmap, 4096, 4096) == TWINS_LEFT);
	must(call(SYS_munmap, p, (uint64_t)-1) == TWINS_LEFT);
	special.n = IPMON_SPECIAL_MAX + 1;
	must(call(SYS_munmap, p, 4096) == TWINS_LEFT);
	brk0 = call(SYS_brk, 0);
	must(brk0 > 0 && brk0 == call(SYS_brk, 0));
	must(call(SYS_brk, brk0 + 8192) == brk0 + 8192);
	*(char *)brk0 = 1;
	must(call(SYS_brk, brk0) == brk0);
	must(call(SYS_brk, ~0ull) == brk0);
	must(call(SYS_getppid) == getppid());
	return 0;
}

Test(broker, memory_of_ones_own)
{
	run(&three, memory);
	run(&verified, memory);
}

static int own_state(void)
{
	uint64_t set = 1ull << (SIGUSR1 - 1), old = 99, now = 0;

	must(call(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, 8) == 0);
	must(old != 99 && !(old & set));
	/* the kernel knows, in every variant */
	must(!syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &now, 8) &&
	     now == (old | set));
	must(call(SYS_rt_sigprocmask, 77, &set, NULL, 8) == -EINVAL);
	must(call(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4) == -EINVAL);
	must(call(SYS_rt_sigprocmask, SIG_BLOCK, 8, NULL, 8) == -EFAULT);
	must(call(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &now, 8) == 0 &&
	     now == (old | set));
	/* one waits, in the leader: only monitord can let it through */
	if (!tw.me)
		raise(SIGUSR1);
	must(call(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, 8) ==
	     TWINS_LEFT);
	must(call(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, 8) ==
	     TWINS_LEFT);
	must(call(SYS_rt_sigprocmask, SIG_SETMASK, &now, NULL, 8) == 0);
	if (!tw.me)
		signal(SIGUSR1, SIG_IGN);
	must(call(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, 8) == 0);
	/* actions are asked for here, and everybody has his own */
	uint64_t act[4] = { 9, 9, 9, 9 };

	must(call(SYS_rt_sigaction, SIGUSR2, NULL, act, 8) == 0 &&
	     act[0] == (uint64_t)SIG_DFL);
	signal(SIGUSR2, tw.me ? SIG_IGN : SIG_DFL);
	must(call(SYS_rt_sigaction, SIGUSR2, NULL, act, 8) == 0 &&
	     act[0] == (uint64_t)(tw.me ? SIG_IGN : SIG_DFL));
	must(call(SYS_rt_sigaction, 99, NULL, act, 8) == -EINVAL);
	must(call(SYS_rt_sigaction, SIGUSR2, act, NULL, 8) == TWINS_LEFT);
	must(call(SYS_umask, 027) >= 0);
	must(call(SYS_umask, 022) == 027 && umask(077) == 022);
	return 0;
}

Test(broker, every_variant_has_a_mask)
{
	run(&three, own_state);
	run(&verified, own_state);
}

static int uneven_memory(void)
{
	int64_t p = 0;

	tw.ctx->special = 0;
	/* an allocator that looks at addresses */
	if (tw.me == 1)
		p = call(SYS_mmap, 0, 4096, 3, 0x22, -1, 0);
	must(call(SYS_getppid) == getppid());
	if (tw.me != 1)
		must(call(SYS_brk, 0) > 0);
	must(call(SYS_getppid) == getppid());
	must(tw.me != 1 || p > 0);
	return 0;
}

Test(broker, memory_calls_may_be_private)
{
	run(&three, uneven_memory);
}

static int too_many(void)
{
	static char b[3000];
	struct iovec iov[1100];
	static struct mmsghdr mm[300];

	for (int i = 0; i < 1100; i++)
		iov[i] = (struct iovec){ b + i, 1 };
	must(call(SYS_readv, fd, iov, 1024) == 0);
	must(call(SYS_readv, fd, iov, 1025) == -EINVAL);
	memset(b, 'a', sizeof(b));
	must(call(SYS_pwritev, fd, iov, 1000, 0, 0) == 1000);
	memset(b, (int)tw.me, sizeof(b));
	must(call(SYS_preadv, fd, iov, 1000, 0, 0) == 1000);
	must(b[0] == 'a' && b[999] == 'a' && b[1000] == (char)tw.me);
	/* more outputs than anybody keeps track of */
	for (int i = 0; i < 300; i++) {
		mm[i].msg_hdr.msg_iov = iov;
		mm[i].msg_hdr.msg_iovlen = 4;
	}
	must(call(SYS_recvmmsg, fd, mm, 300, 0, NULL) == TWINS_LEFT);
	must(call(SYS_getppid) == getppid());
	return 0;
}

Test(broker, long_vectors)
{
	run(&three, too_many);
	expect_no_kernel(&three);
}
