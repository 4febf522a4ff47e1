// SPDX-License-Identifier: Apache-2.0
/*
 * The initial stack of a fresh process image.
 *
 * Layout, from the stack pointer up (fs/binfmt_elf.c, create_elf_tables):
 *
 *	argc
 *	argv[0..argc-1], NULL
 *	envp[0..envc-1], NULL
 *	auxv pairs ..., AT_NULL pair
 *	(padding, random bytes, platform string, argv, envp, file name)
 *
 * The rebuilt block ends where the old one ended minus the new strings, which
 * keeps all old strings untouched:
 *
 *	new sp: argc argv envp' auxv' | padding | new strings | old strings...
 *	                                                      ^ old end
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stack.h"

static const char preload_name[] = "LD_PRELOAD=";

static uint64_t word_at(const struct stack *st, uint64_t addr)
{
	uint64_t w;

	memcpy(&w, st->bytes + (addr - st->sp), sizeof(w));
	return w;
}

/* Step over a NULL-terminated vector at *at; counts its entries. */
static int vector(const struct stack *st, uint64_t *at, uint64_t *count)
{
	uint64_t end = st->sp + st->size;

	*count = 0;
	while (end - *at >= 8) {
		uint64_t w = word_at(st, *at);

		*at += 8;
		if (!w)
			return 0;
		++*count;
	}
	return -EINVAL;
}

int stack_parse(struct stack *st)
{
	uint64_t at = st->sp, end = st->sp + st->size, n;

	if (st->sp % 16 || st->size > STACK_MAX || end < st->sp ||
	    st->size < 8)
		return -EINVAL;
	st->argc = word_at(st, at);
	at += 8;
	st->argv = at;
	if (vector(st, &at, &n) < 0 || n != st->argc)
		return -EINVAL;
	st->envp = at;
	if (vector(st, &at, &st->envc) < 0)
		return -EINVAL;
	st->auxv = at;
	st->auxc = 0;
	for (;;) {
		uint64_t type;

		if (end - at < 16)
			return -EINVAL;
		type = word_at(st, at);
		at += 16;
		st->auxc++;
		if (type == AUX_NULL)
			break;
	}
	st->end = at;
	return 0;
}

const char *stack_string(const struct stack *st, uint64_t addr)
{
	size_t off;

	if (addr < st->sp || addr - st->sp >= st->size)
		return NULL;
	off = addr - st->sp;
	if (!memchr(st->bytes + off, 0, st->size - off))
		return NULL;
	return (const char *)st->bytes + off;
}

uint64_t stack_aux(const struct stack *st, uint64_t type, uint64_t absent)
{
	for (uint64_t i = 0; i + 1 < st->auxc; i++)
		if (word_at(st, st->auxv + i * 16) == type)
			return word_at(st, st->auxv + i * 16 + 8);
	return absent;
}

/* The last LD_PRELOAD of the environment: the one ld.so heeds. */
static int64_t find_preload(const struct stack *st, const char **value)
{
	for (uint64_t i = st->envc; i-- > 0;) {
		const char *s = stack_string(st, word_at(st, st->envp + i * 8));

		if (s && !strncmp(s, preload_name, sizeof(preload_name) - 1)) {
			*value = s + sizeof(preload_name) - 1;
			return (int64_t)i;
		}
	}
	return -1;
}

const char *stack_preload(const struct stack *st)
{
	const char *value = NULL;

	find_preload(st, &value);
	return value;
}

/* What ld.so(8) is asked for by its options: a program is run, or its libraries are
 * listed (and no code of the caller's looks on). */
enum asked { ASKED_OTHER, ASKED_RUN, ASKED_LIST };

/* Options come before the program's name, for *program; some have a value. */
static enum asked linker_asked(const struct stack *st, const char **program)
{
	static const char *const valued[] = {
		"--library-path", "--glibc-hwcaps-prepend",
		"--glibc-hwcaps-mask", "--inhibit-rpath", "--preload",
		"--argv0", "--audit",
	};
	static const char *const other[] = {
		"--verify", "--help", "--version", "--list-tunables",
		"--list-diagnostics",
	};
	bool list = false, audit = false;

	for (uint64_t i = 1; i < st->argc; i++) {
		const char *s = stack_string(st, word_at(st, st->argv + i * 8));

		if (!s)
			break;
		if (strncmp(s, "--", 2) != 0) {
			*program = s;
			return !list ? ASKED_RUN :
			       audit ? ASKED_OTHER : ASKED_LIST;
		}
		list |= !strcmp(s, "--list");
		audit |= !strcmp(s, "--audit");
		for (size_t k = 0; k < sizeof(other) / sizeof(other[0]); k++)
			if (!strcmp(s, other[k]))
				return ASKED_OTHER;
		for (size_t k = 0; k < sizeof(valued) / sizeof(valued[0]); k++)
			if (!strcmp(s, valued[k]))
				i++;
	}
	return ASKED_OTHER;
}

const char *stack_runs(const struct stack *st)
{
	const char *program = NULL;

	return linker_asked(st, &program) == ASKED_RUN ? program : NULL;
}

