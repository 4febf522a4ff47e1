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

#include "gofuncs.h"
#include "sites.h"

/* The whole file; ends `fd`. */
static struct elf_image image_of(int fd)
{
	struct elf_image e;
	struct stat st;

	cr_assert(fd >= 0 && !fstat(fd, &st));
	e.size = (size_t)st.st_size;
	e.data = mmap(NULL, e.size, PROT_READ, MAP_PRIVATE, fd, 0);
	cr_assert(e.data != MAP_FAILED);
	close(fd);
	return e;
}

static struct elf_image libc_image(uint64_t *bias)
{
	struct link_map *lm;
	void *h = dlopen("libc.so.6", RTLD_NOW);
	int fd;

	cr_assert(h);
	cr_assert(!dlinfo(h, RTLD_DI_LINKMAP, &lm));
	*bias = lm->l_addr;
	fd = open(lm->l_name, O_RDONLY);
	return image_of(fd);
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

static uint64_t holes[64];
static unsigned int n_holes;

static bool taken(void *ctx, uint64_t hole)
{
	for (unsigned int i = 0; i < n_holes; i++)
		if (holes[i] < hole + 5 && hole < holes[i] + 5)
			return true;
	return false;
}

/* Whatever bytes look like a syscall: what decodes as one can be patched,
 * nearly always. */
Test(sites, all_of_libc)
{
	uint64_t bias, n, vaddr;
	struct elf_image e = libc_image(&bias);
	unsigned int kinds[4] = { 0 };
	const uint8_t *p;

	n_holes = 0;
	for (unsigned int s = 0; elf_text(&e, s, &p, &n, &vaddr); s++) {
		for (uint64_t i = 0; i + 1 < n; i++) {
			struct site_plan plan;
			uint8_t stub[SITE_STUB_MAX];

			if (p[i] != 0x0f || p[i + 1] != 0x05 ||
			    site_boundary(&e, vaddr + i) != BOUNDARY_YES)
				continue;
			site_plan(&e, vaddr + i, &plan, taken, NULL);
			kinds[plan.kind]++;
			if (!plan.kind) {
				cr_expect(plan.why);
				continue;
			}
			cr_expect_eq(plan.vaddr, vaddr + i);
			cr_expect(plan.n >= 1 && plan.n <= SITE_MAX_INSNS);
			cr_expect(plan.start + (plan.kind == SITE_S ? 2 : 5) <=
				  plan.vaddr);
			cr_expect(site_emit(&plan, bias, bias + plan.start -
					    0x100000, stub) > 0);
			if (plan.kind != SITE_S) {
				cr_expect_eq(plan.hole, 0);
				continue;
			}
			cr_assert_lt(n_holes, 64);
			cr_expect(!taken(NULL, plan.hole));
			holes[n_holes++] = plan.hole;
			cr_expect((int64_t)(plan.hole - plan.start - 2) <=
				  127 &&
				  (int64_t)(plan.hole - plan.start - 2) >=
				  -128);
		}
	}
	cr_expect(kinds[SITE_P1] > kinds[SITE_P]);
	cr_expect(kinds[SITE_NONE] * 20 < kinds[SITE_P1] + kinds[SITE_P],
		  "%u of %u cannot be patched", kinds[SITE_NONE],
		  kinds[SITE_P1] + kinds[SITE_P] + kinds[SITE_S]);
}

/* Instructions that are no syscalls: what follows is moved. */
#define CODE(name, insns)						\
	"\t.type " #name ", @function\n" #name ":\n\t.cfi_startproc\n\t"	\
	insns "\n\tret\n\t.cfi_endproc\n\t.size " #name ", . - " #name "\n"
__asm__(".text\n\t.p2align 4\n"
	CODE(own_shift, "rdtsc; shl $32, %rdx; or %rdx, %rax")
	CODE(own_fence, "lfence; rdtsc; lfence; ret")
	CODE(own_branch, "rdrand %r10; jc own_shift; dec %r11")
	CODE(own_twice, "rdtsc; nop; rdtsc; lfence; rdtsc; xor %eax, own_shift(%rip)")
	CODE(own_into, "jmp 1f; rdtsc; 1: shl $32, %rdx")
	CODE(own_rsp, "rdrand %rsp; nop; nop")
	CODE(own_call, "rdtscp; call own_shift")
	CODE(own_joined, "rdtsc; nop; nop; nop")
	CODE(own_joined2, "rdtsc; nop; nop; nop")
	/* branches from elsewhere, and bytes of an instruction that look like one */
	CODE(own_cold, "jmp own_joined + 3")
	CODE(own_cold2, ".byte 0xf2, 0xeb; 2: .byte own_joined2 + 4 - 2b - 1")
	CODE(own_number, ".byte 0xb8, 0xeb; 2: .byte own_fence + 6 - 2b - 1, 0, 0"));
extern const uint8_t own_shift[], own_fence[], own_branch[], own_twice[],
	own_into[], own_rsp[], own_call[], own_joined[], own_joined2[];

/* Loops: what they begin with, and what they look at. */
__asm__(".section .rodata\nloop_const:\t.quad 7\n"
	".data\nloop_data:\t.quad 7\n.text\n"
	CODE(loop_wait, "1: mov (%rdi), %eax; cmp %esi, %eax; jne 1b")
	CODE(loop_self, "jmp loop_self")
	CODE(loop_sum, "1: add (%rdi), %rax; add $8, %rdi; cmp %rsi, %rdi; jne 1b")
	CODE(loop_write, "1: mov (%rdi), %eax; mov %eax, (%rsi); test %eax, %eax; je 1b")
	CODE(loop_frame, "1: mov (%rdi), %eax; mov %eax, -8(%rsp); test %eax, %eax; je 1b")
	CODE(loop_rbp, "1: mov (%rdi), %eax; mov %eax, -8(%rbp); test %eax, %eax; je 1b")
	CODE(loop_call, "1: call own_shift; mov (%rdi), %eax; test %eax, %eax; je 1b")
	CODE(loop_jump, "1: mov (%rdi), %eax; test %eax, %eax; je 1b; jmp *%rsi; jmp 1b")
	CODE(loop_consts, "1: add loop_const(%rip), %rax; dec %rcx; jne 1b")
	CODE(loop_datum, "1: cmp %rax, loop_data(%rip); je 1b")
	CODE(loop_nops, "1: nopw 8(%rdx); prefetcht0 (%rdx); add %rax, %rbx; dec %ecx; jne 1b")
	CODE(loop_scatter, "1: mov (%rdi), %eax; vpscatterdd %zmm0, (%rsi,%zmm1,4){%k1}; "
	     "test %eax, %eax; je 1b")
	CODE(loop_gather, "1: vpgatherdd (%rsi,%zmm1,4), %zmm0{%k1}; dec %ecx; jne 1b")
	CODE(loop_clock, "1: rdtsc; lea (%rdx,%rsi), %rcx; cmp %rcx, %rax; jb 1b")
	CODE(loop_nest, "1: mov $9, %ecx; 2: mov (%rdi), %eax; test %eax, %eax; jne 3f; "
	     "dec %ecx; jne 2b; cmp (%rsi), %eax; je 2b; jmp 1b; 3:")
	CODE(loop_long, "1: .rept 70; inc %eax; .endr; jne 1b"));
extern const uint8_t loop_wait[], loop_self[], loop_sum[], loop_write[],
	loop_frame[], loop_rbp[], loop_call[], loop_jump[], loop_consts[],
	loop_datum[], loop_nops[], loop_scatter[], loop_gather[], loop_clock[],
	loop_nest[], loop_long[];

static int first_base(struct dl_phdr_info *info, size_t size, void *base)
{
	*(uint64_t *)base = info->dlpi_addr;
	return 1;
}

static struct elf_image own_image(uint64_t *bias)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	dl_iterate_phdr(first_base, bias);
	return image_of(fd);
}

