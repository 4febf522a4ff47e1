// SPDX-License-Identifier: Apache-2.0
/*
 * Files of a system that is not running, such as an image (`--root DIR`).
 *
 * What is called /etc/x there is DIR/etc/x here, and so for every link on the way:
 * openat2(2) resolves them as chroot(2) would.  Where the kernel has no such call,
 * or a filter does not know it, only the beginning of the path is another.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rootdir.h"

const char *root_dir = "";

int root_open(const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned int)flags, .resolve = RESOLVE_IN_ROOT,
	};
	int top, fd, error;

	if (!*root_dir)
		return open(path, flags);
	top = open(root_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, top, path, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
		path += strspn(path, "/");
		fd = openat(top, *path ? path : ".", flags);
	}
	error = errno;
	close(top);
	errno = error;
	return fd;
}
