/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors sent over a connection that was accepted: they are read, dup'ed,
 * polled, and their numbers used again.
 */
#include "victim.h"

static void send_fds(int s, int *fd, int n, char tag)
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * 16)];
		struct cmsghdr h;
	} u;
	struct iovec iov = { &tag, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = u.buf,
		.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n) };

	memset(&u, 0, sizeof(u));
	u.h.cmsg_level = SOL_SOCKET;
	u.h.cmsg_type = SCM_RIGHTS;
	u.h.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
	memcpy(CMSG_DATA(&u.h), fd, sizeof(int) * (size_t)n);
	CHECK(sendmsg(s, &m, 0) == 1);
}

static int receive(int s, int *fd, size_t room, char *tag, int *flags)
{
	char buf[CMSG_SPACE(sizeof(int) * 16)];
	struct iovec iov = { tag, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = buf,
		.msg_controllen = room };
	struct cmsghdr *h;
	int n = 0;

	memset(buf, 0xee, sizeof(buf));
	if (recvmsg(s, &m, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	*flags = m.msg_flags;
	for (h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		CHECK(h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS);
		n = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fd, CMSG_DATA(h), sizeof(int) * (size_t)n);
	}
	return n;
}

int main(void)
{
	struct sockaddr_un sa = { AF_UNIX, "s" };
	int ls = OK(socket(AF_UNIX, SOCK_STREAM, 0)), s, n, flags, total = 0;
	int fd[16], out[16];
	char tag, b[32];
	pid_t pid;

	OK(bind(ls, (void *)&sa, sizeof(sa)));
	OK(listen(ls, 5));
	pid = CHILD({
		int c = OK(socket(AF_UNIX, SOCK_STREAM, 0));

		OK(connect(c, (void *)&sa, sizeof(sa)));
		for (int i = 0; i < 50; i++) {
			n = 1 + i % 8;
			for (int k = 0; k < n; k++) {
				snprintf(b, sizeof(b), "file-%d-%d", i, k);
				out[k] = OK(open(b, O_RDWR | O_CREAT, 0600));
				CHECK(write(out[k], b, strlen(b)) > 0);
			}
			send_fds(c, out, n, (char)('a' + n));
			for (int k = 0; k < n; k++) {
				OK(close(out[k]));
				snprintf(b, sizeof(b), "file-%d-%d", i, k);
				OK(unlink(b));
			}
		}
		/* an eventfd, a socket and an epoll as well */
		out[0] = OK(eventfd(5, 0));
		out[1] = OK(socket(AF_INET, SOCK_STREAM, 0));
		out[2] = OK(epoll_create1(0));
		send_fds(c, out, 3, 'z');
		CHECK(read(c, b, 1) == 1);
	});
	s = OK(accept(ls, NULL, NULL));
	for (int i = 0; i < 50; i++) {
		/* now and then less room than there are */
		size_t room = i % 10 == 9 ? CMSG_SPACE(sizeof(int)) :
			CMSG_SPACE(sizeof(fd));
		int want = 1 + i % 8;

		n = receive(s, fd, room, &tag, &flags);
		CHECK(tag == 'a' + want);
		CHECK(n == want || (i % 10 == 9 && flags & MSG_CTRUNC && n < want));
		for (int k = 0; k < n; k++) {
			int d = OK(dup(fd[k]));
			ssize_t r;

			CHECK(fcntl(fd[k], F_GETFD) == FD_CLOEXEC);
			OK(close(fd[k]));
			r = pread(d, b, sizeof(b) - 1, 0);
			CHECK(r > 0);
			b[r] = 0;
			CHECK(!strncmp(b, "file-", 5) && atoi(b + 5) == i);
			OK(close(d));
			total++;
		}
	}
	CHECK(receive(s, fd, CMSG_SPACE(sizeof(fd)), &tag, &flags) == 3);
	uint64_t v;
	CHECK(read(fd[0], &v, 8) == 8 && v == 5);
	FAILS(read(fd[1], b, 1), ENOTCONN);
	struct epoll_event ev = { EPOLLOUT, { .ptr = b } }, got;
	OK(epoll_ctl(fd[2], EPOLL_CTL_ADD, fd[0], &ev));
	CHECK(epoll_wait(fd[2], &got, 1, 100) == 1 && got.data.ptr == b);
	CHECK(write(s, "x", 1) == 1);
	REAP(pid);
	printf("%d\n", total);
	return 0;
}
