// SPDX-License-Identifier: Apache-2.0
/*
 * Which library comes first.
 *
 * Theory of operation
 * -------------------
 * What LD_PRELOAD names comes before all that a program needs.  For most programs that
 * is as good as any other order.  The runtime of a sanitizer demands to be the very first
 * object behind the program: what it defines in place of libc's functions has to be
 * found before anything else is, and AddressSanitizer's ends the process if it is not.
 * A compiler puts its runtime first among what the program needs; somebody who wants it
 * in a program that was not built with it puts it first into LD_PRELOAD.  Where it is the
 * first one natively, it is named before our libraries.  The linker looks for a name of
 * LD_PRELOAD as for one that the program needs, along the program's own paths as well,
 * and loads it once.  Where the linker itself was executed and told what to run
 * (ld.so(8)), that program is not in the image: what it needs is read from its file.
 *
 * Nothing of the image is relocated yet: addresses in it are the file's.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec_image.h"
#include "tracee.h"
/* after our headers: it makes macros of some of our names */
#include <elf.h>

#define NAME_LEN	256
#define NAMES_MAX	(1u << 24)
#define SEPARATORS	": "		/* of LD_PRELOAD */

/* Do the `n` bytes at `path` name the runtime of a sanitizer (gcc's, LLVM's)? */
static bool is_runtime(const char *path, size_t n)
{
	static const char *const names[] = {
		"libasan.so", "libhwasan.so", "liblsan.so", "libtsan.so",
		"libclang_rt.",
	};
	const char *name = memrchr(path, '/', n);

	name = name ? name + 1 : path;
	n -= (size_t)(name - path);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (n >= strlen(names[i]) &&
		    !strncmp(name, names[i], strlen(names[i])))
			return true;
	return false;
}

/* The dynamic section of the program. How many entries, 0: none. */
static size_t read_dynamic(struct image *im, Elf64_Dyn *d, size_t max,
			   uint64_t *bias)
{
	uint64_t at = stack_aux(&im->stack, AUX_PHDR, 0), addr = 0, size = 0;
	uint64_t n = stack_aux(&im->stack, AUX_PHNUM, 0);
	bool found = false;
	Elf64_Phdr ph[32];

	if (!at || !n || n > sizeof(ph) / sizeof(ph[0]) ||
	    mem_read(im->t, ph, at, n * sizeof(ph[0])) < 0)
		return 0;
	for (uint64_t i = 0; i < n; i++) {
		if (ph[i].p_type == PT_PHDR) {
			*bias = at - ph[i].p_vaddr;
			found = true;
		} else if (ph[i].p_type == PT_DYNAMIC) {
			addr = ph[i].p_vaddr;
			size = ph[i].p_memsz / sizeof(*d);
		}
	}
	if (size > max)
		size = max;
	if (!found || !addr ||
	    mem_read(im->t, d, *bias + addr, size * sizeof(*d)) < 0)
		return 0;
	return size;
}

/* Names of a program: of the first library it needs, and of symbols. */
struct names {
	uint64_t first;			/* 0: needs none */
	uint64_t at, size;		/* all of them, 0: none */
};

static struct names read_names(struct image *im)
{
	struct names found = { 0 };
	uint64_t bias = 0, first = 0;
	bool needs = false;
	Elf64_Dyn d[128];
	size_t n = read_dynamic(im, d, sizeof(d) / sizeof(d[0]), &bias);

	for (size_t i = 0; i < n && d[i].d_tag != DT_NULL; i++) {
		if (d[i].d_tag == DT_STRTAB)
			found.at = bias + d[i].d_un.d_ptr;
		if (d[i].d_tag == DT_STRSZ)
			found.size = d[i].d_un.d_val;
		if (d[i].d_tag == DT_NEEDED && !needs) {
			first = d[i].d_un.d_val;
			needs = true;
		}
	}
	if (needs && found.at)
		found.first = found.at + first;
	return found;
}

/* The first library the program needs. */
static bool first_needed(struct image *im, char name[NAME_LEN])
{
	uint64_t at = read_names(im).first;

	memset(name, 0, NAME_LEN);
	return at && mem_read_some(im->t, name, at, NAME_LEN - 1) > 0;
}

/* ---- a program that the linker is told to run ---- */

/* The file of a program: its load segments and its dynamic section. */
struct program {
	int fd;
	Elf64_Phdr ph[32];
	size_t n_ph;
	Elf64_Dyn d[128];
	size_t n_d;
};

static bool read_at(const struct program *p, void *to, size_t n, uint64_t at)
{
	return at <= INT64_MAX && pread(p->fd, to, n, (off_t)at) == (ssize_t)n;
}

