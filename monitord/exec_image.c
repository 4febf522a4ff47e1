// SPDX-License-Identifier: Apache-2.0
/*
 * Looking at a fresh program image.
 *
 * Nothing of it has run, so every mapping is the kernel's doing: those of the
 * program's file, those of its dynamic linker, memory without a file right
 * behind either (what the file leaves to be zero), the vDSO and the stack.
 * The program is the file that holds the program headers (AT_PHDR), the linker
 * the one that AT_BASE lies in.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec_image.h"
#include "launch.h"
#include "tracee.h"
/* after our headers: it makes macros of some of our names */
#include <elf.h>

#define PAGE 4096ull
/* Of what a program may map: the vsyscall page is above it. */
#define TOP 0x7ffffffff000ull
/* Code segment of 64-bit user code (arch/x86/include/asm/segment.h). */
#define USER_CS_64 0x33

static int add_range(void *ctx, const struct map_entry *e)
{
	struct image *im = ctx;
	struct range *r;

	if (e->start <= im->regs.rsp && im->regs.rsp < e->end) {
		im->stack_start = e->start;
		im->stack_end = e->end;
		return 0;
	}
	/* above the stack only the vDSO is of interest: many kernels put it
	 * there (Linux 6.1, for one) */
	if (im->stack_end && (strncmp(e->path, "[v", 2) || e->start >= TOP))
		return 0;
	if (im->n_map == im->cap_map) {
		unsigned int cap = im->cap_map ? 2 * im->cap_map : 32;

		r = reallocarray(im->map, cap, sizeof(*r));
		if (!r)
			return -ENOMEM;
		im->map = r;
		im->cap_map = cap;
	}
	r = &im->map[im->n_map++];
	*r = (struct range){
		.start = e->start, .end = e->end, .inode = e->inode,
		.dev_major = e->dev_major, .dev_minor = e->dev_minor,
	};
	/* [vdso], [vvar], [vvar_vclock] */
	if (!strncmp(e->path, "[v", 2))
		r->part = PART_VDSO;
	r->code = e->perms[2] == 'x';
	r->exec = r->code && r->part != PART_VDSO;
	return 0;
}

static int read_stack(struct image *im)
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

/* The mappings of the file at `addr`, and what belongs to them. */
static void name_part(struct image *im, uint64_t addr, enum part part)
{
	const struct range *file = NULL;

	for (unsigned int i = 0; i < im->n_map; i++)
		if (addr >= im->map[i].start && addr < im->map[i].end)
			file = &im->map[i];
	if (!addr || !file || !file->inode)
		return;
	for (unsigned int i = 0; i < im->n_map; i++) {
		struct range *m = &im->map[i], *before = i ? m - 1 : NULL;

		if (m->part != PART_OTHER)
			continue;
		if (m->inode ? m->inode == file->inode &&
			       m->dev_major == file->dev_major &&
			       m->dev_minor == file->dev_minor :
		    before && before->part == part && before->end == m->start)
			m->part = part;
	}
}

void image_free(struct image *im)
{
	free(im->bytes);
	free(im->map);
	im->bytes = NULL;
	im->map = NULL;
}

int image_read(struct image *im, struct task *t)
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
	err = maps_each(t->tid, add_range, im);
	if (err >= 0)
		err = read_stack(im);
	if (err < 0)
		return err;
	im->base = stack_aux(&im->stack, AUX_BASE, 0);
	name_part(im, stack_aux(&im->stack, AUX_PHDR, 0), PART_PROGRAM);
	name_part(im, im->base, PART_LINKER);
	/* the linker, and the vDSO if it is below the stack, are in the mmap
	 * area for certain */
	for (unsigned int i = 0; i < im->n_map; i++) {
		const struct range *m = &im->map[i];

		if ((m->part != PART_LINKER && m->part != PART_VDSO) ||
		    m->start >= im->stack_end)
			continue;
		if (!im->area_start)
			im->area_start = m->start;
		im->area_end = m->end;
	}
	return 0;
}

bool image_span(const struct image *im, enum part part, uint64_t *start,
		uint64_t *end)
{
	bool any = false;

	for (unsigned int i = 0; i < im->n_map; i++) {
		if (im->map[i].part != part)
			continue;
		if (!any)
			*start = im->map[i].start;
		*end = im->map[i].end;
		any = true;
	}
	return any;
}

bool image_position_dependent(struct image *im)
{
	uint64_t phdr = stack_aux(&im->stack, AUX_PHDR, 0);
	Elf64_Ehdr eh;

	/* the ELF header lies in front of the program header table */
	return phdr && !mem_read(im->t, &eh, phdr & ~(PAGE - 1), sizeof(eh)) &&
	       !memcmp(eh.e_ident, ELFMAG, SELFMAG) && eh.e_type == ET_EXEC;
}

int64_t image_call(struct image *im, uint64_t gate, uint64_t nr, uint64_t a0,
		   uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
	const uint64_t args[6] = { a0, a1, a2, a3, a4, 0 };

	return image_inject(im->t, gate, nr, args);
}

int64_t image_inject(struct task *t, uint64_t gate, uint64_t nr,
		     const uint64_t args[6])
{
	if (!task_pad_fits(t))
		return task_inject_at(t, gate, nr, args);
	return task_pad(t, gate + PAD_OFFSET, nr, args);
}

/* proc_pid_stat(5), fields 26 to 28 and 45 to 51. */
int image_mm(pid_t tid, struct prctl_mm_map *map)
{
	unsigned long long f[52] = { 0 };
	char path[64], text[1024], *p;
	ssize_t n;
	int fd;

	memset(map, 0, sizeof(*map));
	map->exe_fd = (uint32_t)-1;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	/* the name may contain anything but ends at the last parenthesis */
	p = strrchr(text, ')');
	for (int i = 2; p && i < 52; i++) {
		f[i] = strtoull(p + 1, NULL, 10);
		p = strchr(p + 1, ' ');
	}
	if (!f[47])
		return -ENOENT;
	map->start_code = f[26];
	map->end_code = f[27];
	map->start_stack = f[28];
	map->start_data = f[45];
	map->end_data = f[46];
	map->start_brk = map->brk = f[47];
	map->arg_start = f[48];
	map->arg_end = f[49];
	map->env_start = f[50];
	map->env_end = f[51];
	return 0;
}

int image_set_mm(struct image *im, struct mm *mm, unsigned int v,
		 struct prctl_mm_map *map, bool auxv)
{
	uint64_t at = mm->scratch[v], aux = at + sizeof(*map);
	uint64_t size = im->stack.auxc * 16;

	if (auxv) {
		if (mem_write(im->t, aux, im->bytes +
			      (im->stack.auxv - im->stack.sp), size) < 0)
			return -ESRCH;
		map->auxv = (__u64 *)aux;
		map->auxv_size = (uint32_t)size;
	}
	if (mem_write(im->t, at, map, sizeof(*map)) < 0)
		return -ESRCH;
	return (int)image_call(im, mm->gate[v], SYS_prctl, PR_SET_MM,
			       PR_SET_MM_MAP, at, sizeof(*map), 0);
}
