/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts in a mount namespace of its own: the old call, the new family, bind,
 * move, attributes, statmount, chroot, pivot_root.  Without the privilege a
 * user namespace is tried; where that is not allowed either, only the
 * refusals are seen.
 */
#include "victim.h"
#include <sys/mount.h>
#define BIND MS_BIND
#define REC MS_REC
#define REMOUNT MS_REMOUNT
#define RDONLY MS_RDONLY
#define MOVE MS_MOVE
#define PRIVATE MS_PRIVATE

#ifndef SYS_statmount
#define SYS_statmount 457
#define SYS_listmount 458
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static long mnt(const char *src, const char *to, const char *type,
		unsigned long flags, const char *data)
{
	return syscall(SYS_mount, src, to, type, flags, data);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);

	printf("put %s: %s\n", path, fd < 0 ? strerrorname_np(errno) : "done");
	if (fd >= 0) {
		CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
		close(fd);
	}
}

static void get(const char *path)
{
	char b[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0) {
		printf("get %s: %s\n", path, strerrorname_np(errno));
		return;
	}
	if (read(fd, b, 63) < 0)
		strcpy(b, "?");
	printf("get %s: %s\n", path, b);
	close(fd);
}

static int fd_of_new_tmpfs(void)
{
	int fs = (int)DOES(syscall(SYS_fsopen, "tmpfs", 0)), m;
	char log[256];

	if (fs < 0)
		return -1;
	SAYS(syscall(SYS_fsconfig, fs, 1, "size", "1M", 0));
	SAYS(syscall(SYS_fsconfig, fs, 1, "nosuchoption", "1", 0));
	printf("  log %s\n", read(fs, log, sizeof(log)) > 0 ? "there" : "empty");
	SAYS(syscall(SYS_fsconfig, fs, 0, "ro", NULL, 0));
	SAYS(syscall(SYS_fsconfig, fs, 0, "rw", NULL, 0));
	SAYS(syscall(SYS_fsconfig, fs, 99, NULL, NULL, 0));
	SAYS(syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0));
	m = (int)DOES(syscall(SYS_fsmount, fs, 0, 0));
	close(fs);
	return m;
}

static void statmounts(const char *dir)
{
	struct statx sx;
	struct {
		uint32_t size, spare;
		uint64_t id, param;
	} req = { 24, 0, 0, 0 };
	union {
		uint32_t size;
		char b[4096];
	} sm;
	uint64_t list[16];

	if (syscall(SYS_statx, AT_FDCWD, dir, 0, 0x4000 /* STATX_MNT_ID_UNIQUE */, &sx))
		return;
	memcpy(&req.id, &sx.stx_mnt_id, 8);
	req.param = 2 | 8;	/* mount basics, root */
	SAYS(syscall(SYS_statmount, &req, &sm, sizeof(sm), 0));
	SAYS(syscall(SYS_statmount, &req, &sm, 10, 0));
	req.param = 0;
	SAYS(syscall(SYS_listmount, &req, list, 16, 0));
	req.size = 3;
	SAYS(syscall(SYS_listmount, &req, list, 16, 0));
	SAYS(syscall(SYS_statmount, NULL, &sm, sizeof(sm), 0));
}