static bool read_program(struct program *p)
{
	Elf64_Ehdr eh;
	struct stat st;

	if (fstat(p->fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    !read_at(p, &eh, sizeof(eh), 0) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_phentsize != sizeof(p->ph[0]))
		return false;
	p->n_ph = eh.e_phnum;
	if (p->n_ph > sizeof(p->ph) / sizeof(p->ph[0]) ||
	    !read_at(p, p->ph, p->n_ph * sizeof(p->ph[0]), eh.e_phoff))
		return false;
	for (size_t i = 0; i < p->n_ph; i++) {
		if (p->ph[i].p_type != PT_DYNAMIC)
			continue;
		p->n_d = p->ph[i].p_filesz / sizeof(p->d[0]);
		if (p->n_d > sizeof(p->d) / sizeof(p->d[0]))
			p->n_d = sizeof(p->d) / sizeof(p->d[0]);
		return read_at(p, p->d, p->n_d * sizeof(p->d[0]),
			       p->ph[i].p_offset);
	}
	return false;
}

/* Where in the file this address is; 0: nowhere. */
static uint64_t in_file(const struct program *p, uint64_t addr)
{
	for (size_t i = 0; i < p->n_ph; i++) {
		const Elf64_Phdr *h = &p->ph[i];

		if (h->p_type == PT_LOAD && addr >= h->p_vaddr &&
		    addr - h->p_vaddr < h->p_filesz)
			return h->p_offset + (addr - h->p_vaddr);
	}
	return 0;
}

/* Names of the program in this file: offsets in it. */
static struct names names_in_file(struct program *p)
{
	struct names found = { 0 };
	uint64_t first = 0;
	bool needs = false;

	if (!read_program(p))
		return found;
	for (size_t i = 0; i < p->n_d && p->d[i].d_tag != DT_NULL; i++) {
		if (p->d[i].d_tag == DT_STRTAB)
			found.at = in_file(p, p->d[i].d_un.d_ptr);
		if (p->d[i].d_tag == DT_STRSZ)
			found.size = p->d[i].d_un.d_val;
		if (p->d[i].d_tag == DT_NEEDED && !needs) {
			first = p->d[i].d_un.d_val;
			needs = true;
		}
	}
	if (needs && found.at && first < NAMES_MAX)
		found.first = found.at + first;
	return found;
}

/* The program that the linker will run, its file open, or -1. */
static int open_to_run(const struct image *im)
{
	const char *program = stack_runs(&im->stack);
	char path[PATH_MAX];
	struct stat st;
	int fd, file = -1;

	/* without a slash it is looked for like a library */
	if (!program || !strchr(program, '/') ||
	    (size_t)snprintf(path, sizeof(path), "/proc/%d/%s/%s",
			     (int)im->t->tid, *program == '/' ? "root" : "cwd",
			     program) >= sizeof(path))
		return -1;
	/* a device is not even opened: that may do something */
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		file = open(path, O_RDONLY | O_CLOEXEC);
	}
	close(fd);
	return file;
}

/* The first library it needs. */
static bool first_to_run(const struct image *im, char name[NAME_LEN])
{
	struct program p = { .fd = open_to_run(im) };
	bool found = false;
	uint64_t at;

	memset(name, 0, NAME_LEN);
	if (p.fd < 0)
		return false;
	at = names_in_file(&p).first;
	/* there is more behind it, sections or others' names */
	if (at && at <= INT64_MAX)
		found = pread(p.fd, name, NAME_LEN - 1, (off_t)at) > 0;
	close(p.fd);
	return found;
}

/* All its names, n bytes; the caller frees them. */
static char *names_to_run(const struct image *im, size_t *n)
{
	struct program p = { .fd = open_to_run(im) };
	struct names names;
	char *text = NULL;

	if (p.fd < 0)
		return NULL;
	names = names_in_file(&p);
	*n = names.size;
	if (names.at && names.size && names.size <= NAMES_MAX)
		text = malloc(names.size);
	if (text && !read_at(&p, text, names.size, names.at)) {
		free(text);
		text = NULL;
	}
	close(p.fd);
	return text;
}

static char *names_loaded(struct image *im, size_t *n)
{
	struct names names = read_names(im);
	char *text;

	*n = names.size;
	if (!names.at || !names.size || names.size > NAMES_MAX)
		return NULL;
	text = malloc(names.size);
	if (text && mem_read(im->t, text, names.at, names.size) < 0) {
		free(text);
		text = NULL;
	}
	return text;
}

bool image_names(struct image *im, const char *symbol)
{
	size_t n;
	char *text = im->linker ? names_to_run(im, &n) : names_loaded(im, &n);
	bool found = text && memmem(text, n, symbol, strlen(symbol) + 1);

	free(text);
	return found;
}

void first_library(struct image *im, bool linker, char *list, size_t size)
{
	const char *own = stack_preload(&im->stack);
	char name[NAME_LEN];
	size_t n = 0;

	if (own) {
		own += strspn(own, SEPARATORS);
		n = strcspn(own, SEPARATORS);
	}
	if (!n && (linker ? first_to_run(im, name) : first_needed(im, name))) {
		own = name;
		n = strlen(name);
		if (strcspn(name, SEPARATORS) != n)
			return;
	}
	if (!n || !is_runtime(own, n) || strlen(list) + n + 2 > size)
		return;
	memmove(list + n + 1, list, strlen(list) + 1);
	memcpy(list, own, n);
	list[n] = ':';
}
