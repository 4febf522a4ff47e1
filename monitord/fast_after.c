// SPDX-License-Identifier: Apache-2.0
/*
 * Signals at the end of a call that was made in-process.
 *
 * A caught signal that comes while the leader is in a call, and does not keep it
 * from ending (it cuts a transfer short, or is a timer's that has just been set),
 * is delivered before the call returns, natively.  The leader's record of the
 * call says so (REC_AFTER), and all variants come here, at the program's own
 * instruction and with its registers: to monitord it is a call without arguments
 * that returns what IP-MON says it returned.  That is believed of each variant
 * alone; it goes into no register but its own rax.
 */
#include <errno.h>
#include <stddef.h>

#include "fast.h"
#include "handlers.h"
#include "tracee.h"

static int64_t result_of(struct taskset *s, unsigned int v)
{
	int64_t ret = -ENOSYS;

	mem_read(&s->t[v], &ret, fast_ctx(s, v) +
		 offsetof(struct ipmon_ctx, after_ret), sizeof(ret));
	return ret;
}

void after_start(struct taskset *s)
{
	int64_t ret[MAX_VARIANTS] = { 0 };
	uint32_t after = 0;

	/* its calls may have become monitord's meanwhile: this one was not */
	if (s->ctx >= 0 && s->proc->mm->fast)
		mem_read(&s->t[LEADER], &after, fast_ctx(s, LEADER) +
			 offsetof(struct ipmon_ctx, after), sizeof(after));
	/* the program's own idea: the number of a call that x86-64 lacks */
	if (!after) {
		set_finish(s, -ENOSYS);
		return;
	}
	for_each_variant(v) {
		ret[v] = result_of(s, v);
		CTX_SET(s, v, after, 0);
	}
	set_finish_each(s, ret);
}
