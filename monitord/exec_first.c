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
 * and loads it once.
 *
 * Nothing of the image is relocated yet: addresses in it are the file's.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

bool image_names(struct image *im, const char *symbol)
{
	struct names names = read_names(im);
	bool found = false;
	char *text;

	if (!names.at || !names.size || names.size > NAMES_MAX)
		return false;
	text = malloc(names.size);
	if (text && !mem_read(im->t, text, names.at, names.size))
		found = memmem(text, names.size, symbol, strlen(symbol) + 1);
	free(text);
	return found;
}

void first_library(struct image *im, char *list, size_t size)
{
	const char *own = stack_preload(&im->stack);
	char name[NAME_LEN];
	size_t n = 0;

	if (own) {
		own += strspn(own, SEPARATORS);
		n = strcspn(own, SEPARATORS);
	}
	if (!n && first_needed(im, name)) {
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
