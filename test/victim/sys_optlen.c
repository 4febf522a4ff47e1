/* SPDX-License-Identifier: Apache-2.0 */
/*
 * getsockopt with lengths that are odd: most families refuse a negative one, IPv6
 * takes it for a large one; what comes back is the kernel's in all variants.
 */
#include <netinet/tcp.h>
#include "victim.h"

static void ask(const char *what, int fd, int level, int name)
{
	static const int lengths[] = { -1, INT_MIN, 0, 1, 3, 4, 5, 4096 };
	unsigned char b[4096];

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		socklen_t len = (socklen_t)lengths[i];
		int r;

		memset(b, 0x5a, sizeof(b));
		r = getsockopt(fd, level, name, b, &len);
		printf("%s %d: %d %s len %d, %02x %02x\n", what, lengths[i], r,
		       r ? strerror(errno) : "", (int)len, b[0], b[5]);
	}
}

int main(void)
{
	int six = socket(AF_INET6, SOCK_STREAM, 0);
	int four = OK(socket(AF_INET, SOCK_STREAM, 0));
	int local = OK(socket(AF_UNIX, SOCK_DGRAM, 0));

	for (int i = 0; i < 3; i++) {
		if (six >= 0) {
			ask("v6only", six, IPPROTO_IPV6, IPV6_V6ONLY);
			ask("hops", six, IPPROTO_IPV6, IPV6_UNICAST_HOPS);
		}
		ask("ttl", four, IPPROTO_IP, IP_TTL);
		ask("nodelay", four, IPPROTO_TCP, TCP_NODELAY);
		ask("type", local, SOL_SOCKET, SO_TYPE);
	}
	return 0;
}
