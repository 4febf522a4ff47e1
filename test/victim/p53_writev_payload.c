/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors: their contents go out, in order, from many pieces, also over
 * sockets and after changes.
 */
#include "victim.h"
int main(void)
{
	struct iovec v[600];
	static char piece[600][40];
	int s[2], f = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0644));
	size_t total = 0;
	char *all;

	for (int i = 0; i < 600; i++) {
		v[i].iov_len = snprintf(piece[i], 40, "piece %d of six hundred;", i);
		v[i].iov_base = malloc(64 + i % 7);
		memcpy(v[i].iov_base, piece[i], v[i].iov_len);
		total += v[i].iov_len;
	}
	CHECK(writev(f, v, 600) == (ssize_t)total);
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	struct msghdr h = { .msg_iov = v, .msg_iovlen = 600 };
	CHECK(sendmsg(s[0], &h, 0) == (ssize_t)total);
	all = malloc(total + 1);
	CHECK(recv(s[1], all, total, MSG_WAITALL) == (ssize_t)total);
	all[total] = 0;
	CHECK(pread(f, all, total, 0) == (ssize_t)total);
	printf("%zu %.30s\n", total, all + total - 30);
	h.msg_iovlen = 1025;
	FAILS(sendmsg(s[0], &h, 0), EMSGSIZE);
	return 0;
}