static bool no_hole(void *ctx, uint64_t hole)
{
	return true;
}

Test(sites, other_instructions)
{
	static const struct {
		const uint8_t *function;
		uint8_t at, len, pre;	/* of the instruction */
		uint8_t end;		/* of the region, 0: impossible */
		uint8_t n;
	} c[] = {
		{ own_shift, 0, 2, 0, 6, 1 }, { own_fence, 3, 2, 0, 8, 1 },
		{ own_branch, 0, 4, 1, 6, 1 }, { own_twice, 0, 2, 0, 0, 0 },
		{ own_twice, 3, 2, 0, 8, 1 }, { own_twice, 8, 2, 0, 16, 1 },
		{ own_into, 2, 2, 0, 0, 0 }, { own_rsp, 0, 4, 1, 0, 0 },
		{ own_call, 0, 3, 0, 0, 0 }, { own_joined, 0, 2, 0, 0, 0 },
		{ own_joined2, 0, 2, 0, 0, 0 },
	};
	uint64_t bias = 0;
	struct elf_image e = own_image(&bias);

	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		uint64_t f = (uint64_t)(uintptr_t)c[i].function - bias;
		struct site_own own = { .len = c[i].len, .pre = c[i].pre };
		uint8_t stub[SITE_STUB_MAX];
		struct site_plan p;
		size_t n;

		memcpy(own.code, c[i].function + c[i].at, own.len);
		site_plan_own(&e, f + c[i].at, &own, &p, no_hole, NULL);
		cr_expect_eq(!p.kind, !c[i].end, "%zu: %s", i, p.why);
		if (!p.kind)
			continue;
		cr_expect_eq(p.start, f + c[i].at);
		cr_expect_eq(p.end, f + c[i].end, "%zu", i);
		cr_expect_eq(p.n, c[i].n, "%zu", i);
		n = site_emit(&p, bias, bias + f - 0x100000, stub);
		cr_assert(n > p.next && n <= sizeof(stub), "%zu", i);
		cr_expect(stub[p.trap] == 0x0f && stub[p.trap + 1] == 0x0b);
		cr_expect_eq(stub[n - 5], 0xe9);
	}
}

