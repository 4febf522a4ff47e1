// SPDX-License-Identifier: Apache-2.0
/*
 * SysV shared memory: shmat and shmdt (shmget and shmctl are the leader's).
 *
 * Theory of operation
 * -------------------
 * The segment exists once and only the leader attaches it, so its attach
 * count, its permissions and its removal are as natively.  A follower maps its
 * shadow of the segment instead (shadow.c), an ordinary shared mapping of the
 * same size, placed as mmap places things.  Ids carry a sequence number, so an
 * id that is used again after IPC_RMID does not come within a program's life;
 * the creator is part of the shadow's identity all the same.  (shm_ctime is
 * not: IPC_SET changes it.)
 *
 * Detaching removes what is left of that one attachment, piece by piece, as
 * the kernel does.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fast_mem.h"
#include "h_memory.h"
#include "shadow.h"
#include "tracee.h"

#define PAGE 4096ull

void shmat_start(struct taskset *s)
{
	if (s->t[LEADER].call.args[2] & SHM_REMAP &&
	    s->t[LEADER].call.args[1]) {
		/* the length is the segment's; any page is telling enough */
		struct shmid_ds ds;
		uint64_t len = PAGE;

		if (!shmctl((int)s->t[LEADER].call.args[0], IPC_STAT, &ds))
			len = ds.shm_segsz;
		if (!mem_allowed(s, 1, len))
			return;
	}
	set_leader_go(s);
}

/* The segment as the leader's namespace and credentials see it. */
static int segment(struct taskset *s, struct shmid_ds *ds)
{
	struct task *t = &s->t[LEADER];
	uint64_t at = s->proc->mm->scratch[LEADER] + SCRATCH_BIG_OFFSET;
	int64_t r = task_inject(t, SYS_shmctl, t->call.args[0], IPC_STAT, at,
				0, 0, 0);

	if (r < 0)
		return (int)r;
	return mem_read(t, ds, at, sizeof(*ds));
}

static ino_t ipc_namespace(struct taskset *s)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", (int)s->t[LEADER].tid);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static int64_t attach(struct taskset *s, unsigned int v, struct shadow *sh,
		      int64_t leader, uint64_t len)
{
	struct task *t = &s->t[v];
	const uint64_t *a = t->call.args;
	int flags = (int)a[2];
	bool ro = flags & SHM_RDONLY;
	unsigned int prot = PROT_READ | (ro ? 0u : PROT_WRITE) |
			    (flags & SHM_EXEC ? PROT_EXEC : 0u);
	int fd = shadow_fd(sh, v, !ro), there;
	int64_t r;

	if (fd < 0)
		return fd;
	there = task_send_fd(t, fd);
	close(fd);
	if (there < 0)
		return there;
	if (a[1])
		r = task_inject(t, SYS_mmap, a[1] & ~(PAGE - 1), len, prot,
				(uint64_t)MAP_SHARED | (flags & SHM_REMAP ?
				MAP_FIXED : MAP_FIXED_NOREPLACE),
				(uint64_t)there, 0);
	else
		r = mem_place(t, (uint64_t)leader +
			      (uint64_t)s->proc->mm->delta[v], len, prot,
			      MAP_SHARED, there, 0);
	task_inject(t, SYS_close, (uint64_t)there, 0, 0, 0, 0, 0);
	return r;
}

void shmat_done(struct taskset *s, int64_t ret)
{
	struct task *t = &s->t[LEADER];
	const uint64_t *a = t->call.args;
	int64_t each[MAX_VARIANTS] = { 0 };
	struct shadow_region reg;
	struct shadow *sh;
	struct shmid_ds ds;
	uint64_t len;
	int r;

	if (is_error(ret) || mon.live == 1u << LEADER) {
		set_finish(s, ret);
		return;
	}
	each[LEADER] = ret;
	r = segment(s, &ds);
	if (r < 0) {
		/* killed in the middle */
		if (task_dying(t))
			return;
		die("shmctl of a segment just attached: %s", strerror(-r));
	}
	len = (ds.shm_segsz + PAGE - 1) & ~(PAGE - 1);
	fast_mem_add(s, (uint64_t)ret, len);
	sh = shadow_find_shm(ipc_namespace(s), (int)a[0], ds.shm_cpid);
	if (!sh)
		die("out of memory");
	r = shadow_heat_shm(s, sh, (uint64_t)ret, len);
	for_each_follower(v) {
		each[v] = r < 0 ? r : attach(s, v, sh, ret, len);
		if (each[v] == -ESRCH || !is_error(each[v]))
			continue;
		if (!mem_diverge(s, v, ret, each[v],
				 "this variant could not attach the segment")) {
			shadow_release(sh);
			return;
		}
	}
	if (a[2] & SHM_REMAP)
		shadow_unmap(s->proc->mm, (uint64_t)ret, len);
	memset(&reg, 0, sizeof(reg));
	for (unsigned int v = 0; v < MAX_VARIANTS; v++)
		reg.addr[v] = (uint64_t)each[v];
	reg.len = len;
	reg.base = (uint64_t)ret;
	reg.writable = !(a[2] & SHM_RDONLY);
	reg.sh = sh;
	if (shadow_map(s->proc->mm, &reg) < 0)
		die("out of memory");
	shadow_release(sh);
	sched_share(s->proc);
	set_finish_each(s, each);
}

void shmdt_start(struct taskset *s)
{
	set_leader_go(s);
}

void shmdt_done(struct taskset *s, int64_t ret)
{
	uint64_t base = s->t[LEADER].call.args[0];
	const struct shadow_region *r;

	while (!ret && (r = shadow_attached(s->proc->mm, base))) {
		for_each_follower(v)
			task_inject(&s->t[v], SYS_munmap, r->addr[v], r->len,
				    0, 0, 0, 0);
		shadow_unmap(s->proc->mm, r->addr[LEADER], r->len);
	}
	set_finish(s, ret);
}
