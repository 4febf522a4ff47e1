// SPDX-License-Identifier: Apache-2.0
/*
 * Calls on existing mappings: munmap, mprotect, madvise, msync, brk.
 * (mmap and mremap are in h_mmap.c, shmat and shmdt in h_shm.c.)
 *
 * Theory of operation
 * -------------------
 * Every variant has its own address space, so every variant executes its own
 * call with its own addresses; what must agree is success or failure.  The
 * leader goes first.  When it fails, followers execute all the same wherever
 * the kernel may have done part of the work before it failed (munmap,
 * mprotect, madvise process one mapping after the other), so that the
 * remains look alike.
 *
 * The monitor's own pages
 * -----------------------
 * Each variant has pages the program does not know of: the gate and the
 * scratch area, at different addresses in each.  A call that would change
 * them in any variant is refused in all of them with EPERM, which is what a
 * sealed mapping answers (mseal(2)).  Whole ranges are checked, not starts.
 *
 * brk is short and never blocks, so it is done in one go; the heap lies
 * elsewhere in each variant and the result is everyone's own.  Failure is
 * made to agree: when one variant cannot, the others are set back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "divergence.h"
#include "fast_mem.h"
#include "h_memory.h"
#include "owned.h"
#include "patch.h"
#include "shadow.h"
#include "tracee.h"

#define PAGE 4096ull

/* linux/mman.h cannot be included next to sys/mman.h */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#define NO_ADVICE 0x7fffffff

/* ---- the monitor's pages ---- */

bool mem_protected(const struct mm *m, unsigned int v, uint64_t start,
		   uint64_t len)
{
	uint64_t end, own, own_end;

	start &= ~(PAGE - 1);
	/* a length of 0 still names its page (mremap of shared memory) */
	if (__builtin_add_overflow(start, len ? len : 1, &end))
		return false;	/* the kernel refuses it */
	if (end & (PAGE - 1))
		end = (end | (PAGE - 1)) + 1;
	if (!end)
		return false;
	return owned_next(m, v, start, end, &own, &own_end);
}

static bool covers_monitor(struct taskset *s, unsigned int addr, uint64_t len)
{
	/* lengths were compared, except the unaligned part of the address */
	for_each_variant(v) {
		uint64_t start = s->t[v].call.args[addr];
		uint64_t slack = start & (PAGE - 1);

		if (mem_protected(s->proc->mm, v, start, len + slack))
			return true;
	}
	return false;
}

bool mem_allowed(struct taskset *s, unsigned int addr, uint64_t len)
{
	if (!covers_monitor(s, addr, len))
		return true;
	refuse(s, "the range covers pages of the monitor");
	set_finish(s, -EPERM);
	return false;
}

/* where MAP_32BIT mappings are (arch/x86/kernel/sys_x86_64.c, find_start_end) */
#define LOW_START 0x40000000ull
#define LOW_SIZE 0x40000000ull
#define LOW_LARGE (LOW_SIZE / 16)

/*
 * MAP_32BIT: the kernel takes the second GiB, in which there is no room for a delta.
 * Variants exchange parts of it, so that addresses have the same lower bits and,
 * mostly, the same order, as those with a delta have (exec_layout.c).  What is large
 * would leave no room between the parts: it is moved a little.  0: anywhere.
 */
static uint64_t low_place(const struct taskset *s, unsigned int v, uint64_t leader,
			  uint64_t len, bool up)
{
	uint64_t slot = mon.n <= 2 ? LOW_SIZE / 2 : mon.n <= 4 ? LOW_SIZE / 4 :
		LOW_SIZE / 8, by = (uint64_t)v << 20;

	if (!s->proc->mm->delta[v])
		return leader;		/* --layout same */
	if (mon.opt.layout == LAYOUT_INDEPENDENT || leader < LOW_START ||
	    leader >= LOW_START + LOW_SIZE)
		return 0;
	if (len > LOW_LARGE && up)
		return leader + len + by <= LOW_START + LOW_SIZE ? leader + by : 0;
	if (len > LOW_LARGE)
		return leader >= LOW_START + by ? leader - by : 0;
	return (leader & (slot - 1)) > slot - len ? 0 : leader ^ v * slot;
}

