// SPDX-License-Identifier: Apache-2.0
/*
 * The initial stack: parsing what a kernel makes, refusing what it does not,
 * rebuilding it with an LD_PRELOAD entry, hiding that entry again.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack.h"

#define SP	0x7ffc12340000ull
#define ROOM	8192

/* A stack as create_elf_tables() lays it out, for [SP, SP + ROOM). */
struct fixture {
	uint64_t words[ROOM / 8];
	size_t n;		/* words used by the block */
	size_t str;		/* offset of the next string */
	struct stack st;
};

static uint64_t put_string(struct fixture *f, const char *s)
{
	size_t at = f->str;

	memcpy((char *)f->words + at, s, strlen(s) + 1);
	f->str += strlen(s) + 1;
	return SP + at;
}

static void make(struct fixture *f, const char *const *argv,
		 const char *const *envp)
{
	static const uint64_t aux[] = {
		AUX_SYSINFO_EHDR, 0x7fff00001000, AUX_PHDR, 0x555555554040,
		AUX_BASE, 0x7ffff7fc0000, AUX_RSEQ_SIZE, 28, AUX_RSEQ_ALIGN,
		32, AUX_SECURE, 0, AUX_EXECFN, 0, AUX_NULL, 0,
	};
	uint64_t argc = 0;

	memset(f, 0, sizeof(*f));
	f->str = ROOM / 2;
	f->n = 1;
	for (; argv[argc]; argc++)
		f->words[f->n++] = put_string(f, argv[argc]);
	f->words[0] = argc;
	f->n++;
	for (; *envp; envp++)
		f->words[f->n++] = put_string(f, *envp);
	f->n++;
	memcpy(f->words + f->n, aux, sizeof(aux));
	f->words[f->n + 13] = put_string(f, "/bin/prog");
	f->n += sizeof(aux) / 8;
	f->st.sp = SP;
	f->st.bytes = (const unsigned char *)f->words;
	f->st.size = ROOM;
}

/* The old stack with the rebuilt block written into it, parsed. */
struct result {
	unsigned char bytes[ROOM + 4096];
	struct stack st;
	struct stack_image im;
};

static void apply(struct result *r, const struct fixture *f,
		  const char *preload)
{
	memset(r, 0, sizeof(*r));
	memcpy(r->bytes + 4096, f->words, ROOM);
	cr_assert_eq(stack_rebuild(&f->st, preload, &r->im), 0);
	cr_assert_geq(r->im.sp, SP - 4096);
	cr_assert_eq(r->im.sp + r->im.size, f->st.end, "old strings untouched");
	cr_assert_eq(r->im.sp % 16, 0);
	memcpy(r->bytes + 4096 - (SP - r->im.sp), r->im.bytes, r->im.size);
	free(r->im.bytes);
	r->st.sp = r->im.sp;
	r->st.bytes = r->bytes + 4096 - (SP - r->im.sp);
	r->st.size = ROOM + (SP - r->im.sp);
	cr_assert_eq(stack_parse(&r->st), 0);
}

static uint64_t word(const struct stack *st, uint64_t addr)
{
	uint64_t w;

	memcpy(&w, st->bytes + (addr - st->sp), 8);
	return w;
}

static const char *env(const struct stack *st, uint64_t i)
{
	return stack_string(st, word(st, st->envp + i * 8));
}

Test(stack, parses_what_the_kernel_makes)
{
	static const char *const argv[] = { "prog", "-x", NULL };
	static const char *const envp[] = { "A=1", "B=2", "C=3", NULL };
	struct fixture f;

	make(&f, argv, envp);
	cr_assert_eq(stack_parse(&f.st), 0);
	cr_expect_eq(f.st.argc, 2);
	cr_expect_eq(f.st.envc, 3);
	cr_expect_eq(f.st.auxc, 8);
	cr_expect_eq(f.st.end, SP + f.n * 8);
	cr_expect_str_eq(stack_string(&f.st, word(&f.st, f.st.argv + 8)),
			 "-x");
	cr_expect_str_eq(env(&f.st, 2), "C=3");
	cr_expect_eq(stack_aux(&f.st, AUX_BASE, 7), 0x7ffff7fc0000);
	cr_expect_eq(stack_aux(&f.st, AUX_RANDOM, 7), 7);
}

Test(stack, a_cut_stack_is_refused_at_every_length)
{
	static const char *const argv[] = { "prog", NULL };
	static const char *const envp[] = { "A=1", NULL };
	struct fixture f;

	make(&f, argv, envp);
	for (size_t size = 0; size < f.n * 8; size++) {
		/* exactly that much memory: a sanitizer sees any excess */
		unsigned char *copy = malloc(size ? size : 1);
		struct stack st = { .sp = SP, .bytes = copy, .size = size };

		memcpy(copy, f.words, size);
		cr_assert_eq(stack_parse(&st), -EINVAL, "size %zu", size);
		free(copy);
	}
}

