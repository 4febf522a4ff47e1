/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for descriptors: select, poll, epoll, asynchronous I/O.
 *
 * Theory of operation
 * -------------------
 * What is waited for is compared; what programs store beside it is not: the
 * revents of a pollfd before the call are garbage, epoll_data and aio_data
 * are the program's own and usually pointers.  monitord translates those
 * (epoll and AIO handlers); the output items here carry them as the leader's.
 */
#include "walk.h"

#define NFDS_MAX (1u << 20)		/* the kernel's default for nr_open */
#define FD_SETSIZE_ 1024
#define EPOLL_EVENT_SIZE 12		/* packed on x86-64 */
#define EPOLL_MAX_EVENTS (0x7fffffff / EPOLL_EVENT_SIZE)
#define IO_EVENT_SIZE 32
#define IOCB_SIZE 64
#define AIO_MAX_NR 65536u		/* fs.aio-max-nr by default */

/*
 * The kernel looks at no more words than the process's table of descriptors is
 * large, so more than there is memory for may be asked for.
 */
static uint64_t bits_there(struct ipmon_walk *w, uint64_t addr, uint64_t nfds)
{
	uint64_t at = addr, end = addr + (nfds + 63) / 64 * 8;
	unsigned char c;

	while (at < end && !walk_read(w, &c, at, 1))
		at = (at | 4095) + 1;
	return at >= end || at == addr ? nfds : (at - addr) / 8 * 64;
}

/*
 * fd_set: the kernel reads and writes whole longs but looks at nfds bits only,
 * so the rest of the last byte is compared under a mask.
 */
int walk_fdset(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
	       uint64_t nfds)
{
	unsigned char last;
	int rc;

	if (!addr)
		return ipmon_emit_scalar(w, arg, 0, NULL);
	if (nfds > NFDS_MAX)	/* negative: EINVAL; else clamped by the kernel */
		nfds = nfds >> 63 ? 0 : NFDS_MAX;
	if (!nfds)
		return ipmon_emit_scalar(w, arg, 1, NULL);
	if (nfds > FD_SETSIZE_)
		nfds = bits_there(w, addr, nfds);
	if (nfds / 8) {
		rc = ipmon_emit_in(w, arg, addr, nfds / 8, "fd_set");
		if (rc)
			return rc;
	}
	if (nfds % 8) {
		rc = walk_fetch(w, arg, &last, addr + nfds / 8, 1);
		if (rc)
			return rc < 0 ? rc : 0;
		rc = ipmon_emit_scalar(w, arg, last & ((1u << nfds % 8) - 1),
				       "last byte of fd_set");
		if (rc)
			return rc;
	}
	return ipmon_emit_out(w, arg, addr, (nfds + 63) / 64 * 8, R_SUCCESS, 0,
			      "fd_set");
}

int walk_pollfd(struct ipmon_walk *w, unsigned int arg, uint64_t addr,
		uint64_t nfds)
{
	unsigned char pfd[32][8];
	uint64_t i, n, chunk, fd;
	int rc;

	/* a null array is fine for no descriptors; too many are EINVAL */
	if (!addr || !nfds || nfds > NFDS_MAX)
		return nfds ? walk_null(w, arg, addr, NULL) : 0;
	for (i = 0; i < nfds; i += chunk) {
		chunk = pure_min(nfds - i, 32);
		rc = walk_fetch(w, arg, pfd, addr + i * 8, chunk * 8);
		if (rc)
			return rc < 0 ? rc : 0;
		for (n = 0; n < chunk; n++) {
			fd = pure_u32(pfd[n]);
			/* events of a negative descriptor are not looked at */
			if (!(fd >> 31))
				fd |= (uint64_t)pure_u16(pfd[n] + 4) << 32;
			rc = ipmon_emit_scalar(w, arg, fd,
					       "pollfd: events << 32 | fd");
			if (rc)
				return rc;
		}
	}
	/* revents are written even when a signal interrupted the call */
	return ipmon_emit_out(w, arg, addr, nfds * 8, R_ALWAYS, 0, "pollfd[]");
}

int walk_epoll_ctl(struct ipmon_walk *w)
{
	unsigned char ev[4];
	int rc;

	if ((int32_t)w->args[1] == 2)	/* EPOLL_CTL_DEL: event is ignored */
		return 0;
	rc = walk_fetch(w, 3, ev, w->args[3], sizeof(ev));
	if (rc)
		return rc < 0 ? rc : 0;
	return ipmon_emit_scalar(w, 3, pure_u32(ev), "events");
}

int walk_epoll_wait(struct ipmon_walk *w)
{
	int32_t max = (int32_t)w->args[2];

	if (!w->args[1] || max <= 0 || max > EPOLL_MAX_EVENTS)
		return 0;	/* EINVAL or EFAULT */
	return ipmon_emit_out(w, 1, w->args[1],
			      (uint64_t)max * EPOLL_EVENT_SIZE, R_RETMUL,
			      EPOLL_EVENT_SIZE, "epoll_event[]");
}