int64_t mem_place_low(struct taskset *s, unsigned int v, uint64_t leader, uint64_t len,
		      unsigned int flags, int fd)
{
	struct task *t = &s->t[v];
	const uint64_t *a = t->call.args;

	for (int up = 0; up < 2; up++) {
		uint64_t at = low_place(s, v, leader, len, up);
		int64_t r = !at ? -EEXIST :
			task_inject(t, SYS_mmap, at, len, a[2],
				    flags | MAP_FIXED_NOREPLACE, (uint64_t)fd,
				    a[5]);

		if (r != -EEXIST)
			return r;
	}
	return task_inject(t, SYS_mmap, a[0], len, a[2], flags, (uint64_t)fd, a[5]);
}

/*
 * What lies in no file system that could be mounted (pipes, sockets, eventfds and the
 * like): whether that nothing can be executed from there comes before that nothing can
 * be mapped depends on the kernel (anonymous inodes and sockets: 6.17).  One of our own
 * tells.
 */
static bool noexec_inode(mode_t mode)
{
	int p[2] = { -1, -1 };
	bool no = true;
	void *m;

	if (S_ISFIFO(mode) && pipe2(p, O_CLOEXEC) < 0)
		return true;
	if (S_ISSOCK(mode))
		p[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	else if (!S_ISFIFO(mode))
		p[0] = eventfd(0, EFD_CLOEXEC);
	m = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, p[0], 0);
	if (m == MAP_FAILED)
		no = errno != ENODEV;
	else
		munmap(m, PAGE);
	for (int i = 0; i < 2; i++)
		if (p[i] >= 0)
			close(p[i]);
	return no;
}

int64_t mem_unmappable(const struct taskset *s, const char *path)
{
	const uint64_t *a = s->t[LEADER].call.args;
	struct statfs fs;
	struct stat link, st;
	bool noexec;

	/* the link's mode is the descriptor's */
	if (lstat(path, &link) < 0)
		return -ENODEV;
	if (!(link.st_mode & S_IRUSR) ||
	    (a[2] & PROT_WRITE && (a[3] & 0x0f) != MAP_PRIVATE &&
	     !(link.st_mode & S_IWUSR)))
		return -EACCES;
	if (!(a[2] & PROT_EXEC) || stat(path, &st) < 0)
		return -ENODEV;
	if (statfs(path, &fs) < 0)
		noexec = true;
	else if (fs.f_type == PIPEFS_MAGIC || fs.f_type == SOCKFS_MAGIC ||
		 fs.f_type == ANON_INODE_FS_MAGIC)
		noexec = noexec_inode(st.st_mode);
	else		/* nothing is executed from /proc, /sys and the like */
		noexec = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ||
			fs.f_flags & ST_NOEXEC;
	return noexec ? -EPERM : -ENODEV;
}

bool mem_diverge(struct taskset *s, unsigned int v, int64_t leader,
		 int64_t ret, const char *note)
{
	struct divergence d = {
		.kind = DIV_RESULT, .set = s, .variant = v, .arg = -1,
		.ret = { leader, ret },
	};

	/* what one allocator could not have, another may not need */
	if (mon.opt.diverse)
		return true;
	strncpy(d.note, note, sizeof(d.note) - 1);
	return diverge(&d);
}

