// SPDX-License-Identifier: Apache-2.0
/*
 * Files that are mapped executable.
 *
 * Theory of operation
 * -------------------
 * What has been found out about a file's text (its system call sites, its
 * rdtsc instructions) holds for every process that maps the same file, so it
 * is kept for the whole run, by device, inode and time of modification.  The
 * contents are a mapping, not a copy: most of a large library is never looked
 * at.  A file that somebody truncates would raise SIGBUS, so its data is read
 * within object_safely() only.
 *
 * Who compiles and runs programs all day would have them all here, and a mapping of
 * each keeps it on its disk.  So beyond OBJECTS_MAX the one that has not been
 * asked for for longest goes, unless an address space still has patches in it, or
 * the user wants to be told about all (--stats).  For the same reason the mappings
 * go when the program unmounts something, all but those of files whose text is
 * patched somewhere, which is mapped there anyway.  What has been counted stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elf.h>
#undef AT_ENTRY		/* auxv names that are also ours */

#include "objects.h"

#define MAX_FILE	(512u << 20)
#define OBJECTS_MAX	512u

struct object *objects;
static unsigned int n_files;

static void unmap_data(struct object *o)
{
	site_forget(&o->elf);
	munmap((void *)(uintptr_t)o->elf.data, o->elf.size);
	o->elf.data = NULL;
}

static void object_free(struct object *o)
{
	struct site_call *c;
	struct site *p;

	while ((p = o->sites)) {
		o->sites = p->next;
		while ((c = p->calls)) {
			p->calls = c->next;
			free(c);
		}
		free(p);
	}
	if (o->elf.data)
		unmap_data(o);
	free(o->tsc);
	free(o->seeded);
	free(o->name);
	free(o);
	n_files--;
}

void objects_let_go(void)
{
	for (struct object *o = objects; o; o = o->next) {
		if (!o->elf.data || o->refs)
			continue;
		unmap_data(o);
		o->unmapped = true;
	}
}

/* Room for another file: the last in the list that nobody needs. */
static void make_room(void)
{
	struct object **p, **last = NULL, *o;

	if (n_files < OBJECTS_MAX || mon.opt.stats_file)
		return;
	for (p = &objects; *p; p = &(*p)->next)
		if (((*p)->elf.data || (*p)->unmapped) && !(*p)->refs)
			last = p;
	if (!last)
		return;
	o = *last;
	*last = o->next;
	object_free(o);
}

/* It has been asked for. */
static struct object *to_front(struct object *o)
{
	struct object **p;

	for (p = &objects; *p && *p != o; p = &(*p)->next)
		;
	if (*p) {
		*p = o->next;
		o->next = objects;
		objects = o;
	}
	return o;
}

static struct object *object_new(const char *name)
{
	struct object *o = calloc(1, sizeof(*o));

	if (o)
		o->name = strdup(name);
	if (!o || !o->name) {
		free(o);
		return NULL;
	}
	o->next = objects;
	objects = o;
	return o;
}

struct own {
	uint64_t addr;
	struct map_entry e;
};

static int find_own(void *ctx, const struct map_entry *e)
{
	struct own *f = ctx;

	if (f->addr < e->start || f->addr >= e->end)
		return 0;
	f->e = *e;
	return 1;
}

/* stat(2) and maps disagree on some file systems: does a mapping of ours look
 * like the one in question? */
static bool looks_like(const void *map, const struct map_entry *e)
{
	struct own f = { .addr = (uint64_t)(uintptr_t)map };

	return maps_each(getpid(), find_own, &f) == 1 &&
	       f.e.inode == e->inode && f.e.dev_major == e->dev_major &&
	       f.e.dev_minor == e->dev_minor;
}

static void find_text(void *ctx)
{
	struct object *o = ctx;
	const uint8_t *p;
	uint64_t n;

	if (elf_text(&o->elf, 0, &p, &n, &o->text))
		o->text_end = o->text + n;
}

/* It has been mapped again.  It may be another file: of a file system that has got
 * the number of one that is gone, with the same times as images have them. */
static void look_anew(struct object *o)
{
	for (struct site *p = o->sites; p; p = p->next)
		p->planned = false;
	free(o->tsc);
	free(o->seeded);
	o->tsc = NULL;
	o->seeded = NULL;
	o->n_tsc = o->n_seeded = 0;
	o->scanned = o->tsc_doubt = false;
	o->text = o->text_end = 0;
	object_safely(find_text, o);
}