static void tests(void)
{
	int m, t;
	char cwd[PATH_MAX];
	struct {
		uint64_t set, clr, prop, userns;
	} ma = { 1 /* MOUNT_ATTR_RDONLY */, 0, 0, 0 };

	SAYS(mnt("none", "/", NULL, REC | PRIVATE, NULL));
	OK(mkdir("a", 0755));
	OK(mkdir("b", 0755));
	OK(mkdir("c", 0755));
	SAYS(mnt("t", "a", "tmpfs", 0, "size=1M,mode=755"));
	SAYS(mnt("t", "a", "nosuchfs", 0, NULL));
	SAYS(mnt("t", "nodir", "tmpfs", 0, NULL));
	SAYS(mnt("t", "a", "tmpfs", 0, "bogus=1"));
	SAYS(mnt("t", (void *)8, "tmpfs", 0, NULL));
	put("a/file", "in tmpfs");
	SAYS(mnt("a", "b", NULL, BIND, NULL));
	get("b/file");
	SAYS(mnt(NULL, "b", NULL, BIND | REMOUNT | RDONLY, NULL));
	put("b/file2", "x");
	put("a/file2", "y");
	get("b/file2");
	SAYS(mnt("b", "c", NULL, MOVE, NULL));
	get("b/file");
	get("c/file");
	statmounts("c");
	SAYS(syscall(SYS_mount_setattr, AT_FDCWD, "a", 0, &ma, sizeof(ma)));
	put("a/file3", "z");
	ma = (typeof(ma)){ 0, 1, 0, 0 };
	SAYS(syscall(SYS_mount_setattr, AT_FDCWD, "a", 0, &ma, sizeof(ma)));
	SAYS(syscall(SYS_mount_setattr, AT_FDCWD, "a", 0, &ma, 3));
	put("a/file3", "z");
	SAYS(chdir("c"));
	get("file3");
	SAYS(chdir(".."));
	SAYS(umount2("c", 0));
	SAYS(umount2("c", 0));
	SAYS(umount2("a", 0x1000));
	t = (int)DOES(open("a/file", O_RDONLY));
	SAYS(umount2("a", 0));
	SAYS(umount2("a", MNT_DETACH));
	close(t);
	get("a/file");
	/* the new calls */
	m = fd_of_new_tmpfs();
	if (m >= 0) {
		SAYS(syscall(SYS_move_mount, m, "", AT_FDCWD, "a", 4));
		put("a/new", "new calls");
		t = (int)DOES(syscall(SYS_open_tree, AT_FDCWD, "a", 1 | O_CLOEXEC));
		SAYS(syscall(SYS_move_mount, t, "", AT_FDCWD, "b", 4));
		get("b/new");
		t = (int)DOES(syscall(SYS_fspick, AT_FDCWD, "b", 0));
		SAYS(syscall(SYS_fsconfig, t, 1, "size", "2M", 0));
		SAYS(syscall(SYS_fsconfig, t, 7, NULL, NULL, 0));
		close(t);
		SAYS(syscall(SYS_move_mount, -1, "", AT_FDCWD, "b", 4));
		SAYS(umount2("b", 0));
	}
	DOES(syscall(SYS_fsopen, "nosuchfs", 0));
	DOES(syscall(SYS_open_tree, AT_FDCWD, "nosuch", 0));
	/* programs and libraries are still found after these */
	CHECK(getcwd(cwd, sizeof(cwd)));
	SAYS(mnt("/", "b", NULL, BIND | REC, NULL));
	REAP(CHILD(
		SAYS(chroot("b"));
		SAYS(chdir(cwd));
		SAYS(chdir("/"));
		SAYS(access(cwd, F_OK));
		execl("/bin/echo", "echo", "in the chroot", NULL)
	));
	REAP(CHILD(
		SAYS(chdir("b"));
		SAYS(syscall(SYS_pivot_root, ".", "."));
		SAYS(umount2(".", MNT_DETACH));
		SAYS(chdir(cwd));
		execl("/bin/sh", "sh", "-c", "echo new root; ls -d /usr", NULL)
	));
}

/* In a new user namespace we are nobody until we say who. */
static void ids(uid_t uid, gid_t gid)
{
	char map[64];

	put_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	put_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	put_file("/proc/self/gid_map", map);
}

int main(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int st = reap(CHILD(
		if (unshare(CLONE_NEWNS) < 0) {
			NEEDS(unshare(CLONE_NEWUSER | CLONE_NEWNS));
			ids(uid, gid);
		}
		tests()
	));

	if (WIFEXITED(st) && WEXITSTATUS(st) == 77)
		return 77;
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0);
	printf("outside: %s\n", access("a/new", F_OK) ? "nothing" : "leaked");
	puts("mounts ok");
	return 0;
}
