// SPDX-License-Identifier: Apache-2.0
/*
 * The server: control socket and metrics of one running monitor.
 *
 * Theory of operation
 * -------------------
 *	front ---- tracer	never waits for anybody here
 *	   \		\ shared memory: struct see_share
 *	    server ----- clients
 *
 * A process of its own (see_start.c).  It traces nothing, holds nothing of the
 * program's, and whatever a client does to it does not reach the tracer: it can
 * ask for a snapshot, which the tracer takes at its next tick, and that is all.
 * It ends when the tracer does, which its pidfd tells.
 *
 * Clients are not trusted.  Each may ask once, has DEADLINE_NS for everything,
 * and when there are too many the oldest that has said nothing goes first.
 * Who may use the control socket: root and the user monitord runs as
 * (SO_PEERCRED), but none of the program's own processes, which could learn
 * there what it must not know about its followers.  What is no request costs one
 * line on stderr, and not more than one in LOG_NS.
 *
 * The metrics socket is for scrapers: HTTP/1.1, counters only.  On the loopback
 * interface everybody on the machine may read it; a UNIX socket has mode 0660.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "front.h"
#include "see.h"
#include "see_int.h"

#define DEADLINE_NS	5000000000u	/* a client, from start to end */
#define DRAIN_NS	1000000000u	/* ... after the answer */
#define FRESH_NS	100000000u	/* a snapshot serves so long */
#define STALLED_NS	1000000000u	/* without a new one: use the old */
#define WATCH_NS	5000000000u	/* samples are taken, after a question */
#define LOG_NS		60000000000u
#define CLIENTS		32u		/* per socket */

struct see_facts see_facts;

/* ---- clients ---- */

enum phase {
	FREE,		/* no client */
	ASKING,		/* its request is not there yet */
	WAITING,	/* for a snapshot */
	ANSWERING,	/* out is being sent */
	DRAINING,	/* all is said; what it still sends is thrown away, so
			 * that the answer is not lost with it (TCP reset) */
};

struct client {
	int fd;
	enum phase phase;
	bool http, head;
	uint64_t since, until;
	char *out;
	size_t len, done;
	size_t have;			/* of in */
	char in[HTTP_REQUEST_MAX];
};

static struct client clients[2][CLIENTS];	/* control, metrics */
static struct snapshot snap;
static uint64_t now, asked;		/* asked for a snapshot, 0: did not */

/* What is wrong with clients, at most one line a minute. */
static void __attribute__((format(printf, 1, 2))) complain(const char *fmt, ...)
{
	static uint64_t last;
	static unsigned long more;
	char line[256];
	va_list ap;

	if (last && now - last < LOG_NS) {
		more++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (more)
		say("%s (and %lu more such messages before it)", line, more);
	else
		say("%s", line);
	last = now;
	more = 0;
}

static void drop(struct client *c)
{
	close(c->fd);
	free(c->out);
	c->out = NULL;
	c->phase = FREE;
}

/* Is the process one of those that the tracer traces?  -1: it is gone. */
static int traced(pid_t pid)
{
	char path[64], buf[1024], *p;
	ssize_t n;
	int fd;

	if (pid <= 0)
		return 0;		/* not of this pid namespace */
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	buf[n] = 0;
	p = strstr(buf, "\nTracerPid:");
	return !p || atoi(p + strlen("\nTracerPid:")) == (int)see_facts.tracer;
}

static bool may_ask(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	int t;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return false;
	if (who.uid && who.uid != see_facts.uid) {
		complain("control socket: user %u (process %d) may not look at this run",
			 (unsigned int)who.uid, (int)who.pid);
		return false;
	}
	/* the program of an ordinary user is never root's (h_cred.c) */
	if (who.uid != see_facts.uid)
		return true;
	t = traced(who.pid);
	if (t > 0)
		complain("control socket: process %d belongs to the program, which may not look at itself",
			 (int)who.pid);
	return t == 0;
}

/* Room for one more: whoever has been silent for longest goes. */
static struct client *place_for(struct client *list)
{
	struct client *oldest = NULL;

	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct client *c = &list[i];

		if (c->phase == FREE)
			return c;
		if ((c->phase == ASKING || c->phase == DRAINING) &&
		    (!oldest || c->since < oldest->since))
			oldest = c;
	}
	if (oldest)
		drop(oldest);
	return oldest;
}

