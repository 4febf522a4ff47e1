/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of short connections on one epoll instance, closed without DEL as
 * servers do: every event belongs to the connection that is there now.
 */
#include "victim.h"

#define ROUNDS 600
#define WIDTH 8

int main(void)
{
	int ep = OK(epoll_create1(0));
	unsigned int sum = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int sv[WIDTH][2];
		struct { int i, k; } *c[WIDTH];
		struct epoll_event ev[WIDTH];
		int n;

		for (int k = 0; k < WIDTH; k++) {
			OK(socketpair(AF_UNIX, SOCK_STREAM, 0, sv[k]));
			c[k] = malloc(sizeof(*c[k]));
			c[k]->i = i;
			c[k]->k = k;
			ev[0] = (struct epoll_event){ .events = EPOLLIN,
						      .data.ptr = c[k] };
			OK(epoll_ctl(ep, EPOLL_CTL_ADD, sv[k][0], &ev[0]));
			if (k != i % WIDTH)
				CHECK(write(sv[k][1], "x", 1) == 1);
		}
		n = OK(epoll_wait(ep, ev, WIDTH, 0));
		CHECK(n == WIDTH - 1);
		for (int k = 0; k < n; k++) {
			typeof(c[0]) x = ev[k].data.ptr;

			CHECK(x->i == i && x->k != i % WIDTH);
			sum += (unsigned int)x->k;
		}
		for (int k = 0; k < WIDTH; k++) {
			OK(close(sv[k][0]));
			OK(close(sv[k][1]));
			free(c[k]);
		}
	}
	printf("sum %u\n", sum);
	return 0;
}
