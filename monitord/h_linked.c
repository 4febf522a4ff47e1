// SPDX-License-Identifier: Apache-2.0
/*
 * The dynamic linker has done its work.
 *
 * libipmon-compat's constructor is the first of all and says so, with a call that no
 * kernel has.  Until then LD_PRELOAD named our libraries; now the environment is put
 * back as the caller of execve made it, before any code of the program can look.
 * It is believed to whoever makes it, once per image: more than that is not done.
 */
#include <errno.h>

#include "at_random.h"
#include "launch.h"
#include "library.h"
#include "own.h"
#include "stack.h"
#include "tracee.h"

/*
 * Where in the environment the string `entry` is, or 0.  Not simply where it was put:
 * a dynamic linker that was itself executed takes its arguments away from under the
 * environment (glibc from 2.34 on; earlier ones leave that where it is).
 */
static uint64_t env_find(struct task *t, uint64_t sp, uint64_t entry)
{
	uint64_t words[256], at = sp, argc;

	if (mem_read(t, &argc, at, sizeof(argc)) < 0 ||
	    argc > STACK_MAX / sizeof(argc))
		return 0;
	/* the count, that many arguments, and NULL */
	for (at += (argc + 2) * 8; at < sp + STACK_MAX; at += sizeof(words)) {
		ssize_t n = mem_read_some(t, words, at, sizeof(words));

		for (ssize_t i = 0; i < n / 8; i++) {
			if (words[i] == entry)
				return at + (uint64_t)i * 8;
			if (!words[i])
				return 0;
		}
		if (n < (ssize_t)sizeof(words))
			break;
	}
	return 0;
}

void linked_hide_preload(struct taskset *s)
{
	struct mm *mm = s->proc->mm;

	for_each_variant(v) {
		uint64_t words[2], at;
		unsigned int n;

		if (!mm->env_added[v])
			continue;
		at = env_find(&s->t[v], mm->stack[v], mm->env_added[v]);
		n = stack_hide(mm->env_orig[v], words);
		if (at)
			mem_write(&s->t[v], at, words, n * sizeof(*words));
		mm->env_added[v] = 0;
	}
}

void linked_start(struct taskset *s)
{
	struct mm *mm = s->proc->mm;

	if (!mm->env_added[LEADER]) {
		set_finish(s, -ENOSYS);
		return;
	}
	own_linked(s);
	linked_hide_preload(s);
	if (mm->at_random[LEADER])
		at_random_publish(s);
	/* each variant has loaded what it likes until now */
	if (mon.opt.diverse)
		library_map(s);
	set_finish(s, 0);
}
