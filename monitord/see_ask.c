// SPDX-License-Identifier: Apache-2.0
/*
 * Asking running monitors: what `monitord ps` and `top` have in common.
 *
 * Root asks the monitors of all users, and what answers at a user's socket is
 * whatever that user likes.  So: the socket is opened without following links,
 * who listens there must be its owner, who that is is not taken from the answer,
 * an answer is bounded in size, depth and time, sockets of one directory that
 * give none are asked no longer than SLOW_MAX of them take, and of what is said
 * only printable characters reach the terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "monitor.h"
#include "see_int.h"
#include "text.h"

#define PATIENCE_MS	4000		/* for a whole answer */
#define DEPTH_MAX	12
#define SLOW_MAX	3u		/* of a directory, until it is left */

static int64_t ms_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* connect(2) to a UNIX socket does not wait for its turn if it may not block. */
static int connect_patiently(int fd, const struct sockaddr_un *sa)
{
	const struct timespec pause = { 0, 10000000 };
	int64_t until = ms_now() + PATIENCE_MS;

	while (connect(fd, (const void *)sa, sizeof(*sa)) < 0) {
		if (errno != EAGAIN)
			return -errno;
		if (ms_now() > until)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* Connected to the one who owns the socket, or -errno. */
static int connect_owner(const char *path, uid_t *owner)
{
	int at = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), fd = -1, r = 0;
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(struct ucred);
	struct ucred who;
	struct stat st;

	if (at < 0)
		return -errno;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d", at);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || fstat(at, &st) < 0)
		r = -errno;
	else if (!S_ISSOCK(st.st_mode))
		r = -ENOTSOCK;
	else
		r = connect_patiently(fd, &sa);
	if (!r && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		r = -errno;
	else if (!r && who.uid != st.st_uid)
		r = -EPERM;
	if (!r)
		*owner = st.st_uid;
	close(at);
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

/* One packet. Bytes behind its header, or -errno. */
static ssize_t packet(int fd, struct see_reply *head, char *data, int64_t until)
{
	struct iovec iov[2] = { { head, sizeof(*head) }, { data, SEE_PIECE } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	for (;;) {
		struct pollfd p = { fd, POLLIN, 0 };
		int64_t left = until - ms_now();
		ssize_t n;

		if (left <= 0 || (poll(&p, 1, (int)left) < 0 &&
				  errno != EINTR))
			return -ETIMEDOUT;
		n = recvmsg(fd, &m, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ECONNRESET;
		if ((size_t)n < sizeof(*head) || m.msg_flags & MSG_TRUNC ||
		    head->magic != SEE_MAGIC)
			return -EPROTO;
		if (head->version != SEE_VERSION)
			return -EPROTONOSUPPORT;
		if (head->error)
			return -(int)head->error;
		return n - (ssize_t)sizeof(*head);
	}
}

static int answer(int fd, char **text, size_t *len)
{
	static char piece[SEE_PIECE];
	int64_t until = ms_now() + PATIENCE_MS;
	struct see_reply head;
	size_t have = 0, total = 0;
	char *buf = NULL;

	do {
		ssize_t n = packet(fd, &head, piece, until);

		if (n >= 0 && !buf) {
			total = head.total;
			if (total && total <= SEE_TOTAL_MAX)
				buf = malloc(total);
			if (!buf)
				return -EPROTO;
		}
		if (n == 0 || (n > 0 && (head.offset != have ||
					 head.total != total ||
					 (size_t)n > total - have)))
			n = -EPROTO;
		if (n < 0) {
			free(buf);
			return (int)n;
		}
		memcpy(buf + have, piece, (size_t)n);
		have += (size_t)n;
	} while (have < total);
	*text = buf;
	*len = total;
	return 0;
}

int see_ask(const char *path, struct json_object **out)
{
	const struct see_request ask = {
		SEE_MAGIC, SEE_VERSION, SEE_STATUS, 0
	};
	struct json_tokener *tok;
	char *text = NULL;
	size_t len = 0;
	uid_t owner = 0;
	int fd = connect_owner(path, &owner), r;

	if (fd < 0)
		return fd;
	if (send(fd, &ask, sizeof(ask), MSG_NOSIGNAL) != sizeof(ask))
		r = -errno;
	else
		r = answer(fd, &text, &len);
	close(fd);
	if (r < 0)
		return r;
	tok = json_tokener_new_ex(DEPTH_MAX);
	if (!tok) {
		free(text);
		return -ENOMEM;
	}
	*out = json_tokener_parse_ex(tok, text, (int)len);
	/* a number at the very end would not be finished, an object is */
	if (!*out || json_tokener_get_error(tok) != json_tokener_success ||
	    !json_object_is_type(*out, json_type_object)) {
		json_object_put(*out);
		*out = NULL;
		r = -EPROTO;
	}
	/* whose it is the kernel says */
	if (!r)
		json_object_object_add(*out, "uid",
				       json_object_new_int64(owner));
	json_tokener_free(tok);
	free(text);
	return r;
}

/* ---- finding them ---- */

struct find {
	struct see_found *v;
	int n;
	bool denied;
	char dir[108];			/* where it is being looked */
	unsigned int slow;		/* there have not answered */
};

/* Takes the answer over. */
static void keep(struct find *f, const char *path, struct json_object *o)
{
	struct see_found *v;

	/* one monitor may be found in two ways */
	for (int i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].path, path)) {
			json_object_put(o);
			return;
		}
	v = reallocarray(f->v, (size_t)f->n + 1, sizeof(*v));
	if (!v)
		die("out of memory");
	f->v = v;
	v[f->n].path = strdup(path);
	v[f->n++].status = o;
}

static int add(struct find *f, const char *path)
{
	struct json_object *o;
	int r = see_ask(path, &o);

	if (r < 0)
		f->denied |= r == -EACCES || r == -EPERM;
	else
		keep(f, path, o);
	return r;
}

static void each(void *ctx, const char *path)
{
	struct find *f = ctx;
	size_t n = (size_t)(strrchr(path, '/') - path);

	if (strncmp(f->dir, path, n) || f->dir[n]) {
		snprintf(f->dir, sizeof(f->dir), "%.*s", (int)n, path);
		f->slow = 0;
	}
	if (f->slow >= SLOW_MAX)
		return;
	/* stale ones and strangers are none */
	if (add(f, path) == -ETIMEDOUT && ++f->slow == SLOW_MAX)
		say("%u sockets in %s do not answer; others there are left out, name them to ask them",
		    f->slow, f->dir);
}

static int older(const void *a, const void *b)
{
	const struct see_found *x = a, *y = b;
	double p = json_object_get_double(see_obj(x->status, "uptime_seconds"));
	double q = json_object_get_double(see_obj(y->status, "uptime_seconds"));

	return (p < q) - (p > q);
}

/* Is this one of the monitor's own or its program's pids? */
static bool has_pid(struct json_object *o, int64_t pid)
{
	if (see_int(o, "pid") == pid || see_int(o, "front") == pid)
		return true;
	for (size_t i = 0; i < see_len(o, "processes"); i++) {
		struct json_object *p = see_at(o, "processes", i);

		for (size_t k = 0; k < see_len(p, "pids"); k++)
			if (json_object_get_int64(see_at(p, "pids", k)) == pid)
				return true;
	}
	return false;
}

static int complain(const char *word, int r)
{
	say("%s: %s%s", word, r == -ECONNREFUSED ? "no monitor listens there" :
	    r == -EACCES || r == -EPERM ? "only its user and root may look at it" :
	    r == -EPROTO ? "what listens there is no monitor" :
	    r == -EPROTONOSUPPORT ? "its monitor is of another version; use that one's ps" :
	    strerror(-r), r == -EPROTONOSUPPORT || r == -EACCES || r == -EPERM ?
	    "" : "; 'monitord ps' lists those there are");
	return -1;
}

/*
 * A run with a control socket of its own is found by what its command line says,
 * which anybody can read, and make say anything: so the socket must belong to
 * whoever runs the monitor, and answer that it has this process.
 */
static ssize_t proc_text(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buf, size - 1);
	close(fd);
	buf[n > 0 ? n : 0] = 0;
	return n;
}

static bool is_called(pid_t pid, const char *name)
{
	char comm[32];
	size_t n = strlen(name);

	return proc_text(pid, "comm", comm, sizeof(comm)) == (ssize_t)n + 1 &&
		!strncmp(comm, name, n);
}

/* The nth number in a line of /proc/PID/status, or 0. */
static unsigned long status_number(pid_t pid, const char *key, unsigned int n)
{
	char status[4096], line[32], *at;
	unsigned long value = 0;

	snprintf(line, sizeof(line), "\n%s:", key);
	if (proc_text(pid, "status", status, sizeof(status)) < 0)
		return 0;
	at = strstr(status, line);
	if (!at)
		return 0;
	at += strlen(line);
	while (n--)
		value = strtoul(at, &at, 10);
	return value;
}

/* The process that monitors this one, or is it; and its user.  0: none. */
static pid_t monitor_of(pid_t pid, uid_t *uid)
{
	if (!is_called(pid, "monitord"))
		pid = (pid_t)status_number(pid, "TracerPid", 1);
	if (pid <= 0 || !is_called(pid, "monitord"))
		return 0;
	/* real, effective */
	*uid = (uid_t)status_number(pid, "Uid", 2);
	return pid;
}

/* What follows --control in the words of its command line. */
static const char *control_option(const char *words, size_t n)
{
	const char *end = words + n;

	for (const char *w = words; w < end && strcmp(w, "--");
	     w += strlen(w) + 1) {
		size_t name = strcspn(w, "=");

		/* --config is another one */
		if (name < strlen("--cont") || strncmp(w, "--control", name))
			continue;
		w += name;
		return *w ? w + 1 : w + 1 < end ? w + 1 : NULL;
	}
	return NULL;
}

/* As we would call it; false: that cannot be told. */
static bool control_path(pid_t monitor, const char *option, char *path,
			 size_t size)
{
	char link[64], cwd[108];
	ssize_t n;

	if (*option == '/')
		return (size_t)snprintf(path, size, "%s", option) < size;
	snprintf(link, sizeof(link), "/proc/%d/cwd", (int)monitor);
	n = readlink(link, cwd, sizeof(cwd) - 1);
	if (n <= 0)
		return false;
	cwd[n] = 0;
	return (size_t)snprintf(path, size, "%s/%s", cwd, option) < size;
}

/* No known monitor has this process.  0: another one has been added to f. */
static int ask_elsewhere(struct find *f, pid_t pid)
{
	char words[8192], path[108], shown[128];
	struct json_object *o;
	const char *option;
	struct stat st;
	uid_t uid;
	pid_t monitor = monitor_of(pid, &uid);
	ssize_t n;

	if (!monitor) {
		say("no monitor with a process %d%s; 'monitord ps' lists those there are",
		    (int)pid, geteuid() ? " of this user" : "");
		return -1;
	}
	if (geteuid() && geteuid() != uid) {
		say("process %d: its monitor is another user's; only that user and root may look at it",
		    (int)pid);
		return -1;
	}
	n = proc_text(monitor, "cmdline", words, sizeof(words));
	option = n > 0 ? control_option(words, (size_t)n) : NULL;
	if (!option) {
		say("the monitor %d of process %d does not answer where monitors usually do; if its configuration says Control=, give that path",
		    (int)monitor, (int)pid);
		return -1;
	}
	if (!strcmp(option, "none")) {
		say("nobody can look at process %d: its monitor was started with --control none",
		    (int)pid);
		return -1;
	}
	if (control_path(monitor, option, path, sizeof(path)) &&
	    !lstat(path, &st) && S_ISSOCK(st.st_mode) && st.st_uid == uid &&
	    !see_ask(path, &o)) {
		if (has_pid(o, pid)) {
			keep(f, path, o);
			return 0;
		}
		json_object_put(o);
	}
	text_sanitize(shown, sizeof(shown), option);
	say("the monitor of process %d was started with --control %s; give that path%s",
	    (int)pid, shown, *option == '/' ? "" :
	    ", from where it was started, with a slash in it");
	return -1;
}

/* Those of `all` that have this pid move to f. */
static int take_pid(struct find *f, struct find *all, const char *word)
{
	char *end;
	long pid = strtol(word, &end, 10);
	bool any = false;

	if (*end || end == word || pid <= 0 || pid > INT_MAX) {
		say("'%s' is no process id and no path of a socket, which has a slash in it; 'monitord ps' lists those there are",
		    word);
		return -1;
	}
	/* what serves us is a child of the front process */
	if (is_called((pid_t)pid, "monitord-see"))
		pid = (long)status_number((pid_t)pid, "PPid", 1);
	for (int i = 0; i < f->n; i++)
		any |= has_pid(f->v[i].status, pid);
	for (int i = 0; i < all->n; i++) {
		struct see_found *v;

		if (!all->v[i].status || !has_pid(all->v[i].status, pid))
			continue;
		v = reallocarray(f->v, (size_t)f->n + 1, sizeof(*v));
		if (!v)
			die("out of memory");
		f->v = v;
		v[f->n++] = all->v[i];
		all->v[i].status = NULL;
		all->v[i].path = NULL;
		any = true;
	}
	return any ? 0 : ask_elsewhere(f, (pid_t)pid);
}

int see_find(char **words, struct see_found **found)
{
	struct find all = { 0 }, f = { 0 };
	int r = 0;

	see_each(each, &all);
	if (!*words) {
		f = all;
	} else {
		for (; *words && r >= 0; words++) {
			if (strchr(*words, '/')) {
				r = add(&f, *words);
				if (r < 0)
					complain(*words, r);
			} else {
				r = take_pid(&f, &all, *words);
			}
		}
		see_found_free(all.v, all.n);
	}
	if (r < 0) {
		see_found_free(f.v, f.n);
		return -1;
	}
	if (f.n)
		qsort(f.v, (size_t)f.n, sizeof(*f.v), older);
	*found = f.v;
	return f.n;
}

void see_found_free(struct see_found *found, int n)
{
	for (int i = 0; i < n; i++) {
		free(found[i].path);
		json_object_put(found[i].status);
	}
	free(found);
}

/* ---- members ---- */

struct json_object *see_obj(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_is_type(o, json_type_object) &&
		json_object_object_get_ex(o, key, &v) ? v : NULL;
}

int64_t see_int(struct json_object *o, const char *key)
{
	struct json_object *v = see_obj(o, key);

	return json_object_is_type(v, json_type_object) ||
		json_object_is_type(v, json_type_array) ? 0 :
		json_object_get_int64(v);
}

const char *see_str(struct json_object *o, const char *key, char *buf,
		    size_t cap)
{
	struct json_object *v = see_obj(o, key);
	const char *s = json_object_is_type(v, json_type_string) ?
		json_object_get_string(v) : "";
	size_t n = 0;

	/* an honest monitor has escaped it already */
	for (; *s && n + 1 < cap; s++)
		buf[n++] = *s >= ' ' && *s < 127 ? *s : '?';
	buf[n] = 0;
	return buf;
}

size_t see_len(struct json_object *o, const char *key)
{
	struct json_object *v = see_obj(o, key);

	return json_object_is_type(v, json_type_array) ?
		json_object_array_length(v) : 0;
}

struct json_object *see_at(struct json_object *o, const char *key, size_t i)
{
	return i < see_len(o, key) ?
		json_object_array_get_idx(see_obj(o, key), i) : NULL;
}

void see_policy(struct json_object *o, char *buf, size_t cap)
{
	char policy[24], level[24];

	see_str(o, "policy", policy, sizeof(policy));
	see_str(o, "level", level, sizeof(level));
	if (!strcmp(policy, "strict"))
		snprintf(buf, cap, "%s", policy);
	else
		snprintf(buf, cap, "%s up to %s", policy, level);
}

void see_uptime(char *buf, size_t cap, int64_t s)
{
	if (s < 0)
		s = 0;
	if (s >= 86400)
		snprintf(buf, cap, "%lld-%02d:%02d:%02d", (long long)s / 86400,
			 (int)(s / 3600 % 24), (int)(s / 60 % 60),
			 (int)(s % 60));
	else if (s >= 3600)
		snprintf(buf, cap, "%d:%02d:%02d", (int)(s / 3600),
			 (int)(s / 60 % 60), (int)(s % 60));
	else
		snprintf(buf, cap, "%d:%02d", (int)(s / 60), (int)(s % 60));
}
