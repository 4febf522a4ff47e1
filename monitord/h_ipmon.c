// SPDX-License-Identifier: Apache-2.0
/*
 * The registration of libipmon.
 *
 * The reserved call is believed only when it comes out of the library itself:
 * the caller's ip lies in the text range it names, that range is one
 * executable mapping of the very file monitord put into LD_PRELOAD, the bytes
 * mapped there are those of the file, and table and ABI are those monitord was
 * built with.  All variants are checked; the answer is one for all.
 *
 * A registration also ends the purpose of the LD_PRELOAD entry: the
 * environment is put back as the caller of execve made it.
 */
#include <elf.h>
#undef AT_ENTRY			/* auxv names that are also ours */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ipmon/abi.h>
#include "at_random.h"
#include "fast.h"
#include "launch.h"
#include "own.h"
#include "patch.h"
#include "stack.h"
#include "tracee.h"

/* ---- the library's own file ---- */

static struct library {
	bool tried;
	uint64_t table_hash;		/* what it has to present */
	unsigned char *text;		/* executable segment, whole pages */
	size_t size;
	uint64_t offset;		/* of the segment in the file */
	/* as /proc/PID/maps shows them; stat(2) disagrees on some
	 * file systems, so they come from a mapping of our own */
	uint32_t dev_major, dev_minor;
	uint64_t inode;
} lib;

struct find {
	uint64_t addr;
	struct map_entry found;
};

static int find_map(void *ctx, const struct map_entry *e)
{
	struct find *f = ctx;

	if (f->addr < e->start || f->addr >= e->end)
		return 0;
	f->found = *e;
	return 1;
}

static int read_segment(int fd, const void *file, size_t size)
{
	const Elf64_Ehdr *eh = file;
	const Elf64_Phdr *ph;

	if (size < sizeof(*eh) || eh->e_phoff > size ||
	    eh->e_phnum > (size - eh->e_phoff) / sizeof(*ph))
		return -ENOEXEC;
	ph = (const void *)((const char *)file + eh->e_phoff);
	for (unsigned int i = 0; i < eh->e_phnum; i++) {
		ssize_t n;

		if (ph[i].p_type != PT_LOAD || !(ph[i].p_flags & PF_X))
			continue;
		lib.offset = ph[i].p_offset & ~4095ull;
		lib.size = (ph[i].p_offset % 4096 + ph[i].p_filesz + 4095) &
			   ~4095ull;
		lib.text = calloc(1, lib.size);
		if (!lib.text)
			return -ENOMEM;
		/* the last page is mapped with what follows in the file */
		n = pread(fd, lib.text, lib.size, (off_t)lib.offset);
		return n > 0 ? 0 : -EIO;
	}
	return -ENOEXEC;
}

static int library_load(void)
{
	struct find f = { 0 };
	struct stat st;
	void *map;
	int fd, r;

	if (lib.tried)
		return lib.text ? 0 : -ENOENT;
	lib.tried = true;
	lib.table_hash = ipmon_table_hash();
	fd = open(mon.libipmon, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_size <= 0) {
		close(fd);
		return -EIO;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		close(fd);
		return -ENOMEM;
	}
	f.addr = (uint64_t)(uintptr_t)map;
	r = maps_each(getpid(), find_map, &f);
	lib.dev_major = f.found.dev_major;
	lib.dev_minor = f.found.dev_minor;
	lib.inode = f.found.inode;
	if (r == 1)
		r = read_segment(fd, map, (size_t)st.st_size);
	else
		r = -EIO;
	munmap(map, (size_t)st.st_size);
	close(fd);
	return r;
}

/* ---- one variant's registration ---- */

/* Addresses that monitord will move instruction pointers to. */
static bool ranges_inside(const struct ipmon_register *reg)
{
	const struct ipmon_ranges *g = &reg->ranges;
	const uint64_t at[] = {
		g->entry, g->window_start, g->window_end, g->copy_start,
		g->copy_end, g->copy_fault, g->flush, g->insn,
	};

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		if (at[i] < reg->text_start || at[i] >= reg->text_end)
			return false;
	return g->window_start < g->window_end && g->copy_start < g->copy_end;
}

