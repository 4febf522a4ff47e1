/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify: events with names, cookies of renames, removal, non-blocking,
 * epoll.
 */
#include "victim.h"
static void drain(int fd)
{
	char b[4096] __attribute__((aligned(8)));
	ssize_t n = read(fd, b, sizeof(b));
	uint32_t cookie = 0;

	for (char *p = b; n > 0 && p < b + n;) {
		struct inotify_event *e = (struct inotify_event *)p;

		if (e->mask & IN_MOVED_FROM)
			cookie = e->cookie;
		if (e->mask & IN_MOVED_TO)
			CHECK(e->cookie == cookie && cookie);
		printf("%08x %s\n", e->mask, e->len ? e->name : "");
		p += sizeof(*e) + e->len;
	}
}

int main(void)
{
	int fd = OK(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), w, q;

	OK(mkdir("d", 0755));
	w = OK(inotify_add_watch(fd, "d", IN_ALL_EVENTS));
	put_file("d/file", "x");
	drain(fd);
	OK(rename("d/file", "d/renamed"));
	OK(chmod("d/renamed", 0600));
	OK(unlink("d/renamed"));
	drain(fd);
	OK(ioctl(fd, FIONREAD, &q));
	CHECK(q == 0);
	OK(inotify_rm_watch(fd, w));
	drain(fd);
	FAILS(inotify_rm_watch(fd, w), EINVAL);
	FAILS(inotify_add_watch(fd, "none", IN_CREATE), ENOENT);
	char b[10];
	FAILS(read(fd, b, 10), EAGAIN);
	return 0;
}
