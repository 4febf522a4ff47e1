// SPDX-License-Identifier: Apache-2.0
/*
 * JSON documents to files; see jsonfile.h.
 *
 * Strings added here must be valid UTF-8; everything that came from a variant
 * has been escaped to ASCII before (text.h).
 */
#include "jsonfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t r = write(fd, p, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

/* ---- whose file is it? ---- */

/*
 * What is written is written with the rights of who runs the monitor, often
 * root, and may lie in a directory of the service's.  A name there that is a
 * link, a FIFO or somebody else's file has perhaps been put there to have us
 * overwrite something, or tell somebody.
 */
static bool ours(const struct stat *st)
{
	return st->st_uid == geteuid() || st->st_uid == 0;
}

/* Who can make names in the path's directory, or change those that are ours? */
enum makers {
	ONLY_WE,		/* and root */
	OTHERS,			/* make their own, as in /tmp */
	ANYBODY,		/* change ours as well */
};

static enum makers makers_in_dir(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (slash == path)
		slash++;
	if (snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) : 1,
		     slash ? path : ".") >= (int)sizeof(dir) ||
	    stat(dir, &st) || !ours(&st))
		return ANYBODY;
	if (!(st.st_mode & 022))
		return ONLY_WE;
	return st.st_mode & S_ISVTX ? OTHERS : ANYBODY;
}

int output_open(const char *path, int flags)
{
	enum makers makers = makers_in_dir(path);
	bool safe = makers == ONLY_WE;
	struct stat st;
	int fd, r = 0;

	/* a link of our own, which nobody can exchange meanwhile */
	if (makers == OTHERS && !lstat(path, &st) && S_ISLNK(st.st_mode) &&
	    ours(&st))
		safe = true;
	/* it is truncated when it is known whose it is */
	fd = open(path, (flags & ~O_TRUNC) | O_WRONLY | O_NOCTTY | O_CLOEXEC |
		  (safe ? 0 : O_NOFOLLOW), 0600);
	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!safe && !ours(&st))
		r = -EPERM;
	else if (flags & O_TRUNC && S_ISREG(st.st_mode) &&
		 ftruncate(fd, 0) < 0)
		r = -errno;
	if (!r)
		return fd;
	close(fd);
	return r;
}

/* A FIFO nobody reads must not hang the monitor. */
static int open_in_place(const char *path, int flags)
{
	int fd = output_open(path, flags | O_NONBLOCK);
	int fl = fd < 0 ? -1 : fcntl(fd, F_GETFL);

	if (fl >= 0)
		fcntl(fd, F_SETFL, fl & ~O_NONBLOCK);
	return fd;
}

/* ---- in place ---- */

/* What jsonfile_reserve() has opened. */
static struct {
	const char *path;
	int fd;
} reserved[4];

