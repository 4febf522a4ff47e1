/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer harness: any call with any arguments over any memory.
 *
 * Input: u16 number, i64 result, u64 word, six u64 arguments, the rest is the
 * variant's memory, mapped at BASE.  BASE is small so that two bytes of input
 * make a pointer, also inside that memory.  Checked: the walkers stay inside
 * what they may read (the reader would trap, and the sanitizers look after
 * their own buffers), the items are well formed and repeatable, and no rule
 * yields more than an item's capacity.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ipmon/items.h>

#define BASE 0x100u
#define HEAD (2 + 8 + 8 + 6 * 8)
#define ITEMS_MAX 70000

#define CHECK(cond) do { if (!(cond)) __builtin_trap(); } while (0)

struct memory {
	const uint8_t *p;
	size_t len;
	unsigned int items;
	uint64_t hash;
	struct ipmon_item *item;
};

static int mem_read(void *ctx, void *dst, uint64_t src, size_t n)
{
	const struct memory *m = ctx;

	if (!n)
		return 0;
	if (src < BASE || src - BASE >= m->len || m->len - (src - BASE) < n)
		return -EFAULT;
	memcpy(dst, m->p + (src - BASE), n);
	return 0;
}

static long mem_strnlen(void *ctx, uint64_t src, size_t max)
{
	const struct memory *m = ctx;
	size_t n, have;

	if (src < BASE || src - BASE >= m->len)
		return -EFAULT;
	have = m->len - (src - BASE);
	n = strnlen((const char *)m->p + (src - BASE), have < max ? have : max);
	if (n == max)
		return -ENAMETOOLONG;
	return n == have ? -EFAULT : (long)n;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	return (h ^ v) * 0x9e3779b97f4a7c15ull;
}

static int emit(void *ctx, const struct ipmon_item *item)
{
	struct memory *m = ctx;

	CHECK(item->type >= IT_SCALAR && item->type <= IT_FAULT);
	CHECK(item->arg < 6);
	CHECK(item->rule < R_MAX);
	CHECK(item->len <= IPMON_SPAN_MAX);
	CHECK(item->type == IT_OUT || !item->rule);
	CHECK(item->type != IT_STR || mem_strnlen(m, item->addr,
						  (size_t)item->len + 1) ==
				      (long)item->len);
	CHECK(!item->label || strlen(item->label) < 64);
	if (m->items == ITEMS_MAX)
		return -E2BIG;
	m->item[m->items++] = *item;
	m->hash = mix(m->hash, item->type | item->arg << 8 | item->rule << 16);
	m->hash = mix(m->hash, item->len);
	m->hash = mix(m->hash, item->value);
	m->hash = mix(m->hash, item->addr);
	m->hash = mix(m->hash, item->aux);
	return 0;
}

static long nsems(void *ctx, int semid)
{
	return semid;
}

static int pipe_mode(void *ctx, int fd)
{
	return fd % 3;
}

static void check_rules(const struct memory *m, int64_t ret, uint64_t word)
{
	uint64_t left = 0;
	unsigned int group = 0;

	for (unsigned int i = 0; i < m->items; i++) {
		const struct ipmon_item *it = &m->item[i];
		int vec = it->rule == R_VEC || it->rule == R_VEC_U32;
		uint64_t before;
		uint32_t n;

		if (vec && it->group != group)
			left = ipmon_vec_total(it, ret, word);
		group = vec ? it->group : 0;
		before = left;
		n = ipmon_actual(it, ret, word, &left);
		CHECK(n <= it->len);
		CHECK(!n || it->type == IT_OUT);
		CHECK(left <= before && (!vec || before - left == n));
		CHECK(ret >= 0 || !n || it->rule == R_ALWAYS ||
		      it->rule == R_U32_ALWAYS || it->rule == R_INTR);
	}
}

static int run(struct memory *m, uint64_t nr, const uint8_t *args)
{
	struct ipmon_walk w = {
		.read = mem_read, .strnlen = mem_strnlen, .emit = emit,
		.sem_nsems = nsems, .pipe_mode = pipe_mode, .ctx = m,
		.row = ipmon_row(nr), .nr = nr,
	};

	memcpy(w.args, args, sizeof(w.args));
	m->items = 0;
	m->hash = 0;
	return ipmon_walk(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ipmon_item items[ITEMS_MAX];
	struct memory m = { .item = items };
	uint64_t hash, word;
	uint16_t nr;
	int64_t ret;
	uint8_t *copy;
	int rc;

	if (size < HEAD)
		return 0;
	memcpy(&nr, data, 2);
	memcpy(&ret, data + 2, 8);
	memcpy(&word, data + 10, 8);
	/* an exact block, so that an overread is one for the sanitizer too */
	m.len = size - HEAD;
	copy = malloc(m.len ? m.len : 1);
	if (!copy)
		return 0;
	memcpy(copy, data + HEAD, m.len);
	m.p = copy;
	rc = run(&m, nr % IPMON_NR_MAX, data + 18);
	CHECK(rc == 0 || rc == -ENOSYS || rc == -E2BIG);
	check_rules(&m, ret, word);
	hash = m.hash;
	CHECK(run(&m, nr % IPMON_NR_MAX, data + 18) == rc);
	CHECK(hash == m.hash);
	free(copy);
	return 0;
}
