/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel takes the lower half of a number of vectors: with rubbish in the
 * upper one a call reads and writes what it would without.  The numbers of a
 * message's vectors, and of another process's, count as a whole.
 */
#include <linux/aio_abi.h>

#include "victim.h"

#define RUBBISH	(0xdeadul << 32)

static char in[2][8], out[2][8];
static struct iovec from[2] = { { in[0], 5 }, { in[1], 3 } };
static struct iovec to[2] = { { out[0], 4 }, { out[1], 4 } };

static void tell(const char *what, long r)
{
	printf("%s: %ld %s |%.8s|%.8s|\n", what, r, r < 0 ? strerror(errno) : "",
	       out[0], out[1]);
	memset(out, '.', sizeof(out));
}

/* Requests count like that, too. */
static void requests(int fd, uint64_t rubbish)
{
	aio_context_t ctx = 0;
	struct io_event got;
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PWRITEV, .aio_fildes = (uint32_t)fd,
		.aio_buf = (uintptr_t)from, .aio_nbytes = rubbish | 2,
	}, *one = &cb;

	OK(syscall(SYS_io_setup, 4, &ctx));
	for (int i = 0; i < 2; i++) {
		OK(syscall(SYS_io_submit, ctx, 1L, &one));
		OK(syscall(SYS_io_getevents, ctx, 1L, 1L, &got, NULL));
		tell("request", (long)got.res);
		cb.aio_lio_opcode = IOCB_CMD_PREADV;
		cb.aio_buf = (uintptr_t)to;
	}
	OK(syscall(SYS_io_destroy, ctx));
}

int main(void)
{
	/* that of an address, as registers have it: another one in each variant */
	const uint64_t half = (uintptr_t)&half >> 32 << 32;
	int fd = OK(open("file", O_CREAT | O_RDWR, 0600)), p[2];
	struct msghdr msg = { .msg_iov = from, .msg_iovlen = RUBBISH | 2 };

	OK(pipe(p));
	for (unsigned int i = 0; i < 8; i++) {
		in[0][i] = (char)('a' + i);
		in[1][i] = (char)('A' + i);
	}
	memset(out, '.', sizeof(out));
	tell("writev", syscall(SYS_writev, fd, from, RUBBISH | 2));
	tell("pwritev", syscall(SYS_pwritev, fd, from, RUBBISH | 1, 8, 0));
	OK(lseek(fd, 0, SEEK_SET));
	tell("readv", syscall(SYS_readv, fd, to, RUBBISH | 2));
	tell("readv", syscall(SYS_readv, fd, to, RUBBISH | 1));
	tell("preadv", syscall(SYS_preadv, fd, to, RUBBISH | 2, 3, 0));
	tell("preadv2", syscall(SYS_preadv2, fd, to, RUBBISH | 1, 3, 0, 0));
	tell("none", syscall(SYS_readv, fd, to, RUBBISH));
	tell("many", syscall(SYS_readv, fd, to, RUBBISH | 1025));
	tell("pipe", syscall(SYS_writev, p[1], from, RUBBISH | 2));
	tell("pipe", syscall(SYS_readv, p[0], to, RUBBISH | 2));
	tell("own memory", syscall(SYS_process_vm_readv, getpid(), to,
				   RUBBISH | 2, from, 2, 0));
	tell("own memory", syscall(SYS_process_vm_readv, getpid(), to, 2, from,
				   RUBBISH | 2, 0));
	tell("message", sendmsg(p[1], &msg, 0));
	tell("writev", syscall(SYS_writev, fd, from, half | 2));
	tell("pwritev", syscall(SYS_pwritev, fd, from, half | 1, 8, 0));
	tell("preadv", syscall(SYS_preadv, fd, to, half | 2, 3, 0));
	tell("preadv2", syscall(SYS_preadv2, fd, to, half | 1, 3, 0, 0));
	tell("own memory", syscall(SYS_process_vm_readv, getpid(), to,
				   half | 2, from, 2, 0));
	requests(fd, RUBBISH);
	requests(fd, half);
	return 0;
}
