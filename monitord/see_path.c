// SPDX-License-Identifier: Apache-2.0
/*
 * Where control sockets are.
 *
 *	a service whose unit says RuntimeDirectory=ipmon/NAME
 *			/run/ipmon/NAME/PID
 *	root		/run/ipmon/PID
 *	others		$XDG_RUNTIME_DIR/ipmon/PID, /run/user/UID/ipmon/PID
 *	whoever has none of these
 *			/tmp/ipmon-UID/PID
 *
 * PID is the tracer's: it lives exactly as long as there is something to see.
 * The directory is its user's alone and nobody else can write to it; one that is
 * not so (someone was faster in /tmp) is not used.
 *
 * A socket whose process was killed stays behind.  connect(2) says
 * ECONNREFUSED then; the next monitor of the same user removes it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "see.h"
#include "see_int.h"

#define RUN_DIR SEE_RUN_DIR

/* What systemd made for us, of the paths in $RUNTIME_DIRECTORY; or "". */
static void service_dir(char *dir, size_t cap)
{
	const char *p = getenv("RUNTIME_DIRECTORY");
	size_t n;

	*dir = 0;
	for (; p && *p; p += n + (p[n] == ':')) {
		n = strcspn(p, ":");
		if (n < cap && !strncmp(p, RUN_DIR "/", strlen(RUN_DIR) + 1)) {
			memcpy(dir, p, n);
			dir[n] = 0;
			return;
		}
	}
}

/* The i-th place for this user; false: there are no more. */
static bool place(unsigned int i, uid_t uid, char *dir, size_t cap)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");

	switch (i) {
	case 0:
		service_dir(dir, cap);
		return true;
	case 1:
		snprintf(dir, cap, "%s", uid ? "" : RUN_DIR);
		return true;
	case 2:
		snprintf(dir, cap, "%s%s", xdg && *xdg == '/' ? xdg : "",
			 xdg && *xdg == '/' ? "/ipmon" : "");
		return true;
	case 3:
		snprintf(dir, cap, "/run/user/%u/ipmon", uid);
		return true;
	case 4:
		snprintf(dir, cap, "/tmp/ipmon-%u", uid);
		return true;
	default:
		return false;
	}
}

/* A directory of that user's, writable for nobody else. */
static bool dir_ok(const char *dir, uid_t uid)
{
	struct stat st;

	return !lstat(dir, &st) && S_ISDIR(st.st_mode) && st.st_uid == uid &&
	       !(st.st_mode & 022);
}

/* What systemd has made has the mode of the unit's other runtime directories. */
static void close_service_dir(const char *dir, uid_t uid)
{
	struct stat st;

	if (!lstat(dir, &st) && S_ISDIR(st.st_mode) && st.st_uid == uid &&
	    st.st_mode & 022)
		chmod(dir, st.st_mode & 0755);
}

int see_dir(char *dir, size_t cap)
{
	uid_t uid = geteuid();
	int err = ENOENT;

	for (unsigned int i = 0; place(i, uid, dir, cap); i++) {
		/* room for a name in an address */
		if (!*dir || strlen(dir) > sizeof(((struct sockaddr_un *)0)->
						  sun_path) - 16)
			continue;
		if (!i)
			close_service_dir(dir, uid);
		if (mkdir(dir, i == 1 ? 0755 : 0700) < 0 && errno != EEXIST)
			err = errno;
		else if (dir_ok(dir, uid))
			return 0;
		else
			err = EPERM;
	}
	return -err;
}

/* ---- sockets ---- */

static int address(struct sockaddr_un *sa, const char *path)
{
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	if (!*path || strlen(path) >= sizeof(sa->sun_path))
		return -ENAMETOOLONG;
	strcpy(sa->sun_path, path);
	return 0;
}

/* Does somebody listen there?  -errno of connect, 0: yes. */
static int probe(const struct sockaddr_un *sa, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const void *)sa, sizeof(*sa)) < 0)
		r = -errno;
	close(fd);
	return r;
}

