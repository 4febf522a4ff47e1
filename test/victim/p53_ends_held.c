// SPDX-License-Identifier: Apache-2.0
/*
 * Connections that are closed or shut down while IP-MON holds outputs
 * (libipmon/hold_end.c): what the peer and the program see of it.
 */
#include "victim.h"

#define LOW 256		/* RLIMIT_NOFILE of limits() */

static int listener, null, ep;
static struct sockaddr_in addr;

static void put(int fd, const char *s)
{
	CHECK(send(fd, s, strlen(s), 0) == (ssize_t)strlen(s));
}

/* Both ends of a connection; ours has number `want`, if that is not -1. */
static int pair(int *peer, int want)
{
	int fd, p = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(p >= 0);
	*peer = fcntl(p, F_DUPFD, 100);
	CHECK(*peer >= 100 && !close(p));
	CHECK(!connect(*peer, (void *)&addr, sizeof(addr)));
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd >= 0 && (want == -1 || fd == want));
	return fd;
}

/* All a peer gets until the end. */
static void rest(const char *what, int peer)
{
	char buf[256];
	ssize_t n;

	n = recv(peer, buf, sizeof(buf), MSG_WAITALL);
	if (n < 0)
		printf("%s: %s\n", what, strerror(errno));
	else
		printf("%s: %.*s.\n", what, (int)n, buf);
	CHECK(!close(peer));
}

/* Close, and the number again, many times over. */
static void reuse(void)
{
	int peer[6], fd, first = -1, f;
	char line[32];

	for (int round = 0; round < 12; round++) {
		for (int i = 0; i < 6; i++) {
			fd = pair(&peer[i], first);
			first = fd;
			snprintf(line, sizeof(line), "%d.%d", round, i);
			put(fd, line);
			f = open("/dev/null", O_RDONLY);
			CHECK(f == fd + 1 && !close(f));
			CHECK(!close(fd));
			CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
		}
		for (int i = 0; i < 6; i++)
			rest("reuse", peer[i]);
	}
}

/* Numbers that are not open, wherever connections may be meanwhile. */
static void nowhere(void)
{
	static const int at[] = { 960, 961, 192, 193 };
	struct pollfd p = { .events = POLLIN };
	struct stat st;
	int peer, fd;

	for (unsigned int i = 0; i < 4; i++) {
		fd = pair(&peer, -1);
		put(fd, "nowhere");
		CHECK(!close(fd));
		p.fd = at[i];
		switch (i) {
		case 0:
			CHECK(close(at[i]) == -1 && errno == EBADF);
			break;
		case 1:
			CHECK(fstat(at[i], &st) == -1 && errno == EBADF);
			break;
		case 2:
			CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLNVAL);
			break;
		default:
			CHECK(dup2(null, at[i]) == at[i] && !close(at[i]));
			break;
		}
		rest("nowhere", peer);
	}
	fd = pair(&peer, -1);
	put(fd, "dup2");
	CHECK(!close(fd) && dup2(null, 960) == 960);
	rest("dup2", peer);
	CHECK(!fcntl(960, F_GETFD) && !close(960));
}

