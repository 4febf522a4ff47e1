// SPDX-License-Identifier: Apache-2.0
/*
 * The port of a netlink socket: chosen by who binds it, it must differ from
 * thread to thread, and programs make it of pthread_self(), an address.  It
 * means nothing outside of the machine, nor to anybody but the kernel.
 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <pthread.h>

#include "victim.h"

static void *bound(void *arg)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK }, b, c;
	socklen_t len = sizeof(b);
	int s = OK(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));

	a.nl_pid = (uint32_t)(pthread_self() >> 12) ^ (uint32_t)(pthread_self() >> 30);
	a.nl_groups = *(uint32_t *)arg;
	OK(bind(s, (void *)&a, sizeof(a)));
	OK(getsockname(s, (void *)&b, &len));
	CHECK(len == sizeof(b) && b.nl_pid && b.nl_groups == a.nl_groups);
	/* what the kernel says is the same for all variants */
	len = sizeof(c);
	OK(getsockname(s, (void *)&c, &len));
	CHECK(c.nl_pid == b.nl_pid);
	OK(close(s));
	return NULL;
}

int main(void)
{
	uint32_t groups[2] = { 0, RTMGRP_LINK };
	pthread_t t[2];

	bound(&groups[0]);
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&t[i], NULL, bound, &groups[i]));
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	puts("bound");
	return 0;
}