/* What any file may have said. */
static void plausible(const struct elf_image *e, uint64_t at,
		      const struct site_loop *l, unsigned int n, bool plan)
{
	cr_assert(n <= 3);
	for (unsigned int i = 0; i < n; i++) {
		cr_expect(l[i].start <= at && at < l[i].end);
		cr_expect(!i || l[i].end - l[i].start >= l[i - 1].end - l[i - 1].start);
		cr_expect(l[i].pure || !l[i].watches);
		cr_assert(l[i].n <= SITE_LOOP_FIRST);
		for (unsigned int k = 0; k < l[i].n; k++) {
			struct site_own own = { .len = l[i].len[k], .visit = true };
			uint8_t stub[SITE_STUB_MAX];
			struct site_plan p;

			cr_expect(l[i].first[k] >= l[i].start &&
				  l[i].first[k] + l[i].len[k] <= l[i].end);
			/* that looks through the whole text */
			if (plan && !k)
				site_plan_own(e, l[i].first[k], &own, &p, no_hole,
					      NULL);
			if (plan && !k && p.kind)
				site_emit(&p, 0x7f0000000000, 0x7f0000000000, stub);
		}
	}
}

Test(sites, loops)
{
	static const struct {
		const uint8_t *function;
		uint8_t at, found, first;	/* loops; instructions of the inner one */
		bool rbp, pure, watches;	/* of it */
	} c[] = {
		{ loop_wait, 0, 1, 2, .pure = true, .watches = true },
		{ loop_wait, 3, 1, 2, .pure = true, .watches = true },
		{ loop_wait, 6, 0 },
		{ loop_self, 0, 1, 0, .pure = true },
		{ loop_sum, 3, 1, 3, .pure = true },
		{ loop_write, 0, 1, 3 },
		{ loop_frame, 0, 1, 3, .pure = true, .watches = true },
		{ loop_rbp, 0, 1, 3 },
		{ loop_rbp, 0, 1, 3, .rbp = true, .pure = true, .watches = true },
		{ loop_call, 0, 1, 0 },
		{ loop_jump, 0, 1, 2, .pure = true, .watches = true },
		{ loop_jump, 6, 1, 2 },
		{ loop_consts, 0, 1, 2, .pure = true },
		{ loop_datum, 0, 1, 1, .pure = true, .watches = true },
		{ loop_nops, 0, 1, 4, .pure = true },
		{ loop_scatter, 0, 1, 3 },
		{ loop_gather, 0, 1, 2, .pure = true },
		{ loop_clock, 0, 1, 2, .pure = true },
		{ loop_nest, 0, 1, 3, .pure = true, .watches = true },
		{ loop_nest, 5, 2, 2, .pure = true, .watches = true },
		{ loop_nest, 13, 2, 2, .pure = true, .watches = true },
		{ loop_long, 0, 1, SITE_LOOP_FIRST },
	};
	uint64_t bias = 0;
	struct elf_image e = own_image(&bias);
	struct site_loop l[3], few[1];

	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		uint64_t at = (uint64_t)(uintptr_t)c[i].function - bias + c[i].at;
		unsigned int n = site_loops(&e, at, c[i].rbp, l, 3);

		/* branches back to one place are one loop */
		cr_expect_eq(n, c[i].found, "%zu: %u", i, n);
		plausible(&e, at, l, n, true);
		if (!n)
			continue;
		cr_expect_eq(l[0].n, c[i].first, "%zu: %u", i, l[0].n);
		cr_expect_eq(l[0].pure, c[i].pure, "%zu", i);
		cr_expect_eq(l[0].watches, c[i].watches, "%zu", i);
		/* the inner ones are what is kept */
		cr_expect_eq(site_loops(&e, at, c[i].rbp, few, 1), 1);
		cr_expect_eq(few[0].start, l[0].start);
		cr_expect_eq(few[0].end, l[0].end);
		cr_expect_eq(site_loops(&e, at, c[i].rbp, NULL, 0), 0);
	}
	/* an instruction with a site of its own is not one of a loop's */
	site_loops(&e, (uint64_t)(uintptr_t)loop_clock - bias, false, l, 3);
	cr_expect_eq(l[0].first[0], (uint64_t)(uintptr_t)loop_clock - bias + 2);
	cr_expect_eq(l[0].len[0], 4);
}