/* Numbers are given out in order, until there are none. */
static void limits(void)
{
	struct rlimit old, low;
	int peer[4], fd[4], f, last = -1, n = 0;

	CHECK(!getrlimit(RLIMIT_NOFILE, &old));
	low = old;
	low.rlim_cur = LOW;
	CHECK(!setrlimit(RLIMIT_NOFILE, &low));
	for (int i = 0; i < 4; i++)
		fd[i] = pair(&peer[i], -1);
	/* all up to there, but for some */
	while ((f = open("/dev/null", O_RDONLY)) >= 0 && f < 190)
		;
	CHECK(f == 190 && !close(f) && !close(189));
	for (int i = 0; i < 4; i++) {
		put(fd[i], "limits");
		CHECK(!close(fd[i]));
	}
	printf("numbers:");
	while ((f = open("/dev/null", O_RDONLY)) >= 0) {
		if (f != last + 1)
			printf(" %d", f == fd[0] ? 1 : f == fd[1] ? 2 :
			       f == fd[2] ? 3 : f == fd[3] ? 4 : f);
		last = f;
		n++;
		/* again something that ends */
		if (n % 20 == 6) {
			CHECK(!close(f));
			f = pair(&peer[0], f);
			put(f, "again");
			CHECK(!close(f));
			CHECK(recv(peer[0], low.rlim_cur ? (char[8]){ 0 } : NULL,
				   8, MSG_WAITALL) == 5);
			CHECK(!close(peer[0]));
		}
		if (n > 400)
			break;
	}
	CHECK(f == -1 && errno == EMFILE);
	printf(", then %d: %s\n", last, strerror(errno));
	/* two are free, one of them low: a connection's */
	CHECK(!close(250) && !close(251));
	fd[0] = pair(&peer[0], 250);
	CHECK(dup2(fd[0], 30) == 30 && !close(fd[0]));
	put(30, "full");
	CHECK(!close(30));
	for (f = 0; f < 4; f++)
		printf("%d ", open("/dev/null", O_RDONLY));
	puts("when full");
	rest("full", peer[0]);
	for (int i = 20; i < LOW; i++)
		if (i != listener && i != null && i != ep && i != peer[1] &&
		    i != peer[2] && i != peer[3])
			close(i);
	for (int i = 1; i < 4; i++)
		rest("limits", peer[i]);
	CHECK(!setrlimit(RLIMIT_NOFILE, &old));
	for (int i = 0; i < 4; i++)
		CHECK(fcntl(fd[i], F_GETFD) == -1 || !close(fd[i]));
}

static void watch(int fd, uint32_t events, uint64_t data)
{
	struct epoll_event ev = { events, { .u64 = data } };

	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
}

/* Printing would be something that waits: told() prints. */
static char said[4096];

static void events(const char *what, int timeout)
{
	struct epoll_event ev[16];
	int n = epoll_wait(ep, ev, 16, timeout);
	size_t at = strlen(said);

	CHECK(n >= 0);
	at += (size_t)snprintf(said + at, sizeof(said) - at, "%s: %d", what, n);
	for (int i = 0; i < n; i++)
		at += (size_t)snprintf(said + at, sizeof(said) - at,
				       " %" PRIu64 ":%x", ev[i].data.u64,
				       ev[i].events);
	CHECK(at + 2 < sizeof(said));
	strcpy(said + at, "\n");
}

static void told(void)
{
	fputs(said, stdout);
	said[0] = '\0';
}

/* What has been closed reports nothing, what has its number reports its own. */
static void epolls(void)
{
	int peer[9], fd = -1, other;

	/* accept() does not block: what comes is there */
	CHECK(!fcntl(listener, F_SETFL, O_NONBLOCK));
	for (int round = 0; round < 16; round++) {
		for (int i = 0; i < 9; i++) {
			peer[i] = socket(AF_INET, SOCK_STREAM, 0);
			CHECK(!connect(peer[i], (void *)&addr, sizeof(addr)));
			put(peer[i], "x");
		}
		usleep(1);
		other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		watch(other, EPOLLIN, 1000);
		/* from here on nothing need be sent before it is over */
		for (int i = 1; i < 9; i++) {
			fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			CHECK(fd == other + 1);
			if (i & 2 || round & 1)
				watch(fd, i & 1 ? EPOLLIN | EPOLLET : EPOLLIN,
				      (uint64_t)(round * 10 + i));
			if (i < 8) {
				put(fd, "epoll");
				CHECK(!close(fd));
			}
			if (i == 5 || i == 6)
				events("early", round & 2 ? 0 : 1000);
		}
		events("epolls", round & 2 ? 0 : 1000);
		CHECK(recv(other, (char[1]){ 0 }, 1, 0) == 1);
		events("one", 0);
		put(fd, "epoll");
		CHECK(!close(fd));
		events("none", 0);
		CHECK(!close(other));
		for (int i = 0; i < 9; i++)
			CHECK(!close(peer[i]));
		told();
	}
	CHECK(!fcntl(listener, F_SETFL, 0));
}

