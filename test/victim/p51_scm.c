/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors and credentials in control messages; truncation; CLOEXEC;
 * several at once.
 */
#include "victim.h"
static int pass(int s, int *fd, int n)
{
	char c = 'd', ctl[256] = { 0 };
	struct iovec v = { &c, 1 };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *k = CMSG_FIRSTHDR(&h);

	k->cmsg_level = SOL_SOCKET;
	k->cmsg_type = SCM_RIGHTS;
	k->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(k), fd, n * sizeof(int));
	return sendmsg(s, &h, 0);
}
static int take(int s, int *fd, int max, int flags, int *mflags)
{
	char c, ctl[256];
	struct iovec v = { &c, 1 };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = max };
	struct cmsghdr *k;
	int n = 0;

	CHECK(recvmsg(s, &h, flags) == 1);
	*mflags = h.msg_flags;
	for (k = CMSG_FIRSTHDR(&h); k; k = CMSG_NXTHDR(&h, k))
		if (k->cmsg_type == SCM_RIGHTS) {
			n = (k->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fd, CMSG_DATA(k), n * sizeof(int));
		}
	return n;
}

int main(void)
{
	int s[2], p[2], got[8], f, n;
	char b[16];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	OK(pipe(p));
	CHECK(pass(s[0], p, 2) == 1);
	CHECK(take(s[1], got, 256, MSG_CMSG_CLOEXEC, &f) == 2);
	CHECK(fcntl(got[0], F_GETFD) == FD_CLOEXEC);
	CHECK(write(got[1], "through", 7) == 7 && read(p[0], b, 16) == 7);
	close(got[0]);
	close(got[1]);
	CHECK(pass(s[0], p, 2) == 1);
	n = take(s[1], got, CMSG_LEN(sizeof(int)), 0, &f);
	CHECK(n == 1 && (f & MSG_CTRUNC));
	close(got[0]);
	FAILS(pass(s[0], (int[]){ 999 }, 1), EBADF);
	/* from a child, of a file it opened */
	pid_t k = CHILD({
		int fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
		CHECK(write(fd, "content", 7) == 7);
		CHECK(pass(s[0], &fd, 1) == 1);
	});
	CHECK(take(s[1], got, 256, 0, &f) == 1);
	REAP(k);
	CHECK(pread(got[0], b, 16, 0) == 7 && lseek(got[0], 0, SEEK_CUR) == 7);
	/* stdout passed: output still once */
	CHECK(pass(s[0], &(int){ 1 }, 1) == 1);
	CHECK(take(s[1], got, 256, 0, &f) == 1);
	CHECK(write(got[0], "by a passed descriptor\n", 23) == 23);
	/* credentials */
	OK(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, 4));
	k = CHILD(CHECK(write(s[0], "c", 1) == 1));
	char ctl[256];
	struct iovec v = { b, 1 };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	CHECK(recvmsg(s[1], &h, 0) == 1);
	struct cmsghdr *m = CMSG_FIRSTHDR(&h);
	CHECK(m && m->cmsg_type == SCM_CREDENTIALS);
	struct ucred uc;
	memcpy(&uc, CMSG_DATA(m), sizeof(uc));
	CHECK(uc.pid == k && uc.uid == getuid());
	REAP(k);
	/* sent explicitly */
	struct ucred mine = { getpid(), getuid(), getgid() };
	memset(ctl, 0, sizeof(ctl));
	h.msg_controllen = CMSG_SPACE(sizeof(mine));
	m = CMSG_FIRSTHDR(&h);
	*m = (struct cmsghdr){ CMSG_LEN(sizeof(mine)), SOL_SOCKET, SCM_CREDENTIALS };
	memcpy(CMSG_DATA(m), &mine, sizeof(mine));
	CHECK(sendmsg(s[0], &h, 0) == 1);
	h.msg_controllen = sizeof(ctl);
	CHECK(recvmsg(s[1], &h, 0) == 1);
	memcpy(&uc, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(uc));
	CHECK(uc.pid == getpid());
	puts("control messages ok");
	return 0;
}