int64_t mem_own_call(struct taskset *s, unsigned int v)
{
	struct task *t = &s->t[v];
	const uint64_t *a = t->call.args;

	if (t->at == AT_ENTRY)
		return set_follower_exec(s, v);
	/* something has been injected already */
	return task_inject(t, t->call.nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/*
 * Followers execute their own call; success and failure must agree with the
 * leader's `ret`. False when the run is over.
 */
static bool followers_same(struct taskset *s, int64_t ret, const char *note)
{
	for_each_follower(v) {
		int64_t r = mem_own_call(s, v);

		if (r == -ESRCH)
			continue;	/* its death is reported elsewhere */
		if (r != ret && !mem_diverge(s, v, ret, r, note))
			return false;
	}
	return true;
}

/* ---- munmap ---- */

#define TASK_END 0x7ffffffff000ull

/*
 * The program unmaps more than it has (all of the address space below its
 * stack, say), or makes sure that nothing will ever be in a range of terabytes (the
 * sanitizers' runtimes).  The monitor's pages are none of its, so they stay, and it sees
 * a success.  The call has been checked to be one that cannot be wrong.
 */
static int64_t call_around(struct taskset *s, unsigned int v, uint64_t len)
{
	struct task *t = &s->t[v];
	const uint64_t *a = t->call.args;
	uint64_t at = a[0], end = at + len, start, stop;
	int64_t r = 0;

	while (!is_error(r) && at < end) {
		if (!owned_next(s->proc->mm, v, at, end, &start, &stop))
			start = stop = end;
		if (start > at)
			r = task_inject(t, t->call.nr, at, start - at, a[2],
					a[3], a[4], a[5]);
		at = stop;
	}
	return is_error(r) ? r : 0;
}

bool mem_around(struct taskset *s, bool *valid)
{
	uint64_t len = (s->t[LEADER].call.args[1] + PAGE - 1) & ~(PAGE - 1);
	bool around = false;

	*valid = len != 0;
	for_each_variant(v) {
		uint64_t at = s->t[v].call.args[0];

		if (mem_protected(s->proc->mm, v, at, len))
			around = true;
		if (at & (PAGE - 1) || at > TASK_END || len > TASK_END - at)
			*valid = false;	/* EINVAL, and nothing is done */
	}
	return around && *valid;
}

bool mem_call_around(struct taskset *s, int64_t *ret, const char *note)
{
	uint64_t len = (s->t[LEADER].call.args[1] + PAGE - 1) & ~(PAGE - 1);

	*ret = 0;
	for_each_variant(v) {
		int64_t r = call_around(s, v, len);

		if (v == LEADER)
			*ret = r;
		else if (r != *ret && r != -ESRCH &&
			 !mem_diverge(s, v, *ret, r, note))
			return false;
	}
	return s->t[LEADER].at != AT_DEAD;
}

void munmap_start(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	bool valid, around = mem_around(s, &valid);
	uint64_t len = (a[1] + PAGE - 1) & ~(PAGE - 1);
	int64_t ret;

	if (valid)
		text_touched(s, 0, len);
	if (!around) {
		set_leader_go(s);
		return;
	}
	if (!mem_call_around(s, &ret, "munmap worked in one variant only"))
		return;
	if (!ret)
		shadow_unmap(s->proc->mm, a[0], len);
	set_finish(s, ret);
}

void munmap_done(struct taskset *s, int64_t ret)
{
	const uint64_t *a = s->t[LEADER].call.args;

	/* ENOMEM: nothing was done, there would be too many mappings; a follower,
	 * which has some fewer, could do it */
	if (ret != -ENOMEM &&
	    !followers_same(s, ret, "munmap worked in one variant only"))
		return;
	if (!ret) {
		shadow_unmap(s->proc->mm, a[0], a[1]);
		fast_mem_del(s, a[0], a[1]);
	}
	set_finish(s, ret);
}

/* ---- mprotect, pkey_mprotect, mseal ---- */

void mprotect_start(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;

	if (!mem_allowed(s, 0, a[1]))
		return;
	/* for mseal the third argument is flags, none of which exist yet */
	if (a[2] & PROT_WRITE)
		text_touched(s, 0, a[1]);
	set_leader_go(s);
}

/* The leader may now change file content through this range. */
static void make_writable(struct taskset *s, uint64_t start, uint64_t len)
{
	int r = shadow_make_writable(s, start, len);

	if (r < 0)
		say("cannot give followers a writable copy of a shared file: %s; %s",
		    strerror(-r), remedy(-r));
}

void mprotect_done(struct taskset *s, int64_t ret)
{
	const uint64_t *a = s->t[LEADER].call.args;

	if (!ret && a[2] & PROT_WRITE)
		make_writable(s, a[0], a[1]);
	/* it may have been written before */
	if (a[2] & PROT_EXEC)
		text_mapped(s, NULL, 0, false);
	if (!ret && a[2] & PROT_EXEC)
		fast_mem_add(s, a[0], a[1]);
	if (!followers_same(s, ret, "a protection could be changed in one "
			    "variant only"))
		return;
	set_finish(s, ret);
}

/* ---- madvise ---- */

/* Advice that promises nothing: whether it worked says nothing either. */
static bool only_advice(int advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_COLLAPSE:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return true;
	default:
		return false;
	}
}

void madvise_start(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	int64_t r;

	if ((int)a[2] == MADV_HWPOISON || (int)a[2] == MADV_SOFT_OFFLINE) {
		refuse(s, "memory failures cannot be injected");
		set_finish(s, -EPERM);
		return;
	}
	if (covers_monitor(s, 0, a[1])) {
		/* wrong wherever it is?  Nothing is advised about no bytes. */
		r = task_inject(&s->t[LEADER], SYS_madvise, a[0], 0, a[2], 0, 0,
				0);
		if (r >= 0)
			mem_allowed(s, 0, a[1]);
		else
			set_finish(s, r);
		return;
	}
	/* the file's own bytes would come back page by page */
	if (!only_advice((int)a[2]))
		text_touched(s, 0, a[1]);
	set_leader_go(s);
}

/*
 * Pages given back with MADV_FREE read as zeroes or as before, as the kernel
 * pleases, in each variant differently.  Dropping them at once is one of the
 * allowed outcomes, and the same for all.
 */
static void free_now(struct task *t)
{
	const uint64_t *a = t->call.args;

	task_inject(t, SYS_madvise, a[0], a[1], MADV_DONTNEED, 0, 0, 0);
}

void madvise_done(struct taskset *s, int64_t ret)
{
	const uint64_t *a = s->t[LEADER].call.args;
	int advice = (int)a[2];

	if (mon.live == 1u << LEADER) {
		set_finish(s, ret);
		return;
	}
	if (only_advice(advice)) {
		for_each_follower(v)
			set_follower_exec(s, v);
	} else {
		/* a hole in the file, made by way of a mapping */
		if (!ret && advice == MADV_REMOVE)
			make_writable(s, a[0], a[1]);
		if (!followers_same(s, ret, "madvise worked in one variant "
				    "only"))
			return;
		if (!ret && advice == MADV_FREE)
			for_each_variant(v)
				free_now(&s->t[v]);
	}
	set_finish(s, ret);
}

/*
 * process_madvise of oneself, which may give any advice (from Linux 6.13 on): it is a
 * madvise for each range, up to the first that fails.
 */
#define MOST_RANGES 1024u	/* UIO_MAXIOV */
#define MOST_BYTES 0x7ffff000ull	/* MAX_RW_COUNT, in all */

/* One range, ranges[v] in variant v. 0, the leader's error, or 1: the run is over. */
static int64_t advise(struct taskset *s, uint64_t at[MAX_VARIANTS][2], int advice)
{
	uint64_t start[MAX_VARIANTS] = { 0 }, len = at[LEADER][1];
	int64_t ret, r;

	for_each_variant(v) {
		start[v] = at[v][0];
		if (at[v][1] == len &&
		    !mem_protected(s->proc->mm, v, start[v],
				   len + start[v] % PAGE))
			continue;
		refuse(s, "the range covers pages of the monitor");
		return -EPERM;
	}
	if (!only_advice(advice))
		text_touched_at(s, start, len);
	ret = task_inject(&s->t[LEADER], SYS_madvise, start[LEADER], len,
			  (uint64_t)advice, 0, 0, 0);
	/* its death is what counts */
	if (ret == -ESRCH)
		return 1;
	if (!ret && advice == MADV_REMOVE)
		make_writable(s, start[LEADER], len);
	for_each_follower(v) {
		r = task_inject(&s->t[v], SYS_madvise, start[v], len,
				(uint64_t)advice, 0, 0, 0);
		if (r != ret && r != -ESRCH && !only_advice(advice) &&
		    !mem_diverge(s, v, ret, r, "process_madvise worked in one "
				 "variant only"))
			return 1;
	}
	if (!ret && advice == MADV_FREE && mon.live != 1u << LEADER)
		for_each_variant(v)
			task_inject(&s->t[v], SYS_madvise, start[v], len,
				    MADV_DONTNEED, 0, 0, 0);
	return ret;
}

static void advise_oneself(struct taskset *s)
{
	static struct iovec range[MAX_VARIANTS][MOST_RANGES];
	const uint64_t *a = s->t[LEADER].call.args;
	uint32_t n = (uint32_t)a[2];
	uint64_t at[MAX_VARIANTS][2] = { { 0 } }, done = 0;
	int64_t r = 0;

	for_each_variant(v)
		if (mem_read(&s->t[v], range[v], s->t[v].call.args[1],
			     n * sizeof(range[v][0])) < 0) {
			set_finish(s, -EFAULT);
			return;
		}
	/* before any of them is looked at (import_iovec() in lib/iov_iter.c) */
	for (uint32_t i = 0; i < n; i++)
		if ((ssize_t)range[LEADER][i].iov_len < 0) {
			set_finish(s, -EINVAL);
			return;
		}
	for (uint32_t i = 0; i < n && !r; i++) {
		for_each_variant(v) {
			at[v][0] = (uintptr_t)range[v][i].iov_base;
			at[v][1] = range[v][i].iov_len;
			if (at[v][1] > MOST_BYTES - done)
				at[v][1] = MOST_BYTES - done;
		}
		r = at[LEADER][1] ? advise(s, at, (int)a[3]) : 0;
		if (r > 0)
			return;
		done += r ? 0 : at[LEADER][1];
	}
	set_finish(s, done ? (int64_t)done : r);
}

/*
 * Advice may concern any process, and only the leader's exist for the program.
 */
void process_madvise_start(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	int advice = (int)a[3];
	int64_t r;

	if (only_advice(advice)) {
		set_leader_go(s);
		return;
	}
	/* an advice nobody knows: the errors that come before EINVAL do */
	r = task_inject(&s->t[LEADER], SYS_process_madvise, a[0], a[1], a[2],
			NO_ADVICE, a[4], 0);
	/* the kernel allows more about no ranges at all: it is the caller itself */
	if (r == -EINVAL && (uint32_t)a[2] <= MOST_RANGES &&
	    advice != MADV_HWPOISON && advice != MADV_SOFT_OFFLINE &&
	    !task_inject(&s->t[LEADER], SYS_process_madvise, a[0], a[1], 0,
			 MADV_DONTNEED, a[4], 0))
		advise_oneself(s);
	else
		set_finish(s, r);
}

/* ---- msync ---- */

void msync_start(struct taskset *s)
{
	set_leader_go(s);
}

void msync_done(struct taskset *s, int64_t ret)
{
	/*
	 * The file is the leader's; a follower has a copy in memory or a
	 * mapping it cannot write.  What is left to agree on is whether the
	 * range is mapped, which MS_ASYNC tests without any transfer.
	 */
	if (ret && ret != -ENOMEM) {
		set_finish(s, ret);
		return;
	}
	for_each_follower(v) {
		struct task *t = &s->t[v];
		const uint64_t *a = t->call.args;
		int64_t r = task_inject(t, SYS_msync, a[0], a[1], MS_ASYNC,
					0, 0, 0);

		if (r == -ESRCH || r == ret)
			continue;
		if (!mem_diverge(s, v, ret, r, "the range of msync is mapped "
				 "in one variant only"))
			return;
	}
	set_finish(s, ret);
}

/* ---- brk ---- */

static int64_t inject_brk(struct task *t, uint64_t to)
{
	return task_inject(t, SYS_brk, to, 0, 0, 0, 0, 0);
}

void brk_start(struct taskset *s)
{
	uint64_t *known = s->proc->mm->brk;
	int64_t ret[MAX_VARIANTS] = { 0 };
	bool ok = true;

	/* in-process it is moved without our knowledge */
	if (s->proc->mm->fast)
		memset(known, 0, MAX_VARIANTS * sizeof(*known));
	for_each_variant(v) {
		struct task *t = &s->t[v];
		uint64_t want = t->call.args[0];

		/* the break to return to, should a later variant fail */
		if (!known[v] && want) {
			ret[v] = inject_brk(t, 0);
			if (ret[v] > 0)
				known[v] = (uint64_t)ret[v];
		}
		if (!ok) {
			ret[v] = (int64_t)known[v];
			continue;
		}
		ret[v] = inject_brk(t, want);
		if (want && ret[v] != -ESRCH && (uint64_t)ret[v] != want) {
			ok = false;
			for_each_variant(u) {
				if (u >= v)
					break;
				ret[u] = inject_brk(&s->t[u], known[u]);
			}
		}
	}
	for_each_variant(v)
		known[v] = ret[v] > 0 ? (uint64_t)ret[v] : 0;
	set_finish_each(s, ret);
}
