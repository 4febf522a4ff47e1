// SPDX-License-Identifier: Apache-2.0
/*
 * vmsplice: memory into a pipe, or a pipe into memory.
 *
 * Theory of operation
 * -------------------
 * Which way the data flows depends on the descriptor's access mode, which the
 * walker asks for through pipe_mode().
 *
 *   out of the pipe	is a plain copy: the leader's call, its outputs
 *			replicated.
 *   into the pipe	would make the leader's pages part of the pipe, where
 *			they can still be changed after they were compared.
 *			The leader writes a copy instead.  Like vmsplice this
 *			waits only while there is no room at all: as much as
 *			fits when there is room, else one page at most, which
 *			write(2) does in one piece as soon as it can.
 *
 * A caller sees no difference except that a count may be smaller, which it
 * must expect anyway, and that changing the pages later changes nothing.
 *
 * The rewritten call may be interrupted.  Its registers must then be the
 * program's again, so that the kernel restarts, or a handler's frame shows, the
 * call that was made: see call_ended() and set_leader_again().
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "h_misc.h"
#include "tracee.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

#define SPLICE_FLAGS 0xfu	/* SPLICE_F_MOVE .. SPLICE_F_GIFT */
#define PIECE 4096u		/* PIPE_BUF: written whole or not at all */

/* The leader's descriptor, if it is a pipe; *mode is its access mode. */
static int pipe_of(struct taskset *s, int fd, int *mode)
{
	int got = leader_getfd(s, fd), flags;
	struct stat st;

	if (got < 0)
		return got;
	flags = fcntl(got, F_GETFL);
	if (flags < 0 || flags & O_PATH || fstat(got, &st) < 0 ||
	    !S_ISFIFO(st.st_mode)) {
		close(got);
		return -EBADF;
	}
	*mode = flags & O_ACCMODE;
	return got;
}

int pipe_mode(struct taskset *s, int fd)
{
	int mode = -EBADF, got = pipe_of(s, fd, &mode);

	if (got < 0)
		return got;
	close(got);
	return mode;
}

/*
 * Pipes know RWF_NOWAIT since Linux 6.4, until something is spliced into or out
 * of them.  What is there for the asking does not exist, so nothing is written.
 */
static bool knows_nowait(int fd)
{
	struct iovec iov = { .iov_base = NULL, .iov_len = 1 };

	return pwritev2(fd, &iov, 1, -1, RWF_NOWAIT) < 0 &&
		errno != EOPNOTSUPP && errno != EINVAL;
}

/* Are these vectors one page at most?  write(2) waits for no more than that. */
static bool one_page(struct task *t)
{
	const uint64_t *a = t->call.args;
	uint64_t iov[2], sum = 0;

	for (uint64_t i = 0; i < (uint32_t)a[2] && sum <= PIECE; i++) {
		if (mem_read(t, iov, a[1] + i * sizeof(iov), sizeof(iov)) ||
		    iov[1] > PIECE)
			return false;
		sum += iov[1];
	}
	return sum && sum <= PIECE;
}

/* At most one page of the first vector that is not empty, into *slot. */
static int64_t first_piece(struct task *t, uint64_t slot)
{
	const uint64_t *a = t->call.args;
	uint64_t iov[2];

	for (uint64_t i = 0; i < (uint32_t)a[2]; i++) {
		if (mem_read(t, iov, a[1] + i * sizeof(iov), sizeof(iov)))
			return -EFAULT;
		if (!iov[1])
			continue;
		if (iov[1] > PIECE)
			iov[1] = PIECE;
		return mem_write(t, slot, iov, sizeof(iov)) ? -EFAULT : 1;
	}
	return 0;
}

void vmsplice_start(struct taskset *s)
{
	struct task *t = &s->t[LEADER];
	const uint64_t *a = t->call.args;
	uint64_t piece[6] = { a[0], scratch_slot(s, LEADER), 1 };
	const uint64_t all[6] = { a[0], a[1], a[2], (uint64_t)-1,
		(uint64_t)-1, RWF_NOWAIT };
	struct pollfd p = { .events = POLLOUT };
	int mode = O_RDONLY;
	bool nowait;
	int64_t r;

	p.fd = a[3] & ~(uint64_t)SPLICE_FLAGS & 0xffffffffu ? -1 :
		pipe_of(s, (int)a[0], &mode);
	if (p.fd < 0 || mode == O_RDONLY || !(uint32_t)a[2] ||
	    (uint32_t)a[2] > UIO_MAXIOV) {
		if (p.fd >= 0)
			close(p.fd);
		set_leader_go(s);
		return;
	}
	poll(&p, 1, 0);
	/* without a reader it is EPIPE, and the signal, in any case */
	nowait = p.revents == POLLOUT && knows_nowait(p.fd);
	close(p.fd);
	if (!p.revents && a[3] & SPLICE_F_NONBLOCK) {
		set_finish(s, -EAGAIN);
		return;
	}
	if (nowait) {
		r = task_rewrite(t, SYS_pwritev2, all);
	} else if (one_page(t)) {
		r = task_rewrite(t, SYS_writev, a);
	} else {
		r = first_piece(t, piece[1]);
		if (r <= 0) {
			set_finish(s, r);
			return;
		}
		r = task_rewrite(t, SYS_writev, piece);
	}
	if (r < 0)
		return;		/* died */
	s->rewritten = true;
	set_leader_go(s);
}
