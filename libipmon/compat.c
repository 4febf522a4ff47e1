// SPDX-License-Identifier: Apache-2.0
/*
 * libipmon-compat.so: library functions whose results depend on addresses.
 *
 * Theory of operation
 * -------------------
 * glibc draws temporary file names from a stack address and the clock, and
 * (2.36: sysdeps/posix/tempname.c) asks getrandom only where it does not
 * create the file itself.  Under disjoint layouts every variant would invent
 * another name.  The family is replaced by versions that take every name from
 * getrandom(2), whose bytes the monitor replicates; everything else is as
 * mkstemp(3), mkdtemp(3), tmpnam(3), tempnam(3) and tmpfile(3) say, and as
 * glibc does it.
 *
 * Its constructor tells monitord that the dynamic linker has done its work; without a
 * monitor nobody listens.
 *
 * Unlike libipmon.so this is an ordinary hosted library: it needs errno.
 * Without a monitor it works just the same.  It may be loaded into a program
 * that brings an older glibc along, so nothing newer than 2.17 is used.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ipmon/abi.h>

#include "arch/syscall.h"
#include "compat_str.h"

/* The first of all constructors, before libc's: nothing of libc may be used yet. */
__attribute__((constructor)) static void linked(void)
{
	raw_syscall2((long)IPMON_NR_LINKED, 0, 0);
}

#define EXPORT __attribute__((visibility("default")))

/* As many as glibc: 62^3. A directory that full has other problems. */
#define ATTEMPTS (62 * 62 * 62)

static const char letters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* Fill the six X with unbiased random letters. */
static int draw(char *xs)
{
	uint64_t r;
	/* the largest multiple of 62^6 a draw may come from */
	const uint64_t space = 62ull * 62 * 62 * 62 * 62 * 62;
	const uint64_t limit = UINT64_MAX - UINT64_MAX % space;

	do {
		ssize_t n;

		do
			n = syscall(SYS_getrandom, &r, sizeof(r), 0);
		while (n < 0 && errno == EINTR);
		if (n != sizeof(r))
			return -1;
	} while (r >= limit);
	for (int i = 0; i < 6; i++) {
		xs[i] = letters[r % 62];
		r /= 62;
	}
	return 0;
}

/* stat(2); glibc's own is new in 2.33 */
static int stat_at(const char *path, struct stat *st, int flags)
{
	return (int)syscall(SYS_newfstatat, AT_FDCWD, path, st, flags);
}

/* One attempt at a name: a result >= 0, or -1; EEXIST means another draw. */
static int try_file(const char *path, int flags)
{
	return open(path, (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL,
		    S_IRUSR | S_IWUSR);
}

static int try_dir(const char *path, int flags)
{
	return mkdir(path, S_IRUSR | S_IWUSR | S_IXUSR);
}

/* A name that nobody has: "success" is that it does not exist. */
static int try_free(const char *path, int flags)
{
	struct stat st;

	if (!stat_at(path, &st, AT_SYMLINK_NOFOLLOW) || errno == EOVERFLOW) {
		errno = EEXIST;
		return -1;
	}
	return errno == ENOENT ? 0 : -1;
}

static int generate(char *template, int suffix_len, int flags,
		    int (*try)(const char *path, int flags))
{
	size_t len = string_length(template);
	int saved = errno;
	char *xs;

	if (suffix_len < 0 || len < 6 + (size_t)suffix_len ||
	    !string_begins(template + len - 6 - (size_t)suffix_len, "XXXXXX", 6)) {
		errno = EINVAL;
		return -1;
	}
	xs = template + len - 6 - (size_t)suffix_len;
	for (int i = 0; i < ATTEMPTS; i++) {
		int r;

		if (draw(xs) < 0)
			return -1;
		r = try(template, flags);
		if (r >= 0) {
			errno = saved;
			return r;
		}
		if (errno != EEXIST)
			return -1;
	}
	errno = EEXIST;
	return -1;
}

/* ---- mkstemp(3), mkdtemp(3) ---- */

EXPORT int mkostemps(char *template, int suffixlen, int flags)
{
	return generate(template, suffixlen, flags, try_file);
}

EXPORT int mkostemp(char *template, int flags)
{
	return generate(template, 0, flags, try_file);
}

EXPORT int mkstemps(char *template, int suffixlen)
{
	return generate(template, suffixlen, 0, try_file);
}

EXPORT int mkstemp(char *template)
{
	return generate(template, 0, 0, try_file);
}

/* On x86-64 every file is large. */
EXPORT int mkostemps64(char *template, int suffixlen, int flags)
	__attribute__((alias("mkostemps")));
EXPORT int mkostemp64(char *template, int flags)
	__attribute__((alias("mkostemp")));
EXPORT int mkstemps64(char *template, int suffixlen)
	__attribute__((alias("mkstemps")));
EXPORT int mkstemp64(char *template) __attribute__((alias("mkstemp")));

EXPORT char *mkdtemp(char *template)
{
	return generate(template, 0, 0, try_dir) < 0 ? NULL : template;
}

/* ---- mktemp(3), tmpnam(3), tempnam(3) ---- */

EXPORT char *mktemp(char *template)
{
	if (generate(template, 0, 0, try_free) < 0)
		template[0] = 0;	/* the interface's way to fail */
	return template;
}

EXPORT char *tmpnam_r(char s[L_tmpnam])
{
	if (!s)
		return NULL;
	strcpy(s, P_tmpdir "/fileXXXXXX");
	return generate(s, 0, 0, try_free) < 0 ? NULL : s;
}

EXPORT char *tmpnam(char s[L_tmpnam])
{
	static char buffer[L_tmpnam];
	char own[L_tmpnam];

	if (!tmpnam_r(own))
		return NULL;
	return memcpy(s ? s : buffer, own, sizeof(own));
}

static int is_dir(const char *path)
{
	struct stat st;

	return path && !stat_at(path, &st, 0) && S_ISDIR(st.st_mode);
}

EXPORT char *tempnam(const char *dir, const char *prefix)
{
	const char *env = secure_getenv("TMPDIR");
	size_t dirlen;
	char *name;

	if (is_dir(env))
		dir = env;
	else if (!is_dir(dir))
		dir = is_dir(P_tmpdir) ? P_tmpdir : "/tmp";
	if (!is_dir(dir)) {
		errno = ENOENT;
		return NULL;
	}
	dirlen = string_length(dir);
	while (dirlen > 1 && dir[dirlen - 1] == '/')
		dirlen--;
	/* at most five characters of the prefix count */
	if (!prefix || !prefix[0])
		prefix = "file";
	if (asprintf(&name, "%.*s/%.5sXXXXXX", (int)dirlen, dir, prefix) < 0)
		return NULL;
	if (generate(name, 0, 0, try_free) < 0) {
		free(name);
		return NULL;
	}
	return name;
}

/* ---- tmpfile(3) ---- */

EXPORT FILE *tmpfile(void)
{
	char name[] = P_tmpdir "/tmpfXXXXXX";
	int fd = open(P_tmpdir, O_RDWR | O_EXCL | O_TMPFILE, 0600);
	FILE *f;

	if (fd < 0) {
		fd = generate(name, 0, 0, try_file);
		if (fd < 0)
			return NULL;
		unlink(name);
	}
	f = fdopen(fd, "w+");
	if (!f)
		close(fd);
	return f;
}

EXPORT FILE *tmpfile64(void) __attribute__((alias("tmpfile")));
