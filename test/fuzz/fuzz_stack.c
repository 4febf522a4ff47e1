// SPDX-License-Identifier: Apache-2.0
/*
 * libFuzzer harness: any bytes as the initial stack of a program.
 *
 * Input: one byte of choices, the rest is memory from SP on.  Checked: nothing
 * is read outside those bytes (the sanitizers see to it), what was accepted
 * can be rebuilt, and the rebuilt block says the same but for what was asked.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../monitord/stack.h"

#define SP 0x7ffc00000000ull
#define CHECK(cond) do { if (!(cond)) __builtin_trap(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *preload;
	struct stack st = { .sp = SP }, now;
	struct stack_image im;
	unsigned char *bytes, *all;
	uint64_t words[2];
	size_t below;

	if (!size)
		return 0;
	preload = data[0] & 1 ? "/lib/libipmon.so" : NULL;
	/* a copy of exactly that size: any excess is seen */
	bytes = malloc(size);
	memcpy(bytes, data + 1, size - 1);
	st.bytes = bytes;
	st.size = size - 1;
	if (stack_parse(&st) || stack_rebuild(&st, preload, &im)) {
		free(bytes);
		return 0;
	}
	CHECK(im.sp % 16 == 0 && im.sp <= SP && im.sp + im.size == st.end);
	CHECK(st.end <= SP + st.size);

	/* as written into the process */
	below = SP - im.sp;
	all = malloc(below + st.size + 1);
	memcpy(all + below, bytes, st.size);
	memcpy(all, im.bytes, im.size);
	now = (struct stack){ .sp = im.sp, .bytes = all,
			      .size = below + st.size };
	CHECK(!stack_parse(&now));
	CHECK(now.argc == st.argc && now.auxv == im.auxv);
	CHECK(now.auxc == st.auxc);
	CHECK(stack_aux(&now, AUX_SYSINFO_EHDR, 7) == 7);
	if (!preload)
		CHECK(now.envc == st.envc && !im.env_slot);
	else
		CHECK(now.envc == st.envc + (im.env_orig ? 0 : 2));
	if (im.env_slot) {
		unsigned int n = stack_hide(im.env_orig, words);

		CHECK(im.env_slot >= now.envp && im.env_slot + n * 8 <=
		      now.auxv);
		memcpy(all + (im.env_slot - im.sp), words, n * 8);
		CHECK(!stack_parse(&now));
		CHECK(now.argc == st.argc && now.envc == st.envc);
	}
	free(im.bytes);
	free(all);
	free(bytes);
	return 0;
}
