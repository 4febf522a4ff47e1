/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmsplice both ways, a full pipe, interruption while waiting for room, and
 * its errors.
 */
#include "victim.h"

static char page[65536] __attribute__((aligned(4096)));
static volatile int alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

int main(void)
{
	int p[2], f;
	char b[64], one[4] = "abc", two[8] = "defghij";
	struct iovec iov[3] = { { one, 3 }, { NULL, 0 }, { two, 7 } };
	struct iovec in[2];
	struct itimerval it = { { 0, 0 }, { 0, 50000 } };
	ssize_t n, got = 0, sum = 0;
	char small[4] = { 0 }, rest[16] = { 0 };

	/* what has been spliced from no longer knows RWF_NOWAIT */
	OK(pipe(p));
	put_file("spliced", "0123456789");
	f = OK(open("spliced", O_RDONLY));
	CHECK(splice(f, NULL, p[1], NULL, 5, 0) == 5);
	CHECK(read(p[0], b, 64) == 5);
	CHECK(vmsplice(p[1], iov, 3, 0) > 0);
	OK(close(f));
	OK(close(p[0]));
	OK(close(p[1]));
	OK(pipe(p));
	CHECK(vmsplice(p[1], iov, 3, 0) == 10);
	memset(one, 'x', 3);	/* too late or not: unspecified, so not shown */
	CHECK(read(p[0], b, 64) == 10 && memcmp(b + 3, "defghij", 7) == 0);
	CHECK(vmsplice(p[1], iov, 0, 0) == 0);
	iov[0].iov_len = iov[2].iov_len = 0;
	CHECK(vmsplice(p[1], iov, 3, 0) == 0);
	/* the other way */
	CHECK(write(p[1], "0123456789", 10) == 10);
	in[0] = (struct iovec){ small, 4 };
	in[1] = (struct iovec){ rest, 16 };
	n = vmsplice(p[0], in, 2, 0);
	CHECK(n == 10 && !memcmp(small, "0123", 4) && !memcmp(rest, "456789", 6));
	printf("%.4s %s\n", small, rest);
	FAILS(vmsplice(p[0], in, 2, SPLICE_F_NONBLOCK), EAGAIN);
	/* a full pipe */
	memset(page, 'p', sizeof(page));
	in[0] = (struct iovec){ page, sizeof(page) };
	while ((n = vmsplice(p[1], in, 1, SPLICE_F_NONBLOCK)) > 0)
		sum += n;
	CHECK(n == -1 && errno == EAGAIN && sum == 65536);
	printf("%zd bytes\n", sum);
	handle(SIGALRM, on_alarm, 0);
	OK(setitimer(ITIMER_REAL, &it, NULL));
	in[0].iov_len = 100;
	FAILS(vmsplice(p[1], in, 1, 0), EINTR);
	CHECK(alarms == 1);
	/* waits for room, through a handler that restarts it */
	handle(SIGALRM, on_alarm, SA_RESTART);
	pid_t c = CHILD(
		sleep_ms(200);
		while (got < sum) {
			n = OK(read(p[0], page, sizeof(page)));
			got += n;
		}
	);
	OK(setitimer(ITIMER_REAL, &it, NULL));
	in[0] = (struct iovec){ page, 4000 };
	CHECK(vmsplice(p[1], in, 1, 0) == 4000);
	CHECK(alarms == 2);
	REAP(c);
	CHECK(read(p[0], page, sizeof(page)) == 4000 && page[3999] == 'p');
	/* errors */
	f = OK(open("f", O_RDWR | O_CREAT, 0600));
	FAILS(vmsplice(f, in, 1, 0), EBADF);
	FAILS(vmsplice(-1, in, 1, 0), EBADF);
	FAILS(vmsplice(p[1], in, 1, 0x100), EINVAL);
	FAILS(vmsplice(p[1], (void *)8, 1, 0), EFAULT);
	FAILS(vmsplice(p[1], in, 2000, 0), EINVAL);
	in[0] = (struct iovec){ (void *)8, 10 };
	FAILS(vmsplice(p[1], in, 1, 0), EFAULT);
	signal(SIGPIPE, SIG_IGN);
	OK(close(p[0]));
	in[0] = (struct iovec){ page, 1 };
	FAILS(vmsplice(p[1], in, 1, 0), EPIPE);
	struct stat st;
	CHECK(fstat(f, &st) == 0 && st.st_size == 0);
	puts("vmsplice ok");
	return 0;
}
