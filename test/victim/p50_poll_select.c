/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll and select: garbage in revents, bits beyond nfds, negative
 * descriptors, time left written back.
 */
#include "victim.h"
int main(void)
{
	int p[2], q[2];
	struct pollfd f[5];
	fd_set r, w;
	struct timeval tv;

	OK(pipe(p));
	OK(pipe(q));
	memset(f, 0xee, sizeof(f));
	f[0].fd = p[0];
	f[0].events = POLLIN;
	f[1].fd = -1;
	f[1].events = POLLIN;
	f[2].fd = 777;
	f[2].events = POLLIN;
	f[3].fd = p[1];
	f[3].events = POLLOUT | POLLIN;
	f[4].fd = -p[0] - 1;
	f[4].events = POLLIN;
	CHECK(poll(f, 5, 100) == 2);
	CHECK(f[0].revents == 0 && f[1].revents == 0 && f[2].revents == POLLNVAL &&
	      f[3].revents == POLLOUT && f[4].revents == 0);
	close(q[1]);
	f[0] = (struct pollfd){ q[0], 0, 0x55 };
	CHECK(poll(f, 1, 0) == 1 && f[0].revents == POLLHUP);
	memset(&r, 0xff, sizeof(r));
	memset(&w, 0xff, sizeof(w));
	for (int i = 0; i <= q[0]; i++) {
		FD_CLR(i, &r);
		FD_CLR(i, &w);
	}
	FD_SET(q[0], &r);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	tv = (struct timeval){ 10, 0 };
	CHECK(select(q[0] + 1, &r, &w, NULL, &tv) == 2);
	CHECK(FD_ISSET(q[0], &r) && !FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w));
	CHECK(tv.tv_sec >= 8);
	CHECK(FD_ISSET(1000, &r));	/* beyond nfds: untouched */
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	tv = (struct timeval){ 0, 20000 };
	CHECK(select(p[0] + 1, &r, NULL, NULL, &tv) == 0);
	CHECK(tv.tv_sec == 0 && tv.tv_usec == 0 && !FD_ISSET(p[0], &r));
	FD_ZERO(&r);
	FD_SET(40, &r);
	FAILS(select(41, &r, NULL, NULL, &tv), EBADF);
	FAILS(select(-1, NULL, NULL, NULL, NULL), EINVAL);
	tv = (struct timeval){ -1, 0 };
	FAILS(select(0, NULL, NULL, NULL, &tv), EINVAL);
	FAILS(poll(f, 1u << 31, 0), EINVAL);
	pid_t k = CHILD(sleep_ms(20); CHECK(write(p[1], "x", 1) == 1));
	f[0] = (struct pollfd){ p[0], POLLIN | POLLPRI, 0 };
	CHECK(poll(f, 1, -1) == 1 && f[0].revents == POLLIN);
	REAP(k);
	puts("poll ok");
	return 0;
}
