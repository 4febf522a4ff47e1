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

/* What jsonfile_reserve() has opened. */
static struct {
	const char *path;
	int fd;
} reserved[4];

static int open_in_place(const char *path)
{
	/* a FIFO nobody reads must not hang the monitor */
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int fl;

	if (fd < 0)
		return -errno;
	fl = fcntl(fd, F_GETFL);
	if (fl >= 0)
		fcntl(fd, F_SETFL, fl & ~O_NONBLOCK);
	return fd;
}

int jsonfile_reserve(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	for (unsigned int i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (!reserved[i].path) {
			int fd = open_in_place(path);

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
	fd = open_in_place(path);
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

static int write_replace(const char *path, const char *text, size_t n)
{
	size_t len = strlen(path) + 8;
	char *tmp = malloc(len);
	mode_t mask;
	int fd, r;

	if (!tmp)
		return -ENOMEM;
	snprintf(tmp, len, "%s.XXXXXX", path);
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		free(tmp);
		return r;
	}
	/* mkstemp's 0600 is too tight for a file the user asked for */
	mask = umask(0);
	umask(mask);
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

int jsonfile_write(const char *path, struct json_object *o)
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
	if (is_reserved(path)) {
		r = write_in_place(path, text, n);
	} else if (!lstat(path, &st) && !S_ISREG(st.st_mode)) {
		if (!stat(path, &st) && S_ISREG(st.st_mode) &&
		    truncate(path, 0) < 0)
			r = -errno;
		else
			r = write_in_place(path, text, n);
	} else {
		r = write_replace(path, text, n);
	}
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