/* Shut down by both, the other one first as the network has it. */
static void both(void)
{
	struct timespec now, end;
	int peer, fd, st, p[2];
	pid_t pid;
	char c;

	for (int i = 0; i < 12; i++) {
		CHECK(!pipe(p));
		fd = pair(&peer, -1);
		watch(fd, EPOLLIN | EPOLLRDHUP, 5);
		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			CHECK(!close(fd) && read(p[0], &c, 1) == 1);
			CHECK(!shutdown(peer, SHUT_WR));
			CHECK(recv(peer, &c, 1, 0) == 0);
			_exit(0);
		}
		CHECK(!close(peer) && write(p[1], "x", 1) == 1);
		CHECK(!shutdown(fd, SHUT_WR));
		clock_gettime(CLOCK_MONOTONIC, &end);
		end.tv_nsec += 3000000;
		do
			clock_gettime(CLOCK_MONOTONIC, &now);
		while ((now.tv_sec - end.tv_sec) * 1000000000 +
		       now.tv_nsec - end.tv_nsec < 0);
		do {
			struct epoll_event ev;

			CHECK(epoll_wait(ep, &ev, 1, -1) == 1);
			/* never one without the other */
			CHECK(ev.events == (EPOLLIN | EPOLLRDHUP | EPOLLHUP));
		} while (recv(fd, &c, 1, MSG_DONTWAIT));
		CHECK(waitpid(pid, &st, 0) == pid && !st);
		CHECK(!close(fd) && !close(p[0]) && !close(p[1]));
	}
	puts("both ok");
}

/* A child has it, too: its registration lives on. */
static void shared(void)
{
	int peer, fd, go[2], st;
	pid_t pid;
	char c;

	for (int round = 0; round < 8; round++) {
		CHECK(!pipe(go));
		fd = pair(&peer, -1);
		watch(fd, EPOLLIN, 77);
		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			CHECK(!close(go[1]) && read(go[0], &c, 1) == 0);
			put(fd, "child");
			_exit(0);
		}
		put(fd, "parent ");
		CHECK(!close(fd));
		put(peer, "x");
		events("shared", 0);
		CHECK(!close(go[0]) && !close(go[1]));
		CHECK(waitpid(pid, &st, 0) == pid && !st);
		events("gone", 0);
		CHECK(recv(peer, (char[16]){ 0 }, 12, MSG_WAITALL) == 12);
		CHECK(!close(peer));
		told();
	}
}

/* The end, seen from here: both ends are ours. */
static void ourselves(void)
{
	struct pollfd p = { .events = POLLIN | POLLRDHUP };
	char buf[16];
	int peer, fd;

	for (int i = 0; i < 12; i++) {
		fd = pair(&peer, -1);
		put(fd, "data");
		CHECK(recv(peer, buf, sizeof(buf), MSG_DONTWAIT) == 4);
		CHECK(recv(peer, buf, 1, MSG_DONTWAIT) == -1 &&
		      errno == EAGAIN);
		put(peer, "d");
		CHECK(!fcntl(fd, F_SETFL, O_NONBLOCK));
		CHECK(read(fd, buf, sizeof(buf)) == 1);
		CHECK(read(fd, buf, 1) == -1 && errno == EAGAIN);
		put(fd, "more");
		p.fd = peer;
		CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
		CHECK(!close(fd));
		CHECK(recv(peer, buf, sizeof(buf), MSG_DONTWAIT) == 4);
		CHECK(recv(peer, buf, sizeof(buf), MSG_DONTWAIT) == 0);
		CHECK(poll(&p, 1, 0) == 1 && p.revents & POLLRDHUP);
		CHECK(!close(peer));
	}
	puts("ourselves ok");
}