bool stack_lists(const struct stack *st, bool linker)
{
	static const char name[] = "LD_TRACE_LOADED_OBJECTS=";
	static const char audit[] = "LD_AUDIT=";
	const char *program;
	bool lists = linker && linker_asked(st, &program) == ASKED_LIST;

	for (uint64_t i = 0; i < st->envc; i++) {
		const char *s = stack_string(st, word_at(st, st->envp + i * 8));

		if (s && !strncmp(s, name, sizeof(name) - 1))
			lists = true;
		/* code of the caller's, which runs even then */
		if (s && !strncmp(s, audit, sizeof(audit) - 1) &&
		    s[sizeof(audit) - 1])
			return false;
	}
	return lists;
}

#define HWCAP2_FSGSBASE 2u		/* asm/hwcap2.h */

void stack_aux_shown(uint64_t entry[2])
{
	switch (entry[0]) {
	case AUX_SYSINFO:
	case AUX_SYSINFO_EHDR:
	case AUX_RSEQ_SIZE:
	case AUX_RSEQ_ALIGN:
		entry[0] = AUX_IGNORE;
		entry[1] = 0;
		break;
	case AUX_HWCAP2:
		entry[1] &= ~(uint64_t)HWCAP2_FSGSBASE;
		break;
	default:
		break;
	}
}

/* What an added LD_PRELOAD takes: its string, and the words of the block. */
struct added {
	const char *own;	/* the program's own value */
	int64_t slot;		/* of the environment, -1: a new one */
	size_t len;
	uint64_t words;
};

static struct added added_by(const struct stack *st, const char *preload)
{
	struct added a = { .slot = -1 };

	if (!preload)
		return a;
	a.slot = find_preload(st, &a.own);
	a.words = a.slot < 0 ? 2 : 0;
	a.len = sizeof(preload_name) + strlen(preload);
	if (a.own && *a.own)
		a.len += 1 + strlen(a.own);
	return a;
}

/* New strings end at the old block's end; sp keeps its alignment. */
static uint64_t begins(const struct stack *st, const struct added *a)
{
	if (!a->len)
		return st->sp;
	return (st->sp - a->len - a->words * 8) & ~15ull;
}

uint64_t stack_begins(const struct stack *st, const char *preload)
{
	const struct added a = added_by(st, preload);

	return begins(st, &a);
}

int stack_rebuild(const struct stack *st, const char *preload,
		  struct stack_image *out)
{
	const struct added add = added_by(st, preload);
	const char *own = add.own;
	int64_t slot = add.slot;
	uint64_t extra = add.words;
	uint64_t strings = st->end - add.len, *w;

	memset(out, 0, sizeof(*out));
	out->sp = begins(st, &add);
	if (st->begin && st->begin < out->sp)
		out->sp = st->begin;
	out->size = st->end - out->sp;
	out->bytes = calloc(1, out->size);
	if (!out->bytes)
		return -ENOMEM;
	if (preload) {
		char *p = (char *)out->bytes + (strings - out->sp);

		out->preload = strings;
		memcpy(p, preload_name, sizeof(preload_name) - 1);
		p += sizeof(preload_name) - 1;
		memcpy(p, preload, strlen(preload));
		p += strlen(preload);
		if (own && *own) {
			*p++ = ':';
			memcpy(p, own, strlen(own));
		}
	}

	/* argc, argv, envp without its NULL */
	w = (uint64_t *)(void *)out->bytes;
	memcpy(w, st->bytes, st->auxv - 8 - st->sp);
	if (slot >= 0) {
		uint64_t *e = w + (st->envp - st->sp) / 8 + (uint64_t)slot;

		out->env_orig = *e;
		*e = out->preload;
		out->env_slot = out->sp + (st->envp - st->sp) +
				(uint64_t)slot * 8;
	}
	w += (st->auxv - 8 - st->sp) / 8;
	if (extra) {
		out->env_slot = out->sp + (st->auxv - 8 - st->sp);
		*w++ = out->preload;
		*w++ = out->preload;
	}
	*w++ = 0;
	out->auxv = out->sp + (uint64_t)((unsigned char *)w - out->bytes);
	for (uint64_t i = 0; i < st->auxc; i++) {
		w[0] = word_at(st, st->auxv + i * 16);
		w[1] = word_at(st, st->auxv + i * 16 + 8);
		stack_aux_shown(w);
		w += 2;
	}
	return 0;
}

void stack_show_vdso(const struct stack *st, struct stack_image *out)
{
	for (uint64_t i = 0; i < st->auxc; i++) {
		const uint64_t pair[2] = {
			word_at(st, st->auxv + i * 16),
			word_at(st, st->auxv + i * 16 + 8),
		};

		if (pair[0] == AUX_SYSINFO_EHDR)
			memcpy(out->bytes + (out->auxv - out->sp) + i * 16,
			       pair, sizeof(pair));
	}
}

unsigned int stack_hide(uint64_t env_orig, uint64_t words[2])
{
	words[0] = env_orig;
	words[1] = AUX_IGNORE;
	/* appended: [entry, entry, NULL] becomes [NULL, AT_IGNORE, 0] */
	return env_orig ? 1 : 2;
}
