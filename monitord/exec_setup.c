// SPDX-License-Identifier: Apache-2.0
/*
 * Preparing a fresh program image.
 *
 * Theory of operation
 * -------------------
 * All variants have just returned from a successful execve; not one
 * instruction of the new images has run.  For each of them:
 *
 *   1. look at its mappings and its stack;
 *   2. (disjoint) if its executable mappings overlap those of an earlier
 *      variant, execute the same file again and start over: the kernel draws
 *      new addresses each time;
 *   3. map the gate page and the scratch area, unmap the vDSO, or hide the
 *      leader's, which IP-MON is going to use;
 *   4. rebuild the stack: no vDSO and no rseq in the auxv, libipmon in
 *      LD_PRELOAD when the program's dynamic linker can load it.
 *
 * A fresh image contains no gate, so the very first injected call uses a
 * syscall instruction written over the entry point, which is restored before
 * anything runs.
 *
 * Where followers' mappings go (delta): the area below the stack from which
 * the kernel serves mmap is 1 TiB wide as far as randomisation goes.  Follower
 * v's later mappings are placed at the leader's address shifted by v * 2 TiB
 * plus some, away from the follower's own initial mappings and from every
 * other variant.  The shift is a multiple of 1 GiB, so that alignment tricks
 * (malloc arenas, huge pages) come out alike.
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
#include <unistd.h>

#include <ipmon/gate_rules.h>

#include "at_random.h"
#include "launch.h"
#include "own.h"
#include "owned.h"
#include "stack.h"
#include "tracee.h"
#include "tsc.h"
/* after our headers: it makes macros of some of our names */
#include <elf.h>

#define PAGE		4096ull
#define GIB		(1ull << 30)
#define TIB		(1ull << 40)
#define EXEC_TRIES	8
/* Code segment of 64-bit user code (arch/x86/include/asm/segment.h). */
#define USER_CS_64	0x33
/* Below this, mmap is served bottom-up (unlimited stack, ADDR_COMPAT_LAYOUT). */
#define BOTTOM_UP_LIMIT	0x400000000000ull

struct range {
	uint64_t start, end;
	bool exec, vdso;
};

/* What there is to know about one variant's fresh image. */
struct image {
	struct task *t;
	struct user_regs_struct regs;	/* as the program is to see them */
	struct stack stack;
	unsigned char *bytes;		/* owned copy behind stack.bytes */
	struct range *map;		/* all mappings below the stack */
	unsigned int n_map, cap_map;
	uint64_t stack_end;
	uint64_t base;			/* of the dynamic linker, 0 = none */
	uint64_t area_start, area_end;	/* the mmap area as used so far */
};

/* ---- looking at an image ---- */

static int image_map(void *ctx, const struct map_entry *e)
{
	struct image *im = ctx;
	struct range *r;

	if (e->start <= im->regs.rsp && im->regs.rsp < e->end) {
		im->stack_end = e->end;
		return 1;
	}
	if (im->n_map == im->cap_map) {
		unsigned int cap = im->cap_map ? 2 * im->cap_map : 32;

		r = reallocarray(im->map, cap, sizeof(*r));
		if (!r)
			return -ENOMEM;
		im->map = r;
		im->cap_map = cap;
	}
	r = &im->map[im->n_map++];
	r->start = e->start;
	r->end = e->end;
	/* [vdso], [vvar], [vvar_vclock]: gone before the program runs */
	r->vdso = !strncmp(e->path, "[v", 2);
	r->exec = e->perms[2] == 'x' && !r->vdso;
	return 0;
}

static int image_stack(struct image *im)
{
	uint64_t sp = im->regs.rsp;
	size_t size = im->stack_end - sp;

	if (!im->stack_end || size > STACK_MAX)
		return -EINVAL;
	free(im->bytes);
	im->bytes = malloc(size);
	if (!im->bytes)
		return -ENOMEM;
	if (mem_read(im->t, im->bytes, sp, size) < 0)
		return -ESRCH;
	im->stack.sp = sp;
	im->stack.bytes = im->bytes;
	im->stack.size = size;
	return stack_parse(&im->stack);
}

