// SPDX-License-Identifier: Apache-2.0
/*
 * Listings of /proc without the processes of followers.
 *
 * Theory of operation
 * -------------------
 * ps, pgrep, killall and init scripts read the directory; what they find they
 * open or signal.  After the leader's getdents of the root of a proc file
 * system, entries that name a process of a follower are taken out of its
 * buffer before it is replicated.  Offsets stay as they are, so seeking in the
 * directory works.  A piece that held nothing else is replaced by the next
 * one, because an empty result would mean the end.
 */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include "handlers.h"
#include "procview.h"
#include "procview_int.h"
#include "tracee.h"

/* Both kinds of entry begin alike; the name is one byte later in the newer. */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
};
#define ENTRY_HEAD 18u
#define LISTING_MAX (1u << 20)

/* In a pid namespace of their own there are no followers to be seen. */
static bool is_proc_root(struct taskset *s, int fd)
{
	struct statfs fs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d",
		 (int)s->t[LEADER].tid, fd);
	return !statfs(path, &fs) && fs.f_type == PROC_SUPER_MAGIC &&
		where_numbers_ours(s, fd);
}

static bool of_follower(const char *name, size_t max)
{
	char num[16];
	size_t n = strnlen(name, max);
	char *end;
	long pid;

	if (!n || n >= sizeof(num) || !isdigit((unsigned char)*name))
		return false;
	memcpy(num, name, n);
	num[n] = 0;
	pid = strtol(num, &end, 10);
	return !*end && view_hidden_pid((pid_t)pid);
}

/* Take out what is to be hidden; the new length. */
static size_t filter(char *buf, size_t len, unsigned int name_at)
{
	size_t from = 0, to = 0;

	while (from + ENTRY_HEAD < len) {
		struct entry e;

		memcpy(&e, buf + from, ENTRY_HEAD);
		if (e.reclen <= name_at || e.reclen > len - from)
			break;
		if (!of_follower(buf + from + name_at, e.reclen - name_at)) {
			memmove(buf + to, buf + from, e.reclen);
			to += e.reclen;
		}
		from += e.reclen;
	}
	return to;
}

/* The leader's result after filtering its buffer. */
static int64_t listing(struct taskset *s, int64_t ret)
{
	struct task *t = &s->t[LEADER];
	const uint64_t *a = t->call.args;
	unsigned int name_at = t->call.nr == SYS_getdents ? 18 : 19;
	char *buf = NULL;

	while (ret > 0 && ret <= LISTING_MAX) {
		char *n = realloc(buf, (size_t)ret);
		size_t len;

		if (!n)
			break;
		buf = n;
		if (mem_read(t, buf, a[1], (size_t)ret) < 0)
			break;
		len = filter(buf, (size_t)ret, name_at);
		if (len == (size_t)ret)
			break;
		if (len) {
			if (!mem_write(t, a[1], buf, len))
				ret = (int64_t)len;
			break;
		}
		ret = task_inject(t, t->call.nr, a[0], a[1], a[2], 0, 0, 0);
	}
	free(buf);
	return ret;
}

void getdents_done(struct taskset *s, int64_t ret)
{
	if (ret > 0 && mon.live != 1u << LEADER &&
	    is_proc_root(s, (int)s->t[LEADER].call.args[0]))
		ret = listing(s, ret);
	if (set_replicate(s, ret) < 0)
		return;
	set_finish(s, ret);
}
