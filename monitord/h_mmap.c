// SPDX-License-Identifier: Apache-2.0
/*
 * mmap and mremap.
 *
 * Theory of operation
 * -------------------
 * The leader maps first, where it likes.  A follower's mapping is then placed
 * so that its address space has the same shape as the leader's, moved by
 * mm->delta[v]: a mapping the kernel put at A goes to A + delta[v].  Delta is a
 * multiple of 4 GiB, so code that looks at alignment (malloc arenas,
 * allocators that trim to 2 MiB or 4 MiB, ...) does the same thing
 * everywhere, and mappings that touch in one variant touch in all.
 *
 *	program gave MAP_FIXED		own arguments as they are
 *	the leader got its hint		follower gets its own hint, or below
 *					IPMON_MEMORY_LOW what the leader got
 *	else				leader's address + delta
 *
 * Nothing is ever replaced by that (MAP_FIXED_NOREPLACE).  When the place is
 * taken, the kernel chooses one: the program still works, only the shapes
 * differ from there on.
 *
 * Files.  A follower has no descriptor of its own.  monitord takes the
 * leader's, passes it on for this one mapping and closes it there again.
 * Which file a follower maps:
 *
 *	private				the file; its shadow if it has a hot one
 *	shared, may be written		the follower's shadow (shadow.c)
 *	shared, read-only		the file, unless its shadow is hot
 *
 * A follower that maps the file itself sees there what the leader has written to
 * it, by a call and perhaps earlier than the follower would: databases read
 * through a mapping and write through the descriptor.  So once a process has
 * mapped a file by a descriptor that can write, its leader waits before such
 * calls, and before it unlocks, whatever the policy (IPMON_CTX_WAIT).
 *
 * The dynamic linker maps each library three to five times in a row (always
 * with MAP_DENYWRITE, which means nothing to the kernel).  For these, a
 * re-opened read-only description is passed and left open in the follower
 * until the next library comes: one slot per process.  It pins nothing the
 * mapping does not pin, it has no locks (its description is not the
 * program's), is close-on-exec, and the program cannot see it.
 *
 * Devices are refused (ENODEV) as soon as there are two variants: memory a
 * device writes to is input that cannot be replicated.  /dev/zero is memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include <ipmon/gate_rules.h>

#include "divergence.h"
#include "fast.h"
#include "fast_mem.h"
#include "h_memory.h"
#include "patch.h"
#include "procview.h"
#include "shadow.h"
#include "tracee.h"

#define PAGE 4096ull
#define TYPE(flags) ((flags) & 0x0f)
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define USER_TOP 0x7ffffffff000ull

static bool is_shared(unsigned int flags)
{
	return TYPE(flags) == MAP_SHARED || TYPE(flags) == MAP_SHARED_VALIDATE;
}

static uint64_t page_up(uint64_t n)
{
	return (n + PAGE - 1) & ~(PAGE - 1);
}

/* ---- placing ---- */

int64_t mem_place(struct task *t, uint64_t target, uint64_t len,
		  unsigned int prot, unsigned int flags, int fd, uint64_t off)
{
	int64_t r = -EEXIST;

	if (target && len < USER_TOP && target <= USER_TOP - len)
		r = task_inject(t, SYS_mmap, target, len, prot,
				flags | MAP_FIXED_NOREPLACE, (uint64_t)fd, off);
	if (r == -EEXIST || r == -EPERM)
		r = task_inject(t, SYS_mmap, 0, len, prot, flags,
				(uint64_t)fd, off);
	return r;
}

