// SPDX-License-Identifier: Apache-2.0
/*
 * Variants that do not all load the same code: another build of the program, or
 * another allocator (Path=, Preload= of monitord.conf).
 *
 * Theory of operation
 * -------------------
 * What such variants ask the world for is the same; what they do to get
 * themselves going is not.  Three things are a variant's own:
 *
 * Linking.  From execve until libipmon registers only the dynamic linker runs:
 * libipmon's constructor is the first of all.  It looks for files, reads them
 * and maps them, for each variant others.  All this every variant does alone, in
 * its own process and with descriptors of its own, which it has closed again
 * when it registers; nothing but reading regular files and arranging its own
 * memory is done that way (link_call).  The rest, which is the same in all
 * (arch_prctl, set_tid_address, ...), is compared as ever.  At the registration,
 * what has been mapped by all is looked at for rdtsc (tsc_linked).
 *
 * Memory.  Calls on a variant's own memory are made alone where variants differ
 * in them; solo.c does that for all programs, here without a bound and with more
 * kinds of calls, and failure of one variant alone is its own affair.
 *
 * Looking around.  Allocators ask how many processors there are and how memory
 * is managed, and draw random seeds.  A variant may read the files
 * listed below alone (its allocator need not be one of Preload=: the program's
 * own may look around, when it is another variant that has been given one): monitord reads them, and what the variant has is a
 * number that is no descriptor, so that nothing is different for descriptors
 * that are the program's.  When all variants ask for the same it counts as the
 * program's question.
 *
 * None of this lets anything out, and what comes in are files that are the same
 * for everybody on the machine.
 *
 * Threads: an allocator's lock is held in the variants that have that allocator
 * only, so another thread that wants it would sleep in these only.  Therefore
 * the turn (sched.c) is never given away at calls on memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/futex.h>
#include <unistd.h>

#include "h_memory.h"
#include "own.h"
#include "placement.h"
#include "shadow.h"
#include "tracee.h"
#include "tsc.h"
#include "launch.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

static bool has_own(unsigned int v)
{
	return mon.opt.preload[v] || mon.opt.variant_path[v];
}

/* ---- linking ---- */

#define LINK_FDS 8u

/* Descriptors of the image that is being linked, by process and variant: there
 * are few images at a time in this state. */
struct linking {
	unsigned int mm;
	int fd[MAX_VARIANTS][LINK_FDS];
};
static struct linking linking[16];

static struct linking *linking_of(const struct taskset *s)
{
	struct linking *l = &linking[s->proc->mm->id % 16];

	return l->mm == s->proc->mm->id ? l : NULL;
}

void own_begin(struct taskset *s)
{
	struct linking *l = &linking[s->proc->mm->id % 16];

	s->proc->mm->linking = true;
	/* whose entry this was has lost it: rendezvous for what it has open */
	l->mm = s->proc->mm->id;
	memset(l->fd, -1, sizeof(l->fd));
}

static int *link_fd(const struct task *t, uint64_t fd)
{
	struct linking *l = linking_of(t->set);

	for (unsigned int i = 0; l && i < LINK_FDS; i++)
		if (l->fd[t->variant][i] == (int)fd)
			return &l->fd[t->variant][i];
	return NULL;
}

/* A regular file, or nothing at all: opening it does nothing. */
static bool plain_file(const struct task *t, uint64_t addr)
{
	char path[4096 + 64];
	struct stat st;
	int n = snprintf(path, sizeof(path), "/proc/%d/root", (int)t->tid);
	long len = mem_strnlen((struct task *)t, addr, 4096);

	if (len <= 0 || len >= 4096 ||
	    mem_read((struct task *)t, path + n, addr, (size_t)len + 1))
		return false;
	if (path[n] != '/') {
		char rest[4096];

		memcpy(rest, path + n, (size_t)len + 1);
		snprintf(path, sizeof(path), "/proc/%d/cwd/%s", (int)t->tid,
			 rest);
	}
	return stat(path, &st) < 0 || S_ISREG(st.st_mode);
}

static bool link_map(const struct task *t, const uint64_t *a)
{
	const struct mm *mm = t->set->proc->mm;

	if ((a[3] & MAP_TYPE) != MAP_PRIVATE ||
	    (a[3] & MAP_ANONYMOUS && a[2] & PROT_EXEC) ||
	    (!(a[3] & MAP_ANONYMOUS) && !link_fd(t, a[4])))
		return false;
	return !(a[3] & MAP_FIXED) ||
		!mem_protected(mm, t->variant, a[0], a[1]);
}

static bool link_call(const struct task *t)
{
	const struct mm *mm = t->set->proc->mm;
	const uint64_t *a = t->call.args;

	if (t->call.no_tracer)
		return false;
	switch (t->call.nr) {
	case SYS_openat:
		return (int)a[0] == AT_FDCWD &&
			(int)a[2] == (O_RDONLY | O_CLOEXEC) &&
			link_fd(t, (uint64_t)-1) && plain_file(t, a[1]);
	case SYS_newfstatat:
		return (int)a[0] == AT_FDCWD || link_fd(t, a[0]);
	case SYS_access:
	case SYS_readlink:
		return true;
	case SYS_read:
	case SYS_pread64:
	case SYS_fstat:
	case SYS_close:
		return (int)a[0] >= 0 && link_fd(t, a[0]);
	case SYS_mmap:
		return link_map(t, a);
	case SYS_mprotect:
	case SYS_munmap:
		return !mem_protected(mm, t->variant, a[0], a[1]);
	case SYS_brk:
		return true;
	default:
		return false;
	}
}

