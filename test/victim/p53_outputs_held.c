// SPDX-License-Identifier: Apache-2.0
/*
 * Outputs to TCP that IP-MON holds until the followers have asked for the same
 * (libipmon/hold.c): whatever the server does next, its peer receives what was
 * sent, all of it, in order, with the content it had then.
 */
#include "victim.h"

static int listener, to_server[2];
static struct sockaddr_in addr;
static volatile sig_atomic_t flag;

static void on_signal(int sig)
{
	flag = sig;
}

static void put(int fd, const char *s)
{
	CHECK(send(fd, s, strlen(s), 0) == (ssize_t)strlen(s));
}

/* Until every call has been made a few times: they are handled in-process then. */
static void warm_up(int fd)
{
	char buf[64];

	for (int i = 0; i < 12; i++) {
		struct iovec v[2] = { { "wa", 2 }, { "rm", 2 } };

		CHECK(read(fd, buf, 1) == 1);
		put(fd, "++");
		CHECK(write(fd, "..", 2) == 2);
		CHECK(writev(fd, v, 2) == 4);
	}
}

/* ---- what the server does after its last output ---- */

static void computes(int fd)
{
	put(fd, "computes");
	/* the client ends this when it has received */
	while (!flag)
		;
}

static void crashes(int fd)
{
	put(fd, "crashes");
	*(volatile int *)8 = 1;
}

static void aborts(int fd)
{
	put(fd, "aborts");
	abort();
}

static void by_timer(int fd, const char *s, int sig)
{
	struct sigevent se = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = sig
	};
	struct itimerspec soon = { .it_value = { 0, 4000000 } };
	timer_t timer;

	CHECK(!timer_create(CLOCK_MONOTONIC, &se, &timer));
	CHECK(!timer_settime(timer, 0, &soon, NULL));
	put(fd, s);
	while (!flag)
		;
}

static void killed_by_timer(int fd)
{
	by_timer(fd, "killed by timer", SIGALRM);
}

static void stopped_by_timer(int fd)
{
	by_timer(fd, "stopped by timer", SIGSTOP);
}

static void kills_itself(int fd)
{
	put(fd, "kills itself");
	kill(getpid(), SIGKILL);
}

static void reads_elsewhere(int fd)
{
	char c;

	put(fd, "reads elsewhere");
	CHECK(read(to_server[0], &c, 1) == 1 && c == 'g');
	put(fd, ", done");
}

static void polls_elsewhere(int fd)
{
	struct pollfd p = { to_server[0], POLLIN, 0 };
	struct timespec long_time = { 30, 0 };
	fd_set set;
	char c;

	put(fd, "polls elsewhere");
	CHECK(ppoll(&p, 1, &long_time, NULL) == 1);
	CHECK(read(to_server[0], &c, 1) == 1);
	put(fd, ", selects");
	FD_ZERO(&set);
	FD_SET(to_server[0], &set);
	CHECK(select(to_server[0] + 1, &set, NULL, NULL, NULL) == 1);
	CHECK(read(to_server[0], &c, 1) == 1);
}

static void changes_its_buffer(int fd)
{
	char buf[4096], out[64];

	for (int i = 0; i < 40; i++) {
		struct iovec v[3] = { { out, 10 }, { NULL, 0 }, { buf, 5 } };
		struct msghdr m = { .msg_iov = v, .msg_iovlen = 3 };

		snprintf(out, sizeof(out), "[%08d]", i);
		memset(buf, 'a' + i % 26, sizeof(buf));
		CHECK(sendmsg(fd, &m, MSG_NOSIGNAL) == 15);
		memset(buf, '?', sizeof(buf));
		memset(out, '?', 10);
	}
}

static void sends_a_file(int fd)
{
	int f = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	off_t off = 3;

	CHECK(f >= 0 && write(f, "0123456789", 10) == 10);
	put(fd, "file ");
	CHECK(sendfile(fd, f, &off, 4) == 4 && off == 7);
	CHECK(sendfile(fd, f, &off, 100) == 3 && off == 10);
	CHECK(sendfile(fd, f, &off, 100) == 0 && off == 10);
	CHECK(!close(f) && !unlink("file"));
	put(fd, " gone");
}

