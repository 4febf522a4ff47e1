// SPDX-License-Identifier: Apache-2.0
/*
 * sendmmsg and recvmmsg that wait in the middle of their messages.  A signal with a
 * handler ends them with the number of those that are done; one that is ignored does not
 * end sendmmsg.
 */
#include <sys/time.h>

#include "victim.h"

#define MESSAGES 40
#define SIZE 3000

static volatile sig_atomic_t handled;

static void handler(int sig)
{
	handled++;
}

/* The signal comes again and again: once the call waits it comes there. */
static void every(int us)
{
	struct itimerval it = { { 0, us }, { 0, us } };

	ZERO(setitimer(ITIMER_REAL, &it, NULL));
}

static void fill(struct mmsghdr *m, struct iovec *iov, char (*buf)[SIZE], unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		memset(buf[i], 'a' + (int)(i % 26), SIZE);
		iov[i] = (struct iovec){ buf[i], SIZE };
		m[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i],
						      .msg_iovlen = 1 } };
		m[i].msg_len = 4711;
	}
}

static char buf[MESSAGES][SIZE];
static struct iovec iov[MESSAGES];
static struct mmsghdr m[MESSAGES];

static void small_buffer(int fd)
{
	int bytes = 16384;

	ZERO(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)));
}

/* Who reads them later: how many there were, all of them whole. */
static pid_t reader(const int s[2], unsigned int after_ms)
{
	pid_t pid = fork();

	if (!pid) {
		struct timespec ms = { 0, after_ms * 1000000 };
		char got[SIZE];
		int n = 0;

		signal(SIGALRM, SIG_IGN);
		close(s[0]);
		nanosleep(&ms, NULL);
		while (recv(s[1], got, SIZE, MSG_WAITALL) == SIZE) {
			CHECK(got[0] == 'a' + n % 26 && got[SIZE - 1] == got[0]);
			n++;
		}
		_exit(n);
	}
	return pid;
}

static void sends(int type, bool ignored)
{
	int s[2], n, status;
	pid_t pid;

	ZERO(socketpair(AF_UNIX, type, 0, s));
	small_buffer(s[0]);
	fill(m, iov, buf, MESSAGES);
	handled = 0;
	signal(SIGALRM, ignored ? SIG_IGN : SIG_DFL);
	if (!ignored) {
		struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };

		ZERO(sigaction(SIGALRM, &sa, NULL));
	}
	fflush(stdout);
	pid = ignored ? reader(s, 150) : 0;
	every(20000);
	n = sendmmsg(s[0], m, MESSAGES, 0);
	every(0);
	CHECK(n > 0);
	if (ignored)
		CHECK(n == MESSAGES);
	else
		CHECK(n < MESSAGES && handled);
	for (int i = 0; i < MESSAGES; i++)
		CHECK(m[i].msg_len == (i < n ? SIZE : 4711));
	if (!pid)
		pid = reader(s, 0);
	close(s[0]);
	close(s[1]);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == n);
	printf("sent %s, %s\n", n == MESSAGES ? "all" : "some",
	       ignored ? "the signal is ignored" : "the signal is handled");
}

static void receives(void)
{
	struct sigaction sa = { .sa_handler = handler };
	int s[2], n;

	ZERO(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	handled = 0;
	ZERO(sigaction(SIGALRM, &sa, NULL));
	for (int i = 0; i < 3; i++)
		CHECK(send(s[0], "message", 5 + i, 0) == 5 + i);
	fill(m, iov, buf, 6);
	every(20000);
	n = recvmmsg(s[1], m, 6, 0, NULL);
	every(0);
	CHECK(n == 3 && handled);
	for (int i = 0; i < 6; i++) {
		CHECK(m[i].msg_len == (i < n ? 5u + (unsigned int)i : 4711u));
		CHECK(!memcmp(buf[i], i < n ? "messa" : i == 3 ? "ddddd" : buf[i], 5));
	}
	close(s[0]);
	close(s[1]);
	printf("received %d, the signal is handled\n", n);
}

int main(void)
{
	sends(SOCK_SEQPACKET, false);
	receives();
	sends(SOCK_SEQPACKET, true);
	sends(SOCK_STREAM, true);
	return 0;
}
