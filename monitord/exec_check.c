// SPDX-License-Identifier: Apache-2.0
/*
 * Programs for another instruction set, found out before they are executed.
 *
 * A kernel with 32-bit emulation would gladly start one, with another table
 * of system calls, another stack and registers, and nothing monitord could
 * make of it.  execve fails with ENOEXEC instead, as it would without that
 * emulation.  Only the file itself is looked at; whoever gets an interpreter
 * of that kind started by a script is stopped by exec_setup().
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/openat2.h>
#include <unistd.h>

#include "launch.h"
#include <elf.h>

static bool foreign(int fd)
{
	Elf64_Ehdr eh;
	ssize_t n = pread(fd, &eh, sizeof(eh), 0);

	if (n < EI_NIDENT + 4 || memcmp(eh.e_ident, ELFMAG, SELFMAG))
		return false;
	/* what an x86-64 kernel might run in its 32-bit modes; the rest it
	 * refuses itself, with the same error */
	return eh.e_ident[EI_CLASS] == ELFCLASS32 &&
	       (eh.e_machine == EM_386 ||
		eh.e_machine == EM_X86_64);
}

bool exec_file_foreign(const char *path)
{
	struct stat st;
	bool yes;
	int fd;

	/* opening has no side effect on regular files only */
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	yes = fd >= 0 && foreign(fd);
	if (fd >= 0)
		close(fd);
	return yes;
}

bool exec_is_foreign(pid_t pid, int dirfd, const char *path)
{
	/* as the process resolves it: its root, its directory */
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = path[0] == '/' ? RESOLVE_IN_ROOT : 0,
	};
	char at[64];
	bool yes = false;
	int base, fd;

	if (path[0] == '/')
		snprintf(at, sizeof(at), "/proc/%d/root", (int)pid);
	else if (dirfd == AT_FDCWD)
		snprintf(at, sizeof(at), "/proc/%d/cwd", (int)pid);
	else
		snprintf(at, sizeof(at), "/proc/%d/fd/%d", (int)pid, dirfd);
	base = open(at, O_PATH | O_CLOEXEC);
	if (base < 0)
		return false;
	if (path[0]) {
		fd = (int)syscall(SYS_openat2, base, path, &how, sizeof(how));
		close(base);
	} else {
		fd = base;
	}
	if (fd < 0)
		return false;
	snprintf(at, sizeof(at), "/proc/self/fd/%d", fd);
	yes = exec_file_foreign(at);
	close(fd);
	return yes;
}