static void sends_through_two(int fd)
{
	static char big[200000];
	int second = dup(fd), one = 1, zero = 0;

	CHECK(second >= 0);
	put(fd, "first ");
	put(second, "second ");
	put(fd, "third ");
	memset(big, 'b', sizeof(big));
	CHECK(send(second, big, sizeof(big), 0) == sizeof(big));
	CHECK(!setsockopt(fd, IPPROTO_TCP, TCP_CORK, &one, sizeof(one)));
	CHECK(send(fd, "more ", 5, MSG_MORE) == 5);
	put(second, "last");
	CHECK(!setsockopt(fd, IPPROTO_TCP, TCP_CORK, &zero, sizeof(zero)));
	CHECK(!close(fd));
	put(second, " really");
	CHECK(!close(second));
}

static void forks(int fd)
{
	pid_t pid;
	int st;

	put(fd, "parent ");
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		put(fd, "child ");
		_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid && !st);
	put(fd, "parent");
}

static void executes(int fd)
{
	char *const argv[] = { "sh", "-c", "printf shell >&7", NULL };

	put(fd, "before ");
	CHECK(dup2(fd, 7) == 7);
	execv("/bin/sh", argv);
}

static void fills_the_buffer(int fd)
{
	static char chunk[3000];
	int small = 4096, total = 0;
	char line[32], c;
	ssize_t n;

	CHECK(!setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)));
	CHECK(!fcntl(fd, F_SETFL, O_NONBLOCK));
	memset(chunk, 'f', sizeof(chunk));
	/* more than the other side's buffer takes while it does not read */
	while ((n = send(fd, chunk, sizeof(chunk), 0)) > 0)
		total += (int)n;
	CHECK(n == -1 && errno == EAGAIN && total > 0);
	CHECK(write(to_server[1], "s", 1) == 1);
	CHECK(!fcntl(fd, F_SETFL, 0));
	snprintf(line, sizeof(line), "%12d", total);
	/* the count is the client's to compare with what it got */
	CHECK(send(fd, line, 12, 0) == 12);
	(void)c;
}

static void shuts_down(int fd)
{
	char c;

	put(fd, "shuts down");
	CHECK(!shutdown(fd, SHUT_WR));
	signal(SIGPIPE, SIG_IGN);
	CHECK(send(fd, "x", 1, 0) == -1 && errno == EPIPE);
	CHECK(write(fd, "x", 1) == -1 && errno == EPIPE);
	CHECK(read(to_server[0], &c, 1) == 1);
}

static void *other_end(void *arg)
{
	char c;
	int f;

	CHECK(read(to_server[0], &c, 1) == 1 && c == 'g');
	f = open("fifo", O_WRONLY);
	CHECK(f >= 0 && !close(f));
	return arg;
}

/* Opened by a thread when the client has received. */
static void opens_a_fifo(int fd)
{
	pthread_t t;
	int f;

	unlink("fifo");
	CHECK(!mkfifo("fifo", 0600));
	for (int i = 0; i < 12; i++) {
		f = open("/dev/null", O_RDONLY);
		CHECK(f >= 0 && !close(f));
	}
	CHECK(!pthread_create(&t, NULL, other_end, NULL));
	usleep(10000);
	put(fd, "opens a fifo");
	f = open("fifo", O_RDONLY);
	CHECK(f >= 0 && !close(f) && !pthread_join(t, NULL));
	CHECK(!unlink("fifo"));
	put(fd, ", done");
}

static const struct {
	const char *name;
	void (*act)(int fd);
	const char *go;		/* written to the pipe by the client */
	int sig;		/* sent to the server once it has received */
} acts[] = {
	{ "computes", computes, NULL, SIGUSR1 },
	{ "crashes", crashes, NULL, 0 },
	{ "aborts", aborts, NULL, 0 },
	{ "kills itself", kills_itself, NULL, 0 },
	{ "killed by timer", killed_by_timer, NULL, 0 },
	{ "stopped by timer", stopped_by_timer, NULL, SIGKILL },
	{ "reads elsewhere", reads_elsewhere, "g", 0 },
	{ "polls elsewhere", polls_elsewhere, "gg", 0 },
	{ "changes its buffer", changes_its_buffer, NULL, 0 },
	{ "sends a file", sends_a_file, NULL, 0 },
	{ "opens a fifo", opens_a_fifo, "g", 0 },
	{ "sends through two", sends_through_two, NULL, 0 },
	{ "forks", forks, NULL, 0 },
	{ "executes", executes, NULL, 0 },
	{ "shuts down", shuts_down, "g", 0 },
};

static void server(unsigned int i)
{
	int fd = accept(listener, NULL, NULL), one = 1;

	CHECK(fd >= 0);
	CHECK(!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	warm_up(fd);
	signal(SIGUSR1, on_signal);
	acts[i].act(fd);
	_exit(0);
}

static int connected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[96];

	CHECK(fd >= 0 && !connect(fd, (void *)&addr, sizeof(addr)));
	for (int i = 0; i < 12; i++) {
		CHECK(write(fd, "x", 1) == 1);
		CHECK(recv(fd, buf, 8, MSG_WAITALL) == 8);
		CHECK(!memcmp(buf, "++..warm", 8));
	}
	return fd;
}

