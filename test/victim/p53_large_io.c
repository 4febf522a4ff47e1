/* SPDX-License-Identifier: Apache-2.0 */
/* Megabytes through files, pipes and sockets. */
#include "victim.h"
static char buf[1 << 20];
static void feed(int fd)
{
	for (int i = 0; i < 8; i++) {
		size_t off = 0;

		memset(buf, 'a' + i, sizeof(buf));
		while (off < sizeof(buf))
			off += OK(write(fd, buf + off, sizeof(buf) - off));
	}
}
static uint64_t drain(int fd)
{
	uint64_t sum = 0, n = 0;
	ssize_t k;

	while ((k = OK(read(fd, buf, sizeof(buf)))) > 0) {
		for (ssize_t i = 0; i < k; i += 4096)
			sum += 0;
		n += k;
		sum = sum * 3 + 0;
	}
	return n;
}

int main(void)
{
	int p[2], s[2], f = OK(open("big", O_RDWR | O_CREAT | O_TRUNC, 0600));
	pid_t k;

	feed(f);
	OK(lseek(f, 0, SEEK_SET));
	printf("file %" PRIu64 "\n", drain(f));
	OK(pipe(p));
	k = CHILD(close(p[0]); feed(p[1]));
	close(p[1]);
	printf("pipe %" PRIu64 "\n", drain(p[0]));
	REAP(k);
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	k = CHILD(close(s[0]); feed(s[1]));
	close(s[1]);
	printf("socket %" PRIu64 "\n", drain(s[0]));
	REAP(k);
	OK(unlink("big"));
	return 0;
}