bool own_link(struct task *t)
{
	struct taskset *s = t->set;
	struct mm *mm = s->proc->mm;
	uint64_t nr = t->call.nr;
	int64_t ret;
	int *fd;

	if (!mm->linking || s->state != SET_RUN || s->redo || !link_call(t))
		return false;
	ret = task_exec(t, nr, t->call.args);
	if (t->at != AT_EXIT)
		return true;
	if (nr == SYS_openat && ret >= 0) {
		fd = link_fd(t, (uint64_t)-1);
		*fd = (int)ret;
	} else if (nr == SYS_close) {
		fd = link_fd(t, t->call.args[0]);
		*fd = -1;
	} else if (nr == SYS_brk) {
		mm->brk[t->variant] = 0;
	}
	mon.count.solo++;
	s->t_run = mon.now;
	task_finish(t, ret);
	task_resume(t, PTRACE_CONT, 0);
	return true;
}

void own_linked(struct taskset *s)
{
	struct linking *l = linking_of(s);

	if (!s->proc->mm->linking)
		return;
	s->proc->mm->linking = false;
	/* none, unless the linker has been stopped half-way */
	for_each_follower(v)
		for (unsigned int i = 0; l && i < LINK_FDS; i++)
			if (l->fd[v][i] >= 0)
				task_inject(&s->t[v], SYS_close,
					    (uint64_t)l->fd[v][i], 0, 0, 0, 0,
					    0);
	if (l)
		l->mm = 0;
	tsc_linked(s);
}

/* ---- looking around ---- */

static const struct {
	const char *path;
	bool prefix;			/* what is below it */
} around[] = {
	{ "/proc/sys/vm/overcommit_memory" },
	{ "/sys/kernel/mm/transparent_hugepage/", true },
	{ "/sys/kernel/mm/hugepages/", true },
	{ "/sys/devices/system/cpu/", true },
	{ "/sys/devices/system/node/", true },
	{ "/proc/cpuinfo" },
	{ "/proc/meminfo" },
	{ "/etc/malloc.conf" },
};

static bool read_path(const struct task *t, uint64_t addr, char path[128])
{
	long n = mem_strnlen((struct task *)t, addr, 127);

	return n > 0 && n < 127 &&
		!mem_read((struct task *)t, path, addr, (size_t)n + 1);
}

static bool is_around(const struct task *t, uint64_t addr)
{
	char path[128];

	if (!read_path(t, addr, path) || strstr(path, ".."))
		return false;
	for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++)
		if (around[i].prefix ?
		    !strncmp(path, around[i].path, strlen(around[i].path)) :
		    !strcmp(path, around[i].path))
			return true;
	return false;
}

/* A file that is read by monitord for a variant; the number it has of it is no
 * descriptor's and, like all that are so high, left to monitord by IP-MON. */
#define FILES		32u
#define FILE_NUMBER	0x7fffff00u
#define FILE_SIZE	65536u

static struct own_file {
	unsigned int proc;		/* its id, 0 = free */
	unsigned int variant;
	size_t size, pos;
	char *text;
} files[FILES];

static struct own_file *file_of(const struct task *t, uint64_t number)
{
	uint32_t i = (uint32_t)number - FILE_NUMBER;

	return i < FILES && files[i].proc == t->set->proc->id &&
		files[i].variant == t->variant ? &files[i] : NULL;
}

static int64_t file_open(struct task *t, uint64_t addr)
{
	static unsigned int next;
	struct own_file *f = NULL;
	char path[128];
	ssize_t n;
	int fd;

	if (!read_path(t, addr, path))
		return -EFAULT;
	for (unsigned int i = 0; !f && i < FILES; i++)
		if (!files[i].proc)
			f = &files[i];
	/* somebody has died, or never closes */
	if (!f)
		f = &files[next++ % FILES];
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	free(f->text);
	*f = (struct own_file){ .text = malloc(FILE_SIZE) };
	n = f->text ? 0 : -1;
	while (f->text && f->size < FILE_SIZE &&
	       (n = read(fd, f->text + f->size, FILE_SIZE - f->size)) > 0)
		f->size += (size_t)n;
	if (n < 0) {
		int e = errno;

		close(fd);
		return -e;
	}
	close(fd);
	f->proc = t->set->proc->id;
	f->variant = t->variant;
	return (int64_t)(FILE_NUMBER + (uint64_t)(f - files));
}

static int64_t file_read(struct task *t, struct own_file *f)
{
	const uint64_t *a = t->call.args;
	size_t n = f->size - f->pos;

	if (a[2] < n)
		n = (size_t)a[2];
	if (n && mem_write(t, a[1], f->text + f->pos, n))
		return -EFAULT;
	f->pos += n;
	return (int64_t)n;
}