/* All that comes, runs of a letter shortened. */
static void client(unsigned int i, pid_t pid)
{
	static char buf[400000];
	int fd = connected(), st;
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, buf + have, sizeof(buf) - have)) > 0) {
		if (!have && acts[i].sig)
			kill(pid, acts[i].sig);
		if (!have && acts[i].go)
			CHECK(write(to_server[1], acts[i].go,
				    strlen(acts[i].go)) > 0);
		have += (size_t)n;
	}
	CHECK(waitpid(pid, &st, 0) == pid);
	printf("%s: %d/%d, %zu bytes: ", acts[i].name, WIFEXITED(st) ?
	       WEXITSTATUS(st) : -1, WIFSIGNALED(st) ? WTERMSIG(st) : 0, have);
	for (size_t k = 0; k < have; k++) {
		size_t m = k;

		while (m < have && buf[m] == buf[k])
			m++;
		if (m - k > 8) {
			printf("%c*%zu", buf[k], m - k);
			k = m - 1;
		} else {
			putchar(buf[k]);
		}
	}
	printf("\n");
	close(fd);
}

/* A peer that does not read: what was accepted is what comes. */
static void slow_peer(void)
{
	static char buf[65536];
	size_t have = 0, total;
	pid_t pid = fork();
	int fd, st;
	char c, tail[13] = "";
	ssize_t n;

	CHECK(pid >= 0);
	if (!pid) {
		fd = accept(listener, NULL, NULL);
		CHECK(fd >= 0);
		warm_up(fd);
		fills_the_buffer(fd);
		_exit(0);
	}
	fd = connected();
	CHECK(read(to_server[0], &c, 1) == 1 && c == 's');
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		have += (size_t)n;
		for (ssize_t i = 0; i < n; i++) {
			memmove(tail, tail + 1, 11);
			tail[11] = buf[i];
		}
	}
	total = (size_t)atoi(tail);
	CHECK(have == total + 12);
	CHECK(waitpid(pid, &st, 0) == pid && !st);
	close(fd);
	puts("slow peer ok");
}

/* Who sees what the server did after its output finds that there. */
static void ends(int how)
{
	static const char *const names[] = { "dup2", "dup3", "unlocks" };
	int line[2], null = open("/dev/null", O_RDONLY), fd, lock = -1;
	char buf[16] = "", c;
	pid_t pid;

	CHECK(null >= 0 && !pipe(line));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		fd = accept(listener, NULL, NULL);
		CHECK(fd >= 0 && !close(line[0]));
		warm_up(fd);
		for (int i = 0; i < 12; i++) {
			CHECK(dup2(null, 60) == 60 && dup3(null, 61, 0) == 61);
			lock = open("lock", O_RDWR | O_CREAT, 0600);
			CHECK(lock >= 0 && (i == 11 || !close(lock)));
		}
		CHECK(!flock(lock, LOCK_EX));
		if (how == 2)
			CHECK(write(line[1], "l", 1) == 1);
		usleep(100000);
		put(fd, "first");
		if (how == 2)
			close(lock);
		else
			how ? dup3(null, line[1], O_CLOEXEC) :
				dup2(null, line[1]);
		while (!flag)
			;
	}
	CHECK(!close(line[1]));
	fd = connected();
	CHECK(read(line[0], &c, 1) == (how == 2));
	if (how == 2) {
		lock = open("lock", O_RDWR);
		CHECK(lock >= 0 && !flock(lock, LOCK_EX));
		CHECK(!close(lock) && !unlink("lock"));
	}
	CHECK(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == 5);
	CHECK(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	close(null);
	close(line[0]);
	close(fd);
	printf("%s: %s\n", names[how], buf);
}

int main(void)
{
	socklen_t len = sizeof(addr);

	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	listener = socket(AF_INET, SOCK_STREAM, 0);
	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(listener >= 0 && !bind(listener, (void *)&addr, sizeof(addr)));
	CHECK(!getsockname(listener, (void *)&addr, &len));
	CHECK(!listen(listener, 8) && !pipe(to_server));
	for (unsigned int i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (!pid)
			server(i);
		client(i, pid);
	}
	slow_peer();
	for (int i = 0; i < 3; i++)
		ends(i);
	return 0;
}
