/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone() into new namespaces, as sandboxes do it: ids mapped by the parent,
 * mounts and a root of its own, init of a pid namespace.
 */
#include "victim.h"
#include <sys/mount.h>
#include <sys/sysmacros.h>

static int sync_fd[2];

static void put(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY));

	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	OK(close(fd));
}

static int init(void *arg)
{
	char c;
	int st;

	CHECK(read(sync_fd[0], &c, 1) == 1);
	CHECK(getpid() == 1 && getuid() == 0);
	OK(setresgid(0, 0, 0));
	OK(setresuid(0, 0, 0));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mkdir("new", 0755));
	OK(mount("none", "new", "tmpfs", 0, NULL));
	OK(mkdir("new/old", 0755));
	OK(mkdir("new/bin", 0755));
	OK(mkdir("new/lib", 0755));
	OK(mkdir("new/lib64", 0755));
	OK(mkdir("new/usr", 0755));
	OK(mount("/bin", "new/bin", NULL, MS_BIND, NULL));
	OK(mount("/lib", "new/lib", NULL, MS_BIND, NULL));
	OK(mount("/lib64", "new/lib64", NULL, MS_BIND, NULL));
	OK(mount("/usr", "new/usr", NULL, MS_BIND | MS_REC, NULL));
	OK(chdir("new"));
	OK(syscall(SYS_pivot_root, ".", "old"));
	OK(umount2("/old", MNT_DETACH));
	OK(chdir("/"));
	OK(rmdir("/old"));
	FAILS(access("/etc", F_OK), ENOENT);
	put_file("/here", "x");
	st = reap(CHILD({
		CHECK(getpid() == 2);
		execl("/bin/sh", "sh", "-c", "echo in $$; test -f /here && exit 4",
		      NULL);
		_exit(9);
	}));
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 4);
	/* goes with us */
	CHILD({ for (;;) pause(); });
	return 6;
}

int main(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	char map[64], path[64];
	pid_t pid;
	int st;

	OK(pipe(sync_fd));
	pid = clone(init, stack + sizeof(stack), CLONE_NEWUSER | CLONE_NEWPID |
		    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
		    SIGCHLD, NULL);
	NEEDS(pid);
	snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
	put(path, "deny");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	snprintf(map, sizeof(map), "0 %d 1", getuid());
	put(path, map);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	snprintf(map, sizeof(map), "0 %d 1", getgid());
	put(path, map);
	CHECK(write(sync_fd[1], "x", 1) == 1);
	st = reap(pid);
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 6);
	puts("clone ok");
	return 0;
}