static void image_free(struct image *im)
{
	free(im->bytes);
	free(im->map);
	im->bytes = NULL;
	im->map = NULL;
}

/* Registers, stack and mappings of a task at its execve's exit stop. */
static int image_read(struct image *im, struct task *t)
{
	struct user_regs_struct *r = task_regs(t);
	int err;

	image_free(im);
	memset(im, 0, sizeof(*im));
	im->t = t;
	if (!r)
		return -ESRCH;
	im->regs = *r;
	if (r->cs != USER_CS_64)
		return -ENOEXEC;
	err = maps_each(t->tid, image_map, im);
	if (err >= 0)
		err = image_stack(im);
	if (err < 0)
		return err;
	im->base = stack_aux(&im->stack, AUX_BASE, 0);
	/* the dynamic linker and the vDSO are what the kernel has placed in
	 * the mmap area so far; mappings come sorted */
	for (unsigned int i = 0; i < im->n_map; i++) {
		const struct range *m = &im->map[i];

		if (!m->vdso && (!im->base || m->start < im->base))
			continue;
		if (!im->area_start)
			im->area_start = m->start;
		im->area_end = m->end;
	}
	return 0;
}

/* ---- calls in an image without a gate ---- */

/*
 * A syscall instruction over the entry point.  `saved` receives what was
 * there.
 */
static int entry_poke(struct image *im, unsigned char saved[2])
{
	static const unsigned char insn[2] = { 0x0f, 0x05 };

	if (mem_read(im->t, saved, im->regs.rip, 2) < 0)
		return -ESRCH;
	return mem_poke(im->t, im->regs.rip, insn, 2);
}

static int64_t inject(struct image *im, uint64_t ip, uint64_t nr,
		      uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	const uint64_t args[6] = { a0, a1, a2, a3, (uint64_t)-1, 0 };

	return task_inject_at(im->t, ip, nr, args);
}

/* ---- executing again ---- */

/*
 * Fault point for the tests: addresses are too random for the real thing to
 * ever happen.  IPMON_FAULT_OVERLAP=N in monitord's environment makes the
 * first N layouts of every follower unacceptable.
 */
static bool fault_overlap(int try)
{
	static int tries = -1;

	if (tries < 0) {
		const char *e = getenv("IPMON_FAULT_OVERLAP");

		tries = e ? atoi(e) : 0;
	}
	return try < tries;
}

static bool overlap(const struct image *a, const struct image *b)
{
	for (unsigned int i = 0; i < a->n_map; i++)
		for (unsigned int k = 0; k < b->n_map; k++)
			if (a->map[i].exec && b->map[k].exec &&
			    a->map[i].start < b->map[k].end &&
			    b->map[k].start < a->map[i].end)
				return true;
	return false;
}

/* Is the program loaded where its file says, however often we try? */
static bool position_dependent(struct image *im)
{
	uint64_t phdr = stack_aux(&im->stack, AUX_PHDR, 0);
	Elf64_Ehdr eh;

	/* the ELF header lies in front of the program header table */
	return phdr && !mem_read(im->t, &eh, phdr & ~(PAGE - 1), sizeof(eh)) &&
	       !memcmp(eh.e_ident, ELFMAG, SELFMAG) && eh.e_type == ET_EXEC;
}

/* The thread's name follows the file executed: "exe" is not the leader's. */
static void copy_comm(struct image *im, uint64_t ip, const char *comm)
{
	uint64_t buffer = im->regs.rsp - 256;

	if (comm[0] && !mem_write(im->t, buffer, comm, 16))
		inject(im, ip, SYS_prctl, PR_SET_NAME, buffer, 0, 0);
}

