// SPDX-License-Identifier: Apache-2.0
/*
 * Site planning, on the libc of the machine and on small hand-made code.
 */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sites.h"

static struct elf_image libc_image(uint64_t *bias)
{
	struct elf_image e;
	struct stat st;
	struct link_map *lm;
	void *h = dlopen("libc.so.6", RTLD_NOW);
	int fd;

	cr_assert(h);
	cr_assert(!dlinfo(h, RTLD_DI_LINKMAP, &lm));
	*bias = lm->l_addr;
	fd = open(lm->l_name, O_RDONLY);
	cr_assert(fd >= 0 && !fstat(fd, &st));
	e.size = (size_t)st.st_size;
	e.data = mmap(NULL, e.size, PROT_READ, MAP_PRIVATE, fd, 0);
	cr_assert(e.data != MAP_FAILED);
	close(fd);
	return e;
}

/* vaddr of the first syscall instruction of a function that has one within n
 * bytes (looked for as bytes: the caller knows the function). */
static uint64_t first_syscall(const char *name, uint64_t bias, size_t n)
{
	/* libc's own: a sanitizer's wrapper may come first */
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	const uint8_t *p = libc ? dlsym(libc, name) : NULL;

	cr_assert(p, "%s", name);
	for (size_t i = 0; i < n; i++)
		if (p[i] == 0x0f && p[i + 1] == 0x05)
			return (uint64_t)(uintptr_t)(p + i) - bias;
	cr_assert_fail("no syscall in %s", name);
	return 0;
}

Test(sites, wrappers_of_libc)
{
	static const char *const name[] = {
		"getppid", "getpid", "close", "read", "write", "openat",
		"epoll_wait", "sendfile", "accept4", "recvfrom", "lseek",
	};
	uint64_t bias;
	struct elf_image e = libc_image(&bias);

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		uint64_t vaddr = first_syscall(name[i], bias, 120);
		struct site_plan p;
		uint8_t stub[SITE_STUB_MAX];
		size_t n;

		site_plan(&e, vaddr, &p, NULL, NULL);
		cr_expect(p.kind != SITE_NONE, "%s: %s", name[i],
			  p.why ? p.why : "?");
		if (!p.kind)
			continue;
		cr_expect(p.vaddr - p.start >= 5);
		cr_expect(p.vaddr - p.start <= SITE_MAX_REGION);
		n = site_emit(&p, 0x7f0000000000, 0x7f0000000000 - 0x10000,
			      stub);
		cr_expect(n > 26 && n <= SITE_STUB_MAX);
		/* too far away for a 32-bit displacement */
		cr_expect_eq(site_emit(&p, 0x7f0000000000, 0x100000000,
				       stub), 0);
	}
}

Test(sites, not_an_instruction)
{
	uint64_t bias;
	struct elf_image e = libc_image(&bias);
	uint64_t vaddr = first_syscall("getppid", bias, 40);
	struct site_plan p;

	site_plan(&e, vaddr + 1, &p, NULL, NULL);
	cr_expect_eq(p.kind, SITE_NONE);
	site_plan(&e, vaddr - 1, &p, NULL, NULL);
	cr_expect_eq(p.kind, SITE_NONE);
	site_plan(&e, 0xffffffffffff0000, &p, NULL, NULL);
	cr_expect_eq(p.kind, SITE_NONE);
}

Test(sites, cut_files)
{
	uint64_t bias;
	struct elf_image e = libc_image(&bias);
	uint64_t vaddr = first_syscall("read", bias, 60);
	struct site_plan p;

	for (size_t size = 0; size < e.size; size = size * 2 + 7) {
		struct elf_image cut = { e.data, size };

		site_plan(&cut, vaddr, &p, NULL, NULL);
		if (size <= elf_offset(&e, vaddr))
			cr_expect_eq(p.kind, SITE_NONE, "%zu bytes", size);
	}
}
