// SPDX-License-Identifier: Apache-2.0
/*
 * Preparing a fresh program image.
 *
 * Theory of operation
 * -------------------
 * All variants have just returned from a successful execve; not one
 * instruction of the new images has run.  For each of them:
 *
 *   1. look at its mappings and its stack (exec_image.c);
 *   2. map the gate page and the scratch area, unmap the vDSO, or hide the
 *      leader's, which IP-MON is going to use;
 *   3. move a follower's image to where it shall lie (exec_layout.c);
 *   4. rebuild the stack: no vDSO and no rseq in the auxv, libipmon-compat
 *      in LD_PRELOAD when the program's dynamic linker can load it, behind what
 *      has to come first (exec_first.c);
 *   5. map libipmon (library.c).
 *
 * A fresh image contains no gate, so the very first injected call uses syscall
 * instructions written over the entry point, which is restored before anything
 * runs.
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
#include "exec_image.h"
#include "launch.h"
#include "library.h"
#include "own.h"
#include "owned.h"
#include "stack.h"
#include "tracee.h"
#include "tsc.h"
/* after our headers: it makes macros of some of our names */
#include <elf.h>
#undef AT_ENTRY

#define PAGE		4096ull

/* ---- calls in an image without a gate ---- */

static const unsigned char pad[] = { PAD_BYTES };
#define PAD	sizeof(pad)

/* Where syscall instructions can be put: at the entry point, unless that is no
 * place to execute anything at. */
static uint64_t entry_at(const struct image *im)
{
	const struct range *other = NULL;

	for (unsigned int i = 0; i < im->n_map; i++) {
		const struct range *m = &im->map[i];

		if (!m->code)
			continue;
		if (im->regs.rip >= m->start && im->regs.rip <= m->end - PAD)
			return im->regs.rip;
		/* better not the vDSO */
		if (!other || m->exec)
			other = m;
	}
	return other ? other->start : im->regs.rip;
}

static int64_t inject(struct image *im, uint64_t gate, uint64_t nr,
		      uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	return image_call(im, gate, nr, a0, a1, a2, a3, (uint64_t)-1);
}

/* ---- LD_PRELOAD ---- */

/* The string that is `name`, at addr? */
static bool string_is(struct image *im, uint64_t addr, const char *name)
{
	char text[64] = "";
	size_t n = strlen(name) + 1;

	return n <= sizeof(text) && mem_read_some(im->t, text, addr, n) > 0 &&
	       !memcmp(text, name, n);
}

/*
 * Is the object whose first page is at `base` glibc's dynamic linker?  By the
 * name it gives itself: it may have been executed by any other, and portable
 * bundles and build trees have it under theirs.
 */
static bool glibc_linker_at(struct image *im, uint64_t base)
{
	uint64_t bias = base, dyn = 0, size = 0, names = 0, soname = 0;
	Elf64_Phdr ph[32];
	Elf64_Dyn d[64];
	Elf64_Ehdr eh;

	if (!base || mem_read(im->t, &eh, base, sizeof(eh)) < 0 ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) || eh.e_type != ET_DYN ||
	    eh.e_phentsize != sizeof(ph[0]) || !eh.e_phnum ||
	    eh.e_phnum > sizeof(ph) / sizeof(ph[0]) ||
	    mem_read(im->t, ph, base + eh.e_phoff,
		     eh.e_phnum * sizeof(ph[0])) < 0)
		return false;
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		if (ph[i].p_type == PT_INTERP)
			return false;
		if (ph[i].p_type == PT_LOAD && !ph[i].p_offset)
			bias = base - ph[i].p_vaddr;
		if (ph[i].p_type != PT_DYNAMIC)
			continue;
		dyn = ph[i].p_vaddr;
		size = ph[i].p_memsz;
	}
	if (size > sizeof(d))
		size = sizeof(d);
	if (!dyn || mem_read(im->t, d, bias + dyn, size) < 0)
		return false;
	/* nothing is relocated yet: addresses are the file's */
	for (uint64_t i = 0; i < size / sizeof(d[0]); i++) {
		if (d[i].d_tag == DT_NULL)
			break;
		if (d[i].d_tag == DT_STRTAB)
			names = d[i].d_un.d_ptr;
		if (d[i].d_tag == DT_SONAME)
			soname = d[i].d_un.d_val;
	}
	return names && soname && string_is(im, bias + names + soname,
					    "ld-linux-x86-64.so.2");
}