/* struct { const sigset_t *mask; size_t size; } of pselect6, io_pgetevents */
static int sigset_arg(struct ipmon_walk *w, unsigned int arg)
{
	uint64_t pair[2];
	int rc;

	if (!w->args[arg])
		return 0;	/* the scalar of K_WALK said so */
	rc = walk_fetch(w, arg, pair, w->args[arg], sizeof(pair));
	if (rc)
		return rc < 0 ? rc : 0;
	if (pair[0]) {
		rc = ipmon_emit_scalar(w, arg, pair[1], "sigsetsize");
		if (rc)
			return rc;
	}
	return walk_sigset(w, arg, pair[0], pair[1]);
}

int walk_select6(struct ipmon_walk *w)
{
	return sigset_arg(w, walk_arg(w, 0));
}

int walk_io_getevents(struct ipmon_walk *w)
{
	int64_t nr = (int64_t)w->args[2];
	int rc = 0;

	if (w->args[3] && nr > 0 && nr <= (int64_t)AIO_MAX_NR)
		rc = ipmon_emit_out(w, 3, w->args[3],
				    (uint64_t)nr * IO_EVENT_SIZE, R_RETMUL,
				    IO_EVENT_SIZE, "io_event[]");
	if (!rc && w->row->nargs > 5)
		rc = sigset_arg(w, 5);
	return rc;
}

/*
 * struct iocb { u64 data; u32 key; i32 rw_flags; u16 opcode; i16 reqprio;
 * u32 fildes; u64 buf; u64 nbytes; i64 offset; u64 reserved2; u32 flags;
 * u32 resfd; }.  A read's buffer is filled after this call returned, when
 * io_getevents reports it: that is for the AIO handler to replicate.
 */
static int iocb(struct ipmon_walk *w, uint64_t addr)
{
	unsigned char cb[IOCB_SIZE];
	unsigned int opcode;
	uint64_t buf, len;
	int rc;

	rc = walk_fetch(w, 2, cb, addr, sizeof(cb));
	if (rc)
		return rc;
	opcode = pure_u16(cb + 16);
	rc = ipmon_emit_scalar(w, 2, opcode | (uint64_t)pure_u32(cb + 20) << 32,
			       "iocb: fildes << 32 | opcode");
	if (rc)
		return rc;
	buf = pure_u64(cb + 24);
	len = pure_u64(cb + 32);
	rc = ipmon_emit_in(w, 2, addr + 12, 4, "aio_rw_flags");
	if (!rc)
		rc = ipmon_emit_scalar(w, 2, pure_u32(cb + 56), "aio_flags");
	if (!rc && (pure_u32(cb + 56) & 1))	/* IOCB_FLAG_RESFD */
		rc = ipmon_emit_scalar(w, 2, pure_u32(cb + 60), "aio_resfd");
	if (rc)
		return rc;
	switch (opcode) {
	case 0:		/* IOCB_CMD_PREAD */
	case 1:		/* IOCB_CMD_PWRITE */
	case 7:		/* IOCB_CMD_PREADV */
	case 8:		/* IOCB_CMD_PWRITEV */
		if (opcode >= 7)	/* a number of vectors: import_iovec() */
			len = (uint32_t)len;
		rc = ipmon_emit_scalar(w, 2, len, "aio_nbytes");
		if (!rc)
			rc = ipmon_emit_scalar(w, 2, pure_u64(cb + 40),
					       "aio_offset");
		if (rc)
			return rc;
		if (opcode == 1)
			return ipmon_emit_in(w, 2, buf, len, "data");
		if (opcode == 8)
			return walk_iov(w, 2, buf, len, WALK_SEND, 0, 0, 0);
		return walk_null(w, 2, buf, "aio_buf");
	case 5:		/* IOCB_CMD_POLL: events are in aio_buf */
		return ipmon_emit_scalar(w, 2, buf, "events");
	default:	/* fsync, fdsync, noop, unknown */
		return 0;
	}
}

int walk_io_submit(struct ipmon_walk *w)
{
	int64_t nr = (int64_t)w->args[1];
	uint64_t ptr;
	int64_t i;
	int rc;

	if (!w->args[2] || nr <= 0)
		return 0;
	if (nr > (int64_t)AIO_MAX_NR)	/* the kernel clamps to the context */
		nr = AIO_MAX_NR;
	for (i = 0; i < nr; i++) {
		rc = walk_fetch(w, 2, &ptr, w->args[2] + (uint64_t)i * 8, 8);
		if (!rc)
			rc = iocb(w, ptr);
		if (rc)
			return rc < 0 ? rc : 0;
	}
	return 0;
}