/* All places of libc: no loop that is not one. */
Test(sites, loops_of_libc)
{
	uint64_t bias, n, vaddr;
	struct elf_image e = libc_image(&bias);
	unsigned int pure = 0, watch = 0, all = 0;
	const uint8_t *p;

	for (unsigned int s = 0; elf_text(&e, s, &p, &n, &vaddr); s++)
		for (uint64_t i = 0; i < n; i += 509) {
			struct site_loop l[3];
			unsigned int found = site_loops(&e, vaddr + i, i & 1, l, 3);

			plausible(&e, vaddr + i, l, found, !(i % (509 * 64)));
			all += found;
			for (unsigned int k = 0; k < found; k++) {
				pure += l[k].pure;
				watch += l[k].watches;
			}
		}
	cr_expect(all > pure && pure > watch, "%u %u %u", all, pure, watch);
}

Test(sites, boundaries)
{
	uint64_t bias;
	struct elf_image e = libc_image(&bias);
	uint64_t site = first_syscall("getppid", bias, 40), at = site;

	cr_expect_eq(site_boundary(&e, site), BOUNDARY_YES);
	cr_expect_eq(site_boundary(&e, site + 1), BOUNDARY_NO);
	cr_expect_eq(site_boundary(&e, site + 2), BOUNDARY_YES);
	/* backwards, too: nothing is remembered that is not so */
	while (site_boundary(&e, --at) == BOUNDARY_NO)
		;
	cr_expect_eq(site_boundary(&e, at), BOUNDARY_YES);
	cr_expect(site - at >= 2 && site - at <= 15);
	cr_expect_eq(site_boundary(&e, 0), BOUNDARY_UNKNOWN);
	cr_expect_eq(site_boundary(&e, ~0ull), BOUNDARY_UNKNOWN);
}

/* Files lie: headers, tables and code with random bytes in them. */
Test(sites, damaged_files)
{
	uint64_t bias, at, n, vaddr;
	struct elf_image e = libc_image(&bias);
	uint64_t site = first_syscall("read", bias, 60);
	uint8_t *copy = malloc(e.size);
	struct elf_image bad = { copy, e.size };
	const struct site_own own = { .len = 2, .code = { 0x0f, 0x31 } };
	uint32_t r = 12345;

	cr_assert(copy);
	for (int round = 0; round < 400; round++) {
		struct site_loop l[3];
		struct site_plan p;
		const uint8_t *text;

		if (round % 40 == 0)
			memcpy(copy, e.data, e.size);
		for (int k = 0; k < 32; k++) {
			r = r * 1664525u + 1013904223u;
			at = r % (round & 1 ? 1024 : e.size);
			if (round % 3 == 0)
				at = elf_offset(&e, site) - 128 + r % 256;
			copy[at] = (uint8_t)(r >> 24);
		}
		site_plan(&bad, site, &p, NULL, NULL);
		if (p.kind) {
			uint8_t stub[SITE_STUB_MAX];

			site_emit(&p, 0x7f0000000000, 0x7f0000000000, stub);
		}
		site_plan_own(&bad, site, &own, &p, NULL, NULL);
		if (p.kind) {
			uint8_t stub[SITE_STUB_MAX];

			site_emit(&p, 0x7f0000000000, 0x7f0000000000, stub);
		}
		site_boundary(&bad, site);
		plausible(&bad, site - 7, l, site_loops(&bad, site - 7, round & 4,
							l, 3), !(round % 16));
		for (unsigned int s = 0; s < 8 &&
		     elf_text(&bad, s, &text, &n, &vaddr); s++)
			site_boundary(&bad, vaddr + n / 2);
	}
	free(copy);
}

