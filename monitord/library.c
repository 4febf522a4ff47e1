// SPDX-License-Identifier: Apache-2.0
/*
 * Mapping libipmon into a fresh image.
 *
 * Theory of operation
 * -------------------
 * IP-MON needs nothing of a dynamic linker: its text and constants have no
 * relocations and nothing in them is written.  So monitord maps them itself, in
 * every variant, at a hidden address, before the first instruction of the image.
 * A static program, one of another libc, and one with more rights than its caller's
 * (whose linker ignores LD_PRELOAD) get it like any other, and so does
 * one that sees other files than we do: the descriptor is ours, handed over.  The
 * linker's own calls are handled in-process, too.
 *
 * The file is opened once; what replaces it on disk meanwhile is another version's.
 * Where in its text IP-MON has to be entered says a note in it (struct ipmon_note).
 * What lies there is the monitor's: the program cannot unmap or change it (owned.c).
 */
#include <elf.h>
#undef AT_ENTRY			/* auxv names that are also ours */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ipmon/abi.h>
#include "fast.h"
#include "hidden.h"
#include "launch.h"
#include "library.h"
#include "patch.h"
#include "tracee.h"

#define PAGE	4096ull

static struct library {
	bool tried;
	int fd;
	uint64_t size;			/* whole pages, from the file's first on;
					 * 0: it cannot be used */
	uint64_t text, text_end;	/* whole pages within */
	struct ipmon_ranges ranges;	/* from the beginning */
} lib = { .fd = -1 };

/* ---- the file ---- */

struct file {
	const unsigned char *p;
	size_t size;
};

static uint64_t page_up(uint64_t x)
{
	return (x + PAGE - 1) & ~(PAGE - 1);
}

/* What is mapped: all segments up to the first that is written, each where its file
 * offset says, one of them executable. */
static const char *read_segments(const struct file *f, const Elf64_Ehdr *eh)
{
	for (unsigned int i = 0; i < eh->e_phnum; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, f->p + eh->e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type != PT_LOAD || ph.p_flags & PF_W)
			continue;
		if (ph.p_offset != ph.p_vaddr || ph.p_filesz != ph.p_memsz ||
		    ph.p_offset > f->size ||
		    ph.p_filesz > f->size - ph.p_offset)
			return "linked in another way";
		if (page_up(ph.p_offset + ph.p_filesz) > lib.size)
			lib.size = page_up(ph.p_offset + ph.p_filesz);
		if (!(ph.p_flags & PF_X))
			continue;
		if (lib.text_end || ph.p_offset % PAGE)
			return "linked in another way";
		lib.text = ph.p_offset;
		lib.text_end = page_up(ph.p_offset + ph.p_filesz);
	}
	return lib.text_end ? NULL : "without text";
}

/* Ours among the notes in [at, end)?  They are aligned to four bytes. */
static bool find_note(const struct file *f, uint64_t at, uint64_t end,
		      struct ipmon_note *note, uint64_t *desc)
{
	static const char name[8] = IPMON_NOTE_NAME; /* padded */
	Elf64_Nhdr nh;

	for (; at <= end && end - at >= sizeof(nh);
	     at = *desc + ((nh.n_descsz + 3ull) & ~3ull)) {
		memcpy(&nh, f->p + at, sizeof(nh));
		*desc = at + sizeof(nh) + ((nh.n_namesz + 3ull) & ~3ull);
		if (*desc > end || end - *desc < nh.n_descsz)
			return false;
		if (nh.n_namesz != sizeof(IPMON_NOTE_NAME) ||
		    nh.n_descsz != sizeof(*note) ||
		    nh.n_type != IPMON_NOTE_TYPE ||
		    memcmp(f->p + at + sizeof(nh), name, sizeof(name)))
			continue;
		memcpy(note, f->p + *desc, sizeof(*note));
		return true;
	}
	return false;
}

static const char *read_notes(const struct file *f, const Elf64_Ehdr *eh)
{
	const size_t n = sizeof(lib.ranges) / sizeof(uint64_t);
	uint64_t range[sizeof(lib.ranges) / sizeof(uint64_t)];
	struct ipmon_note note;
	uint64_t desc = 0;
	bool found = false;

	for (unsigned int i = 0; i < eh->e_phnum && !found; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, f->p + eh->e_phoff + i * sizeof(ph), sizeof(ph));
		found = ph.p_type == PT_NOTE && ph.p_offset <= f->size &&
			ph.p_filesz <= f->size - ph.p_offset &&
			find_note(f, ph.p_offset, ph.p_offset + ph.p_filesz,
				  &note, &desc);
	}
	if (!found)
		return "of another version";
	if (note.size != sizeof(note) || note.abi != IPMON_ABI_VERSION)
		return "of another ABI version";
	if (note.table_hash != ipmon_table_hash())
		return "built with another system call table";
	memcpy(range, &note.ranges, sizeof(range));
	desc += offsetof(struct ipmon_note, ranges);
	for (size_t i = 0; i < n; i++) {
		range[i] += desc + i * sizeof(range[0]);
		if (range[i] < lib.text || range[i] >= lib.text_end)
			return "with ranges outside its text";
	}
	memcpy(&lib.ranges, range, sizeof(range));
	return NULL;
}

static const char *read_file(const struct file *f)
{
	Elf64_Ehdr eh;
	const char *wrong;

	if (f->size < sizeof(eh))
		return "no library";
	memcpy(&eh, f->p, sizeof(eh));
	if (memcmp(eh.e_ident, ELFMAG, SELFMAG) ||
	    eh.e_phentsize != sizeof(Elf64_Phdr) || eh.e_phoff > f->size ||
	    eh.e_phnum > (f->size - eh.e_phoff) / sizeof(Elf64_Phdr))
		return "no library";
	wrong = read_segments(f, &eh);
	return wrong ? wrong : read_notes(f, &eh);
}

