/* SPDX-License-Identifier: Apache-2.0 */
/* sendmsg with padded control data and recvmsg's fields written back. */
#include "victim.h"
int main(void)
{
	int s[2], r[2];
	union { char b[128]; struct cmsghdr align; } ctl, in;
	char c = 'x', name[64];
	struct iovec v = { &c, 1 };
	struct msghdr h;
	struct cmsghdr *k;
	int fd = OK(open("/dev/null", O_RDONLY)), one;

	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	OK(pipe(r));
	for (size_t i = 0; i < sizeof(ctl.b); i += 8)
		*(uintptr_t *)(ctl.b + i) = (uintptr_t)&ctl + i;	/* junk */
	memset(&h, 0, sizeof(h));
	h.msg_iov = &v;
	h.msg_iovlen = 1;
	h.msg_control = ctl.b;
	h.msg_controllen = CMSG_SPACE(sizeof(int));
	h.msg_flags = 0x5555;
	k = CMSG_FIRSTHDR(&h);
	k->cmsg_len = CMSG_LEN(sizeof(int));
	k->cmsg_level = SOL_SOCKET;
	k->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(k), &fd, sizeof(fd));
	CHECK(sendmsg(s[0], &h, 0) == 1);
	memset(&h, 0, sizeof(h));
	h.msg_iov = &v;
	h.msg_iovlen = 1;
	h.msg_control = in.b;
	h.msg_controllen = sizeof(in.b);
	h.msg_name = name;
	h.msg_namelen = sizeof(name);
	h.msg_flags = 0x7777;
	CHECK(recvmsg(s[1], &h, 0) == 1);
	CHECK(h.msg_namelen == 0 && h.msg_flags == 0 && h.msg_controllen == CMSG_SPACE(4));
	memcpy(&one, CMSG_DATA(CMSG_FIRSTHDR(&h)), 4);
	CHECK(fcntl(one, F_GETFD) == 0);
	puts("msghdr ok");
	return 0;
}