/* ---- Go's table ---- */

#define GO_TAB	256u		/* offset in the file, and its address */

/* Functions [0x1000, 0x1040) and [0x1040, 0x1100), in an otherwise empty file. */
static size_t go_file(uint8_t *f, uint32_t magic, bool relocate)
{
	Elf64_Ehdr eh = { .e_shoff = 512, .e_shentsize = sizeof(Elf64_Shdr),
			  .e_shnum = 4, .e_shstrndx = 1 };
	Elf64_Shdr sh[4] = {
		[1] = { .sh_type = SHT_STRTAB, .sh_offset = 64, .sh_size = 12 },
		[2] = { .sh_type = SHT_PROGBITS, .sh_offset = GO_TAB,
			.sh_addr = GO_TAB, .sh_size = 200, .sh_name = 1 },
		[3] = { .sh_type = SHT_RELA, .sh_offset = 128,
			.sh_size = sizeof(Elf64_Rela) },
	};
	Elf64_Rela r = { GO_TAB + 24, R_X86_64_RELATIVE, 0x1000 };
	bool narrow = magic <= 0xfffffff1;
	uint64_t word[9] = { magic | 0x0801ull << 48, 2, 1 };
	uint64_t base = narrow ? 0x1000 : 0;
	const uint64_t tab[5] = { 0x1000 - base, 7, 0x1040 - base, 8,
				  0x1100 - base };

	memcpy(f, &eh, sizeof(eh));
	memcpy(f + 65, ".gopclntab", 11);
	memcpy(f + 128, &r, sizeof(r));
	word[narrow ? 8 : 7] = 80;
	word[3] = relocate ? 0 : base;
	memcpy(f + GO_TAB, word, sizeof(word));
	for (unsigned int i = 0; i < 5; i++)
		if (narrow)
			memcpy(f + GO_TAB + 80 + i * 4, &tab[i], 4);
		else
			memcpy(f + GO_TAB + (magic == 0xfffffffb ? 16 : 80) +
			       i * 8, &tab[i], 8);
	memcpy(f + 512, sh, sizeof(sh));
	return 512 + sizeof(sh);
}

Test(sites, functions_of_go)
{
	static const uint32_t magic[] = { 0xfffffffb, 0xfffffffa, 0xfffffff0,
					  0xfffffff1 };

	for (unsigned int k = 0; k < 8; k++) {
		uint8_t f[1024] = { 0 }, *cut;
		struct elf_image e = { f, 0 };
		uint64_t a, b;

		e.size = go_file(f, magic[k / 2], k & 1);
		cr_assert(go_function(&e, 0x1000, &a, &b), "%u", k);
		cr_assert(a == 0x1000 && b == 0x1040);
		cr_assert(go_function(&e, 0x10ff, &a, &b));
		cr_assert(a == 0x1040 && b == 0x1100);
		cr_assert(!go_function(&e, 0xfff, &a, &b));
		cr_assert(!go_function(&e, 0x1100, &a, &b));
		/* hostile: cut off, and any byte another */
		for (size_t n = 0; n < e.size; n++) {
			cut = malloc(n ? n : 1);
			cr_assert(cut);
			memcpy(cut, f, n);
			go_function(&(struct elf_image){ cut, n }, 0x1000, &a,
				    &b);
			free(cut);
		}
		for (size_t n = 0; n < e.size; n++) {
			f[n] ^= 0xff;
			go_function(&e, 0x1000, &a, &b);
			f[n] ^= 0xff;
		}
	}
}