static int64_t place(struct taskset *s, unsigned int v, int64_t leader,
		     uint64_t len, unsigned int flags, int fd)
{
	struct task *t = &s->t[v];
	const uint64_t *a = t->call.args;
	uint64_t hint = s->t[LEADER].call.args[0];
	uint64_t target = (uint64_t)leader + (uint64_t)s->proc->mm->delta[v];
	int64_t r;

	/* The leader's kernel has looked at the flags.  With this type a
	 * follower's would refuse MAP_FIXED_NOREPLACE. */
	if (TYPE(flags) == MAP_SHARED_VALIDATE)
		flags ^= MAP_SHARED_VALIDATE ^ MAP_SHARED;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		return task_inject(t, SYS_mmap, a[0], len, a[2], flags,
				   (uint64_t)fd, a[5]);
	/* the kernel rounds hints down */
	if (hint && (uint64_t)leader == (hint & ~(PAGE - 1))) {
		r = task_inject(t, SYS_mmap, a[0] & ~(PAGE - 1), len, a[2],
				flags | MAP_FIXED_NOREPLACE, (uint64_t)fd,
				a[5]);
		/*
		 * Programs ask for low addresses to be near their code, which
		 * need not be moved by delta: where the leader is will do.
		 */
		if (r == -EEXIST && (uint64_t)leader < IPMON_MEMORY_LOW)
			r = task_inject(t, SYS_mmap, (uint64_t)leader, len, a[2],
					flags | MAP_FIXED_NOREPLACE,
					(uint64_t)fd, a[5]);
		if (r != -EEXIST)
			return r;
	}
	if (flags & MAP_32BIT)
		return mem_place_low(s, v, (uint64_t)leader, len, flags, fd);
	return mem_place(t, target, len, (unsigned int)a[2], flags, fd, a[5]);
}

/* ---- the descriptor for a follower's mapping ---- */

/* The linker's present library in one process of one follower. */
struct libfd {
	unsigned int mm;		/* id of the address space (an exec
					 * closes the descriptor), 0 = free */
	unsigned int set;		/* id of the thread that received it */
	dev_t dev;
	ino_t ino;
	int fd[MAX_VARIANTS];		/* in the follower, -1 = none */
};
#define LIBFDS 64

static struct libfd libfds[LIBFDS];

static struct libfd *libfd_find(const struct proc *p)
{
	struct libfd *l = &libfds[p->mm->id % LIBFDS];

	return l->mm == p->mm->id ? l : NULL;
}

static void libfd_drop(struct taskset *s, struct libfd *l)
{
	/* another thread's table may be another one: leave it alone */
	if (l->set == s->id)
		for_each_follower(v)
			if (l->fd[v] >= 0)
				task_inject(&s->t[v], SYS_close,
					    (uint64_t)l->fd[v], 0, 0, 0, 0, 0);
	l->mm = 0;
}

/* What one file mapping needs, resolved once for all followers. */
struct backing {
	int fd;			/* monitord's copy of the leader's, or -1 */
	struct stat st;
	bool writable;		/* the descriptor allows PROT_WRITE later */
	bool zero;		/* /dev/zero */
	bool lib;		/* the linker's: keep it for the next one */
	struct shadow *sh;	/* to be mapped (hot) or recorded (cold) */
};

static bool sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals > 0 && seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
}

/* Use another, read-only description of the same file. */
static bool reopen(struct backing *b)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", b->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return false;
	close(b->fd);
	b->fd = fd;
	return true;
}

/*
 * The linker's library is mapped once more, by a descriptor that can only read:
 * followers have all it needs.
 */
static bool lib_again(struct taskset *s, struct backing *b)
{
	const uint64_t *a = s->t[LEADER].call.args;
	const struct libfd *l = libfd_find(s->proc);
	struct stat link;
	char path[64];

	if (!l || l->set != s->id || is_shared((unsigned int)a[3]) ||
	    !(a[3] & MAP_DENYWRITE))
		return false;
	for_each_follower(v)
		if (l->fd[v] < 0)
			return false;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)s->t[LEADER].tid,
		 (int)a[4]);
	/* the link's mode is the descriptor's */
	if (stat(path, &b->st) < 0 || b->st.st_dev != l->dev ||
	    b->st.st_ino != l->ino || lstat(path, &link) < 0 ||
	    link.st_mode & S_IWUSR)
		return false;
	b->sh = shadow_find(&b->st, false);
	if (b->sh) {
		shadow_release(b->sh);
		b->sh = NULL;
		return false;
	}
	b->lib = true;
	return true;
}