/* A file that may have text in it, or -1. */
static int open_regular(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0 && (fstat(fd, st) < 0 || !S_ISREG(st->st_mode) ||
			st->st_size <= 0 || st->st_size > MAX_FILE)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

struct object *object_open(pid_t tid, const struct map_entry *e)
{
	char path[sizeof(e->path) + 32];
	struct object *o;
	struct stat st;
	int64_t mtime;
	void *map;
	int fd;

	for (o = objects; o; o = o->next)
		if (o->elf.data && o->map_ino == e->inode &&
		    !strcmp(o->name, e->path))
			break;
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)tid, e->path);
	/* known under this name: only its date is of interest */
	if (o && !lstat(path, &st) && S_ISREG(st.st_mode) &&
	    st.st_ino == o->ino && st.st_dev == o->dev &&
	    st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec == o->mtime)
		return to_front(o);
	fd = open_regular(path, &st);
	/* of a process with a root directory of its own the kernel shows paths from
	 * ours, as long as they are in our mount namespace */
	if (fd < 0 || st.st_ino != e->inode) {
		struct stat ours;
		int other = open_regular(e->path, &ours);

		if (other >= 0 && (fd < 0 || ours.st_ino == e->inode)) {
			if (fd >= 0)
				close(fd);
			fd = other;
			st = ours;
		} else if (other >= 0) {
			close(other);
		}
	}
	if (fd < 0)
		return NULL;
	mtime = st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec;
	for (o = objects; o; o = o->next)
		if ((o->elf.data ||
		     (o->unmapped && o->elf.size == (size_t)st.st_size)) &&
		    o->dev == st.st_dev && o->ino == st.st_ino &&
		    o->mtime == mtime && o->map_ino == e->inode)
			break;
	if (o && o->elf.data) {
		close(fd);
		return to_front(o);
	}
	/* not for one that is counted already: it might be what has to go */
	if (!o)
		make_room();
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return NULL;
	if (o) {
		o->elf.data = map;
		o->unmapped = false;
		look_anew(o);
		return to_front(o);
	}
	o = st.st_ino == e->inode || looks_like(map, e) ?
		object_new(e->path) : NULL;
	if (!o) {
		munmap(map, (size_t)st.st_size);
		return NULL;
	}
	o->dev = st.st_dev;
	o->ino = st.st_ino;
	o->map_ino = e->inode;
	o->mtime = mtime;
	o->elf.data = map;
	o->elf.size = (size_t)st.st_size;
	n_files++;
	object_safely(find_text, o);
	return o;
}

struct object *object_named(const char *name)
{
	for (struct object *o = objects; o; o = o->next)
		if (!o->elf.data && !strcmp(o->name, name))
			return o;
	return object_new(name);
}

struct site *site_get(struct object *o, uint64_t vaddr)
{
	struct site *p;

	for (p = o->sites; p; p = p->next)
		if (p->vaddr == vaddr)
			return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->vaddr = vaddr;
	p->next = o->sites;
	o->sites = p;
	o->n_sites++;
	return p;
}

/* ---- symbols ---- */

struct lookup {
	const struct elf_image *e;
	uint64_t vaddr;
	char *buf;
	size_t n;
};

static const void *bytes(const struct elf_image *e, uint64_t off, uint64_t n)
{
	return off <= e->size && n <= e->size - off ? e->data + off : NULL;
}

static void lookup(void *ctx)
{
	struct lookup *l = ctx;
	const Elf64_Ehdr *eh = bytes(l->e, 0, sizeof(*eh));
	const Elf64_Shdr *sh = eh && eh->e_shentsize == sizeof(*sh) &&
		!(eh->e_shoff & 7) ? bytes(l->e, eh->e_shoff,
			(uint64_t)eh->e_shnum * sizeof(*sh)) : NULL;

	for (unsigned int i = 0; sh && i < eh->e_shnum; i++) {
		const Elf64_Sym *sym;
		const char *str;

		if ((sh[i].sh_type != SHT_SYMTAB &&
		     sh[i].sh_type != SHT_DYNSYM) || sh[i].sh_link >=
		    eh->e_shnum || sh[i].sh_offset & 7)
			continue;
		sym = bytes(l->e, sh[i].sh_offset, sh[i].sh_size);
		str = bytes(l->e, sh[sh[i].sh_link].sh_offset,
			    sh[sh[i].sh_link].sh_size);
		for (uint64_t k = 0; sym && str && k < sh[i].sh_size /
		     sizeof(*sym); k++) {
			uint64_t left = sh[sh[i].sh_link].sh_size;

			if (ELF64_ST_TYPE(sym[k].st_info) != STT_FUNC ||
			    !sym[k].st_shndx || sym[k].st_name >= left ||
			    l->vaddr < sym[k].st_value ||
			    l->vaddr - sym[k].st_value >= sym[k].st_size)
				continue;
			left -= sym[k].st_name;
			snprintf(l->buf, l->n, "%.*s+0x%lx",
				 left < 200 ? (int)left : 200,
				 str + sym[k].st_name,
				 (unsigned long)(l->vaddr - sym[k].st_value));
			return;
		}
	}
}

void object_symbol(struct object *o, uint64_t vaddr, char *buf, size_t n)
{
	struct lookup l = { &o->elf, vaddr, buf, n };

	buf[0] = 0;
	if (o->elf.data && !object_safely(lookup, &l))
		buf[0] = 0;
}

/* ---- files that shrink ---- */

static sigjmp_buf bus;

static void on_bus(int sig)
{
	(void)sig;
	siglongjmp(bus, 1);
}

bool object_safely(void (*fn)(void *ctx), void *ctx)
{
	struct sigaction sa = { .sa_handler = on_bus }, old;
	bool done = false;

	sigaction(SIGBUS, &sa, &old);
	if (!sigsetjmp(bus, 1)) {
		fn(ctx);
		done = true;
	}
	sigaction(SIGBUS, &old, NULL);
	return done;
}
