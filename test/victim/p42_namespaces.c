/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unshare, setns, chroot and mounts, where they are allowed: ids through a
 * user namespace, a private mount, the way back.
 */
#include "victim.h"
#include <sys/mount.h>

static void map_ids(uid_t uid, gid_t gid)
{
	char line[64];
	int fd;

	fd = OK(open("/proc/self/setgroups", O_WRONLY));
	CHECK(write(fd, "deny", 4) == 4);
	OK(close(fd));
	fd = OK(open("/proc/self/uid_map", O_WRONLY));
	snprintf(line, sizeof(line), "0 %u 1\n", uid);
	CHECK(write(fd, line, strlen(line)) == (ssize_t)strlen(line));
	OK(close(fd));
	fd = OK(open("/proc/self/gid_map", O_WRONLY));
	snprintf(line, sizeof(line), "0 %u 1\n", gid);
	CHECK(write(fd, line, strlen(line)) == (ssize_t)strlen(line));
	OK(close(fd));
}

static void user_ns(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	NEEDS(unshare(CLONE_NEWUSER));
	CHECK(getuid() == 65534 || getuid() == uid);
	map_ids(uid, gid);
	CHECK(getuid() == 0 && getgid() == 0);
	/* all capabilities in here */
	OK(setresuid(0, 0, 0));
	OK(setresgid(0, 0, 0));
	CHECK(setuid(1) < 0 && errno == EINVAL);
	REAP(CHILD({
		CHECK(getuid() == 0);
		OK(unshare(CLONE_NEWNS | CLONE_NEWUTS));
		OK(sethostname("inside", 6));
		OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		OK(mkdir("m", 0755));
		OK(mount("none", "m", "tmpfs", 0, "size=64k"));
		put_file("m/file", "in tmpfs\n");
		OK(mkdir("m/dir", 0755));
		OK(chdir("m/dir"));
		OK(symlink("/bin/true", "prog"));
		REAP(CHILD({
			execl("./prog", "prog", NULL);
			_exit(9);
		}));
		OK(chdir("../.."));
		OK(umount("m"));
		FAILS(access("m/file", F_OK), ENOENT);
		OK(rmdir("m"));
	}));
}

static void pid_ns(void)
{
	int st, p[2];
	pid_t pid, in;

	NEEDS(unshare(CLONE_NEWUSER | CLONE_NEWPID));
	OK(pipe(p));
	pid = CHILD({
		CHECK(getpid() == 1 && getppid() == 0);
		pid_t c = CHILD({
			CHECK(getpid() == 2 && getppid() == 1);
			_exit(5);
		});
		CHECK(c == 2);
		st = reap(c);
		CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 5);
		/* goes with its init */
		c = CHILD({
			CHECK(getpid() == 3);
			CHECK(write(p[1], "r", 1) == 1);
			for (;;)
				pause();
		});
		char x;
		CHECK(read(p[0], &x, 1) == 1);
		_exit(3);
	});
	in = waitpid(pid, &st, 0);
	CHECK(in == pid && WIFEXITED(st) && WEXITSTATUS(st) == 3);
}

static void roots(void)
{
	int top = OK(open("/", O_RDONLY | O_DIRECTORY));

	OK(mkdir("root", 0755));
	OK(mkdir("root/sub", 0755));
	put_file("root/sub/file", "x");
	if (chroot("root") == 0) {
		OK(access("/sub/file", F_OK));
		OK(chdir("/sub"));
		OK(access("file", F_OK));
		FAILS(access("/bin/sh", F_OK), ENOENT);
		OK(fchdir(top));
		OK(chroot("."));
		OK(access("/proc/self", F_OK));
	} else {
		CHECK(errno == EPERM);
	}
}

static void back(void)
{
	int ns = OK(open("/proc/self/ns/uts", O_RDONLY));
	int mnt = OK(open("/proc/self/ns/mnt", O_RDONLY));
	int here = OK(open(".", O_RDONLY));
	struct utsname u, v;

	OK(uname(&u));
	if (unshare(CLONE_NEWUTS | CLONE_NEWNS) == 0) {
		OK(sethostname("other", 5));
		OK(setns(ns, CLONE_NEWUTS));
		OK(uname(&v));
		CHECK(!strcmp(u.nodename, v.nodename));
		OK(setns(mnt, 0));
		OK(fchdir(here));
		OK(access("root/sub/file", F_OK));
	} else {
		CHECK(errno == EPERM);
	}
	FAILS(setns(here, 0), EINVAL);
	FAILS(setns(999, 0), EBADF);
	FAILS(unshare(0x8), EINVAL);
}

int main(void)
{
	int user, pid;

	REAP(CHILD({ roots(); }));
	REAP(CHILD({ back(); }));
	user = reap(CHILD({ user_ns(); }));
	pid = reap(CHILD({ pid_ns(); }));
	OK(unshare(CLONE_FILES | CLONE_FS));
	puts("namespaces ok");
	CHECK(WIFEXITED(user) && WIFEXITED(pid));
	if (WEXITSTATUS(user) == 77 || WEXITSTATUS(pid) == 77)
		return 77;
	CHECK(!user && !pid);
	return 0;
}
