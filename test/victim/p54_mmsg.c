/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendmmsg and recvmmsg: many messages in a call, short ones, errors half way.
 */
#include "victim.h"
#define N 64

int main(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, from[N];
	socklen_t len = sizeof(sa);
	int rx = OK(socket(AF_INET, SOCK_DGRAM, 0));
	int tx = OK(socket(AF_INET, SOCK_DGRAM, 0));
	struct mmsghdr out[N], in[N];
	struct iovec oi[N][3], ii[N][2];
	char data[N][100], got[N][100];
	struct timespec ts = { 1, 0 };
	unsigned long sum = 0;

	OK(bind(rx, (void *)&sa, sizeof(sa)));
	OK(getsockname(rx, (void *)&sa, &len));
	OK(connect(tx, (void *)&sa, sizeof(sa)));
	for (int round = 0; round < 30; round++) {
		memset(out, 0, sizeof(out));
		memset(in, 0, sizeof(in));
		for (int i = 0; i < N; i++) {
			int n = (round * 31 + i * 7) % 100;

			memset(data[i], 'a' + (i + round) % 26, sizeof(data[i]));
			oi[i][0] = (struct iovec){ data[i], (size_t)n / 2 };
			oi[i][1] = (struct iovec){ NULL, 0 };
			oi[i][2] = (struct iovec){ data[i] + n / 2,
				(size_t)(n - n / 2) };
			out[i].msg_hdr.msg_iov = oi[i];
			out[i].msg_hdr.msg_iovlen = 3;
			ii[i][0] = (struct iovec){ got[i], 10 };
			ii[i][1] = (struct iovec){ got[i] + 10, 60 };
			in[i].msg_hdr.msg_iov = ii[i];
			in[i].msg_hdr.msg_iovlen = 2;
			in[i].msg_hdr.msg_name = &from[i];
			in[i].msg_hdr.msg_namelen = sizeof(from[i]);
			in[i].msg_len = 77;
		}
		memset(got, '.', sizeof(got));
		CHECK(sendmmsg(tx, out, N, 0) == N);
		CHECK(recvmmsg(rx, in, N - 4, MSG_DONTWAIT, NULL) == N - 4);
		CHECK(in[N - 1].msg_len == 77);
		CHECK(recvmmsg(rx, in + N - 4, 4, MSG_TRUNC, &ts) == 4);
		for (int i = 0; i < N; i++) {
			unsigned int n = (unsigned int)(round * 31 + i * 7) % 100;
			int trunc = n > 70;

			CHECK(out[i].msg_len == n);
			CHECK(!!(in[i].msg_hdr.msg_flags & MSG_TRUNC) == trunc);
			CHECK(in[i].msg_len == (i < N - 4 && trunc ? 70 : n));
			CHECK(from[i].sin_addr.s_addr == sa.sin_addr.s_addr);
			for (unsigned int k = 0; k < (trunc ? 70 : n); k++)
				CHECK(got[i][k] == 'a' + (i + round) % 26);
			CHECK(got[i][trunc ? 70 : n] == '.');
			sum += in[i].msg_len;
		}
	}
	FAILS(recvmmsg(rx, in, N, MSG_DONTWAIT, NULL), EAGAIN);
	/* the third one has a bad buffer: two have been sent */
	oi[2][0] = (struct iovec){ (void *)8, 5 };
	CHECK(sendmmsg(tx, out, N, 0) == 2);
	CHECK(recvmmsg(rx, in, N, MSG_DONTWAIT, NULL) == 2);
	/* somewhere to put the second, but not the first */
	CHECK(sendmmsg(tx, out, 2, 0) == 2);
	FAILS(recvmmsg(rx, (void *)8, 2, MSG_DONTWAIT, NULL), EFAULT);
	FAILS(sendmmsg(-1, out, 2, 0), EBADF);
	printf("%lu\n", sum);
	return 0;
}
