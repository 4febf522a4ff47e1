/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapping descriptors that came from elsewhere: inherited over exec, received
 * over a socket, read-only, at an offset.
 */
#include "victim.h"
static int recv_fd(int s)
{
	char c, ctl[CMSG_SPACE(sizeof(int))];
	struct iovec v = { &c, 1 };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	int fd;

	CHECK(recvmsg(s, &h, 0) == 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(fd));
	return fd;
}
static void send_fd(int s, int fd)
{
	char c = 'f', ctl[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { &c, 1 };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	struct cmsghdr *k = CMSG_FIRSTHDR(&h);

	k->cmsg_level = SOL_SOCKET;
	k->cmsg_type = SCM_RIGHTS;
	k->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(k), &fd, sizeof(fd));
	CHECK(sendmsg(s, &h, 0) == 1);
}

int main(int argc, char **argv)
{
	int fd, s[2];
	char num[16], *m, *w;

	if (argc > 1) {
		fd = atoi(argv[1]);
		m = OK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 4096));
		printf("inherited: %s\n", m);
		m = OK(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
		strcpy(m, "written after exec");
		return 0;
	}
	fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	OK(ftruncate(fd, 8192));
	CHECK(pwrite(fd, "second page", 12, 4096) == 12);
	w = OK(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	strcpy(w, "private, never in the file");
	snprintf(num, sizeof(num), "%d", fd);
	REAP(CHILD(execl("/proc/self/exe", "x", num, NULL); _exit(9)));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	REAP(CHILD(send_fd(s[1], fd)));
	close(fd);
	fd = recv_fd(s[0]);
	m = OK(mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0));
	printf("received: %s, %s\n", m, m + 4096);
	close(fd);
	fd = OK(open("/dev/zero", O_RDWR));
	m = OK(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	CHECK(m[5000] == 0);
	m[5000] = 1;
	m = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	REAP(CHILD(m[1] = 4));
	CHECK(m[1] == 4);
	FAILS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, s[0], 0), ENODEV);
	return 0;
}