/* 0 or -errno. */
static int resolve(struct taskset *s, struct backing *b)
{
	const uint64_t *a = s->t[LEADER].call.args;
	unsigned int flags = (unsigned int)a[3];
	bool shared = is_shared(flags);

	memset(b, 0, sizeof(*b));
	b->fd = leader_getfd(s, (int)a[4]);
	if (b->fd < 0)
		return b->fd;
	if (fstat(b->fd, &b->st) < 0)
		return -errno;
	b->zero = S_ISCHR(b->st.st_mode);
	if (b->zero)
		return 0;
	b->writable = (fcntl(b->fd, F_GETFL) & O_ACCMODE) == O_RDWR &&
		      !sealed(b->fd);
	if (!shared) {
		b->sh = shadow_find(&b->st, false);
		if (b->sh && !shadow_is_hot(b->sh)) {
			shadow_release(b->sh);
			b->sh = NULL;
		}
	} else {
		b->sh = shadow_find(&b->st, true);
		if (!b->sh)
			return -ENOMEM;
		/*
		 * Not to be written yet: the file itself, in a way that cannot
		 * be made writable, and a shadow once that is asked for.
		 */
		if (b->writable)
			shadow_pin(b->sh, b->fd);
		if (shadow_is_hot(b->sh)) {
			int r = shadow_turn_over(s, b->sh);

			if (r < 0)
				return r;
		} else if (b->writable && (a[2] & PROT_WRITE || !reopen(b))) {
			int r = shadow_heat(s, b->sh, b->fd);

			if (r < 0)
				return r;
		}
	}
	/* the linker's */
	if (!b->sh && flags & MAP_DENYWRITE && S_ISREG(b->st.st_mode))
		b->lib = reopen(b);
	return 0;
}

/* Bring the right descriptor into follower v: its number there or -errno.
 * *keep: do not close it after the mapping. */
static int pass(struct taskset *s, unsigned int v, struct backing *b,
		bool *keep)
{
	struct libfd *l = libfd_find(s->proc);
	int fd, r;

	*keep = false;
	if (b->sh && shadow_is_hot(b->sh)) {
		bool rw = b->writable &&
			is_shared((unsigned int)s->t[v].call.args[3]);

		fd = shadow_fd(b->sh, v, rw);
		if (fd < 0)
			return fd;
		r = task_send_fd(&s->t[v], fd);
		close(fd);
		return r;
	}
	if (b->lib && l && l->set == s->id && l->dev == b->st.st_dev &&
	    l->ino == b->st.st_ino && l->fd[v] >= 0) {
		*keep = true;
		return l->fd[v];
	}
	r = task_send_fd(&s->t[v], b->fd);
	if (r >= 0 && b->lib && l && l->fd[v] < 0) {
		l->fd[v] = r;
		*keep = true;
	}
	return r;
}

/* Make the process' slot ready for this library. */
static void libfd_prepare(struct taskset *s, const struct backing *b)
{
	struct libfd *l = libfd_find(s->proc);

	/* one thread only: then its table is the process' table */
	if (LIST_NEXT(LIST_FIRST(&s->proc->sets), in_proc))
		return;
	if (l && l->set == s->id && l->dev == b->st.st_dev &&
	    l->ino == b->st.st_ino)
		return;
	if (l)
		libfd_drop(s, l);
	l = &libfds[s->proc->mm->id % LIBFDS];
	/* a collision loses the other process' slot, and leaks one
	 * descriptor there until it execs or ends */
	l->mm = s->proc->mm->id;
	l->set = s->id;
	l->dev = b->st.st_dev;
	l->ino = b->st.st_ino;
	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		l->fd[v] = -1;
}

/* ---- mmap ---- */

/* Not one of the objects that the kernel does not map either. */
static bool mappable_object(const char *path)
{
	static const char *const plain[] = {
		"[event", "[signalfd]", "[timerfd]", "[pidfd]", "inotify",
		"[fanotify]",
	};
	char link[128];
	ssize_t n = readlink(path, link, sizeof(link) - 1);

	if (n < 0)
		return true;
	link[n] = '\0';
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (!strncmp(link, "anon_inode:", 11) &&
		    !strncmp(link + 11, plain[i], strlen(plain[i])))
			return false;
	return true;
}

/* A reason to refuse this file mapping, or NULL. */
static const char *refused(const struct taskset *s, const struct stat *st,
			   const char *path, unsigned int flags, bool *say_so)
{
	struct statfs fs;
	unsigned int n;

	*say_so = true;
	if (view_is(st)) {
		*say_so = false;
		return "a file of /proc cannot be mapped";
	}
	if (mon.live == 1u << LEADER)
		return NULL;
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		break;
	case S_IFBLK:
		return is_shared(flags) ? "shared mapping of a block device" :
			NULL;
	case S_IFCHR:
		/* zero is memory; null, full, the random numbers and terminals the
		 * kernel refuses itself, and looks at the other arguments first */
		n = minor(st->st_rdev);
		if (major(st->st_rdev) == 1 ? n == 3 || n == 5 || n >= 7 :
		    major(st->st_rdev) == 5 || major(st->st_rdev) == 136)
			return NULL;
		return "mapping of a device";
	case S_IFDIR:
	case S_IFIFO:
		return NULL;
	case S_IFSOCK:
		*say_so = false;
		return "mapping of a socket";
	default:
		*say_so = mappable_object(path);
		return "mapping of a kernel object";
	}
	/* PCI resources and the like are regular files in sysfs */
	if (is_shared(flags) && !statfs(path, &fs) &&
	    (fs.f_type == SYSFS_MAGIC || fs.f_type == DEBUGFS_MAGIC))
		return "mapping of a device's file in sysfs";
	return NULL;
}