static void come_in(int listener, bool http)
{
	for (unsigned int i = 0; i < CLIENTS; i++) {
		int fd = accept4(listener, NULL, NULL,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct client *c;

		if (fd < 0)
			return;
		if (!http && !may_ask(fd)) {
			close(fd);
			continue;
		}
		c = place_for(clients[http]);
		if (!c) {
			close(fd);
			continue;
		}
		c->fd = fd;
		c->phase = ASKING;
		c->http = http;
		c->head = false;
		c->since = now;
		c->until = now + DEADLINE_NS;
		c->have = c->done = c->len = 0;
	}
}

/* ---- answers ---- */

static void __attribute__((format(printf, 3, 0)))
http_head(struct client *c, int status, const char *fields, char *body,
	  size_t len)
{
	char head[512];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 %d %s\r\n%s"
			 "Content-Length: %zu\r\nConnection: close\r\n\r\n",
			 status, http_reason(status), fields, len);

	if (c->head)
		len = 0;
	c->out = malloc((size_t)n + len);
	if (c->out) {
		memcpy(c->out, head, (size_t)n);
		memcpy(c->out + n, body, len);
		c->len = (size_t)n + len;
		c->phase = ANSWERING;
	} else {
		drop(c);
	}
	c->done = 0;
}

static void http_error(struct client *c, int status)
{
	char body[128];
	int n = snprintf(body, sizeof(body), "%s%s\n", http_reason(status),
			 status == 404 ? ": the metrics are at /metrics" : "");

	http_head(c, status, status == 405 ?
		  "Content-Type: text/plain\r\nAllow: GET, HEAD\r\n" :
		  "Content-Type: text/plain\r\n", body, (size_t)n);
}

static void control_error(struct client *c, int err)
{
	struct see_reply r = {
		.magic = SEE_MAGIC, .version = SEE_VERSION,
		.error = (uint16_t)err,
	};

	send(c->fd, &r, sizeof(r), MSG_NOSIGNAL | MSG_DONTWAIT);
	drop(c);
}

static void answer(struct client *c)
{
	static const char type[] = "Content-Type: application/openmetrics-text; "
		"version=1.0.0; charset=utf-8\r\n";
	size_t len;
	char *text = c->http ? see_metrics(&snap, &see_facts, &len) :
		see_json(&snap, &see_facts, &len);

	c->until = now + DEADLINE_NS;
	if (!text || len > SEE_TOTAL_MAX) {
		free(text);
		if (c->http)
			http_error(c, 503);
		else
			control_error(c, ENOMEM);
		return;
	}
	if (c->http) {
		http_head(c, 200, type, text, len);
		free(text);
		return;
	}
	c->out = text;
	c->len = len;
	c->done = 0;
	c->phase = ANSWERING;
}

/* A packet with the next piece; the packet is sent whole or not at all. */
static ssize_t send_piece(struct client *c)
{
	size_t n = c->len - c->done;
	struct see_reply r = {
		.magic = SEE_MAGIC, .version = SEE_VERSION,
		.total = (uint32_t)c->len, .offset = (uint32_t)c->done,
	};
	struct iovec iov[2] = { { &r, sizeof(r) }, { c->out + c->done, 0 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t sent;

	iov[1].iov_len = n < SEE_PIECE ? n : SEE_PIECE;
	sent = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent <= 0 ? sent : sent - (ssize_t)sizeof(r);
}

static void go_on(struct client *c)
{
	while (c->done < c->len) {
		ssize_t n = c->http ? send(c->fd, c->out + c->done,
					   c->len - c->done,
					   MSG_NOSIGNAL | MSG_DONTWAIT) :
			send_piece(c);

		if (n <= 0) {
			if (errno != EAGAIN && errno != EINTR)
				drop(c);
			return;
		}
		c->done += (size_t)n;
	}
	if (!c->http) {
		drop(c);
		return;
	}
	shutdown(c->fd, SHUT_WR);
	free(c->out);
	c->out = NULL;
	c->phase = DRAINING;
	c->until = now + DRAIN_NS;
}

/* ---- requests ---- */

static void ask(struct client *c)
{
	c->phase = WAITING;
	if (!c->http)
		atomic_store(&see_share->watch, now + WATCH_NS);
	if (snap.now && now - snap.now < FRESH_NS)
		return;
	if (!asked) {
		asked = now;
		atomic_fetch_add(&see_share->want, 1);
	}
}

static void control_in(struct client *c)
{
	char packet[sizeof(struct see_request) + 1];
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);
	const char *why;
	/* MSG_TRUNC: the length it had; what does not fit is gone */
	ssize_t n = recv(c->fd, packet, sizeof(packet),
			 MSG_DONTWAIT | MSG_TRUNC);

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			drop(c);
		return;
	}
	why = see_request_check(packet, (size_t)n);
	if (!why) {
		ask(c);
		return;
	}
	getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	complain("control socket: process %d sent a message %s (%zd bytes)",
		 (int)who.pid, why, n);
	control_error(c, EPROTO);
}

