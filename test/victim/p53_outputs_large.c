// SPDX-License-Identifier: Apache-2.0
/*
 * More outputs to TCP, and larger ones, than IP-MON holds at once
 * (libipmon/hold.c), by turns on several connections, from memory and from a
 * file: each peer receives all of it, in order, as it was when it was sent.
 */
#include <sys/sendfile.h>

#include "victim.h"

#define PEERS	6
#define ROUNDS	48
#define MOST	65536

static unsigned char data[MOST], got[MOST];

static size_t size_of(int round, int peer)
{
	return round < 16 ? 64 : 20000 + (size_t)(round * 4099 + peer * 7919) %
		(MOST - 20000);
}

static void fill(unsigned char *p, size_t n, int round, int peer)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i * 31 + i / 251 +
				       (size_t)(round * 7 + peer * 13));
}

static void receive(const int fd[PEERS])
{
	for (int round = 0; round < ROUNDS; round++)
		for (int p = 0; p < PEERS; p++) {
			size_t n = size_of(round, p);

			CHECK(recv(fd[p], got, n, MSG_WAITALL) == (ssize_t)n);
			fill(data, n, round, p);
			CHECK(!memcmp(got, data, n));
		}
	for (int p = 0; p < PEERS; p++)
		CHECK(recv(fd[p], got, 1, 0) == 0);
}

static void put_all(int fd, int file, size_t n, int how)
{
	size_t done = 0;
	static off_t end;
	off_t at = end;

	if (how == 1) {
		/* elsewhere each time: what is under way may still be these pages */
		CHECK(pwrite(file, data, n, at) == (ssize_t)n);
		end += (off_t)n;
		while (done < n) {
			ssize_t r = sendfile(fd, file, &at, n - done);

			CHECK(r > 0);
			done += (size_t)r;
		}
	} else if (how == 2) {
		struct iovec v[2] = { { data, n / 3 },
				      { data + n / 3, n - n / 3 } };

		CHECK(writev(fd, v, 2) == (ssize_t)n);
	} else {
		CHECK(send(fd, data, n, 0) == (ssize_t)n);
	}
	/* what is sent is what was there */
	memset(data, 'x', n);
}

int main(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int listener, out[PEERS], in[PEERS], file, status;
	FILE *f = tmpfile();
	pid_t pid;

	CHECK(f);
	file = fileno(f);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(listener >= 0);
	CHECK(!bind(listener, (struct sockaddr *)&addr, sizeof(addr)));
	CHECK(!listen(listener, PEERS));
	CHECK(!getsockname(listener, (struct sockaddr *)&addr, &len));
	for (int p = 0; p < PEERS; p++) {
		in[p] = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(!connect(in[p], (struct sockaddr *)&addr, sizeof(addr)));
		out[p] = accept(listener, NULL, NULL);
		CHECK(out[p] >= 0);
	}
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		for (int p = 0; p < PEERS; p++)
			close(out[p]);
		receive(in);
		_exit(0);
	}
	for (int p = 0; p < PEERS; p++)
		close(in[p]);
	for (int round = 0; round < ROUNDS; round++)
		for (int p = 0; p < PEERS; p++) {
			size_t n = size_of(round, p);

			fill(data, n, round, p);
			put_all(out[p], file, n, (round + p) % 3);
		}
	for (int p = 0; p < PEERS; p++)
		close(out[p]);
	CHECK(waitpid(pid, &status, 0) == pid);
	printf("status %d\n", status);
	return 0;
}