/*
 * Nothing shall ever be in this range: what the monitor has there may stay, as the
 * program cannot tell that from what it asked for, unless it touches it.
 */
static bool nothing_there(const uint64_t *a)
{
	const uint64_t free = MAP_NORESERVE | MAP_STACK;

	return a[2] == PROT_NONE &&
	       (a[3] & ~free) == (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED);
}

static void mapped(struct taskset *s, const int64_t ret[MAX_VARIANTS],
		   const struct backing *b);

static void map_nothing(struct taskset *s)
{
	int64_t each[MAX_VARIANTS] = { 0 }, ret;

	text_touched(s, 0, s->t[LEADER].call.args[1]);
	if (!mem_call_around(s, &ret,
			     "this variant could not make the mapping"))
		return;
	for_each_variant(v)
		each[v] = ret ? ret : (int64_t)s->t[v].call.args[0];
	if (!ret) {
		fast_mem_add(s, s->t[LEADER].call.args[0],
			     s->t[LEADER].call.args[1]);
		mapped(s, each, NULL);
	}
	set_finish_each(s, each);
}

void mmap_start(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	unsigned int flags = (unsigned int)a[3];
	char path[64];
	struct stat st;
	bool valid;

	if (nothing_there(a) && mem_around(s, &valid)) {
		map_nothing(s);
		return;
	}
	if (flags & MAP_FIXED && !(flags & MAP_FIXED_NOREPLACE)) {
		if (a[0] & (PAGE - 1)) {
			set_leader_go(s);	/* EINVAL */
			return;
		}
		if (!mem_allowed(s, 0, a[1]))
			return;
	}
	if (flags & MAP_FIXED_NOREPLACE) {
		/* taken in one variant is taken in all */
		for_each_variant(v) {
			if (!mem_protected(s->proc->mm, v,
					   s->t[v].call.args[0], a[1]))
				continue;
			set_finish(s, -EEXIST);
			return;
		}
	}
	/* a single variant may map what it likes, but not a view */
	if (!(flags & MAP_ANONYMOUS) &&
	    (mon.live != 1u << LEADER || view_active())) {
		const char *why;
		bool say_so;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d",
			 (int)s->t[LEADER].tid, (int)a[4]);
		if (!stat(path, &st)) {
			why = refused(s, &st, path, flags, &say_so);
			if (why) {
				if (say_so)
					refuse(s, why);
				set_finish(s, mem_unmappable(s, path));
				return;
			}
		}
	}
	if (flags & MAP_FIXED && !(flags & MAP_FIXED_NOREPLACE))
		text_touched(s, 0, a[1]);
	set_leader_go(s);
}

/* After every variant has the mapping: remember what must be remembered. */
static void mapped(struct taskset *s, const int64_t ret[MAX_VARIANTS],
		   const struct backing *b)
{
	const uint64_t *a = s->t[LEADER].call.args;
	unsigned int flags = (unsigned int)a[3];
	uint64_t len = page_up(a[1]);
	bool shared = is_shared(flags);

	if (a[2] & PROT_EXEC)
		text_mapped(s, ret, len, b && !shared &&
			    !(a[2] & PROT_WRITE));
	if (flags & MAP_FIXED)
		shadow_unmap(s->proc->mm, (uint64_t)ret[LEADER], len);
	if (b && b->writable && S_ISREG(b->st.st_mode) &&
	    !(b->sh && shadow_is_hot(b->sh)))
		fast_live_file(s);
	if (!shared)
		return;
	if (b && b->sh) {
		struct shadow_region r = {
			.len = len, .base = (uint64_t)ret[LEADER],
			.offset = a[5], .writable = b->writable, .sh = b->sh,
			.real = !shadow_is_hot(b->sh),
		};

		for (unsigned int v = 0; v < MAX_VARIANTS; v++)
			r.addr[v] = (uint64_t)ret[v];
		if (shadow_map(s->proc->mm, &r) < 0)
			say("out of memory: a shared mapping is not tracked");
	}
	if (flags & MAP_ANONYMOUS || !b || b->zero ||
	    (b->sh && shadow_is_hot(b->sh)))
		sched_share(s->proc);
}