static int64_t file_close(struct own_file *f)
{
	free(f->text);
	*f = (struct own_file){ 0 };
	return 0;
}

static bool reads_only(uint64_t flags)
{
	return !((int)flags & ~(O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

/* Calls about a file that only one variant has. */
static bool file_call(const struct task *t)
{
	if (t->call.no_tracer)
		return false;
	switch (t->call.nr) {
	case SYS_read:
	case SYS_close:
	case SYS_fstat:
	case SYS_newfstatat:
		return file_of(t, t->call.args[0]);
	default:
		return false;
	}
}

static bool look_call(const struct task *t)
{
	const uint64_t *a = t->call.args;

	switch (t->call.nr) {
	case SYS_open:
		return reads_only(a[1]) && is_around(t, a[0]);
	case SYS_openat:
		return reads_only(a[2]) && is_around(t, a[1]);
	case SYS_access:
	case SYS_readlink:
	case SYS_stat:
		return is_around(t, a[0]);
	case SYS_readlinkat:
	case SYS_faccessat:
	case SYS_faccessat2:
		return is_around(t, a[1]);
	case SYS_sched_getaffinity:
		return !a[0] || (pid_t)a[0] == t->set->vtid;
	case SYS_getrandom:
		/* others' are the program's: all must get the same */
		return has_own(t->variant) && a[1] <= 256 &&
			a[2] & GRND_NONBLOCK;
	case SYS_sched_yield:
		return true;
	default:
		return file_call(t);
	}
}

/* ---- memory ---- */

static bool memory_call(const struct task *t)
{
	const struct mm *mm = t->set->proc->mm;
	const uint64_t *a = t->call.args;

	switch (t->call.nr) {
	case SYS_mmap:
		/* over memory of its own: taking it into use, or out of it */
		return a[3] & MAP_ANONYMOUS && a[3] & MAP_FIXED &&
			(a[3] & MAP_TYPE) == MAP_PRIVATE &&
			!(a[2] & PROT_EXEC) &&
			!mem_protected(mm, t->variant, a[0], a[1]) &&
			!shadow_touches(mm, t->variant, a[0], a[1]);
	case SYS_prctl:
		return (int)a[0] == PR_SET_VMA;
	case SYS_futex:
		return ((int)a[1] & ~FUTEX_PRIVATE_FLAG) == FUTEX_WAKE;
	default:
		return false;
	}
}

bool own_look(const struct task *t)
{
	return mon.opt.diverse && look_call(t);
}

bool own_call(const struct task *t)
{
	if (!mon.opt.diverse || !t->set->proc->mm)
		return false;
	return memory_call(t) || own_look(t);
}

int64_t own_make(struct task *t)
{
	const uint64_t *a = t->call.args;
	struct own_file *f;
	int64_t ret;

	switch (t->call.nr) {
	case SYS_open:
		return file_open(t, a[0]);
	case SYS_openat:
		return file_open(t, a[1]);
	case SYS_futex:
		/* nobody sleeps in a follower */
		return t->variant == LEADER ?
			task_exec(t, t->call.nr, a) : 0;
	case SYS_sched_yield:
		return 0;
	case SYS_sched_getaffinity:
		ret = task_exec(t, t->call.nr,
				(const uint64_t[6]){ 0, a[1], a[2] });
		if (t->at == AT_EXIT)
			affinity_shown(t, a[2], ret);
		return ret;
	default:
		break;
	}
	f = file_call(t) ? file_of(t, a[0]) : NULL;
	if (!f)
		return task_exec(t, t->call.nr, a);
	if (t->call.nr == SYS_read)
		return file_read(t, f);
	return t->call.nr == SYS_close ? file_close(f) : -EBADF;
}

bool own_at_once(struct task *t)
{
	struct taskset *s = t->set;
	int64_t ret;

	if (!mon.opt.diverse || s->state != SET_RUN || s->redo ||
	    !s->proc->mm || !file_call(t))
		return false;
	ret = own_make(t);
	mon.count.solo++;
	s->t_run = mon.now;
	task_finish(t, ret);
	task_resume(t, PTRACE_CONT, 0);
	return true;
}

/* ---- threads ---- */

static void drop_stack_size(struct task *t, unsigned int arg)
{
	unsigned int out = 0;

	for (unsigned int i = 0; i < t->items.n; i++)
		if (!t->items.v[i].label ||
		    strcmp(t->items.v[i].label, "stack_size"))
			t->items.v[out++] = t->items.v[i];
	t->items.n = out;
}

bool own_clone_compare(struct taskset *s)
{
	return mon.opt.diverse ?
		set_compare_filtered(s, drop_stack_size, 0) : set_compare(s);
}

unsigned int own_solo_max(unsigned int otherwise)
{
	return mon.opt.diverse ? 1u << 20 : otherwise;
}

bool own_section(const struct taskset *s)
{
	return mon.opt.diverse && s->row && s->row->cls == CLASS_MEMORY;
}