/* NULL when it is in order, or what is wrong with it. */
static const char *verify(struct task *t)
{
	struct mm *mm = t->set->proc->mm;
	struct ipmon_register reg;
	struct find f = { 0 };
	unsigned char *text;
	bool equal;

	if (t->call.args[1] != sizeof(reg))
		return "of another size";
	if (mem_read(t, &reg, t->call.args[0], sizeof(reg)) < 0)
		return "not readable";
	if (reg.size != sizeof(reg) || reg.abi != IPMON_ABI_VERSION)
		return "of another ABI version";
	if (reg.table_hash != lib.table_hash)
		return "built with another system call table";
	if (t->call.ip < reg.text_start || t->call.ip >= reg.text_end)
		return "not issued from the text it names";
	f.addr = reg.text_start;
	if (maps_each(t->tid, find_map, &f) != 1)
		return "of memory that is not mapped";
	if (f.found.start != reg.text_start || f.found.end != reg.text_end ||
	    strcmp(f.found.perms, "r-xp"))
		return "of something that is no executable segment";
	if (f.found.inode != lib.inode ||
	    f.found.dev_major != lib.dev_major ||
	    f.found.dev_minor != lib.dev_minor ||
	    f.found.offset != lib.offset ||
	    reg.text_end - reg.text_start != lib.size)
		return "of another file";
	text = malloc(lib.size);
	if (!text)
		return "of more memory than there is";
	equal = !mem_read(t, text, reg.text_start, lib.size) &&
		!memcmp(text, lib.text, lib.size);
	free(text);
	if (!equal)
		return "of modified text";
	if (!ranges_inside(&reg))
		return "with ranges outside its text";
	mm->ranges[t->variant] = reg.ranges;
	mm->ipmon_text[t->variant][0] = reg.text_start;
	mm->ipmon_text[t->variant][1] = reg.text_end;
	return NULL;
}

/*
 * Where in the environment the string `entry` is, or 0.  Not simply where it was put:
 * a dynamic linker that was itself executed takes its arguments away from under the
 * environment (glibc from 2.34 on; earlier ones leave that where it is).
 */
static uint64_t env_find(struct task *t, uint64_t sp, uint64_t entry)
{
	uint64_t words[256], at = sp, argc;

	if (mem_read(t, &argc, at, sizeof(argc)) < 0 ||
	    argc > STACK_MAX / sizeof(argc))
		return 0;
	/* the count, that many arguments, and NULL */
	for (at += (argc + 2) * 8; at < sp + STACK_MAX; at += sizeof(words)) {
		ssize_t n = mem_read_some(t, words, at, sizeof(words));

		for (ssize_t i = 0; i < n / 8; i++) {
			if (words[i] == entry)
				return at + (uint64_t)i * 8;
			if (!words[i])
				return 0;
		}
		if (n < (ssize_t)sizeof(words))
			break;
	}
	return 0;
}

void ipmon_hide_preload(struct taskset *s)
{
	struct mm *mm = s->proc->mm;

	for_each_variant(v) {
		uint64_t words[2], at;
		unsigned int n;

		if (!mm->env_added[v])
			continue;
		at = env_find(&s->t[v], mm->stack[v], mm->env_added[v]);
		n = stack_hide(mm->env_orig[v], words);
		if (at)
			mem_write(&s->t[v], at, words, n * sizeof(*words));
		mm->env_added[v] = 0;
	}
}

void ipmon_register_start(struct taskset *s)
{
	const char *wrong = NULL;

	own_linked(s);
	if (!mon.libipmon[0] || library_load() < 0)
		wrong = "of a file that monitord cannot read";
	else if (s->proc->mm->registered)
		wrong = "made a second time";
	for_each_variant(v)
		if (!wrong)
			wrong = verify(&s->t[v]);
	if (wrong) {
		if (!task_dying(&s->t[LEADER]))
			say("process %d: registration of libipmon refused: it is %s; it runs under the tracer alone, which is slower",
			    (int)s->proc->vpid, wrong);
		set_finish(s, -EPERM);
		return;
	}
	ipmon_hide_preload(s);
	if (s->proc->mm->at_random[LEADER])
		at_random_publish(s);
	s->proc->mm->registered = true;
	if (mon.opt.policy != POLICY_STRICT &&
	    !fast_setup(s))
		patch_process(s);
	set_finish(s, 0);
}
