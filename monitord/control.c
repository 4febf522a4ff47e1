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
 * A process of its own, started by the front process once the program has run
 * for START_MS (what is over before that, nobody has looked at), or when the
 * front process leaves.  It traces nothing, holds nothing of the program's, and
 * whatever a client does to it does not reach the tracer: it can ask for a
 * snapshot, which the tracer takes at its next tick, and that is all.  It ends
 * when the tracer does, which its pidfd tells.
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
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "see.h"
#include "see_int.h"

#define START_MS	30u
#define END_MS		500		/* the server may take to end */
#define DEADLINE_NS	5000000000u	/* a client, from start to end */
#define DRAIN_NS	1000000000u	/* ... after the answer */
#define FRESH_NS	100000000u	/* a snapshot serves so long */
#define STALLED_NS	1000000000u	/* without a new one: use the old */
#define LOG_NS		60000000000u
#define CLIENTS		32u		/* per socket */

static int control_fd = -1, metrics_fd = -1;
static char control_path[108];		/* "": none */
static char metrics_text[128];		/* where, as shown */
static char metrics_path[108];		/* of a UNIX socket, to be removed */
static bool wanted;
static uint64_t prepared;		/* ns */
static time_t prepared_wall;
static pid_t server_pid;
static int server_pipe = -1;		/* front's end: it lives */
static bool started;

/* The tracer's time is trapped (tsc.c), ours is not. */
static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- before anything is forked ---- */

/* As the server will find it, whose working directory is /. */
static int absolute(const char *path, char out[108])
{
	char cwd[108] = "";

	if (*path != '/' && !getcwd(cwd, sizeof(cwd)))
		return -ENAMETOOLONG;
	return snprintf(out, 108, "%s%s%s", cwd, *cwd ? "/" : "", path) < 108 ?
		0 : -ENAMETOOLONG;
}

static const char *listen_error(int r)
{
	switch (r) {
	case -EADDRINUSE:
		return "another process listens there; choose another place";
	case -EEXIST:
		return "there is a file of that name which is no socket";
	case -ENAMETOOLONG:
		return "the path is too long, 107 bytes is the most";
	default:
		return strerror(-r);
	}
}

static int listen_tcp(const struct metrics_at *at)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in a4 = { .sin_family = AF_INET };
	socklen_t len = at->six ? sizeof(a6) : sizeof(a4);
	void *sa = at->six ? (void *)&a6 : (void *)&a4;
	char name[INET6_ADDRSTRLEN];
	int one = 1, fd;

	memcpy(&a6.sin6_addr, at->addr, 16);
	memcpy(&a4.sin_addr, at->addr, 4);
	a4.sin_port = a6.sin6_port = htons(at->port);
	fd = socket(at->six ? AF_INET6 : AF_INET,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, sa, len) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, sa, &len) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	/* the port may have been the kernel's choice */
	inet_ntop(at->six ? AF_INET6 : AF_INET, at->six ?
		  (void *)&a6.sin6_addr : (void *)&a4.sin_addr, name,
		  sizeof(name));
	snprintf(metrics_text, sizeof(metrics_text),
		 at->six ? "[%s]:%u" : "%s:%u", name,
		 ntohs(at->six ? a6.sin6_port : a4.sin_port));
	return fd;
}

static int prepare_metrics(const char *text)
{
	struct metrics_at at;
	const char *why = metrics_parse(text, &at);

	if (why) {
		say("--metrics '%s': %s", text, why);
		return EXIT_MONITOR;
	}
	if (at.path) {
		int r = absolute(at.path, metrics_path);

		metrics_fd = r < 0 ? r : see_listen(metrics_path, SOCK_STREAM,
						    0660);
		snprintf(metrics_text, sizeof(metrics_text), "unix:%s",
			 metrics_path);
	} else {
		metrics_fd = listen_tcp(&at);
	}
	if (metrics_fd >= 0)
		return 0;
	say("--metrics %s: %s", text, listen_error(metrics_fd));
	return EXIT_MONITOR;
}

int see_prepare(void)
{
	const char *control = mon.opt.control;
	int r;

	if (control && strcmp(control, "none")) {
		r = absolute(control, control_path);
		if (!r)
			r = control_fd = see_listen(control_path,
						    SOCK_SEQPACKET, 0600);
		if (r < 0) {
			say("--control %s: %s", control, listen_error(r));
			control_path[0] = 0;
			return EXIT_MONITOR;
		}
	}
	if (mon.opt.metrics && prepare_metrics(mon.opt.metrics)) {
		if (control_fd >= 0)
			unlink(control_path);
		return EXIT_MONITOR;
	}
	prepared = clock_ns();
	prepared_wall = time(NULL);
	if (control && !strcmp(control, "none") && metrics_fd < 0)
		return 0;
	/* pages that nobody asks for are never there */
	see_share = mmap(NULL, sizeof(*see_share), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	see_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (see_share == MAP_FAILED || see_event < 0) {
		see_share = NULL;
		verbose("nobody can look at this run: %s", strerror(errno));
		return 0;
	}
	wanted = true;
	return 0;
}

void see_tracer(void)
{
	if (control_fd >= 0)
		close(control_fd);
	if (metrics_fd >= 0)
		close(metrics_fd);
}

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
static struct see_facts facts;
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
	return !p || atoi(p + strlen("\nTracerPid:")) == (int)facts.tracer;
}

