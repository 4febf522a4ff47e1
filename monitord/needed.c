// SPDX-License-Identifier: Apache-2.0
/*
 * What libraries a library needs.
 *
 * Theory of operation
 * -------------------
 * A library that one variant alone preloads (Preload= of monitord.conf) brings those
 * with it that it needs.  A program that asks for one of these later by dlopen(), or
 * whose name service does, has it already in this variant and opens a file in the
 * others.  So all variants load what any of them is given needs; then the library itself
 * is the only difference.
 */
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "needed.h"

static bool in_list(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strstr(list, name); p; p = strstr(p + 1, name))
		if ((p == list || p[-1] == ':') && (!p[n] || p[n] == ':'))
			return true;
	return false;
}

static void add(const char *name, char *list, size_t n)
{
	size_t len = strlen(list);

	if (!*name || strpbrk(name, ": \t") || !strncmp(name, "libc.so.", 8) ||
	    !strncmp(name, "ld-linux", 8) || in_list(list, name) ||
	    len + strlen(name) + 2 > n)
		return;
	snprintf(list + len, n - len, "%s%s", len ? ":" : "", name);
}

static void add_needed(Elf *e, char *list, size_t n)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(e, scn))) {
		GElf_Shdr sh;
		Elf_Data *d;
		GElf_Dyn dyn;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_DYNAMIC)
			continue;
		d = elf_getdata(scn, NULL);
		for (int i = 0; d && gelf_getdyn(d, i, &dyn); i++) {
			const char *name = dyn.d_tag == DT_NEEDED ?
				elf_strptr(e, sh.sh_link, dyn.d_un.d_val) :
				NULL;

			if (name)
				add(name, list, n);
		}
	}
}

void needed_by(const char *paths, char *list, size_t n)
{
	char *copy = strdup(paths), *save = NULL;

	if (!copy || elf_version(EV_CURRENT) == EV_NONE) {
		free(copy);
		return;
	}
	for (char *p = strtok_r(copy, ":", &save); p;
	     p = strtok_r(NULL, ":", &save)) {
		int fd = open(p, O_RDONLY | O_CLOEXEC);
		Elf *e = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);

		if (e)
			add_needed(e, list, n);
		elf_end(e);
		if (fd >= 0)
			close(fd);
	}
	free(copy);
}
