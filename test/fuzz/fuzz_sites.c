// SPDX-License-Identifier: Apache-2.0
/*
 * libFuzzer harness: any bytes as a program's file, of which a place is asked for.
 *
 * Input: a byte of choices, two that name the place; the rest is the whole file, or the
 * code of a function in one that is otherwise in order.  Checked: nothing is read outside
 * those bytes (the sanitizers see to it), loops are around the place, inner ones first,
 * and what is planned there lies in the text, covers the instruction, and fits its stub.
 */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../monitord/sites.h"

#define CHECK(cond) do { if (!(cond)) __builtin_trap(); } while (0)
#define LOOPS 3u
#define BIAS 0x7f0000000000ull
#define CODE_AT 512u		/* in the file, and in memory */
#define CODE_MOST 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One segment, one symbol, the function. */
static size_t wrap(uint8_t *f, const uint8_t *code, size_t n)
{
	const Elf64_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64 },
		.e_machine = EM_X86_64,
		.e_phoff = sizeof(eh), .e_phnum = 1,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_shoff = 192, .e_shnum = 1, .e_shentsize = sizeof(Elf64_Shdr),
	};
	const Elf64_Phdr ph = {
		.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = CODE_AT,
		.p_vaddr = CODE_AT, .p_filesz = n, .p_memsz = n,
	};
	const Elf64_Shdr sh = {
		.sh_type = SHT_SYMTAB, .sh_offset = 320,
		.sh_size = sizeof(Elf64_Sym),
	};
	const Elf64_Sym sym = {
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1,
		.st_value = CODE_AT, .st_size = n,
	};

	memset(f, 0, CODE_AT);
	memcpy(f, &eh, sizeof(eh));
	memcpy(f + sizeof(eh), &ph, sizeof(ph));
	memcpy(f + eh.e_shoff, &sh, sizeof(sh));
	memcpy(f + sh.sh_offset, &sym, sizeof(sym));
	memcpy(f + CODE_AT, code, n);
	return CODE_AT + n;
}

static void check_plan(const struct elf_image *e, const struct site_plan *p)
{
	uint8_t stub[SITE_STUB_MAX];

	if (!p->kind) {
		CHECK(p->why || !p->hole);
		return;
	}
	CHECK(p->start <= p->vaddr && p->vaddr <= p->end &&
	      p->end - p->start <= SITE_MAX_REGION + 2 &&
	      p->n <= SITE_MAX_INSNS);
	CHECK(elf_offset(e, p->start));
	CHECK(site_emit(p, BIAS, BIAS, stub) <= sizeof(stub));
}

static void check_loops(const struct elf_image *e, uint64_t at, bool rbp)
{
	struct site_loop l[LOOPS];
	unsigned int n = site_loops(e, at, rbp, l, LOOPS);

	CHECK(n <= LOOPS);
	for (unsigned int i = 0; i < n; i++) {
		CHECK(l[i].start <= at && at < l[i].end);
		CHECK(!i || l[i].end - l[i].start >= l[i - 1].end - l[i - 1].start);
		CHECK((l[i].pure || !l[i].watches) && l[i].n <= SITE_LOOP_FIRST);
		for (unsigned int k = 0; k < l[i].n; k++) {
			struct site_own own = { .len = l[i].len[k], .visit = true };
			struct site_plan p;

			CHECK(l[i].first[k] >= l[i].start && own.len &&
			      l[i].first[k] + own.len <= l[i].end);
			site_plan_own(e, l[i].first[k], &own, &p, NULL, NULL);
			CHECK(!p.kind || (p.start == l[i].first[k] && !p.hole));
			check_plan(e, &p);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct site_own rdtsc = { .len = 2, .code = { 0x0f, 0x31 } };
	uint64_t at, start, end;
	struct elf_image e;
	struct site_plan p;
	uint8_t *f;

	if (size < 4)
		return 0;
	at = data[1] | (uint64_t)data[2] << 8;
	/* a copy of exactly that size: any excess is seen */
	if (data[0] & 1) {
		size_t n = size - 3 < CODE_MOST ? size - 3 : CODE_MOST;

		f = malloc(CODE_AT + n);
		e = (struct elf_image){ f, wrap(f, data + 3, n) };
		at = CODE_AT + at % n;
		CHECK(elf_function(&e, at, &start, &end) && start == CODE_AT);
	} else {
		f = malloc(size - 3);
		memcpy(f, data + 3, size - 3);
		e = (struct elf_image){ f, size - 3 };
	}
	check_loops(&e, at, data[0] & 2);
	site_plan(&e, at, &p, NULL, NULL);
	check_plan(&e, &p);
	site_plan_own(&e, at, &rdtsc, &p, NULL, NULL);
	check_plan(&e, &p);
	site_boundary(&e, at);
	elf_defines(&e, "malloc");
	/* the next input may come to lie at the same address */
	site_forget(&e);
	free(f);
	return 0;
}
