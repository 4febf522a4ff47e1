/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fanotify, where permitted, and Landlock, which everybody may use.
 */
#include "victim.h"
#include <linux/landlock.h>
#include <sys/fanotify.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

static void events(int fan)
{
	char b[4096] __attribute__((aligned(8)));
	ssize_t n = read(fan, b, sizeof(b));
	struct fanotify_event_metadata *e = (void *)b;

	if (n < 0) {
		printf("  %s\n", strerrorname_np(errno));
		return;
	}
	for (; FAN_EVENT_OK(e, n); e = FAN_EVENT_NEXT(e, n)) {
		char text[16] = "";

		if (e->fd >= 0) {
			if (read(e->fd, text, 15) < 0)
				strcpy(text, "?");
			close(e->fd);
		}
		printf("  mask %llx %s %s\n", (unsigned long long)e->mask,
		       e->pid == getpid() ? "own" : "other", text);
		if (e->mask & FAN_OPEN_PERM)
			puts("  permission event");
	}
}

static void fanotify(void)
{
	int fan = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY), fd;

	if (fan < 0) {
		printf("fanotify: %s\n", strerrorname_np(errno));
		return;
	}
	SAYS(fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN | FAN_MODIFY | FAN_CLOSE, AT_FDCWD, "f"));
	SAYS(fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "nosuch"));
	SAYS(fanotify_mark(fan, FAN_MARK_ADD, 1ull << 50, AT_FDCWD, "f"));
	SAYS(fanotify_mark(-1, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "f"));
	events(fan);
	fd = OK(open("f", O_RDWR));
	CHECK(write(fd, "abc", 3) == 3);
	close(fd);
	events(fan);
	REAP(CHILD(fd = OK(open("f", O_RDONLY)); close(fd)));
	events(fan);
	SAYS(fanotify_mark(fan, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL));
	fd = OK(open("f", O_RDONLY));
	events(fan);
	close(fan);
	SAYS(fanotify_init(0x80000000u, O_RDONLY));
	/* permission events: a child opens, we decide */
	fan = fanotify_init(FAN_CLASS_CONTENT, O_RDONLY);
	if (fan < 0 || fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "f") < 0) {
		printf("permission: %s\n", strerrorname_np(errno));
		return;
	}
	for (int i = 0; i < 2; i++) {
		struct fanotify_event_metadata e;
		struct fanotify_response r;
		pid_t c = CHILD(
			fd = open("f", O_RDONLY);
			_exit(fd < 0 ? errno : 0)
		);
		int st;

		CHECK(read(fan, &e, sizeof(e)) == sizeof(e));
		CHECK(e.pid == c);
		r = (struct fanotify_response){ e.fd, i ? FAN_DENY : FAN_ALLOW };
		CHECK(write(fan, &r, sizeof(r)) == sizeof(r));
		close(e.fd);
		st = reap(c);
		printf("  child says %d\n", WEXITSTATUS(st));
	}
	close(fan);
}

static void landlock(void)
{
	struct {
		uint64_t fs;
	} attr = { LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE };
	struct landlock_path_beneath_attr pb = { LANDLOCK_ACCESS_FS_READ_FILE, 0 };
	int rs = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	printf("abi %s\n", syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0 ? "some" : "none");
	if (rs < 0) {
		printf("landlock: %s\n", strerrorname_np(errno));
		return;
	}
	SAYS(syscall(SYS_landlock_create_ruleset, &attr, 3, 0));
	SAYS(syscall(SYS_landlock_create_ruleset, NULL, 0, 0x800));
	pb.parent_fd = OK(open("ok", O_PATH | O_DIRECTORY));
	SAYS(syscall(SYS_landlock_add_rule, rs, LANDLOCK_RULE_PATH_BENEATH, &pb, 0));
	pb.parent_fd = -1;
	SAYS(syscall(SYS_landlock_add_rule, rs, LANDLOCK_RULE_PATH_BENEATH, &pb, 0));
	SAYS(syscall(SYS_landlock_add_rule, rs, 77, &pb, 0));
	SAYS(syscall(SYS_landlock_restrict_self, -1, 0));
	REAP(CHILD(
		OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		SAYS(syscall(SYS_landlock_restrict_self, rs, 0));
		DOES(open("ok/f", O_RDONLY));
		DOES(open("ok/f", O_WRONLY));
		DOES(open("f", O_RDONLY));
		SAYS(access("f", R_OK));
		REAP(CHILD(DOES(open("f", O_RDONLY))))
	));
	DOES(open("f", O_RDONLY));
}

int main(void)
{
	put_file("f", "content");
	OK(mkdir("ok", 0755));
	put_file("ok/f", "content");
	fanotify();
	landlock();
	puts("watch ok");
	return 0;
}
