// SPDX-License-Identifier: Apache-2.0
/*
 * Descriptors of a process that handles calls itself.
 *
 * Theory of operation
 * -------------------
 * Slow descriptors.  Reading a view of /proc gives every variant its own text,
 * listing it leaves out followers: only monitord can do that.  A bitmap that
 * all variants have says which descriptors these are; IP-MON leaves calls on
 * them to monitord, and refrains from opening files of /proc itself.  So every
 * such descriptor comes into being here: by open, by dup of one that is slow,
 * by fork (the bitmap is copied with the memory) or by exec (the descriptors
 * are looked at when the new image registers).  A vfork child has the memory of
 * its parent, but not its descriptors: it leaves the bitmaps alone, and all its
 * calls are monitord's.  Not known: views received through a socket.  A bit too many costs time only.
 *
 * Channels the program has made itself (internal.c) are slow as well, because there
 * may be addresses in the data; calls IP-MON can look after are not left to us
 * (libipmon/core/channel.h): a second bitmap, of some of the slow ones.
 *
 * epoll.  IP-MON gives the kernel a tag in place of the program's data, and
 * every variant has a table from tags to its own data (libipmon/core/epoll.h).
 * Calls that monitord handles use the same tables, in the variants' memory: a
 * window of the leader's is read into a table of ours, the function IP-MON uses
 * is applied, and what it changed is written back.  Without room, and for
 * processes without tables, h_epoll.c makes a cookie.  Whatever IP-MON finds no
 * data for it asks us (fast_epoll_ask): cookies, and tags of other processes
 * that share the instance.  An instance that a child has inherited is slow in
 * the child.
 */
#include <dirent.h>
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <linux/close_range.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <fcntl.h>
#include <unistd.h>
#include <linux/magic.h>

#include <ipmon/abi.h>
#include "../libipmon/core/epoll.h"
#include "fast.h"
#include "fast_fd.h"
#include "h_misc.h"
#include "internal.h"
#include "procview.h"
#include "tracee.h"

/* ---- slow descriptors ---- */

/* Bit of the leader in one of the bitmaps. */
static bool bit(struct taskset *s, uint64_t map, int fd)
{
	uint8_t b;

	return map && fd >= 0 && (unsigned int)fd < IPMON_SLOW_FDS &&
		!mem_read(&s->t[LEADER], &b, map + (uint64_t)fd / 8, 1) &&
		b & 1u << fd % 8;
}

static bool is_slow(struct taskset *s, int fd)
{
	return bit(s, fast_slow_map(s, LEADER), fd);
}

typedef uint64_t map_fn(const struct taskset *s, unsigned int v);

/* Set or clear the bits of [from, to) in one of the bitmaps of all variants. */
static void set_range(struct taskset *s, map_fn *map, unsigned int from,
		      unsigned int to, bool on)
{
	static uint8_t old[IPMON_SLOW_FDS / 8], new[IPMON_SLOW_FDS / 8];

	if (to > IPMON_SLOW_FDS)
		to = IPMON_SLOW_FDS;
	if (from >= to || s->proc->borrows)
		return;
	for_each_variant(v) {
		uint64_t at = map(s, v) + from / 8;
		size_t n = (to - 1) / 8 - from / 8 + 1;

		if (at == from / 8 || mem_read(&s->t[v], old, at, n))
			continue;
		memcpy(new, old, n);
		for (unsigned int fd = from; fd < to; fd++) {
			uint8_t *b = &new[fd / 8 - from / 8];
			uint8_t m = (uint8_t)(1u << fd % 8);

			*b = (uint8_t)(on ? *b | m : *b & ~m);
		}
		if (memcmp(old, new, n))
			mem_write(&s->t[v], at, new, n);
	}
}

static void set_one(struct taskset *s, map_fn *map, int fd, bool on)
{
	if (fd >= 0)
		set_range(s, map, (unsigned int)fd, (unsigned int)fd + 1, on);
}

void fast_fd_set(struct taskset *s, int fd, bool slow)
{
	set_one(s, fast_slow_map, fd, slow);
	set_one(s, fast_channel_map, fd, false);
}

void fast_fd_channel(struct taskset *s, int fd)
{
	set_one(s, fast_channel_map, fd, true);
	set_one(s, fast_slow_map, fd, true);
}

/* ---- descriptors known to be no sockets (--level) ---- */

