// SPDX-License-Identifier: Apache-2.0
/*
 * MSG_WAITALL on a UNIX stream: what is received ends with the message that brings
 * descriptors all the same, and at a TCP connection's urgent mark.
 */
#include "victim.h"

static void send_with(int s, const char *text, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (sendmsg(s, &m, 0) != (ssize_t)iov.iov_len)
		exit(1);
}

static void receive(int s)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, text[16] = "";
	struct iovec iov = { text, 8 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(s, &m, MSG_WAITALL);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	printf("%zd '%s' %s%s\n", n, text, c ? "with a descriptor" : "alone",
	       m.msg_flags & MSG_CTRUNC ? ", cut" : "");
	if (c) {
		int fd;

		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		close(fd);
	}
}

static void urgent(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0), c, s;
	char text[16] = "";
	ssize_t n;

	if (bind(l, (void *)&a, sizeof(a)) || listen(l, 1) ||
	    getsockname(l, (void *)&a, &len))
		exit(1);
	c = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(c, (void *)&a, sizeof(a)))
		exit(1);
	s = accept(l, NULL, NULL);
	if (send(c, "four", 4, 0) != 4 || send(c, "!", 1, MSG_OOB) != 1 ||
	    send(c, "more", 4, 0) != 4)
		exit(1);
	shutdown(c, SHUT_WR);
	/* everything is there */
	while (recv(s, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT) < 4)
		usleep(1000);
	usleep(50000);
	memset(text, 0, sizeof(text));
	n = recv(s, text, 8, MSG_WAITALL);
	printf("before the mark: %zd '%s'\n", n, text);
	memset(text, 0, sizeof(text));
	n = recv(s, text, 8, MSG_WAITALL);
	printf("behind it: %zd '%s'\n", n, text);
	close(s);
	close(c);
	close(l);
}

int main(void)
{
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		return 1;
	send_with(s[1], "four", 0);
	send_with(s[1], "more", 1);
	receive(s[0]);
	receive(s[0]);
	urgent();
	return 0;
}