/*
 * The dynamic linker is the program's interpreter, or was itself executed, as
 * `ld.so PROGRAM` does: then it maps the program, and gives it a stack without its
 * own arguments.
 */
static void find_linker(struct image *im)
{
	uint64_t phdr = stack_aux(&im->stack, AUX_PHDR, 0);

	im->glibc = glibc_linker_at(im, im->base ? im->base :
				    phdr & ~(PAGE - 1));
	im->linker = im->glibc && !im->base;
}

/*
 * Is the image's linker asked for the list of what it would load, and where
 * (ldd(1))?  Then it runs nothing of that.  The list is the program's: without
 * our library, with the vDSO, and with one address for each object, as it is
 * printed.
 */
static bool lists_libraries(const struct image *im)
{
	return im->glibc && !stack_aux(&im->stack, AUX_SECURE, 1) &&
	       stack_lists(&im->stack, im->linker);
}

/* Will it execute a program, and load what LD_PRELOAD says into it? */
static bool preloads(const struct image *im)
{
	return *preload_list && im->glibc && !im->listing &&
	       !stack_aux(&im->stack, AUX_SECURE, 1) &&
	       (!im->linker || stack_runs(&im->stack));
}

/* Is libipmon-compat there, as the process sees files? */
static bool library_visible(struct image *im, uint64_t gate, uint64_t scratch)
{
	char path[sizeof(preload_list) + 32];
	struct stat here, there;
	size_t n = strlen(preload_list) + 1;

	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)im->t->tid,
		 preload_list);
	if (stat(preload_list, &here) < 0 || stat(path, &there) < 0 ||
	    here.st_dev != there.st_dev || here.st_ino != there.st_ino)
		return false;
	/* a process with other rights than ours may not be able to read it,
	 * and its dynamic linker would complain in public */
	if (stack_aux(&im->stack, AUX_EUID, geteuid()) == geteuid() &&
	    stack_aux(&im->stack, AUX_EGID, getegid()) == getegid())
		return true;
	return !mem_write(im->t, scratch, preload_list, n) &&
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
	memcpy(page + PAD_OFFSET, pad, PAD);
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

		if (m->part != PART_VDSO)
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

		if (m->part != PART_VDSO)
			continue;
		r = image_inject(im->t, mm->gate[LEADER], SYS_mremap, args);
		if (r < 0)
			return (int)r;
	}
	mm->vdso[0] = to;
	mm->vdso[1] = to + (end - start);
	mm->vdso_clock = to + (code - start) + tsc_vdso_offset();
	return 0;
}

/* The gate's page, by syscall instructions over the entry point. */
static int64_t map_gate(struct image *im, uint64_t gate)
{
	const uint64_t args[6] = {
		gate, PAGE, PROT_READ | PROT_EXEC, MAP_OURS, (uint64_t)-1,
	};
	struct task *t = im->t;
	unsigned char saved[PAD];
	uint64_t at = entry_at(im);
	int64_t r;

	if (mem_read(t, saved, at, PAD) < 0 || mem_poke(t, at, pad, PAD) < 0)
		return -ESRCH;
	r = task_pad_fits(t) ? task_pad(t, at, SYS_mmap, args) :
		task_inject_at(t, at, SYS_mmap, args);
	if ((t->at != AT_EXIT && t->at != AT_ENTRY) ||
	    mem_poke(t, at, saved, PAD) < 0)
		return -ESRCH;
	return r;
}

