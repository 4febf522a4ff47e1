/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EAGAIN on everything that would block, with O_NONBLOCK, MSG_DONTWAIT and
 * time-outs of zero.
 */
#include "victim.h"
int main(void)
{
	int p[2], s[2], l, e, t;
	char b[1 << 16] = { 0 };
	uint64_t v;
	long total = 0, n;

	OK(pipe2(p, O_NONBLOCK));
	FAILS(read(p[0], b, 1), EAGAIN);
	while ((n = write(p[1], b, 4096)) > 0)
		total += n;
	CHECK(errno == EAGAIN);
	printf("pipe holds %ld\n", total);
	OK(fcntl(p[1], F_SETPIPE_SZ, 4096 * 32) + 0);
	printf("pipe size %d\n", fcntl(p[1], F_GETPIPE_SZ));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	FAILS(recv(s[0], b, 1, MSG_DONTWAIT), EAGAIN);
	while (send(s[0], b, sizeof(b), MSG_DONTWAIT) > 0)
		;
	CHECK(errno == EAGAIN);
	l = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	OK(listen(l, 1));
	FAILS(accept(l, NULL, NULL), EAGAIN);
	e = OK(eventfd(0, EFD_NONBLOCK));
	FAILS(read(e, &v, 8), EAGAIN);
	v = UINT64_MAX - 1;
	CHECK(write(e, &v, 8) == 8);
	v = 1;
	FAILS(write(e, &v, 8), EAGAIN);
	v = UINT64_MAX;
	FAILS(write(e, &v, 8), EINVAL);
	CHECK(read(e, &v, 8) == 8 && v == UINT64_MAX - 1);
	t = OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	FAILS(read(t, &v, 8), EAGAIN);
	int on = 1;
	OK(ioctl(s[1], FIONBIO, &on));
	while (read(s[1], b, sizeof(b)) > 0)
		;
	CHECK(errno == EAGAIN);
	puts("would block");
	return 0;
}