/* The bytes a mapping of this file takes: hugetlbfs rounds up. */
static uint64_t real_length(const struct backing *b, uint64_t len)
{
	struct statfs fs;

	if (!b->sh || fstatfs(b->fd, &fs) < 0 ||
	    fs.f_type != HUGETLBFS_MAGIC || fs.f_bsize <= 0)
		return len;
	return (len + (uint64_t)fs.f_bsize - 1) / (uint64_t)fs.f_bsize *
	       (uint64_t)fs.f_bsize;
}

void mmap_done(struct taskset *s, int64_t ret)
{
	const uint64_t *a = s->t[LEADER].call.args;
	unsigned int flags = (unsigned int)a[3];
	int64_t each[MAX_VARIANTS] = { 0 };
	struct backing b = { .fd = -1 };
	bool file = !(flags & MAP_ANONYMOUS);
	uint64_t len = a[1];
	int r = 0;

	/* anything but fresh memory */
	if (!is_error(ret) && (file || is_shared(flags) ||
			       a[2] & PROT_EXEC || flags & MAP_FIXED))
		fast_mem_add(s, (uint64_t)ret, a[1]);
	else if (!is_error(ret))
		fast_mem_zone(s, (uint64_t)ret, a[1]);
	each[LEADER] = ret;
	if (is_error(ret) || mon.live == 1u << LEADER) {
		if (!is_error(ret) && a[2] & PROT_EXEC)
			text_mapped(s, each, len, file && !is_shared(flags) &&
				    !(a[2] & PROT_WRITE));
		set_finish(s, ret);
		return;
	}
	if (file && !lib_again(s, &b)) {
		r = resolve(s, &b);
		if (r >= 0 && b.lib)
			libfd_prepare(s, &b);
		if (r >= 0)
			len = real_length(&b, len);
		/* what only means something for the real file */
		if (b.sh && shadow_is_hot(b.sh))
			flags &= ~(unsigned int)(MAP_HUGETLB | MAP_SYNC);
	}
	for_each_follower(v) {
		struct task *t = &s->t[v];
		bool keep = true;
		int fd = -1;

		each[v] = r;
		if (r >= 0 && file) {
			fd = pass(s, v, &b, &keep);
			each[v] = fd;
		}
		if (each[v] >= 0) {
			each[v] = place(s, v, ret, len, flags, fd);
			if (!keep)
				task_inject(t, SYS_close, (uint64_t)fd,
					    0, 0, 0, 0, 0);
		}
		if (each[v] == -ESRCH)
			continue;
		if (is_error(each[v]) &&
		    !mem_diverge(s, v, ret, each[v],
				 "this variant could not make the mapping"))
			goto out;
	}
	mapped(s, each, file ? &b : NULL);
	set_finish_each(s, each);
out:
	if (b.sh)
		shadow_release(b.sh);
	if (b.fd >= 0)
		close(b.fd);
}

/* ---- mremap ---- */

void mremap_start(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;

	if (!mem_allowed(s, 0, a[1]))
		return;
	if (a[3] & MREMAP_FIXED && !mem_allowed(s, 4, a[2]))
		return;
	text_touched(s, 0, a[1]);
	if (a[3] & MREMAP_FIXED)
		text_touched(s, 4, a[2]);
	set_leader_go(s);
}

static int64_t inject_mremap(struct task *t, uint64_t from, uint64_t old,
			     uint64_t len, uint64_t flags, uint64_t to)
{
	return task_inject(t, SYS_mremap, from, old, len, flags, to, 0);
}