static int map_own(struct image *im, struct mm *mm, unsigned int v)
{
	uint64_t gate = mm->gate[v], vdso = 0, vdso_end = 0;
	int64_t r;

	r = map_gate(im, gate);
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
	if (im->listing)
		return 0;
	if (v == LEADER && !tsc_always()) {
		r = hide_vdso(im, mm);
		if (r <= 0)
			return (int)r;
	}
	/* vvar, vvar_vclock and vdso are neighbours: one unmapping */
	for (unsigned int i = 0; i <= im->n_map; i++) {
		const struct range *m = &im->map[i];
		bool more = i < im->n_map && m->part == PART_VDSO;

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
		     const char *preload)
{
	struct stack_image out;
	int r = stack_rebuild(&im->stack, preload, &out);

	if (r < 0)
		return r;
	if (im->listing)
		stack_show_vdso(&im->stack, &out);
	stack_reach(im, out.sp);
	r = mem_write(im->t, out.sp, out.bytes, out.size);
	free(out.bytes);
	im->regs.rsp = out.sp;
	mm->stack[v] = out.sp;
	mm->env_added[v] = out.preload;
	mm->env_orig[v] = out.env_orig;
	mm->auxv[v] = out.auxv;
	return r;
}

/* ---- layout ---- */

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

/* The name of a follower that was executed by descriptor (exec_again.c). */
static int copy_name(const struct image *leader, const struct image *im)
{
	uint64_t from = stack_aux(&leader->stack, AUX_EXECFN, 0);
	uint64_t to = stack_aux(&im->stack, AUX_EXECFN, 0);
	const char *a = from ? stack_string(&leader->stack, from) : NULL;
	const char *b = to ? stack_string(&im->stack, to) : NULL;

	if (!a || !b || strncmp(b, "/dev/fd/", 8) || strlen(a) > strlen(b))
		return 0;
	return mem_write(im->t, to, a, strlen(a) + 1);
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

/* The registers the program begins with. */
static int put_regs(struct image im[MAX_VARIANTS])
{
	for_each_variant(v) {
		struct task *t = im[v].t;

		if (!task_regs(t))
			return -ESRCH;
		/* fast_attach() */
		im[v].regs.gs_base = t->saved_valid ? t->saved.gs_base :
			t->regs.gs_base;
		t->regs = im[v].regs;
		t->saved_valid = false;
		/* nothing is to be made, or made again */
		t->regs.orig_rax = (uint64_t)-1;
		task_regs_changed(t);
	}
	return 0;
}

static int setup_all(struct taskset *s, struct image im[MAX_VARIANTS])
{
	struct mm *mm = s->proc->mm;
	bool preload = false, listing;
	uint64_t random[MAX_VARIANTS] = { 0 };
	char list[MAX_VARIANTS][PRELOAD_LIST];
	const char *add[MAX_VARIANTS] = { NULL };
	int r = 0;

	for_each_variant(v) {
		r = image_read(&im[v], &s->t[v]);
		if (r < 0)
			return r;
	}
	/* nobody asks for the others' */
	find_linker(&im[LEADER]);
	mm->static_exe = !im[LEADER].base && !im[LEADER].linker;
	mm->pad = true;
	listing = lists_libraries(&im[LEADER]);
	for_each_variant(v) {
		im[v].listing = listing;
		r = map_own(&im[v], mm, v);
		if (!r && v == LEADER)
			r = layout_leader(s, &im[LEADER]);
		if (!r && v != LEADER && mon.opt.layout != LAYOUT_SAME &&
		    !listing)
			r = stack_place(&im[LEADER], &im[v], mm, v);
		if (!r && v != LEADER && mon.opt.layout != LAYOUT_SAME)
			r = layout_follower(s, im, v);
		if (r < 0)
			return r;
		if (v == LEADER && preloads(&im[v]) &&
		    library_visible(&im[v], mm->gate[v], mm->scratch[v]))
			preload = true;
		snprintf(list[v], sizeof(list[v]), "%s%s%s%s%s", preload_list,
			 mon.opt.preload[v] ? ":" : "",
			 mon.opt.preload[v] ? mon.opt.preload[v] : "",
			 *preload_needed ? ":" : "", preload_needed);
		if (preload)
			first_library(&im[v], im[LEADER].linker, list[v],
				      sizeof(list[v]));
		add[v] = preload ? list[v] : NULL;
	}
	if (!listing)
		stack_begin_alike(im, add);
	for_each_variant(v) {
		r = put_stack(&im[v], mm, v, add[v]);
		if (r < 0)
			return r;
		if (mon.opt.layout != LAYOUT_SAME &&
		    (im[LEADER].glibc || mm->static_exe))
			random[v] = stack_aux(&im[v].stack, AUX_RANDOM, 0);
		if (v != LEADER) {
			r = copy_name(&im[LEADER], &im[v]);
			if (r < 0)
				return r;
		}
		if (v == LEADER || mon.opt.layout != LAYOUT_SAME)
			continue;
		check_same(s, &im[LEADER], &im[v], v);
		r = copy_random(&im[LEADER], &im[v]);
		if (r < 0)
			return r;
	}
	at_random_begin(mm, random);
	if (preload && mon.opt.diverse)
		own_begin(s);
	r = tsc_image(s);
	if (r < 0)
		return r;
	r = put_regs(im);
	/* ldd(1)'s list is of what the program would load natively */
	if (r < 0 || listing || mm->linking)
		return r;
	library_map(s);
	/* calls have been made with these */
	return put_regs(im);
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
