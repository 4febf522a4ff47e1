/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that would be easy to answer without the monitor, and are not, because of
 * what somebody could do who makes them uncompared; and every way to open a file
 * of which only some are for the gate, so that both come out alike.
 */
#include "victim.h"
#include "calls.h"

static void nonsense(void)
{
	C(link) C(symlink) C(chmod) C(fchmod) C(chown)
	C(fchown) C(lchown) C(setxattr) C(lsetxattr) C(fsetxattr)
	C(removexattr) C(lremovexattr) C(fremovexattr) C(fchownat) C(linkat)
	C(symlinkat) C(fchmodat) C(open_by_handle_at)
}

/* The text of a file opened so, or why it was not. */
static void opened(const char *what, int dir, const char *name, int flags)
{
	for (int i = 0; i < TIMES; i++) {
		char buf[8] = "";
		int fd = openat(dir, name, flags, 0600);
		int e = errno, kept = fd < 0 ? 0 : fcntl(fd, F_GETFD);
		int mode = fd < 0 ? 0 : fcntl(fd, F_GETFL);
		long n = fd < 0 ? -1 : read(fd, buf, 4);

		if (i + 1 == TIMES)
			printf("%s: %s %x %x %ld %s\n", what,
			       fd < 0 ? strerrorname_np(e) : "open", kept, mode,
			       n, n == 4 ? buf : "");
		if (fd >= 0)
			OK(close(fd));
	}
}

static void names(void)
{
	char here[4096], path[4200];
	int dir = OK(open(".", O_RDONLY | O_DIRECTORY));

	put_file("f", "text");
	OK(symlink("f", "link"));
	OK(symlink("/proc/version", "out"));
	OK(mkdir("shut", 0));
	CHECK(getcwd(here, sizeof(here)));
#define NAME(n) (snprintf(path, sizeof(path), "%s/" n, here), path)
	opened("absolute", AT_FDCWD, NAME("f"), O_RDONLY);
	opened("ignored directory", dir, NAME("f"), O_RDONLY | O_CLOEXEC);
	opened("no directory", -1, NAME("f"), O_RDONLY);
	opened("relative", AT_FDCWD, "f", O_RDONLY);
	opened("in a directory", dir, "f", O_RDONLY);
	opened("link", AT_FDCWD, NAME("link"), O_RDONLY);
	opened("no link", AT_FDCWD, NAME("link"), O_RDONLY | O_NOFOLLOW);
	opened("no folder", AT_FDCWD, NAME("f"), O_RDONLY | O_DIRECTORY);
	opened("folder", AT_FDCWD, here, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
	opened("below a file", AT_FDCWD, NAME("f/f"), O_RDONLY);
	opened("none", AT_FDCWD, NAME("none"), O_RDONLY);
	opened("none, flags", AT_FDCWD, NAME("none"), O_RDONLY | O_NOCTTY);
	opened("empty", AT_FDCWD, "", O_RDONLY);
	opened("proc", AT_FDCWD, "/proc/version", O_RDONLY);
	opened("link to proc", AT_FDCWD, NAME("out"), O_RDONLY);
	opened("dots to proc", AT_FDCWD, "/../proc/../proc/version", O_RDONLY);
	opened("device", AT_FDCWD, "/dev/null", O_RDONLY);
	opened("to write", AT_FDCWD, NAME("f"), O_WRONLY | O_APPEND);
	opened("both", AT_FDCWD, NAME("f"), O_RDWR | O_CLOEXEC);
	opened("to make", AT_FDCWD, NAME("new"), O_RDONLY | O_CREAT);
	opened("to empty", AT_FDCWD, NAME("new"), O_RDONLY | O_TRUNC);
	opened("path", AT_FDCWD, NAME("f"), O_PATH);
	memset(path, 'x', 4199);
	path[0] = '/';
	path[4199] = 0;
	opened("long", AT_FDCWD, path, O_RDONLY);
	opened("bad", AT_FDCWD, (char *)8, O_RDONLY);
	opened("null", AT_FDCWD, NULL, O_RDONLY);
	FD(creat, "f", 0600)
	FD(socket, AF_UNIX, SOCK_STREAM, 0)
	FD(socket, AF_NETLINK, SOCK_RAW, 0)
	FD(socket, 12345, SOCK_STREAM, 0)
}

int main(void)
{
	nonsense();
	names();
	return 0;
}
