// SPDX-License-Identifier: Apache-2.0
/*
 * Fuzzer: a follower whose leader writes what it likes.
 *
 * The input is the content of the ring; the follower makes a few calls with
 * buffers of exact size.  It must not touch anything else, must end, and must
 * never take a call for handled that is not well-formed (the sanitizers and the
 * time-out judge the first two).  The kernel is absent: the gate refuses
 * everything, and copy.S is replaced by functions the sanitizers see through.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "../../libipmon/broker.h"

int64_t ipmon_gate_raw(const struct ipmon_call *call)
{
	return -1;
}

int64_t ipmon_gate_call(const struct ipmon_call *call)
{
	return -1;
}

size_t ipmon_copy(void *dst, const void *src, size_t n)
{
	memmove(dst, src, n);
	return 0;
}

struct ipmon_equal ipmon_equal(const void *theirs, const void *ours, size_t n)
{
	const unsigned char *a = theirs, *b = ours;
	struct ipmon_equal r = { 0, 0 };

	while (r.n < n && a[r.n] == b[r.n])
		r.n++;
	return r;
}

int64_t ipmon_strnlen(const char *s, size_t max)
{
	return (int64_t)strnlen(s, max);
}

/* what lies behind it in its page as well (IPMON_SKIPPED_AT) */
static union {
	struct ipmon_ctx ctx;
	unsigned char page[4096];
} mine;
#define ctx mine.ctx
static struct ipmon_ring *ring;

static void call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct ipmon_frame f = { .nr = nr, .args = { a, b, c, d } };
	uint64_t tail = ctx.c.tail;

	if (follower_call(&ctx, &f, ipmon_plan(nr)).handled &&
	    ctx.c.tail == tail && !(ipmon_row(nr)->flags & RF_PRIVATE))
		abort();
	if (ctx.c.tail > ring->head)
		abort();
}

#define P(x) ((uint64_t)(uintptr_t)(x))

static void one_call(unsigned int which)
{
	unsigned char *buf = malloc(200), *big = malloc(5000);
	struct iovec iov[3] = { { buf, 10 }, { buf + 50, 0 }, { buf + 60, 140 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 3,
		.msg_control = big, .msg_controllen = 100 };
	struct epoll_event *ev = malloc(4 * sizeof(*ev));
	struct pollfd *pfd = calloc(2, sizeof(*pfd));
	struct timespec *ts = malloc(sizeof(*ts));
	socklen_t *len = malloc(sizeof(*len));
	struct stat *st = malloc(sizeof(*st));

	memset(buf, 'x', 200);
	memset(ev, 0, 4 * sizeof(*ev));
	*len = 100;
	switch (which % 13) {
	case 0: call(SYS_getppid, 0, 0, 0, 0); break;
	case 1: call(SYS_read, 3, P(buf), 200, 0); break;
	case 2: call(SYS_pread64, 3, P(big), 5000, 0); break;
	case 3: call(SYS_write, 3, P(buf), 60, 0); break;
	case 4: call(SYS_stat, P("/x"), P(st), 0, 0); break;
	case 5: call(SYS_readv, 3, P(iov), 3, 0); break;
	case 6: call(SYS_recvmsg, 3, P(&m), 0, 0); break;
	case 7: call(SYS_epoll_wait, 3, P(ev), 4, 0); break;
	case 8: call(SYS_epoll_ctl, 3, 1, 4, P(ev)); break;
	case 9: call(SYS_clock_gettime, 1, P(ts), 0, 0); break;
	case 10: call(SYS_getsockname, 3, P(buf), P(len), 0); break;
	case 11: call(SYS_poll, P(pfd), 2, 0, 0); break;
	case 12: call(SYS_writev, 3, P(iov), 3, 0); break;
	}
	free(buf);
	free(big);
	free(ev);
	free(pfd);
	free(ts);
	free(len);
	free(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ipmon_cursor *cur;
	static uint8_t *slow;
	static struct ipmon_epoll *epoll;
	size_t n, off;

	if (!ring) {
		ring = aligned_alloc(4096, sizeof(*ring));
		cur = calloc(IPMON_MAX_VARIANTS, sizeof(*cur));
		slow = calloc(1, IPMON_SLOW_FDS / 8);
		epoll = calloc(1, sizeof(*epoll));
	}
	if (size < 12 || size > 100000)
		return 0;
	memset(ring, 0, 4096);
	memset(&mine, 0, sizeof(mine));
	/* the end of the buffer is as interesting as its beginning */
	off = data[0] & 1 ? IPMON_RING_BYTES - (data[1] * 8u + 8) : 0;
	n = (size - 4) & ~7ul;
	for (size_t i = 0; i < n; i++)
		ring->data[(off + i) % IPMON_RING_BYTES] = data[4 + i];
	ctx.variant = 1;
	ctx.live = 1;
	ctx.ring = P(ring);
	ctx.cursors = P(cur);
	ctx.slow_fds = P(slow);
	ctx.epoll = P(epoll);
	ctx.c.tail = ctx.c.head = off;
	ring->head = off + n;
	/* an empty ring then means: the leader is elsewhere */
	ring->state = RING_TRAPPED;
	for (unsigned int k = 0; k < 4; k++)
		one_call(data[2] + k * data[3]);
	return 0;
}