static bool may_ask(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	int t;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return false;
	if (who.uid && who.uid != facts.uid) {
		complain("control socket: user %u (process %d) may not look at this run",
			 (unsigned int)who.uid, (int)who.pid);
		return false;
	}
	/* the program of an ordinary user is never root's (h_cred.c) */
	if (who.uid != facts.uid)
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
	char *text = c->http ? see_metrics(&snap, &facts, &len) :
		see_json(&snap, &facts, &len);

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
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
}

enum { P_TRACER, P_FRONT, P_EVENT, P_CONTROL, P_METRICS, P_FIXED };

static void loop(int tracer_fd, int front_fd)
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

		now = clock_ns();
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
		now = clock_ns();
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

/* ---- the process ---- */

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Keep stderr and these; they are distinct, -1 is none. */
static void close_others(const int *keep, unsigned int n)
{
	int fds[8], last = 2;

	memcpy(fds, keep, n * sizeof(*fds));
	qsort(fds, n, sizeof(*fds), compare_ints);
	for (unsigned int i = 0; i < n; i++) {
		if (fds[i] <= 2)
			continue;
		if (fds[i] > last + 1)
			close_range((unsigned int)last + 1,
				    (unsigned int)fds[i] - 1, 0);
		last = fds[i];
	}
	close_range((unsigned int)last + 1, ~0u, 0);
}

/* The default place.  That there is none is no reason not to run. */
static void listen_default(void)
{
	char dir[128];
	int r = see_dir(dir, sizeof(dir));

	if (r < 0) {
		verbose("no control socket: %s", strerror(-r));
		return;
	}
	see_sweep(dir);
	if (snprintf(control_path, sizeof(control_path), "%s/%d", dir,
		     (int)facts.tracer) >= (int)sizeof(control_path))
		r = -ENAMETOOLONG;
	else
		r = control_fd = see_listen(control_path, SOCK_SEQPACKET, 0600);
	if (r < 0) {
		verbose("no control socket at %s: %s", control_path,
			strerror(-r));
		control_path[0] = 0;
	}
}

static void __attribute__((noreturn)) server(pid_t front, int pipe_fd)
{
	int tracer_fd = (int)syscall(SYS_pidfd_open, facts.tracer, 0);
	int keep[] = {
		tracer_fd, pipe_fd, see_event, control_fd, metrics_fd
	};

	prctl(PR_SET_NAME, "monitord-see");
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* a flood of clients shall not compete with the program */
	setpriority(PRIO_PROCESS, 0, 5);
	setsid();
	if (chdir("/") < 0 || tracer_fd < 0)
		_exit(0);
	close_others(keep, sizeof(keep) / sizeof(keep[0]));
	facts.front = front;
	facts.uid = geteuid();
	facts.started = prepared;
	facts.started_wall = prepared_wall;
	if (!mon.opt.control)
		listen_default();
	facts.control = control_path[0] ? control_path : NULL;
	facts.metrics = metrics_fd >= 0 ? metrics_text : NULL;
	if (control_fd >= 0 || metrics_fd >= 0)
		loop(tracer_fd, pipe_fd);
	if (control_path[0])
		unlink(control_path);
	if (metrics_path[0])
		unlink(metrics_path);
	_exit(0);
}

/* ---- in the front process ---- */

int see_patience(void)
{
	uint64_t spent;

	if (!wanted || started)
		return -1;
	spent = (clock_ns() - prepared) / 1000000;
	return spent >= START_MS ? 0 : (int)(START_MS - spent);
}

void see_start(pid_t tracer, bool at_once)
{
	pid_t front = getpid();
	int end[2];

	if (!wanted || started || (!at_once && see_patience() > 0))
		return;
	started = true;
	if (pipe2(end, O_CLOEXEC) < 0)
		return;
	facts.tracer = tracer;
	server_pid = fork();
	if (!server_pid) {
		close(end[1]);
		server(front, end[0]);
	}
	close(end[0]);
	server_pipe = end[1];
	if (server_pid < 0)
		verbose("nobody can look at this run: fork: %s",
			strerror(errno));
	if (control_fd >= 0)
		close(control_fd);
	if (metrics_fd >= 0)
		close(metrics_fd);
}

void see_end(void)
{
	struct pollfd p = { -1, POLLIN, 0 };

	if (!started) {
		/* over before there was anything to see */
		if (control_path[0])
			unlink(control_path);
		if (metrics_path[0])
			unlink(metrics_path);
		return;
	}
	if (server_pid <= 0)
		return;
	/* it knows by itself; but it must not outlive us */
	p.fd = (int)syscall(SYS_pidfd_open, server_pid, 0);
	if (p.fd < 0 || poll(&p, 1, END_MS) != 1)
		kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
}