static int reserve_in_place(const char *path)
{
	for (unsigned int i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (!reserved[i].path) {
			int fd = open_in_place(path, 0);

			if (fd < 0)
				return fd;
			reserved[i].path = path;
			reserved[i].fd = fd;
			return 0;
		}
	return -EMFILE;
}

static int write_in_place(const char *path, const char *text, size_t n)
{
	int fd, r;

	for (unsigned int i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (reserved[i].path && !strcmp(reserved[i].path, path))
			return write_all(reserved[i].fd, text, n);
	fd = open_in_place(path, O_CREAT | O_TRUNC);
	if (fd < 0)
		return fd;
	r = write_all(fd, text, n);
	close(fd);
	return r;
}

static bool is_reserved(const char *path)
{
	for (unsigned int i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (reserved[i].path && !strcmp(reserved[i].path, path))
			return true;
	return false;
}

/* ---- replaced ---- */

/* A new file beside the path: its descriptor, *name malloc'd; or -errno. */
static int beside(const char *path, char **name)
{
	int fd;

	if (!*path)
		return -ENOENT;
	if (asprintf(name, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(*name, O_CLOEXEC);
	if (fd < 0) {
		fd = -errno;
		free(*name);
	}
	return fd;
}

/* May what is there be replaced?  Its directory lets files be made. */
static int may_replace(const char *path)
{
	size_t n = strlen(path);
	char dir[PATH_MAX], *slash;
	struct stat st, in;

	if (n && path[n - 1] == '/')
		return -EISDIR;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir))
		return -ENAMETOOLONG;
	slash = strrchr(dir, '/');
	if (!slash)
		strcpy(dir, ".");
	else
		slash[slash == dir] = 0;
	if (stat(dir, &in) < 0)
		return -errno;
	return in.st_mode & S_ISVTX && geteuid() && st.st_uid != geteuid() &&
		in.st_uid != geteuid() ? -EPERM : 0;
}

static int try_replace(const char *path)
{
	int r = may_replace(path), fd;
	char *name;

	if (r < 0)
		return r;
	fd = beside(path, &name);
	if (fd < 0)
		return fd;
	close(fd);
	unlink(name);
	free(name);
	return 0;
}

/* A link to a file, or to one that is not there and will be made. */
static int try_linked(const char *path, bool there)
{
	int fd = open_in_place(path, there ? 0 : O_CREAT);
	char real[PATH_MAX];

	if (fd < 0)
		return fd;
	close(fd);
	if (!there && realpath(path, real))
		unlink(real);
	return 0;
}

int jsonfile_reserve(const char *path)
{
	struct stat st;
	bool there;
	int r;

	/* as jsonfile_write() will decide */
	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		return try_replace(path);
	there = !stat(path, &st);
	if (!there || S_ISREG(st.st_mode))
		r = try_linked(path, there);
	else
		r = reserve_in_place(path);
	/* its reader may come later */
	if (r == -ENXIO && there && S_ISFIFO(st.st_mode))
		return 0;
	return r == -EPERM || r == -EACCES ? try_replace(path) : r;
}

static int write_replace(const char *path, const char *text, size_t n,
			 bool secret)
{
	mode_t mask;
	char *tmp;
	int fd, r;

	fd = beside(path, &tmp);
	if (fd < 0)
		return fd;
	/* mkstemp's 0600 is too tight for a file the user asked for */
	mask = umask(0);
	umask(mask);
	if (!secret)
		fchmod(fd, 0666 & ~mask);
	r = write_all(fd, text, n);
	if (close(fd) < 0 && !r)
		r = -errno;
	if (!r && rename(tmp, path) < 0)
		r = -errno;
	if (r)
		unlink(tmp);
	free(tmp);
	return r;
}

int jsonfile_write(const char *path, struct json_object *o, bool secret)
{
	const char *s = json_object_to_json_string_ext(o,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	size_t n = s ? strlen(s) : 0;
	struct stat st;
	char *text;
	int r;

	if (!s)
		return -ENOMEM;
	text = malloc(n + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, s, n);
	text[n++] = '\n';
	/* what exists and is no file of its own is written in place: pipes,
	 * terminals, and the user's own links, which stay links */
	if (is_reserved(path) || (!lstat(path, &st) && !S_ISREG(st.st_mode)))
		r = write_in_place(path, text, n);
	else
		r = -EPERM;
	/* a regular file, or what others have put there instead of one (EACCES:
	 * fs.protected_symlinks, fs.protected_fifos) */
	if (r == -EPERM || r == -EACCES)
		r = write_replace(path, text, n, secret);
	free(text);
	return r;
}

void json_add_str(struct json_object *o, const char *key, const char *s)
{
	if (s)
		json_object_object_add(o, key, json_object_new_string(s));
}

void json_add_int(struct json_object *o, const char *key, int64_t v)
{
	json_object_object_add(o, key, json_object_new_int64(v));
}

void json_add_uint(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

void json_add_hex(struct json_object *o, const char *key, uint64_t v)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%#lx", v);
	json_add_str(o, key, buf);
}
