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

/* Multicast routing, which only some users may have: and options it does not know. */
static void route(int family, int proto, int level)
{
	int fd = socket(family, SOCK_RAW, proto), v = 1;

	if (fd < 0)
		return;
	for (int name = 199; name < 214; name++)
		ask("routing", fd, level, name);
	/* MRT_DEL_MFC of a route there is not; between its members there is garbage */
	struct {
		uint32_t origin, group;
		uint16_t parent;
		uint8_t ttls[32], unused[2];
		uint32_t count[4];
	} mfc = { .parent = 1 };
	uintptr_t here = (uintptr_t)&mfc >> 32;

	memcpy(mfc.unused, &here, sizeof(mfc.unused));
	printf("init %d", setsockopt(fd, level, 200, &v, sizeof(v)));
	printf(" %s\n", strerror(errno));
	if (family == AF_INET)
		printf("del %d", setsockopt(fd, level, 205, &mfc, sizeof(mfc)));
	printf(" %s\n", strerror(errno));
	close(fd);
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
	route(AF_INET, IPPROTO_IGMP, IPPROTO_IP);
	route(AF_INET6, IPPROTO_ICMPV6, IPPROTO_IPV6);
	return 0;
}