Test(stack, hostile_words_are_refused)
{
	static const char *const argv[] = { "prog", NULL };
	static const char *const envp[] = { NULL };
	struct fixture f;

	make(&f, argv, envp);
	f.words[0] = 2;
	cr_expect_eq(stack_parse(&f.st), -EINVAL, "argc says more");
	f.words[0] = ~0ull;
	cr_expect_eq(stack_parse(&f.st), -EINVAL, "argc is absurd");
	f.words[0] = 1;
	f.st.sp = SP + 8;
	cr_expect_eq(stack_parse(&f.st), -EINVAL, "not aligned");
	f.st.sp = ~15ull;
	cr_expect_eq(stack_parse(&f.st), -EINVAL, "wraps around");
	f.st.sp = SP;
	cr_expect_eq(stack_parse(&f.st), 0);
}

Test(stack, strings_are_believed_only_within_the_copy)
{
	static const char *const argv[] = { "prog", NULL };
	static const char *const envp[] = { NULL };
	struct fixture f;

	make(&f, argv, envp);
	cr_assert_eq(stack_parse(&f.st), 0);
	cr_expect_null(stack_string(&f.st, SP - 1));
	cr_expect_null(stack_string(&f.st, SP + ROOM));
	cr_expect_null(stack_string(&f.st, 0));
	cr_expect_null(stack_string(&f.st, ~0ull));
	memset((char *)f.words + ROOM - 16, 'x', 16);
	cr_expect_null(stack_string(&f.st, SP + ROOM - 16), "no NUL");
}

Test(stack, vdso_and_rseq_are_hidden_in_place)
{
	static const char *const argv[] = { "prog", NULL };
	static const char *const envp[] = { "LD_PRELOAD=own.so", NULL };
	struct fixture f;
	struct result r;

	make(&f, argv, envp);
	cr_assert_eq(stack_parse(&f.st), 0);
	apply(&r, &f, NULL);
	cr_expect_eq(r.im.sp, SP);
	cr_expect_eq(r.im.env_slot, 0);
	cr_expect_eq(r.st.auxc, f.st.auxc);
	cr_expect_eq(stack_aux(&r.st, AUX_SYSINFO_EHDR, 7), 7);
	cr_expect_eq(stack_aux(&r.st, AUX_RSEQ_SIZE, 7), 7);
	cr_expect_eq(stack_aux(&r.st, AUX_RSEQ_ALIGN, 7), 7);
	cr_expect_eq(stack_aux(&r.st, AUX_PHDR, 7), 0x555555554040);
	cr_expect_str_eq(env(&r.st, 0), "LD_PRELOAD=own.so");
}

Test(stack, preload_is_appended_and_hidden_again)
{
	const char *all[] = { "A=1", "B=2", "C=3", "D=4", "E=5", NULL };
	static const char *const argv[] = { "prog", "arg", NULL };
	const char *envp[6];

	/* every parity of the number of words */
	for (size_t n = 0; n <= 5; n++) {
		struct fixture f;
		struct result r;
		uint64_t hide[2];
		unsigned char *slot;

		memcpy(envp, all, sizeof(all));
		envp[n] = NULL;
		make(&f, argv, envp);
		cr_assert_eq(stack_parse(&f.st), 0);
		apply(&r, &f, "/x/libipmon.so");
		cr_expect_eq(r.st.argc, 2);
		cr_expect_eq(r.st.envc, n + 2);
		cr_expect_eq(r.st.auxv, r.im.auxv);
		cr_expect_str_eq(env(&r.st, n), "LD_PRELOAD=/x/libipmon.so");
		cr_expect_str_eq(env(&r.st, n + 1), "LD_PRELOAD=/x/libipmon.so");
		cr_expect_eq(r.im.env_orig, 0);
		cr_expect_eq(r.im.env_slot, r.st.envp + n * 8);

		cr_assert_eq(stack_hide(r.im.env_orig, hide), 2);
		slot = r.bytes + 4096 - (SP - r.im.env_slot);
		memcpy(slot, hide, sizeof(hide));
		cr_assert_eq(stack_parse(&r.st), 0);
		cr_expect_eq(r.st.envc, n);
		for (size_t i = 0; i < n; i++)
			cr_expect_str_eq(env(&r.st, i), all[i]);
		/* walking past envp still finds the vector */
		cr_expect_eq(r.st.auxc, f.st.auxc + 1);
		cr_expect_eq(stack_aux(&r.st, AUX_PHDR, 7), 0x555555554040);
	}
}