static void http_in(struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->have, sizeof(c->in) - c->have,
			 MSG_DONTWAIT);
	int status = 400;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			drop(c);
		return;
	}
	c->have += (size_t)n;
	switch (http_request(c->in, c->have, &status)) {
	case HTTP_MORE:
		return;
	case HTTP_METRICS_HEAD:
		c->head = true;
		__attribute__((fallthrough));
	case HTTP_METRICS:
		ask(c);
		return;
	case HTTP_ERROR:
		if (status != 404 && status != 405)
			complain("metrics: a request that is none (%d %s)",
				 status, http_reason(status));
		http_error(c, status);
		return;
	}
}

static void client_event(struct client *c, short revents)
{
	char sink[4096];

	switch (c->phase) {
	case ASKING:
		if (c->http)
			http_in(c);
		else
			control_in(c);
		break;
	case WAITING:
		if (revents & (POLLHUP | POLLERR))
			drop(c);
		break;
	case ANSWERING:
		go_on(c);
		break;
	case DRAINING:
		if (recv(c->fd, sink, sizeof(sink), MSG_DONTWAIT) <= 0 &&
		    errno != EAGAIN && errno != EINTR)
			drop(c);
		else if (revents & (POLLHUP | POLLERR))
			drop(c);
		break;
	case FREE:
		break;
	}
}

/* ---- the loop ---- */

/* Take what the tracer has put there. */
static void take_snapshot(void)
{
	uint64_t n;

	if (read(see_event, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return;
	if (!asked || atomic_load(&see_share->done) !=
	    atomic_load(&see_share->want))
		return;
	memcpy(&snap, &see_share->s, sizeof(snap));
	asked = 0;
}

/* Serve those who wait: the snapshot is there, or there will be none soon. */
static void serve_waiting(void)
{
	bool stalled = asked && now - asked > STALLED_NS;

	if (asked && !stalled)
		return;
	for (unsigned int i = 0; i < 2 * CLIENTS; i++) {
		struct client *c = &clients[i / CLIENTS][i % CLIENTS];

		if (c->phase == WAITING)
			answer(c);
		if (c->phase == ANSWERING)
			go_on(c);
	}
}

static void expire(uint64_t *next)
{
	for (unsigned int i = 0; i < 2 * CLIENTS; i++) {
		struct client *c = &clients[i / CLIENTS][i % CLIENTS];

		if (c->phase == FREE)
			continue;
		if (now >= c->until)
			drop(c);
		else if (c->until < *next)
			*next = c->until;
	}
	if (asked && asked + STALLED_NS < *next)
		*next = asked + STALLED_NS > now ? asked + STALLED_NS :
			now + STALLED_NS;
}

/* Whoever reads a pipe until its end waits for the program, not for us. */
static void front_has_gone(void)
{
	struct stat st;
	int null;

	if (fstat(STDERR_FILENO, &st) ||
	    !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return;
	null = null_open(O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
}

enum { P_TRACER, P_FRONT, P_EVENT, P_CONTROL, P_METRICS, P_FIXED };

void see_serve(int tracer_fd, int front_fd, int control_fd, int metrics_fd)
{
	static struct pollfd p[P_FIXED + 2 * CLIENTS];
	static struct client *who[2 * CLIENTS];

	p[P_TRACER] = (struct pollfd){ tracer_fd, POLLIN, 0 };
	p[P_FRONT] = (struct pollfd){ front_fd, POLLIN, 0 };
	p[P_EVENT] = (struct pollfd){ see_event, POLLIN, 0 };
	p[P_CONTROL] = (struct pollfd){ control_fd, POLLIN, 0 };
	p[P_METRICS] = (struct pollfd){ metrics_fd, POLLIN, 0 };
	for (;;) {
		uint64_t next = UINT64_MAX;
		unsigned int n = 0;
		int ms = -1;

		now = see_clock();
		serve_waiting();
		expire(&next);
		if (next != UINT64_MAX)
			ms = (int)((next - now) / 1000000 + 1);
		for (unsigned int i = 0; i < 2 * CLIENTS; i++) {
			struct client *c = &clients[i / CLIENTS][i % CLIENTS];

			if (c->phase == FREE)
				continue;
			p[P_FIXED + n] = (struct pollfd){
				c->fd, c->phase == ANSWERING ? POLLOUT :
				c->phase == WAITING ? 0 : POLLIN, 0
			};
			who[n++] = c;
		}
		if (poll(p, P_FIXED + n, ms) < 0 && errno != EINTR)
			return;
		now = see_clock();
		if (p[P_TRACER].revents)
			return;
		if (p[P_FRONT].revents) {
			front_has_gone();
			p[P_FRONT].fd = -1;
		}
		if (p[P_EVENT].revents)
			take_snapshot();
		/* before others come in, who may take a place */
		for (unsigned int i = 0; i < n; i++)
			if (p[P_FIXED + i].revents)
				client_event(who[i], p[P_FIXED + i].revents);
		if (p[P_CONTROL].revents)
			come_in(control_fd, false);
		if (p[P_METRICS].revents)
			come_in(metrics_fd, true);
	}
}
