/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hundreds of descriptors with pointers in one epoll, in several calls, with
 * reuse of numbers.
 */
#include "victim.h"
struct conn { int fd[2]; int hits; long pad[3]; };

int main(void)
{
	int ep = OK(epoll_create(1)), total = 0;
	struct conn *c[300];
	struct epoll_event got[16];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 300; i++) {
			c[i] = calloc(1, sizeof(struct conn) + i);
			OK(pipe(c[i]->fd));
			struct epoll_event ev = { EPOLLIN, { .ptr = c[i] } };
			OK(epoll_ctl(ep, EPOLL_CTL_ADD, c[i]->fd[0], &ev));
		}
		for (int i = 0; i < 300; i += 3)
			CHECK(write(c[i]->fd[1], "1", 1) == 1);
		for (;;) {
			int n = OK(epoll_wait(ep, got, 16, 0));
			char b;

			if (!n)
				break;
			for (int k = 0; k < n; k++) {
				struct conn *x = got[k].data.ptr;
				CHECK(read(x->fd[0], &b, 1) == 1);
				x->hits++;
				total++;
			}
		}
		for (int i = 0; i < 300; i++) {
			CHECK(c[i]->hits == (i % 3 == 0));
			close(c[i]->fd[0]);
			close(c[i]->fd[1]);
			free(c[i]);
		}
	}
	printf("%d\n", total);
	return 0;
}
