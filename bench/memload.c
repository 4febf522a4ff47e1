// SPDX-License-Identifier: Apache-2.0
/*
 * A load client for memcached's text protocol, for bench/run memcached.
 *
 * Theory of operation
 * -------------------
 * One thread, C connections, one request in flight on each, closed loop: the
 * next request goes out when the answer to the one before is complete.  One in
 * SETS requests is a set, the others are gets of keys that were all set
 * before the clock started.  epoll says which connection has an answer; what
 * arrives is counted, not parsed: the answer to every request has a length
 * known beforehand, and its first byte tells whether it is the expected one.
 *
 * Latencies go into a histogram whose cells grow by 1/16 per power of two, so
 * a percentile is exact to about 3 %.  The result is one line of JSON:
 * requests, seconds, errors, and [percentile, microseconds] pairs.
 *
 *	memload HOST PORT SECONDS CONNECTIONS VALUE-BYTES SETS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define KEYS 1000
#define PATIENCE 10		/* seconds until a server counts as hung */
#define MAX_CONNECTIONS 1024
#define MAX_VALUE 65536
#define SUB 16			/* cells per power of two */
#define CELLS (64 * SUB)

struct conn {
	int fd;
	size_t expect;		/* bytes of the answer */
	size_t got;
	char first;		/* what it must begin with */
	uint64_t sent_at;
};

static struct conn conns[MAX_CONNECTIONS];
static uint64_t histogram[CELLS];
static uint64_t requests, errors, turn;
static size_t value_bytes;
static unsigned int sets;
static char value[MAX_VALUE];

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "memload: %s: %s\n", what,
		errno ? strerror(errno) : "unexpected answer");
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- histogram ---- */

static unsigned int cell_of(uint64_t ns)
{
	unsigned int power;

	if (ns < SUB)
		return (unsigned int)ns;
	power = 63u - (unsigned int)__builtin_clzll(ns);
	/* the four bits below the highest one */
	return (power - 3) * SUB + (unsigned int)(ns >> (power - 4) & (SUB - 1));
}

static double top_of(unsigned int cell)
{
	unsigned int power = cell / SUB + 3;

	if (cell < SUB)
		return cell;
	return (double)(SUB + cell % SUB + 1) * (double)(1ull << (power - 4));
}

static double percentile(double p)
{
	double want = p / 100 * (double)requests;
	uint64_t seen = 0;

	for (unsigned int i = 0; i < CELLS; i++) {
		seen += histogram[i];
		if (seen && (double)seen >= want)
			return top_of(i) / 1000;
	}
	return 0;
}

/* ---- protocol ---- */

static void format_key(char *buf, size_t size, uint64_t n)
{
	/* one length for all keys, so that answers have one length */
	snprintf(buf, size, "key-%06u", (unsigned int)(n % KEYS));
}

static void send_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			fail("send");
		buf += n;
		len -= (size_t)n;
	}
}

static void request(struct conn *c, uint64_t n, bool set)
{
	static char buf[MAX_VALUE + 256];
	char key[32];
	size_t len;

	format_key(key, sizeof(key), n);
	if (set) {
		len = (size_t)snprintf(buf, sizeof(buf), "set %s 0 0 %zu\r\n",
				       key, value_bytes);
		memcpy(buf + len, value, value_bytes);
		memcpy(buf + len + value_bytes, "\r\n", 2);
		len += value_bytes + 2;
		c->expect = strlen("STORED\r\n");
		c->first = 'S';
	} else {
		char head[64];

		len = (size_t)snprintf(buf, sizeof(buf), "get %s\r\n", key);
		c->expect = (size_t)snprintf(head, sizeof(head),
					     "VALUE %s 0 %zu\r\n", key,
					     value_bytes) +
			    value_bytes + strlen("\r\nEND\r\n");
		c->first = 'V';
	}
	c->got = 0;
	c->sent_at = now_ns();
	send_all(c->fd, buf, len);
}

static void next_request(struct conn *c)
{
	turn++;
	request(c, turn * 7919, sets && turn % sets == 0);
}

/* True when the answer is complete. */
static bool receive(struct conn *c)
{
	static char buf[MAX_VALUE + 256];
	ssize_t n = recv(c->fd, buf, sizeof(buf), 0);

	if (n < 0 && errno == EINTR)
		return false;
	if (n <= 0) {
		if (!n)
			errno = ECONNRESET;
		fail("recv");
	}
	if (!c->got && buf[0] != c->first) {
		errno = 0;
		errors++;
		fail("answer");
	}
	c->got += (size_t)n;
	if (c->got > c->expect) {
		errno = 0;
		fail("answer too long");
	}
	return c->got == c->expect;
}

static int dial(const char *host, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port) };
	struct timeval patience = { .tv_sec = PATIENCE };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1) {
		errno = EINVAL;
		fail(host);
	}
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		fail("connect");
	/* EAGAIN from a socket means that nothing came for so long */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		       sizeof(patience)) < 0)
		fail("setsockopt");
	return fd;
}

static void fill(struct conn *c)
{
	for (uint64_t k = 0; k < KEYS; k++) {
		request(c, k, true);
		while (!receive(c))
			;
	}
}

static void report(double seconds)
{
	static const double at[] = {
		0, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92, 94,
		95, 96, 97, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.99, 100,
	};

	printf("{\"requests\": %llu, \"seconds\": %.6f, \"errors\": %llu, \"latency\": [",
	       (unsigned long long)requests, seconds,
	       (unsigned long long)errors);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		printf("%s[%g, %.2f]", i ? ", " : "", at[i], percentile(at[i]));
	printf("]}\n");
}

int main(int argc, char **argv)
{
	struct epoll_event ev[64];
	uint64_t start, end, now;
	int n, ep = epoll_create1(EPOLL_CLOEXEC);

	if (argc != 7) {
		fprintf(stderr, "usage: memload HOST PORT SECONDS CONNECTIONS VALUE-BYTES SETS\n"
			"  SETS: one request in so many is a set; 0: only gets, 1: only sets\n");
		return 2;
	}
	n = atoi(argv[4]);
	value_bytes = (size_t)atol(argv[5]);
	sets = (unsigned int)atoi(argv[6]);
	if (n < 1 || n > MAX_CONNECTIONS || value_bytes > MAX_VALUE || ep < 0) {
		errno = EINVAL;
		fail("arguments");
	}
	memset(value, 'v', sizeof(value));
	for (int i = 0; i < n; i++) {
		struct epoll_event e = { .events = EPOLLIN,
					 .data.ptr = &conns[i] };

		conns[i].fd = dial(argv[1], atoi(argv[2]));
		if (epoll_ctl(ep, EPOLL_CTL_ADD, conns[i].fd, &e) < 0)
			fail("epoll_ctl");
	}
	fill(&conns[0]);
	start = now = now_ns();
	end = start + (uint64_t)(atof(argv[3]) * 1e9);
	for (int i = 0; i < n; i++)
		next_request(&conns[i]);
	while (now < end) {
		int ready = epoll_wait(ep, ev, 64, PATIENCE * 1000);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0) {
			errno = ready ? errno : ETIMEDOUT;
			fail("waiting for an answer");
		}
		for (int i = 0; i < ready; i++) {
			struct conn *c = ev[i].data.ptr;

			if (!receive(c))
				continue;
			now = now_ns();
			histogram[cell_of(now - c->sent_at)]++;
			requests++;
			next_request(c);
		}
	}
	report((double)(now - start) / 1e9);
	return 0;
}