static void read_comm(pid_t tid, char comm[16])
{
	char path[64];
	ssize_t n;
	int fd;

	memset(comm, 0, 16);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, comm, 16);
	close(fd);
	if (n > 0)
		comm[n - 1] = 0;	/* the newline */
}

/*
 * Execute the same file with the same strings again in one follower.  At its
 * exit stop before and after.  0, or the error of a failed execve, which
 * leaves the image as it was, or -ESRCH or -EIO.
 */
static int exec_again(struct image *im)
{
	static const char self[16] = "/proc/self/exe";
	struct task *t = im->t;
	/* below the red zone: used by nobody yet */
	uint64_t path = im->regs.rsp - 256;
	unsigned char saved[2];
	int64_t r;

	mon.count.exec_retries++;
	if (entry_poke(im, saved) < 0 ||
	    mem_write(t, path, self, sizeof(self)) < 0)
		return -ESRCH;
	r = inject(im, im->regs.rip, SYS_execve, path, im->stack.argv,
		   im->stack.envp, 0);
	if (t->at == AT_EXIT) {
		mem_poke(t, im->regs.rip, saved, 2);
		return r < 0 ? (int)r : -EIO;
	}
	if (t->at != AT_EVENT)
		return -ESRCH;
	if (task_resume(t, PTRACE_SYSCALL, 0) < 0 || task_wait(t) < 0)
		return -ESRCH;
	if (t->at != AT_EXIT)
		return -EIO;
	return image_read(im, t);
}

static void warn_overlap(struct taskset *s, const char *why)
{
	static bool warned;

	s->proc->mm->warned_overlap = true;
	mon.count.overlaps++;
	if (!warned)
		verbose("process %d: executable mappings of variants overlap: %s",
			(int)s->proc->vpid, why);
	warned = true;
}

/*
 * Executing again until follower v overlaps none of the variants before it.
 * `execfn` receives the name the file was executed by, if it was changed.
 */
static int make_disjoint(struct taskset *s, struct image *im, unsigned int v,
			 char **execfn)
{
	for (int try = 0;; try++) {
		bool clash = fault_overlap(try);
		int r;

		for (unsigned int w = 0; w < v; w++)
			clash |= variant_live(w) && overlap(&im[v], &im[w]);
		if (!clash)
			return 0;
		if (position_dependent(&im[v])) {
			warn_overlap(s, "the program is not position-independent");
			return 0;
		}
		if (try == EXEC_TRIES) {
			warn_overlap(s, "addresses are not random enough (kernel.randomize_va_space)");
			return 0;
		}
		if (!*execfn) {
			const char *name = stack_string(&im[v].stack,
				stack_aux(&im[v].stack, AUX_EXECFN, 0));

			*execfn = name ? strdup(name) : NULL;
		}
		r = exec_again(&im[v]);
		if (r == -ESRCH || r == -EIO)
			return r;
		if (r < 0) {
			warn_overlap(s, "/proc/self/exe cannot be executed again");
			return 0;
		}
	}
}

/* ---- libipmon ---- */

static bool glibc_linker(struct image *im)
{
	uint64_t phdr = stack_aux(&im->stack, AUX_PHDR, 0);
	uint64_t n = stack_aux(&im->stack, AUX_PHNUM, 0);
	static const char want[] = "ld-linux-x86-64.so.2";
	Elf64_Phdr ph[64];
	uint64_t bias = 0, interp = 0;
	char path[256], *base;

	if (!im->base || !phdr || !n || n > 64 ||
	    stack_aux(&im->stack, AUX_PHENT, 0) != sizeof(ph[0]) ||
	    mem_read(im->t, ph, phdr, n * sizeof(ph[0])) < 0)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (ph[i].p_type == PT_PHDR)
			bias = phdr - ph[i].p_vaddr;
		if (ph[i].p_type == PT_INTERP)
			interp = ph[i].p_vaddr;
	}
	if (!interp || mem_read_some(im->t, path, interp + bias,
				     sizeof(path)) <= 0)
		return false;
	path[sizeof(path) - 1] = 0;
	base = strrchr(path, '/');
	return !strcmp(base ? base + 1 : path, want);
}

