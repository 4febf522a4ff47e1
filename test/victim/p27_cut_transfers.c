/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signal that is ignored does not cut short a blocking write, nor a recv with
 * MSG_WAITALL, nor a splice into a socket; one that is caught does.
 */
#include "victim.h"

#define BIG (1 << 20)

static char big[BIG];
static volatile int caught;

static void on_alarm(int sig)
{
	caught++;
}

/* A child that ends while we sleep in the call: SIGCHLD, which is ignored. */
static void disturb(void)
{
	if (OK(fork()))
		return;
	usleep(60000);
	_exit(0);
}

/* Reads all there is, but begins late: what it got. */
static void reader(int fd, int other)
{
	unsigned char b[65536];
	unsigned int sum = 0;
	long n, total = 0;

	if (OK(fork()))
		return;
	close(other);
	usleep(200000);
	while ((n = read(fd, b, sizeof(b))) > 0) {
		total += n;
		while (n--)
			sum = sum * 31 + b[n];
	}
	_exit(total == BIG ? 0 : 1);
}

static void await(void)
{
	int st;

	while (wait(&st) > 0)
		CHECK(st == 0);
}

static void outputs(int round)
{
	struct iovec v[40];
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 40 };
	int p[2], q[2], stream = round & 1;
	long n;

	if (stream)
		OK(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	else
		OK(pipe(p));
	for (int i = 0; i < 40; i++) {
		v[i].iov_base = big + i * 26000;
		v[i].iov_len = i < 39 ? 26000 : BIG - 39 * 26000;
	}
	if (round == 9) {
		OK(pipe(q));
		CHECK(OK(fcntl(q[1], F_SETPIPE_SZ, BIG)) == BIG);
		CHECK(write(q[1], big, BIG) == BIG);
		OK(close(q[1]));
	}
	reader(p[0], p[1]);
	close(p[0]);
	disturb();
	switch (round) {
	case 0:
	case 1:
		n = write(p[1], big, BIG);
		break;
	case 2:
	case 3:
		n = writev(p[1], v, 40);
		break;
	case 5:
		n = send(p[1], big, BIG, 0);
		break;
	case 9:
		n = splice(q[0], NULL, p[1], NULL, BIG, 0);
		break;
	default:
		n = sendmsg(p[1], &m, 0);
		break;
	}
	if (round == 9)
		OK(close(q[0]));
	printf("%d: %ld\n", round, n);
	close(p[1]);
	await();
}

static void inputs(int msg)
{
	struct iovec v[3];
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 3 };
	char b[32];
	int s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	if (!OK(fork())) {
		for (int i = 0; i < 4; i++) {
			CHECK(write(s[1], "abcdefgh", 8) == 8);
			usleep(40000);
		}
		_exit(0);
	}
	disturb();
	v[0] = (struct iovec){ b, 5 };
	v[1] = (struct iovec){ b + 5, 20 };
	v[2] = (struct iovec){ b + 25, 7 };
	CHECK((msg ? recvmsg(s[0], &m, MSG_WAITALL) :
	       recv(s[0], b, 32, MSG_WAITALL)) == 32);
	CHECK(!memcmp(b, "abcdefghabcdefghabcdefghabcdefgh", 32));
	/* the end comes before all is there */
	close(s[1]);
	await();
	close(s[0]);
}

static void caught_one(void)
{
	struct sigaction sa = { .sa_handler = on_alarm,
		.sa_flags = SA_RESTART };
	struct itimerval it = { { 0, 0 }, { 0, 50000 } };
	char b[65536];
	int p[2];

	OK(sigaction(SIGALRM, &sa, NULL));
	OK(pipe(p));
	OK(setitimer(ITIMER_REAL, &it, NULL));
	CHECK(write(p[1], big, BIG) == 65536);
	CHECK(caught == 1);
	CHECK(read(p[0], b, sizeof(b)) == sizeof(b));
	/* first the one, then the other */
	disturb();
	it.it_value.tv_usec = 120000;
	OK(setitimer(ITIMER_REAL, &it, NULL));
	CHECK(write(p[1], big, BIG) == 65536);
	CHECK(caught == 2);
	await();
}

int main(void)
{
	for (int i = 0; i < BIG; i++)
		big[i] = (char)(i * 7);
	for (int i = 0; i < 6; i++)
		outputs(i == 4 ? 7 : i);
	/* until the calls are handled in-process, and then */
	for (int i = 0; i < 4; i++) {
		inputs(i & 1);
		outputs(i);
		outputs(9);
	}
	caught_one();
	puts("all transferred");
	return 0;
}