static bool no_socket(const struct taskset *s, int fd)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d",
		 (int)s->t[LEADER].tid, fd);
	return !stat(path, &st) && !S_ISSOCK(st.st_mode);
}

/* Behind the last one of close_range. */
static unsigned int last_of(const uint64_t *a)
{
	return (unsigned int)a[1] < IPMON_SLOW_FDS ? (unsigned int)a[1] + 1 :
		IPMON_SLOW_FDS;
}

/* As ipmon_kinds_note(), for a call monitord has handled: we can look. */
void fast_fd_kinds(struct taskset *s, int64_t ret)
{
	const uint64_t *a = s->t[LEADER].call.args;
	unsigned int fd = (unsigned int)a[0];

	if (!mon.opt.level || ret < 0 || !s->row || !s->proc->mm ||
	    !s->proc->mm->fast)
		return;
	if (s->row->flags & RF_CLOSE)
		set_one(s, fast_plain_map, (int)fd, false);
	else if (s->t[LEADER].call.nr == SYS_close_range)
		set_range(s, fast_plain_map, fd, last_of(a), false);
	else if (s->row->result == RES_FD && ret < IPMON_SLOW_FDS)
		set_one(s, fast_plain_map, (int)ret, no_socket(s, (int)ret));
}

static bool of_proc(const char *path)
{
	struct statfs fs;
	struct stat st;

	return (!statfs(path, &fs) && fs.f_type == PROC_SUPER_MAGIC) ||
		(view_active() && !stat(path, &st) && view_is(&st));
}

void fast_fd_setup(struct taskset *s)
{
	char path[64], one[400];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)s->t[LEADER].tid);
	d = opendir(path);
	if (!d)
		return;
	while ((e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(one, sizeof(one), "%s/%s", path, e->d_name);
		if (of_proc(one))
			fast_fd_set(s, atoi(e->d_name), true);
		else if (atoi(e->d_name) > STDERR_FILENO &&
			 internal_is(s, atoi(e->d_name)))
			fast_fd_channel(s, atoi(e->d_name));
		if (mon.opt.level && no_socket(s, atoi(e->d_name)))
			set_one(s, fast_plain_map, atoi(e->d_name), true);
	}
	closedir(d);
}

void fast_fd_done(struct taskset *s, int64_t ret)
{
	const uint64_t *a = s->t[LEADER].call.args;

	if (ret < 0 || !s->proc->mm->fast)
		return;
	switch (s->t[LEADER].call.nr) {
	case SYS_close:
		fast_fd_set(s, (int)a[0], false);
		break;
	case SYS_fcntl:
		if ((int)a[1] != F_DUPFD && (int)a[1] != F_DUPFD_CLOEXEC)
			break;
		__attribute__((fallthrough));
	case SYS_dup:
	case SYS_dup2:
	case SYS_dup3:
		if (bit(s, fast_channel_map(s, LEADER), (int)a[0]))
			fast_fd_channel(s, (int)ret);
		else
			fast_fd_set(s, (int)ret, is_slow(s, (int)a[0]));
		break;
	case SYS_close_range:
		if (a[2] & CLOSE_RANGE_CLOEXEC)
			break;
		set_range(s, fast_slow_map, (unsigned int)a[0], last_of(a),
			  false);
		set_range(s, fast_channel_map, (unsigned int)a[0], last_of(a),
			  false);
		break;
	default:
		break;
	}
}

/* ---- epoll ---- */

static struct ipmon_epoll table;	/* mostly empty: windows of others */

/*
 * Instances a child inherits are shared with the parent, which must find the
 * child's registrations even when the child is gone: they are cookies.
 */
void fast_fd_forked(struct taskset *s)
{
	uint64_t at = fast_epoll_table(s, LEADER);
	int last = -1;

	if (mem_read(&s->t[LEADER], &table, at,
		     offsetof(struct ipmon_epoll, slot)) || !table.made ||
	    mem_read(&s->t[LEADER], table.slot,
		     at + offsetof(struct ipmon_epoll, slot),
		     sizeof(table.slot)))
		return;
	for (unsigned int i = 0; i < IPMON_EPOLL_SLOTS; i++) {
		uint32_t ep = table.slot[i].ep & EPOLL_EP;

		if (!ep || ep == EPOLL_RETIRED || (int)ep - 1 == last)
			continue;
		last = (int)ep - 1;
		fast_fd_set(s, last, true);
	}
}