/* Is our library there, as the process sees files? */
static bool library_visible(struct image *im, uint64_t gate, uint64_t scratch)
{
	char path[sizeof(mon.libipmon) + 32];
	struct stat here, there;
	size_t n = strlen(mon.libipmon) + 1;

	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)im->t->tid,
		 mon.libipmon);
	if (stat(mon.libipmon, &here) < 0 || stat(path, &there) < 0 ||
	    here.st_dev != there.st_dev || here.st_ino != there.st_ino)
		return false;
	/* a process with other rights than ours may not be able to read it,
	 * and its dynamic linker would complain in public */
	if (stack_aux(&im->stack, AUX_EUID, geteuid()) == geteuid() &&
	    stack_aux(&im->stack, AUX_EGID, getegid()) == getegid())
		return true;
	return !mem_write(im->t, scratch, mon.libipmon, n) &&
	       !inject(im, gate, SYS_faccessat, (uint64_t)AT_FDCWD, scratch,
		       R_OK, 0);
}

/* ---- the monitor's own mappings ---- */

static int fill_gate(struct image *im, uint64_t gate)
{
	unsigned char page[PAGE];
	char path[32];
	ssize_t n = -1;
	int fd;

	memset(page, 0xcc, sizeof(page));	/* int3 */
	page[0] = 0x0f;				/* syscall */
	page[1] = 0x05;
	page[2] = 0xc3;				/* ret */
	for (unsigned int i = 0; i < IPMON_HOWS; i++) {
		const struct ipmon_how how = ipmon_how(i);

		memcpy(page + IPMON_HOW_OFFSET + i * IPMON_HOW_STRIDE, &how,
		       sizeof(how));
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)im->t->tid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = pwrite(fd, page, sizeof(page), (off_t)gate);
		close(fd);
	}
	/* a kernel may forbid the write through /proc, but not the poke */
	return n == sizeof(page) ? 0 :
	       mem_poke(im->t, gate, page, sizeof(page));
}

#define MAP_OURS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE)

/* Is [start, end) free in the leader's fresh image? */
static bool is_free(const struct image *im, const struct mm *mm,
		    uint64_t start, uint64_t end)
{
	uint64_t s, e;

	for (unsigned int i = 0; i < im->n_map; i++)
		if (im->map[i].start < end && start < im->map[i].end)
			return false;
	return !owned_next(mm, LEADER, start, end, &s, &e) &&
	       (end <= im->regs.rsp || start >= im->stack_end);
}

/*
 * The leader's vDSO goes to a hidden address, its pages as far from each other
 * as they are now.  1: it shall be unmapped as in the others, or -errno.
 */
static int hide_vdso(struct image *im, struct mm *mm)
{
	uint64_t start = 0, end = 0, code = 0, to;

	for (unsigned int i = 0; i < im->n_map; i++) {
		const struct range *m = &im->map[i];

		if (!m->vdso)
			continue;
		if (start && m->start != end)
			return 1;
		if (!start)
			start = m->start;
		end = m->end;
		/* the code comes last */
		code = m->start;
	}
	if (!start || !tsc_vdso_offset())
		return 1;
	do {
		to = hidden_address();
	} while (!is_free(im, mm, to, to + (end - start)));
	for (unsigned int i = 0; i < im->n_map; i++) {
		const struct range *m = &im->map[i];
		const uint64_t args[6] = {
			m->start, m->end - m->start, m->end - m->start,
			MREMAP_MAYMOVE | MREMAP_FIXED, to + (m->start - start),
		};
		int64_t r;

		if (!m->vdso)
			continue;
		r = task_inject_at(im->t, mm->gate[LEADER], SYS_mremap, args);
		if (r < 0)
			return (int)r;
	}
	mm->vdso[0] = to;
	mm->vdso[1] = to + (end - start);
	mm->vdso_clock = to + (code - start) + tsc_vdso_offset();
	return 0;
}

