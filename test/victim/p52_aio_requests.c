/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel asynchronous I/O: reads, vectors, writes, an eventfd, data and
 * control block of every event, contexts that come and go, and a child that
 * does not inherit them.
 */
#include "victim.h"
#include <linux/aio_abi.h>

static long io_setup(unsigned int n, aio_context_t *c)
{
	return syscall(SYS_io_setup, n, c);
}

static long io_destroy(aio_context_t c)
{
	return syscall(SYS_io_destroy, c);
}

static long io_submit(aio_context_t c, long n, struct iocb **cb)
{
	return syscall(SYS_io_submit, c, n, cb);
}

static long io_getevents(aio_context_t c, long min, long n,
			 struct io_event *ev)
{
	return syscall(SYS_io_getevents, c, min, n, ev, NULL);
}

static void reads(aio_context_t c, int fd)
{
	char a[16] = "", b[16] = "", d[16] = "", e[16] = "";
	struct iovec v[2] = { { d, 5 }, { e, 6 } };
	struct iocb cb[3] = {
		{ .aio_data = (uintptr_t)a, .aio_lio_opcode = IOCB_CMD_PREAD,
		  .aio_fildes = (unsigned int)fd, .aio_buf = (uintptr_t)a,
		  .aio_nbytes = 5 },
		{ .aio_data = (uintptr_t)b, .aio_lio_opcode = IOCB_CMD_PREAD,
		  .aio_fildes = (unsigned int)fd, .aio_buf = (uintptr_t)b,
		  .aio_nbytes = 100, .aio_offset = 6 },
		{ .aio_data = 77, .aio_lio_opcode = IOCB_CMD_PREADV,
		  .aio_fildes = (unsigned int)fd, .aio_buf = (uintptr_t)v,
		  .aio_nbytes = 2 },
	}, *p[3] = { &cb[0], &cb[1], &cb[2] };
	struct io_event ev[4];
	int seen = 0;

	cb[1].aio_nbytes = 10;
	CHECK(io_submit(c, 3, p) == 3);
	for (long got = 0; got < 3;) {
		long n = OK(io_getevents(c, 1, 4, ev));

		CHECK(n >= 1);
		for (long i = 0; i < n; i++) {
			struct iocb *x = (struct iocb *)(uintptr_t)ev[i].obj;
			long k = x - cb;

			CHECK(k >= 0 && k < 3 && ev[i].data == x->aio_data);
			seen |= 1 << k;
			CHECK(ev[i].res == (k == 0 ? 5 : k == 1 ? 5 : 11));
		}
		got += n;
	}
	CHECK(seen == 7);
	CHECK(!strcmp(a, "hello") && !strcmp(b, "world"));
	CHECK(!memcmp(d, "hello", 5) && !memcmp(e, " world", 6));
	puts("reads ok");
}

static void writes(aio_context_t c, int fd)
{
	int efd = OK(eventfd(0, 0));
	char text[12] = "";
	uint64_t n;
	struct iocb w = {
		.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_offset = 6,
		.aio_fildes = (unsigned int)fd,
		.aio_buf = (uintptr_t)"there", .aio_nbytes = 5,
		.aio_flags = IOCB_FLAG_RESFD, .aio_resfd = (unsigned int)efd,
		.aio_data = (uintptr_t)&w,
	}, *p = &w;
	struct io_event ev;

	CHECK(io_submit(c, 1, &p) == 1);
	CHECK(read(efd, &n, 8) == 8 && n == 1);
	CHECK(io_getevents(c, 1, 1, &ev) == 1);
	CHECK(ev.data == (uintptr_t)&w && ev.obj == (uintptr_t)&w &&
	      ev.res == 5);
	CHECK(pread(fd, text, 11, 0) == 11 && !strcmp(text, "hello there"));
	OK(close(efd));
	puts("writes ok");
}

static void errors(aio_context_t c, int fd)
{
	char buf[8];
	struct iocb good = { .aio_lio_opcode = IOCB_CMD_PREAD,
			     .aio_fildes = (unsigned int)fd,
			     .aio_buf = (uintptr_t)buf, .aio_nbytes = 4 };
	struct iocb bad = { .aio_lio_opcode = 99,
			    .aio_fildes = (unsigned int)fd };
	struct iocb far = { .aio_lio_opcode = IOCB_CMD_PREAD,
			    .aio_fildes = 999 };
	struct iocb *p[2] = { &good, &bad };
	struct io_event ev[2];
	aio_context_t d = 1;

	FAILS(io_setup(1, &d), EINVAL);
	FAILS(io_setup(0, (aio_context_t *)8), EFAULT);
	FAILS(io_submit(0x1000, 1, p), EINVAL);
	FAILS(io_submit(c, -1, p), EINVAL);
	FAILS(io_submit(c, 1, NULL), EFAULT);
	CHECK(io_submit(c, 0, p) == 0);
	/* it stops at the first bad one */
	CHECK(io_submit(c, 2, p) == 1);
	CHECK(io_getevents(c, 1, 2, ev) == 1);
	CHECK(ev[0].obj == (uintptr_t)&good && ev[0].res == 4);
	p[0] = &bad;
	FAILS(io_submit(c, 1, p), EINVAL);
	p[0] = &far;
	FAILS(io_submit(c, 1, p), EBADF);
	CHECK(io_getevents(c, 0, 2, ev) == 0);
	FAILS(syscall(SYS_io_cancel, c, &good, ev), EINVAL);
	puts("errors ok");
}

int main(void)
{
	aio_context_t c = 0, d = 0;
	int fd;

	put_file("file", "hello world");
	fd = OK(open("file", O_RDWR));
	OK(io_setup(8, &c));
	OK(io_setup(200, &d));
	CHECK(c && d && c != d);
	reads(c, fd);
	reads(d, fd);
	writes(c, fd);
	errors(d, fd);
	put_file("file", "hello world");
	REAP(CHILD({
		struct iocb cb = { 0 };
		struct iocb *p = &cb;

		FAILS(io_submit(c, 1, &p), EINVAL);
		FAILS(io_destroy(c), EINVAL);
		c = 0;
		OK(io_setup(4, &c));
		reads(c, fd);
	}));
	OK(io_destroy(d));
	FAILS(io_destroy(d), EINVAL);
	d = 0;
	OK(io_setup(2, &d));
	reads(d, fd);
	return 0;
}
