/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small server and its clients in one program: accept, epoll, several
 * connections, orderly end.
 */
#include "victim.h"
static void client(struct sockaddr_in *a, int id)
{
	char b[64], r[64];

	for (int i = 0; i < 5; i++) {
		int c = OK(socket(AF_INET, SOCK_STREAM, 0)), n;

		OK(connect(c, (struct sockaddr *)a, sizeof(*a)));
		n = snprintf(b, 64, "client %d request %d", id, i);
		CHECK(write(c, b, n) == n);
		OK(shutdown(c, SHUT_WR));
		CHECK(recv(c, r, 64, MSG_WAITALL) == n);
		for (int k = 0; k < n; k++)
			CHECK(r[k] == (b[k] >= 'a' && b[k] <= 'z' ? b[k] - 32 : b[k]));
		close(c);
	}
}

int main(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int l = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), ep = OK(epoll_create1(0));
	struct epoll_event ev = { EPOLLIN, { .fd = l } }, got[4];
	pid_t k[3];
	int served = 0;

	OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
	OK(listen(l, 16));
	OK(getsockname(l, (struct sockaddr *)&a, &n));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev));
	for (int i = 0; i < 3; i++)
		k[i] = CHILD(client(&a, i));
	while (served < 15) {
		int m = epoll_wait(ep, got, 4, 5000);

		CHECK(m > 0);
		for (int i = 0; i < m; i++) {
			int fd = got[i].data.fd;
			char b[64];
			ssize_t r;

			if (fd == l) {
				while ((fd = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
					ev = (struct epoll_event){ EPOLLIN | EPOLLRDHUP, { .fd = fd } };
					OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
				}
				CHECK(errno == EAGAIN);
				continue;
			}
			while ((r = read(fd, b, sizeof(b))) > 0) {
				for (ssize_t j = 0; j < r; j++)
					if (b[j] >= 'a' && b[j] <= 'z')
						b[j] -= 32;
				CHECK(write(fd, b, r) == r);
			}
			if (r == 0) {
				close(fd);
				served++;
			}
		}
	}
	for (int i = 0; i < 3; i++)
		REAP(k[i]);
	printf("served %d\n", served);
	return 0;
}