static int map_own(struct image *im, struct mm *mm, unsigned int v)
{
	uint64_t gate = mm->gate[v], vdso = 0, vdso_end = 0;
	unsigned char saved[2];
	int64_t r;

	if (entry_poke(im, saved) < 0)
		return -ESRCH;
	r = inject(im, im->regs.rip, SYS_mmap, gate, PAGE,
		   PROT_READ | PROT_EXEC, MAP_OURS);
	if (im->t->at != AT_EXIT || mem_poke(im->t, im->regs.rip, saved, 2) < 0)
		return -ESRCH;
	if (r < 0 || (uint64_t)r != gate)
		return r < 0 ? (int)r : -EEXIST;
	if (fill_gate(im, gate) < 0)
		return -ESRCH;
	do {
		mm->scratch[v] = hidden_address();
		r = inject(im, gate, SYS_mmap, mm->scratch[v], SCRATCH_SIZE,
			   PROT_READ | PROT_WRITE, MAP_OURS);
	} while (r == -EEXIST);
	if (r < 0)
		return (int)r;
	if (v == LEADER && im->base && !tsc_always()) {
		r = hide_vdso(im, mm);
		if (r <= 0)
			return (int)r;
	}
	/* vvar, vvar_vclock and vdso are neighbours: one unmapping */
	for (unsigned int i = 0; i <= im->n_map; i++) {
		const struct range *m = &im->map[i];
		bool more = i < im->n_map && m->vdso;

		if (vdso && (!more || m->start != vdso_end)) {
			r = inject(im, gate, SYS_munmap, vdso, vdso_end - vdso,
				   0, 0);
			if (r < 0)
				return (int)r;
			vdso = 0;
		}
		if (more && !vdso)
			vdso = m->start;
		if (more)
			vdso_end = m->end;
	}
	return 0;
}

static int put_stack(struct image *im, struct mm *mm, unsigned int v,
		     const char *preload, const char *execfn)
{
	struct stack_image out;
	int r = stack_rebuild(&im->stack, preload, execfn, &out);

	if (r < 0)
		return r;
	r = mem_write(im->t, out.sp, out.bytes, out.size);
	free(out.bytes);
	im->regs.rsp = out.sp;
	mm->env_slot[v] = out.env_slot;
	mm->env_orig[v] = out.env_orig;
	mm->auxv[v] = out.auxv;
	return r;
}

/* ---- layout ---- */

static int64_t choose_delta(const struct image *leader,
			    const struct image *im, unsigned int v)
{
	uint64_t r = 0, shift;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) < 0)
		r = now_ns();
	shift = v * 2 * TIB + r % 512 * GIB;
	if (leader->area_end && leader->area_end < BOTTOM_UP_LIMIT) {
		/* new mappings of the leader go above what it has */
		while (leader->area_start + shift < im->area_end)
			shift += TIB;
		return (int64_t)shift;
	}
	while (leader->area_end - shift > im->area_start && im->area_start)
		shift += TIB;
	return -(int64_t)shift;
}

static void check_same(struct taskset *s, const struct image *a,
		       const struct image *b, unsigned int v)
{
	static bool warned;
	bool same = a->n_map == b->n_map;

	for (unsigned int i = 0; same && i < a->n_map; i++)
		same = a->map[i].start == b->map[i].start &&
		       a->map[i].end == b->map[i].end;
	if (same || warned)
		return;
	warned = true;
	verbose("process %d: --layout same: the mappings of variant %u differ from the leader's",
		(int)s->proc->vpid, v);
}

/* AT_RANDOM: canaries and pointer guards come from these 16 bytes. */
static int copy_random(const struct image *leader, const struct image *im)
{
	uint64_t from = stack_aux(&leader->stack, AUX_RANDOM, 0);
	uint64_t to = stack_aux(&im->stack, AUX_RANDOM, 0);

	return from && to ? mem_copy(im->t, to, leader->t, from, 16) : 0;
}