Test(stack, an_own_preload_is_kept_and_restored)
{
	static const char *const argv[] = { "prog", NULL };
	static const char *const envp[] = {
		"LD_PRELOAD=first.so", "A=1", "LD_PRELOAD=own.so:b.so", "Z=1",
		NULL,
	};
	struct fixture f;
	struct result r;
	uint64_t hide[2];

	make(&f, argv, envp);
	cr_assert_eq(stack_parse(&f.st), 0);
	apply(&r, &f, "/x/a.so:/x/c.so");
	cr_expect_eq(r.st.envc, 4);
	cr_expect_str_eq(env(&r.st, 0), "LD_PRELOAD=first.so");
	cr_expect_str_eq(env(&r.st, 2),
			 "LD_PRELOAD=/x/a.so:/x/c.so:own.so:b.so");
	cr_expect_str_eq(env(&r.st, 3), "Z=1");
	cr_assert_eq(stack_hide(r.im.env_orig, hide), 1);
	memcpy(r.bytes + 4096 - (SP - r.im.env_slot), hide, 8);
	cr_assert_eq(stack_parse(&r.st), 0);
	cr_expect_eq(r.st.envc, 4);
	cr_expect_str_eq(env(&r.st, 2), "LD_PRELOAD=own.so:b.so");
}

Test(stack, an_empty_own_preload_adds_no_colon)
{
	static const char *const argv[] = { "prog", NULL };
	static const char *const envp[] = { "LD_PRELOAD=", NULL };
	struct fixture f;
	struct result r;

	make(&f, argv, envp);
	cr_assert_eq(stack_parse(&f.st), 0);
	apply(&r, &f, "/x/a.so");
	cr_expect_str_eq(env(&r.st, 0), "LD_PRELOAD=/x/a.so");
}

/* Random blocks: whatever parses can be rebuilt and parsed again. */
Test(stack, random_blocks)
{
	struct fixture f;

	srandom(1);
	for (int round = 0; round < 20000; round++) {
		struct result r;

		memset(&f, 0, sizeof(f));
		for (size_t i = 0; i < 32; i++) {
			long k = random() % 4;

			f.words[i] = k == 0 ? 0 : k == 1 ?
				SP + (uint64_t)random() % (ROOM + 64) :
				k == 2 ? (uint64_t)random() % 40 :
				(uint64_t)random() << 33;
		}
		f.words[0] = (uint64_t)random() % 4;
		f.st.sp = SP;
		f.st.bytes = (const unsigned char *)f.words;
		f.st.size = ROOM;
		if (stack_parse(&f.st))
			continue;
		apply(&r, &f, random() % 2 ? "/x/a.so" : NULL);
		cr_assert_eq(r.st.argc, f.st.argc);
	}
}

#define ASK(...) ask((const char *const[]){ "ld.so", __VA_ARGS__, NULL })

/* 'r': a program is run, 'l': its libraries are listed, '-': neither. */
static char ask(const char *const *argv)
{
	static const char *const none[] = { NULL };
	struct fixture f;

	make(&f, argv, none);
	cr_assert_eq(stack_parse(&f.st), 0);
	if (stack_runs(&f.st))
		return stack_lists(&f.st, true) ? '?' : 'r';
	return stack_lists(&f.st, true) ? 'l' : '-';
}

Test(stack, what_a_dynamic_linker_is_asked_for)
{
	static const char *const none[] = { "ld.so", NULL };

	cr_expect_eq(ask(none), '-');
	cr_expect_eq(ASK("prog"), 'r');
	cr_expect_eq(ASK("prog", "--list"), 'r');
	cr_expect_eq(ASK("--inhibit-cache", "--preload", "--list", "prog"), 'r');
	cr_expect_eq(ASK("--audit", "a.so", "prog"), 'r');
	cr_expect_eq(ASK("--argv0", "--verify", "prog", "x"), 'r');
	cr_expect_eq(ASK("--list", "prog"), 'l');
	cr_expect_eq(ASK("--library-path", "/x", "--list", "prog"), 'l');
	cr_expect_eq(ASK("--audit", "a.so", "--list", "prog"), '-');
	cr_expect_eq(ASK("--verify", "prog"), '-');
	cr_expect_eq(ASK("--argv0", "x", "--list-diagnostics", "prog"), '-');
	cr_expect_eq(ASK("--preload", "x"), '-');
	cr_expect_eq(ASK("--preload"), '-');
}