/* Windows may wrap around the end: two parts. */
static int window(struct task *t, uint64_t at, unsigned int from, bool write)
{
	unsigned int n = IPMON_EPOLL_SLOTS - from;
	int r;

	if (n > EPOLL_WINDOW)
		n = EPOLL_WINDOW;
	for (int part = 0; part < 2; part++) {
		uint64_t addr = at + offsetof(struct ipmon_epoll, slot) +
			from * sizeof(table.slot[0]);
		size_t len = n * sizeof(table.slot[0]);

		if (!n)
			break;
		r = write ? mem_write(t, addr, &table.slot[from], len) :
			mem_read(t, &table.slot[from], addr, len);
		if (r)
			return r;
		from = 0;
		n = EPOLL_WINDOW - n;
	}
	return 0;
}

static int load(struct taskset *s, unsigned int v, int epfd, int fd)
{
	uint64_t at = fast_epoll_table(s, v);

	if (!at || mem_read(&s->t[v], &table, at,
			    offsetof(struct ipmon_epoll, slot)))
		return -1;
	return window(&s->t[v], at, epoll_home(epfd, fd), false);
}

static void store(struct taskset *s, unsigned int v, int epfd, int fd)
{
	uint64_t at = fast_epoll_table(s, v);

	mem_write(&s->t[v], at, &table, offsetof(struct ipmon_epoll, slot));
	window(&s->t[v], at, epoll_home(epfd, fd), true);
}

int fast_epoll_slot(struct taskset *s, int op, int epfd, int fd,
		    uint64_t *tag)
{
	int slot;

	if (epfd < 0 || fd < 0 || is_slow(s, epfd) ||
	    load(s, LEADER, epfd, fd))
		return -1;
	slot = op == EPOLL_CTL_ADD ? epoll_place(&table, epfd, fd) :
		epoll_find(&table, epfd, fd);
	if (slot >= 0)
		*tag = epoll_tag(&table, slot);
	return slot;
}

void fast_epoll_done(struct taskset *s, int op, int slot, int epfd, int fd,
		     const uint64_t data[MAX_VARIANTS])
{
	for_each_variant(v) {
		if (load(s, v, epfd, fd))
			return;
		if (op == EPOLL_CTL_DEL || slot < 0)
			epoll_del(&table, epfd, fd);
		else if (op == EPOLL_CTL_ADD)
			epoll_add(&table, slot, epfd, fd, data[v]);
		else
			epoll_mod(&table, slot, data[v]);
		store(s, v, epfd, fd);
	}
}

bool fast_epoll_is_tag(uint64_t tag)
{
	return (tag & ~0x7fffffffull) == IPMON_EPOLL_TAG;
}

/* In the table of one process. */
static bool data_in(struct taskset *s, unsigned int v, uint64_t tag,
		    uint64_t *data)
{
	uint64_t at = fast_epoll_table(s, v);
	unsigned int slot = (uint16_t)tag;

	return at && !mem_read(&s->t[v], &table.slot[slot],
			       at + offsetof(struct ipmon_epoll, slot) +
			       slot * sizeof(table.slot[0]),
			       sizeof(table.slot[0])) &&
		!epoll_data(&table, tag, data);
}

bool fast_epoll_data(struct taskset *s, unsigned int v, uint64_t tag,
		     uint64_t *data)
{
	struct taskset *o;

	if (!fast_epoll_is_tag(tag))
		return false;
	if (data_in(s, v, tag, data))
		return true;
	LIST_FOREACH(o, &mon.sets, all) {
		const struct mm *mm = o->proc->mm;

		if (mm && mm != s->proc->mm && mm->fast &&
		    fast_epoll_owner(mm) == (tag >> 16 & 0x7fff))
			return data_in(o, v, tag, data);
	}
	return false;
}

void fast_epoll_ask(struct task *t)
{
	uint64_t tag = t->call.args[0], data;
	int64_t ret = -1;

	if ((fast_epoll_data(t->set, t->variant, tag, &data) ||
	     epoll_cookie_data(tag, t->variant, &data)) &&
	    !mem_write(t, t->call.args[1], &data, sizeof(data)))
		ret = 0;
	task_finish(t, ret);
	task_resume(t, PTRACE_CONT, 0);
}