static void library_open(void)
{
	const char *wrong = "not to be read";
	struct file f = { NULL, 0 };
	struct stat st;
	void *map;

	if (lib.tried || !mon.libipmon[0])
		return;
	lib.tried = true;
	lib.fd = open(mon.libipmon, O_RDONLY | O_CLOEXEC);
	if (lib.fd >= 0 && !fstat(lib.fd, &st) && st.st_size > 0) {
		f.size = (size_t)st.st_size;
		map = mmap(NULL, f.size, PROT_READ, MAP_PRIVATE, lib.fd, 0);
		if (map != MAP_FAILED) {
			f.p = map;
			wrong = read_file(&f);
			munmap(map, f.size);
		}
	}
	if (!wrong)
		return;
	lib.size = 0;
	say("%s is %s; programs run under the tracer alone, which is slower",
	    mon.libipmon, wrong);
}

uint64_t library_size(void)
{
	library_open();
	return lib.size;
}

/* ---- in the variants ---- */

/* Is this descriptor of the leader's open on our file? */
static bool is_library(const struct taskset *s, int fd)
{
	struct stat here, there;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d",
		 (int)s->proc->pid[LEADER], fd);
	return !fstat(lib.fd, &here) && !stat(path, &there) &&
		here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Is what the process finds at a path what we find there?  Nothing is opened in file
 * systems of its own: it may be the program that serves them. */
static bool sees_our_files(const struct taskset *s)
{
	static const char *const of[] = { "root", "ns/mnt" };
	struct stat here, there;
	char path[64];

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/%s", of[i]);
		if (stat(path, &here) < 0)
			return false;
		snprintf(path, sizeof(path), "/proc/%d/%s",
			 (int)s->proc->pid[LEADER], of[i]);
		if (stat(path, &there) < 0 || here.st_dev != there.st_dev ||
		    here.st_ino != there.st_ino)
			return false;
	}
	return true;
}

/* The leader has no channel like followers have: one is made for it, unless it can simply
 * open the file. */
static int leader_open(struct taskset *s)
{
	struct task *t = &s->t[LEADER];
	uint64_t at = s->proc->mm->scratch[LEADER] + SCRATCH_FD_OFFSET;
	int64_t fd;

	if (!sees_our_files(s))
		return leader_send_fd(s, lib.fd);
	if (mem_write(t, at, mon.libipmon, strlen(mon.libipmon) + 1) < 0)
		return -EFAULT;
	fd = task_inject(t, SYS_openat, (uint64_t)AT_FDCWD, at,
			 O_RDONLY | O_CLOEXEC, 0, 0, 0);
	if (fd >= 0 && is_library(s, (int)fd))
		return (int)fd;
	if (fd >= 0)
		task_inject(t, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	return leader_send_fd(s, lib.fd);
}

static int map_in(struct task *t, uint64_t *base)
{
	int64_t at, r = 0;
	int fd = t->variant == LEADER ? leader_open(t->set) :
		task_send_fd(t, lib.fd);

	if (fd < 0)
		return fd;
	at = hidden_map(t, lib.size, PROT_READ, MAP_PRIVATE, fd, 0, false);
	if (at > 0) {
		*base = (uint64_t)at;
		/* a mapping that becomes executable may be forbidden:
		 * systemd's MemoryDenyWriteExecute=, prctl(PR_SET_MDWE) */
		r = task_inject(t, SYS_mmap, *base + lib.text,
				lib.text_end - lib.text, PROT_READ | PROT_EXEC,
				MAP_PRIVATE | MAP_FIXED, (uint64_t)fd, lib.text);
	}
	task_inject(t, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	return at < 0 ? (int)at : r < 0 ? (int)r : 0;
}

static void note_ranges(struct mm *mm, unsigned int v, uint64_t base)
{
	uint64_t range[sizeof(lib.ranges) / sizeof(uint64_t)];

	memcpy(range, &lib.ranges, sizeof(range));
	for (size_t i = 0; i < sizeof(range) / sizeof(range[0]); i++)
		range[i] += base;
	memcpy(&mm->ranges[v], range, sizeof(range));
	mm->ipmon_text[v][0] = base + lib.text;
	mm->ipmon_text[v][1] = base + lib.text_end;
}

void library_map(struct taskset *s)
{
	struct mm *mm = s->proc->mm;
	int r = 0;

	library_open();
	if (!lib.size || mon.opt.policy == POLICY_STRICT ||
	    s->proc->has_filter)
		return;
	for_each_variant(v) {
		r = map_in(&s->t[v], &mm->library[v]);
		if (r < 0)
			break;
		note_ranges(mm, v, mm->library[v]);
	}
	if (!r)
		r = fast_setup(s);
	if (!r) {
		mm->registered = true;
		patch_process(s);
		return;
	}
	for_each_variant(v) {
		if (mm->library[v])
			task_inject(&s->t[v], SYS_munmap, mm->library[v],
				    lib.size, 0, 0, 0, 0);
		mm->library[v] = 0;
		mm->ipmon_text[v][0] = mm->ipmon_text[v][1] = 0;
	}
	if (!task_dying(&s->t[LEADER]))
		verbose("process %d: libipmon cannot be mapped: %s; it runs under the tracer alone, which is slower",
		    (int)s->proc->vpid, strerror(-r));
}