/* Move to `to` if it is free there, else wherever the kernel likes. */
static int64_t move_to(struct task *t, uint64_t to)
{
	const uint64_t *a = t->call.args;
	uint64_t len = page_up(a[2]);
	int64_t r = -EEXIST;

	/* MREMAP_FIXED replaces; hold the place first to see if it is free */
	if (len < USER_TOP && to <= USER_TOP - len)
		r = task_inject(t, SYS_mmap, to, len, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				MAP_FIXED_NOREPLACE, (uint64_t)-1, 0);
	if (!is_error(r) && (uint64_t)r == to) {
		r = inject_mremap(t, a[0], a[1], a[2], a[3] | MREMAP_FIXED |
				  MREMAP_MAYMOVE, to);
		if (!is_error(r))
			return r;
		task_inject(t, SYS_munmap, to, len, 0, 0, 0, 0);
	}
	return inject_mremap(t, a[0], a[1], a[2], a[3], 0);
}

static int64_t follow(struct taskset *s, unsigned int v, int64_t ret)
{
	struct task *t = &s->t[v];
	const uint64_t *a = t->call.args;
	uint64_t la = s->t[LEADER].call.args[0];
	int64_t r;

	if (a[3] & MREMAP_FIXED)
		return mem_own_call(s, v);
	if ((uint64_t)ret != la)
		return move_to(t, (uint64_t)ret +
			       (uint64_t)s->proc->mm->delta[v]);
	r = inject_mremap(t, a[0], a[1], a[2],
			  a[3] & ~(uint64_t)MREMAP_MAYMOVE, 0);
	/*
	 * No room here, although there was in the leader.  The result is each
	 * variant's own address, so a move is allowed if the program does.
	 */
	if (is_error(r) && a[3] & MREMAP_MAYMOVE)
		r = inject_mremap(t, a[0], a[1], a[2], a[3], 0);
	return r;
}

/* Growing in place failed in follower `upto`: nobody grows. */
static void undo(struct taskset *s, unsigned int upto)
{
	for_each_variant(v) {
		const uint64_t *a = s->t[v].call.args;

		if (v >= upto)
			break;
		inject_mremap(&s->t[v], a[0], a[2], a[1], 0, 0);
	}
}

static void moved(struct taskset *s, const int64_t ret[MAX_VARIANTS])
{
	const uint64_t *a = s->t[LEADER].call.args;
	struct mm *m = s->proc->mm;
	const struct shadow_region *old = shadow_at(m, a[0]);
	struct shadow_region r;

	if (a[3] & MREMAP_FIXED)
		shadow_unmap(m, a[4], page_up(a[2]));
	if (!old)
		return;
	r = *old;
	r.offset += a[0] - old->addr[LEADER];
	r.base += (uint64_t)ret[LEADER] - a[0];
	r.len = page_up(a[2]);
	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		r.addr[v] = (uint64_t)ret[v];
	if (!a[1] || a[3] & MREMAP_DONTUNMAP) {
		/* the old one stays */
	} else if ((uint64_t)ret[LEADER] != a[0]) {
		/* first the new region, lest the shadow be dropped */
		if (shadow_map(m, &r) < 0)
			die("out of memory");
		shadow_unmap(m, a[0], page_up(a[1]));
		return;
	} else if (r.len <= page_up(a[1])) {
		shadow_unmap(m, a[0] + r.len, page_up(a[1]) - r.len);
		return;
	} else {
		/* grown in place: the part that is new */
		uint64_t had = page_up(a[1]);

		for (unsigned int v = 0; v < MAX_VARIANTS; v++)
			r.addr[v] += had;
		r.offset += had;
		r.len -= had;
	}
	if (shadow_map(m, &r) < 0)
		die("out of memory");
}

void mremap_done(struct taskset *s, int64_t ret)
{
	const uint64_t *a = s->t[LEADER].call.args;
	int64_t each[MAX_VARIANTS] = { 0 };

	/* in-process it was not, so it may be something we know */
	if (!is_error(ret))
		fast_mem_add(s, (uint64_t)ret, a[2]);
	if (is_error(ret) || mon.live == 1u << LEADER) {
		set_finish(s, ret);
		return;
	}
	each[LEADER] = ret;
	for_each_follower(v) {
		each[v] = follow(s, v, ret);
		if (each[v] == -ESRCH || !is_error(each[v]))
			continue;
		if (each[v] == -ENOMEM && (uint64_t)ret == a[0] &&
		    !(a[3] & MREMAP_MAYMOVE) && page_up(a[2]) > page_up(a[1])) {
			undo(s, v);
			set_finish(s, -ENOMEM);
			return;
		}
		if (!mem_diverge(s, v, ret, each[v],
				 "this variant could not move the mapping"))
			return;
	}
	moved(s, each);
	set_finish_each(s, each);
}
