/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system of the program's own, made with as few effective capabilities
 * as that takes: what is filled in there is there, programs on it run, and
 * when they have ended it can be unmounted. Nobody else keeps a file of it.
 */
#include "victim.h"
#include <linux/capability.h>
#include <sys/mount.h>

/* Only these are effective from now on, the others are put aside. */
static void effective(uint32_t caps)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct d[2];

	OK(syscall(SYS_capget, &h, d));
	d[0].effective = d[0].permitted & caps;
	d[1].effective = 0;
	OK(syscall(SYS_capset, &h, d));
}

static void copy_self(const char *to)
{
	int in = OK(open("/proc/self/exe", O_RDONLY));
	int out = OK(open(to, O_WRONLY | O_CREAT, 0700));
	char buf[65536];
	ssize_t n;

	while ((n = OK(read(in, buf, sizeof(buf)))) > 0)
		CHECK(write(out, buf, (size_t)n) == n);
	OK(close(in));
	OK(close(out));
}

/* Every round on another file system, with files of the same names. */
static void rounds(void)
{
	for (int i = 0; i < 3; i++) {
		OK(mount("one", "mnt", "tmpfs", 0, "mode=700"));
		OK(mkdir("mnt/deeper", 0700));
		OK(mount("two", "mnt/deeper", "tmpfs", 0, "mode=700"));
		copy_self("mnt/deeper/self");
		REAP(CHILD(execl("mnt/deeper/self", "self", "there", NULL)));
		OK(umount("mnt/deeper"));
		CHECK(access("mnt/deeper/self", F_OK) < 0 && errno == ENOENT);
		OK(umount("mnt"));
	}
}

static int own_namespaces(void)
{
	char map[64];
	unsigned int uid = geteuid(), gid = getegid();

	if (!uid)
		return unshare(CLONE_NEWNS);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -1;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	put_file("/proc/self/uid_map", map);
	put_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", gid);
	put_file("/proc/self/gid_map", map);
	return 0;
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		for (int i = 0; i < 100; i++)
			CHECK(getppid() > 0);
		return 0;
	}
	OK(mkdir("mnt", 0700));
	NEEDS(own_namespaces());
	NEEDS(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL));
	REAP(CHILD({
		effective(1u << CAP_SYS_ADMIN);
		OK(unshare(CLONE_NEWNS));
		rounds();
	}));
	rounds();
	OK(rmdir("mnt"));
	puts("unmounted");
	return 0;
}