static void shuts(void)
{
	char buf[16];
	int peer, fd;

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 12; i++) {
		fd = pair(&peer, -1);
		watch(fd, EPOLLIN | EPOLLRDHUP, 5);
		put(fd, "last");
		CHECK(!shutdown(fd, SHUT_WR));
		CHECK(recv(fd, buf, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
		switch (i % 5) {
		case 0:
			CHECK(send(fd, "x", 1, 0) == -1 && errno == EPIPE);
			break;
		case 1:
			CHECK(!shutdown(fd, SHUT_WR));
			break;
		case 2:
			CHECK(!shutdown(peer, SHUT_WR));
			events("both", 0);
			break;
		case 3:
			put(peer, "still open");
			CHECK(recv(fd, buf, 10, MSG_WAITALL) == 10);
			break;
		default:
			break;
		}
		CHECK(recv(peer, buf, sizeof(buf), MSG_WAITALL) == 4);
		CHECK(!close(fd));
		CHECK(!close(peer));
		told();
	}
	puts("shuts ok");
}

/* Ways to close that are not plain. */
static void rough(void)
{
	struct linger no = { 1, 0 };
	int peer, fd;

	for (int i = 0; i < 12; i++) {
		fd = pair(&peer, -1);
		CHECK(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &no, sizeof(no)));
		CHECK(!close(fd));
		rest("reset", peer);
		fd = pair(&peer, -1);
		put(peer, "unread");
		CHECK(!close(fd));
		rest("unread", peer);
	}
}

/* What it does after the end. */
static void then(const char *what, int how)
{
	int peer, fd, st, p[2], warm[2];
	pid_t pid;
	char c;

	CHECK(!pipe(p) && !pipe(warm));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		CHECK(!close(p[1]));
		for (int i = 0; i < 12; i++) {
			fd = pair(&peer, -1);
			put(fd, "+");
			CHECK(recv(peer, &c, 1, 0) == 1);
			CHECK(!close(fd) && !recv(peer, &c, 1, 0));
			CHECK(!close(peer));
		}
		CHECK(write(warm[1], "w", 1) == 1);
		fd = accept(listener, NULL, NULL);
		put(fd, "the end");
		CHECK(!close(fd));
		if (how == 0)
			for (;;)
				;
		if (how == 1)
			*(volatile int *)8 = 1;
		if (how == 2)
			kill(getpid(), SIGKILL);
		if (how == 3)
			execl("/bin/sh", "sh", "-c", "exit 3", NULL);
		if (how == 4)
			CHECK(read(p[0], &c, 1) == 0);
		_exit(4);
	}
	peer = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(read(warm[0], &c, 1) == 1);
	CHECK(!close(warm[0]) && !close(warm[1]));
	CHECK(peer >= 0 && !connect(peer, (void *)&addr, sizeof(addr)));
	rest(what, peer);
	if (how == 0)
		CHECK(!kill(pid, SIGKILL));
	CHECK(!close(p[1]) && waitpid(pid, &st, 0) == pid);
	CHECK(!close(p[0]));
	printf("%s: %d/%d\n", what, WIFEXITED(st) ? WEXITSTATUS(st) : -1,
	       WIFSIGNALED(st) ? WTERMSIG(st) : 0);
}

int main(void)
{
	static const char *const names[] = {
		"computes", "crashes", "is killed", "executes", "sleeps"
	};
	socklen_t len = sizeof(addr);

	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	null = open("/dev/null", O_RDONLY);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	ep = epoll_create1(EPOLL_CLOEXEC);
	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(null >= 0 && ep >= 0 && listener >= 0);
	CHECK(!bind(listener, (void *)&addr, sizeof(addr)));
	CHECK(!getsockname(listener, (void *)&addr, &len));
	CHECK(!listen(listener, 64));
	reuse();
	nowhere();
	epolls();
	both();
	shared();
	ourselves();
	shuts();
	rough();
	limits();
	for (int i = 0; i < 5; i++)
		then(names[i], i);
	return 0;
}