/* ---- all of it ---- */

static void warn_privileges(struct task *t)
{
	static bool warned;
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)t->tid);
	if (warned || stat(path, &st) < 0 || !(st.st_mode & (S_ISUID | S_ISGID)))
		return;
	warned = true;
	say("a set-uid or set-gid program runs without its privileges: monitord lacks CAP_SYS_ADMIN and had to set no_new_privs; start it as root if the program needs them");
}

static int setup_all(struct taskset *s, struct image im[MAX_VARIANTS])
{
	struct mm *mm = s->proc->mm;
	char *execfn[MAX_VARIANTS] = { NULL }, comm[16];
	bool preload = false, glibc = false;
	uint64_t random[MAX_VARIANTS] = { 0 };
	char list[MAX_VARIANTS][PRELOAD_LIST];
	int r = 0;

	for_each_variant(v) {
		r = image_read(&im[v], &s->t[v]);
		if (!r && v != LEADER && mon.opt.layout == LAYOUT_DISJOINT)
			r = make_disjoint(s, im, v, &execfn[v]);
		if (r < 0)
			goto out;
	}
	mm->static_exe = !im[LEADER].base;
	for_each_variant(v) {
		r = map_own(&im[v], mm, v);
		if (r < 0)
			goto out;
		if (v == LEADER)
			glibc = glibc_linker(&im[v]);
		if (v == LEADER && mon.libipmon[0] && glibc &&
		    !stack_aux(&im[v].stack, AUX_SECURE, 1) &&
		    library_visible(&im[v], mm->gate[v], mm->scratch[v]))
			preload = true;
		if (execfn[v]) {
			read_comm(s->t[LEADER].tid, comm);
			copy_comm(&im[v], mm->gate[v], comm);
		}
		snprintf(list[v], sizeof(list[v]), "%s%s%s", preload_list,
			 mon.opt.preload[v] ? ":" : "",
			 mon.opt.preload[v] ? mon.opt.preload[v] : "");
		r = put_stack(&im[v], mm, v, preload ? list[v] : NULL,
			      execfn[v]);
		if (r < 0)
			goto out;
		if (mon.opt.layout != LAYOUT_SAME &&
		    (glibc || mm->static_exe))
			random[v] = stack_aux(&im[v].stack, AUX_RANDOM, 0);
		if (v == LEADER)
			continue;
		if (mon.opt.layout == LAYOUT_SAME) {
			check_same(s, &im[LEADER], &im[v], v);
			r = copy_random(&im[LEADER], &im[v]);
		} else {
			mm->delta[v] = choose_delta(&im[LEADER], &im[v], v);
		}
		if (r < 0)
			goto out;
	}
	at_random_begin(mm, random);
	if (preload && mon.opt.diverse)
		own_begin(s);
	r = tsc_image(s);
	if (r < 0)
		goto out;
	for_each_variant(v) {
		struct task *t = im[v].t;

		if (!task_regs(t)) {
			r = -ESRCH;
			goto out;
		}
		t->regs = im[v].regs;
		task_regs_changed(t);
	}
out:
	for (unsigned int v = 0; v < mon.n; v++)
		free(execfn[v]);
	return r;
}

int exec_setup(struct taskset *s)
{
	struct image im[MAX_VARIANTS];
	int r;

	memset(im, 0, sizeof(im));
	r = setup_all(s, im);
	for (unsigned int v = 0; v < mon.n; v++)
		image_free(&im[v]);
	if (r < 0 && !task_dying(&s->t[LEADER]))
		say("process %d: cannot prepare the new program: %s; %s",
		    (int)s->proc->vpid, strerror(-r), remedy(-r));
	else if (launch_no_new_privs)
		warn_privileges(&s->t[LEADER]);
	return r;
}