int see_listen(const char *path, int type, mode_t mode)
{
	struct sockaddr_un sa;
	struct stat st;
	mode_t mask;
	int fd, r;

	r = address(&sa, path);
	if (r < 0)
		return r;
	if (!lstat(path, &st)) {
		if (!S_ISSOCK(st.st_mode))
			return -EEXIST;
		if (probe(&sa, type) != -ECONNREFUSED)
			return -EADDRINUSE;
		if (unlink(path) < 0)
			return -errno;
	}
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* nobody may come in before the mode is right */
	mask = umask(0777 & ~mode);
	r = bind(fd, (void *)&sa, sizeof(sa)) < 0 ? -errno : 0;
	umask(mask);
	if (!r && listen(fd, 256) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* A number, or with a suffix: "12", "12.1". */
static bool is_pid(const char *name)
{
	size_t n = strspn(name, "0123456789");

	return n && n <= 10 && (!name[n] || (name[n] == '.' && name[n + 1] &&
					     !name[n + 2]));
}

int see_listen_in(const char *dir, pid_t pid, char *path, size_t cap)
{
	int r = -EADDRINUSE;

	/* processes of other pid namespaces may have our number */
	for (unsigned int i = 0; i < 10 && r == -EADDRINUSE; i++) {
		int n = snprintf(path, cap, i ? "%s/%d.%u" : "%s/%d", dir,
				 (int)pid, i);

		r = n >= (int)cap ? -ENAMETOOLONG :
			see_listen(path, SOCK_SEQPACKET, 0600);
	}
	return r;
}

void see_sweep(const char *dir)
{
	struct sockaddr_un sa;
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d = opendir(dir);

	if (!d)
		return;
	while ((e = readdir(d))) {
		if (!is_pid(e->d_name))
			continue;
		/* of a process that is gone, and nobody else has it */
		if (!kill((pid_t)atoi(e->d_name), 0) || errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (!address(&sa, path) &&
		    probe(&sa, SOCK_SEQPACKET) == -ECONNREFUSED)
			unlink(path);
	}
	closedir(d);
}

struct each {
	void (*fn)(void *ctx, const char *path);
	void *ctx;
	char seen[16][108];		/* directories done */
	unsigned int n_seen;
};

static void each_in(struct each *x, const char *dir)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d;

	for (unsigned int i = 0; i < x->n_seen; i++)
		if (!strcmp(x->seen[i], dir))
			return;
	if (x->n_seen < 16 && strlen(dir) < sizeof(x->seen[0]))
		strcpy(x->seen[x->n_seen++], dir);
	d = opendir(dir);
	if (!d)
		return;
	while ((e = readdir(d))) {
		if (!is_pid(e->d_name) ||
		    snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >=
		    (int)sizeof(path))
			continue;
		x->fn(x->ctx, path);
	}
	closedir(d);
}

static bool is_number(const char *s)
{
	return *s && !s[strspn(s, "0123456789")];
}

/* Those of other users, for root. */
static void each_user(struct each *x, const char *parent, const char *prefix,
		      const char *suffix)
{
	char dir[PATH_MAX];
	struct dirent *e;
	DIR *d = opendir(parent);

	if (!d)
		return;
	while ((e = readdir(d))) {
		size_t n = strlen(prefix);

		if (strncmp(e->d_name, prefix, n) || !is_number(e->d_name + n) ||
		    snprintf(dir, sizeof(dir), "%s/%s%s", parent, e->d_name,
			     suffix) >= (int)sizeof(dir))
			continue;
		if (dir_ok(dir, (uid_t)strtoul(e->d_name + n, NULL, 10)))
			each_in(x, dir);
	}
	closedir(d);
}

/* Those of services. */
static void each_service(struct each *x, uid_t uid)
{
	char dir[PATH_MAX];
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(RUN_DIR);

	if (!d)
		return;
	while ((e = readdir(d))) {
		if (*e->d_name == '.' ||
		    snprintf(dir, sizeof(dir), "%s/%s", RUN_DIR, e->d_name) >=
		    (int)sizeof(dir))
			continue;
		/* whose it is: one of them can be an unprivileged user's */
		if (!lstat(dir, &st) && (!uid || st.st_uid == uid) &&
		    dir_ok(dir, st.st_uid))
			each_in(x, dir);
	}
	closedir(d);
}

void see_each(void (*fn)(void *ctx, const char *path), void *ctx)
{
	struct each x = { .fn = fn, .ctx = ctx };
	uid_t uid = geteuid();
	char dir[PATH_MAX];

	for (unsigned int i = 0; place(i, uid, dir, sizeof(dir)); i++)
		if (*dir && dir_ok(dir, uid))
			each_in(&x, dir);
	each_service(&x, uid);
	if (uid)
		return;
	each_user(&x, "/run/user", "", "/ipmon");
	each_user(&x, "/tmp", "ipmon-", "");
}
