/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time-outs the kernel writes back, in memory that cannot be written: it does not
 * mind.
 */
#include "victim.h"

static const struct timespec ts = { 0, 1000000 };
static const struct timeval tv = { 0, 1000 };

int main(void)
{
	int u = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
	char b[10];
	struct iovec v = { b, sizeof(b) };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };

	for (int i = 0; i < 6; i++) {
		CHECK(!syscall(SYS_ppoll, NULL, 0, &ts, NULL, 8));
		CHECK(!syscall(SYS_select, 0, NULL, NULL, NULL, &tv));
		CHECK(!syscall(SYS_pselect6, 0, NULL, NULL, NULL, &ts, NULL));
		FAILS(syscall(SYS_recvmmsg, u, &m, 1, MSG_DONTWAIT, &ts),
		      EAGAIN);
	}
	puts("time-outs ok");
	return 0;
}
