/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and options few programs know: the error is the kernel's. */
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "victim.h"

static void ask(int fd, const char *kind)
{
	static const unsigned int cmd[] = {
		0x8929, 0x8930,		/* SIOCGIFSLAVE, SIOCSIFSLAVE */
		0x8937,			/* SIOCSIFHWBROADCAST */
		0x8947, 0x8949,		/* SIOCGMIIPHY, SIOCSMIIREG */
		0x89b0, 0x89b1,		/* SIOCSHWTSTAMP, SIOCGHWTSTAMP */
	};
	static const char *const names[] = { "lo", "nope" };
	int config[4] = { 0 };

	for (unsigned int i = 0; i < sizeof(cmd) / sizeof(cmd[0]); i++)
		for (int k = 0; k < 4; k++) {
			struct ifreq r = { 0 };
			int n;

			strcpy(r.ifr_name, names[k & 1]);
			if (k & 2 && cmd[i] >= 0x89b0)
				r.ifr_data = (char *)config;
			n = ioctl(fd, cmd[i], &r);
			printf("%s %x %s %d: %d %s\n", kind, cmd[i],
			       names[k & 1], k, n, n ? strerror(errno) : "");
		}
}

int main(void)
{
	static const int names[] = { 63, 68, 69, 79, 81, 83, 90, 95, 96, 127,
		128, 131, 132, 190 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ask(fd, "unix");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ask(fd, "inet");
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0)
		return 0;
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (int len = 0; len < 12; len += 4) {
			static const int one[3] = { 1 };
			int n = setsockopt(fd, IPPROTO_IPV6, names[i], one,
					   (socklen_t)len);

			printf("IPv6 option %d, %d: %d %s\n", names[i], len, n,
			       n ? strerror(errno) : "");
		}
	return 0;
}
